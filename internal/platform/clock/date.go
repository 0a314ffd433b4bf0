package clock

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Date is a calendar day without time or zone, as printed on a certificate. The zero
// Date means "none" and is NULL in the database.
type Date struct {
	Y int
	M time.Month
	D int
}

// NewDate returns the day, which must exist: see Valid.
func NewDate(y int, m time.Month, d int) Date { return Date{y, m, d} }

// On is the day in Vietnam at the moment t.
func On(t time.Time) Date {
	y, m, d := t.In(HCM).Date()
	return Date{y, m, d}
}

// ParseDate reads 2006-01-02 or 02/01/2006.
func ParseDate(s string) (Date, error) {
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006"} {
		if t, err := time.Parse(layout, s); err == nil {
			return fromUTC(t), nil
		}
	}
	return Date{}, fmt.Errorf("clock: %q is not a date", s)
}

func fromUTC(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

func (d Date) utc() time.Time { return time.Date(d.Y, d.M, d.D, 0, 0, 0, 0, time.UTC) }

// IsZero reports whether there is no date.
func (d Date) IsZero() bool { return d == Date{} }

// Valid reports whether the day exists in the calendar, in the years 1 to 9999.
func (d Date) Valid() bool {
	return d.Y >= 1 && d.Y <= 9999 && d.M >= time.January && d.M <= time.December && d.D >= 1 && d.D <= daysIn(d.Y, d.M)
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

// String prints 2006-01-02, or nothing for no date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Y, int(d.M), d.D)
}

// VN prints 02/01/2006, or nothing for no date.
func (d Date) VN() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%02d/%02d/%04d", d.D, int(d.M), d.Y)
}

// Compare returns -1, 0 or +1 as d is before, the same day as, or after e.
func (d Date) Compare(e Date) int { return d.utc().Compare(e.utc()) }

// Before reports whether d is an earlier day than e.
func (d Date) Before(e Date) bool { return d.Compare(e) < 0 }

// After reports whether d is a later day than e.
func (d Date) After(e Date) bool { return d.Compare(e) > 0 }

// AddDays returns the day n days later.
func (d Date) AddDays(n int) Date { return fromUTC(d.utc().AddDate(0, 0, n)) }

// AddMonths returns the same day n months later, or that month's last day when it is
// shorter: 31/01 and one month is 28/02, never 03/03.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Y, d.M+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	y, m, _ := first.Date()
	return Date{y, m, min(d.D, daysIn(y, m))}
}

// DaysUntil is the number of days from d to e, negative when e is past.
func (d Date) DaysUntil(e Date) int { return int(e.utc().Sub(d.utc()) / (24 * time.Hour)) }

// Time is the moment the day begins in Vietnam.
func (d Date) Time() time.Time { return time.Date(d.Y, d.M, d.D, 0, 0, 0, 0, HCM) }

// MarshalText writes 2006-01-02, for JSON.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 2006-01-02; empty text is no date.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	p, err := ParseDate(string(b))
	if err == nil {
		*d = p
	}
	return err
}

// Value writes a DATE column; no date is NULL.
func (d Date) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	if !d.Valid() {
		return nil, fmt.Errorf("clock: no such day %d-%d-%d", d.Y, d.M, d.D)
	}
	return d.String(), nil
}

// Scan reads a DATE column. The driver hands over midnight UTC of the day, whose own
// calendar fields count: turning it to Vietnam's zone must not change the day.
func (d *Date) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*d = Date{}
		return nil
	case time.Time:
		*d = fromUTC(v)
		return nil
	case string:
		return d.UnmarshalText([]byte(v))
	case []byte:
		return d.UnmarshalText(v)
	}
	return fmt.Errorf("clock: cannot read a date from %T", src)
}
