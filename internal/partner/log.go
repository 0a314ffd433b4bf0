package partner

import (
	"context"
	"strconv"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/page"
)

// Keep is how long events and their log stay after they happened.
const Keep = 30 * 24 * time.Hour

// MaxDeliveries is how many rows of the log one page holds at most.
const MaxDeliveries = 100

// DeliveryFilter asks for a page of the log. State may be empty for all; Cursor comes from the page before.
type DeliveryFilter struct {
	State  string
	Cursor string
	Limit  int
}

// Deliveries is the log of an endpoint, the newest first, with the cursor of the next page, empty at the end. A cursor that
// is none starts at the beginning. NotFound partner.endpoint.unknown.
func (s *Service) Deliveries(ctx context.Context, partnerID int64, code string, f DeliveryFilter) ([]Delivery, string, error) {
	if _, err := s.Endpoint(ctx, partnerID, code); err != nil {
		return nil, "", err
	}
	limit := f.Limit
	if limit < 1 || limit > MaxDeliveries {
		limit = MaxDeliveries
	}
	var before int64
	if v, ok := page.After(f.Cursor, 1); ok {
		before, _ = strconv.ParseInt(v[0], 10, 64)
	}
	all, err := deliveries(ctx, s.db.Primary(ctx), code, f.State, "", before, limit+1)
	if err != nil {
		return nil, "", wrap("deliveries", err)
	}
	if len(all) <= limit {
		return all, "", nil
	}
	return all[:limit], page.Cursor(strconv.FormatInt(all[limit-1].id, 10)), nil
}

// Delivery is one line of the log with every attempt, the first one first. NotFound partner.endpoint.unknown,
// partner.delivery.unknown.
func (s *Service) Delivery(ctx context.Context, partnerID int64, code, eventID string) (Delivery, []Attempt, error) {
	if _, err := s.Endpoint(ctx, partnerID, code); err != nil {
		return Delivery{}, nil, err
	}
	g := s.db.Primary(ctx)
	found, err := deliveries(ctx, g, code, "", eventID, 0, 1)
	if err != nil || len(found) == 0 {
		return Delivery{}, nil, wrap("delivery", orUnknown(err, "partner.delivery.unknown"))
	}
	tried, err := attemptsOf(ctx, g, found[0].id)
	return found[0], tried, wrap("delivery", err)
}

// Redeliver sends an event to an endpoint again, also one that was delivered: it carries the same webhook-id as before.
// NotFound partner.delivery.unknown; Conflict partner.endpoint.paused.
func (s *Service) Redeliver(ctx context.Context, partnerID int64, code, eventID, actor string) error {
	n, err := s.again(ctx, partnerID, code, eventID, time.Time{}, actor)
	if err == nil && n == 0 {
		return apperr.New(apperr.NotFound, "partner.delivery.unknown")
	}
	return err
}

// RedeliverFailed sends everything again that was given up since a moment, and returns how much. Conflict
// partner.endpoint.paused.
func (s *Service) RedeliverFailed(ctx context.Context, partnerID int64, code string, since time.Time, actor string) (int, error) {
	return s.again(ctx, partnerID, code, "", since, actor)
}

func (s *Service) again(ctx context.Context, partnerID int64, code, eventID string, since time.Time, actor string) (n int, err error) {
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		state, err := lockEndpoint(ctx, tx, partnerID, code)
		switch {
		case err != nil || state == "":
			return orUnknown(err, "partner.endpoint.unknown")
		case state == EndpointPaused:
			return apperr.New(apperr.Conflict, "partner.endpoint.paused")
		}
		if n, err = redeliver(ctx, tx, code, eventID, since, s.clock.Now()); err != nil || n == 0 {
			return err
		}
		detail := map[string]any{"event": eventID, "n": n}
		if err := record(ctx, tx, actor, "webhook_endpoint.redeliver", "webhook_endpoint", code, detail); err != nil {
			return err
		}
		return wake(ctx, tx)
	})
	return n, wrap("redeliver", err)
}

// Sweep removes events that happened longer than Keep ago, with their log, and returns how many.
func (s *Service) Sweep(ctx context.Context) (total int, err error) {
	for n := sweepSize; n == sweepSize && err == nil && ctx.Err() == nil; total += n {
		n, err = sweep(ctx, s.db.Primary(ctx), s.clock.Now().Add(-Keep))
	}
	return total, wrap("sweep", err)
}
