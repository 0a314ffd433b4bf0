package archtest_test

import (
	"go/ast"
	"slices"
	"testing"
)

// openRoutes are routes that stand without a right, and why each is for everyone.
var openRoutes = map[string]string{
	"internal/app GET /static/*path":       "styles, scripts and fonts",
	"internal/app GET /healthz":            "says that the process runs",
	"internal/app GET /readyz":             "says whether database, schema and Redis are there",
	"internal/app GET /metrics":            "figures; the handler lets only this machine see them in production",
	"internal/web/shop GET /anh/:name":     "pictures of goods",
	"internal/web/shop GET /sitemap.xml":   "for search engines",
	"internal/web/shop GET /sitemap/:part": "for search engines",
	"internal/web/shop GET /robots.txt":    "for search engines",
}

var registers = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "Any", "Handle", "Match",
	"Static", "StaticFS", "StaticFile", "StaticFileFS"}

// TestEveryRouteNamesItsRight finds every registration of a route. It stands either in a closure
// whose first parameter is a right, so that each line of the table must name one, or in openRoutes.
func TestEveryRouteNamesItsRight(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sources(t) {
		if _, others := s.imports(); s.test || !slices.Contains(others, "github.com/gin-gonic/gin") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			if f, ok := n.(*ast.FuncLit); ok && takesRight(f.Type) {
				return false
			}
			c, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			q, name := called(c)
			if q == "" || !slices.Contains(registers, name) || len(c.Args) < 2 {
				return true
			}
			where, ok := text(c.Args[0])
			if !ok {
				t.Errorf("%s: %s with an address that is not written out, outside a closure that takes a right", at(c), name)
				return true
			}
			route := s.pkg + " " + name + " " + where
			seen[route] = true
			if openRoutes[route] == "" {
				t.Errorf("%s: %s %s names no right", at(c), name, where)
			}
			return true
		})
	}
	for route := range openRoutes {
		if !seen[route] {
			t.Errorf("%s is open and does not exist", route)
		}
	}
}

// takesRight reports whether the first parameter is a right.
func takesRight(f *ast.FuncType) bool {
	if len(f.Params.List) == 0 {
		return false
	}
	id, ok := f.Params.List[0].Type.(*ast.Ident)
	return ok && id.Name == "right"
}

// TestChangingHandlersAreNotReachedByGET keeps GET free of change where it can be seen: one handler
// never answers both GET and POST.
func TestChangingHandlersAreNotReachedByGET(t *testing.T) {
	changing := map[string]bool{}
	reading := map[string]string{}
	for _, s := range sources(t) {
		if s.test || !within(s.pkg, "internal/web") {
			continue
		}
		ast.Inspect(s.ast, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if !ok || len(c.Args) < 3 {
				return true
			}
			_, name := called(c)
			h, ok := c.Args[2].(*ast.SelectorExpr)
			switch {
			case !ok:
			case name == "post":
				changing[s.pkg+"."+h.Sel.Name] = true
			case name == "get":
				reading[s.pkg+"."+h.Sel.Name] = at(c)
			}
			return true
		})
	}
	for h, where := range reading {
		if changing[h] {
			t.Errorf("%s: %s answers GET and POST", where, h)
		}
	}
}
