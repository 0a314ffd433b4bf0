package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

// caller is a partner's program: it sends JSON and keeps nothing between requests.
type caller struct {
	t       testing.TB
	handler http.Handler
	address string
	header  http.Header
	watch   func(*http.Request, *http.Response)
}

var programs atomic.Int64

// caller connects from an address of its own.
func (m *market) caller(t testing.TB) *caller {
	n := programs.Add(1)
	return &caller{t: t, handler: m.Handler(), address: fmt.Sprintf("198.51.%d.%d:40000", n/250%250, 1+n%250), header: http.Header{}}
}

// said is an answer of the API.
type said struct {
	t      testing.TB
	what   string
	Status int
	Header http.Header
	Body   []byte
}

// send sends a body as it is; headers alternate name and value.
func (p *caller) send(method, path string, body []byte, headers ...string) *said {
	r := httptest.NewRequest(method, "http://cho.test/api/v1"+path, bytes.NewReader(body))
	if body == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, values := range p.header {
		r.Header[name] = values
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.RemoteAddr = p.address
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	got := w.Result()
	text, _ := io.ReadAll(got.Body)
	if p.watch != nil {
		got.Body = io.NopCloser(bytes.NewReader(text))
		p.watch(r, got)
	}
	return &said{p.t, method + " " + path, got.StatusCode, got.Header, text}
}

func (p *caller) get(path string, headers ...string) *said {
	return p.send("GET", path, nil, headers...)
}

// do sends a value as JSON.
func (p *caller) do(method, path string, body any, headers ...string) *said {
	p.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.send(method, path, b, headers...)
}

// is fails the test unless the status is this one.
func (s *said) is(status int) *said {
	s.t.Helper()
	if s.Status != status {
		s.t.Fatalf("%s answers %d, not %d: %s", s.what, s.Status, status, s.Body)
	}
	return s
}

// read takes the body apart.
func body[T any](s *said) T {
	s.t.Helper()
	var v T
	d := json.NewDecoder(bytes.NewReader(s.Body))
	if err := d.Decode(&v); err != nil {
		s.t.Fatalf("%s: %v: %s", s.what, err, s.Body)
	}
	return v
}

type object = map[string]any

// at follows names and numbers into the body: at("orders", 0, "code").
func (s *said) at(way ...any) any {
	s.t.Helper()
	v := any(body[any](s))
	for _, step := range way {
		switch step := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[step]
		case int:
			l, _ := v.([]any)
			if step >= len(l) {
				return nil
			}
			v = l[step]
		}
	}
	return v
}

// key is the key of the first fault of a problem.
func (s *said) key() string {
	s.t.Helper()
	if s.Header.Get("Content-Type") != "application/problem+json" {
		s.t.Errorf("%s: a problem as %s: %s", s.what, s.Header.Get("Content-Type"), s.Body)
	}
	key, _ := s.at("errors", 0, "key").(string)
	return key
}

// cart opens a cart and lays these things into it.
func (p *caller) cart(skus ...string) string {
	p.t.Helper()
	id := p.send("POST", "/carts", nil).is(201).at("id").(string)
	for _, sku := range skus {
		p.do("POST", "/carts/"+id+"/lines", object{"sku": sku, "quantity": 1, "adult": true}).is(200)
	}
	return id
}

// town is an address as far as fees depend on it.
var town = object{"address": object{"province_code": "01", "commune_code": "00070"}}

// checkout is the body that orders what lies in a cart, by the next phone.
func (p *caller) checkout(id, method string) object {
	p.t.Helper()
	total := p.do("POST", "/carts/"+id+"/quote", town).is(200).at("total")
	return object{"contact": object{"name": "Nguyễn Thị Hòa", "phone": fmt.Sprintf("0%d", 930_000_000+programs.Add(1))},
		"address":        object{"province_code": "01", "commune_code": "00070", "line": "12 phố Hàng Gai"},
		"payment_method": method, "expected_total": total, "adult": true}
}

