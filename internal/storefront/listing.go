package storefront

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/platform/page"
	"choocop.vn/ocop/internal/search"
)

// prices are the ranges that a list offers, both ends included.
var prices = []struct{ Min, Max money.VND }{
	{0, 50_000}, {50_000, 100_000}, {100_000, 200_000}, {200_000, 500_000}, {500_000, 1_000_000}, {1_000_000, 0},
}

const (
	// listFor is how long the ids and counts of a list are kept. Prices and stock of the cards are always asked anew;
	// this short time is all that a sold-out product may still stand among those in stock.
	listFor = 5 * time.Second
	// pagesAtOnce is how many pages of ids are kept at once, so that turning a page asks nothing again.
	pagesAtOnce = 10
	// nearest is how many products are offered when nothing fits.
	nearest = 60
)

// List answers a filter with one page of cards, the number found and the facets. What cannot be a filter (an unknown
// category, a price below zero) finds nothing or is passed over; it is never an error, since people edit addresses.
func (s *Service) List(ctx context.Context, f Filter) (Listing, error) {
	a, err := s.asked(ctx, f)
	if err != nil {
		return Listing{}, err
	}
	found, err := s.found(ctx, a)
	if err != nil {
		return Listing{}, err
	}
	l := Listing{Total: min(found.Total, MaxCount), MoreThan: found.Total > MaxCount, Near: found.Near, Hidden: found.Hidden,
		Page: a.page, Pages: (found.Total + a.size - 1) / a.size, Province: a.province}
	l.Pages = min(l.Pages, page.Last)
	if l.Pages > 0 && a.page > l.Pages { // beyond the end: goods went away, or somebody edited the address
		f.Page = l.Pages
		return s.List(ctx, f)
	}
	if a.chosen.Code != "" {
		l.Category = &a.chosen
	}
	l.Facets = a.facets(found)
	first := (a.page-1)*a.size - a.from
	if first < len(found.IDs) {
		if l.Cards, err = s.cardsOf(ctx, found.IDs[first:min(first+a.size, len(found.IDs))]); err != nil {
			return Listing{}, err
		}
	}
	return l, nil
}

// asking is a filter with everything looked up that it names.
type asking struct {
	Filter
	query      search.Query
	tree       *catalog.Tree
	chosen     catalog.Category
	categories texts // leaf codes of the chosen category; nil for all
	province   *geo.Province
	provinces  map[string]geo.Province
	adultSets  bigints
	today      clock.Date
	now        time.Time
	page, size int
	from       int // index of the first id asked for
	nothing    bool
	near       bigints // ids of the nearest products instead of a question
}

func (s *Service) asked(ctx context.Context, f Filter) (*asking, error) {
	a := &asking{Filter: f, now: s.Clock.Now(), page: max(1, min(f.Page, page.Last)), size: f.Size}
	if a.size < 1 || a.size > 100 {
		a.size = PageSize
	}
	a.today = clock.On(a.now)
	a.from = (a.page - 1) * a.size / a.window() * a.window()
	a.Stars = slices.Compact(slices.Sorted(slices.Values(f.Stars)))
	if !slices.Contains(Sorts, f.Sort) {
		a.Sort = SortRelevance
	}
	var err error
	if a.query, err = s.Search.Ask(ctx, f.Q); err != nil {
		return nil, err
	}
	if a.tree, err = s.Catalog.Categories(ctx); err != nil {
		return nil, err
	}
	if f.Category != "" {
		var ok bool
		if a.chosen, ok = a.tree.BySlug(f.Category); !ok {
			a.nothing = true
		}
		a.categories = a.tree.Below(a.chosen.Code)
	}
	if a.provinces, err = s.provincesByCode(ctx); err != nil {
		return nil, err
	}
	if f.Province != "" {
		if p, err := s.Geo.Province(ctx, f.Province); err == nil {
			a.province = &p
		} else {
			a.nothing = true
		}
	}
	rules, err := s.Catalog.Rules(ctx, a.today)
	if err != nil {
		return nil, err
	}
	a.adultSets = adultSets(rules)
	return a, nil
}

