package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// Problem is every answer that is no success (RFC 9457).
type Problem struct {
	Type      string `json:"type" doc:"@problem.type" example:"about:blank"`
	Title     string `json:"title" doc:"@problem.title"`
	Status    int    `json:"status" doc:"@problem.status" example:"422"`
	Detail    string `json:"detail" doc:"@problem.detail"`
	RequestID string `json:"request_id,omitempty" doc:"@problem.request_id" example:"7K4M-92QX"`
	Errors    []Flaw `json:"errors,omitempty" doc:"@problem.errors" nullable:"false"`
	// Total and Lines are said when price or stock changed.
	Total *int64         `json:"total,omitempty" doc:"@problem.total"`
	Lines []ConflictLine `json:"lines,omitempty" doc:"@problem.lines" nullable:"false"`

	headers http.Header
}

// Flaw is one thing that is wrong.
type Flaw struct {
	Location string         `json:"location,omitempty" doc:"@flaw.location" example:"body.contact.phone"`
	Message  string         `json:"message" doc:"@flaw.message"`
	Key      string         `json:"key" doc:"@flaw.key" example:"phone.length"`
	Args     map[string]any `json:"args,omitempty" doc:"@flaw.args"`
}

// ConflictLine is a line of the cart that is another than the buyer saw.
type ConflictLine struct {
	SKU       string `json:"sku" example:"DUASAP01"`
	Name      string `json:"name"`
	Quantity  int    `json:"quantity" doc:"@line.quantity"`
	Available int64  `json:"available" doc:"@line.available"`
	Price     int64  `json:"price" doc:"@line.price"`
	PriceSeen int64  `json:"price_seen" doc:"@line.price_seen"`
	Problem   string `json:"problem" enum:"gone,sold_out,short,price_changed,none" doc:"@line.problem"`
}

// Error is for logs.
func (p *Problem) Error() string { return p.Title + ": " + p.Detail }

// GetStatus is the status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders are further headers of the answer.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType is that of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func (p *Problem) header(name, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(name, value)
	return p
}

// write answers outside of an operation.
func (p *Problem) write(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range p.headers {
		h[name] = values
	}
	h.Set("Content-Type", p.ContentType(""))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = encode(w, p) // nobody is left to tell when the client is gone
}

// newProblem says one thing about a whole request.
func newProblem(l i18n.Locale, status int, key string, args map[string]any) *Problem {
	p := bare(l, status, i18n.T(l, key, args))
	p.Errors = []Flaw{{Message: p.Detail, Key: key, Args: args}}
	return p
}

func bare(l i18n.Locale, status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: i18n.T(l, "api.status."+statusName(status), nil), Status: status, Detail: detail}
}

var statusNames = map[int]string{
	http.StatusOK: "200", http.StatusCreated: "201", http.StatusNoContent: "204", http.StatusNotModified: "304",
	http.StatusBadRequest: "400", http.StatusUnauthorized: "401", http.StatusForbidden: "403", http.StatusNotFound: "404",
	http.StatusMethodNotAllowed: "405", http.StatusConflict: "409", http.StatusRequestEntityTooLarge: "413",
	http.StatusUnsupportedMediaType: "415", http.StatusUnprocessableEntity: "422", http.StatusTooManyRequests: "429",
	http.StatusServiceUnavailable: "503",
}

func statusName(status int) string {
	if name, ok := statusNames[status]; ok {
		return name
	}
	return "500"
}

// places says where in a request the domain's fields stand, steps parted by slashes; what is not named stands in the body under its own name.
type places map[string]string

func (p places) of(field string) string {
	if field == "" {
		return ""
	}
	where, ok := p[field]
	if !ok {
		where = "body/" + field
	}
	return strings.ReplaceAll(where, "/", ".")
}

// problem is the one place that makes an answer of an error. Faults are logged and not told.
func problem(ctx context.Context, err error, where places) *Problem {
	who := callerOf(ctx)
	faults, known := apperr.As(err)
	var p *Problem
	ready, made := errors.AsType[*Problem](err)
	switch {
	case made:
		p = ready
	case known:
		p = listed(who.locale, faults, where)
	case db.Away(err) || errors.Is(err, context.DeadlineExceeded):
		p = newProblem(who.locale, http.StatusServiceUnavailable, "error.away.text", nil).header("Retry-After", "10")
	default:
		p = newProblem(who.locale, http.StatusInternalServerError, "error.fault.text", nil)
	}
	if !known && !made && !errors.Is(err, context.Canceled) {
		slog.ErrorContext(ctx, "api request failed", "route", who.route, "request_id", who.request, "error", err)
	}
	if moved, ok := errors.AsType[*moved](err); ok {
		p.Total, p.Lines = moved.total, moved.lines
	}
	p.RequestID = who.request
	return p
}

