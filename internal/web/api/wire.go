package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/web/kit"
)

// caller is who asks, and how to answer.
type caller struct {
	locale  i18n.Locale
	request string // id under which the log knows the request
	route   string
	partner partner.Partner // of the key; its ID is 0 without one
	key     partner.Key
}

// actor names a partner's key in the audit.
func (c caller) actor() string { return "partner:" + c.key.Prefix }

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	who, _ := ctx.Value(callerKey{}).(caller)
	if who.locale == "" {
		who.locale = i18n.VI
	}
	return who
}

var languages = language.NewMatcher([]language.Tag{language.Vietnamese, language.English})

// readLocale is the language that the client wants most of those there are; Vietnamese when it does not say.
func readLocale(r *http.Request) i18n.Locale {
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return i18n.VI
	}
	if _, i, _ := languages.Match(tags...); i == 1 {
		return i18n.EN
	}
	return i18n.VI
}

// begin notes who asks and sets what every answer has.
func (a *API) begin(c *gin.Context) {
	who := caller{locale: readLocale(c.Request), request: kit.RequestID(c), route: c.FullPath()}
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), callerKey{}, who))
	h := c.Writer.Header()
	h.Set("Content-Language", string(who.locale))
	h.Add("Vary", "Accept-Language")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	c.Next()
}

// refuse answers a request that no operation takes.
func (a *API) refuse(c *gin.Context, status int, key string) {
	who := callerOf(c.Request.Context())
	p := newProblem(who.locale, status, key, nil)
	p.RequestID = who.request
	p.write(c.Writer)
	c.Abort()
}

func (a *API) recover(c *gin.Context) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			ctx := c.Request.Context()
			slog.ErrorContext(ctx, "panic", "route", c.FullPath(), "request_id", kit.RequestID(c), "panic", p, "stack", string(debug.Stack()))
			problem(ctx, errors.New("panic"), nil).write(c.Writer)
			c.Abort()
		}
	}()
	c.Next()
}

// plain refuses addresses that PostgreSQL could not hold: nobody types them. A parameter given twice could be understood in two ways.
func (a *API) plain(c *gin.Context) {
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	ok := err == nil && holds(c.Request.URL.Path)
	for name, values := range query {
		ok = ok && holds(name) && holds(strings.Join(values, ""))
		if len(values) > 1 {
			a.refuse(c, http.StatusUnprocessableEntity, "api.problem.twice")
			return
		}
	}
	if !ok {
		a.refuse(c, http.StatusBadRequest, "api.problem.address")
		return
	}
	c.Next()
}

func holds(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// authenticate knows the key, where there is one. A wrong key is refused on every route: whoever sends one would be
// counted and served as somebody else otherwise.
func (a *API) authenticate(c *gin.Context) {
	header := c.GetHeader("Authorization")
	if header == "" {
		c.Next()
		return
	}
	ctx := c.Request.Context()
	who := callerOf(ctx)
	text, bearer := strings.CutPrefix(header, "Bearer ")
	var err error = apperr.New(apperr.Denied, "partner.key.refused")
	if bearer {
		who.partner, who.key, err = a.Partners.Authenticate(ctx, strings.TrimSpace(text))
	}
	if _, known := apperr.As(err); known {
		// Guessing is slow, also for whoever has many keys to try.
		if b := a.Limiter.Take(ctx, "api-guess:"+kit.Address(c), guesses); !b.OK {
			c.Header("Retry-After", strconv.Itoa(max(1, wholeSeconds(b.Retry))))
			a.refuse(c, http.StatusTooManyRequests, "error.too_many.text")
			return
		}
		c.Header("WWW-Authenticate", `Bearer realm="api"`)
		a.refuse(c, http.StatusUnauthorized, "partner.key.refused")
		return
	}
	if err != nil {
		problem(ctx, err, nil).write(c.Writer)
		c.Abort()
		return
	}
	c.Request = c.Request.WithContext(context.WithValue(ctx, callerKey{}, who))
	c.Next()
}

// guesses are the wrong keys that one address may send.
var guesses = redis.PerMinute(60)

// entitled lets a key do what its scopes say. What needs a key needs the scope; what does not is open to anybody without
// one, and to a key only with the scope, so that a key for reading never orders.
func (a *API) entitled(scope partner.Scope, must bool) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		who := callerOf(c.Context())
		g := humagin.Unwrap(c)
		if who.partner.ID == 0 {
			if must {
				g.Header("WWW-Authenticate", `Bearer realm="api"`)
				a.refuse(g, http.StatusUnauthorized, "api.problem.need_key")
				return
			}
			next(c)
			return
		}
		if err := who.key.Need(scope); err != nil {
			problem(c.Context(), err, nil).write(g.Writer)
			return
		}
		next(c)
	}
}

