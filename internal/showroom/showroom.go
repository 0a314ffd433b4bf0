// Package showroom owns the sales points: where OCOP goods are shown and sold, when they are open,
// and which of them hand over parcels. Kinds follow QĐ 950/QĐ-BCT (18/04/2023) on points that
// introduce and sell OCOP products.
//
// Table: showroom.
package showroom

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// Kind is the sort of place a sales point stands in.
type Kind string

// The kinds of QĐ 950/QĐ-BCT.
const (
	TransportHub     Kind = "transport_hub"
	RestStop         Kind = "rest_stop"
	TradeCentre      Kind = "trade_centre"
	TouristArea      Kind = "tourist_area"
	CraftVillage     Kind = "craft_village"
	LocalCentre      Kind = "local_centre"
	ExhibitionCentre Kind = "exhibition_centre"
	PostOffice       Kind = "post_office"
)

// Kinds lists all kinds in the order of the decision.
func Kinds() []Kind {
	return []Kind{TransportHub, RestStop, TradeCentre, TouristArea, CraftVillage, LocalCentre, ExhibitionCentre, PostOffice}
}

// Key is the text key of the kind's name.
func (k Kind) Key() string { return "showroom.kind." + string(k) }

// Showroom is one sales point.
type Showroom struct {
	ID             int64
	Code           string
	Slug           string
	NameVI         string
	NameEN         string
	Kind           Kind
	Operator       string
	ProvinceCode   string
	CommuneCode    string
	Street         string
	Hours          Hours
	Phone          string     // E.164, empty when not known
	SupportedSince clock.Date // since when the programme supports it; zero when it does not
	OffersPickup   bool
	Closed         bool // given up, not merely outside its hours
	Demo           bool
}

// Service holds the verbs of this package.
type Service struct{ db *db.DB }

// New returns the service.
func New(d *db.DB) *Service { return &Service{d} }

var codeForm = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{1,30}$`)

func (s Showroom) check() error {
	var l apperr.List
	if !codeForm.MatchString(s.Code) {
		l = append(l, apperr.Field("code", "showroom.code.form"))
	}
	if strings.TrimSpace(s.NameVI) == "" {
		l = append(l, apperr.Field("name_vi", "showroom.name.missing"))
	}
	if strings.TrimSpace(s.NameEN) == "" {
		l = append(l, apperr.Field("name_en", "showroom.name.missing"))
	}
	if !slices.Contains(Kinds(), s.Kind) {
		l = append(l, apperr.Field("kind", "showroom.kind.unknown"))
	}
	if strings.TrimSpace(s.Street) == "" {
		l = append(l, apperr.Field("street", "showroom.street.missing"))
	}
	if !s.Hours.valid() {
		l = append(l, apperr.Field("hours", "showroom.hours.form"))
	}
	return l.Err()
}

// Register enters the sales point, or brings the one with the same code up to date; doing it twice
// changes nothing. Without a slug it gets one from its Vietnamese name and code. It returns the id.
func (s *Service) Register(ctx context.Context, r Showroom) (int64, error) {
	if err := r.check(); err != nil {
		return 0, err
	}
	if r.Slug == "" {
		r.Slug = ident.Slug(r.NameVI + " " + r.Code)
	}
	id, err := upsert(ctx, s.db.Primary(ctx), r)
	switch {
	case db.Breaks(err, "showroom_slug_key"):
		return 0, apperr.Field("slug", "showroom.slug.taken")
	case db.Breaks(err, "showroom_province_code_fkey"), db.Breaks(err, "showroom_commune_code_fkey"):
		return 0, apperr.Field("commune", "showroom.place.unknown")
	case err != nil:
		return 0, fmt.Errorf("showroom: register %s: %w", r.Code, err)
	}
	return id, nil
}

// ByIDs returns the sales points with these ids, closed ones too: an order keeps the place it chose.
func (s *Service) ByIDs(ctx context.Context, g *gorm.DB, ids []int64) (map[int64]Showroom, error) {
	out := make(map[int64]Showroom, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	found, err := read(ctx, g, "id IN ?", ids)
	if err != nil {
		return nil, fmt.Errorf("showroom: by ids: %w", err)
	}
	for _, r := range found {
		out[r.ID] = r
	}
	return out, nil
}

// List returns the open sales points of a province, or of the whole country for an empty code.
func (s *Service) List(ctx context.Context, provinceCode string) ([]Showroom, error) {
	found, err := read(ctx, s.db.Read(ctx), "state = 'open' AND (? = '' OR province_code = ?)", provinceCode, provinceCode)
	if err != nil {
		return nil, fmt.Errorf("showroom: list: %w", err)
	}
	return found, nil
}

// Find returns the open sales point with this slug, or NotFound showroom.not_found.
func (s *Service) Find(ctx context.Context, slug string) (Showroom, error) {
	found, err := read(ctx, s.db.Read(ctx), "state = 'open' AND slug = ?", slug)
	if err != nil {
		return Showroom{}, fmt.Errorf("showroom: find: %w", err)
	}
	if len(found) == 0 {
		return Showroom{}, apperr.New(apperr.NotFound, "showroom.not_found")
	}
	return found[0], nil
}

// Pickup returns the open sales points of these provinces that hand over orders.
func (s *Service) Pickup(ctx context.Context, g *gorm.DB, provinceCodes []string) ([]Showroom, error) {
	if len(provinceCodes) == 0 {
		return nil, nil
	}
	found, err := read(ctx, g, "state = 'open' AND offers_pickup AND province_code IN ?", provinceCodes)
	if err != nil {
		return nil, fmt.Errorf("showroom: pickup: %w", err)
	}
	return found, nil
}
