// Package clock is the only place the program asks what time it is. The legal day is
// Vietnam's: stars, offers and fairs begin and end at midnight in Asia/Ho_Chi_Minh,
// wherever the server stands.
package clock

import (
	"sync"
	"time"
	_ "time/tzdata" // a container without zone files must still know Vietnam's midnight
)

// Clock tells the time. Services keep one, so that a test can choose the day.
type Clock interface{ Now() time.Time }

// HCM is Vietnam's time zone: UTC+7, no daylight saving.
var HCM = mustLoad("Asia/Ho_Chi_Minh")

func mustLoad(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic("clock: " + err.Error()) // cannot happen: the zone data is compiled in
	}
	return loc
}

type system struct{}

func (system) Now() time.Time { return time.Now().UTC() }

// System is the machine's clock, in UTC.
func System() Clock { return system{} }

// Settable is a clock for tests: it stands still until told otherwise. Safe for
// concurrent use.
type Settable struct {
	mu  sync.Mutex
	now time.Time
}

// Fixed returns a clock that stands at t.
func Fixed(t time.Time) *Settable { return &Settable{now: t} }

// Now returns the time the clock was set to.
func (s *Settable) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Set moves the clock to t.
func (s *Settable) Set(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = t
}

// Advance moves the clock by d.
func (s *Settable) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// Today is the current day in Vietnam.
func Today(c Clock) Date { return On(c.Now()) }

// UntilMidnight is the time left of today in Vietnam, always more than zero. What depends
// on today's date may be cached no longer than this.
func UntilMidnight(c Clock) time.Duration {
	now := c.Now()
	return On(now).AddDays(1).Time().Sub(now)
}
