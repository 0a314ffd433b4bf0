package app_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/testkit"
)

func TestPagesTakeAsManyStatementsForThirtyProductsAsForOne(t *testing.T) {
	m := open(t)
	maker := testkit.Producer(t, m.DB)
	kind := func() int64 {
		return testkit.Product(t, m.DB, testkit.WithProducer(maker), testkit.WithStars(5, today.AddMonths(3)), testkit.WithStory(strings.Repeat("Chuyện kể. ", 10)))
	}
	products := []int64{kind()}
	var slug, province string
	testkit.Scan(t, m.DB, &slug, `SELECT slug FROM producer WHERE id = $1`, maker)
	testkit.Scan(t, m.DB, &province, `SELECT g.slug FROM producer m JOIN geo_province g ON g.code = m.province_code WHERE m.id = $1`, maker)
	paths := []string{"/", "/san-pham", "/san-pham?sao=5", "/san-pham?q=mon+thu", "/tinh", "/tinh/" + province, "/nha-san-xuat/" + slug, "/san-pham/" + m.slugOf(t, products[0]),
		"/gio-hang", "/thanh-toan"}
	measure := func() map[string][]string {
		m.index(t)
		v := m.visitor(t)
		m.put(t, v, "", products...)
		for _, p := range paths {
			v.Open(p) // what is kept in memory is asked once
		}
		out := map[string][]string{}
		for _, p := range paths {
			m.redis.Stop() // no cache helps
			m.redis.Start()
			out[p] = m.fewest(func() { v.Open(p) })
		}
		return out
	}
	one := measure()
	for range 29 {
		products = append(products, kind())
	}
	thirty := measure()
	for _, p := range paths {
		if a, b := len(one[p]), len(thirty[p]); a != b || a == 0 {
			t.Errorf("%s takes %d statements for one product and %d for thirty:\n%s", p, a, b, strings.Join(thirty[p], "\n--\n"))
		}
		t.Logf("%-30s %d", p, len(one[p]))
	}
}

func TestPuttingAThingIntoABasketTakesSixStatements(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	form := func(product int64) url.Values {
		return url.Values{"sku": {testkit.SKUOf(t, m.DB, product)}, "so-luong": {"1"}}
	}
	first, second := form(coconut), form(tea)
	v := m.visitor(t)
	v.Post("/gio-hang", first).Is(303) // the rules of trade are read once
	for what, do := range map[string]func(){
		"into a new basket":    func() { m.visitor(t).Post("/gio-hang", first).Is(303) },
		"another thing":        func() { v.Post("/gio-hang", second).Is(303) },
		"the same thing again": func() { v.Post("/gio-hang", first).Is(303) },
		"into a basket forgotten": func() {
			lost := m.visitor(t)
			lost.SetCookie("gio", "mot-gio-khong-con")
			lost.Post("/gio-hang", first).Is(303)
		},
	} {
		if sent := m.fewest(do); len(sent) > 6 {
			t.Errorf("%s takes %d statements:\n%s", what, len(sent), strings.Join(sent, "\n--\n"))
		}
	}
}

// fewest are the statements of what is done several times over, when it took the fewest: the first that comes after a second
// has passed asks what changed, and reads what did; the first search has the words read.
func (m *market) fewest(do func()) []string {
	best := m.queries.During(do)
	for range 4 {
		time.Sleep(50 * time.Millisecond)
		if again := m.queries.During(do); len(again) < len(best) {
			best = again
		}
	}
	return best
}
