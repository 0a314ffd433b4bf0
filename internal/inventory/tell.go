package inventory

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// TellStock asks for [Service.TellStock], every few seconds.
type TellStock struct{}

// Kind names the job in the queue.
func (TellStock) Kind() string { return "inventory_tell_stock" }

const (
	// overlap is how far a look at the books reaches back behind the last one, in rows: a row with a lower number may
	// become visible after one with a higher. A transaction that outlasts it is found by the full look.
	overlap = 2000
	// overlapTime is the same for what has a time and no number: reservations that end.
	overlapTime = 2 * time.Minute
	// fullEvery is how often all variants are compared: what leaves no row in the books, such as a product taken out of
	// the shop or a lot past its day, is told within it.
	fullEvery = 10 * time.Minute
)

// TellStock tells partners how many pieces of a variant can be promised, where that is another number than they were last
// told, and returns how many variants that were. Sales never wait for it: it looks at what the books gained since the
// last look. Several changes between two looks are told as one. Who begins to listen is told of changes from then on; the
// state at that moment is for the API to say.
func (s *Service) TellStock(ctx context.Context, _ TellStock) (n int, err error) {
	heard, err := partner.Heard(ctx, s.db.Primary(ctx), partner.StockChanged)
	if err != nil {
		return 0, fmt.Errorf("inventory: tell stock: %w", err)
	}
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		if !heard {
			return forgetTold(ctx, tx)
		}
		n, err = s.tellStock(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("inventory: tell stock: %w", err)
	}
	return n, nil
}

func (s *Service) tellStock(ctx context.Context, tx db.Tx) (int, error) {
	now := s.clock.Now()
	m, known, err := lockMark(ctx, tx)
	if err != nil {
		return 0, err
	}
	next := mark{SeenAt: now, FullAt: m.FullAt}
	full := !known || now.Sub(m.FullAt) >= fullEvery
	if full {
		next.FullAt = now
	}
	// The ends of the books are read before what they hold: a row that comes in between is looked at twice.
	if next.MovementID, next.ReservationID, err = booksEnd(ctx, tx); err != nil {
		return 0, err
	}
	changed, err := changedStock(ctx, tx, m, full, now, clock.On(now))
	if err != nil {
		return 0, err
	}
	if err := setMark(ctx, tx, next); err != nil {
		return 0, err
	}
	if !known {
		return 0, nil // what they are told first is a change
	}
	events := make([]partner.Event, len(changed))
	for i, c := range changed {
		events[i] = partner.Event{Kind: partner.StockChanged, Subject: c.SKU, At: now, Payload: map[string]any{"sku": c.SKU, "available": c.Available}}
	}
	return len(events), partner.EmitAll(ctx, tx, events)
}
