package kit

import (
	"html/template"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Page is what every page model embeds: the reader's language, addresses, texts and faults.
type Page struct {
	Locale      i18n.Locale
	Path        string // address without the language prefix, as the Vietnamese page has it
	Query       string // raw query to be kept when changing language; empty on pages with secrets
	Title       string
	Description string
	Canonical   string // path that search engines should keep; empty means Path
	NoIndex     bool
	Refresh     string // without script the browser asks again so: "15;url=/…"
	Preview     bool   // may be shown in chats even though NoIndex; pages about a person never are
	Image       string // absolute address of the picture for Zalo and Facebook
	JSONLD      any    // structured data, marshalled by the template
	Search      string // what stands in the search box
	CartCount   int
	Demo        bool
	Faults      apperr.List
	Site        *Site
}

// Site is what is the same on every page.
type Site struct {
	BaseURL  string
	Operator Operator
	Asset    func(name string) string
}

// Operator is who runs the platform, as the law wants it in the footer (NĐ 248/2026, Art. 4).
type Operator struct{ Name, Address, TaxCode, Phone, Email string }

// Base is the page itself; templates of the layout take it from any model.
func (p *Page) Base() *Page { return p }

// Model is any page model that embeds Page.
type Model interface{ Base() *Page }

// T is the text for key in the reader's language; args alternate name and value.
func (p *Page) T(key string, args ...any) string {
	return i18n.T(p.Locale, key, pairs(args))
}

func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i+1 < len(args); i += 2 {
		m[args[i].(string)] = args[i+1]
	}
	return m
}

// URL is the address of path in the reader's language.
func (p *Page) URL(path string) string { return Localised(p.Locale, path) }

// Localised is the address of a page in a language: English pages live under /en.
func Localised(l i18n.Locale, path string) string {
	if l != i18n.EN {
		return path
	}
	if path == "/" {
		return "/en"
	}
	return "/en" + path
}

// In is the address of this same page in the other language.
func (p *Page) In(l i18n.Locale) string {
	u := Localised(l, p.Path)
	if p.Query != "" {
		u += "?" + p.Query
	}
	return u
}

// Absolute is the full address of the page in a language, without its query, for hreflang and canonical links.
func (p *Page) Absolute(l i18n.Locale) string {
	path := p.Canonical
	if path == "" {
		path = p.Path
	}
	return p.Site.BaseURL + Localised(l, path)
}

// EN reports whether the page is in English.
func (p *Page) EN() bool { return p.Locale == i18n.EN }

// Pick is the text in the reader's language; where the English one is missing the Vietnamese stands.
func (p *Page) Pick(vi, en string) string {
	if p.Locale == i18n.EN && en != "" {
		return en
	}
	return vi
}

// Explain puts known errors on the page, to be shown beside their fields.
func (p *Page) Explain(faults apperr.List) { p.Faults = faults }

// Err is the sentence for a field, or empty.
func (p *Page) Err(field string) string {
	if e, ok := p.Faults.On(field); ok {
		return p.say(e)
	}
	return ""
}

// Other are the sentences that belong to no field of this page.
func (p *Page) Other(fields ...string) []string {
	var out []string
	for _, e := range p.Faults {
		known := false
		for _, f := range fields {
			known = known || f == e.Field
		}
		if e.Field == "" || !known && len(fields) > 0 {
			out = append(out, p.say(e))
		}
	}
	return out
}

func (p *Page) say(e *apperr.Error) string { return i18n.T(p.Locale, e.Key, e.Args) }

// Bad is the number of faults on the page.
func (p *Page) Bad() int { return len(p.Faults) }

// ToMend is the number of fields with a fault: what the reader can mend on this page.
func (p *Page) ToMend() int {
	n := 0
	for _, e := range p.Faults {
		if e.Field != "" {
			n++
		}
	}
	return n
}

// Lang is the value of the html element's lang attribute.
func (p *Page) Lang() string { return string(p.Locale) }

// FullTitle is the title element: the page, then the shop.
func (p *Page) FullTitle() string {
	if p.Title == "" {
		return p.T("site.name")
	}
	return p.Title + " · " + p.T("site.name")
}

// Asset is the fingerprinted address of a static file.
func (p *Page) Asset(name string) string { return p.Site.Asset(name) }

// Frame is what is the same on every page in a language: the layout's own parts are written once for it.
type Frame struct {
	Locale i18n.Locale
	Site   *Site
}

// Frame is the page without what makes it this page.
func (p *Page) Frame() Frame { return Frame{p.Locale, p.Site} }

// T is the text for key.
func (f Frame) T(key string) string { return i18n.T(f.Locale, key, nil) }

// URL is the address of path in the language.
func (f Frame) URL(path string) string { return Localised(f.Locale, path) }

// Asset is the fingerprinted address of a static file.
func (f Frame) Asset(name string) string { return f.Site.Asset(name) }

// NewPage fills the frame from the request.
func (v *Views) NewPage(c *gin.Context, title string) Page {
	l := LocaleOf(c)
	path := c.Request.URL.Path
	if l == i18n.EN {
		path = strings.TrimPrefix(path, "/en")
		if path == "" {
			path = "/"
		}
	}
	// "//host" would lead to another site.
	path = "/" + strings.TrimLeft(path, "/\\")
	return Page{Locale: l, Path: path, Query: c.Request.URL.RawQuery, Title: title, Demo: v.demo, Site: v.site,
		CartCount: v.count(c)}
}

// LocaleOf is the language of the request, told by its address alone so that pages can be cached.
func LocaleOf(c *gin.Context) i18n.Locale {
	if p := c.Request.URL.Path; p == "/en" || strings.HasPrefix(p, "/en/") {
		return i18n.EN
	}
	return i18n.VI
}

// Safe marks text that the program itself made, such as a drawn QR code, as markup.
func Safe(b []byte) template.HTML { return template.HTML(b) }
