package clock

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func anyDate(t *rapid.T, name string) Date {
	return NewDate(2000, 1, 1).AddDays(rapid.IntRange(0, 40000).Draw(t, name))
}

func TestTheDayIsVietnams(t *testing.T) {
	c := Fixed(time.Date(2026, 11, 21, 16, 59, 59, 0, time.UTC))
	if got := Today(c); got != NewDate(2026, 11, 21) {
		t.Errorf("one second before midnight: %v", got)
	}
	if got := UntilMidnight(c); got != time.Second {
		t.Errorf("left of the day: %v", got)
	}
	c.Advance(time.Second)
	if got := Today(c); got != NewDate(2026, 11, 22) {
		t.Errorf("midnight: %v", got)
	}
	if got := UntilMidnight(c); got != 24*time.Hour {
		t.Errorf("at midnight: %v", got)
	}
}

func TestAddMonthsStaysInTheMonth(t *testing.T) {
	for _, c := range []struct {
		from Date
		n    int
		want string
	}{
		{NewDate(2026, 1, 31), 1, "2026-02-28"}, {NewDate(2024, 1, 31), 1, "2024-02-29"}, {NewDate(2024, 2, 29), 36, "2027-02-28"},
		{NewDate(2026, 11, 22), 36, "2029-11-22"}, {NewDate(2026, 3, 31), -1, "2026-02-28"}, {NewDate(2026, 1, 15), -13, "2024-12-15"},
	} {
		if got := c.from.AddMonths(c.n).String(); got != c.want {
			t.Errorf("%v + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		d, n := anyDate(t, "d"), rapid.IntRange(-600, 600).Draw(t, "n")
		e := d.AddMonths(n)
		if !e.Valid() || e.D > d.D || (e.Y*12+int(e.M))-(d.Y*12+int(d.M)) != n {
			t.Fatalf("%v + %d months = %v", d, n, e)
		}
	})
}

func TestDatesRoundTripAndCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, e := anyDate(t, "d"), anyDate(t, "e")
		for _, s := range []string{d.String(), d.VN()} {
			if p, err := ParseDate(s); err != nil || p != d {
				t.Fatalf("ParseDate(%q) = %v, %v", s, p, err)
			}
		}
		if On(d.Time()) != d || d.AddDays(d.DaysUntil(e)) != e || d.Before(e) != (d.DaysUntil(e) > 0) || d.After(e) != e.Before(d) {
			t.Fatalf("%v and %v disagree", d, e)
		}
		v, err := d.Value()
		var back Date
		if err != nil || back.Scan(v) != nil || back != d {
			t.Fatalf("column: %v, %v, %v", v, err, back)
		}
		if back.Scan(time.Date(d.Y, d.M, d.D, 0, 0, 0, 0, time.UTC)) != nil || back != d {
			t.Fatalf("driver's midnight: %v", back)
		}
	})
}

func TestNoDateAndNoSuchDay(t *testing.T) {
	var none Date
	if v, err := none.Value(); v != nil || err != nil || none.String() != "" || none.VN() != "" || none.Valid() {
		t.Error("the zero date is no date")
	}
	d := NewDate(2026, 1, 1)
	if d.Scan(nil) != nil || !d.IsZero() || d.Scan(7) == nil {
		t.Error("NULL gives no date, a number an error")
	}
	for _, bad := range []Date{{2026, 2, 29}, {2026, 13, 1}, {2026, 4, 31}, {0, 1, 1}} {
		if bad.Valid() {
			t.Errorf("%v is not a day", bad)
		}
		if _, err := bad.Value(); err == nil {
			t.Errorf("%v was written", bad)
		}
	}
	b, err := json.Marshal(struct{ A, B Date }{NewDate(2026, 11, 22), none})
	if err != nil || string(b) != `{"A":"2026-11-22","B":""}` {
		t.Errorf("json: %s, %v", b, err)
	}
	if _, err := ParseDate("31/02/2026"); err == nil {
		t.Error("31/02 was read")
	}
}
