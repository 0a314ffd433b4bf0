package testkit

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// serial makes the names of built rows unique within a test binary.
var serial atomic.Int64

// insert writes one row and returns its id.
func insert(t testing.TB, d *db.DB, statement string, args ...any) int64 {
	t.Helper()
	var id int64
	if err := d.Pool().QueryRow(context.Background(), statement, args...).Scan(&id); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return id
}

// Exec runs one statement on a test's database.
func Exec(t testing.TB, d *db.DB, statement string, args ...any) {
	t.Helper()
	if _, err := d.Pool().Exec(context.Background(), statement, args...); err != nil {
		t.Fatalf("testkit: %v", err)
	}
}

// MakerSpec is what a built producer will be; see [Producer].
type MakerSpec struct {
	Name, Province, Commune, Place, OldProvince, Kind, State string
	Unknown                                                  bool
	Bank                                                     bool
}

// ProducerOption changes a producer before it is written.
type ProducerOption func(*MakerSpec)

// MakerName names the producer.
func MakerName(name string) ProducerOption { return func(s *MakerSpec) { s.Name = name } }

// MakerIn places the producer in a province, by code.
func MakerIn(province string) ProducerOption { return func(s *MakerSpec) { s.Province = province } }

// MakerPlace writes the place as old papers have it, with the former province.
func MakerPlace(place, oldProvince string) ProducerOption {
	return func(s *MakerSpec) { s.Place, s.OldProvince = place, oldProvince }
}

// MakerCommune places the producer in a commune, by code.
func MakerCommune(code string) ProducerOption { return func(s *MakerSpec) { s.Commune = code } }

// MakerUnknown makes the row that stands for "producer not known".
func MakerUnknown() ProducerOption { return func(s *MakerSpec) { s.Unknown = true } }

// MakerWithoutBank leaves out the bank account.
func MakerWithoutBank() ProducerOption { return func(s *MakerSpec) { s.Bank = false } }

// Producer writes a verified producer with a test bank account and an open stock location, and returns its id.
func Producer(t testing.TB, d *db.DB, options ...ProducerOption) int64 {
	t.Helper()
	n := serial.Add(1)
	s := MakerSpec{Name: fmt.Sprintf("Hợp tác xã thử %d", n), Province: "86", Kind: "cooperative", State: "verified", Bank: true}
	for _, o := range options {
		o(&s)
	}
	id := insert(t, d, `INSERT INTO producer (slug, name, name_known, kind, province_code, commune_code, place_text, old_province, state)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9) RETURNING id`,
		fmt.Sprintf("%s-%d", slug(s.Name), n), s.Name, !s.Unknown, s.Kind, s.Province, s.Commune, s.Place, s.OldProvince, s.State)
	if s.Bank {
		Exec(t, d, `INSERT INTO producer_bank_account (producer_id, bank_bin, account_no, holder, is_test) VALUES ($1, '970436', $2, $3, true)`,
			id, fmt.Sprintf("99%08d", n), strings.ToUpper(s.Name))
	}
	Exec(t, d, `INSERT INTO stock_location (kind, producer_id, name) VALUES ('producer', $1, $2)`, id, s.Name)
	return id
}

// GoodsSpec is what a built product will be; see [Product].
type GoodsSpec struct {
	Producer                                  int64
	NameVI, NameEN, Summary, SummaryEN, Story string
	Category, Province, Place, OldProvince    string
	State                                     string
	Price                                     int64
	Stock                                     int64
	Published                                 time.Time
	Stars                                     int
	ValidTo                                   clock.Date
	SKU                                       string
	Medicine                                  bool
}

// ProductOption changes a product before it is written.
type ProductOption func(*GoodsSpec)

// WithName names the product; en may be empty.
func WithName(vi, en string) ProductOption {
	return func(s *GoodsSpec) { s.NameVI, s.NameEN = vi, en }
}

// WithSummary gives its short texts.
func WithSummary(vi, en string) ProductOption {
	return func(s *GoodsSpec) { s.Summary, s.SummaryEN = vi, en }
}

// WithStory gives its long Vietnamese text.
func WithStory(story string) ProductOption { return func(s *GoodsSpec) { s.Story = story } }

// WithPrice sets the price of its variant in đồng.
func WithPrice(dong int64) ProductOption { return func(s *GoodsSpec) { s.Price = dong } }

// WithStock receives this many pieces at the producer's own location.
func WithStock(pieces int64) ProductOption { return func(s *GoodsSpec) { s.Stock = pieces } }

// WithCategory puts it into a leaf of the grouping, such as "I.5.a".
func WithCategory(code string) ProductOption { return func(s *GoodsSpec) { s.Category = code } }

// WithProducer gives it to a producer; it takes over that producer's province.
func WithProducer(id int64) ProductOption { return func(s *GoodsSpec) { s.Producer = id } }

// WithProvince places it, by code.
func WithProvince(code string) ProductOption { return func(s *GoodsSpec) { s.Province = code } }

// WithPlace writes its place as old papers have it, with the former province.
func WithPlace(place, oldProvince string) ProductOption {
	return func(s *GoodsSpec) { s.Place, s.OldProvince = place, oldProvince }
}

// WithState makes it a draft, published or archived.
func WithState(state string) ProductOption { return func(s *GoodsSpec) { s.State = state } }

// WithPublished sets the moment of publication.
func WithPublished(at time.Time) ProductOption { return func(s *GoodsSpec) { s.Published = at } }

// WithStars gives it a certificate that counts up to and including a day.
func WithStars(stars int, validTo clock.Date) ProductOption {
	return func(s *GoodsSpec) { s.Stars, s.ValidTo = stars, validTo }
}