// listed tells what the domain found, in the reader's language.
func listed(l i18n.Locale, faults apperr.List, where places) *Problem {
	status := kit.Status(faults)
	if len(faults) == 1 && faults[0].Key == "order.key_reused" {
		status = http.StatusUnprocessableEntity // the key is what is wrong, not the state of the world
	}
	p := bare(l, status, "")
	for _, e := range faults {
		p.Errors = append(p.Errors, Flaw{Location: where.of(e.Field), Message: i18n.T(l, e.Key, e.Args), Key: e.Key, Args: e.Args})
	}
	p.Detail = p.Errors[0].Message
	return p
}

// mark parts the key of a message from its one argument in what the validator says.
const mark = "\x1f"

// init teaches the validator to speak in keys; problems of the framework become our own. Both are settings of its package.
func init() {
	huma.DefaultArrayNullable = false
	for at, key := range map[*string]string{
		&validation.MsgUnexpectedProperty: "unknown", &validation.MsgExpectedBoolean: "boolean", &validation.MsgExpectedNumber: "number",
		&validation.MsgExpectedInteger: "integer", &validation.MsgExpectedString: "string", &validation.MsgExpectedArray: "array",
		&validation.MsgExpectedObject: "object", &validation.MsgExpectedArrayItemsUnique: "unique",
		&validation.MsgExpectedOneOf: "one_of" + mark + "%s", &validation.MsgExpectedMinimumNumber: "min" + mark + "%v",
		&validation.MsgExpectedMaximumNumber: "max" + mark + "%v", &validation.MsgExpectedMinLength: "min_length" + mark + "%d",
		&validation.MsgExpectedMaxLength: "max_length" + mark + "%d", &validation.MsgExpectedMinItems: "min_items" + mark + "%d",
		&validation.MsgExpectedMaxItems: "max_items" + mark + "%d", &validation.MsgExpectedMatchPattern: "pattern" + mark + "%s",
		&validation.MsgExpectedBePattern: "pattern" + mark + "%s", &validation.MsgExpectedRFC3986URI: "uri" + mark + "%v",
		&validation.MsgExpectedRequiredProperty: "required" + mark + "%s",
	} {
		*at = mark + key
	}
	huma.NewError = func(status int, _ string, _ ...error) huma.StatusError { return &Problem{Status: status} }
	huma.NewErrorWithContext = refused
}

// said are the framework's own words for what the validator has no message of.
var said = map[string]string{
	"invalid integer": "integer", "invalid boolean": "boolean", "request body is required": "body_required",
	"required header parameter is missing": "required", "required query parameter is missing": "required", "required path parameter is missing": "required",
}

// refused is the answer to a request that does not have the form that the document describes.
func refused(c huma.Context, status int, msg string, errs ...error) huma.StatusError {
	ctx := c.Context()
	who := callerOf(ctx)
	if status >= http.StatusInternalServerError {
		return problem(ctx, errors.Join(append(errs, errors.New(msg))...), nil)
	}
	p := bare(who.locale, status, i18n.T(who.locale, "api.problem.form", nil))
	p.RequestID = who.request
	switch status {
	case http.StatusRequestEntityTooLarge:
		errs = []error{&huma.ErrorDetail{Location: "body", Message: mark + "too_large" + mark + "64"}}
	case http.StatusUnsupportedMediaType:
		errs = []error{&huma.ErrorDetail{Location: "header.Content-Type", Message: mark + "media_type"}}
	case http.StatusBadRequest:
		if len(errs) == 0 {
			errs = []error{&huma.ErrorDetail{Location: "body", Message: msg}}
		}
	}
	for _, err := range errs {
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, flaw(who.locale, d))
		}
	}
	if len(p.Errors) == 1 {
		p.Detail = p.Errors[0].Message
	}
	return p
}

func flaw(l i18n.Locale, d *huma.ErrorDetail) Flaw {
	name, arg, ok := "value", "", false
	if text, marked := strings.CutPrefix(d.Message, mark); marked {
		name, arg, ok = strings.Cut(text, mark)
	} else if known := said[d.Message]; known != "" {
		name = known
	}
	f := Flaw{Location: d.Location, Key: "api.invalid." + name}
	if name == "required" {
		if ok {
			f.Location += "." + arg
		}
		arg = f.Location[strings.LastIndex(f.Location, ".")+1:]
		ok = true
	}
	if ok {
		f.Args = map[string]any{"arg": arg}
	}
	f.Message = i18n.T(l, f.Key, f.Args)
	return f
}

func encode(w interface{ Write([]byte) (int, error) }, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
