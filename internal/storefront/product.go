package storefront

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// beside is how many cards a product page shows of the same maker, and as many of the same kind.
const beside = 8

func notFound() error { return apperr.New(apperr.NotFound, "storefront.not_found") }

type productRow struct {
	ID          int64
	SummaryVI   string `gorm:"column:summary_vi"`
	SummaryEN   string `gorm:"column:summary_en"`
	StoryVI     string `gorm:"column:story_vi"`
	StoryEN     string `gorm:"column:story_en"`
	Eligibility string
	PlaceText   string
	OldProvince string
	SourceURL   string `gorm:"column:source_url"`
	IsDemo      bool
	PublishedAt time.Time
	UpdatedAt   time.Time
	Facts       string   // [key, locale, value], the Vietnamese before the English of one key
	Pictures    string   // pictureRows
	Maker       makerRow `gorm:"embedded;embeddedPrefix:maker_"`
}

type pictureRow struct {
	Asset   int64
	VI, EN  string
	Drawing bool
}

// detail is what the page of a product says beyond cards and stock. It is kept: only the days of its certificates are
// compared at every question.
type detail struct {
	productRow
	maker    Producer
	facts    []Fact
	pictures []Picture
	history  []certification.Record
}

// productSQL is everything of a product's own but its certificates, in one row.
const productSQL = `SELECT p.id, t.summary AS summary_vi, coalesce(en.summary, '') AS summary_en, t.story AS story_vi, coalesce(en.story, '') AS story_en,
	p.eligibility, p.place_text, p.old_province, p.source_url, p.is_demo, p.published_at, p.updated_at,
	coalesce((SELECT CAST(json_agg(json_build_array(f.key, f.locale, f.value) ORDER BY f.key, f.locale DESC) AS text) FROM label_fact f WHERE f.product_id = p.id), '[]') AS facts,
	coalesce((SELECT CAST(json_agg(json_build_object('asset', pp.asset_id, 'vi', pp.alt_vi, 'en', pp.alt_en, 'drawing', a.kind = 'drawing') ORDER BY pp.position) AS text)
		FROM product_picture pp JOIN media_asset a ON a.id = pp.asset_id WHERE pp.product_id = p.id), '[]') AS pictures, ` + makerColumns + `
FROM product p JOIN product_search x ON x.product_id = p.id JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi'
JOIN producer m ON m.id = p.producer_id AND m.state = 'verified' ` + makerTexts + `
LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
WHERE p.slug = ? AND p.state = 'published' AND NOT p.is_medicine`

// Product returns the page of a published product, else NotFound "storefront.not_found". A product for adults comes with
// Gate and without its texts until the reader has said to be one. Prices and stock are always asked anew. It is six
// statements at most, and one when the product was just shown.
func (s *Service) Product(ctx context.Context, slug string, adult bool) (Product, error) {
	k, err := s.shelf(ctx)
	if err != nil {
		return Product{}, err
	}
	now := s.Clock.Now()
	today := clock.On(now)
	rules, err := s.Catalog.Rules(ctx, today)
	if err != nil {
		return Product{}, err
	}
	of := age{reading: k.reading, day: today, at: machine.Now()}
	d, known := s.details.get(slug, 0, today)
	if slot, ok := k.find(d.ID); known && ok {
		_, known = s.details.get(slug, k.goods[slot].touched, today)
	} else {
		known = false
	}
	var shown []pictureRow
	if !known {
		if d, shown, err = s.detail(ctx, slug); err != nil {
			return Product{}, err
		}
	}
	more, similar := k.on(today).beside(d.ID, func(set int) bool { return !adult && rules[set].AdultsOnly })
	cards, pictures, err := s.cardsOn(ctx, k, slices.Concat([]int64{d.ID}, more, similar), assetsOf(shown))
	if err != nil {
		return Product{}, err
	}
	if !known {
		for _, r := range shown {
			if p, ok := pictures[r.Asset]; ok {
				d.pictures = append(d.pictures, Picture{Picture: p, Drawing: r.Drawing, AltVI: r.VI, AltEN: cmp.Or(r.EN, r.VI)})
			}
		}
		s.details.put(slug, of, d)
	}
	card, ok := cards[d.ID]
	if !ok { // nothing of it is for sale
		return Product{}, notFound()
	}
	p := Product{Card: card, SummaryVI: d.SummaryVI, SummaryEN: cmp.Or(d.SummaryEN, d.SummaryVI), StoryVI: d.StoryVI, StoryEN: cmp.Or(d.StoryEN, d.StoryVI),
		Eligibility: d.Eligibility, PlaceText: d.PlaceText, OldProvince: d.OldProvince, SourceURL: d.SourceURL, Demo: d.IsDemo,
		PublishedAt: d.PublishedAt, UpdatedAt: d.UpdatedAt, More: inOrder(more, cards), Similar: inOrder(similar, cards), Producer: d.maker,
		Gate: card.AdultsOnly && !adult, Rules: rules[card.SetNo]}
	return p, s.fill(ctx, &p, d, now)
}

