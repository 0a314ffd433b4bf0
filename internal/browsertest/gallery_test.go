package browsertest

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// axe is the accessibility checker's script.
func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile("../../.cache/tools/node_modules/axe-core/axe.min.js")
	if err != nil {
		t.Fatalf("axe-core is missing: run `make test`, or `sh deploy/dev/need.sh node pagetools`: %v", err)
	}
	return string(script)
}

// violations runs axe on the page with some of its options.
func (b *tab) violations(options string) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf(`axe.run(document, {resultTypes: ["violations"], iframes: false, %s}).then(r => r.violations.map(v =>
		v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.target.join(" ") + " " + (n.any[0]?.message ?? n.failureSummary ?? "")).join(" | ")))`, options))
}

// sample is a line of the gallery's list.
type sample struct{ name, path string }

func gallery(t *testing.T, m *market, base string) []sample {
	t.Helper()
	answer, err := http.Get(m.url + base + "/_gallery")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(answer.Body)
		t.Fatalf("the gallery answers %s: %.300s", answer.Status, body)
	}
	doc, err := goquery.NewDocumentFromReader(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	doc.Find("main a").Each(func(_ int, e *goquery.Selection) {
		// The suggestions are no page of their own; their test looks at them in place.
		if s := (sample{e.Text(), e.AttrOr("href", "")}); !strings.HasPrefix(s.name, "shop/suggest") {
			out = append(out, s)
		}
	})
	if len(out) < 50 {
		t.Fatalf("the gallery shows only %d samples", len(out))
	}
	return out
}

func TestEveryPageIsAccessibleAndFits(t *testing.T) {
	m, script := open(t), axe(t)
	for _, base := range []string{"", "/en"} {
		t.Run("pages"+base, func(t *testing.T) {
			t.Parallel()
			b := m.tab(t)
			b.always(script)
			for _, s := range gallery(t, m, base) {
				b.look("light", 360, 800)
				b.open(s.path)
				report := func(how string, faults []string) {
					for _, f := range faults {
						t.Errorf("%s (%s), %s: %s", s.name, s.path, how, f)
					}
				}
				report("light", b.violations(""))
				report("at 360 px", b.overflow(360))
				// Colours are all that darkness and width change for axe.
				b.look("dark", 768, 1000)
				report("dark", b.violations(`runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]}`))
				report("at 768 px", b.overflow(768))
				report("console", b.complaints())
			}
		})
	}
}

// overflow names what stands out of a page of this width.
func (b *tab) overflow(width int) []string {
	b.t.Helper()
	return eval[[]string](b, fmt.Sprintf(`(() => {
		const wide = document.scrollingElement.scrollWidth;
		if (wide <= %d) return [];
		const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > %d + 1);
		return ["is " + wide + " px wide: " + out.slice(0, 4).map(e => e.tagName + "." + e.className).join(", ")];
	})()`, width, width))
}
