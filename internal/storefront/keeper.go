package storefront

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"choocop.vn/ocop/internal/platform/clock"
)

const (
	// wholly is how long a shelf lives on changes alone. After that everything is read again, beside the questions.
	wholly = 10 * time.Minute
	// tooLong is after how much silence changes are no longer asked for one by one: they are forgotten after an hour.
	tooLong = 30 * time.Minute
	// patience bounds a reading that others may be waiting for.
	patience = 30 * time.Second
)

// machine measures how old things in memory are; no rule depends on it.
var machine = clock.System()

// keeper keeps a shelf up to date: who asks for it first after fresh has passed asks the database what changed, once for
// all who ask meanwhile. Nobody asking costs nothing.
type keeper struct {
	fresh  time.Duration
	now    atomic.Pointer[kept]
	flight singleflight.Group
	mu     sync.Mutex // held while now is replaced
	again  atomic.Bool
}

// kept is a shelf with what is known of its age.
type kept struct {
	*shelf
	reading uint32 // counts the readings that found a change
	since   string // where to ask on from
	at      time.Time
	asked   time.Time // by the machine's clock
	whole   time.Time // the same, of the last reading of everything
}

// current says that k needs no asking. A clock set otherwise, as tests do, is a reason to ask.
func (k *kept) current(now time.Time, fresh time.Duration) bool {
	return k != nil && fresh > 0 && time.Since(k.asked) < fresh && now.Sub(k.at).Abs() < fresh
}

// Warm reads the whole shelf, so that the first visitors do not wait for it.
func (s *Service) Warm(ctx context.Context) error {
	_, err := s.shelf(ctx)
	return err
}

// shelf is the shop as it was at most a moment ago.
func (s *Service) shelf(ctx context.Context) (*kept, error) {
	k, now := s.keeper.now.Load(), s.Clock.Now()
	if k.current(now, s.keeper.fresh) {
		return k, nil
	}
	result := s.keeper.flight.DoChan("", func() (any, error) {
		// Whoever asked first may go away; the others still wait.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer stop()
		return s.reshelve(ctx, now)
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*kept), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *Service) reshelve(ctx context.Context, now time.Time) (*kept, error) {
	k := s.keeper.now.Load()
	if k.current(now, s.keeper.fresh) { // asked for while this question was on its way
		return k, nil
	}
	if k == nil || time.Since(k.asked) > tooLong || now.Before(k.at) {
		return s.shelveAll(ctx, now)
	}
	s.keeper.mu.Lock()
	defer s.keeper.mu.Unlock()
	k = s.keeper.now.Load()
	next := *k
	next.at, next.asked = now, machine.Now()
	changes, since, err := changesSince(ctx, s.DB.Read(ctx), now, k.since, k.dueBy(now.Unix()))
	if err != nil {
		return nil, err
	}
	next.since = since
	if len(changes) > 0 {
		next.reading++
		next.shelf = k.with(changes, next.reading)
	}
	s.keeper.now.Store(&next)
	if time.Since(k.whole) > wholly && s.keeper.again.CompareAndSwap(false, true) {
		go func() {
			defer s.keeper.again.Store(false)
			ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer stop()
			if _, err := s.shelveAll(ctx, s.Clock.Now()); err != nil {
				slog.WarnContext(ctx, "the shelf was not read again", "error", err)
			}
		}()
	}
	return &next, nil
}

// shelveAll reads everything. Changes may be read meanwhile: the mark from before the reading has them asked for again.
func (s *Service) shelveAll(ctx context.Context, now time.Time) (*kept, error) {
	began := machine.Now()
	all, since, err := allGoods(ctx, s.DB.Read(ctx), now)
	if err != nil {
		return nil, err
	}
	s.keeper.mu.Lock()
	defer s.keeper.mu.Unlock()
	next := kept{since: since, at: now, asked: began, whole: began, reading: 1}
	var old *shelf
	if k := s.keeper.now.Load(); k != nil {
		next.reading, old = k.reading+1, k.shelf
		there := make(map[int64]bool, len(all))
		for i := range all {
			there[all[i].id] = true
		}
		for i := range old.goods {
			if id := old.goods[i].id; !there[id] {
				all = append(all, change{good: good{id: id}, gone: true})
			}
		}
	}
	next.shelf = old.with(all, next.reading)
	if n := len(next.categories); n > 1<<8 || len(next.provinces) > 1<<8 {
		return nil, fmt.Errorf("storefront: shelf: %d categories and %d provinces are more than it can number", n, len(next.provinces))
	}
	s.keeper.now.Store(&next)
	return &next, nil
}
