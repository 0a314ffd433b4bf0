package archtest_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/templates"
)

const locales = "internal/platform/i18n/locales"

// composed are keys that code puts together; a star stands for what it fills in. A line whose beginning
// no code writes, or that has no text, fails.
var composed = []string{
	"account.role.*",
	"api.doc.*", "api.doc.*.*",
	"api.invalid.*",
	"api.note.*.text", "api.note.*.title",
	"api.right.*",
	"api.status.*",
	"cart.line.*",
	"catalog.fact.*",
	"catalog.per.*",
	"certificates.col.*", "certificates.did.*", "certificates.due.*", "certificates.mark.*", "certificates.record_is.*", "certificates.show.*", "certificates.state.*",
	"certification.level.by_*",
	"checkout.method.*",
	"eligibility.*",
	"error.*.title", "error.*.text",
	"mail.*.subject",
	"mail.contact_*.intro", "mail.contact_*.not_you",
	"mail.money_back.why.*",
	"mail.order_*.intro",
	"mail.proof_*.intro",
	"me.consent.*",
	"me.leave.reason.*",
	"money.do.*", "money.reason.*", "money.show.*", "money.state.*", "money.why.*",
	"order.*.required",
	"order.intro.*",
	"order.refund_is.*",
	"order.state.*",
	"order.step.*",
	"phone.*",
	"policy.*",
	"producer.kind.*",
	"proof.level.*",
	"refunds.do.*", "refunds.show.*", "refunds.state.*", "refunds.wait.*", "refunds.why.*",
	"region.*",
	"seller.task.*",
	"showroom.kind.*",
	"sms.*",
	"sort.*",
	"stars.did.*",
	"starlist.ground.*", "starlist.state.*",
	"suggest.*",
	"testcard.do.*",
	"testcard.what.*",
	"weekday.*",
}

// fragment is one file of texts, its keys in the order of the file.
type fragment struct {
	name  string
	keys  []string
	texts map[string]string
}

func fragments(t *testing.T, l i18n.Locale) []fragment {
	t.Helper()
	dir := filepath.Join(root, locales, string(l))
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []fragment
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		f := fragment{name: path.Join(string(l), e.Name()), texts: map[string]string{}}
		d := json.NewDecoder(bytes.NewReader(b))
		if _, err := d.Token(); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		for d.More() {
			var text string
			key, err := d.Token()
			if err == nil {
				err = d.Decode(&text)
			}
			if err != nil {
				t.Fatalf("%s: %v", f.name, err)
			}
			f.keys = append(f.keys, key.(string))
			f.texts[key.(string)] = text
		}
		out = append(out, f)
	}
	return out
}

// fileName is what has the form of a key and is none: files and the names of sites.
var fileName = regexp.MustCompile(`\.(css|html|ico|jpg|js|json|org|png|svg|txt|webp|xml|webmanifest)$`)

