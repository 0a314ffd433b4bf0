package seller_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"choocop.vn/ocop/internal/platform/asset"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/seller"
	"choocop.vn/ocop/static"
	"choocop.vn/ocop/templates"
)

func TestSamplesAreSoundPages(t *testing.T) {
	missing := map[string]bool{}
	i18n.Missing = func(_ i18n.Locale, key string) { missing[key] = true }
	views, err := kit.NewViews(kit.ViewConfig{Files: templates.Files, Site: &kit.Site{BaseURL: "https://cho.example", Asset: asset.New(static.Files, "/static").URL}})
	if err != nil {
		t.Fatal(err)
	}
	o := &seller.Seller{Views: views, Clock: clock.Fixed(time.Date(2026, 11, 22, 10, 0, 0, 0, clock.HCM))}
	shown := map[string]bool{}
	for _, l := range []i18n.Locale{i18n.VI, i18n.EN} {
		samples, err := o.Samples(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			shown[s.Page] = true
			page, err := views.SampleHTML(s)
			if err != nil {
				t.Errorf("%s: %v", s.Name(), err)
				continue
			}
			doc, err := goquery.NewDocumentFromReader(bytes.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			if doc.Find("h1").Length() != 1 || doc.Find("main").Length() != 1 || doc.Find("html").AttrOr("lang", "") != string(l) || bytes.Contains(page, []byte("ZgotmplZ")) {
				t.Errorf("%s %s is no sound page", l, s.Name())
			}
			seen := map[string]bool{}
			doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
				if id := e.AttrOr("id", ""); seen[id] {
					t.Errorf("%s: id %q twice", s.Name(), id)
				} else {
					seen[id] = true
				}
			})
			doc.Find("label[for], [aria-describedby]").Each(func(_ int, e *goquery.Selection) {
				for _, attr := range []string{"for", "aria-describedby"} {
					for _, id := range strings.Fields(e.AttrOr(attr, "")) {
						if !seen[id] {
							t.Errorf("%s: %s=%q leads nowhere", s.Name(), attr, id)
						}
					}
				}
			})
		}
	}
	for _, page := range views.Names() {
		if strings.HasPrefix(page, "seller/") && !shown[page] {
			t.Errorf("%s stands in no sample", page)
		}
	}
	for key := range missing {
		t.Errorf("no text: %s", key)
	}
}
