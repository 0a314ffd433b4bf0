// Package front stands before the whole site, where it saves most: it keeps whole rendered pages in memory for a few
// seconds, compresses what is worth it, and answers "not modified". It knows no page; a handler says by [Keep] that
// what it renders is the same for everyone. It is no platform package because it speaks HTTP, and stands below the
// audiences because they call Keep.
//
// Promises:
//   - Nobody sees another person's page. Only a request without any cookie is answered from memory, or one whose only
//     cookie is the answer about the age, under a key of its own; whatever else a browser brings, also a cookie that
//     nobody knows yet, leads past the cache. The page is rendered for a request from which every header was taken, so
//     it cannot depend on one. A shopper with a basket gets a page of their own, with the right count in the header:
//     there is no way to share it that works without script and is as plain.
//   - Kept are only answers that called Keep, with status 200, without Set-Cookie, and not no-store.
//   - A page is kept for some seconds, never past Vietnam's midnight, and browsers are told to keep it no longer.
//   - Any number of requests for a page that is not there make it once; the others wait for it.
//   - Only so many pages of the shop are rendered at once as keep the processors busy; the others wait for their turn and hold
//     no memory meanwhile. A page is written to its reader after it gave up its turn, so a slow reader holds up nobody.
//   - Memory is bounded in bytes. A parameter that marks where a visitor came from is dropped; one that is not known to
//     the page leads past the cache.
package front

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
)

// Config says what is kept.
type Config struct {
	Clock clock.Clock
	// For is how long a page is kept at most; 0 keeps nothing.
	For time.Duration
	// Bytes is the memory that pages may take.
	Bytes int64
	// Shared names the parameters of a page that may be kept, by its path.
	Shared func(path string) (params []string, ok bool)
	// InTurn says which answers, beside pages that may be kept, are made whole in memory when it is their turn. Nil: none.
	InTurn func(*http.Request) bool
	// Gate is the cookie that opens goods for adults, and its value.
	Gate, Open string
	// Observe counts an answer that the site itself did not see.
	Observe func(route, method string, status int, took time.Duration)
}

// Door is the handler before the site.
type Door struct {
	Config
	next  http.Handler
	pages *pages
	room  chan struct{}
}

// New puts a door before the site.
func New(c Config, site http.Handler) *Door {
	return &Door{Config: c, next: site, pages: newPages(c.Bytes), room: make(chan struct{}, 4*runtime.GOMAXPROCS(0))}
}

// mark is how a handler says that its answer may be kept.
type mark struct {
	kept  bool
	route string
}

type markKey struct{}

// Keep says that the answer to this request is the same for everyone who asks for the address. The route is the pattern
// under which answers from memory are counted. Without a door, or for a visitor with cookies, it does nothing.
func Keep(ctx context.Context, route string) {
	if m, ok := ctx.Value(markKey{}).(*mark); ok {
		m.kept, m.route = true, route
	}
}

// longest is the longest address that is kept.
const longest = 1024

// ServeHTTP answers from memory, or lets the site answer and compresses that.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, ok := d.asked(r)
	if !ok {
		d.pass(w, r)
		return
	}
	began := time.Now()
	p, made, err := d.pages.get(r.Context(), a.key(), d.Clock.Now, func() *page { return d.make(bare(r, a)) })
	switch {
	case err != nil: // the visitor has gone
	case p == nil:
		d.pass(w, r)
	default:
		status := p.send(w, r, d.Clock.Now())
		if !made {
			d.Observe(p.route, r.Method, status, time.Since(began))
		}
	}
}

// pass lets the site answer this very request. Pages of the shop and other
// brief answers wait for their turn; what else there is may take long for
// other reasons: it streams, or waits for a till.
func (d *Door) pass(w http.ResponseWriter, r *http.Request) {
	s := squeeze(w, r)
	defer s.finish()
	if r.Method != http.MethodGet || !d.inTurn(r) {
		d.next.ServeHTTP(s, r)
		return
	}
	rec, ok := d.render(r)
	if !ok {
		return // the visitor has gone
	}
	maps.Copy(s.Header(), rec.header)
	s.WriteHeader(rec.status)
	_, _ = s.Write(rec.body.Bytes())
}

func (d *Door) inTurn(r *http.Request) bool {
	_, page := d.Shared(r.URL.Path)
	return page || d.InTurn != nil && d.InTurn(r)
}

// render lets the site answer into memory when there is room; it is false when the request ended before.
func (d *Door) render(r *http.Request) (*recorder, bool) {
	select {
	case d.room <- struct{}{}:
	case <-r.Context().Done():
		return nil, false
	}
	defer func() { <-d.room }()
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	d.next.ServeHTTP(rec, r)
	return rec, true
}

