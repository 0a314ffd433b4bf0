package app_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

// maxAge is how long a page may be kept by a browser or proxy.
func maxAge(t *testing.T, a *testkit.Answer) time.Duration {
	t.Helper()
	for _, part := range strings.Split(a.Header.Get("Cache-Control"), ",") {
		if s, ok := strings.CutPrefix(strings.TrimSpace(part), "max-age="); ok {
			n, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			return time.Duration(n) * time.Second
		}
	}
	return 0
}

func TestACertificateIsGoneEverywhereAtMidnight(t *testing.T) {
	m := open(t)
	ends := today.AddDays(1)
	coconut := testkit.Product(t, m.DB, testkit.WithName("Dừa sáp Trà Vinh", "Tra Vinh waxy coconut"), testkit.WithStars(5, ends))
	stays := testkit.Product(t, m.DB, testkit.WithName("Mật dừa nước", "Nipa palm syrup"), testkit.WithStars(4, today.AddMonths(24)))
	m.index(t)
	var code, province, maker string
	testkit.Scan(t, m.DB, &code, `SELECT code FROM certificate WHERE stars = 5`)
	testkit.Scan(t, m.DB, &province, `SELECT g.slug FROM product p JOIN geo_province g ON g.code = p.province_code WHERE p.id = $1`, coconut)
	testkit.Scan(t, m.DB, &maker, `SELECT m.slug FROM product p JOIN producer m ON m.id = p.producer_id WHERE p.id = $1`, coconut)
	page, proof := "/san-pham/"+m.slugOf(t, coconut), "/xac-minh/"+code
	paths := []string{"/", "/san-pham", "/san-pham?q=dua+sap", "/san-pham?sao=5", "/san-pham?sap-xep=sao", "/tinh/" + province, "/nha-san-xuat/" + maker, page,
		"/san-pham/" + m.slugOf(t, stays), proof}

	// look visits every page and counts badges with five valid stars.
	look := func(lang string) (stars map[string]int, kept map[string]time.Duration) {
		v := m.visitor(t)
		stars, kept = map[string]int{}, map[string]time.Duration{}
		for _, path := range paths {
			a := v.Get(lang + path).Follow().Is(200)
			a.Find(".ocop:not(.off)").Each(func(_ int, s *goquery.Selection) {
				if strings.Contains(s.Text(), text(localeOf(lang), "badge.stars", "n", 5)) {
					stars[path]++
				}
			})
			kept[path] = maxAge(t, a)
		}
		return stars, kept
	}
	jsonLD := func(lang string) map[string]any {
		a := m.visitor(t).Open(lang + page)
		var graph []map[string]any
		if err := json.Unmarshal([]byte(a.Find(`script[type="application/ld+json"]`).Text()), &graph); err != nil {
			t.Fatal(err)
		}
		if _, opinions := graph[0]["aggregateRating"]; opinions || graph[0]["@type"] != "Product" || graph[0]["offers"] == nil {
			t.Errorf("JSON-LD: %v", graph[0])
		}
		return graph[0]
	}

	m.clock.Set(ends.AddDays(1).Time().Add(-10 * time.Second))
	for _, lang := range []string{"", "/en"} {
		stars, kept := look(lang)
		for _, path := range paths {
			if stars[path] == 0 {
				t.Errorf("at 23:59:50 no five stars on %s%s", lang, path)
			}
			if kept[path] > 10*time.Second {
				t.Errorf("%s%s may be kept for %s beyond midnight", lang, path, kept[path])
			}
		}
		if jsonLD(lang)["hasCertification"] == nil {
			t.Error("no certification in the JSON-LD")
		}
	}
	// The caches are full now; ten seconds later it is another day.
	m.clock.Advance(10 * time.Second)
	if clock.Today(m.clock) != ends.AddDays(1) {
		t.Fatal(clock.Today(m.clock))
	}
	for _, lang := range []string{"", "/en"} {
		stars, _ := look(lang)
		for path, n := range stars {
			t.Errorf("at 00:00 five stars on %s%s: %d times", lang, path, n)
		}
		if c := jsonLD(lang)["hasCertification"]; c != nil {
			t.Errorf("at 00:00 the JSON-LD says %v", c)
		}
		v, l := m.visitor(t), localeOf(lang)
		v.Open(lang + page).Says(text(l, "badge.expired"))
		v.Open(lang + proof).Says(text(l, "badge.expired")).Says(text(l, "proof.state.expired", "day", i18n.FormatDay(l, ends)))
		if n := v.Open(lang + "/san-pham?sao=5").Find("article.ware").Length(); n != 0 {
			t.Errorf("the list of five stars holds %d", n)
		}
		if a := v.Open(lang + "/san-pham?sao=4"); a.Find("article.ware").Length() != 1 || a.Find(".ocop:not(.off)").Length() != 1 {
			t.Error("the other certificate went too")
		}
	}
	// What is sold now carries no stars, what was sold before keeps its own.
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	m.buy(t, v, "", "cod")
	if n := m.count(t, `SELECT count(*) FROM order_line WHERE stars IS NOT NULL`); n != 0 {
		t.Error("stars were sold after their end")
	}
}

func TestACertificateIsProvenByAnySpellingOfItsCode(t *testing.T) {
	m := open(t)
	testkit.Product(t, m.DB, testkit.WithStars(4, today.AddMonths(1)))
	m.index(t)
	var code string
	testkit.Scan(t, m.DB, &code, `SELECT code FROM certificate`)
	for _, lang := range []string{"", "/en"} {
		v := m.visitor(t)
		for _, typed := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + code[5:] + " "} {
			a := v.Open(lang+"/xac-minh").Form("main form").Fill("ma", typed).Submit("").Follow()
			a.Is(200).Whole().Says(code)
		}
		for _, typed := range []string{"", " ", "OCOP-2222-2222", "x", huge[:400], `"><script>alert(1)</script>`, "%00", "OCOP-" + strings.Repeat("A", 50)} {
			a := v.Open(lang+"/xac-minh").Form("main form").Force("ma", typed).Submit("")
			if a.Status != 404 && a.Status != 422 || a.Text("#e-ma") == "" || strings.Contains(a.Body, "<script>alert") {
				t.Errorf("%s %.20q: %d, beside the field: %q", lang, typed, a.Status, a.Text("#e-ma"))
			}
		}
		for _, path := range []string{"OCOP-2222-2222", "x", "..%2f..%2fetc", "%00", strings.Repeat("A", 2000)} {
			if a := v.Get(lang + "/xac-minh/" + path); a.Status != 404 && a.Status != 422 {
				t.Errorf("%.30s: %d", path, a.Status)
			}
		}
		if a := v.Get(lang + "/xac-minh/" + code + "/qr.png"); a.Status != 200 || !strings.HasPrefix(a.Body, "\x89PNG") {
			t.Errorf("the code's picture: %d", a.Status)
		}
	}
}
