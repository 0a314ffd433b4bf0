package storefront_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

// ware is a product as the test remembers it.
type ware struct {
	id, producer   int64
	name           string
	code, province string
	price          money.VND
	stars          int
	stocked, adult bool
	published      time.Time
}

var slugs = map[string][]string{ // category slug → leaves
	"": nil, "thuc-pham": {"I.5.a", "I.6", "I.4.a"}, "che": {"I.5.a"}, "che-tuoi-che-bien": {"I.5.a"}, "ca-phe-ca-cao": {"I.6"},
	"do-uong": {"II.1.a"}, "ruou-trang": {"II.1.a"}, "gia-vi": {"I.4.a"},
}

func stall(t *testing.T, s *shop, n int) []ware {
	r := rand.New(rand.NewPCG(7, 26))
	today := clock.On(noon)
	makers := []int64{testkit.Producer(t, s.db), testkit.Producer(t, s.db), testkit.Producer(t, s.db)}
	var out []ware
	for i := range n {
		w := ware{producer: makers[r.IntN(3)], name: []string{"Đường thốt nốt", "Dưa món", "Ớt xanh", "Ổi đào", "Chè búp", "An xoa"}[r.IntN(6)], code: []string{"I.5.a", "I.6", "I.4.a", "II.1.a"}[r.IntN(4)],
			province: []string{"86", "91", "19"}[r.IntN(3)], price: money.VND([]int{20_000, 50_000, 75_000, 100_000, 350_000, 2_000_000}[r.IntN(6)]),
			stocked: r.IntN(3) > 0, published: noon.Add(-time.Duration(i) * time.Hour)}
		w.adult = w.code == "II.1.a"
		o := []testkit.ProductOption{testkit.WithProducer(w.producer), testkit.WithName(w.name, ""), testkit.WithCategory(w.code), testkit.WithProvince(w.province),
			testkit.WithPrice(int64(w.price)), testkit.WithPublished(w.published), testkit.WithStock(0)}
		if w.stocked {
			o = append(o, testkit.WithStock(int64(1+r.IntN(20))))
		}
		switch k := r.IntN(6); {
		case k < 3:
			w.stars = 3 + k
			o = append(o, testkit.WithStars(w.stars, today.AddDays(r.IntN(3))))
		case k == 3: // lapsed yesterday
			o = append(o, testkit.WithStars(5, today.AddDays(-1)))
		}
		w.id = testkit.Product(t, s.db, o...)
		if w.stars == 3 && r.IntN(2) == 0 { // two at once: the better one counts
			testkit.Certificate(t, s.db, 4, today, w.id)
			w.stars = 4
		}
		out = append(out, w)
	}
	s.index(t)
	return out
}

// fits says whether a ware passes a filter, passing over the one named in without.
func (w ware) fits(f storefront.Filter, without string) bool {
	leaves := slugs[f.Category]
	return (f.Adult || !w.adult) && (f.ProducerID == 0 || f.ProducerID == w.producer) &&
		(without == "category" || f.Category == "" || slices.Contains(leaves, w.code)) &&
		(without == "province" || f.Province == "" || f.Province == w.province) &&
		(without == "stars" || len(f.Stars) == 0 || slices.Contains(f.Stars, w.stars)) &&
		(without == "price" || w.price >= f.MinPrice && (f.MaxPrice == 0 || w.price <= f.MaxPrice)) &&
		(without == "stock" || !f.InStock || w.stocked)
}

func count(all []ware, keep func(ware) bool) int {
	n := 0
	for _, w := range all {
		if keep(w) {
			n++
		}
	}
	return n
}

func drawFilter(t *rapid.T, all []ware) storefront.Filter {
	f := storefront.Filter{
		Category: rapid.SampledFrom(sortedKeys(slugs)).Draw(t, "category"),
		Province: rapid.SampledFrom([]string{"", "", "86", "91", "19"}).Draw(t, "province"),
		Stars:    rapid.SampledFrom([][]int{nil, nil, {5}, {3, 4}, {3, 4, 5}}).Draw(t, "stars"),
		InStock:  rapid.Bool().Draw(t, "in stock"),
		Adult:    rapid.Bool().Draw(t, "adult"),
		Sort:     rapid.SampledFrom(storefront.Sorts).Draw(t, "sort"),
		Size:     100,
	}
	p := rapid.SampledFrom([][2]money.VND{{0, 0}, {0, 0}, {0, 50_000}, {50_000, 100_000}, {100_000, 0}, {1, 3_000_000_000}}).Draw(t, "price")
	f.MinPrice, f.MaxPrice = p[0], p[1]
	if rapid.IntRange(0, 3).Draw(t, "of a maker") == 0 {
		f.ProducerID = all[0].producer
	}
	return f
}

func sortedKeys[V any](m map[string]V) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func TestFacetsEqualARecount(t *testing.T) {
	s := open(t)
	all := stall(t, s, 70)
	rapid.Check(t, func(t *rapid.T) { judge(t, s, drawFilter(t, all), all) })
}

