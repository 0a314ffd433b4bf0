package order

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
)

// Purchases that come at the same moment are written together, as banks post and databases flush: one transaction takes
// all that wait, so that a product which everybody wants is locked, counted and lowered once for many buyers, and the
// counter of the year as well. Someone alone never waits for company: what waits is what came while the others were
// being written.
const (
	tills     = 2  // transactions at a time
	queueMost = 32 // purchases in one
	// tillTime bounds a transaction; the limits of single statements are shorter.
	tillTime = 30 * time.Second
)

// ticket is one purchase in the queue. code or err is its answer, readable once done is closed.
type ticket struct {
	Placement
	print  []byte
	faults apperr.List // of the form
	left   atomic.Bool // the buyer has gone away
	done   chan struct{}
	code   string
	err    error
}

func (t *ticket) answer(code string, err error) {
	t.code, t.err = code, err
	close(t.done)
}

// queue is what waits, and how many tills are open.
type queue struct {
	mu      sync.Mutex
	waiting []*ticket
	open    int
}

// pass puts a purchase in the queue and waits for its answer. A buyer who goes away meanwhile may still have ordered, as
// with any broken connection: the request key tells.
func (s *Service) pass(ctx context.Context, t *ticket) (code string, err error) {
	t.done = make(chan struct{})
	s.queue.mu.Lock()
	s.queue.waiting = append(s.queue.waiting, t)
	if s.queue.open < tills {
		s.queue.open++
		go s.serve()
	}
	s.queue.mu.Unlock()
	select {
	case <-t.done:
		return t.code, t.err
	case <-ctx.Done():
		t.left.Store(true)
		return "", ctx.Err()
	}
}

// serve works at one till until nobody waits.
func (s *Service) serve() {
	for {
		batch := s.queue.next()
		if len(batch) == 0 {
			return
		}
		s.settle(batch)
	}
}

// next takes the first of the queue and all further ones that may share its transaction: two with one basket, request key
// or phone number count on seeing each other's rows. Without any it closes the till.
func (q *queue) next() []*ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	var batch, rest []*ticket
	taken := map[string]bool{}
	for _, t := range q.waiting {
		marks := []string{"basket " + t.CartToken, "key " + t.RequestKey}
		if t.Method == payment.COD {
			marks = append(marks, "phone "+t.Contact.Phone)
		}
		switch {
		case t.left.Load():
			t.answer("", context.Canceled)
			continue
		case len(batch) == queueMost || anyOf(taken, marks):
			rest = append(rest, t)
			continue
		}
		for _, m := range marks {
			taken[m] = true
		}
		batch = append(batch, t)
	}
	q.waiting = rest
	if len(batch) == 0 {
		q.open--
	}
	return batch
}

func anyOf(set map[string]bool, marks []string) bool {
	for _, m := range marks {
		if set[m] {
			return true
		}
	}
	return false
}

// settle answers every ticket. If the purchases cannot be written together, for instance because one basket changed or
// one request is a twin of an earlier one, each is written alone and only the faulty one fails.
func (s *Service) settle(batch []*ticket) {
	ctx, cancel := context.WithTimeout(context.Background(), tillTime)
	defer cancel()
	drafts, err := s.drafts(ctx, batch)
	if err == nil && len(drafts) == 0 {
		return
	}
	if err == nil {
		if err = s.writeAll(ctx, drafts); err == nil {
			for _, d := range drafts {
				d.ticket.answer(d.code, nil)
			}
			return
		}
	}
	waiting := unanswered(batch)
	if len(waiting) == 0 {
		return
	}
	if len(waiting) > 1 {
		for _, t := range waiting {
			s.settle([]*ticket{t})
		}
		return
	}
	if len(drafts) == 1 {
		err = drafts[0].named(err)
	}
	waiting[0].answer("", err)
}

func unanswered(batch []*ticket) []*ticket {
	var out []*ticket
	for _, t := range batch {
		select {
		case <-t.done:
		default:
			out = append(out, t)
		}
	}
	return out
}

// safely turns a panic into an error: the till has no request of its own to fail.
func safely(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("order: panic at the till: %v\n%s", r, debug.Stack())
		}
	}()
	return fn()
}

// errMoved means that a basket is not the one that was priced; the caller prices it again.
var errMoved = errors.New("order: the basket changed while it was priced")
