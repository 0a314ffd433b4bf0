package testkit

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// visitorHost is the site that a visitor of a handler believes to be at.
const visitorHost = "http://cho.test"

// Visitor is a person whose browser runs no script: it keeps cookies, reads forms from pages, fills them in, presses a
// button and follows where it is sent. It has an address of its own, so that limits by address do not mix tests. Not
// safe for concurrent use; see [Visitor.Twin].
type Visitor struct {
	// Header is sent with every request beside the browser's own.
	Header http.Header

	t      testing.TB
	base   *url.URL
	client *http.Client
}

// NewVisitor opens a browser on a handler, without a network.
func NewVisitor(t testing.TB, h http.Handler) *Visitor {
	n := serial.Add(1)
	return visitor(t, visitorHost, inProcess{h, fmt.Sprintf("203.0.%d.%d:40000", n/250%250, 1+n%250)})
}

// VisitorAt opens a browser on a running server.
func VisitorAt(t testing.TB, address string) *Visitor {
	wire := &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}
	t.Cleanup(wire.CloseIdleConnections)
	return visitor(t, address, wire)
}

func visitor(t testing.TB, address string, wire http.RoundTripper) *Visitor {
	t.Helper()
	base, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &Visitor{Header: http.Header{}, t: t, base: base, client: &http.Client{Transport: wire, Jar: jar, Timeout: 60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// inProcess hands requests to a handler.
type inProcess struct {
	handler http.Handler
	address string
}

// RoundTrip answers one request.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.RemoteAddr = r.URL.RequestURI(), r.URL.Host, p.address
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, in)
	answer := w.Result()
	answer.Request = r
	return answer, nil
}

// Twin is a second window of the same browser as it is now: the same cookies, from then on kept apart. Its failures
// are told to the same test, so only [Visitor.Try] may be used outside the test's goroutine.
func (v *Visitor) Twin() *Visitor {
	v.t.Helper()
	twin := visitor(v.t, v.base.String(), v.client.Transport)
	twin.client.Jar.SetCookies(v.base, v.client.Jar.Cookies(v.base))
	twin.Header = v.Header.Clone()
	return twin
}

// Cookie is the value of a cookie, or empty.
func (v *Visitor) Cookie(name string) string {
	for _, c := range v.client.Jar.Cookies(v.base) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// SetCookie plants a cookie.
func (v *Visitor) SetCookie(name, value string) {
	v.client.Jar.SetCookies(v.base, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

// Answer is what the server said to one request.
type Answer struct {
	Status int
	Header http.Header
	URL    *url.URL
	Body   string

	visitor *Visitor
	doc     *goquery.Document
}

// Get asks for an address, a path or one of this site in full, and follows no redirect.
func (v *Visitor) Get(path string) *Answer {
	v.t.Helper()
	return v.must(v.Try(http.MethodGet, path, nil))
}

// Open asks for a page as a link does: it follows redirects and fails the test unless the page is there and whole.
func (v *Visitor) Open(path string) *Answer {
	v.t.Helper()
	a := v.Get(path).Follow()
	a.Is(http.StatusOK)
	a.Whole()
	return a
}

// Post sends form values without a form.
func (v *Visitor) Post(path string, values url.Values) *Answer {
	v.t.Helper()
	return v.must(v.Try(http.MethodPost, path, values))
}

func (v *Visitor) must(a *Answer, err error) *Answer {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	return a
}

// Try sends one request and reports a failure of the connection instead of failing the test.
func (v *Visitor) Try(method, path string, values url.Values) (*Answer, error) {
	if values == nil {
		return v.send(method, path, nil, "")
	}
	return v.send(method, path, strings.NewReader(values.Encode()), "application/x-www-form-urlencoded")
}

func (v *Visitor) send(method, path string, body io.Reader, kind string) (*Answer, error) {
	to, err := v.base.Parse(path)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequest(method, to.String(), body)
	if err != nil {
		return nil, err
	}
	for name, value := range v.Header {
		r.Header[name] = value
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	got, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: got.StatusCode, Header: got.Header, URL: to, Body: string(text), visitor: v}, nil
}

// Location is where a redirect leads, or empty.
func (a *Answer) Location() string { return a.Header.Get("Location") }

// Follow goes where the server sends, up to five times.
func (a *Answer) Follow() *Answer {
	a.visitor.t.Helper()
	for range 5 {
		if a.Status < 300 || a.Status > 399 || a.Location() == "" {
			return a
		}
		to, err := a.URL.Parse(a.Location())
		if err != nil {
			a.visitor.t.Fatal(err)
		}
		if to.Host != a.visitor.base.Host {
			a.visitor.t.Fatalf("%s sends to another site: %s", a.URL, to)
		}
		a = a.visitor.Get(to.String())
	}
	a.visitor.t.Fatalf("%s: redirects without end", a.URL)
	return nil
}

// Is fails the test unless the status is this one.
func (a *Answer) Is(status int) *Answer {
	a.visitor.t.Helper()
	if a.Status != status {
		a.visitor.t.Fatalf("%s answered %d (%s), not %d:\n%s", a.URL, a.Status, a.Location(), status, a.Text("main"))
	}
	return a
}

// Whole fails the test when the page shows that something went wrong while it was made.
func (a *Answer) Whole() *Answer {
	a.visitor.t.Helper()
	for _, sign := range []string{"ZgotmplZ", "%!", "<no value>", "<nil>"} {
		if strings.Contains(a.Body, sign) {
			a.visitor.t.Errorf("%s holds %q", a.URL, sign)
		}
	}
	if n := a.Find("h1").Length(); n != 1 {
		a.visitor.t.Errorf("%s has %d main headings", a.URL, n)
	}
	want := "vi"
	if a.URL.Path == "/en" || strings.HasPrefix(a.URL.Path, "/en/") {
		want = "en"
	}
	if lang := a.Find("html").AttrOr("lang", ""); lang != want {
		a.visitor.t.Errorf("%s says its language is %q", a.URL, lang)
	}
	return a
}

// Find selects elements of the page by CSS.
func (a *Answer) Find(selector string) *goquery.Selection {
	a.visitor.t.Helper()
	if a.doc == nil {
		doc, err := goquery.NewDocumentFromReader(bytes.NewReader([]byte(a.Body)))
		if err != nil {
			a.visitor.t.Fatal(err)
		}
		a.doc = doc
	}
	return a.doc.Find(selector)
}

// Text is the text of the selected elements with single spaces.
func (a *Answer) Text(selector string) string {
	a.visitor.t.Helper()
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}

// Says fails the test unless the text stands on the page.
func (a *Answer) Says(text string) *Answer {
	a.visitor.t.Helper()
	if want := strings.Join(strings.Fields(text), " "); !strings.Contains(a.Text("body"), want) {
		a.visitor.t.Errorf("%s does not say %q:\n%s", a.URL, text, a.Text("main"))
	}
	return a
}

// Click follows the first link whose text or selector this is.
func (a *Answer) Click(selector string) *Answer {
	a.visitor.t.Helper()
	link := a.Find(selector).First()
	href, ok := link.Attr("href")
	if !ok {
		a.visitor.t.Fatalf("%s has no link %s", a.URL, selector)
	}
	to, err := a.URL.Parse(href)
	if err != nil {
		a.visitor.t.Fatal(err)
	}
	return a.visitor.Open(to.String())
}

// Form is a form of a page, holding what a browser would send.
type Form struct {
	Values url.Values

	answer *Answer
	node   *goquery.Selection
}

// Form reads the first form that fits the selector.
func (a *Answer) Form(selector string) *Form {
	a.visitor.t.Helper()
	node := a.Find(selector).First()
	if node.Length() == 0 || !node.Is("form") {
		a.visitor.t.Fatalf("%s has no form %s:\n%s", a.URL, selector, a.Text("main"))
	}
	f := &Form{Values: url.Values{}, answer: a, node: node}
	node.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		name := s.AttrOr("name", "")
		if name == "" || s.Is("[disabled]") {
			return
		}
		switch {
		case s.Is("select"):
			if chosen := s.Find("option[selected]"); chosen.Length() > 0 {
				f.Values.Set(name, optionValue(chosen.First()))
			} else if first := s.Find("option").First(); first.Length() > 0 {
				f.Values.Set(name, optionValue(first))
			}
		case s.Is("textarea"):
			f.Values.Set(name, strings.TrimPrefix(s.Text(), "\n"))
		case s.Is("[type=checkbox], [type=radio]"):
			if s.Is("[checked]") {
				f.Values.Add(name, s.AttrOr("value", "on"))
			}
		case s.Is("[type=submit], [type=button]"):
		default:
			f.Values.Add(name, s.AttrOr("value", ""))
		}
	})
	return f
}

func optionValue(s *goquery.Selection) string {
	if v, ok := s.Attr("value"); ok {
		return v
	}
	return s.Text()
}

func (f *Form) fields(name string) *goquery.Selection {
	return f.node.Find("[name]").FilterFunction(func(_ int, s *goquery.Selection) bool {
		return s.AttrOr("name", "") == name && !s.Is("button") && !s.Is("[disabled]")
	})
}

// Fill types into a field, ticks a box or chooses an option, as far as a person could: the field must be on the page
// and open, the option must be offered. An empty value unticks.
func (f *Form) Fill(name, value string) *Form {
	t := f.answer.visitor.t
	t.Helper()
	fields := f.fields(name)
	if fields.Length() == 0 {
		t.Fatalf("%s: the form has no open field %q", f.answer.URL, name)
	}
	if value == "" && fields.Is("[type=checkbox]") {
		f.Values.Del(name)
		return f
	}
	options := fields.Filter("[type=radio], [type=checkbox]").AddSelection(fields.Find("option"))
	if options.Length() > 0 && options.FilterFunction(func(_ int, s *goquery.Selection) bool { return optionValue(s) == value }).Length() == 0 {
		t.Fatalf("%s: field %q does not offer %q", f.answer.URL, name, value)
	}
	f.Values.Set(name, value)
	return f
}

// Force sends a value that the page would not let a person send.
func (f *Form) Force(name, value string) *Form {
	f.Values.Set(name, value)
	return f
}

// Submit presses a button: "" is the first, "name=value" a named one. It follows no redirect.
func (f *Form) Submit(button string) *Answer {
	v := f.answer.visitor
	v.t.Helper()
	path, values := f.request(button)
	if strings.EqualFold(f.node.AttrOr("method", "get"), "post") {
		return v.Post(path, values)
	}
	to, err := url.Parse(path)
	if err != nil {
		v.t.Fatal(err)
	}
	to.RawQuery = values.Encode()
	return v.Get(to.String())
}

// request is the address and the values that pressing a button sends.
func (f *Form) request(button string) (string, url.Values) {
	t := f.answer.visitor.t
	t.Helper()
	buttons := f.node.Find("button:not([type=button]), input[type=submit]").Not("[disabled]")
	name, value, named := strings.Cut(button, "=")
	if named {
		buttons = buttons.FilterFunction(func(_ int, s *goquery.Selection) bool {
			return s.AttrOr("name", "") == name && s.AttrOr("value", "") == value
		})
	}
	if buttons.Length() == 0 {
		t.Fatalf("%s: the form has no open button %q", f.answer.URL, button)
	}
	values := url.Values{}
	for k, v := range f.Values {
		values[k] = v
	}
	if n := buttons.First().AttrOr("name", ""); n != "" {
		values.Set(n, buttons.First().AttrOr("value", ""))
	}
	to, err := f.answer.URL.Parse(f.node.AttrOr("action", ""))
	if err != nil {
		t.Fatal(err)
	}
	return to.String(), values
}

// Request is what pressing a button would send: the address and the values, for tests that send it several times at once.
func (f *Form) Request(button string) (address string, values url.Values) {
	f.answer.visitor.t.Helper()
	return f.request(button)
}
