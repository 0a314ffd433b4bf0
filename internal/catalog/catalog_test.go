package catalog_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/testkit"
)

var november = clock.Fixed(time.Date(2026, 11, 22, 9, 0, 0, 0, clock.HCM))

func open(t *testing.T) (*db.DB, *catalog.Service, context.Context) {
	t.Helper()
	d := testkit.DB(t)
	return d, catalog.New(d, november), context.Background()
}

func TestCategoriesAreSixSectorsWithTwentySixSets(t *testing.T) {
	_, s, ctx := open(t)
	tree, err := s.Categories(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tree.Roots()); n != 6 {
		t.Errorf("%d sectors, want 6", n)
	}
	for set := 1; set <= 26; set++ {
		c, ok := tree.BySet(set)
		if !ok || len(tree.Path(c.Code)) < 2 || len(tree.Children(c.Code)) != 0 {
			t.Errorf("set %d: %+v", set, c)
		}
	}
	path := tree.Path("I.5.a")
	if len(path) != 3 || path[0].Code != "I" || path[1].Code != "I.5" || path[2].SetNo != 11 {
		t.Errorf("path %+v", path)
	}
	if below := tree.Below("II"); len(below) != 7 {
		t.Errorf("below II: %v", below)
	}
	if c, ok := tree.BySlug("ruou-trang"); !ok || c.SetNo != 14 {
		t.Errorf("by slug: %+v", c)
	}
	if tree.Path("nothing") != nil {
		t.Error("an unknown code has a path")
	}
}

func TestRulesCountOnlyInTheirTime(t *testing.T) {
	d, s, ctx := open(t)
	testkit.Exec(t, d, `INSERT INTO category_rule (set_no, rule, legal_basis, effective_from, effective_to, suspended_by) VALUES
		(1, 'no_cod', 'thử', '2026-01-10', '2026-01-20', NULL), (2, 'no_cod', 'thử', '2026-01-01', NULL, 'NQ thử')`)
	day := func(n int) clock.Date { return clock.NewDate(2026, 1, n) }
	for n, want := range map[int]bool{9: false, 10: true, 20: true, 21: false} {
		if r, err := s.RulesOf(ctx, 1, day(n)); err != nil || r.NoCOD != want {
			t.Errorf("%d January: %+v, %v", n, r, err)
		}
	}
	if r, _ := s.RulesOf(ctx, 2, day(15)); r.NoCOD {
		t.Error("a suspended rule counts")
	}
	all, err := s.Rules(ctx, clock.NewDate(2026, 11, 22))
	if err != nil {
		t.Fatal(err)
	}
	if r := all[14]; !r.AdultsOnly || !r.NoCOD {
		t.Errorf("liquor: %+v", r)
	}
	if !all[26].ContactOnly || !all[25].NoParcel || !all[18].NotAMedicine || all[3] != (catalog.Rules{}) {
		t.Errorf("rules %+v", all)
	}
	if r, _ := s.RulesOf(ctx, 14, clock.NewDate(2019, 12, 31)); r.AdultsOnly {
		t.Error("the liquor law counts before it began")
	}
}