// detail reads what is kept of a product. Its pictures are read with those of the cards.
func (s *Service) detail(ctx context.Context, slug string) (detail, []pictureRow, error) {
	var rows []productRow
	if err := s.DB.Read(ctx).Raw(productSQL, slug).Scan(&rows).Error; err != nil {
		return detail{}, nil, fmt.Errorf("storefront: product: %w", err)
	}
	if len(rows) == 0 {
		return detail{}, nil, notFound()
	}
	d := detail{productRow: rows[0]}
	var facts [][3]string
	var shown []pictureRow
	err := json.Unmarshal([]byte(d.Facts), &facts)
	if err == nil {
		err = json.Unmarshal([]byte(d.Pictures), &shown)
	}
	if err != nil {
		return detail{}, nil, fmt.Errorf("storefront: product: %w", err)
	}
	d.facts = label(facts)
	if d.maker, err = s.maker(ctx, d.Maker); err != nil {
		return detail{}, nil, err
	}
	d.history, err = s.Certificates.History(ctx, s.DB.Read(ctx), d.ID)
	return d, shown, err
}

func assetsOf(rows []pictureRow) []int64 {
	out := make([]int64, len(rows))
	for i, r := range rows {
		out[i] = r.Asset
	}
	return out
}

// label are facts with both languages side by side.
func label(rows [][3]string) []Fact {
	var out []Fact
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].Key != r[0] {
			out = append(out, Fact{Key: r[0], ValueVI: r[2], ValueEN: r[2]})
		} else {
			out[n-1].ValueEN = r[2]
		}
	}
	return out
}

// AdultsOnly reports whether a variant is for adults only today, with the slug of its product. An unknown one is not.
func (s *Service) AdultsOnly(ctx context.Context, sku string) (slug string, only bool, err error) {
	var rows []struct {
		Slug  string
		SetNo int
	}
	err = s.DB.Read(ctx).Raw(`SELECT p.slug, coalesce(c.set_no, 0) AS set_no FROM variant v JOIN product p ON p.id = v.product_id
		JOIN category c ON c.code = p.category_code WHERE v.sku = upper(?)`, sku).Scan(&rows).Error
	if err != nil {
		return "", false, fmt.Errorf("storefront: adults only: %w", err)
	}
	if len(rows) == 0 {
		return "", false, nil
	}
	rules, err := s.Catalog.Rules(ctx, clock.Today(s.Clock))
	return rows[0].Slug, rules[rows[0].SetNo].AdultsOnly, err
}

// fill adds what hangs on a product, and its stock.
func (s *Service) fill(ctx context.Context, p *Product, d detail, now time.Time) error {
	tree, err := s.Catalog.Categories(ctx)
	if err != nil {
		return err
	}
	p.Category, _ = tree.ByCode(p.CategoryCode)
	p.Crumbs = []Crumb{{TextVI: "Sản phẩm", TextEN: "Products", Path: "/san-pham"}}
	for _, c := range tree.Path(p.CategoryCode) {
		p.Crumbs = append(p.Crumbs, Crumb{TextVI: c.ShortVI, TextEN: c.ShortEN, Path: "/nhom/" + c.Slug})
	}
	p.Crumbs = append(p.Crumbs, Crumb{TextVI: p.NameVI, TextEN: p.NameEN})
	if p.Gate {
		p.SummaryVI, p.SummaryEN, p.StoryVI, p.StoryEN, p.Picture = "", "", "", "", Picture{}
		return nil
	}
	today := clock.On(now)
	if p.Variants, err = s.sales(ctx, p, now, today); err != nil {
		return err
	}
	p.Facts, p.Pictures, p.Records = d.facts, d.pictures, records(d.history, today)
	p.Showrooms, err = s.Showrooms(ctx, p.ProvinceCode)
	return err
}

