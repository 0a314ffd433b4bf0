package storefront

import (
	"cmp"
	"context"
	"slices"

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
	// nearest is how many products are offered when nothing fits.
	nearest = 60
)

// List answers a filter with one page of cards, the number found and the facets. What cannot be a filter (an unknown
// category, a price below zero) finds nothing or is passed over; it is never an error, since people edit addresses. Only a
// Filter.After that is not a Listing.Next of the same order is: "storefront.cursor" for the field "cursor".
func (s *Service) List(ctx context.Context, f Filter) (Listing, error) {
	a, err := s.asked(ctx, f)
	if err != nil {
		return Listing{}, err
	}
	found, err := s.found(ctx, a)
	if err != nil {
		return Listing{}, err
	}
	total := found.tally.total
	l := Listing{Total: min(total, MaxCount), MoreThan: total > MaxCount, Near: found.near, Hidden: found.tally.hidden,
		Page: a.page, Pages: min((total+a.size-1)/a.size, page.Last), Province: a.province}
	if a.chosen.Code != "" {
		l.Category = &a.chosen
	}
	if l.Pages > 0 && a.page > l.Pages { // beyond the end: goods went away, or somebody edited the address
		a.page, l.Page = l.Pages, l.Pages
	}
	l.Facets = a.facets(found)
	slots, more := found.page(a)
	if found.asked != nil {
		found.answers.keep(*found.asked, &answer{found.tally, slots, more, found.last})
	}
	if more {
		l.Next = found.last.String()
	}
	l.Cards, err = s.cardsAt(ctx, found.kept, slots)
	return l, err
}

// asking is a filter with everything looked up that it names.
type asking struct {
	Filter
	query      search.Query
	tree       *catalog.Tree
	chosen     catalog.Category
	categories []string // leaf codes of the chosen category; nil for all
	province   *geo.Province
	provinces  map[string]geo.Province
	adult      map[int]bool // sets of goods for adults
	today      clock.Date
	page, size int
	after      *place
	nothing    bool
}

func (s *Service) asked(ctx context.Context, f Filter) (*asking, error) {
	a := &asking{Filter: f, today: clock.Today(s.Clock), page: max(1, min(f.Page, page.Last)), size: f.Size}
	if a.size < 1 || a.size > 100 {
		a.size = PageSize
	}
	a.Stars = slices.Compact(slices.Sorted(slices.Values(f.Stars)))
	if !slices.Contains(Sorts, f.Sort) {
		a.Sort = SortRelevance
	}
	var err error
	if f.After != "" {
		if a.after, err = parsePlace(f.After, a.Sort); err != nil {
			return nil, err
		}
		a.page = 1
	}
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
	a.adult = adultSets(rules)
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

// found is what a list knows of its filter, of one shelf and day.
type found struct {
	*day
	kept  *kept
	sieve *sieve
	tally *tally
	pick  *pick // nil for the whole shop
	near  bool
	last  place // of the last good of the page

	asked *answerKey // under which the answer is to be remembered
	again *answer    // remembered
}

func (s *Service) found(ctx context.Context, a *asking) (*found, error) {
	k, err := s.shelf(ctx)
	if err != nil {
		return nil, err
	}
	f := &found{day: k.on(a.today), kept: k}
	if a.nothing {
		f.tally, f.pick, f.sieve = &tally{}, &pick{}, &sieve{}
		return f, nil
	}
	f.sieve = a.sieve(f.day)
	switch {
	case !a.query.Empty():
		hits, err := s.Search.Hits(ctx, a.query)
		if err != nil {
			return nil, err
		}
		if len(hits) >= broad {
			k := a.key(hits)
			if got, ok := f.answers.take(k); ok {
				f.tally, f.again = got.tally, got
				return f, nil
			}
			f.asked = &k
		}
		if f.pick = f.hits(hits, a.ProducerID); len(f.pick.slots) == 0 {
			f.asked = nil // what is near is another answer
			if hits, err = s.Search.Near(ctx, a.query, nearest); err != nil {
				return nil, err
			}
			f.pick = f.hits(hits, a.ProducerID)
			f.near = len(hits) > 0
		}
	case a.ProducerID != 0:
		f.pick = &pick{slots: f.ofMaker(a.ProducerID)}
	case a.plain():
		f.tally = f.all(a)
		return f, nil
	default:
		f.tally = f.sieve.tally(f.day, nil, false)
		return f, nil
	}
	f.tally = f.sieve.tally(f.day, f.pick.slots, true)
	return f, nil
}

// plain says that nothing is asked but the whole shop.
func (a *asking) plain() bool {
	return a.chosen.Code == "" && a.province == nil && a.MinPrice <= 0 && a.MaxPrice <= 0 && len(a.Stars) == 0 && !a.InStock
}

// facets turns counts into what a page shows.
func (a *asking) facets(fd *found) Facets {
	out := Facets{}
	sums := map[string]int{}
	for i, c := range fd.categories {
		if n := int(fd.tally.categories[i]); n > 0 {
			for _, c := range a.tree.Path(c.code) {
				sums[c.Code] += n
			}
		}
	}
	path := map[string]bool{}
	for _, c := range a.tree.Path(a.chosen.Code) {
		path[c.Code] = true
	}
	var stars [6]int
	ranges := make([]int, len(prices))
	for m := range middles {
		fit, stocked := int(fd.tally.fit[m]), m>>atStocked&1 == 1
		stars[starsOf(uint32(m))] += fit + int(fd.tally.stars[m])
		all := fit + int(fd.tally.stock[m])
		out.All += all
		if stocked {
			out.InStock += all
		}
		if n := fit + int(fd.tally.price[m]); n > 0 {
			for i := range ranges {
				if b := m >> atBucket; 2*i <= b && b <= 2*i+2 {
					ranges[i] += n
				}
			}
		}
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
		out.Stars = append(out.Stars, StarFacet{Stars: n, Count: stars[n], Selected: slices.Contains(a.Stars, n)})
	}
	counts := make(map[string]int, len(fd.provinces))
	for i, code := range fd.provinces {
		counts[code] = int(fd.tally.provinces[i])
	}
	out.Provinces = a.provinceFacets(counts)
	for i, p := range prices {
		out.Prices = append(out.Prices, PriceFacet{Min: p.Min, Max: p.Max, Count: ranges[i], Selected: a.MinPrice == p.Min && a.MaxPrice == p.Max && (p.Min > 0 || p.Max > 0)})
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
	if by := cmp.Compare(b.Count, a.Count); by != 0 {
		return by // most counts differ, and the alphabet is dear
	}
	return i18n.Compare(a.Name, b.Name)
}
