package storefront

import (
	"context"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/showroom"
)

type makerRow struct {
	ID           int64
	Slug         string
	Name         string
	NameEN       string `gorm:"column:name_en"`
	NameKnown    bool
	Kind         string
	ProvinceCode string
	CommuneCode  string
	PlaceText    string
	OldProvince  string
	StoryVI      string `gorm:"column:story_vi"`
	StoryEN      string `gorm:"column:story_en"`
	IsDemo       bool
	UpdatedAt    time.Time
}

// makerColumns are a makerRow of producer m with its texts vi and en.
const (
	makerColumns = `m.id AS maker_id, m.slug AS maker_slug, m.name AS maker_name, coalesce(nullif(men.name, ''), m.name) AS maker_name_en, m.name_known AS maker_name_known,
	coalesce(m.kind, '') AS maker_kind, m.province_code AS maker_province_code, coalesce(m.commune_code, '') AS maker_commune_code, m.place_text AS maker_place_text,
	m.old_province AS maker_old_province, coalesce(mvi.story, '') AS maker_story_vi, coalesce(nullif(men.story, ''), mvi.story, '') AS maker_story_en,
	m.is_demo AS maker_is_demo, m.updated_at AS maker_updated_at`
	makerTexts = `LEFT JOIN producer_text mvi ON mvi.producer_id = m.id AND mvi.locale = 'vi' LEFT JOIN producer_text men ON men.producer_id = m.id AND men.locale = 'en'`
)

