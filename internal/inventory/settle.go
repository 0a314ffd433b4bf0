package inventory

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Keep takes the end off an order's promise, for instance when its payment has come in. A promise that
// expired and was closed is renewed if the stock is still there; otherwise nothing changes and the
// shortages come back as in ReserveMany. Keeping twice, or after the sale, changes nothing.
func (s *Service) Keep(ctx context.Context, tx db.Tx, orderID int64) error {
	levels, held, err := s.hold(ctx, tx, orderID)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return gone(orderID)
	}
	now := s.clock.Now()
	if err := expire(ctx, tx, levels, orderID, now); err != nil {
		return err
	}
	byID := make(map[int64]locked, len(levels))
	for _, l := range levels {
		byID[l.ID] = l
	}
	var missing apperr.List
	for _, h := range held {
		l := byID[h.LevelID]
		free := l.OnHand - l.Reserved
		if l.spoiled(clock.On(now)) {
			free = 0
		}
		if h.State == "released" && free < h.Quantity {
			missing = append(missing, short(place{l.VariantID, l.LocationID}, h.Quantity, free))
		}
	}
	if err := missing.Err(); err != nil {
		return err
	}
	if err := keep(ctx, tx, orderID); err != nil {
		return fmt.Errorf("inventory: keep: %w", err)
	}
	return nil
}

// Release gives an order's open promises back. What is closed already stays as it is, so releasing twice,
// or after the sale, changes nothing: sold goods come back by Restock.
func (s *Service) Release(ctx context.Context, tx db.Tx, orderID int64) error {
	return s.settle(ctx, tx, orderID, "release", func([]locked, []held, time.Time) error {
		return release(ctx, tx, orderID, s.clock.Now())
	})
}

// Sell turns an order's promises into sales: the goods leave the ledger with cause "order". Selling twice sells
// once. A promise that was given back meanwhile, or that never was, is Conflict inventory.reservation_gone;
// a lot past its last day is Conflict inventory.lot_expired.
func (s *Service) Sell(ctx context.Context, tx db.Tx, orderID int64, actor string) error {
	return s.settle(ctx, tx, orderID, "sell", func(levels []locked, have []held, now time.Time) error {
		if len(have) == 0 {
			return gone(orderID)
		}
		open := map[int64]bool{}
		for _, h := range have {
			if h.State == "released" {
				return gone(orderID)
			}
			open[h.LevelID] = h.State == "open"
		}
		for _, l := range levels {
			if open[l.ID] && l.spoiled(clock.On(now)) {
				return apperr.New(apperr.Conflict, "inventory.lot_expired", "variant_id", l.VariantID, "date", l.ExpiresOn.VN())
			}
		}
		return sell(ctx, tx, orderID, actor, now)
	})
}

// Restock books back in what an order took, for a cancellation after the sale. Doing it twice does it once.
func (s *Service) Restock(ctx context.Context, tx db.Tx, orderID int64, actor, reason string) error {
	return s.settle(ctx, tx, orderID, "restock", func(_ []locked, _ []held, now time.Time) error {
		return restock(ctx, tx, orderID, actor, reason, now)
	})
}

// settle runs do with the order's levels locked.
func (s *Service) settle(ctx context.Context, tx db.Tx, orderID int64, verb string, do func([]locked, []held, time.Time) error) error {
	levels, have, err := s.hold(ctx, tx, orderID)
	if err != nil {
		return err
	}
	err = do(levels, have, s.clock.Now())
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("inventory: %s: %w", verb, err)
}

// hold locks the order's levels and then reads its reservations, which only the holder of the lock may change.
func (s *Service) hold(ctx context.Context, tx db.Tx, orderID int64) ([]locked, []held, error) {
	levels, err := lockOrder(ctx, tx, orderID)
	if err != nil {
		return nil, nil, fmt.Errorf("inventory: lock: %w", err)
	}
	have, err := reservations(ctx, tx, bigints{orderID})
	if err != nil {
		return nil, nil, fmt.Errorf("inventory: reservations: %w", err)
	}
	return levels, have, nil
}