func TestOffersSayWhatMayBeSold(t *testing.T) {
	d, s, ctx := open(t)
	maker := testkit.Producer(t, d)
	tea := testkit.Product(t, d, testkit.WithProducer(maker), testkit.WithName("Chè Thử", "Test tea"), testkit.WithPrice(95_000))
	wine := testkit.Product(t, d, testkit.WithCategory("II.1.a"), testkit.WithName("Rượu thử", ""))
	tour := testkit.Product(t, d, testkit.WithCategory("VI.1"))
	draft := testkit.Product(t, d, testkit.WithState("draft"))
	pill := testkit.Product(t, d, testkit.WithMedicine())
	ids := map[string]int64{}
	var list []int64
	for name, p := range map[string]int64{"tea": tea, "wine": wine, "tour": tour, "draft": draft, "pill": pill} {
		ids[name] = testkit.VariantOf(t, d, p)
		list = append(list, ids[name])
	}
	got, err := s.Offers(ctx, d.Read(ctx), append(list, 1<<40), clock.NewDate(2026, 11, 22))
	if err != nil || len(got) != 5 {
		t.Fatal(len(got), err)
	}
	for name, want := range map[string]bool{"tea": true, "wine": true, "tour": false, "draft": false, "pill": false} {
		if got[ids[name]].Sellable != want {
			t.Errorf("%s sellable = %v", name, !want)
		}
	}
	o := got[ids["tea"]]
	if o.Price != 95_000 || o.NameEN != "Test tea" || o.SetNo != 11 || o.ProducerID != maker || o.UnitVI != "gói 200 g" || o.WeightG != 230 {
		t.Errorf("offer %+v", o)
	}
	if o := got[ids["wine"]]; o.NameEN != "Rượu thử" || !o.Rules.AdultsOnly || !o.Rules.NoCOD {
		t.Errorf("offer %+v", o)
	}
	testkit.Exec(t, d, `UPDATE producer SET state = 'suspended' WHERE id = $1`, maker)
	if got, _ = s.Offers(ctx, d.Read(ctx), list, clock.NewDate(2026, 11, 22)); got[ids["tea"]].Sellable {
		t.Error("a suspended producer sells")
	}
	if got, err := s.Offers(ctx, d.Read(ctx), nil, clock.NewDate(2026, 11, 22)); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestVariantBySKU(t *testing.T) {
	d, s, ctx := open(t)
	p := testkit.Product(t, d, testkit.WithSKU("CHE-01"))
	if id, err := s.VariantBySKU(ctx, d.Read(ctx), " che-01 "); err != nil || id != testkit.VariantOf(t, d, p) {
		t.Error(id, err)
	}
	if _, err := s.VariantBySKU(ctx, d.Read(ctx), "nope"); !errors.Is(err, apperr.New(apperr.NotFound, "catalog.sku.unknown")) {
		t.Error(err)
	}
}

func TestPublishWantsNameVariantAndVerifiedProducer(t *testing.T) {
	d, s, ctx := open(t)
	p := testkit.Product(t, d, testkit.WithState("draft"))
	publish := func() error {
		return d.InTx(ctx, func(tx db.Tx) error { return s.Publish(ctx, tx, p, "officer") })
	}
	testkit.Exec(t, d, `UPDATE variant SET state = 'archived' WHERE product_id = $1`, p)
	testkit.Exec(t, d, `UPDATE producer SET state = 'submitted'`)
	testkit.Exec(t, d, `DELETE FROM product_text WHERE product_id = $1`, p)
	list, ok := apperr.As(publish())
	if !ok || len(list) != 3 {
		t.Fatalf("missing: %v", list)
	}
	testkit.Exec(t, d, `UPDATE variant SET state = 'active' WHERE product_id = $1`, p)
	testkit.Exec(t, d, `UPDATE producer SET state = 'verified'`)
	testkit.Exec(t, d, `INSERT INTO product_text (product_id, locale, name) VALUES ($1, 'vi', 'Có tên')`, p)
	for range 2 {
		if err := publish(); err != nil {
			t.Fatal(err)
		}
	}
	var state string
	var trace int64
	testkit.Scan(t, d, &trace, `SELECT count(*) FROM audit_event WHERE action = 'product.published'`)
	if testkit.Scan(t, d, &state, `SELECT state FROM product WHERE id = $1`, p); state != "published" || trace != 1 {
		t.Errorf("state %s, %d traces", state, trace)
	}
	err := d.InTx(ctx, func(tx db.Tx) error { return s.Withdraw(ctx, tx, p, "officer") })
	if testkit.Scan(t, d, &state, `SELECT state FROM product WHERE id = $1`, p); err != nil || state != "draft" {
		t.Errorf("state %s, %v", state, err)
	}
	testkit.Exec(t, d, `UPDATE product SET is_medicine = true`)
	if err := publish(); !errors.Is(err, apperr.New(apperr.Conflict, "catalog.publish.medicine")) {
		t.Error(err)
	}
}

func TestChangePriceLeavesARow(t *testing.T) {
	d, s, ctx := open(t)
	testkit.Product(t, d, testkit.WithSKU("A1"), testkit.WithPrice(95_000))
	for _, price := range []int64{99_000, 99_000, 98_000} {
		err := d.InTx(ctx, func(tx db.Tx) error { return s.ChangePrice(ctx, tx, "a1", money.VND(price), "seller") })
		if err != nil {
			t.Fatal(err)
		}
	}
	var rows, last int64
	testkit.Scan(t, d, &rows, `SELECT count(*) FROM price_change WHERE actor = 'seller'`)
	if testkit.Scan(t, d, &last, `SELECT price FROM price_change ORDER BY id DESC LIMIT 1`); rows != 2 || last != 98_000 {
		t.Errorf("%d rows, last %d", rows, last)
	}
	for _, c := range []struct {
		sku   string
		price int64
		key   error
	}{{"A1", 0, apperr.Field("price", "catalog.price.positive")}, {"A1", -5, apperr.Field("price", "catalog.price.positive")},
		{"B2", 5, apperr.New(apperr.NotFound, "catalog.sku.unknown")}} {
		err := d.InTx(ctx, func(tx db.Tx) error { return s.ChangePrice(ctx, tx, c.sku, money.VND(c.price), "seller") })
		if !errors.Is(err, c.key) {
			t.Errorf("%s at %d: %v", c.sku, c.price, err)
		}
	}
}
