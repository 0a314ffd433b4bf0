package shop_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"choocop.vn/ocop/internal/adapter/vietqr"
	"choocop.vn/ocop/internal/platform/asset"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/shop"
	"choocop.vn/ocop/static"
	"choocop.vn/ocop/templates"
)

var locales = []i18n.Locale{i18n.VI, i18n.EN}

func gallery(t *testing.T) *shop.Shop {
	t.Helper()
	operator := kit.Operator{Name: "Trung tâm Xúc tiến thương mại", Email: "lien-he@choocop.example"}
	views, err := kit.NewViews(kit.ViewConfig{Files: templates.Files, Demo: true,
		Site: &kit.Site{BaseURL: "https://cho.example", Operator: operator, Asset: asset.New(static.Files, "/static").URL}})
	if err != nil {
		t.Fatal(err)
	}
	return &shop.Shop{Views: views, Codes: shop.Codes{SVG: vietqr.QR, PNG: vietqr.PNG}, Operator: operator,
		Clock: clock.Fixed(time.Date(2026, 11, 22, 10, 0, 0, 0, clock.HCM))}
}

func samples(t *testing.T, s *shop.Shop, l i18n.Locale) []kit.Sample {
	t.Helper()
	list, err := s.Samples(l)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestEveryPageHasSamples(t *testing.T) {
	s := gallery(t)
	seen, names := map[string]bool{}, map[string]bool{}
	for _, sample := range samples(t, s, i18n.VI) {
		seen[sample.Page] = true
		if names[sample.Name()] {
			t.Errorf("two samples are called %s", sample.Name())
		}
		names[sample.Name()] = true
	}
	for _, page := range s.Views.Names() {
		if (strings.HasPrefix(page, "shop/") || strings.HasPrefix(page, "error/")) && !seen[page] {
			t.Errorf("%s stands in no sample", page)
		}
	}
}

func TestSamplesAreSoundPages(t *testing.T) {
	s := gallery(t)
	for _, l := range locales {
		for _, sample := range samples(t, s, l) {
			t.Run(string(l)+" "+sample.Name(), func(t *testing.T) {
				page, err := s.Views.SampleHTML(sample)
				if err != nil {
					t.Fatal(err)
				}
				doc, err := goquery.NewDocumentFromReader(bytes.NewReader(page))
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Contains(page, []byte("ZgotmplZ")) {
					t.Error("a value was refused by the template's escaping: ZgotmplZ")
				}
				if sample.Part == "" {
					frame(t, doc, l)
				}
				ids(t, doc)
				fields(t, doc)
				texts(t, doc)
				links(t, doc, l)
				if n := doc.Find("[style], style").Length(); n > 0 {
					t.Errorf("%d inline styles, which the security policy drops", n)
				}
				doc.Find("script:not([src]):not([type='application/ld+json'])").Each(func(int, *goquery.Selection) {
					t.Error("an inline script, which the security policy drops")
				})
			})
		}
	}
}

func frame(t *testing.T, doc *goquery.Document, l i18n.Locale) {
	t.Helper()
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("%d h1 elements", n)
	}
	if n := doc.Find("main").Length(); n != 1 {
		t.Errorf("%d main elements", n)
	}
	if lang := doc.Find("html").AttrOr("lang", ""); lang != string(l) {
		t.Errorf("html lang is %q", lang)
	}
	if title := doc.Find("title").First().Text(); strings.HasPrefix(title, " ·") || title == "" {
		t.Errorf("title is %q", title)
	}
	doc.Find("script[type='application/ld+json']").Each(func(_ int, e *goquery.Selection) {
		if !json.Valid([]byte(e.Text())) {
			t.Errorf("structured data is no JSON: %.100s", e.Text())
		}
	})
}

// ids checks that ids are unique and that what refers to one finds it; an error that no field points at
// is never read aloud.
func ids(t *testing.T, doc *goquery.Document) {
	t.Helper()
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, e *goquery.Selection) {
		id := e.AttrOr("id", "")
		if seen[id] || id == "" || strings.ContainsAny(id, " \t\n") {
			t.Errorf("id %q is empty, spaced or there twice", id)
		}
		seen[id] = true
	})
	described := map[string]bool{}
	for _, attr := range []string{"aria-describedby", "aria-labelledby", "aria-controls", "for", "form"} {
		doc.Find("[" + attr + "]").Each(func(_ int, e *goquery.Selection) {
			for id := range strings.FieldsSeq(e.AttrOr(attr, "")) {
				described[id] = true
				if !seen[id] {
					t.Errorf("%s=%q leads nowhere", attr, id)
				}
			}
		})
	}
	for id := range seen {
		if strings.HasPrefix(id, "e-") && !described[id] {
			t.Errorf("no field points at the error %q", id)
		}
	}
}

