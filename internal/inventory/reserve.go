package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Reserve promises the wanted stock to the order; see ReserveMany.
func (s *Service) Reserve(ctx context.Context, tx db.Tx, orderID int64, wants []Want, expires *time.Time) error {
	return s.ReserveMany(ctx, tx, []OrderWant{{orderID, wants, expires}})
}

// ReserveMany promises stock to the orders of one purchase, all or nothing.
//
// Lines of one variant and place are summed before they are counted. It locks all levels concerned in key order, closes
// expired reservations on them where they are needed, and returns every shortage at once: a list of Conflict
// inventory.short with variant_id, location_id, wanted and available. An order that already holds its promise is left as
// it is; one whose promise was closed since gets Conflict inventory.reservation_gone.
func (s *Service) ReserveMany(ctx context.Context, tx db.Tx, orders []OrderWant) error {
	levels, err := lockWanted(ctx, tx, orders)
	if err != nil || levels == nil {
		return err
	}
	if orders, err = unpromised(ctx, tx, orders); err != nil || len(orders) == 0 {
		return err
	}
	return s.promise(ctx, tx, levels, orders)
}

// ReserveNew is ReserveMany for orders whose ids were drawn in this transaction, so that nobody can have promised them
// anything: two statements, to hold the locks for a short time.
func (s *Service) ReserveNew(ctx context.Context, tx db.Tx, orders []OrderWant) error {
	levels, err := lockWanted(ctx, tx, orders)
	if err != nil || levels == nil {
		return err
	}
	return s.promise(ctx, tx, levels, orders)
}

// lockWanted locks the levels of all that is wanted; nil without an error means that nothing is.
func lockWanted(ctx context.Context, tx db.Tx, orders []OrderWant) ([]locked, error) {
	total, err := sum(orders)
	if err != nil || len(total) == 0 {
		return nil, err
	}
	variants, locations := places(total)
	levels, err := lockPlaces(ctx, tx, variants, locations)
	if err != nil {
		return nil, fmt.Errorf("inventory: lock: %w", err)
	}
	return append(make([]locked, 0, 1), levels...), nil
}

// promise writes the reservations on locked levels. Only where the levels would not do it looks for reservations past
// their time: those still count as reserved, so what is enough with them is enough without.
func (s *Service) promise(ctx context.Context, tx db.Tx, levels []locked, orders []OrderWant) error {
	total, err := sum(orders)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	shelf := arrange(levels, clock.On(now))
	if shortages(total, shelf) != nil {
		if err := expire(ctx, tx, levels, 0, now); err != nil {
			return err
		}
		if err := shortages(total, shelf); err != nil {
			return err
		}
	}
	if err := promiseAll(ctx, tx, allot(orders, shelf), now); err != nil {
		return fmt.Errorf("inventory: reserve: %w", err)
	}
	return nil
}

type place struct{ VariantID, LocationID int64 }

// sum adds up what is wanted by variant and place.
func sum(orders []OrderWant) (map[place]int64, error) {
	total := map[place]int64{}
	for _, o := range orders {
		for _, w := range o.Wants {
			if w.Quantity <= 0 || w.Quantity > maxQuantity {
				return nil, apperr.Field("quantity", "inventory.quantity", "max", maxQuantity)
			}
			total[place{w.VariantID, w.LocationID}] += w.Quantity
		}
	}
	return total, nil
}

func places(total map[place]int64) (variants, locations bigints) {
	for p := range total {
		variants, locations = append(variants, p.VariantID), append(locations, p.LocationID)
	}
	return variants, locations
}

// expire closes reservations past their time on locked levels and takes them off the rows in hand.
func expire(ctx context.Context, tx db.Tx, levels []locked, keep int64, now time.Time) error {
	if len(levels) == 0 {
		return nil
	}
	ids := make(bigints, len(levels))
	for i, l := range levels {
		ids[i] = l.ID
	}
	freed, err := closeExpired(ctx, tx, ids, keep, now)
	if err != nil {
		return fmt.Errorf("inventory: close expired reservations: %w", err)
	}
	for i := range levels {
		levels[i].Reserved -= freed[levels[i].ID]
	}
	return nil
}

