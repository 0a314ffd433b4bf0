package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/demo"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

// keepingPages turns the cache of whole pages on, which other tests do without: they change goods and look at once.
func keepingPages(c *config.Config) { c.PageCache = 3 * time.Second }

func TestTwoShoppersNeverSeeEachOthersBasket(t *testing.T) {
	m := open(t, keepingPages)
	coconut, tea := goods(t, m)
	pages := []string{"/", "/san-pham", "/san-pham/" + m.slugOf(t, tea), "/tinh", "/dieu-khoan"}
	hoa, nam, stranger := m.visitor(t), m.visitor(t), m.visitor(t)
	m.put(t, hoa, "", coconut)
	m.put(t, nam, "", tea, coconut)
	for range 3 {
		for _, p := range pages {
			for _, who := range []struct {
				v    *testkit.Visitor
				want string
			}{{hoa, "1"}, {stranger, ""}, {nam, "2"}, {stranger, ""}} {
				a := who.v.Open(p)
				if got, _, _ := strings.Cut(a.Find("header .count").Text(), " "); got != who.want {
					t.Errorf("%s: the header counts %q, want %q", p, got, who.want)
				}
				if cc := a.Header.Get("Cache-Control"); (who.want != "") != strings.Contains(cc, "private") {
					t.Errorf("%s: basket %q, %s", p, who.want, cc)
				}
				if !strings.Contains(a.Header.Get("Vary"), "Cookie") && who.want == "" {
					t.Errorf("%s: Vary %q", p, a.Header.Get("Vary"))
				}
			}
		}
	}
}

func TestAKeptPageHasTheHeadersOfAFreshOne(t *testing.T) {
	m := open(t, keepingPages)
	goods(t, m)
	fresh, kept := m.visitor(t).Open("/"), m.visitor(t).Open("/")
	for name := range fresh.Header {
		if name != "X-Request-Id" && fresh.Header.Get(name) != kept.Header.Get(name) {
			t.Errorf("%s: %q and %q", name, fresh.Header.Get(name), kept.Header.Get(name))
		}
	}
	if kept.Header.Get("Content-Security-Policy") == "" || kept.Header.Get("X-Request-Id") == "" || kept.Header.Get("X-Request-Id") == fresh.Header.Get("X-Request-Id") {
		t.Errorf("%v", kept.Header)
	}
	counted := m.visitor(t).Get("/metrics").Body
	if !strings.Contains(counted, `ocop_http_seconds_count{method="GET",route="/",status="2xx"} 2`) {
		t.Error("the answer from memory is not counted")
	}
}

func TestEachLanguageAndEachAgeHasPagesOfItsOwn(t *testing.T) {
	m := open(t, keepingPages)
	goods(t, m)
	wine := testkit.Product(t, m.DB, testkit.WithName("Rượu men lá", "Forest leaf spirit"), testkit.WithCategory("II.1.a"))
	m.index(t)
	child, grown := m.visitor(t), m.visitor(t)
	grown.SetCookie("tuoi", "18")
	for range 2 {
		for _, p := range []string{"/san-pham", "/san-pham/" + m.slugOf(t, wine)} {
			for lang, name := range map[string]string{"": "Rượu men lá", "/en": "Forest leaf spirit"} {
				if a := child.Open(lang + p); strings.Contains(a.Body, name) && strings.Contains(a.Body, "95.000") && strings.Contains(p, "san-pham/") {
					t.Errorf("%s%s shows goods for adults to anyone", lang, p)
				}
				a := grown.Open(lang + p)
				a.Says(name)
				if cc := a.Header.Get("Cache-Control"); strings.Contains(cc, "public") {
					t.Errorf("a page for adults says %s", cc)
				}
				if child.Open(lang+"/").Find("html").AttrOr("lang", "") != map[string]string{"": "vi", "/en": "en"}[lang] {
					t.Error("another language")
				}
			}
		}
	}
}

func TestAKeptPageLosesItsStarsAtMidnight(t *testing.T) {
	m := open(t, keepingPages)
	product := testkit.Product(t, m.DB, testkit.WithStars(5, today))
	m.index(t)
	badge := text(i18n.VI, "badge.stars", "n", 5)
	path := "/san-pham/" + m.slugOf(t, product)
	m.clock.Set(time.Date(2026, 11, 22, 23, 59, 58, 0, clock.HCM))
	shown := m.visitor(t).Open(path).Says(badge)
	if d := maxAge(t, shown); d > 2*time.Second {
		t.Errorf("two seconds before midnight a browser may keep it for %v", d)
	}
	m.clock.Advance(1900 * time.Millisecond)
	m.visitor(t).Open(path).Says(badge)
	m.clock.Advance(100 * time.Millisecond)
	if a := m.visitor(t).Open(path); a.Find(".ocop:not(.off)").Length() != 0 {
		t.Error("stars after their last day")
	}
}

