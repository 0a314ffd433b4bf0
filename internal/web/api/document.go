package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/i18n"
)

// keyScheme names the keys of partners in the document.
const keyScheme = "partner_key"

// tags are the parts of the document in reading order.
var tags = []string{"products", "certificates", "places", "carts", "orders", "webhooks", "document"}

// document is the OpenAPI document in one language.
type document struct {
	text []byte
	page []docsPart
}

// outline is the document before its routes. Texts beginning with @ are keys: publish writes them in each language.
func (a *API) outline() *huma.OpenAPI {
	o := &huma.OpenAPI{OpenAPI: "3.1.0", Info: &huma.Info{Title: "@title", Description: "@intro", Version: "1.0.0"},
		Servers: []*huma.Server{{URL: a.BaseURL + Base}},
		Components: &huma.Components{Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{keyScheme: {Type: "http", Scheme: "bearer", Description: "@key"}}}}
	for _, t := range tags {
		o.Tags = append(o.Tags, &huma.Tag{Name: t, Description: "@tag." + t})
	}
	return o
}

func adapter(e *gin.Engine, g *gin.RouterGroup) huma.Adapter {
	return humagin.NewWithGroup(e, g, huma.Config{}).Adapter()
}

// operations are those of the document, by tag and path.
func operations(o *huma.OpenAPI) []*huma.Operation {
	var out []*huma.Operation
	for _, path := range o.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Patch, path.Delete} {
			if op != nil {
				out = append(out, op)
			}
		}
	}
	order := []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	slices.SortFunc(out, func(x, y *huma.Operation) int {
		if d := slices.Index(tags, x.Tags[0]) - slices.Index(tags, y.Tags[0]); d != 0 {
			return d
		}
		if d := strings.Compare(x.Path, y.Path); d != 0 {
			return d
		}
		return slices.Index(order, x.Method) - slices.Index(order, y.Method)
	})
	return out
}

// publish completes the document and writes it down in every language.
func (a *API) publish(o *huma.OpenAPI) error {
	all := operations(o)
	for _, op := range all {
		if op.Method == http.MethodGet {
			op.Responses["304"] = &huma.Response{}
		}
		for status, r := range op.Responses {
			r.Description = "@status." + status
			for kind, media := range r.Content {
				if kind == "application/json" && media.Schema != nil && media.Example == nil {
					media.Example = example(o, media.Schema, 0)
				}
			}
		}
		if op.RequestBody != nil {
			for _, media := range op.RequestBody.Content {
				media.Example = example(o, media.Schema, 0)
			}
		}
	}
	if err := nullEnums(o); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("api: document: %w", err)
	}
	a.docs = map[i18n.Locale]document{}
	for _, l := range i18n.Locales {
		text := keyed.ReplaceAllFunc(raw, func(b []byte) []byte {
			word, _ := json.Marshal(say(l, string(b[1:len(b)-1]))) // texts always marshal
			return word
		})
		a.docs[l] = document{text: text, page: docsParts(l, o, all)}
	}
	return nil
}

var keyed = regexp.MustCompile(`"@[a-z][a-z0-9_.]*"`)

// say is the text of a document's word in a language; a word without @ is itself.
func say(l i18n.Locale, word string) string {
	name, ok := strings.CutPrefix(word, "@")
	if !ok {
		return word
	}
	if strings.HasPrefix(name, "status.") {
		return i18n.T(l, "api."+name, nil)
	}
	return i18n.T(l, "api.doc."+name, nil)
}

// nullEnums lets null stand among the values of a field that may be null: to JSON Schema an enum is the whole list.
func nullEnums(o *huma.OpenAPI) error {
	for _, s := range o.Components.Schemas.Map() {
		for _, p := range s.Properties {
			if p.Nullable && len(p.Enum) > 0 && !slices.Contains(p.Enum, nil) {
				p.Enum = append(p.Enum, nil)
			}
		}
	}
	return nil
}

// deepest is how far examples follow types within each other.
const deepest = 8

// example puts together an example from those of the fields.
func example(o *huma.OpenAPI, s *huma.Schema, depth int) any {
	if s.Ref != "" {
		s = o.Components.Schemas.SchemaFromRef(s.Ref)
	}
	switch {
	case depth > deepest:
		return nil
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.OneOf) > 0:
		return example(o, s.OneOf[0], depth+1)
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	switch s.Type {
	case huma.TypeObject:
		out := map[string]any{}
		for name, p := range s.Properties {
			out[name] = example(o, p, depth+1)
		}
		return out
	case huma.TypeArray:
		return []any{example(o, s.Items, depth+1)}
	case huma.TypeInteger, huma.TypeNumber:
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case huma.TypeBoolean:
		return false
	}
	switch s.Format {
	case "date":
		return "2028-11-22"
	case "date-time":
		return "2026-11-22T05:00:00Z"
	}
	return "…"
}