// unpromised leaves out the orders that hold their promise already. It reads after the lock, so a second
// call for the same order sees what the first one wrote.
func unpromised(ctx context.Context, tx db.Tx, orders []OrderWant) ([]OrderWant, error) {
	ids := make(bigints, len(orders))
	for i, o := range orders {
		ids[i] = o.OrderID
	}
	have, err := reservations(ctx, tx, ids)
	if err != nil {
		return nil, fmt.Errorf("inventory: reservations: %w", err)
	}
	state := map[int64]string{}
	for _, h := range have {
		if h.State == "released" {
			return nil, gone(h.OrderID)
		}
		state[h.OrderID] = h.State
	}
	return slices.DeleteFunc(slices.Clone(orders), func(o OrderWant) bool { return state[o.OrderID] != "" }), nil
}

func gone(orderID int64) error {
	return apperr.New(apperr.Conflict, "inventory.reservation_gone", "order_id", orderID)
}

func short(p place, wanted, available int64) *apperr.Error {
	return apperr.New(apperr.Conflict, "inventory.short",
		"variant_id", p.VariantID, "location_id", p.LocationID, "wanted", wanted, "available", available)
}

// arrange groups the levels that may be promised from by place, nearest expiry first.
func arrange(levels []locked, today clock.Date) map[place][]*locked {
	shelf := map[place][]*locked{}
	for i := range levels {
		l := &levels[i]
		if l.Open && !l.spoiled(today) {
			p := place{l.VariantID, l.LocationID}
			shelf[p] = append(shelf[p], l)
		}
	}
	for _, row := range shelf {
		slices.SortStableFunc(row, func(a, b *locked) int {
			if a.ExpiresOn.IsZero() != b.ExpiresOn.IsZero() {
				if a.ExpiresOn.IsZero() {
					return 1
				}
				return -1
			}
			return cmp.Or(a.ExpiresOn.Compare(b.ExpiresOn), cmp.Compare(a.ID, b.ID))
		})
	}
	return shelf
}

// spoiled reports whether the lot's last day is past.
func (l locked) spoiled(today clock.Date) bool {
	return !l.ExpiresOn.IsZero() && l.ExpiresOn.Before(today)
}

// shortages lists, in the order of variant and place, what the shelf cannot cover.
func shortages(total map[place]int64, shelf map[place][]*locked) error {
	var l apperr.List
	for p, wanted := range total {
		var available int64
		for _, level := range shelf[p] {
			available += level.OnHand - level.Reserved
		}
		if available < wanted {
			l = append(l, short(p, wanted, available))
		}
	}
	slices.SortFunc(l, func(a, b *apperr.Error) int {
		return cmp.Or(cmp.Compare(a.Args["variant_id"].(int64), b.Args["variant_id"].(int64)),
			cmp.Compare(a.Args["location_id"].(int64), b.Args["location_id"].(int64)))
	})
	return l.Err()
}

// allot spreads what each order wants over the shelf, which is known to suffice.
func allot(orders []OrderWant, shelf map[place][]*locked) []promise {
	var out []promise
	for _, o := range orders {
		at := map[int64]int{} // level → its promise in out, for this order
		for _, w := range o.Wants {
			left := w.Quantity
			for _, l := range shelf[place{w.VariantID, w.LocationID}] {
				take := min(left, l.OnHand-l.Reserved)
				if take == 0 {
					continue
				}
				left, l.Reserved = left-take, l.Reserved+take
				if i, ok := at[l.ID]; ok {
					out[i].Quantity += take
					continue
				}
				at[l.ID] = len(out)
				out = append(out, promise{o.OrderID, l.ID, take, o.Expires})
			}
		}
	}
	return out
}
