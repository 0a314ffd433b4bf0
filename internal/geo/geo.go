// Package geo knows where things are in Vietnam: the 34 provinces and 3,321 communes of today, and the 63 provinces and
// 696 districts of before 1 July 2025 with what became of them.
//
// It owns the tables geo_province, geo_commune, geo_former_province, geo_former_district and geo_dataset. The rows come
// from files inside the program ([Load]) and are read-only for everybody: a [Service] reads them once and answers from
// memory. An address is province → commune; the names on old papers are stored by their owners as written.
//
// Names are found without diacritics, in both spellings (Hòa, Hoà), composed or decomposed, by their beginning and
// with a slip of the keyboard. Searching four thousand names in memory takes less time than asking the database.
package geo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Province is a province or a centrally-run city of today.
type Province struct {
	Code       string // two digits
	Name       string // without the kind: "Vĩnh Long"
	NameEN     string
	Slug       string
	Kind       string // "tỉnh" or "thành phố"
	KindBefore string // the kind of 1 July 2025 where it changed, else empty
	KindBasis  string // the act that gave it its present kind
	KindFrom   time.Time
	Region     string // "north", "central" or "south"
	Communes   int

	LegalBasis    string
	EffectiveFrom time.Time
}

// Commune is a commune (xã), ward (phường) or special zone (đặc khu) of today.
type Commune struct {
	Code         string // five digits
	ProvinceCode string
	Name         string
	NameAlt      string // the other accepted spelling (Hoà for Hòa), or empty
	Kind         string // "xã", "phường" or "đặc khu"
	KindBefore   string
	KindBasis    string
	KindFrom     time.Time

	LegalBasis    string
	EffectiveFrom time.Time
}

// FormerProvince is one of the 63 provincial units of before 1 July 2025.
type FormerProvince struct {
	Code         string // means another unit today: never look it up as a Province code
	ProvinceCode string // the unit of today that it went to
	Name         string
	Kind         string
	Change       string // "kept", "merged_same_name" or "merged_renamed"
	Aliases      []string
}

// FormerDistrict is one of the 696 districts abolished on 1 July 2025.
type FormerDistrict struct {
	Code               string
	FormerProvinceCode string
	ProvinceCode       string // the unit of today that its province went to
	Name               string
	Kind               string // "quận", "huyện", "thị xã" or "thành phố"
	FullName           string
}

// Title is the name with its kind as a heading or address line shows it: "Tỉnh Vĩnh Long", "Vinh Long Province".
func (p Province) Title(l i18n.Locale) string {
	key := "geo.title.province"
	if p.Kind == "thành phố" {
		key = "geo.title.city"
	}
	return i18n.T(l, key, map[string]any{"name": p.LocalName(l)})
}

// LocalName is the bare name in the reader's language.
func (p Province) LocalName(l i18n.Locale) string {
	if l == i18n.EN {
		return p.NameEN
	}
	return p.Name
}

// Title is the name with its kind: "Phường Vĩnh Tuy", "Vĩnh Tuy Ward".
func (c Commune) Title(l i18n.Locale) string {
	key := "geo.title.commune"
	switch c.Kind {
	case "phường":
		key = "geo.title.ward"
	case "đặc khu":
		key = "geo.title.special_zone"
	}
	return i18n.T(l, key, map[string]any{"name": c.Name})
}

// Service answers questions about places. It is safe for concurrent use.
type Service struct {
	db     *db.DB
	loaded atomic.Pointer[gazetteer]
	mu     sync.Mutex // held while reading the tables, so that a cold start reads them once
}

// New returns a service that reads its tables at the first question.
func New(d *db.DB) *Service { return &Service{db: d} }

// Invalidate forgets what is in memory. Call it after [Load] has changed the tables.
func (s *Service) Invalidate() { s.loaded.Store(nil) }

var errNoData = errors.New("geo: the tables are empty, run the migrations and load the units")

func (s *Service) gazetteer(ctx context.Context) (*gazetteer, error) {
	if g := s.loaded.Load(); g != nil {
		return g, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.loaded.Load(); g != nil {
		return g, nil
	}
	set, err := read(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if len(set.provinces) == 0 {
		return nil, errNoData // not remembered: the next question looks again
	}
	g := newGazetteer(set)
	s.loaded.Store(g)
	return g, nil
}

// Provinces returns all provinces in Vietnamese alphabetical order.
func (s *Service) Provinces(ctx context.Context) ([]Province, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(g.provinces), nil
}

// Province returns the province with this code or slug, else a NotFound error.
func (s *Service) Province(ctx context.Context, codeOrSlug string) (Province, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return Province{}, err
	}
	if p, ok := g.province[codeOrSlug]; ok {
		return p, nil
	}
	return Province{}, apperr.New(apperr.NotFound, "geo.province.unknown")
}

// Communes returns the communes of a province in Vietnamese alphabetical order; none for an unknown province.
func (s *Service) Communes(ctx context.Context, provinceCode string) ([]Commune, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Clone(g.communes[provinceCode]), nil
}

// Commune returns the commune with this code, else a NotFound error.
func (s *Service) Commune(ctx context.Context, code string) (Commune, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return Commune{}, err
	}
	if c, ok := g.commune[code]; ok {
		return c, nil
	}
	return Commune{}, apperr.New(apperr.NotFound, "geo.commune.unknown")
}

// Check says whether the two codes make an address: both known, and the commune in that province. Its errors are for the
// fields "province" and "commune".
func (s *Service) Check(ctx context.Context, provinceCode, communeCode string) error {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return err
	}
	return g.check(provinceCode, communeCode)
}

func (g *gazetteer) check(provinceCode, communeCode string) error {
	if provinceCode == "" {
		return apperr.Field("province", "geo.province.required")
	}
	p, ok := g.province[provinceCode]
	if !ok || p.Code != provinceCode {
		return apperr.Field("province", "geo.province.unknown")
	}
	if communeCode == "" {
		return apperr.Field("commune", "geo.commune.required")
	}
	c, ok := g.commune[communeCode]
	if !ok {
		return apperr.Field("commune", "geo.commune.unknown")
	}
	if c.ProvinceCode != provinceCode {
		return apperr.Field("commune", "geo.commune.not_in_province", "commune", c.Name, "province", p.Name)
	}
	return nil
}
