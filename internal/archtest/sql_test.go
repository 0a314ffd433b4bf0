package archtest_test

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// readSides are packages that are read models through and through, so that a statement may stand beside
// the page or the suggestions it makes. What they write, if anything, stands in their store file.
var readSides = []string{"internal/search", "internal/storefront", "internal/report"}

// sqlElsewhere are files of domains with SQL beside store and query files, and why.
var sqlElsewhere = map[string]string{}

var (
	statement = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s`)
	writing   = regexp.MustCompile(`\b(INSERT INTO|UPDATE [a-z_]+ (SET|[a-z]+ SET)|DELETE FROM|FOR UPDATE)\b`)
)

// TestSQLStandsInStoreAndQuery keeps a domain's statements where a reader looks for them. Invariants
// that the doctor tries are SQL by nature and stand in functions named Checks.
func TestSQLStandsInStoreAndQuery(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		base := path.Base(s.name)
		if s.test || !domain(s.pkg) && s.pkg != "internal/demo" || strings.Contains(base, "store") || strings.Contains(base, "query") {
			continue
		}
		reads := slices.Contains(readSides, s.pkg)
		for _, d := range s.ast.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "Checks" {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				what := ""
				switch n := n.(type) {
				case *ast.CallExpr:
					if q, name := called(n); q != "" && (name == "Raw" && !reads || name == "Exec") {
						what = "calls " + name
					}
				case *ast.BasicLit:
					if v, ok := text(n); ok && (statement.MatchString(v) && !reads || writing.MatchString(v)) {
						what = "holds a statement"
					}
				}
				if what != "" {
					seen[s.name] = true
					if sqlElsewhere[s.name] == "" {
						t.Errorf("%s %s: SQL stands in store*.go and query*.go", at(n), what)
					}
				}
				return true
			})
		}
	}
	for name := range sqlElsewhere {
		if !seen[name] {
			t.Errorf("%s no longer needs its exception", name)
		}
	}
}