// makers reads verified producers; where is a constant condition on producer m, or an ending with its own order.
func (s *Service) makers(ctx context.Context, where string, args ...any) ([]Producer, error) {
	var rows []struct {
		Maker makerRow `gorm:"embedded;embeddedPrefix:maker_"`
	}
	err := s.DB.Read(ctx).Raw(`SELECT `+makerColumns+` FROM producer m `+makerTexts+` WHERE m.state = 'verified' AND `+where, args...).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("storefront: producers: %w", err)
	}
	out := make([]Producer, len(rows))
	for i, r := range rows {
		if out[i], err = s.maker(ctx, r.Maker); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maker adds the names of its place.
func (s *Service) maker(ctx context.Context, r makerRow) (Producer, error) {
	out := Producer{ID: r.ID, Slug: r.Slug, Name: r.Name, NameEN: r.NameEN, NameKnown: r.NameKnown, Kind: r.Kind, ProvinceCode: r.ProvinceCode,
		PlaceText: r.PlaceText, OldProvince: r.OldProvince, StoryVI: r.StoryVI, StoryEN: r.StoryEN, Demo: r.IsDemo, UpdatedAt: r.UpdatedAt}
	p, err := s.Geo.Province(ctx, r.ProvinceCode)
	if err != nil {
		return Producer{}, err
	}
	out.ProvinceName, out.ProvinceEN, out.ProvinceSlug = p.Name, p.NameEN, p.Slug
	if r.CommuneCode != "" {
		c, err := s.Geo.Commune(ctx, r.CommuneCode)
		if err != nil {
			return Producer{}, err
		}
		out.CommuneName, out.CommuneEN = c.Title(i18n.VI), c.Title(i18n.EN)
	}
	return out, nil
}

// Producer returns the page of a verified producer, else NotFound "storefront.not_found"; f filters its products.
func (s *Service) Producer(ctx context.Context, slug string, f Filter) (ProducerPage, error) {
	found, err := s.makers(ctx, "m.slug = ?", slug)
	if err != nil {
		return ProducerPage{}, err
	}
	if len(found) == 0 {
		return ProducerPage{}, notFound()
	}
	p := ProducerPage{Producer: found[0]}
	p.Crumbs = []Crumb{{TextVI: p.ProvinceName, TextEN: p.ProvinceEN, Path: "/tinh/" + p.ProvinceSlug}, {TextVI: p.Name, TextEN: p.NameEN}}
	f.ProducerID = p.ID
	p.Listing, err = s.List(ctx, f)
	return p, err
}

// makersShown is how many producers the page of a province names.
const makersShown = 12

// Province returns the page of a province by slug, else NotFound "storefront.not_found"; f filters its products.
func (s *Service) Province(ctx context.Context, slug string, f Filter) (ProvincePage, error) {
	g, err := s.Geo.Province(ctx, slug)
	if _, ok := apperr.As(err); ok || err == nil && g.Slug != slug {
		return ProvincePage{}, notFound()
	}
	if err != nil {
		return ProvincePage{}, err
	}
	p := ProvincePage{Province: g}
	p.Crumbs = []Crumb{{TextVI: "Các tỉnh", TextEN: "Provinces", Path: "/tinh"}, {TextVI: g.Name, TextEN: g.NameEN}}
	more, err := s.ofProvince.get(ctx, g.Code, func(ctx context.Context) (ofProvince, error) { return s.readProvince(ctx, g) })
	if err != nil {
		return ProvincePage{}, err
	}
	p.Former, p.Producers = more.former, more.makers
	f.Province = g.Code
	if p.Listing, err = s.List(ctx, f); err != nil {
		return ProvincePage{}, err
	}
	p.Showrooms, err = s.Showrooms(ctx, g.Code)
	return p, err
}

// ofProvince is what is kept of a province for a while.
type ofProvince struct {
	former []string
	makers []Producer
}

func (s *Service) readProvince(ctx context.Context, g geo.Province) (ofProvince, error) {
	var out ofProvince
	err := s.DB.Read(ctx).Raw(`SELECT name FROM geo_former_province WHERE province_code = ? AND name <> ? ORDER BY name COLLATE "vi-x-icu"`, g.Code, g.Name).Scan(&out.former).Error
	if err != nil {
		return out, fmt.Errorf("storefront: former provinces: %w", err)
	}
	out.makers, err = s.makers(ctx, `m.province_code = ? AND m.name_known AND EXISTS (SELECT FROM product_search x WHERE x.producer_id = m.id)
		ORDER BY (SELECT count(*) FROM product_search x WHERE x.producer_id = m.id) DESC, m.id LIMIT ?`, g.Code, makersShown)
	return out, err
}

// Provinces counts the products of all 34 provinces, in Vietnamese alphabetical order.
func (s *Service) Provinces(ctx context.Context) ([]ProvinceFacet, error) {
	k, err := s.shelf(ctx)
	if err != nil {
		return nil, err
	}
	today := clock.Today(s.Clock)
	rules, err := s.Catalog.Rules(ctx, today)
	if err != nil {
		return nil, err
	}
	return s.provincesOn(ctx, k.on(today), adultSets(rules))
}

func (s *Service) provincesOn(ctx context.Context, d *day, adult map[int]bool) ([]ProvinceFacet, error) {
	all, err := s.Geo.Provinces(ctx)
	if err != nil {
		return nil, err
	}
	t, counts := d.all(&asking{adult: adult}), map[string]int{}
	for i, code := range d.provinces {
		counts[code] = int(t.provinces[i])
	}
	out := make([]ProvinceFacet, len(all))
	for i, p := range all {
		out[i] = ProvinceFacet{Code: p.Code, Slug: p.Slug, Name: p.Name, NameEN: p.NameEN, Count: counts[p.Code]}
	}
	return out, nil
}

// Categories is the official grouping, depth first.
func (s *Service) Categories(ctx context.Context) ([]Category, error) {
	tree, err := s.Catalog.Categories(ctx)
	if err != nil {
		return nil, err
	}
	return tree.All(), nil
}

// Showrooms lists the open sales points, of one province (code or slug) or of all when it is empty. An unknown province
// has none. The list may be half a minute old; whether they are open is of this moment.
func (s *Service) Showrooms(ctx context.Context, province string) ([]Showroom, error) {
	if province != "" {
		p, err := s.Geo.Province(ctx, province)
		if _, ok := apperr.As(err); ok {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		province = p.Code
	}
	found, err := s.points.get(ctx, province, func(ctx context.Context) ([]showroom.Showroom, error) { return s.Sources.Showrooms.List(ctx, province) })
	if err != nil {
		return nil, err
	}
	out := make([]Showroom, len(found))
	for i, r := range found {
		if out[i], err = s.placed(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// placed adds the names of its place and whether it is open now; all from memory.
func (s *Service) placed(ctx context.Context, r showroom.Showroom) (Showroom, error) {
	p, err := s.Geo.Province(ctx, r.ProvinceCode)
	if err != nil {
		return Showroom{}, err
	}
	c, err := s.Geo.Commune(ctx, r.CommuneCode)
	if err != nil {
		return Showroom{}, err
	}
	now := s.Clock.Now()
	out := Showroom{Showroom: r, ProvinceName: p.Name, ProvinceNameEN: p.NameEN, ProvinceSlug: p.Slug, Commune: c, OpenNow: r.Hours.OpenAt(now)}
	out.OpenToday, _ = r.Hours.On(now)
	return out, nil
}

// goodsShown is how many products of its province the page of a sales point shows.
const goodsShown = 12

// Showroom returns the page of an open sales point, else NotFound "storefront.not_found".
func (s *Service) Showroom(ctx context.Context, slug string) (ShowroomPage, error) {
	found, err := s.Sources.Showrooms.Find(ctx, slug)
	if _, ok := apperr.As(err); ok {
		return ShowroomPage{}, notFound()
	}
	if err != nil {
		return ShowroomPage{}, err
	}
	out := ShowroomPage{}
	if out.Showroom, err = s.placed(ctx, found); err != nil {
		return ShowroomPage{}, err
	}
	out.Crumbs = []Crumb{{TextVI: "Điểm bán", TextEN: "Sales points", Path: "/diem-ban"},
		{TextVI: out.ProvinceName, TextEN: out.ProvinceNameEN, Path: "/tinh/" + out.ProvinceSlug}, {TextVI: out.NameVI, TextEN: out.NameEN}}
	l, err := s.List(ctx, Filter{Province: out.ProvinceCode, Size: goodsShown})
	out.Goods = l.Cards
	return out, err
}

// Proof answers a certificate's code typed in any way. Its errors are those of certification.Service.Proof: nothing typed,
// malformed, or NotFound for a code that was never given.
func (s *Service) Proof(ctx context.Context, code string) (Proof, error) {
	found, err := s.Certificates.Proof(ctx, code)
	if err != nil {
		return Proof{}, err
	}
	out := Proof{Record: Record{Record: found.Record, State: found.State}, CheckedAt: s.Clock.Now()}
	ids := make([]int64, len(found.Products))
	for i, p := range found.Products {
		ids[i] = p.ID
	}
	if out.Products, err = s.proven(ctx, ids); err != nil {
		return Proof{}, err
	}
	var codes []string
	err = s.DB.Read(ctx).Raw(`SELECT DISTINCT c.code FROM certificate c JOIN certificate_product cp ON cp.certificate_id = c.id
		WHERE cp.product_id IN (SELECT unnest(?::bigint[])) AND c.code <> ? ORDER BY 1`, bigints(ids), found.Code).Scan(&codes).Error
	if err != nil {
		return Proof{}, fmt.Errorf("storefront: proof: %w", err)
	}
	if len(codes) == 0 {
		return out, nil
	}
	seen := map[string]bool{found.Code: true}
	for _, id := range ids[:min(len(ids), historyOf)] {
		history, err := s.Certificates.History(ctx, s.DB.Read(ctx), id)
		if err != nil {
			return Proof{}, err
		}
		for _, r := range history {
			if !seen[r.Code] {
				seen[r.Code] = true
				out.History = append(out.History, Record{Record: r, State: r.StateOn(clock.On(out.CheckedAt))})
			}
		}
	}
	slices.SortStableFunc(out.History, func(a, b Record) int { return b.ValidFrom.Compare(a.ValidFrom) })
	return out, nil
}

// historyOf bounds the products whose earlier certificates a proof lists; a decision names one product nearly always.
const historyOf = 5

// proven are the products of a certificate with their place as written and as it is now. Two statements and those of the cards.
func (s *Service) proven(ctx context.Context, ids []int64) ([]ProofProduct, error) {
	cards, _, err := s.cards(ctx, ids, nil, true)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID          int64
		Name        string
		NameEN      string `gorm:"column:name_en"`
		PlaceText   string
		OldProvince string
		CommuneCode string
		Published   bool
	}
	err = s.DB.Read(ctx).Raw(`SELECT p.id, t.name, coalesce(en.name, t.name) AS name_en, coalesce(nullif(p.place_text, ''), m.place_text) AS place_text,
			coalesce(nullif(p.old_province, ''), m.old_province) AS old_province, coalesce(m.commune_code, '') AS commune_code,
			EXISTS (SELECT FROM product_search x WHERE x.product_id = p.id) AS published
		FROM product p JOIN producer m ON m.id = p.producer_id JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi'
		LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
		WHERE p.id IN (SELECT unnest(?::bigint[])) ORDER BY p.id`, bigints(ids)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("storefront: proof: %w", err)
	}
	out := make([]ProofProduct, len(rows))
	for i, r := range rows {
		card, ok := cards[r.ID]
		if !ok { // nothing of it is for sale any more; the certificate still names it
			card = Card{ProductID: r.ID, NameVI: r.Name, NameEN: r.NameEN}
		}
		out[i] = ProofProduct{Card: card, PlaceText: r.PlaceText, OldProvince: r.OldProvince, Published: r.Published}
		if r.CommuneCode != "" {
			var c geo.Commune
			if c, err = s.Geo.Commune(ctx, r.CommuneCode); err != nil {
				return nil, err
			}
			out[i].CommuneName, out[i].CommuneEN = c.Title(i18n.VI), c.Title(i18n.EN)
		}
	}
	return out, nil
}
