package api

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/asset"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/static"
	"choocop.vn/ocop/templates"
)

// described is the API without anything behind it: enough for its document and its page.
func described(t *testing.T) *API {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	views, err := kit.NewViews(kit.ViewConfig{Files: templates.Files, Site: &kit.Site{BaseURL: "https://cho.example", Asset: asset.New(static.Files, "/static").URL}})
	if err != nil {
		t.Fatal(err)
	}
	a := &API{Views: views, BaseURL: "https://cho.example", Anonymous: AnonymousRates, Partner: PartnerRates}
	if err := a.Open(nil); err != nil {
		t.Fatal(err)
	}
	return a
}

func TestThePageForReadersIsSoundInBothLanguages(t *testing.T) {
	a := described(t)
	for _, l := range i18n.Locales {
		samples, err := a.Samples(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range samples {
			page, err := a.Views.SampleHTML(s)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := goquery.NewDocumentFromReader(bytes.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
				if id := e.AttrOr("id", ""); seen[id] || id == "" {
					t.Errorf("%s: id %q is empty or there twice", l, id)
				} else {
					seen[id] = true
				}
			})
			doc.Find(`a[href^="#"]`).Each(func(_ int, e *goquery.Selection) {
				if !seen[e.AttrOr("href", "")[1:]] {
					t.Errorf("%s: %s leads nowhere", l, e.AttrOr("href", ""))
				}
			})
			if n := doc.Find("h1").Length(); n != 1 || doc.Find("html").AttrOr("lang", "") != string(l) {
				t.Errorf("%s: %d main headings", l, n)
			}
			for _, r := range a.engine.Routes() {
				if r.Method == "OPTIONS" {
					continue
				}
				path := regexp.MustCompile(`:(\w+)`).ReplaceAllString(strings.TrimPrefix(r.Path, Base), "{$1}")
				if !strings.Contains(doc.Find("article").Text(), r.Method+" "+path) {
					t.Errorf("%s: the page does not tell of %s %s", l, r.Method, path)
				}
			}
			if words := regexp.MustCompile(`\s@[a-z]+|ZgotmplZ|api\.(doc|note|docs|status|right)\.|<nil>|%!`).FindString(doc.Find("main").Text()); words != "" {
				t.Errorf("%s: the page says %q", l, words)
			}
		}
	}
}

func TestEveryTextOfTheDocumentIsWrittenAndUsed(t *testing.T) {
	a := described(t)
	used := map[string]bool{}
	for _, l := range i18n.Locales {
		if rest := regexp.MustCompile(`"@[^"]*"|"api\.[a-z_.]+"`).Find(a.docs[l].text); rest != nil {
			t.Errorf("%s: %s is left", l, rest)
		}
		for _, k := range i18n.Keys(l) {
			word, _ := json.Marshal(i18n.T(l, k, nil))
			used[k] = used[k] || bytes.Contains(a.docs[l].text, word)
		}
	}
	for k, ok := range used {
		if strings.HasPrefix(k, "api.doc.") && !ok && !strings.HasSuffix(k, "_text") && !strings.HasPrefix(k, "api.doc.tag.") {
			t.Errorf("%s is used nowhere", k)
		}
	}
}

func TestACursorFitsItsFilterAlone(t *testing.T) {
	f := storefront.Filter{Q: "mật ong", Stars: []int{4, 5}, Size: 24}
	for _, place := range []string{"x", "[1,2]", strings.Repeat("Mật ong ", 40)} {
		if got, err := readCursor(cursor(f, place), f); got != place || err != nil {
			t.Fatalf("%q reads %q, %v", place, got, err)
		}
	}
	text := cursor(f, "[3]")
	for i := range text {
		for _, sign := range "AZaz09-_" {
			changed := text[:i] + string(sign) + text[i+1:]
			if _, err := readCursor(changed, f); changed != text && err == nil {
				t.Errorf("%s passes for %s", changed, text)
			}
		}
	}
	for _, other := range []storefront.Filter{{Q: "mật ong", Stars: []int{45}, Size: 24}, {Q: "mật ong", Size: 24},
		{Q: "mật ong", Stars: []int{4, 5}, Size: 24, Adult: true}, {Q: "mật ong", Stars: []int{4, 5}, Sort: storefront.SortName}, {}} {
		if _, err := readCursor(text, other); err == nil {
			t.Errorf("it fits %+v", other)
		}
	}
}

func FuzzExamine(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[`, `}`, `{"a"}`, `"\u0000"`, "\xff", `{} {}`, ``, `[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]`, `{"a":{"a":1},"b":{"a":1}}`} {
		f.Add([]byte(s))
	}
	unmarshal := formats()["application/json"].Unmarshal
	f.Fuzz(func(t *testing.T, data []byte) {
		var v any
		if err := unmarshal(data, &v); err == nil {
			b, err := json.Marshal(v)
			if err != nil || bytes.Contains(b, []byte(`\u0000`)) {
				t.Errorf("%q passes: %v", data, err)
			}
		} else if json.Valid(data) && !strings.HasPrefix(err.Error(), mark) {
			t.Errorf("%q: %v", data, err)
		}
	})
}
