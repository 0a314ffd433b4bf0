package intake_test

import (
	"context"
	"os"
	"testing"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/testkit"
)

// realFile is the list that the demo market itself is made of.
const realFile = "../demo/data/ocop_products.csv"

var november = time.Date(2026, 11, 22, 9, 0, 0, 0, clock.HCM)

// market is an empty market and the services that a list is loaded through.
type market struct {
	db    *db.DB
	clock *clock.Settable
	in    *intake.Service
	index *index
}

// index remembers which products it was told of.
type index struct{ refreshed []int64 }

func (x *index) Refresh(_ context.Context, _ db.Tx, ids []int64) error {
	x.refreshed = append(x.refreshed, ids...)
	return nil
}

func open(t testing.TB) *market {
	t.Helper()
	return openOn(testkit.DB(t))
}

func openOn(d *db.DB) *market {
	c := clock.Fixed(november)
	x := &index{}
	return &market{db: d, clock: c, index: x,
		in: intake.New(d, c, geo.New(d), producer.New(d, c), catalog.New(d, c), certification.New(d, c), x)}
}

func (m *market) count(t testing.TB, query string, args ...any) int {
	t.Helper()
	var n int
	testkit.Scan(t, m.db, &n, query, args...)
	return n
}

func loadReal(t *testing.T, m *market, o intake.Options) intake.Report {
	t.Helper()
	f, err := os.Open(realFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	report, err := m.in.Products(context.Background(), f, intake.CSV, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Bad {
		t.Error(p.Text(i18n.VI))
	}
	return report
}

func TestProductsLoadsTheRealList(t *testing.T) {
	m := open(t)
	report := loadReal(t, m, intake.Options{Actor: "test", Demo: true})
	if report.Rows != 471 || report.Added != 471 || len(report.Notes) > 0 || len(m.index.refreshed) != 471 {
		t.Errorf("%+v, %d refreshed", report, len(m.index.refreshed))
	}
	for q, want := range map[string]int{
		`SELECT count(*) FROM product WHERE state = 'published' AND is_demo`:                     471,
		`SELECT count(*) FROM variant`:                                                           471,
		`SELECT count(*) FROM price_change`:                                                      471,
		`SELECT count(*) FROM certificate`:                                                       368,
		`SELECT count(*) FROM certificate WHERE valid_to >= '2026-11-22'`:                        136,
		`SELECT count(*) FROM certificate WHERE decided_on IS NOT NULL`:                          33,
		`SELECT count(*) FROM product WHERE eligibility = 'ocop'`:                                368,
		`SELECT count(*) FROM product WHERE is_medicine OR published_at IS NULL`:                 0,
		`SELECT count(*) FROM product WHERE slug !~ '^[a-z0-9]+(-[a-z0-9]+)*$'`:                  0,
		`SELECT count(*) FROM variant WHERE sku !~ '^P0[0-9]{3}$' OR price_source <> 'estimate'`: 0,
		`SELECT count(DISTINCT category_code) FROM product`:                                      26,
		`SELECT count(*) FROM producer`:                                                          318,
		`SELECT count(*) FROM producer WHERE NOT name_known`:                                     21,
		`SELECT count(*) FROM label_fact WHERE key = 'net_content'`:                              904,
	} {
		if got := m.count(t, q); got != want {
			t.Errorf("%s = %d, want %d", q, got, want)
		}
	}
	// Goods by set, as the list itself counts them; 0 is the oil whose paper names no subgroup.
	want := [27]int{1, 50, 7, 17, 19, 2, 29, 53, 49, 25, 15, 34, 21, 16, 10, 19, 2, 9, 20, 1, 14, 37, 7, 1, 3, 0, 10}
	for set, n := range want {
		got := m.count(t, `SELECT count(*) FROM product p JOIN category c ON c.code = p.category_code WHERE coalesce(c.set_no, 0) = $1`, set)
		if got != n {
			t.Errorf("set %d: %d products, want %d", set, got, n)
		}
	}
}
