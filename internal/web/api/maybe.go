package api

import (
	"encoding/json"
	"mime"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
)

// Maybe is an object or null.
type Maybe[T any] struct{ Value *T }

// MarshalJSON writes the object or null.
func (m Maybe[T]) MarshalJSON() ([]byte, error) { return json.Marshal(m.Value) }

// Schema describes it as OpenAPI 3.1 says it.
func (m Maybe[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(reflect.TypeFor[T](), true, ""), {Type: "null"}}}
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}
