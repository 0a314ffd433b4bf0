package search

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"choocop.vn/ocop/internal/platform/clock"
)

const (
	// wholly is how long a lexicon lives on changes alone, tooLong after how much silence it is read anew: notes of changes
	// are forgotten after an hour.
	wholly  = 10 * time.Minute
	tooLong = 30 * time.Minute
	// many is how many products may have changed before everything is read anew.
	many = 2000
	// pageful is how many rows are read at once: their texts are a kilobyte each.
	pageful  = 2000
	patience = 2 * time.Minute
)

// machine measures how old things in memory are; no rule depends on it.
var machine = clock.System()

// lexicon is all words of all products: those of the last full reading, and those changed since.
type lexicon struct {
	all, recent *segment
	dead        set               // products of all that changed or went since
	changed     map[int64]wordRow // the rows of recent
	since       string            // where to ask on from, as storefront's shelf does
	asked       time.Time
	whole       time.Time
	answers     *answers
}

// answers are what was found of late; most people ask for the same few things. They end with the words they were found in.
type answers struct {
	mu   sync.Mutex
	hits map[Query][]Hit
	n    int // hits in all
}

// answersKept bounds them to two megabytes, or in a large market to those of a few broad questions: one word may find a
// fifth of all goods.
func (x *lexicon) answersKept() int { return max(1<<17, 4*len(x.all.ids)) }

func (a *answers) take(q Query) ([]Hit, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	found, ok := a.hits[q]
	return found, ok
}

func (a *answers) keep(q Query, found []Hit, most int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n += len(found) + 100; a.hits == nil || a.n > most {
		a.hits, a.n = map[Query][]Hit{}, len(found)+100
	}
	a.hits[q] = found
}

// find answers a question.
func (x *lexicon) find(q Query) []Hit {
	if found, ok := x.answers.take(q); ok {
		return found
	}
	a := q.understood()
	found := slices.Clip(x.recent.hits(x.all.hits(nil, a, x.dead), a, nil))
	x.answers.keep(q, found, x.answersKept())
	return found
}

// shelf keeps a lexicon up to date for whoever asks. Until it is first made, questions go to the database.
type shelf struct {
	fresh   time.Duration
	now     atomic.Pointer[lexicon]
	mu      sync.Mutex // held while now is replaced
	flight  singleflight.Group
	reading atomic.Bool
}

// Hits are all products that fit the question, mostly in the order of their ids; they are not to be changed. They may be as old as the service was told, see [Service.Keep].
func (s *Service) Hits(ctx context.Context, q Query) ([]Hit, error) {
	x, err := s.lexicon(ctx)
	if err != nil {
		return nil, err
	}
	if x == nil {
		return hits(s.db.Read(ctx), q)
	}
	return x.find(q), nil
}

// How many goods of each kind suggestions are taken from.
const (
	holdingMost = 200
	madeMost    = 60
)

// held are some products that hold the words in their names, the last as a beginning, and some whose makers do.
func (s *Service) held(ctx context.Context, q Query) (holding, made []int64, err error) {
	x, err := s.lexicon(ctx)
	if err != nil {
		return nil, nil, err
	}
	if x == nil {
		return held(s.db.Read(ctx), q)
	}
	some := func(text string, most int) []int64 {
		n := parse(text)
		return x.all.some(x.recent.some(nil, n, nil, most), n, x.dead, most)
	}
	return some(q.Begun, holdingMost), some(q.Named, madeMost), nil
}

// Keep has the service answer from words up to an age, read in the background. Without it every question asks first what changed.
func (s *Service) Keep(fresh time.Duration) *Service {
	s.shelf.fresh = fresh
	return s
}

// Warm reads all words, so that the first who ask do not wait for the database.
func (s *Service) Warm(ctx context.Context) error { return s.readAll(ctx) }

// lexicon is nil while the first one is being read.
func (s *Service) lexicon(ctx context.Context) (*lexicon, error) {
	x := s.shelf.now.Load()
	if x != nil && s.shelf.fresh > 0 && time.Since(x.asked) < s.shelf.fresh {
		return x, nil
	}
	if x == nil || time.Since(x.asked) > tooLong {
		if s.shelf.fresh > 0 {
			s.readAllAside(ctx)
			return nil, nil
		}
		if err := s.readAll(ctx); err != nil {
			return nil, err
		}
	}
	result := s.shelf.flight.DoChan("", func() (any, error) {
		// Whoever asked first may go away; the others still wait.
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer stop()
		return s.follow(ctx)
	})
	select {
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*lexicon), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// follow reads what changed since the last question.
func (s *Service) follow(ctx context.Context) (*lexicon, error) {
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	next := *s.shelf.now.Load()
	if s.shelf.fresh > 0 && time.Since(next.asked) < s.shelf.fresh {
		return &next, nil
	}
	asked := machine.Now()
	rows, since, err := wordsSince(s.db.Read(ctx), next.since)
	if err != nil {
		return nil, err
	}
	next.since, next.asked = since, asked
	if next.take(rows); len(next.changed) > many || time.Since(next.whole) > wholly {
		s.readAllAside(ctx)
	}
	s.shelf.now.Store(&next)
	return &next, nil
}

// take puts changed rows into the lexicon, which is a copy of the one in use.
func (x *lexicon) take(rows []wordRow) {
	var news []wordRow
	for _, r := range rows {
		old, known := x.changed[r.ProductID]
		if known && old == r {
			continue
		}
		if at, in := slices.BinarySearch(x.all.ids, r.ProductID); !known && (in && x.all.sums[at] == r.sum() || !in && r.Words == "") {
			continue
		}
		news = append(news, r)
	}
	if len(news) == 0 {
		return
	}
	changed := make(map[int64]wordRow, len(x.changed)+len(news))
	for id, r := range x.changed {
		changed[id] = r
	}
	dead := slices.Clone(x.dead)
	for _, r := range news {
		changed[r.ProductID] = r
		if at, in := slices.BinarySearch(x.all.ids, r.ProductID); in {
			dead[at/64] |= 1 << (at % 64)
		}
	}
	b := newBinder()
	ids := make([]int64, 0, len(changed))
	for id := range changed {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if r := changed[id]; r.Words != "" {
			b.add(&r)
		}
	}
	x.changed, x.dead, x.recent, x.answers = changed, dead, b.bind(), &answers{}
}

// readAllAside reads everything beside the questions, once at a time.
func (s *Service) readAllAside(ctx context.Context) {
	if !s.shelf.reading.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer s.shelf.reading.Store(false)
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer stop()
		if err := s.readAll(ctx); err != nil {
			slog.WarnContext(ctx, "the words were not read", "error", err)
		}
	}()
}

func (s *Service) readAll(ctx context.Context) error {
	began := machine.Now()
	g := s.db.Read(ctx)
	since, err := Snapshot(g) // before the rows: what changes meanwhile is asked for again
	if err != nil {
		return err
	}
	b := newBinder()
	for after := int64(0); ; {
		rows, err := wordsAfter(g, after, pageful)
		if err != nil {
			return err
		}
		for i := range rows {
			b.add(&rows[i])
		}
		if len(rows) < pageful {
			break
		}
		after = rows[len(rows)-1].ProductID
	}
	x := &lexicon{all: b.bind(), recent: newBinder().bind(), since: since, asked: began, whole: began, answers: &answers{}}
	x.dead = x.all.none()
	s.shelf.mu.Lock()
	defer s.shelf.mu.Unlock()
	s.shelf.now.Store(x)
	debug.FreeOSMemory() // building it took several times what it holds
	return nil
}
