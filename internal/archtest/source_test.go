package archtest_test

import (
	"bytes"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readsTheClock are files that may ask the machine for the time outside the packages that carry it.
var readsTheClock = map[string]string{
	"internal/web/kit/kit.go":     "measures how long an answer took, which no rule depends on",
	"internal/web/front/front.go": "measures how long an answer took, which no rule depends on",
}

func TestTimeComesFromTheClock(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || within(s.pkg, platform, "internal/app", "internal/adapter", "internal/testkit", "internal/bench", "cmd") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Now" {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" {
				seen[s.name] = true
				if readsTheClock[s.name] == "" {
					t.Errorf("%s: time comes from a clock.Clock", at(sel))
				}
			}
			return true
		})
	}
	for name := range readsTheClock {
		if !seen[name] {
			t.Errorf("%s no longer needs its exception", name)
		}
	}
}

var moneyName = regexp.MustCompile(`(?i)(price|amount|total|money|cost|fee|discount|refund|payout|dong|vnd)`)

// notMoneyNames are names that sound like money and measure something else.
var notMoneyNames = []string{
	"NetAmount", "netAmount", // grams, millilitres or pieces in a pack
}

func TestMoneyIsNeverAFloat(t *testing.T) {
	for _, s := range sources(t) {
		check := func(names []*ast.Ident, kind ast.Expr) {
			if p, ok := kind.(*ast.StarExpr); ok {
				kind = p.X
			}
			k, ok := kind.(*ast.Ident)
			if !ok || k.Name != "float64" && k.Name != "float32" {
				return
			}
			for _, n := range names {
				if moneyName.MatchString(n.Name) && !slices.Contains(notMoneyNames, n.Name) {
					t.Errorf("%s: %s is a %s; money is money.VND", at(n), n.Name, k.Name)
				}
			}
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				check(n.Names, n.Type)
			case *ast.ValueSpec:
				check(n.Names, n.Type)
			case *ast.FuncDecl:
				if n.Type.Results != nil {
					for _, r := range n.Type.Results.List {
						check([]*ast.Ident{n.Name}, r.Type)
					}
				}
			}
			return true
		})
	}
}

const (
	maxLines = 600
	maxFiles = 15
	maxOrder = 24 // one lock order ties a purchase from its placing to its refund together: two packages would share its rows
	maxPages = 40 // packages of web hold one file for each resource of their audience
)

func TestFilesAndPackagesStaySmall(t *testing.T) {
	files := map[string]int{}
	promise := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
	err := walk(func(name string) error {
		kind := path.Ext(name)
		if !slices.Contains([]string{".go", ".sql", ".html", ".txt", ".css", ".js", ".sh", ".yaml"}, kind) {
			return nil
		}
		b, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if kind == ".go" && !strings.HasSuffix(name, "_test.go") {
			files[path.Dir(name)]++
		}
		// A reference table of rows is data, however long.
		if n := bytes.Count(b, []byte{'\n'}); n > maxLines && kind != ".sql" && kind != ".txt" {
			t.Errorf("%s has %d lines; at most %d", name, n, maxLines)
		}
		for i, line := range bytes.Split(b, []byte{'\n'}) {
			if promise.Match(line) {
				t.Errorf("%s:%d promises work for later", name, i+1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for pkg, n := range files {
		most := maxFiles
		if within(pkg, "internal/web") {
			most = maxPages
		}
		if pkg == "internal/order" {
			most = maxOrder
		}
		if n > most {
			t.Errorf("%s has %d files; at most %d", pkg, n, most)
		}
	}
}

func TestPackagesAreNamedForWhatTheyHold(t *testing.T) {
	for _, s := range sources(t) {
		if base := path.Base(s.pkg); slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "base", "misc"}, base) {
			t.Errorf("%s: no package is named %s", s.name, base)
		}
	}
}

// TestExportedNamesAreExplained wants a comment on every exported type, function, method, constant
// and variable; a comment on a group counts for its members.
func TestExportedNamesAreExplained(t *testing.T) {
	explained := map[string]bool{}
	for _, s := range sources(t) {
		if s.test || !within(s.pkg, "internal") {
			continue
		}
		explained[s.pkg] = explained[s.pkg] || s.ast.Doc != nil
		for _, d := range s.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Doc == nil && d.Name.IsExported() && (d.Recv == nil || exportedReceiver(d.Recv)) {
					t.Errorf("%s: %s has no comment", at(d), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, sp := range d.Specs {
					for _, n := range unexplained(d, sp) {
						t.Errorf("%s: %s has no comment", at(n), n.Name)
					}
				}
			}
		}
	}
	for pkg, ok := range explained {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}

func unexplained(d *ast.GenDecl, sp ast.Spec) []*ast.Ident {
	var out []*ast.Ident
	switch sp := sp.(type) {
	case *ast.TypeSpec:
		if sp.Name.IsExported() && sp.Doc == nil && sp.Comment == nil && d.Doc == nil {
			out = append(out, sp.Name)
		}
	case *ast.ValueSpec:
		for _, n := range sp.Names {
			if n.IsExported() && sp.Doc == nil && sp.Comment == nil && d.Doc == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

func exportedReceiver(r *ast.FieldList) bool {
	kind := r.List[0].Type
	for {
		switch k := kind.(type) {
		case *ast.StarExpr:
			kind = k.X
		case *ast.IndexExpr:
			kind = k.X
		case *ast.IndexListExpr:
			kind = k.X
		case *ast.Ident:
			return k.IsExported()
		default:
			return false
		}
	}
}
