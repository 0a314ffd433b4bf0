package storefront

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// few is the largest number of pieces that a page calls "only a few left".
const few = 5

// cardsSQL is one row per product, with all that a list says of it today. The ids stand first: with so many joins the
// planner keeps the order written here, and must not build cards of the whole shop before it picks the few.
const cardsSQL = `
SELECT p.id AS product_id, p.slug, t.name AS name_vi, coalesce(en.name, '') AS name_en, m.id AS producer_id, m.name AS producer_name,
  m.slug AS producer_slug, m.name_known AS producer_known, p.province_code, c.code AS category_code, c.slug AS category_slug, coalesce(c.set_no, 0) AS set_no,
  v.variant_id, v.sku, v.price, v.price_max, v.unit_vi, v.unit_en, v.most AS available,
  coalesce(st.stars, 0) AS stars, coalesce(st.any_record, false) AS any_record, p.state = 'published' AS published,
  coalesce(pic.asset_id, 0) AS asset_id, coalesce(pic.alt_vi, '') AS alt_vi, coalesce(pic.alt_en, '') AS alt_en, coalesce(a.kind = 'drawing', false) AS drawing
FROM (SELECT DISTINCT unnest(CAST(@ids AS bigint[])) AS id) wanted
JOIN product p ON p.id = wanted.id
JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi'
JOIN producer m ON m.id = p.producer_id
JOIN category c ON c.code = p.category_code
JOIN LATERAL (
  SELECT (array_agg(x.id ORDER BY x.price, x.position, x.id))[1] AS variant_id, (array_agg(x.sku ORDER BY x.price, x.position, x.id))[1] AS sku,
    (array_agg(x.unit_vi ORDER BY x.price, x.position, x.id))[1] AS unit_vi, (array_agg(x.unit_en ORDER BY x.price, x.position, x.id))[1] AS unit_en,
    min(x.price) AS price, max(x.price) AS price_max, max(x.available) AS most
  FROM (SELECT v.id, v.sku, v.unit_vi, v.unit_en, v.price, v.position, (` + availableOf + `) AS available
    FROM variant v WHERE v.product_id = p.id AND v.state = 'active') x) v ON v.price IS NOT NULL
LEFT JOIN LATERAL (SELECT max(c.stars) FILTER (WHERE ` + validOn + `) AS stars, bool_or(c.valid_from <= @today) AS any_record
  FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id WHERE cp.product_id = p.id) st ON true
LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
LEFT JOIN LATERAL (SELECT asset_id, alt_vi, alt_en FROM product_picture WHERE product_id = p.id ORDER BY position LIMIT 1) pic ON true
LEFT JOIN media_asset a ON a.id = pic.asset_id`

// availableOf is the number of pieces of variant v that its producer can still promise online.
const availableOf = `SELECT coalesce(sum(l.on_hand - l.reserved + (SELECT coalesce(sum(r.quantity), 0) FROM stock_reservation r
	WHERE r.level_id = l.id AND r.state = 'open' AND r.expires_at <= @now)), 0)::bigint
	FROM stock_level l JOIN stock_location o ON o.id = l.location_id
	WHERE l.variant_id = v.id AND o.kind = 'producer' AND o.state = 'open'
	AND (l.lot_id IS NULL OR EXISTS (SELECT FROM stock_lot t WHERE t.id = l.lot_id AND (t.expires_on IS NULL OR t.expires_on >= @today)))`

type cardRow struct {
	ProductID     int64
	Slug          string
	NameVI        string `gorm:"column:name_vi"`
	NameEN        string `gorm:"column:name_en"`
	ProducerID    int64
	ProducerName  string
	ProducerSlug  string
	ProducerKnown bool
	ProvinceCode  string
	CategoryCode  string
	CategorySlug  string
	SetNo         int
	VariantID     int64
	SKU           string `gorm:"column:sku"`
	Price         money.VND
	PriceMax      money.VND
	UnitVI        string `gorm:"column:unit_vi"`
	UnitEN        string `gorm:"column:unit_en"`
	Available     int64
	Stars         int
	AnyRecord     bool
	Published     bool
	AssetID       int64
	AltVI         string `gorm:"column:alt_vi"`
	AltEN         string `gorm:"column:alt_en"`
	Drawing       bool
}

// Cards returns the cards of products by id, for pages that hold a list of their own. Products that are not published or
// have nothing for sale are left out. It is two statements for any number of ids, none when all were just shown.
func (s *Service) Cards(ctx context.Context, ids []int64) (map[int64]Card, error) {
	k, err := s.shelf(ctx)
	if err != nil {
		return nil, err
	}
	out, _, err := s.cardsOn(ctx, k, ids, nil)
	return out, err
}