// WithSKU sets the code of its variant.
func WithSKU(sku string) ProductOption { return func(s *GoodsSpec) { s.SKU = sku } }

// WithMedicine marks it as a medicine, which is never sold.
func WithMedicine() ProductOption { return func(s *GoodsSpec) { s.Medicine = true } }

// Product writes a published product with one variant at 95.000 ₫ and ten pieces in stock, and returns its id.
func Product(t testing.TB, d *db.DB, options ...ProductOption) int64 {
	t.Helper()
	n := serial.Add(1)
	s := GoodsSpec{NameVI: fmt.Sprintf("Món thử %d", n), Category: "I.5.a", State: "published", Price: 95_000, Stock: 10,
		Published: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)}
	for _, o := range options {
		o(&s)
	}
	if s.Producer == 0 {
		s.Producer = Producer(t, d)
	}
	if s.Province == "" {
		Scan(t, d, &s.Province, `SELECT province_code FROM producer WHERE id = $1`, s.Producer)
	}
	var published *time.Time
	if s.State == "published" {
		published = &s.Published
	}
	id := insert(t, d, `INSERT INTO product (slug, producer_id, category_code, state, is_medicine, province_code, place_text, old_province, published_at, eligibility)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id`,
		fmt.Sprintf("%s-%d", slug(s.NameVI), n), s.Producer, s.Category, s.State, s.Medicine, s.Province, s.Place, s.OldProvince, published, eligibility(s.Stars))
	Exec(t, d, `INSERT INTO product_text (product_id, locale, name, summary, story) VALUES ($1, 'vi', $2, $3, $4)`, id, s.NameVI, s.Summary, s.Story)
	if s.NameEN != "" {
		Exec(t, d, `INSERT INTO product_text (product_id, locale, name, summary) VALUES ($1, 'en', $2, $3)`, id, s.NameEN, s.SummaryEN)
	}
	if s.SKU == "" {
		s.SKU = fmt.Sprintf("T%06d", n)
	}
	Variant(t, d, id, s.SKU, s.Price, s.Stock)
	if s.Stars > 0 {
		Certificate(t, d, s.Stars, s.ValidTo, id)
	}
	return id
}

func eligibility(stars int) string {
	if stars > 0 {
		return "ocop"
	}
	return "speciality"
}

func slug(name string) string {
	if s := ident.Slug(name); s != "" {
		return s
	}
	return "x"
}

// Variant adds a variant to a product, with its first price and its stock at the producer's own location, and returns its id.
func Variant(t testing.TB, d *db.DB, product int64, sku string, price, stock int64) int64 {
	t.Helper()
	id := insert(t, d, `INSERT INTO variant (product_id, sku, unit_vi, unit_en, net_amount, net_unit, weight_g, price, position)
		VALUES ($1, $2, 'gói 200 g', '200 g pack', 200, 'g', 230, $3, (SELECT count(*) FROM variant WHERE product_id = $1)) RETURNING id`,
		product, sku, price)
	Exec(t, d, `INSERT INTO price_change (variant_id, price, actor) VALUES ($1, $2, 'test')`, id, price)
	if stock > 0 {
		Stock(t, d, id, stock)
	}
	return id
}

// VariantOf is the first variant of a product.
func VariantOf(t testing.TB, d *db.DB, product int64) int64 {
	t.Helper()
	var id int64
	Scan(t, d, &id, `SELECT id FROM variant WHERE product_id = $1 ORDER BY position, id LIMIT 1`, product)
	return id
}

// Stock receives pieces of a variant at its producer's own location, level and ledger alike.
func Stock(t testing.TB, d *db.DB, variant, pieces int64) {
	t.Helper()
	Exec(t, d, `INSERT INTO stock_level (variant_id, location_id, owner_id)
		SELECT v.id, l.id, p.producer_id FROM variant v JOIN product p ON p.id = v.product_id
		JOIN stock_location l ON l.producer_id = p.producer_id WHERE v.id = $1 ON CONFLICT DO NOTHING`, variant)
	Exec(t, d, `WITH l AS (UPDATE stock_level SET on_hand = on_hand + $2 WHERE variant_id = $1 RETURNING id)
		INSERT INTO stock_movement (level_id, kind, quantity, cause, actor) SELECT id, 'receive', $2, 'test', 'test' FROM l`, variant, pieces)
}

// Certificate writes a decision that gives products stars up to and including a day, and returns its id.
func Certificate(t testing.TB, d *db.DB, stars int, validTo clock.Date, products ...int64) int64 {
	t.Helper()
	from := validTo.AddMonths(-36).AddDays(1)
	id := insert(t, d, `INSERT INTO certificate (code, stars, decision_no, level, issuer, decided_on, decided_year, regime, valid_from, valid_to)
		VALUES ($1, $2, $3, $4, 'Ủy ban nhân dân tỉnh', $5, $6, 'QĐ 148/QĐ-TTg', $5, $7) RETURNING id`,
		"OCOP-"+ident.Code(4, 4), stars, fmt.Sprintf("%d/QĐ-UBND", serial.Add(1)), level(stars), from.String(), from.Y, validTo.String())
	for _, p := range products {
		Exec(t, d, `INSERT INTO certificate_product (certificate_id, product_id) VALUES ($1, $2)`, id, p)
	}
	return id
}

func level(stars int) string {
	if stars == 5 {
		return "ministry"
	}
	return "province"
}

// Scan reads one value.
func Scan(t testing.TB, d *db.DB, into any, statement string, args ...any) {
	t.Helper()
	if err := d.Pool().QueryRow(context.Background(), statement, args...).Scan(into); err != nil {
		t.Fatalf("testkit: %v", err)
	}
}
