package cart

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// View returns the basket as it is now, in a fixed number of statements. An unknown token is an empty basket.
func (s *Service) View(ctx context.Context, token string) (View, error) {
	g := s.db.Primary(ctx)
	rows, err := lines(ctx, g, token)
	if err != nil {
		return View{}, fmt.Errorf("cart: view: %w", err)
	}
	if len(rows) == 0 {
		return View{}, nil
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.VariantID
	}
	offers, err := s.catalog.Offers(ctx, g, ids, clock.Today(s.clock))
	if err != nil {
		return View{}, fmt.Errorf("cart: view: %w", err)
	}
	left, err := s.stock.Available(ctx, g, ids)
	if err != nil {
		return View{}, fmt.Errorf("cart: view: %w", err)
	}
	var v View
	place := map[int64]int{}
	for _, r := range rows {
		o := offers[r.VariantID]
		l := Line{Offer: o, Quantity: r.Quantity, PriceSeen: money.VND(r.PriceSeen), PriceNow: o.Price, Available: max(0, left[r.VariantID])}
		l.Problem = problem(l)
		v.add(place, l)
	}
	return v, nil
}

// Know returns NotFound cart.forgotten unless there is a basket with this token, also an empty one.
func (s *Service) Know(ctx context.Context, token string) error {
	there, err := exists(ctx, s.db.Primary(ctx), token)
	switch {
	case err != nil:
		return fmt.Errorf("cart: know: %w", err)
	case !there:
		return forgotten()
	}
	return nil
}

func problem(l Line) Problem {
	switch {
	case !l.Sellable || l.Rules.ContactOnly:
		return Gone
	case l.Available == 0:
		return SoldOut
	case l.Available < int64(l.Quantity):
		return Short
	}
	return None
}

func (v *View) add(place map[int64]int, l Line) {
	i, ok := place[l.ProducerID]
	if !ok {
		i = len(v.Sellers)
		place[l.ProducerID] = i
		v.Sellers = append(v.Sellers, SellerPart{ProducerID: l.ProducerID, Name: l.ProducerName, ProvinceCode: l.ProvinceCode})
	}
	part := &v.Sellers[i]
	part.Lines = append(part.Lines, l)
	part.Goods += l.Total()
	v.Goods += l.Total()
	v.Count += l.Quantity
	v.Adults = v.Adults || l.Rules.AdultsOnly
	v.Blocked = v.Blocked || l.Problem != None
}

// Items returns the bare lines of baskets in the order they were added, in one statement. A basket that is empty or not
// known has no entry.
func (s *Service) Items(ctx context.Context, tokens []string) (map[string][]Item, error) {
	out, err := items(ctx, s.db.Primary(ctx), tokens)
	if err != nil {
		return nil, fmt.Errorf("cart: items: %w", err)
	}
	return out, nil
}

// Count is the number of pieces in the basket.
func (s *Service) Count(ctx context.Context, token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	n, err := count(ctx, s.db.Read(ctx), token)
	if err != nil {
		return 0, fmt.Errorf("cart: count: %w", err)
	}
	return n, nil
}
