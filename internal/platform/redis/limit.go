package redis

import (
	"context"
	"sync"
	"time"

	"github.com/go-redis/redis_rate/v10"
)

// Rate allows N events in a Period, evenly refilled; all N may come at once.
type Rate struct {
	N      int
	Period time.Duration
}

// PerMinute allows n events a minute.
func PerMinute(n int) Rate { return Rate{n, time.Minute} }

// PerHour allows n events an hour.
func PerHour(n int) Rate { return Rate{n, time.Hour} }

// Limiter bounds how often something may be done, over all processes. Without Redis each
// process counts for itself, so people can still sign in and guessing is still slowed.
type Limiter struct {
	shared *redis_rate.Limiter
	own    local
}

// Limiter returns a rate limiter.
func (c *Client) Limiter() *Limiter {
	return &Limiter{shared: redis_rate.NewLimiter(c.rdb), own: local{tat: map[string]time.Time{}}}
}

// Allow reports whether one more event of this key is within the rate, and if not, after
// what time it will be. It never fails.
func (l *Limiter) Allow(ctx context.Context, key string, r Rate) (ok bool, retryAfter time.Duration) {
	b := l.Take(ctx, key, r)
	return b.OK, b.Retry
}

// Budget is what is left of a rate after an event.
type Budget struct {
	OK    bool
	Left  int           // events that may still come now
	Full  time.Duration // until all N may come at once again
	Retry time.Duration // until the next may come; 0 when OK
}

// Take is Allow with what is left of the rate, to be told to programs.
func (l *Limiter) Take(ctx context.Context, key string, r Rate) Budget {
	res, err := l.shared.Allow(ctx, key, redis_rate.Limit{Rate: r.N, Burst: r.N, Period: r.Period})
	if err != nil {
		return l.own.take(time.Now(), key, r)
	}
	return Budget{OK: res.Allowed > 0, Left: res.Remaining, Full: res.ResetAfter, Retry: max(0, res.RetryAfter)}
}

// maxKeys bounds the memory of the fallback.
const maxKeys = 50_000

// local is the same algorithm (GCRA) in memory: for each key the time at which a steady
// stream of events would have used up everything allowed so far.
type local struct {
	mu  sync.Mutex
	tat map[string]time.Time
}

func (l *local) take(now time.Time, key string, r Rate) Budget {
	l.mu.Lock()
	defer l.mu.Unlock()
	tat := l.tat[key]
	if tat.Before(now) {
		tat = now
	}
	step := r.Period / time.Duration(r.N)
	next := tat.Add(step)
	if wait := next.Add(-r.Period).Sub(now); wait > 0 {
		return Budget{Full: tat.Sub(now), Retry: wait}
	}
	if len(l.tat) >= maxKeys {
		l.forget(now)
	}
	l.tat[key] = next
	return Budget{OK: true, Left: int((r.Period - next.Sub(now)) / step), Full: next.Sub(now)}
}

// forget drops keys that are free again, or all when none is: under such a flood counting
// anew is better than growing.
func (l *local) forget(now time.Time) {
	for k, t := range l.tat {
		if t.Before(now) {
			delete(l.tat, k)
		}
	}
	if len(l.tat) >= maxKeys {
		clear(l.tat)
	}
}
