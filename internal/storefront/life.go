package storefront

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"choocop.vn/ocop/internal/platform/clock"
)

const (
	// keptFor is how long what hangs on a product is kept although the shelf knows of no change: pictures and the names of
	// makers may change without it.
	keptFor = time.Minute
	// cardsKept is how many cards are kept, about two kilobytes each.
	cardsKept = 6000
	// detailsKept is how many products' pages are kept, about five kilobytes each.
	detailsKept = 2000
)

// age is when something was read: under which reading of the shelf, on which day, and when by the machine's clock.
type age struct {
	reading uint32
	day     clock.Date
	at      time.Time
}

// shelfLife keeps what was read of products. A thing is good as long as the shelf has not found its product changed since:
// whoever reads notes the reading of the shelf before it, so a change that comes meanwhile makes it old.
type shelfLife[K comparable, V any] struct {
	most int
	mu   sync.RWMutex
	kept map[K]aged[V]
}

type aged[V any] struct {
	age
	v V
}

func keeping[K comparable, V any](most int) *shelfLife[K, V] {
	return &shelfLife[K, V]{most: most, kept: make(map[K]aged[V])}
}

// get is the thing kept under key if it is no older than the last change, of the same day.
func (l *shelfLife[K, V]) get(key K, touched uint32, today clock.Date) (V, bool) {
	l.mu.RLock()
	a, ok := l.kept[key]
	l.mu.RUnlock()
	return a.v, ok && a.reading >= touched && a.day == today && time.Since(a.at) < keptFor
}

// put keeps a thing. When there are too many others go, whichever come first.
func (l *shelfLife[K, V]) put(key K, of age, v V) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k := range l.kept {
		if len(l.kept) < l.most {
			break
		}
		delete(l.kept, k)
	}
	l.kept[key] = aged[V]{of, v}
}

// memo keeps answers for a time. Those who ask while one is being made wait for it.
type memo[V any] struct {
	lasts  time.Duration
	mu     sync.Mutex
	kept   map[string]aged[V]
	flight singleflight.Group
}

// manyAnswers is how many answers a memo keeps: more than there are provinces, each in two shapes.
const manyAnswers = 256

func (m *memo[V]) get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	m.mu.Lock()
	a, ok := m.kept[key]
	m.mu.Unlock()
	if ok && time.Since(a.at) < m.lasts {
		return a.v, nil
	}
	made, err, _ := m.flight.Do(key, func() (any, error) {
		// Whoever asked first may go away; the others still wait.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer stop()
		at := machine.Now()
		v, err := load(ctx)
		if err != nil {
			return nil, err
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.kept == nil || len(m.kept) >= manyAnswers {
			m.kept = map[string]aged[V]{}
		}
		m.kept[key] = aged[V]{age{at: at}, v}
		return v, nil
	})
	if err != nil {
		var none V
		return none, err
	}
	return made.(V), nil
}