func TestAPartnersProgramBuysFromTwoSellers(t *testing.T) {
	m := open(t)
	goods(t, m)
	p := m.caller(t)
	list := p.get("/products?in_stock=true&sort=price_asc").is(200)
	if list.at("items", 0, "name") != "Dừa sáp Trà Vinh" || list.at("next_cursor") != nil || list.at("items", 1, "certificate") != nil {
		t.Errorf("the list: %s", list.Body)
	}
	id := p.cart()
	for i := range 2 {
		sku := list.at("items", i, "skus", 0, "sku").(string)
		p.do("POST", "/carts/"+id+"/lines", object{"sku": sku, "quantity": 2}).is(200)
	}
	p.do("PATCH", "/carts/"+id+"/lines/DUASAP01", object{"quantity": 1}).is(200)
	c := p.get("/carts/" + id).is(200)
	if c.at("count") != 3.0 || c.at("goods") != 95000.0+2*120000 || len(c.at("lines").([]any)) != 2 {
		t.Errorf("the cart: %s", c.Body)
	}
	q := p.do("POST", "/carts/"+id+"/quote", town).is(200)
	if q.at("total") != q.at("sellers", 0, "total").(float64)+q.at("sellers", 1, "total").(float64) || q.at("sellers", 0, "goods") != 95000.0 {
		t.Errorf("the quote: %s", q.Body)
	}
	body := p.checkout(id, "vietqr")
	done := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "mot").is(201)
	if done.at("total") != q.at("total") || len(done.at("orders").([]any)) != 2 || done.at("orders", 0, "payment", "status") != "pending" {
		t.Fatalf("the purchase: %s", done.Body)
	}
	if v, _ := done.at("orders", 0, "payment", "vietqr").(object); v == nil || !strings.HasPrefix(v["payload"].(string), "000201") || v["account_no"] == "" || v["bank_bin"] == "" {
		t.Errorf("nothing to scan: %s", done.Body)
	}
	code, token := done.at("group_code").(string), done.at("token").(string)
	if again := p.get("/orders/" + code + "?token=" + token).is(200); again.at("orders", 1, "code") != done.at("orders", 1, "code") {
		t.Errorf("the order: %s", again.Body)
	}
	// The buyer's page is the same purchase.
	m.visitor(t).Open("/don-hang/" + code + "?khoa=" + token).Says("Dừa sáp Trà Vinh")
	one := done.at("orders", 0, "code").(string)
	p.do("POST", "/orders/"+one+"/cancel", object{"token": token, "reason": "Đổi ý"}).is(200)
	now := p.get("/orders/" + code + "?token=" + token)
	if now.at("orders", 0, "status") != "cancelled" || now.at("orders", 1, "status") != "awaiting_payment" {
		t.Errorf("one was cancelled: %s", now.Body)
	}
	p.send("POST", "/orders/"+code+"/cancel?token="+token, nil).is(200)
	if m.count(t, `SELECT count(*) FROM orders WHERE state = 'cancelled'`) != 2 {
		t.Error("the rest was not cancelled")
	}
}

// spirits is a product for adults only.
func spirits(t *testing.T, m *market) int64 {
	t.Helper()
	var category string
	testkit.Scan(t, m.DB, &category, `SELECT code FROM category WHERE set_no = 14`)
	return testkit.Product(t, m.DB, testkit.WithName("Rượu dừa", "Coconut spirit"), testkit.WithCategory(category), testkit.WithSKU("RUOUDUA1"))
}

