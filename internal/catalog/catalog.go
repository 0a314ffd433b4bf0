// Package catalog owns what is offered: products and their variants, prices, label facts and pictures, the official
// grouping into 26 sets, and the rules that law lays on the trade of a set.
//
// Tables: category, category_rule, product, product_text, product_picture, label_fact, variant, price_change. It promises
// that a published product has a Vietnamese name, a variant and a verified producer, that no price changes without a row
// in price_change, and that every rule is asked for a date: rules are rows with a legal basis and a time, not constants.
package catalog

import (
	"context"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// Rules is what law and the platform's terms demand for the goods of a set on one day.
type Rules struct {
	AdultsOnly   bool // 18+ gate on list, search and page
	NoCOD        bool // paid before delivery, never in cash
	ContactOnly  bool // booked by contacting the producer; no basket
	NoParcel     bool // no carrier takes it: pickup only
	NotAMedicine bool // the page must say that it is no medicine
}

// Offer is one variant as a basket, an order or a till needs it.
type Offer struct {
	VariantID    int64
	ProductID    int64
	ProducerID   int64
	SKU          string
	Slug         string
	NameVI       string
	NameEN       string // Vietnamese where there is no English name
	UnitVI       string // "chai 500 ml"
	UnitEN       string // "500 ml bottle"
	ProducerName string
	ProvinceCode string // where it comes from
	// SellerProvince is where its producer is, and parcels leave from.
	SellerProvince string
	Price          money.VND
	WeightG        int // gross weight of one piece; 0 where not known
	LengthCM       int
	WidthCM        int
	HeightCM       int
	SetNo          int // 1 to 26; 0 where the paper names no set
	Rules          Rules
	// Sellable means that it may lie in a basket: published, active, a verified producer, no medicine, no service.
	Sellable bool
	AssetID  int64 // first picture; 0 for none
}

// Name is the product's name in the reader's language.
func (o Offer) Name(l i18n.Locale) string {
	if l == i18n.EN {
		return o.NameEN
	}
	return o.NameVI
}

// Unit is what one piece is, in the reader's language.
func (o Offer) Unit(l i18n.Locale) string {
	if l == i18n.EN {
		return o.UnitEN
	}
	return o.UnitVI
}

// Category is one entry of the official grouping: a sector (ngành), a group (nhóm) or a subgroup (phân nhóm).
type Category struct {
	Code       string
	ParentCode string
	Level      string // "nganh", "nhom" or "phan_nhom"
	Slug       string
	NameVI     string // as in the decision
	NameEN     string
	ShortVI    string // as on a chip or menu
	ShortEN    string
	SetNo      int // number of the criteria set for a leaf, else 0
	Ministry   string
	LegalBasis string
}

// Name is the official name in the reader's language.
func (c Category) Name(l i18n.Locale) string {
	if l == i18n.EN {
		return c.NameEN
	}
	return c.NameVI
}

// Short is the name for menus in the reader's language.
func (c Category) Short(l i18n.Locale) string {
	if l == i18n.EN {
		return c.ShortEN
	}
	return c.ShortVI
}

// Service answers for the catalogue.
type Service struct {
	db    *db.DB
	clock clock.Clock

	mu   sync.Mutex // held while reading the reference rows
	tree *Tree
	law  []ruleRow
	read time.Time
}

// referenceAge is how old the grouping and the rules in memory may get. They change by decree and through a migration,
// but every copy of the program must notice.
const referenceAge = time.Minute

// New returns the service.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }

// Categories returns the grouping in force today.
func (s *Service) Categories(ctx context.Context) (*Tree, error) {
	tree, _, err := s.reference(ctx)
	return tree, err
}

// Rules returns the rules in force on a day by set number. Sets without a rule are left out.
func (s *Service) Rules(ctx context.Context, on clock.Date) (map[int]Rules, error) {
	_, law, err := s.reference(ctx)
	if err != nil {
		return nil, err
	}
	return rulesOn(law, on), nil
}

// RulesOf returns the rules of one set on a day.
func (s *Service) RulesOf(ctx context.Context, setNo int, on clock.Date) (Rules, error) {
	all, err := s.Rules(ctx, on)
	return all[setNo], err
}

func (s *Service) reference(ctx context.Context) (*Tree, []ruleRow, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	if s.tree != nil && now.Sub(s.read) < referenceAge && !now.Before(s.read) {
		return s.tree, s.law, nil
	}
	cats, err := categories(ctx, s.db.Read(ctx), clock.On(now))
	if err != nil {
		return nil, nil, err
	}
	law, err := rules(ctx, s.db.Read(ctx))
	if err != nil {
		return nil, nil, err
	}
	s.tree, s.law, s.read = newTree(cats), law, now
	return s.tree, s.law, nil
}

// Offers returns the offers of these variants with the rules of a day, in one statement. Unknown ids are left out; what
// may not be sold is there with Sellable false, so that a basket can say why.
func (s *Service) Offers(ctx context.Context, g *gorm.DB, variantIDs []int64, on clock.Date) (map[int64]Offer, error) {
	law, err := s.Rules(ctx, on)
	if err != nil {
		return nil, err
	}
	if len(variantIDs) == 0 {
		return map[int64]Offer{}, nil
	}
	return offers(ctx, g, "v.id IN ?", variantIDs, law)
}

// OfferBySKU returns the offer of a variant with the rules of a day, in one statement, or a NotFound error. The case of the letters
// does not matter.
func (s *Service) OfferBySKU(ctx context.Context, g *gorm.DB, sku string, on clock.Date) (Offer, error) {
	law, err := s.Rules(ctx, on)
	if err != nil {
		return Offer{}, err
	}
	found, err := offers(ctx, g, "v.sku = ?", strings.ToUpper(strings.TrimSpace(sku)), law)
	if err != nil {
		return Offer{}, err
	}
	for _, o := range found {
		return o, nil
	}
	return Offer{}, apperr.New(apperr.NotFound, "catalog.sku.unknown", "sku", sku)
}

// VariantBySKU returns the id of a variant, or a NotFound error. The case of the letters does not matter.
func (s *Service) VariantBySKU(ctx context.Context, g *gorm.DB, sku string) (int64, error) {
	id, err := variantBySKU(ctx, g, sku)
	if err == nil && id == 0 {
		err = apperr.New(apperr.NotFound, "catalog.sku.unknown", "sku", sku)
	}
	return id, err
}