// judge compares a list with a count of all wares by hand.
func judge(t *rapid.T, s *shop, f storefront.Filter, all []ware) {
	t.Helper()
	l, err := s.List(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	equal := func(what string, got, want int) {
		if got != want {
			t.Errorf("%s: %d, recounted %d", what, got, want)
		}
	}
	equal("total", l.Total, count(all, func(w ware) bool { return w.fits(f, "") }))
	g := f
	g.Adult = true
	hidden := 0
	if !f.Adult {
		hidden = count(all, func(w ware) bool { return w.adult && w.fits(g, "") })
	}
	equal("hidden", l.Hidden, hidden)
	equal("in stock", l.Facets.InStock, count(all, func(w ware) bool { return w.stocked && w.fits(f, "stock") }))
	equal("all", l.Facets.All, count(all, func(w ware) bool { return w.fits(f, "stock") }))
	for _, x := range l.Facets.Stars {
		equal(fmt.Sprint("stars ", x.Stars), x.Count, count(all, func(w ware) bool { return w.stars == x.Stars && w.fits(f, "stars") }))
	}
	for _, x := range l.Facets.Prices {
		equal(fmt.Sprint("price ", x.Min), x.Count, count(all, func(w ware) bool {
			return w.price >= x.Min && (x.Max == 0 || w.price <= x.Max) && w.fits(f, "price")
		}))
	}
	provinces := 0
	for _, x := range l.Facets.Provinces {
		provinces += x.Count
		equal("province "+x.Code, x.Count, count(all, func(w ware) bool { return w.province == x.Code && w.fits(f, "province") }))
	}
	equal("provinces", provinces, count(all, func(w ware) bool { return w.fits(f, "province") }))
	roots := 0
	for _, x := range l.Facets.Categories {
		if x.Depth == 0 {
			roots += x.Count
		}
		if leaves, ok := slugs[x.Slug]; ok {
			equal("category "+x.Slug, x.Count, count(all, func(w ware) bool { return slices.Contains(leaves, w.code) && w.fits(f, "category") }))
		}
	}
	equal("categories", roots, count(all, func(w ware) bool { return w.fits(f, "category") }))

	var want []ware
	for _, w := range all {
		if w.fits(f, "") {
			want = append(want, w)
		}
	}
	slices.SortFunc(want, order(f.Sort))
	wantIDs := make([]int64, len(want))
	for i, w := range want {
		wantIDs[i] = w.id
	}
	if got := ids(l.Cards); !slices.Equal(got, wantIDs) {
		t.Errorf("order %q: %v, want %v", f.Sort, got, wantIDs)
	}
}

func order(by storefront.Sort) func(a, b ware) int {
	return func(a, b ware) int {
		newer := cmp.Compare(b.id, a.id)
		switch by {
		case storefront.SortNewest:
			return b.published.Compare(a.published)
		case storefront.SortCheap:
			return cmp.Or(cmp.Compare(a.price, b.price), newer)
		case storefront.SortDear:
			return cmp.Or(cmp.Compare(b.price, a.price), newer)
		case storefront.SortName:
			return cmp.Or(i18n.Compare(a.name, b.name), newer)
		}
		stock := 0
		if a.stocked != b.stocked {
			stock = 1
			if a.stocked {
				stock = -1
			}
		}
		return cmp.Or(stock, cmp.Compare(b.stars, a.stars), b.published.Compare(a.published))
	}
}

func TestPagesCutTheListWithoutGapOrRepeat(t *testing.T) {
	s := open(t)
	all := stall(t, s, 40)
	seen := map[int64]bool{}
	for p := 1; p <= 12; p++ {
		l := s.list(t, storefront.Filter{Adult: true, Size: 3, Page: p, Sort: storefront.SortName})
		if l.Pages != 14 || l.Page != p || len(l.Cards) != 3 {
			t.Fatalf("page %d of %d has %d cards", l.Page, l.Pages, len(l.Cards))
		}
		for _, c := range l.Cards {
			seen[c.ProductID] = true
		}
	}
	if len(seen) != 36 || len(all) != 40 {
		t.Errorf("twelve pages of three show %d products", len(seen))
	}
}

// A list compares the copies of a certificate's days that its products hold. They must follow it at once, also when a
// product is tied to a certificate whose revocation is not yet written.
func TestRevocationReachesListsAtOnce(t *testing.T) {
	s := open(t)
	ctx, today := context.Background(), clock.On(noon)
	first, late := testkit.Product(t, s.db), testkit.Product(t, s.db)
	certificate := testkit.Certificate(t, s.db, 5, today.AddDays(30), first)
	s.index(t)
	counted := func() int { return s.list(t, storefront.Filter{Stars: []int{5}}).Total }
	if n := counted(); n != 1 {
		t.Fatalf("%d products with five stars, want 1", n)
	}
	tied := make(chan error, 1)
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if err := tx.Exec(`UPDATE certificate SET revoked_on = ?, revoked_why = 'thử' WHERE id = ?`, today, certificate).Error; err != nil {
			return err
		}
		go func() {
			tied <- s.db.Primary(ctx).Exec(`INSERT INTO certificate_product (certificate_id, product_id) VALUES (?, ?)`, certificate, late).Error
		}()
		select {
		case err := <-tied:
			t.Errorf("a product was tied to a certificate in revocation: %v", err)
		case <-time.After(100 * time.Millisecond):
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-tied; err != nil {
		t.Fatal(err)
	}
	if n := counted(); n != 0 {
		t.Errorf("%d products keep the stars of a revoked certificate", n)
	}
	s.clock.Set(noon.AddDate(0, 0, -1))
	if n := counted(); n != 2 {
		t.Errorf("%d products have five stars on the day before the revocation, want 2", n)
	}
}
