// Package kit is what the pages of every audience share: turning a handler's error into a response,
// rendering, forms, language, request ids, security headers, limits and rights.
//
// A handler returns an error; Do is the only place that makes a response of it. Known errors
// (apperr) become a translated page; anything else is logged with the route and the request id and
// shown as one sentence.
package kit

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/redis"
)

// Handler answers one request or says why not.
type Handler func(c *gin.Context) error

const requestIDKey = "request_id"

// Do runs h and answers for its error.
func (v *Views) Do(h Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := h(c); err != nil {
			v.Fail(c, err)
		}
	}
}

// Failure is the model of every error page.
type Failure struct {
	Page
	Status  int
	Text    string
	Request string
}

// Fail answers with the page for err.
func (v *Views) Fail(c *gin.Context, err error) {
	if errors.Is(err, context.Canceled) {
		c.Abort()
		return
	}
	status, request := http.StatusInternalServerError, RequestID(c)
	faults, known := apperr.As(err)
	switch {
	case known:
		status = Status(faults)
	case tooLarge(err):
		status = http.StatusRequestEntityTooLarge
	case db.Away(err) || errors.Is(err, context.DeadlineExceeded):
		status = http.StatusServiceUnavailable
		c.Header("Retry-After", "10")
	}
	if status >= http.StatusInternalServerError {
		slog.ErrorContext(c.Request.Context(), "request failed", "route", c.FullPath(), "method", c.Request.Method, "request_id", request, "error", err)
	}
	// The basket is not asked for again: the database may be what is away.
	p := (&Views{site: v.site, demo: v.demo, count: func(*gin.Context) int { return 0 }}).NewPage(c, "")
	c.Header("Cache-Control", "no-store")
	if e := v.Render(c, status, "error/error", NewFailure(p, status, faults, request)); e != nil {
		slog.ErrorContext(c.Request.Context(), "error page failed", "request_id", request, "error", e)
		c.String(status, "%s (%s)", http.StatusText(status), request)
	}
	c.Abort()
}

// NewFailure is the error page for a status; the first known fault speaks where there is one.
func NewFailure(p Page, status int, faults apperr.List, request string) *Failure {
	m := &Failure{Page: p, Status: status, Request: request}
	m.Query, m.NoIndex = "", true
	m.Title = m.T("error." + statusName(status) + ".title")
	m.Text = m.T("error." + statusName(status) + ".text")
	if len(faults) > 0 && status != http.StatusNotFound {
		m.Text = m.say(faults[0])
	}
	return m
}

// plain reports whether PostgreSQL can hold s: UTF-8 without NUL. Nothing else comes from a keyboard.
func plain(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func tooLarge(err error) bool {
	_, large := errors.AsType[*http.MaxBytesError](err)
	return large
}

func statusName(status int) string {
	switch status {
	case http.StatusNotFound:
		return "not_found"
	case http.StatusForbidden:
		return "denied"
	case http.StatusTooManyRequests:
		return "too_many"
	case http.StatusServiceUnavailable:
		return "away"
	case http.StatusInternalServerError:
		return "fault"
	}
	return "refused"
}

// NotFound is the handler of addresses that lead nowhere.
func (v *Views) NotFound(c *gin.Context) {
	v.Fail(c, apperr.New(apperr.NotFound, "error.not_found.text"))
}

// RequestID is the id under which the log knows this request.
func RequestID(c *gin.Context) string { return c.GetString(requestIDKey) }

// Recover turns a panic into the fault page.
func (v *Views) Recover() gin.HandlerFunc {
	return func(c *gin.Context) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				slog.ErrorContext(c.Request.Context(), "panic", "route", c.FullPath(), "request_id", RequestID(c), "panic", p, "stack", string(debug.Stack()))
				if !c.Writer.Written() {
					v.Fail(c, errors.New("panic"))
				}
			}
		}()
		c.Next()
	}
}