// key is an API key of a new partner with these scopes.
func (m *market) key(t *testing.T, scopes ...partner.Scope) string {
	t.Helper()
	n := programs.Add(1)
	who, err := m.Partners.Add(t.Context(), fmt.Sprintf("Cổng thông tin %d", n), "cong@vidu.vn", i18n.VI, "staff:1")
	if err != nil {
		t.Fatal(err)
	}
	_, text, err := m.Partners.IssueKey(t.Context(), partner.KeyRequest{PartnerID: who.ID, Scopes: scopes}, "staff:1")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestAKeyWorksUntilItIsRevoked(t *testing.T) {
	m := open(t)
	goods(t, m)
	p, stranger := m.caller(t), m.caller(t)
	key := m.key(t, partner.WebhooksManage)
	p.header.Set("Authorization", "Bearer "+key)
	stranger.header.Set("Authorization", "Bearer "+m.key(t, partner.WebhooksManage))
	a := p.get("/products").is(200)
	if a.Header.Get("RateLimit-Limit") != "12000" || a.Header.Get("Cache-Control") != "private, max-age=30" {
		t.Errorf("a partner is served as anybody: %v", a.Header)
	}
	hook := p.do("POST", "/webhook-endpoints", object{"url": "http://localhost:1/x"}).is(201)
	one := "/webhook-endpoints/" + hook.at("id").(string)
	if secret, _ := hook.at("secret").(string); !strings.HasPrefix(secret, "whsec_") || strings.Contains(string(p.get(one).is(200).Body), secret) {
		t.Errorf("the secret is shown once: %s", hook.Body)
	}
	for _, try := range []*said{stranger.get(one), stranger.get(one + "/deliveries"), stranger.send("DELETE", one, nil), stranger.send("POST", one+"/pause", nil)} {
		if try.is(404); try.key() != "partner.endpoint.unknown" {
			t.Errorf("%s: %s", try.what, try.Body)
		}
	}
	if len(stranger.get("/webhook-endpoints").is(200).at("items").([]any)) != 0 || len(p.get("/webhook-endpoints").is(200).at("items").([]any)) != 1 {
		t.Error("partners see each other's endpoints")
	}
	prefix, _, _ := strings.Cut(strings.TrimPrefix(key, "ocop_"), "_")
	if err := m.Partners.RevokeKey(t.Context(), "ocop_"+prefix, "staff:1"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/products", "/provinces", "/webhook-endpoints", "/carts/x", "/none"} {
		if b := p.get(path).is(401); b.key() != "partner.key.refused" || strings.Contains(string(b.Body), key) || b.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %s", path, b.Body)
		}
	}
	// Guessing keys comes to an end; the address may still ask without one.
	guesser := m.caller(t)
	last := 0
	for range 62 {
		last = guesser.get("/provinces", "Authorization", "Bearer ocop_22222222_"+strings.Repeat("A", 43)).Status
	}
	if last != 429 || guesser.get("/provinces").Status != 200 {
		t.Errorf("the sixty-second guess is answered %d", last)
	}
}

func TestAnOrderIsThePartnersThroughWhoseKeyItWasPlaced(t *testing.T) {
	m := open(t)
	goods(t, m)
	p, anybody := m.caller(t), m.caller(t)
	p.header.Set("Authorization", "Bearer "+m.key(t, partner.Scopes...))
	stranger := m.caller(t)
	stranger.header.Set("Authorization", "Bearer "+m.key(t, partner.Scopes...))
	hook := p.do("POST", "/webhook-endpoints", object{"url": "http://localhost:1/x"}).is(201).at("id").(string)
	id, other := p.cart("DUASAP01"), anybody.cart("DUASAP01")
	body := p.checkout(id, "vietqr")
	done := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(201)
	anybody.do("POST", "/carts/"+other+"/checkout", anybody.checkout(other, "cod"), "Idempotency-Key", "1").is(201)
	if n := m.count(t, `SELECT count(*) FROM order_group WHERE partner_id IS NOT NULL`); n != 1 {
		t.Errorf("%d purchases are a partner's", n)
	}
	log := p.get("/webhook-endpoints/" + hook + "/deliveries").is(200)
	if len(log.at("items").([]any)) != 1 || log.at("items", 0, "kind") != "order.placed" || log.at("items", 0, "subject") != done.at("orders", 0, "code") {
		t.Errorf("the partner is told %s", log.Body)
	}
	// A webhook tells a code alone: the partner's key opens it, no other does.
	path := "/orders/" + log.at("items", 0, "subject").(string)
	if a := p.get(path).is(200); a.at("orders", 0, "code") != done.at("orders", 0, "code") {
		t.Errorf("%s", a.Body)
	}
	stranger.get(path).is(404)
	anybody.get(path).is(404)
	p.get(path + "?token=x").is(404)
	p.send("POST", path+"/cancel", nil).is(404)
	p.send("POST", "/orders/"+done.at("group_code").(string)+"/cancel?token="+done.at("token").(string), nil).is(200)
	if log = p.get("/webhook-endpoints/" + hook + "/deliveries").is(200); log.at("items", 0, "kind") != "order.cancelled" {
		t.Errorf("the partner is told %s", log.Body)
	}
	// The same request without the key is another one: it does not find the partner's order.
	if a := anybody.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(422); a.key() != "order.key_reused" {
		t.Errorf("%s", a.Body)
	}
}