// finish gives the body of a read its entity tag, and answers 304 to whoever has it.
func (a *API) finish(c *gin.Context) {
	if c.Request.Method != http.MethodGet {
		c.Next()
		return
	}
	held := &heldWriter{ResponseWriter: c.Writer, status: http.StatusOK}
	c.Writer = held
	c.Next()
	c.Writer = held.ResponseWriter
	h := c.Writer.Header()
	if held.status != http.StatusOK {
		h.Set("Cache-Control", "no-store")
		c.Writer.WriteHeader(held.status)
		_, _ = c.Writer.Write(held.body.Bytes())
		return
	}
	sum := sha256.Sum256(held.body.Bytes())
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
	h.Set("ETag", tag)
	if matches(c.GetHeader("If-None-Match"), tag) {
		h.Del("Content-Type")
		c.Writer.WriteHeader(http.StatusNotModified)
		c.Writer.WriteHeaderNow()
		return
	}
	h.Set("Content-Length", strconv.Itoa(held.body.Len()))
	c.Writer.WriteHeader(http.StatusOK)
	_, _ = c.Writer.Write(held.body.Bytes())
}

// matches compares as RFC 9110 says for reads: weakly, with a list or a star.
func matches(header, tag string) bool {
	for want := range strings.SplitSeq(header, ",") {
		want = strings.TrimPrefix(strings.TrimSpace(want), "W/")
		if want == tag || want == "*" {
			return true
		}
	}
	return false
}

// heldWriter keeps an answer until it is whole.
type heldWriter struct {
	gin.ResponseWriter
	status int
	body   bytes.Buffer
}

func (w *heldWriter) WriteHeader(status int)            { w.status = status }
func (w *heldWriter) WriteHeaderNow()                   {}
func (w *heldWriter) Write(b []byte) (int, error)       { return w.body.Write(b) }
func (w *heldWriter) WriteString(s string) (int, error) { return w.body.WriteString(s) }
func (w *heldWriter) Status() int                       { return w.status }
func (w *heldWriter) Size() int                         { return w.body.Len() }
func (w *heldWriter) Written() bool                     { return w.body.Len() > 0 }

// cached lets everybody keep an answer that shows nobody's data, never past midnight. It runs before anything is read, so
// that what was true of one day is not kept by the clock of the next.
func (a *API) cached(keep time.Duration) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		value := "no-cache"
		if keep > 0 {
			value = "public"
			if callerOf(c.Context()).partner.ID != 0 {
				value = "private" // a shared cache must not answer for a key that may be revoked
			}
			value += ", max-age=" + strconv.Itoa(int(min(keep, clock.UntilMidnight(a.Clock)).Seconds()))
		}
		c.SetHeader("Cache-Control", value)
		next(c)
	}
}

// crossOrigin lets scripts of every site read what is public.
func crossOrigin(c huma.Context, next func(huma.Context)) {
	c.SetHeader("Access-Control-Allow-Origin", "*")
	c.SetHeader("Access-Control-Expose-Headers", "ETag, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id")
	next(c)
}

// preflight answers the browser that asks whether a script of another site may read here.
func preflight(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, HEAD")
	h.Set("Access-Control-Allow-Headers", "Accept-Language, Authorization, If-None-Match")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Allow", "GET, HEAD, OPTIONS")
	c.Status(http.StatusNoContent)
}

// limited holds an address or a key to a rate, and tells what is left of it.
func (a *API) limited(name string, rate func(Rates) redis.Rate) func(huma.Context, func(huma.Context)) {
	return func(c huma.Context, next func(huma.Context)) {
		g := humagin.Unwrap(c)
		who, r := kit.Address(g), rate(a.Anonymous)
		if p := callerOf(c.Context()).partner.ID; p != 0 {
			who, r = "partner "+strconv.FormatInt(p, 10), rate(a.Partner)
		}
		b := a.Limiter.Take(c.Context(), "api-"+name+":"+who, r)
		c.SetHeader("RateLimit-Limit", strconv.Itoa(r.N))
		c.SetHeader("RateLimit-Remaining", strconv.Itoa(b.Left))
		c.SetHeader("RateLimit-Reset", strconv.Itoa(wholeSeconds(b.Full)))
		if b.OK {
			next(c)
			return
		}
		caller := callerOf(c.Context())
		p := newProblem(caller.locale, http.StatusTooManyRequests, "error.too_many.text", nil).header("Retry-After", strconv.Itoa(max(1, wholeSeconds(b.Retry))))
		p.RequestID = caller.request
		p.write(g.Writer)
	}
}

// wholeSeconds rounds up: whoever waits that long need not wait again.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
