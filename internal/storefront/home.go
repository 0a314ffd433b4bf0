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
	// homeFor is how long the choice of the home page is kept; its cards are always asked anew.
	homeFor = 30 * time.Second
	onShelf = 8  // cards in a row of the home page
	tiles   = 12 // categories on the home page
)

// chosen is what is cached of the home page: which products, and counts.
type chosen struct {
	FiveStar, Newest []int64
	Story            int64
	Categories       map[string]int
	Numbers          Numbers
}

func adultSets(rules map[int]catalog.Rules) bigints {
	out := bigints{}
	for set, r := range rules {
		if r.AdultsOnly {
			out = append(out, int64(set))
		}
	}
	slices.Sort(out)
	return out
}

// Home returns the first page. What it shows is chosen at most half a minute ago, of today's stars; prices and stock are
// those of this moment. Products for adults are not on it.
func (s *Service) Home(ctx context.Context) (Home, error) {
	c, err := keep(ctx, s.Cache, "home|"+clock.Today(s.Clock).String(), homeFor, s.choose)
	if err != nil {
		return Home{}, err
	}
	ids := slices.Concat(c.FiveStar, c.Newest)
	if c.Story != 0 {
		ids = append(ids, c.Story)
	}
	cards, err := s.Cards(ctx, ids)
	if err != nil {
		return Home{}, err
	}
	h := Home{FiveStar: inOrder(c.FiveStar, cards), Newest: inOrder(c.Newest, cards), Numbers: c.Numbers}
	h.FiveStar = slices.DeleteFunc(h.FiveStar, func(c Card) bool { return c.Stars != 5 || !c.InStock })
	tree, err := s.Catalog.Categories(ctx)
	if err != nil {
		return Home{}, err
	}
	for _, cat := range tree.All() {
		if n := c.Categories[cat.Code]; n > 0 && cat.SetNo > 0 {
			h.Tiles = append(h.Tiles, Tile{Category: cat, Count: n})
		}
	}
	slices.SortStableFunc(h.Tiles, func(a, b Tile) int { return cmp.Compare(b.Count, a.Count) })
	h.Tiles = h.Tiles[:min(tiles, len(h.Tiles))]
	if h.Provinces, err = s.Provinces(ctx); err != nil {
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
		h.Story, err = s.story(ctx, card)
	}
	return h, err
}

func (s *Service) story(ctx context.Context, card Card) (*Story, error) {
	var rows []struct{ Locale, Story string }
	err := s.DB.Read(ctx).Raw(`SELECT locale, coalesce(nullif(story, ''), summary) AS story FROM product_text WHERE product_id = ?`, card.ProductID).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("storefront: story: %w", err)
	}
	out := &Story{Card: card}
	for _, r := range rows {
		if r.Locale == "vi" {
			out.TextVI = r.Story
		} else {
			out.TextEN = r.Story
		}
	}
	out.TextEN = cmp.Or(out.TextEN, out.TextVI)
	return out, nil
}

// choose picks what the home page shows today. Three statements.
func (s *Service) choose(ctx context.Context) (chosen, error) {
	now := s.Clock.Now()
	today := clock.On(now)
	rules, err := s.Catalog.Rules(ctx, today)
	if err != nil {
		return chosen{}, err
	}
	args := map[string]any{"today": today, "now": now, "adult_sets": adultSets(rules), "n": onShelf}
	c := chosen{Categories: map[string]int{}}
	var picks []struct {
		Kind      string
		ProductID int64
	}
	// A text of its own makes a story; it is told by a product in stock, another one each day.
	err = s.DB.Read(ctx).Raw(`
		WITH five AS (SELECT DISTINCT c.product_id FROM certificate_product c WHERE c.stars = 5 AND `+starsOn+`),
		goods AS (SELECT p.product_id, p.published_at, `+narrow+` JOIN five USING (product_id) WHERE NOT p.set_no = ANY (CAST(@adult_sets AS int[]))
			ORDER BY p.published_at DESC, p.product_id DESC LIMIT 500),
		told AS (SELECT product_id FROM product_text JOIN product_search x USING (product_id) WHERE locale = 'vi' AND char_length(coalesce(nullif(story, ''), summary)) > 40
			AND NOT x.set_no = ANY (CAST(@adult_sets AS int[])) ORDER BY product_id LIMIT 500)
		(SELECT 'five' AS kind, product_id FROM goods WHERE stocked ORDER BY published_at DESC, product_id DESC LIMIT @n)
		UNION ALL
		(SELECT 'newest', product_id FROM product_search p WHERE NOT p.set_no = ANY (CAST(@adult_sets AS int[])) ORDER BY published_at DESC, product_id DESC LIMIT @n)
		UNION ALL
		(SELECT 'story', product_id FROM told ORDER BY md5(CAST(product_id AS text) || CAST(CAST(@today AS date) AS text)) LIMIT 1)`, args).Scan(&picks).Error
	if err != nil {
		return c, fmt.Errorf("storefront: home: %w", err)
	}
	for _, p := range picks {
		switch p.Kind {
		case "five":
			c.FiveStar = append(c.FiveStar, p.ProductID)
		case "newest":
			c.Newest = append(c.Newest, p.ProductID)
		default:
			c.Story = p.ProductID
		}
	}
	var counts []struct {
		Code string
		N    int
	}
	err = s.DB.Read(ctx).Raw(`SELECT category_code AS code, count(*) AS n FROM product_search WHERE NOT set_no = ANY (CAST(@adult_sets AS int[])) GROUP BY 1`, args).Scan(&counts).Error
	if err != nil {
		return c, fmt.Errorf("storefront: home: %w", err)
	}
	for _, r := range counts {
		c.Categories[r.Code] = r.N
	}
	err = s.DB.Read(ctx).Raw(`SELECT (SELECT count(*) FROM product_search) AS products,
		(SELECT count(*) FROM producer m WHERE name_known AND EXISTS (SELECT FROM product_search x WHERE x.producer_id = m.id)) AS producers,
		(SELECT count(*) FROM certificate c WHERE `+validOn+`) AS certificates`, args).Scan(&c.Numbers).Error
	if err != nil {
		return c, fmt.Errorf("storefront: home: %w", err)
	}
	return c, nil
}
