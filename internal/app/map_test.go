package app_test

import (
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/testkit"
)

type siteIndex struct {
	XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
	Maps    []string `xml:"sitemap>loc"`
}

type siteMap struct {
	XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
	URLs    []struct {
		Loc  string `xml:"loc"`
		Alts []struct {
			Lang string `xml:"hreflang,attr"`
			Href string `xml:"href,attr"`
		} `xml:"http://www.w3.org/1999/xhtml link"`
	} `xml:"url"`
}

func read(t *testing.T, a *testkit.Answer, into any) {
	t.Helper()
	a.Is(200)
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "application/xml") {
		t.Errorf("%s is %s", a.URL, a.Header.Get("Content-Type"))
	}
	if err := xml.Unmarshal([]byte(a.Body), into); err != nil {
		t.Fatalf("%s: %v", a.URL, err)
	}
}

func TestEveryAddressOfTheSitemapAnswersInBothLanguages(t *testing.T) {
	m := open(t)
	goods(t, m)
	if _, err := m.Showrooms.Register(t.Context(), showroom.Showroom{Code: "SR-01", NameVI: "Điểm bán Hàng Bạc", NameEN: "Hang Bac sales point", Kind: showroom.RestStop,
		Operator: "HTX", ProvinceCode: "01", CommuneCode: "00070", Street: "1 Hàng Bạc", Hours: showroom.EveryDay("08:00", "18:00"), OffersPickup: true}); err != nil {
		t.Fatal(err)
	}
	v := m.visitor(t)
	var index siteIndex
	read(t, v.Get("/sitemap.xml"), &index)
	if len(index.Maps) != 1 {
		t.Fatalf("%d parts", len(index.Maps))
	}
	v.Get("/sitemap/2.xml").Is(404)
	v.Get("/sitemap/0.xml").Is(404)
	v.Get("/sitemap/x").Is(404)
	var site siteMap
	read(t, v.Get(index.Maps[0]), &site)
	listed := map[string]bool{}
	for _, u := range site.URLs {
		if listed[u.Loc] {
			t.Errorf("%s stands twice", u.Loc)
		}
		listed[u.Loc] = true
	}
	if len(listed) < 100 {
		t.Errorf("only %d addresses", len(listed))
	}
	for _, u := range site.URLs {
		a := v.Get(u.Loc)
		if a.Status != 200 {
			t.Errorf("%s answers %d", u.Loc, a.Status)
			continue
		}
		a.Whole()
		if c := a.Find(`link[rel=canonical]`).AttrOr("href", ""); c != u.Loc {
			t.Errorf("%s says its address is %q", u.Loc, c)
		}
		alts := map[string]string{}
		for _, alt := range u.Alts {
			alts[alt.Lang] = alt.Href
		}
		for _, lang := range []string{"vi", "en"} {
			on := a.Find(`link[rel=alternate][hreflang=`+lang+`]`).AttrOr("href", "")
			if on == "" || on != alts[lang] || !listed[on] {
				t.Errorf("%s: its %s page is %q on the page and %q in the map", u.Loc, lang, on, alts[lang])
			}
		}
		if d := a.Find(`meta[name=description]`).AttrOr("content", ""); d == "" && !strings.Contains(u.Loc, "/san-pham/") {
			t.Errorf("%s has no description", u.Loc)
		}
		if a.Find(`meta[property="og:title"], meta[property="og:image"], meta[property="og:url"]`).Length() != 3 {
			t.Errorf("%s cannot be shared", u.Loc)
		}
	}
}

func TestNoLinkOfThePagesIsBroken(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut, tea)
	status := m.buy(t, v, "", "vietqr").URL.String()
	m.put(t, v, "", tea)
	seen, wait := map[string]bool{}, []string{"/", "/en", "/gio-hang", "/thanh-toan", "/en/thanh-toan", status, "/khong-co-trang-nay", "/en/no-such-page"}
	for len(wait) > 0 && len(seen) < 400 {
		path := wait[0]
		wait = wait[1:]
		u, err := url.Parse(path)
		if err != nil {
			t.Errorf("%q is no address", path)
			continue
		}
		// Filters multiply without end: one parameter is enough to try them.
		if seen[path] || u.Host != "" && u.Host != "cho.test" || u.Scheme != "" && u.Scheme != "http" || len(u.Query()) > 1 {
			continue
		}
		seen[path] = true
		a := v.Get(path).Follow()
		if a.Status != 200 && !strings.Contains(path, "khong-co-trang-nay") && !strings.Contains(path, "no-such-page") {
			t.Errorf("%s answers %d", path, a.Status)
			continue
		}
		if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			continue
		}
		a.Whole()
		for _, s := range a.Find("a[href], link[rel=stylesheet][href], script[src], img[src]").EachIter() {
			to := s.AttrOr("href", s.AttrOr("src", ""))
			if strings.HasPrefix(to, "#") || strings.HasPrefix(to, "mailto:") || strings.HasPrefix(to, "data:") {
				continue
			}
			full, err := a.URL.Parse(to)
			if err != nil {
				t.Errorf("%s links to %q", path, to)
				continue
			}
			full.Fragment = ""
			wait = append(wait, full.String())
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d pages", len(seen))
	}
}

func TestRobotsKeepOutOfPrivatePages(t *testing.T) {
	m := open(t)
	a := m.visitor(t).Get("/robots.txt").Is(200)
	for _, line := range []string{"User-agent: *", "Disallow: /gio-hang", "Disallow: /en/thanh-toan$", "Disallow: /don-hang/", "Sitemap: http://cho.test/sitemap.xml"} {
		if !strings.Contains(a.Body, line+"\n") {
			t.Errorf("robots.txt has no line %q", line)
		}
	}
	if strings.Contains(a.Body, "Disallow: /\n") || strings.Contains(a.Body, "Disallow: /static") {
		t.Error("robots.txt keeps the shop out")
	}
	// robots.txt matches prefixes: the terms of payment must stay open beside the checkout.
	for _, line := range strings.Split(a.Body, "\n") {
		if p, ok := strings.CutPrefix(line, "Disallow: "); ok {
			for _, open := range []string{"/", "/en", "/san-pham", "/san-pham/dua-sap", "/thanh-toan-the-nao", "/en/thanh-toan-the-nao", "/tinh", "/xac-minh"} {
				if rule := strings.TrimSuffix(p, "$"); strings.HasPrefix(open, rule) && (rule == p || rule == open) {
					t.Errorf("%q keeps %s out", line, open)
				}
			}
		}
	}
}