// cardsOn are the cards of products as they are under one reading of the shelf: those kept, the others read. Pictures of
// other assets may be asked for with them.
func (s *Service) cardsOn(ctx context.Context, k *kept, ids, assets []int64) (map[int64]Card, map[int64]media.Picture, error) {
	of := age{reading: k.reading, day: clock.Today(s.Clock), at: machine.Now()}
	out := make(map[int64]Card, len(ids))
	var unread []int64
	for _, id := range ids {
		if slot, ok := k.find(id); ok {
			if c, ok := s.seen.get(id, k.goods[slot].touched, of.day); ok {
				out[id] = c
				continue
			}
		}
		unread = append(unread, id)
	}
	read, pictures, err := s.cards(ctx, unread, assets, false)
	for id, c := range read {
		out[id] = c
		s.seen.put(id, of, c)
	}
	return out, pictures, err
}

// cardsAt are the cards of slots, in their order. What has gone meanwhile is passed over.
func (s *Service) cardsAt(ctx context.Context, k *kept, slots []int32) ([]Card, error) {
	ids := make([]int64, len(slots))
	for i, slot := range slots {
		ids[i] = k.goods[slot].id
	}
	found, _, err := s.cardsOn(ctx, k, ids, nil)
	return inOrder(ids, found), err
}

// cards reads cards, and with their pictures those of other assets.
func (s *Service) cards(ctx context.Context, ids, assets []int64, hidden bool) (map[int64]Card, map[int64]media.Picture, error) {
	out := make(map[int64]Card, len(ids))
	if len(ids) == 0 {
		pictures, err := s.pictures(ctx, assets)
		return out, pictures, err
	}
	now := s.Clock.Now()
	today := clock.On(now)
	var rows []cardRow
	if err := s.DB.Read(ctx).Raw(cardsSQL, map[string]any{"ids": bigints(ids), "today": today, "now": now}).Scan(&rows).Error; err != nil {
		return nil, nil, fmt.Errorf("storefront: cards: %w", err)
	}
	rules, err := s.Catalog.Rules(ctx, today)
	if err != nil {
		return nil, nil, err
	}
	provinces, err := s.provincesByCode(ctx)
	if err != nil {
		return nil, nil, err
	}
	assets = slices.Clone(assets)
	for _, r := range rows {
		if r.AssetID != 0 {
			assets = append(assets, r.AssetID)
		}
	}
	pictures, err := s.pictures(ctx, assets)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		if !r.Published && !hidden {
			continue
		}
		p, rule := provinces[r.ProvinceCode], rules[r.SetNo]
		c := Card{ProductID: r.ProductID, VariantID: r.VariantID, SKU: r.SKU, Slug: r.Slug, NameVI: r.NameVI, NameEN: cmp.Or(r.NameEN, r.NameVI),
			ProducerID: r.ProducerID, ProducerName: r.ProducerName, ProducerSlug: r.ProducerSlug, ProducerKnown: r.ProducerKnown,
			ProvinceCode: r.ProvinceCode, ProvinceName: p.Name, ProvinceEN: p.NameEN, ProvinceSlug: p.Slug, CategoryCode: r.CategoryCode,
			CategorySlug: r.CategorySlug, SetNo: r.SetNo, Price: r.Price, PriceMax: r.PriceMax, UnitVI: r.UnitVI, UnitEN: r.UnitEN,
			Stars: r.Stars, StarState: starState(r.Stars, r.AnyRecord), ContactOnly: rule.ContactOnly, AdultsOnly: rule.AdultsOnly,
			Picture: Picture{Picture: pictures[r.AssetID], Drawing: r.Drawing, AltVI: r.AltVI, AltEN: cmp.Or(r.AltEN, r.AltVI)}}
		c.InStock = r.Available > 0 && !rule.ContactOnly
		c.Few = c.InStock && r.Available <= few
		out[r.ProductID] = c
	}
	return out, pictures, nil
}

func starState(stars int, record bool) string {
	switch {
	case stars > 0:
		return StarsValid
	case record:
		return StarsExpired
	}
	return StarsNone
}

func inOrder(ids []int64, found map[int64]Card) []Card {
	out := make([]Card, 0, len(ids))
	for _, id := range ids {
		if c, ok := found[id]; ok {
			out = append(out, c)
		}
	}
	return out
}

// pictures finds assets; a service without pictures has none.
func (s *Service) pictures(ctx context.Context, assets []int64) (map[int64]media.Picture, error) {
	if s.Pictures == nil || len(assets) == 0 {
		return nil, nil
	}
	return s.Pictures.Pictures(ctx, assets)
}