func TestTheAPIWithoutDatabaseOrRedisSaysSoInItsOwnWords(t *testing.T) {
	var line *wire
	m := open(t, func(c *config.Config) { line, c.DatabaseURL = tap(t, c.DatabaseURL) })
	goods(t, m)
	p := m.caller(t)
	p.get("/products").is(200)
	m.redis.Stop()
	for _, path := range []string{"/products", "/provinces", "/products?q=dua"} {
		if a := p.get(path).is(200); a.Header.Get("RateLimit-Remaining") == "" {
			t.Errorf("%s is not counted without Redis", path)
		}
	}
	id := p.cart("DUASAP01")
	p.do("POST", "/carts/"+id+"/checkout", p.checkout(id, "cod"), "Idempotency-Key", "1").is(201)
	m.redis.Start()
	testkit.Exec(t, m.DB, `ALTER TABLE cart RENAME TO cart_away`)
	if a := p.get("/carts/" + id).is(500); a.key() != "error.fault.text" || strings.Contains(string(a.Body), "cart_away") || strings.Contains(string(a.Body), "SQL") || a.at("request_id") == "" {
		t.Errorf("a fault tells %s", a.Body)
	}
	testkit.Exec(t, m.DB, `ALTER TABLE cart_away RENAME TO cart`)
	// The database away is no fault: the same request goes through when it is back.
	id = p.cart("CHESHAN1")
	body := p.checkout(id, "cod")
	line.cut()
	for _, a := range []*said{p.get("/carts/" + id), p.get("/products?q=moi"), p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1")} {
		if a.Status != 503 || a.key() != "error.away.text" || a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s without a database: %d %v %s", a.what, a.Status, a.Header, a.Body)
		}
	}
	line.mend()
	eventually(t, "the database is noticed again", func() bool { return p.get("/carts/"+id).Status == 200 })
	p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(201)
}

func TestACardIsRefusedWhereNobodyTakesIt(t *testing.T) {
	m := open(t)
	goods(t, m)
	p := m.caller(t)
	id := p.cart("DUASAP01")
	if a := p.do("POST", "/carts/"+id+"/checkout", p.checkout(id, "card"), "Idempotency-Key", "1").is(422); a.key() != "order.card_not_open" || a.at("errors", 0, "location") != "body.payment_method" {
		t.Errorf("%s", a.Body)
	}
}

func TestAProgramSendsItsBuyerToPayByCard(t *testing.T) {
	m := open(t, testCards)
	goods(t, m)
	p := m.caller(t)
	id := p.cart("DUASAP01", "CHESHAN1")
	body := p.checkout(id, "card")
	done := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(201)
	page, _ := done.at("orders", 0, "payment", "redirect_url").(string)
	if !strings.HasPrefix(page, "http://cho.test/thanh-toan-the-thu/") || done.at("orders", 1, "payment", "redirect_url") != page || done.at("orders", 0, "payment", "method") != "card" ||
		done.at("orders", 0, "payment", "status") != "pending" || done.at("orders", 0, "payment", "vietqr") != nil {
		t.Fatalf("nowhere to pay: %s", done.Body)
	}
	m.visitor(t).Open(page)
	if again := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(201); string(again.Body) != string(done.Body) {
		t.Errorf("another answer: %s", again.Body)
	}
	if seen := p.get("/orders/" + done.at("group_code").(string) + "?token=" + done.at("token").(string)).is(200); seen.at("orders", 0, "status") != "awaiting_payment" {
		t.Errorf("%s", seen.Body)
	}
}
