package storefront

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/platform/clock"
)

const (
	// awhile is how long what changes by somebody's hand is kept, such as the number of producers and the sales points.
	awhile  = 30 * time.Second
	onShelf = 8  // cards in a row of the home page
	tiles   = 12 // categories on the home page
)

// counted is what is kept of the home page: the producers, the certificates and the story of a day.
type counted struct {
	Producers, Certificates int
	Story                   int64
	TextVI                  string `gorm:"column:text_vi"`
	TextEN                  string `gorm:"column:text_en"`
}

// adultSets are the sets of goods for adults.
func adultSets(rules map[int]catalog.Rules) map[int]bool {
	out := map[int]bool{}
	for set, r := range rules {
		if r.AdultsOnly {
			out[set] = true
		}
	}
	return out
}

// Home returns the first page. Goods, stars, prices and stock are those of this moment; other numbers may be half a minute
// old. Products for adults are not on it.
func (s *Service) Home(ctx context.Context) (Home, error) {
	k, err := s.shelf(ctx)
	if err != nil {
		return Home{}, err
	}
	today := clock.Today(s.Clock)
	rules, err := s.Catalog.Rules(ctx, today)
	if err != nil {
		return Home{}, err
	}
	c, err := s.numbers.get(ctx, today.String(), func(ctx context.Context) (counted, error) { return s.count(ctx, today, rules) })
	if err != nil {
		return Home{}, err
	}
	d, adult := k.on(today), adultSets(rules)
	five, newest := d.forHome(adult)
	ids := slices.Concat(five, newest)
	if c.Story != 0 {
		ids = append(ids, c.Story)
	}
	cards, _, err := s.cardsOn(ctx, k, ids, nil)
	if err != nil {
		return Home{}, err
	}
	h := Home{FiveStar: inOrder(five, cards), Newest: inOrder(newest, cards)}
	h.FiveStar = slices.DeleteFunc(h.FiveStar, func(c Card) bool { return c.Stars != 5 || !c.InStock })
	h.Numbers = Numbers{Products: len(d.goods), Producers: c.Producers, Certificates: c.Certificates}
	t := d.all(&asking{adult: adult})
	counts := map[string]int{}
	for i, g := range d.categories {
		counts[g.code] += int(t.categories[i])
	}
	tree, err := s.Catalog.Categories(ctx)
	if err != nil {
		return Home{}, err
	}
	for _, cat := range tree.All() {
		if n := counts[cat.Code]; n > 0 && cat.SetNo > 0 {
			h.Tiles = append(h.Tiles, Tile{Category: cat, Count: n})
		}
	}
	slices.SortStableFunc(h.Tiles, func(a, b Tile) int { return cmp.Compare(b.Count, a.Count) })
	h.Tiles = h.Tiles[:min(tiles, len(h.Tiles))]
	if h.Provinces, err = s.provincesOn(ctx, d, adult); err != nil {
		return Home{}, err
	}
	slices.SortStableFunc(h.Provinces, mostFirst)
	for _, p := range h.Provinces {
		if p.Count > 0 {
			h.Numbers.Provinces++
		}
	}
	if h.Showrooms, err = s.Showrooms(ctx, ""); err != nil {
		return Home{}, err
	}
	if card, ok := cards[c.Story]; ok {
		h.Story = &Story{Card: card, TextVI: c.TextVI, TextEN: cmp.Or(c.TextEN, c.TextVI)}
	}
	return h, nil
}

// forHome are the newest goods with five stars in stock and the newest of all, none for adults.
func (d *day) forHome(adult map[int]bool) (five, newest []int64) {
	for _, slot := range d.newest {
		if len(newest) == onShelf && len(five) == onShelf {
			break
		}
		g := &d.goods[slot]
		if adult[d.categories[g.category].set] {
			continue
		}
		if len(newest) < onShelf {
			newest = append(newest, g.id)
		}
		if middle := d.packed[slot] >> atMiddle; g.stocked && starsOf(middle) == 5 && len(five) < onShelf {
			five = append(five, g.id)
		}
	}
	return five, newest
}

// count reads what the shelf does not know. A text of its own makes a story; another one is told each day.
func (s *Service) count(ctx context.Context, today clock.Date, rules map[int]catalog.Rules) (counted, error) {
	var c counted
	var sets bigints
	for set := range adultSets(rules) {
		sets = append(sets, int64(set))
	}
	err := s.DB.Read(ctx).Raw(`WITH able AS (SELECT product_id FROM product_text JOIN product_search x USING (product_id)
			WHERE locale = 'vi' AND char_length(coalesce(nullif(story, ''), summary)) > 40
			AND NOT x.set_no = ANY (CAST(@adult_sets AS int[])) ORDER BY product_id LIMIT 500),
		told AS (SELECT product_id FROM able ORDER BY md5(CAST(product_id AS text) || CAST(CAST(@today AS date) AS text)) LIMIT 1)
		SELECT (SELECT count(*) FROM producer m WHERE name_known AND EXISTS (SELECT FROM product_search x WHERE x.producer_id = m.id)) AS producers,
		(SELECT count(*) FROM certificate c WHERE `+validOn+`) AS certificates, coalesce(told.product_id, 0) AS story,
		coalesce(nullif(vi.story, ''), vi.summary, '') AS text_vi, coalesce(nullif(en.story, ''), en.summary, '') AS text_en
		FROM (SELECT 1) one LEFT JOIN told ON true LEFT JOIN product_text vi ON vi.product_id = told.product_id AND vi.locale = 'vi'
		LEFT JOIN product_text en ON en.product_id = told.product_id AND en.locale = 'en'`,
		map[string]any{"today": today, "adult_sets": sets}).Scan(&c).Error
	if err != nil {
		return c, fmt.Errorf("storefront: home: %w", err)
	}
	return c, nil
}
