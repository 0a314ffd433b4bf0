package front

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// pages are the kept pages, the least lately asked for first to go.
type pages struct {
	most int64

	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent list.List // of *slot, the latest asked for in front
	bytes  int64
	making map[string]*making
	swept  bool // a sweep is to come
}

// slot is a page in its place, or the note that there is none to keep at this address for the moment.
type slot struct {
	key   string
	page  *page // nil: rendered for each request until then
	until time.Time
	bytes int64
}

// making is a page being rendered for all who wait.
type making struct {
	done chan struct{}
	page *page
}

// apart is how long an address that turned out not to be kept is rendered for each request at once, so that its visitors
// do not wait in a row for each other's.
const apart = time.Second

func newPages(most int64) *pages {
	return &pages{most: most, byKey: map[string]*list.Element{}, making: map[string]*making{}}
}

// get returns the page, rendered by the given function if it is not there; made says that this call did. A nil page means
// that each request must be answered on its own. The error is that of a visitor who went away waiting.
func (s *pages) get(ctx context.Context, key string, now func() time.Time, render func() *page) (p *page, made bool, err error) {
	s.mu.Lock()
	if e := s.byKey[key]; e != nil {
		found := e.Value.(*slot)
		if now().Before(found.until) {
			s.recent.MoveToFront(e)
			s.mu.Unlock()
			return found.page, false, nil
		}
		s.drop(e)
	}
	if m := s.making[key]; m != nil {
		s.mu.Unlock()
		select {
		case <-m.done:
			if m.page == nil || !m.page.keep {
				return nil, false, nil
			}
			return m.page, false, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	m := &making{done: make(chan struct{})}
	s.making[key] = m
	s.mu.Unlock()
	defer func() { // also when rendering panics: nobody waits for ever
		s.mu.Lock()
		delete(s.making, key)
		if m.page != nil {
			s.put(key, m.page, now())
			s.sweepLater(now)
		}
		s.mu.Unlock()
		close(m.done)
	}()
	m.page = render()
	return m.page, true, nil
}

// put keeps a page and lets go of others until all fit; one that takes a good part of the room is not kept.
func (s *pages) put(key string, p *page, now time.Time) {
	n := &slot{key: key, until: now.Add(apart), bytes: int64(len(key)) + overhead}
	if p.keep {
		// With its packed forms a page takes about half as much again.
		n.page, n.until, n.bytes = p, p.until, n.bytes+int64(len(p.body.plain))*3/2
	}
	if n.bytes > s.most/8 {
		return
	}
	if old := s.byKey[key]; old != nil {
		s.drop(old)
	}
	s.byKey[key] = s.recent.PushFront(n)
	s.bytes += n.bytes
	for s.bytes > s.most {
		s.drop(s.recent.Back())
	}
}

// sweepLater lets go of pages that are past their time, also when nobody asks for others: kept for seconds, they would
// stay in memory for as long as the site is busy with something else. The lock is held.
func (s *pages) sweepLater(now func() time.Time) {
	if s.swept || s.recent.Len() == 0 {
		return
	}
	s.swept = true
	time.AfterFunc(sweepEvery, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.swept = false
		for e := s.recent.Back(); e != nil && !now().Before(e.Value.(*slot).until); e = s.recent.Back() {
			s.drop(e)
		}
		s.sweepLater(now)
	})
}

// sweepEvery is a few times as long as a page is kept. A test shortens it.
var sweepEvery = 10 * time.Second

// overhead is what headers and bookkeeping of a page take, roughly.
const overhead = 2048

func (s *pages) drop(e *list.Element) {
	n := e.Value.(*slot)
	s.recent.Remove(e)
	delete(s.byKey, n.key)
	s.bytes -= n.bytes
}
