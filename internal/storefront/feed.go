package storefront

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// FeedChunk is how many products a feed reads at a time: the whole shop never stands in memory.
const FeedChunk = 1000

// Feed reads every product that may be advertised elsewhere, one after another by id. Goods for adults and services that
// are only booked by contact stay out of it.
type Feed struct {
	s      *Service
	locale i18n.Locale
	now    time.Time
	closed bigints // sets that stay out
	tree   *catalog.Tree
	after  int64
}

// FeedItem is one thing for sale as a feed says it, in the feed's language.
type FeedItem struct {
	SKU      string
	GTIN     string
	Slug     string
	Name     string
	Summary  string
	Unit     string
	Maker    string // empty where the maker's name is not known
	Category []string
	Price    money.VND
	InStock  bool
	Stars    int // valid today; 0 for none
	Net      catalog.Net
	WeightG  int
	Image    string // path of the first picture, empty where there is none
	Siblings bool   // the product is sold in several packs
}

// OpenFeed begins a feed.
func (s *Service) OpenFeed(ctx context.Context, l i18n.Locale) (*Feed, error) {
	f := &Feed{s: s, locale: l, now: s.Clock.Now(), closed: bigints{}}
	rules, err := s.Catalog.Rules(ctx, clock.On(f.now))
	if err != nil {
		return nil, err
	}
	for set, r := range rules {
		if r.AdultsOnly || r.ContactOnly {
			f.closed = append(f.closed, int64(set))
		}
	}
	f.tree, err = s.Catalog.Categories(ctx)
	return f, err
}

// feedSQL is one row per variant of the next products by id; a product without any is a row too, so that only the end is empty.
const feedSQL = `
SELECT p.id AS product_id, p.slug, coalesce(en.name, t.name) AS name, coalesce(nullif(en.summary, ''), t.summary) AS summary,
  CASE WHEN m.name_known THEN m.name ELSE '' END AS maker, p.category_code, coalesce(v.sku, '') AS sku, coalesce(v.gtin, '') AS gtin,
  coalesce(v.unit_vi, '') AS unit_vi, coalesce(v.unit_en, '') AS unit_en, coalesce(v.price, 0) AS price,
  coalesce(CAST(v.net_amount * 1000 AS bigint), 0) AS net_milli, coalesce(v.net_unit, '') AS net_unit, coalesce(v.weight_g, 0) AS weight_g,
  (` + availableOf + `) AS available, coalesce(st.stars, 0) AS stars, coalesce(pic.asset_id, 0) AS asset_id,
  count(*) OVER (PARTITION BY p.id) > 1 AS siblings
FROM (SELECT p.* FROM product p JOIN category c ON c.code = p.category_code
  WHERE p.state = 'published' AND p.id > @after AND coalesce(c.set_no, 0) <> ALL (CAST(@closed AS int[])) ORDER BY p.id LIMIT @limit) p
JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi'
JOIN producer m ON m.id = p.producer_id
LEFT JOIN variant v ON v.product_id = p.id AND v.state = 'active'
LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en' AND @locale = 'en'
LEFT JOIN LATERAL (SELECT max(c.stars) AS stars FROM certificate_product c WHERE c.product_id = p.id AND c.valid_from <= @today AND c.valid_to >= @today) st ON true
LEFT JOIN LATERAL (SELECT asset_id FROM product_picture WHERE product_id = p.id ORDER BY position LIMIT 1) pic ON true
ORDER BY p.id, v.position, v.id`

type feedRow struct {
	ProductID    int64
	Slug         string
	Name         string
	Summary      string
	Maker        string
	CategoryCode string
	SKU          string `gorm:"column:sku"`
	GTIN         string `gorm:"column:gtin"`
	UnitVI       string `gorm:"column:unit_vi"`
	UnitEN       string `gorm:"column:unit_en"`
	Price        money.VND
	NetMilli     int64
	NetUnit      string
	WeightG      int
	Available    int64
	Stars        int
	AssetID      int64
	Siblings     bool
}

// Next returns what up to FeedChunk further products sell, in two statements, and reports false at the end.
func (f *Feed) Next(ctx context.Context) (items []FeedItem, more bool, err error) {
	var rows []feedRow
	err = f.s.DB.Read(ctx).Raw(feedSQL, map[string]any{"after": f.after, "closed": f.closed, "limit": FeedChunk, "locale": string(f.locale),
		"now": f.now, "today": clock.On(f.now)}).Scan(&rows).Error
	if err != nil {
		return nil, false, fmt.Errorf("storefront: feed: %w", err)
	}
	if len(rows) == 0 {
		return nil, false, nil
	}
	f.after = rows[len(rows)-1].ProductID
	var assets []int64
	for _, r := range rows {
		if r.AssetID != 0 {
			assets = append(assets, r.AssetID)
		}
	}
	pictures, err := f.s.pictures(ctx, assets)
	if err != nil {
		return nil, false, err
	}
	out := make([]FeedItem, 0, len(rows))
	for _, r := range rows {
		if r.SKU == "" {
			continue
		}
		i := FeedItem{SKU: r.SKU, GTIN: r.GTIN, Slug: r.Slug, Name: r.Name, Summary: r.Summary, Unit: r.UnitVI, Maker: r.Maker,
			Price: r.Price, InStock: r.Available > 0, Stars: r.Stars, Net: catalog.Net{Milli: r.NetMilli, Unit: r.NetUnit}, WeightG: r.WeightG,
			Image: pictures[r.AssetID].URL(feedPicture), Siblings: r.Siblings}
		if f.locale == i18n.EN {
			i.Unit = r.UnitEN
		}
		for _, c := range f.tree.Path(r.CategoryCode) {
			if f.locale == i18n.EN {
				i.Category = append(i.Category, c.NameEN)
			} else {
				i.Category = append(i.Category, c.NameVI)
			}
		}
		out = append(out, i)
	}
	return out, true, nil
}

// feedPicture is the width of pictures in feeds, in pixels.
const feedPicture = 960

// FeedStamp changes when goods, prices or stock do; what leaves no row, such as a reservation that runs out, it does not know.
func (s *Service) FeedStamp(ctx context.Context) (string, error) {
	var stamp string
	err := s.DB.Read(ctx).Raw(`SELECT concat_ws('-', extract(epoch FROM (SELECT max(updated_at) FROM product)), (SELECT max(id) FROM price_change),
		(SELECT max(id) FROM stock_movement), (SELECT max(id) FROM stock_reservation), (SELECT max(id) FROM certificate),
		extract(epoch FROM (SELECT max(closed_at) FROM stock_reservation)))`).Scan(&stamp).Error
	if err != nil {
		return "", fmt.Errorf("storefront: feed stamp: %w", err)
	}
	return stamp, nil
}