// records puts the certificate that counts first, most stars first, then the newest.
func records(history []certification.Record, today clock.Date) []Record {
	out := make([]Record, len(history))
	for i, r := range history {
		out[i] = Record{Record: r, State: r.StateOn(today)}
	}
	slices.SortStableFunc(out, func(a, b Record) int {
		va, vb := a.State == ProofValid, b.State == ProofValid
		switch {
		case va && vb:
			return cmp.Or(cmp.Compare(b.Stars, a.Stars), b.ValidTo.Compare(a.ValidTo))
		case va:
			return -1
		case vb:
			return 1
		}
		return 0
	})
	return out
}

// kin is how many of the newest of a kind are looked at for those most like a good.
const kin = 60

// beside finds other goods of the maker and goods of the same kind by others, in stock first.
func (d *day) beside(id int64, forAdults func(set int) bool) (more, similar []int64) {
	slot, ok := d.find(id)
	if !ok {
		return nil, nil
	}
	me := &d.goods[slot]
	hidden := func(slot int32) bool { return forAdults(d.categories[d.goods[slot].category].set) }
	var own, like []int32
	for _, other := range d.ofMaker(me.producer) {
		if other != slot && !hidden(other) {
			own = append(own, other)
		}
	}
	for _, other := range d.ofCategory(me.category) {
		if d.goods[other].producer != me.producer && !hidden(other) {
			if like = append(like, other); len(like) == kin {
				break
			}
		}
	}
	class := func(slot int32) uint32 { return d.packed[slot] >> atMiddle & 7 } // stock, then stars
	stock := func(a, b int32) int { return cmp.Compare(class(b)>>atStocked, class(a)>>atStocked) }
	near := func(slot int32) int {
		if d.goods[slot].province == me.province {
			return 0
		}
		return 1
	}
	rest := func(a, b int32) int { return cmp.Or(cmp.Compare(class(b), class(a)), d.compareNewest(a, b)) }
	own = smallest(own, beside, func(a, b int32) int { return cmp.Or(stock(a, b), rest(a, b)) })
	like = smallest(like, beside, func(a, b int32) int { return cmp.Or(stock(a, b), cmp.Compare(near(a), near(b)), rest(a, b)) })
	return d.ids(own), d.ids(like)
}

func (d *day) ids(slots []int32) []int64 {
	out := make([]int64, len(slots))
	for i, slot := range slots {
		out[i] = d.goods[slot].id
	}
	return out
}

type saleRow struct {
	ID          int64
	SKU         string `gorm:"column:sku"`
	GTIN        string `gorm:"column:gtin"`
	UnitVI      string `gorm:"column:unit_vi"`
	UnitEN      string `gorm:"column:unit_en"`
	NetAmount   float64
	NetUnit     string
	WeightG     int `gorm:"column:weight_g"`
	Price       money.VND
	PriceSource string
	Available   int64
}

func (s *Service) sales(ctx context.Context, p *Product, now time.Time, today clock.Date) ([]Sale, error) {
	var rows []saleRow
	err := s.DB.Read(ctx).Raw(`SELECT v.id, v.sku, coalesce(v.gtin, '') AS gtin, v.unit_vi, v.unit_en, coalesce(v.net_amount, 0)::float8 AS net_amount,
			coalesce(v.net_unit, '') AS net_unit, coalesce(v.weight_g, 0) AS weight_g, v.price, v.price_source, (`+availableOf+`) AS available
		FROM variant v WHERE v.product_id = @id AND v.state = 'active' ORDER BY v.position, v.id`,
		map[string]any{"id": p.ProductID, "now": now, "today": today}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("storefront: variants: %w", err)
	}
	out := make([]Sale, len(rows))
	for i, r := range rows {
		stocked := r.Available > 0 && !p.ContactOnly
		out[i] = Sale{VariantID: r.ID, SKU: r.SKU, GTIN: r.GTIN, UnitVI: r.UnitVI, UnitEN: r.UnitEN, NetAmount: r.NetAmount, NetUnit: r.NetUnit,
			WeightG: r.WeightG, Price: r.Price, Estimate: r.PriceSource == "estimate", Available: r.Available, InStock: stocked, Few: stocked && r.Available <= few}
	}
	return out, nil
}