func TestPriceAndStockShowWithinSeconds(t *testing.T) {
	m := open(t, keepingPages)
	_, tea := goods(t, m)
	path := "/san-pham/" + m.slugOf(t, tea)
	m.visitor(t).Open(path).Says("120.000")
	testkit.Exec(t, m.DB, `UPDATE variant SET price = 130000 WHERE sku = 'CHESHAN1'`)
	m.clock.Advance(3 * time.Second)
	if a := m.visitor(t).Open(path).Says("130.000"); maxAge(t, a) > 5*time.Second {
		t.Errorf("kept by browsers for %v", maxAge(t, a))
	}
	soldOut := text(i18n.VI, "product.sold_out")
	if strings.Contains(m.visitor(t).Open(path).Body, soldOut) {
		t.Fatal("sold out too early")
	}
	_, err := m.Stock.Adjust(context.Background(), inventory.Adjustment{SKU: "CHESHAN1", Delta: -10, Reason: "vỡ", Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	m.clock.Advance(3 * time.Second)
	m.visitor(t).Open(path).Says(soldOut)
}

func TestAFloodOnAnExpiredPageCostsOnePage(t *testing.T) {
	m := open(t, keepingPages)
	goods(t, m)
	v := m.visitor(t)
	for _, path := range []string{"/", "/san-pham", "/san-pham?q=che"} {
		v.Open(path)
		m.clock.Advance(time.Minute)
		one := len(m.queries.During(func() { v.Open(path) })) + 1 // the memory of goods may just ask what has changed
		m.clock.Advance(time.Minute)
		all := len(m.queries.During(func() {
			var wg sync.WaitGroup
			for range 200 {
				twin := v.Twin()
				wg.Go(func() {
					if a, err := twin.Try("GET", path, nil); err != nil || a.Status != 200 {
						t.Errorf("%v %v", a, err)
					}
				})
			}
			wg.Wait()
		}))
		if all > one {
			t.Errorf("%s: %d statements for one visitor, %d for 200 at once", path, one, all)
		}
	}
}

// weight is what a page and the style sheets and scripts it loads weigh on the wire with gzip, without pictures and fonts.
func weight(t *testing.T, v *testkit.Visitor, a *testkit.Answer) int {
	t.Helper()
	v.Header.Set("Accept-Encoding", "gzip")
	defer v.Header.Del("Accept-Encoding")
	packed := v.Get(a.URL.String())
	sum := len(packed.Body)
	if packed.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%s is sent as it is", a.URL)
	} else if z, err := gzip.NewReader(strings.NewReader(packed.Body)); err != nil {
		t.Error(err)
	} else if b, err := io.ReadAll(z); err != nil || !bytes.Contains(b, []byte("</html>")) {
		t.Errorf("%s: not the whole page: %v", a.URL, err)
	}
	seen := map[string]bool{}
	load := func(path string) {
		if path == "" || seen[path] {
			return
		}
		seen[path] = true
		f := v.Get(path)
		f.Is(200)
		if cc := f.Header.Get("Cache-Control"); !strings.Contains(cc, "immutable") {
			t.Errorf("%s: %q", path, cc)
		}
		sum += len(f.Body)
	}
	a.Find(`link[rel=stylesheet], link[rel=modulepreload], script[src]`).Each(func(_ int, s *goquery.Selection) {
		load(s.AttrOr("href", s.AttrOr("src", "")))
	})
	return sum
}

func TestPagesWeighLittle(t *testing.T) {
	m := open(t, keepingPages, func(c *config.Config) { c.Demo = true })
	_, err := demo.Seed(context.Background(), demo.Services{DB: m.DB, Intake: m.Intake, Producers: m.Producers, Catalog: m.Catalog, Inventory: m.Stock, Showrooms: m.Showrooms}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := m.visitor(t)
	home, list := v.Open("/"), v.Open("/san-pham")
	product := list.Click("article.ware h3 a")
	pages := []*testkit.Answer{home, list, v.Open("/san-pham?q=mat+ong"), product}
	buyer := m.visitor(t)
	buyer.Open(product.URL.Path).Form("form#buy").Submit("").Follow().Is(200)
	m.checkout(t, buyer, "")
	pages = append(pages, buyer.Open("/gio-hang"), buyer.Open("/thanh-toan"))
	for i, a := range pages {
		who := v
		if i > 3 {
			who = buyer
		}
		n := weight(t, who, a)
		if t.Logf("%-60s %6d bytes, the page alone %6d unpacked", a.URL.Path, n, len(a.Body)); n > 60_000 {
			t.Errorf("%s weighs %d bytes", a.URL, n)
		}
	}
}
