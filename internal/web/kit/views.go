package kit

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
)

// Views are the parsed pages of all audiences.
type Views struct {
	files fs.FS
	live  bool
	pages map[string]*template.Template
	site  *Site
	demo  bool
	// count is the number of pieces in the visitor's basket; it is asked only when there is a basket cookie.
	count func(*gin.Context) int
	// uploads are the routes whose forms carry a file, and how large they may be.
	uploads map[string]int64
}

// ViewConfig says where the pages are and what is common to them.
type ViewConfig struct {
	Files     fs.FS
	Live      bool // read the files anew on each request
	Site      *Site
	Demo      bool
	CartCount func(*gin.Context) int
}

// NewViews parses every page, so that a broken one stops the program and not a visitor.
func NewViews(c ViewConfig) (*Views, error) {
	v := &Views{files: c.Files, live: c.Live, site: c.Site, demo: c.Demo, count: c.CartCount}
	if v.count == nil {
		v.count = func(*gin.Context) int { return 0 }
	}
	var err error
	v.pages, err = parse(c.Files, "")
	return v, err
}

// parse makes one template set per page: the frame, all partials, and the page. Its name is
// "audience/page", such as "shop/home". With a name only that page is parsed, for development.
func parse(files fs.FS, only string) (map[string]*template.Template, error) {
	parts := &parts{}
	frame, err := template.New("frame").Funcs(funcs).Funcs(template.FuncMap{"once": parts.html, "each": parts.each}).ParseFS(files, "layout/*.html", "partial/*.html")
	if err != nil {
		return nil, fmt.Errorf("kit: frame: %w", err)
	}
	for _, lang := range []string{"vi", "en"} {
		if frame, err = frame.ParseFS(files, "shop/policy/"+lang+"/*.html"); err != nil {
			return nil, fmt.Errorf("kit: policy: %w", err)
		}
	}
	// Parts run in a set of their own: one that has run cannot be cloned any more.
	if parts.set, err = frame.Clone(); err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, audience := range []string{"shop", "api", "error", "office", "seller"} {
		names, err := fs.Glob(files, audience+"/*.html")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			page := audience + "/" + strings.TrimSuffix(path.Base(name), ".html")
			if only != "" && only != page {
				continue
			}
			set, err := frame.Clone()
			if err != nil {
				return nil, err
			}
			if _, err := set.ParseFS(files, name); err != nil {
				return nil, fmt.Errorf("kit: %s: %w", name, err)
			}
			pages[page] = set
		}
	}
	return pages, nil
}

// Render writes the page with its status. It renders into memory first, so that a fault in a
// template is a clean error and never half a page.
func (v *Views) Render(c *gin.Context, status int, name string, model Model) error {
	html, err := v.HTML(name, model)
	if err != nil {
		return err
	}
	c.Data(status, "text/html; charset=utf-8", html)
	return nil
}

// RenderPart writes only the template "part" of a page, for pieces that script fetches.
func (v *Views) RenderPart(c *gin.Context, name string, model Model) error {
	html, err := v.Part(name, "part", model)
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "text/html; charset=utf-8", html)
	return nil
}

// HTML is the rendered page. An audience may have a frame of its own name; all others share one.
func (v *Views) HTML(name string, model Model) ([]byte, error) {
	frame := "layout"
	if audience, _, _ := strings.Cut(name, "/"); audience == "office" || audience == "seller" {
		frame = audience
	}
	return v.Part(name, frame, model)
}

// Part is one rendered template of a page.
func (v *Views) Part(name, part string, model Model) ([]byte, error) {
	pages := v.pages
	if v.live {
		var err error
		if pages, err = parse(v.files, name); err != nil {
			return nil, err
		}
	}
	t, ok := pages[name]
	if !ok {
		return nil, fmt.Errorf("kit: no page %q", name)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, part, model); err != nil {
		return nil, fmt.Errorf("kit: page %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// Names lists the pages, for the gallery test.
func (v *Views) Names() []string {
	var out []string
	for name := range v.pages {
		out = append(out, name)
	}
	return out
}

// Status is the HTTP status for known errors.
func Status(faults apperr.List) int {
	switch faults.Kind() {
	case apperr.NotFound:
		return http.StatusNotFound
	case apperr.Conflict:
		return http.StatusConflict
	case apperr.Denied:
		return http.StatusForbidden
	case apperr.TooMany:
		return http.StatusTooManyRequests
	case apperr.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusUnprocessableEntity
}

var funcs = template.FuncMap{
	// dict passes several values to a partial that takes one.
	"dict": func(args ...any) map[string]any { return pairs(args) },
	"add":  func(a, b int) int { return a + b },
}
