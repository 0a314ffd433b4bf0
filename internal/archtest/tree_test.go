package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const (
	module = "choocop.vn/ocop"
	root   = "../.."
)

// source is one parsed Go file. All paths begin at the module's root.
type source struct {
	name string // "internal/order/place.go"
	pkg  string // "internal/order"
	test bool
	ast  *ast.File
}

var positions = token.NewFileSet()

// tree is every Go file of the module, whatever its build tags.
var tree = sync.OnceValues(func() ([]source, error) {
	var out []source
	err := walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(positions, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		out = append(out, source{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), ast: f})
		return nil
	})
	return out, err
})

// walk visits every file that belongs to the program; hidden folders hold tools and caches.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(root, func(full string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, full)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != "." && strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"bin", "testdata", "node_modules"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		return visit(filepath.ToSlash(name))
	})
}

func sources(t *testing.T) []source {
	t.Helper()
	all, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// imports lists what a file imports: ours without the module's name, others in full.
func (s source) imports() (ours, others []string) {
	for _, i := range s.ast.Imports {
		p, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		if rest, ok := strings.CutPrefix(p, module+"/"); ok {
			ours = append(ours, rest)
		} else {
			others = append(others, p)
		}
	}
	return ours, others
}

// at is file:line of a node.
func at(n ast.Node) string {
	p := positions.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

// text is the value of a string literal.
func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// called is the qualifier and the name of a called function: "time", "Now".
func called(c *ast.CallExpr) (qualifier, name string) {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return "", f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name, f.Sel.Name
		}
		return "?", f.Sel.Name
	}
	return "", ""
}

// within reports whether a package is one of the given ones or stands below one.
func within(pkg string, parents ...string) bool {
	return slices.ContainsFunc(parents, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") })
}
