package order

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/showroom"
)

// facts are what the tables say about some baskets: read at once for one buyer or for all who order at the same moment,
// so that pricing needs no statement of its own.
type facts struct {
	day      clock.Date
	items    map[string][]cart.Item // by the basket's token
	offers   map[int64]catalog.Offer
	shelves  map[int64]inventory.Shelf
	tariff   tariff
	accounts map[int64]producer.BankAccount
	places   map[string]geo.Province
	points   []showroom.Showroom
}

// gather reads the facts about the baskets of some requests, in a number of statements that grows with neither.
func (s *Service) gather(ctx context.Context, requests []QuoteRequest) (facts, error) {
	f := facts{day: clock.Today(s.Clock)}
	tokens := make([]string, len(requests))
	for i, r := range requests {
		tokens[i] = r.CartToken
	}
	var err error
	if f.items, err = s.Carts.Items(ctx, tokens); err != nil || len(f.items) == 0 {
		return f, err
	}
	var variants []int64
	for _, items := range f.items {
		for _, it := range items {
			variants = append(variants, it.VariantID)
		}
	}
	variants = unique(variants)
	g := s.DB.Primary(ctx)
	if f.offers, err = s.Catalog.Offers(ctx, g, variants, f.day); err != nil {
		return facts{}, err
	}
	if f.shelves, err = s.Stock.Shelves(ctx, g, variants); err != nil {
		return facts{}, err
	}
	if f.tariff, err = s.tariff(ctx, f.day); err != nil {
		return facts{}, err
	}
	if f.places, err = s.provinces(ctx); err != nil {
		return facts{}, err
	}
	sellers, provinces := f.parties(requests)
	if f.accounts, err = s.Producers.BankAccounts(ctx, g, sellers); err != nil {
		return facts{}, err
	}
	f.points, err = s.Showrooms.Pickup(ctx, g, provinces)
	return f, err
}

// parties are the sellers, and the provinces of sellers and buyers.
func (f facts) parties(requests []QuoteRequest) (sellers []int64, provinces []string) {
	for _, o := range f.offers {
		sellers, provinces = append(sellers, o.ProducerID), append(provinces, o.SellerProvince)
	}
	for _, r := range requests {
		if p, ok := f.places[r.ProvinceCode]; ok {
			provinces = append(provinces, p.Code)
		}
	}
	return unique(sellers), unique(provinces)
}

// unique sorts: the same things make the same statement.
func unique[T int64 | string](list []T) []T {
	slices.Sort(list)
	return slices.Compact(list)
}

func (s *Service) provinces(ctx context.Context) (map[string]geo.Province, error) {
	all, err := s.Geo.Provinces(ctx)
	if err != nil {
		return nil, err
	}
	out := make(map[string]geo.Province, len(all))
	for _, p := range all {
		out[p.Code] = p
	}
	return out, nil
}

// tariffAge is how old the rates in memory may get. They are dated rows that come with a migration, but every copy of
// the program must notice.
const tariffAge = time.Minute

// kept is the tariff of a day in memory.
type kept struct {
	mu   sync.Mutex
	list tariff
	day  clock.Date
	read time.Time
}

func (s *Service) tariff(ctx context.Context, on clock.Date) (tariff, error) {
	s.rates.mu.Lock()
	defer s.rates.mu.Unlock()
	now := s.Clock.Now()
	if s.rates.day == on && now.Sub(s.rates.read) < tariffAge && !now.Before(s.rates.read) {
		return s.rates.list, nil
	}
	list, err := rates(ctx, s.DB.Primary(ctx), on)
	if err != nil {
		return nil, fmt.Errorf("order: rates: %w", err)
	}
	s.rates.list, s.rates.day, s.rates.read = list, on, now
	return list, nil
}
