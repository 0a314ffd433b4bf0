package catalog

import (
	"context"
	"fmt"
	"strings"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
)

// Eligibility classes of goods at a sales point.
const (
	OCOP       = "ocop"
	Speciality = "speciality"
)

// Where a price came from.
const (
	PriceOfSeller = "seller"
	PriceEstimate = "estimate" // a guess of the data set; pages say so
)

// Entry is a product with its one variant as a list of goods gives it. Blanks say nothing and never erase.
type Entry struct {
	Key          string // tells the same product again in the next list
	SKU          string
	GTIN         string
	ProducerID   int64
	CategoryCode string
	Eligibility  string // OCOP is never taken back to Speciality by a list
	ProvinceCode string
	PlaceText    string
	OldProvince  string
	SourceURL    string
	NameVI       string
	NameEN       string
	SummaryVI    string
	SummaryEN    string
	Unit         Unit
	WeightG      int
	Price        money.VND
	PriceSource  string
	IsDemo       bool
}

// Loaded is what became of an Entry.
type Loaded struct {
	ProductID int64
	VariantID int64
	Added     bool
	Changed   bool
}

// Clash says why an Entry cannot be loaded.
type Clash struct {
	Column string // "sku" or "gtin"
	Other  string // SKU of the variant that has it
}

// Clashes finds entries whose SKU or GTIN belongs to another product already, by their keys.
func (s *Service) Clashes(ctx context.Context, tx db.Tx, entries []Entry) (map[string]Clash, error) {
	found, err := clashes(ctx, tx, entryRows(entries))
	if err != nil {
		return nil, fmt.Errorf("catalog: clashes: %w", err)
	}
	return found, nil
}

// Load enters products of a list by their keys, in a constant number of statements however many they are. What does not
// differ is not touched, not even its updated_at. A new price is written to price_change. New products are published where
// [Service.Publish] would allow it; the state of known ones is left as it is. Keys must be unique and without Clashes.
func (s *Service) Load(ctx context.Context, tx db.Tx, entries []Entry, actor string) (map[string]Loaded, error) {
	if len(entries) == 0 {
		return map[string]Loaded{}, nil
	}
	rows := entryRows(entries)
	if err := address(ctx, tx, rows); err != nil {
		return nil, fmt.Errorf("catalog: load: %w", err)
	}
	out, err := upsertEntries(ctx, tx, rows, actor, s.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("catalog: load: %w", err)
	}
	return out, nil
}

// address gives each row the page address it will have if it is new: its name, with the SKU where another has that name.
func address(ctx context.Context, tx db.Tx, rows []entryRow) error {
	wished := make([]string, len(rows))
	for i, r := range rows {
		wished[i] = ident.Slug(r.NameVI)
		if wished[i] == "" {
			wished[i] = "san-pham-" + ident.Slug(r.SKU)
		}
	}
	taken, err := takenSlugs(ctx, tx, wished)
	if err != nil {
		return err
	}
	for i := range rows {
		rows[i].Slug = wished[i]
		if key, is := taken[wished[i]]; is && key != rows[i].Key {
			rows[i].Slug = wished[i] + "-" + ident.Slug(rows[i].SKU)
		}
		taken[rows[i].Slug] = rows[i].Key
	}
	return nil
}

func entryRows(entries []Entry) []entryRow {
	rows := make([]entryRow, len(entries))
	for i, e := range entries {
		rows[i] = entryRow{Key: e.Key, SKU: e.SKU, GTIN: e.GTIN, ProducerID: e.ProducerID, CategoryCode: e.CategoryCode,
			Eligibility: e.Eligibility, IsMedicine: isMedicine(e), ProvinceCode: e.ProvinceCode, PlaceText: e.PlaceText,
			OldProvince: e.OldProvince, SourceURL: e.SourceURL, NameVI: e.NameVI, NameEN: e.NameEN, SummaryVI: e.SummaryVI,
			SummaryEN: e.SummaryEN, UnitVI: e.Unit.VI, UnitEN: e.Unit.EN, WeightG: e.WeightG, Price: int64(e.Price),
			PriceSource: e.PriceSource, IsDemo: e.IsDemo, NetVI: e.Unit.NetText(i18n.VI), NetEN: e.Unit.NetText(i18n.EN)}
		if n := e.Unit.Net; !n.IsZero() {
			rows[i].NetAmount, rows[i].NetUnit = fmt.Sprintf("%d.%03d", n.Milli/1000, n.Milli%1000), n.Unit
		}
	}
	return rows
}

// isMedicine is careful: of the set that holds functional foods and medicines alike (18), what calls itself a medicine is
// not sold until somebody has looked at its papers.
func isMedicine(e Entry) bool {
	return e.CategoryCode == "III.1" && strings.HasPrefix(i18n.Fold(e.NameVI), "thuoc ")
}
