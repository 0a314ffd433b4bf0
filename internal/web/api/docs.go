package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// docsPart is a chapter of routes.
type docsPart struct {
	ID, Title, Text string
	Routes          []docsRoute
}

// docsRoute is one route as the page shows it.
type docsRoute struct {
	ID, Method, Path, Title, Text, Right string
	Params, Fields                       []docsField
	Request, Response                    string
	Statuses                             []docsStatus
}

type docsField struct {
	Name, Type, Text string
	Required         bool
}

type docsStatus struct{ Code, Text string }

// docsNote is a paragraph that holds for all routes.
type docsNote struct{ ID, Title, Text string }

// Docs is the page for people who write programs against the API. It is made from the document, so it cannot say
// anything else than that.
type Docs struct {
	kit.Page
	Address, Document string
	Notes             []docsNote
	Parts             []docsPart
}

// PageRoutes registers the page among those of the site.
func (a *API) PageRoutes(e *gin.Engine) {
	for _, base := range []string{"/", "/en"} {
		g := e.Group(base)
		get := func(_ right, path string, h kit.Handler) { g.GET(path, a.Views.Do(h)) }
		get(anyone, docsPath, a.showDocs)
	}
}

func (a *API) showDocs(c *gin.Context) error {
	c.Header("Cache-Control", "private, no-cache")
	return a.Views.Render(c, http.StatusOK, "api/docs", a.docsPage(a.Views.NewPage(c, "")))
}

var notes = []string{"keys", "buying", "repeats", "problems", "lists", "keeping", "languages", "limits", "webhooks"}

func (a *API) docsPage(p kit.Page) *Docs {
	m := &Docs{Page: p, Address: a.BaseURL + Base, Document: Base + "/openapi.json", Parts: a.docs[p.Locale].page}
	m.Title, m.Description, m.Query = m.T("api.doc.title"), m.T("api.doc.intro"), ""
	for _, n := range notes {
		m.Notes = append(m.Notes, docsNote{n, m.T("api.note." + n + ".title"), m.T("api.note." + n + ".text")})
	}
	return m
}

// Samples are the states of the page, for the gallery.
func (a *API) Samples(l i18n.Locale) ([]kit.Sample, error) {
	return []kit.Sample{{Page: "api/docs", State: "whole", Model: a.docsPage(a.Views.SamplePage(l, docsPath))}}, nil
}

func docsParts(l i18n.Locale, o *huma.OpenAPI, all []*huma.Operation) []docsPart {
	out := make([]docsPart, len(tags))
	for i, t := range tags {
		out[i] = docsPart{ID: t, Title: say(l, "@tag."+t), Text: say(l, "@tag."+t+"_text")}
	}
	for _, op := range all {
		i := slices.Index(tags, op.Tags[0])
		out[i].Routes = append(out[i].Routes, docsRouteOf(l, o, op))
	}
	return out
}

func docsRouteOf(l i18n.Locale, o *huma.OpenAPI, op *huma.Operation) docsRoute {
	r := docsRoute{ID: op.OperationID, Method: op.Method, Path: op.Path, Title: say(l, op.Summary), Text: say(l, op.Description)}
	if w, ok := op.Metadata["right"].(right); ok {
		r.Right = i18n.T(l, "api.right."+string(w), nil)
	}
	for _, p := range op.Parameters {
		r.Params = append(r.Params, docsField{Name: p.Name, Type: p.In + ", " + typeOf(l, o, p.Schema), Text: say(l, p.Description), Required: p.Required})
	}
	if op.RequestBody != nil {
		for _, media := range op.RequestBody.Content {
			r.Fields = fields(l, o, media.Schema, "")
			r.Request = pretty(media.Example)
		}
	}
	for _, code := range slices.Sorted(keysOf(op.Responses)) {
		r.Statuses = append(r.Statuses, docsStatus{code, i18n.T(l, "api.status."+code, nil)})
		if media := op.Responses[code].Content["application/json"]; media != nil {
			r.Response = pretty(media.Example)
		}
	}
	return r
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func pretty(v any) string {
	if v == nil {
		return ""
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // examples always marshal
	return strings.TrimSpace(b.String())
}

// fields are those of a body with the objects in it laid out flat: address.province_code.
func fields(l i18n.Locale, o *huma.OpenAPI, s *huma.Schema, before string) []docsField {
	if s.Ref != "" {
		s = o.Components.Schemas.SchemaFromRef(s.Ref)
	}
	var out []docsField
	for _, name := range slices.Sorted(keysOf(s.Properties)) {
		p := s.Properties[name]
		out = append(out, docsField{Name: before + name, Type: typeOf(l, o, p), Text: say(l, p.Description), Required: slices.Contains(s.Required, name)})
		inner, mark := p, "."
		if p.Type == huma.TypeArray {
			inner, mark = p.Items, "[]."
		}
		if inner.Ref != "" || inner.Type == huma.TypeObject {
			out = append(out, fields(l, o, inner, before+name+mark)...)
		}
	}
	return out
}

// typeOf is the type with its bounds, in signs that need no translation.
func typeOf(l i18n.Locale, o *huma.OpenAPI, s *huma.Schema) string {
	if s.Ref != "" {
		s = o.Components.Schemas.SchemaFromRef(s.Ref)
	}
	out := s.Type
	if s.Type == huma.TypeArray {
		out = typeOf(l, o, s.Items) + "[]"
	}
	var more []string
	if len(s.Enum) > 0 {
		var values []string
		for _, v := range s.Enum {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
		more = append(more, strings.Join(values, " | "))
	}
	if s.Minimum != nil && s.Maximum != nil {
		more = append(more, strconv.FormatInt(int64(*s.Minimum), 10)+"–"+strconv.FormatInt(int64(*s.Maximum), 10))
	}
	if s.MaxLength != nil {
		more = append(more, "≤ "+strconv.Itoa(*s.MaxLength))
	}
	if len(more) > 0 {
		out += " (" + strings.Join(more, ", ") + ")"
	}
	return out
}