// Trace gives the request an id and writes one line when it is done. It logs the route pattern, not
// the address: codes, secrets and search words stay out of the log.
func Trace(observe func(route, method string, status int, d time.Duration)) gin.HandlerFunc {
	return func(c *gin.Context) {
		id := ident.Code(4, 4)
		c.Set(requestIDKey, id)
		c.Header("X-Request-Id", id)
		start := time.Now()
		c.Next()
		d := time.Since(start)
		route := c.FullPath()
		if route == "" {
			route = "(none)"
		}
		observe(route, c.Request.Method, c.Writer.Status(), d)
		slog.DebugContext(c.Request.Context(), "request", "route", route, "method", c.Request.Method, "status", c.Writer.Status(), "ms", d.Milliseconds(), "request_id", id)
	}
}

// Headers are the same for every page: no inline script, no framing, no leaking of secret addresses.
// Forms lead to this site, and to the ones named.
func Headers(https bool, formsLeadTo ...string) gin.HandlerFunc {
	policy := "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; " +
		"font-src 'self'; object-src 'none'; base-uri 'none'; form-action " + strings.Join(append([]string{"'self'"}, formsLeadTo...), " ") + "; frame-ancestors 'none'"
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		c.Next()
	}
}

// TakesFile lets the form of a route carry one file: up to max bytes in all. Call it beside the route's line.
func (v *Views) TakesFile(route string, max int64) {
	if v.uploads == nil {
		v.uploads = map[string]int64{}
	}
	v.uploads[route] = max
}

// File is the file of a form field, with the name the person gave it; a field left empty has no bytes and no name.
func File(c *gin.Context, field string) (name string, data []byte, err error) {
	h, err := c.FormFile(field)
	if err != nil || h.Filename == "" && h.Size == 0 {
		return "", nil, nil
	}
	f, err := h.Open()
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	data, err = io.ReadAll(f)
	return h.Filename, data, err
}

// inMemory is how much of a form with a file is kept in memory while it is read; the rest lies on the disk meanwhile.
const inMemory = 1 << 20

// Body reads forms before their handler does, and refuses those larger than max bytes or not to be understood: a
// handler would see them as empty. Forms with files go to the routes that take them, see TakesFile.
func (v *Views) Body(max int64) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !plain(c.Request.URL.Path) {
			v.NotFound(c)
			return
		}
		limit, files := v.uploads[c.FullPath()]
		c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, cmp.Or(limit, max))
		if c.Request.Method == http.MethodPost {
			err := c.Request.ParseForm()
			if files && err == nil && strings.HasPrefix(c.ContentType(), "multipart/") {
				err = c.Request.ParseMultipartForm(inMemory)
				defer removeFiles(c.Request)
			}
			for name, values := range c.Request.PostForm {
				if !plain(name) || !plain(strings.Join(values, "")) {
					err = apperr.New(apperr.Invalid, "error.refused.text")
				}
			}
			if err != nil {
				if !tooLarge(err) {
					err = apperr.New(apperr.Invalid, "error.refused.text")
				}
				v.Fail(c, err)
				return
			}
		}
		c.Next()
	}
}

// removeFiles gives back the disk that a form with a file took.
func removeFiles(r *http.Request) {
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll()
	}
}

// Address is the key of a limit by network address. Of an IPv6 address the first half counts: one
// household has all the rest.
func Address(c *gin.Context) string {
	ip, err := netip.ParseAddr(c.ClientIP())
	if err != nil || ip.Is4() || ip.Is4In6() {
		return c.ClientIP()
	}
	net, err := ip.Prefix(64)
	if err != nil {
		return c.ClientIP()
	}
	return net.String()
}

// Limit holds what key names to a rate on a group of routes. An empty key is not limited.
func (v *Views) Limit(l *redis.Limiter, name string, r redis.Rate, key func(*gin.Context) string) gin.HandlerFunc {
	return func(c *gin.Context) {
		who := key(c)
		if who == "" {
			c.Next()
			return
		}
		ok, wait := l.Allow(c.Request.Context(), name+":"+who, r)
		if !ok {
			c.Header("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			v.Fail(c, apperr.New(apperr.TooMany, "error.too_many.text"))
			return
		}
		c.Next()
	}
}