// trackers are parameters that tell a site where a visitor came from; no page reads them.
var trackers = []string{"utm_", "fbclid", "gclid", "zarsrc", "_ga", "mc_", "msclkid", "ttclid", "igshid"}

// asking is what a page depends on. The path tells the language as well.
type asking struct{ gate, path, query string }

func (a asking) key() string { return a.gate + " " + a.path + "?" + a.query }

// asked is false for requests that concern one person, or no page that may be kept.
func (d *Door) asked(r *http.Request) (a asking, ok bool) {
	if d.For <= 0 || r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header.Get("Authorization") != "" || len(r.RequestURI) > longest {
		return a, false
	}
	params, ok := d.Shared(r.URL.Path)
	if !ok {
		return a, false
	}
	if a.query, ok = normal(r.URL.RawQuery, params); !ok {
		return a, false
	}
	a.path = r.URL.Path
	for _, c := range r.Cookies() {
		if c.Name != d.Gate || c.Value != d.Open {
			return a, false
		}
		a.gate = d.Gate + "=" + d.Open
	}
	if a.gate == "" && r.Header.Get("Cookie") != "" { // something that is no cookie
		return a, false
	}
	return a, true
}

// normal sorts the query and leaves out trackers; it is false for a parameter that the page does not know.
func normal(raw string, params []string) (string, bool) {
	if raw == "" {
		return "", true
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return "", false
	}
	for name := range values {
		known := false
		for _, p := range params {
			known = known || p == name
		}
		if known {
			continue
		}
		for _, t := range trackers {
			known = known || strings.HasPrefix(name, t)
		}
		if !known {
			return "", false
		}
		delete(values, name)
	}
	return values.Encode(), true
}

// bare is the request without anything that tells of the one who asks, and not ended by their going away.
func bare(r *http.Request, a asking) *http.Request {
	b := r.Clone(context.WithoutCancel(r.Context()))
	b.Method, b.Body, b.ContentLength = http.MethodGet, http.NoBody, 0
	b.URL.RawQuery, b.URL.ForceQuery = a.query, false
	b.RequestURI = b.URL.RequestURI()
	b.Header = http.Header{}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Real-Ip"} { // limits count addresses
		if v := r.Header[name]; v != nil {
			b.Header[name] = v
		}
	}
	if a.gate != "" {
		b.Header.Set("Cookie", a.gate)
	}
	return b
}

// renderTime bounds a rendering that many may wait for.
const renderTime = 20 * time.Second

// make lets the site render the page. What must not be kept comes back as a page that is stale at once.
func (d *Door) make(r *http.Request) *page {
	ctx, cancel := context.WithTimeout(r.Context(), renderTime)
	defer cancel()
	m := &mark{}
	before := d.Clock.Now()
	rec, ok := d.render(r.WithContext(context.WithValue(ctx, markKey{}, m)))
	if !ok {
		return nil // no room for as long as a rendering may take: those who wait ask for themselves
	}
	p := &page{status: rec.status, header: rec.header, body: newBody(rec.body.Bytes()), route: m.route}
	cc := rec.header.Get("Cache-Control")
	p.keep = m.kept && rec.status == http.StatusOK && rec.header["Set-Cookie"] == nil && !strings.Contains(cc, "no-store")
	if !p.keep {
		return p
	}
	// Counted from before the first read, and within the day that was then.
	p.until = before.Add(d.For)
	if midnight := clock.On(before).AddDays(1).Time(); midnight.Before(p.until) {
		p.until = midnight
	}
	p.public = strings.HasPrefix(cc, "public")
	for _, name := range []string{"X-Request-Id", "Content-Length", "Date", "Vary"} {
		delete(p.header, name)
	}
	p.header["Vary"] = []string{"Accept-Encoding, Cookie"}
	return p
}

// page is an answer of the site.
type page struct {
	status int
	header http.Header // as sent, but for what is one request's own
	body   *body
	route  string
	keep   bool
	public bool
	until  time.Time
}

// send writes a page, or that the browser has it already, and returns the status.
func (p *page) send(w http.ResponseWriter, r *http.Request, now time.Time) int {
	h := w.Header()
	maps.Copy(h, p.header)
	if !p.keep {
		s := squeeze(w, r)
		defer s.finish()
		s.WriteHeader(p.status)
		_, _ = s.Write(p.body.plain)
		return p.status
	}
	if h["X-Request-Id"] == nil {
		h.Set("X-Request-Id", ident.Code(4, 4))
	}
	if p.public {
		h.Set("Cache-Control", "public, max-age="+strconv.Itoa(max(0, int(p.until.Sub(now).Seconds()))))
	}
	return p.body.send(w, r, p.status)
}

// recorder keeps an answer in memory.
type recorder struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.body.Write(b)
}

// tag is the strong ETag of a content.
func tag(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:12])
}