func fields(t *testing.T, doc *goquery.Document) {
	t.Helper()
	labels := map[string]string{}
	doc.Find("label[for]").Each(func(_ int, e *goquery.Selection) { labels[e.AttrOr("for", "")] = strings.TrimSpace(e.Text()) })
	doc.Find("input:not([type=hidden]), select, textarea").Each(func(_ int, e *goquery.Selection) {
		around := strings.TrimSpace(e.Closest("label").Text())
		if labels[e.AttrOr("id", "-")] == "" && around == "" && e.AttrOr("aria-label", "") == "" {
			t.Errorf("field %q has no label", e.AttrOr("name", ""))
		}
	})
	doc.Find("button, a[href]").Each(func(_ int, e *goquery.Selection) {
		if strings.TrimSpace(e.Text())+e.AttrOr("aria-label", "") == "" {
			t.Errorf("a button or link says nothing: %s", outer(e))
		}
	})
	doc.Find("form").Each(func(_ int, e *goquery.Selection) {
		names := map[string]bool{}
		e.Find("input:not([type=radio]):not([type=checkbox])[name], select[name], textarea[name]").Each(func(_ int, f *goquery.Selection) {
			name := f.AttrOr("name", "")
			if names[name] && e.AttrOr("method", "") == "post" {
				t.Errorf("a form has two fields %q", name)
			}
			names[name] = true
		})
	})
}

func outer(e *goquery.Selection) string {
	s, _ := goquery.OuterHtml(e)
	return s
}

var (
	key   = regexp.MustCompile(`^[a-z_]+(\.[a-z_0-9]+)+$`)
	brace = regexp.MustCompile(`\{[a-z_]+\}|%!|<no value>|<nil>`)
)

// texts looks for keys that were not translated and values that were not filled in.
func texts(t *testing.T, doc *goquery.Document) {
	t.Helper()
	var walk func(*html.Node)
	check := func(s string) {
		s = strings.TrimSpace(s)
		if key.MatchString(s) {
			t.Errorf("not translated: %s", s)
		}
		if brace.MatchString(s) {
			t.Errorf("not filled in: %q", s)
		}
	}
	walk = func(n *html.Node) {
		if n.Type == html.TextNode && n.Parent.Data != "script" && !outward(n.Parent) {
			check(n.Data)
		}
		for _, a := range n.Attr {
			if slices.Contains([]string{"alt", "title", "aria-label", "placeholder", "content"}, a.Key) {
				check(a.Val)
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	for _, n := range doc.Nodes {
		walk(n)
	}
}

// outward reports whether a link leads to another site: its text is that site's name, which looks like a key.
func outward(n *html.Node) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "rel" && strings.Contains(a.Val, "external") })
}

// links keep a reader in the language; only the switch leaves it.
func links(t *testing.T, doc *goquery.Document, l i18n.Locale) {
	t.Helper()
	doc.Find("a[href], form[action]").Each(func(_ int, e *goquery.Selection) {
		to := e.AttrOr("href", e.AttrOr("action", ""))
		// The office has one address for both languages: it speaks that of the account.
		if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "/static/") || to == "/office" {
			return
		}
		_, change := e.Attr("hreflang")
		english := to == "/en" || strings.HasPrefix(to, "/en/") || strings.HasPrefix(to, "/en?")
		if english != (l == i18n.EN) != change {
			t.Errorf("in the language %s this leads into the other: %s", l, to)
		}
	})
	doc.Find("[src]").Each(func(_ int, e *goquery.Selection) {
		if e.AttrOr("src", "") == "" {
			t.Errorf("an empty src: %s", outer(e))
		}
	})
}

// TestSamplesAreValidHTML gives all samples to html-validate in one run.
func TestSamplesAreValidHTML(t *testing.T) {
	tool, err := filepath.Abs("../../../.cache/tools/node_modules/.bin/html-validate")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); err != nil {
		t.Fatalf("html-validate is missing: run `make test`, or `sh deploy/dev/need.sh node pagetools`: %v", err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".htmlvalidate.json", []byte(rules))
	s := gallery(t)
	names := map[string]string{}
	for _, l := range locales {
		for i, sample := range samples(t, s, l) {
			if sample.Part != "" {
				continue
			}
			page, err := s.Views.SampleHTML(sample)
			if err != nil {
				t.Fatal(err)
			}
			file := fmt.Sprintf("%s-%03d.html", l, i)
			names[file] = string(l) + " " + sample.Name()
			write(file, page)
		}
	}
	cmd := exec.Command(tool, "--config", filepath.Join(dir, ".htmlvalidate.json"), "--formatter", "json", dir)
	cmd.Dir = dir
	// A file, because the tool ends before a pipe has taken all of a long answer.
	out, err := os.Create(filepath.Join(t.TempDir(), "answer.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &complaints
	if err = cmd.Run(); err == nil {
		return
	}
	answer, e := os.ReadFile(out.Name())
	if e != nil {
		t.Fatal(e)
	}
	var results []struct {
		FilePath string
		Messages []struct {
			RuleID, Message string
			Line            int
		}
	}
	if e := json.Unmarshal(answer, &results); e != nil {
		t.Fatalf("html-validate: %v: %.500s%s", err, answer, complaints.Bytes())
	}
	for _, r := range results {
		for _, m := range r.Messages {
			t.Errorf("%s, line %d: %s (%s)", names[filepath.Base(r.FilePath)], m.Line, m.Message, m.RuleID)
		}
	}
}

// rules are the standard's and those for readers with aids, without the taste of the tool. A page that waits for money
// refreshes itself where no script can do it, every 15 seconds; it has no field that this would empty but a folded one.
const rules = `{"root": true, "extends": ["html-validate:standard", "html-validate:a11y"], "rules": {"meta-refresh": "off",
	"no-implicit-button-type": "off", "aria-label-misuse": ["error", {"allowAnyNamable": true}]}}`