func (s *Service) provincesByCode(ctx context.Context) (map[string]geo.Province, error) {
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

func (a *asking) window() int { return pagesAtOnce * a.size }

// found is what a list knows of its filter: ids in order from asking.from on, and counts. It is what is cached.
type found struct {
	IDs        []int64
	Total      int
	Hidden     int
	Near       bool
	Categories map[string]int
	Provinces  map[string]int
	Stars      map[int]int
	Prices     []int
	InStock    int
	All        int
}

func (s *Service) found(ctx context.Context, a *asking) (found, error) {
	if a.nothing {
		return found{Prices: make([]int, len(prices))}, nil
	}
	return keep(ctx, s.Cache, a.key(), listFor, func(ctx context.Context) (found, error) {
		fd, err := s.look(ctx, a)
		if err != nil || fd.All > 0 || fd.Total > 0 || fd.Hidden > 0 || a.query.Empty() || len(fd.Categories)+len(fd.Provinces) > 0 {
			return fd, err
		}
		ids, err := s.Search.Near(ctx, a.query, nearest)
		if err != nil || len(ids) == 0 {
			return fd, err
		}
		a.near = ids
		fd, err = s.look(ctx, a)
		fd.Near = true
		return fd, err
	})
}

// key names a filter in the cache; it holds the day, since stars depend on it.
func (a *asking) key() string {
	return fmt.Sprintf("list|%s|%q|%s|%v|%s|%d|%d|%t|%d|%s|%d|%t", a.today, a.query.Folded+"|"+a.query.Exact, a.chosen.Code, a.Stars, a.Filter.Province,
		a.MinPrice, a.MaxPrice, a.InStock, a.ProducerID, a.Sort, a.from, a.Adult) + "|" + strconv.Itoa(a.size)
}

// keep takes a value from the cache or makes it; without a cache it always makes it.
func keep[T any](ctx context.Context, c Cache, key string, ttl time.Duration, load func(context.Context) (T, error)) (T, error) {
	if c == nil {
		return load(ctx)
	}
	var v T
	b, err := c.Fetch(ctx, key, ttl, func(ctx context.Context) ([]byte, error) {
		made, err := load(ctx)
		if err != nil {
			return nil, err
		}
		return json.Marshal(made)
	})
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	return v, err
}

// facets turns counts into what a page shows.
func (a *asking) facets(fd found) Facets {
	out := Facets{InStock: fd.InStock, All: fd.All}
	sums := map[string]int{}
	for code, n := range fd.Categories {
		for _, c := range a.tree.Path(code) {
			sums[c.Code] += n
		}
	}
	path := map[string]bool{}
	for _, c := range a.tree.Path(a.chosen.Code) {
		path[c.Code] = true
	}
	var walk func(cs []catalog.Category, depth int)
	walk = func(cs []catalog.Category, depth int) {
		for _, c := range cs {
			selected := c.Code == a.chosen.Code
			if sums[c.Code] == 0 && !selected {
				continue
			}
			out.Categories = append(out.Categories, CategoryFacet{Category: c, Depth: depth, Count: sums[c.Code], Selected: selected, Open: path[c.Code]})
			walk(a.tree.Children(c.Code), depth+1)
		}
	}
	walk(a.tree.Roots(), 0)
	for _, n := range []int{5, 4, 3} {
		out.Stars = append(out.Stars, StarFacet{Stars: n, Count: fd.Stars[n], Selected: slices.Contains(a.Stars, n)})
	}
	out.Provinces = a.provinceFacets(fd.Provinces)
	for i, p := range prices {
		out.Prices = append(out.Prices, PriceFacet{Min: p.Min, Max: p.Max, Count: fd.Prices[i], Selected: a.MinPrice == p.Min && a.MaxPrice == p.Max && (p.Min > 0 || p.Max > 0)})
	}
	return out
}

func (a *asking) provinceFacets(counts map[string]int) []ProvinceFacet {
	var out []ProvinceFacet
	for code, p := range a.provinces {
		selected := a.province != nil && a.province.Code == code
		if counts[code] > 0 || selected {
			out = append(out, ProvinceFacet{Code: code, Slug: p.Slug, Name: p.Name, NameEN: p.NameEN, Count: counts[code], Selected: selected})
		}
	}
	slices.SortFunc(out, mostFirst)
	return out
}

// mostFirst puts the province with most products first, then goes by the alphabet.
func mostFirst(a, b ProvinceFacet) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), i18n.Compare(a.Name, b.Name))
}
