package showroom

import (
	"encoding/json"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
)

// Span is one day's opening time on Vietnam's clock, "07:30" to "18:00". To may be "24:00".
type Span struct{ From, To string }

// Hours are the opening times of a week, Monday first; nil is a day the place stays closed.
type Hours [7]*Span

// EveryDay is the same opening time all week.
func EveryDay(from, to string) Hours {
	var h Hours
	for i := range h {
		h[i] = &Span{from, to}
	}
	return h
}

// On is the opening time of the Vietnamese day that t falls on; false when the place stays closed.
func (h Hours) On(t time.Time) (Span, bool) {
	day := (int(t.In(clock.HCM).Weekday()) + 6) % 7
	if h[day] == nil {
		return Span{}, false
	}
	return *h[day], true
}

// OpenAt reports whether the place is open at t: from its opening minute up to, not including, its closing one.
func (h Hours) OpenAt(t time.Time) bool {
	s, ok := h.On(t)
	if !ok {
		return false
	}
	now := t.In(clock.HCM).Format("15:04")
	return s.From <= now && now < s.To
}

func (h Hours) valid() bool {
	for _, s := range h {
		if s != nil && (!clockTime(s.From) || s.To != "24:00" && !clockTime(s.To) || s.From >= s.To) {
			return false
		}
	}
	return true
}

// clockTime wants two digits on both sides, so that times compare as text.
func clockTime(s string) bool {
	_, err := time.Parse("15:04", s)
	return err == nil && len(s) == 5
}

// MarshalJSON writes [["07:30","18:00"], …, null].
func (h Hours) MarshalJSON() ([]byte, error) {
	var days [7]*[2]string
	for i, s := range h {
		if s != nil {
			days[i] = &[2]string{s.From, s.To}
		}
	}
	return json.Marshal(days)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *Hours) UnmarshalJSON(data []byte) error {
	var days []*[2]string
	if err := json.Unmarshal(data, &days); err != nil {
		return fmt.Errorf("showroom: hours: %w", err)
	}
	if len(days) != len(h) {
		return fmt.Errorf("showroom: hours name %d days, not 7", len(days))
	}
	for i, d := range days {
		h[i] = nil
		if d != nil {
			h[i] = &Span{d[0], d[1]}
		}
	}
	return nil
}