// keyShape is area.thing.part. A hyphen stands only in a part that is a word of an address: sort.gia-tang.
var keyShape = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z0-9_]+(-[a-z0-9_]+)*)+$`)

func TestTextsAreTheSameInBothLanguages(t *testing.T) {
	all := map[i18n.Locale]map[string]string{}
	for _, l := range i18n.Locales {
		all[l] = map[string]string{}
		home := map[string]string{}
		for _, f := range fragments(t, l) {
			if !slices.IsSorted(f.keys) {
				t.Errorf("%s is not sorted", f.name)
			}
			for _, k := range f.keys {
				if first, ok := home[k]; ok {
					t.Errorf("%s: %s stands in %s already", f.name, k, first)
				}
				home[k] = f.name
				if !keyShape.MatchString(k) {
					t.Errorf("%s: %s is not area.thing.part", f.name, k)
				}
				if strings.TrimSpace(f.texts[k]) == "" {
					t.Errorf("%s: %s is empty", f.name, k)
				}
				all[l][k] = f.texts[k]
			}
		}
	}
	for k, vi := range all[i18n.VI] {
		en, ok := all[i18n.EN][k]
		if !ok {
			t.Errorf("en: %s is missing", k)
			continue
		}
		if p, q := i18n.Placeholders(vi), i18n.Placeholders(en); !slices.Equal(p, q) {
			t.Errorf("%s: vi has %v, en has %v", k, p, q)
		}
	}
	for k, en := range all[i18n.EN] {
		if _, ok := all[i18n.VI][k]; ok {
			continue
		}
		// English alone counts: KEY.one is its text for one, which need not repeat the number.
		base, one := strings.CutSuffix(k, ".one")
		vi, ok := all[i18n.VI][base]
		if !one || !ok {
			t.Errorf("vi: %s is missing", k)
			continue
		}
		for _, p := range i18n.Placeholders(en) {
			if !slices.Contains(i18n.Placeholders(vi), p) {
				t.Errorf("%s: vi has no {%s}", k, p)
			}
		}
	}
}

func TestEveryTextIsUsedAndEveryUsedTextExists(t *testing.T) {
	mentioned := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || within(s.pkg, "internal/testkit") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				v, ok := text(n)
				if !ok {
					return true
				}
				mentioned[v] = true
				// Pages hand keys on before they ask for the text, so there every word of that form is a key.
				if within(s.pkg, "internal/web") && keyShape.MatchString(v) && !fileName.MatchString(v) && !i18n.Has(i18n.VI, v) {
					t.Errorf("%s: no text for %s", at(n), v)
				}
			case *ast.CallExpr:
				if k, ok := keyOf(n); ok && !within(s.pkg, "internal/web") && !i18n.Has(i18n.VI, k) {
					t.Errorf("%s: no text for %s", at(n), k)
				}
			}
			return true
		})
	}
	templateKeys(t, mentioned)

	covered := make([]bool, len(composed))
	for _, k := range i18n.Keys(i18n.EN) {
		base := k
		if !i18n.Has(i18n.VI, k) {
			base = strings.TrimSuffix(k, ".one")
		}
		used := mentioned[base]
		for i, c := range composed {
			if ok, err := path.Match(strings.ReplaceAll(c, ".", "/"), strings.ReplaceAll(base, ".", "/")); err == nil && ok {
				used, covered[i] = true, true
			}
		}
		if !used {
			t.Errorf("%s is used nowhere", k)
		}
	}
	for i, c := range composed {
		if beginning, _, _ := strings.Cut(c, "*"); !mentioned[beginning] {
			t.Errorf("composed key %s: no code writes %q", c, beginning)
		}
		if !covered[i] {
			t.Errorf("composed key %s has no text", c)
		}
	}
}

// keyOf is the key written out in a call that takes one.
func keyOf(c *ast.CallExpr) (string, bool) {
	place := -1
	switch q, name := called(c); {
	case q == "apperr" && (name == "New" || name == "Field"), q == "i18n" && name == "T":
		place = 1
	case q != "" && name == "T":
		place = 0
	}
	if place < 0 || place >= len(c.Args) {
		return "", false
	}
	return text(c.Args[place])
}

var (
	templateKey = regexp.MustCompile(`\.T\s+("(?:[^"\\]|\\.)*")`)
	quoted      = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// templateKeys adds what templates mention and tries the keys that they name.
func templateKeys(t *testing.T, mentioned map[string]bool) {
	t.Helper()
	err := fs.WalkDir(templates.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".html" && path.Ext(name) != ".txt" {
			return err
		}
		b, err := fs.ReadFile(templates.Files, name)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(b), "\n") {
			for _, a := range action.FindAllString(line, -1) {
				for _, q := range quoted.FindAllString(a, -1) {
					if v, err := strconv.Unquote(q); err == nil {
						mentioned[v] = true
					}
				}
				for _, m := range templateKey.FindAllStringSubmatch(a, -1) {
					if k, err := strconv.Unquote(m[1]); err == nil && !i18n.Has(i18n.VI, k) {
						t.Errorf("templates/%s:%d: no text for %s", name, i+1, k)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
