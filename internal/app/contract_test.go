package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/testkit"
	"choocop.vn/ocop/internal/web/api"
)

// contract holds what the API says of itself and what of it was seen to be true.
type contract struct {
	t     testing.TB
	check validator.Validator
	wants map[string]bool   // "list_products 200" → seen
	ops   map[string]string // "GET /products" → list_products
}

func newContract(t testing.TB, document []byte) *contract {
	t.Helper()
	doc, err := libopenapi.NewDocument(document)
	if err != nil {
		t.Fatal(err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	check, faults := validator.NewValidator(doc, config.WithFormatAssertions())
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if ok, faults := check.ValidateDocument(); !ok {
		for _, f := range faults {
			t.Errorf("the document: %s: %s", f.Message, f.Reason)
		}
	}
	c := &contract{t: t, check: check, wants: map[string]bool{}, ops: map[string]string{}}
	for path := model.Model.Paths.PathItems.First(); path != nil; path = path.Next() {
		for op := path.Value().GetOperations().First(); op != nil; op = op.Next() {
			id := op.Value().OperationId
			c.ops[strings.ToUpper(op.Key())+" "+path.Key()] = id
			for status := op.Value().Responses.Codes.First(); status != nil; status = status.Next() {
				c.wants[id+" "+status.Key()] = false
			}
		}
	}
	return c
}

// watch compares one answer with the document.
func (c *contract) watch(r *http.Request, answer *http.Response) {
	c.t.Helper()
	var id string
	for op, name := range c.ops {
		method, pattern, _ := strings.Cut(op, " ")
		if method == r.Method && fits(pattern, strings.TrimPrefix(r.URL.Path, "/api/v1")) {
			id = name
		}
	}
	if id == "" {
		return
	}
	c.wants[fmt.Sprint(id, " ", answer.StatusCode)] = true
	if ok, faults := c.check.ValidateHttpResponse(r, answer); !ok {
		for _, f := range faults {
			c.t.Errorf("%s %s answers %d: %s: %s", r.Method, r.URL.Path, answer.StatusCode, f.Message, f.Reason)
			for _, s := range f.SchemaValidationErrors {
				c.t.Errorf("    %s at %s", s.Reason, s.FieldPath)
			}
		}
	}
}

// bites tries the checker itself: an answer with a field too many, one of another type and an undeclared status must not pass.
func (c *contract) bites() {
	c.t.Helper()
	for body, status := range map[string]int{`{"items":[{"code":"01","name":"Hà Nội","kind":"x","secret":1}]}`: 200, `{"items":[{"code":1,"name":"Hà Nội","kind":"x"}]}`: 200,
		`{"items":null}`: 200, `{"items":[]}`: 418} {
		r := httptest.NewRequest("GET", "http://cho.test/api/v1/provinces", nil)
		if ok, _ := c.check.ValidateHttpResponse(r, &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body)), Request: r}); ok {
			c.t.Errorf("the checker lets %d %s pass", status, body)
		}
	}
}

func fits(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] && !strings.HasPrefix(p[i], "{") {
			return false
		}
	}
	return true
}

// unseen are the answers that the document promises and nobody saw. Faults cannot be asked for.
func (c *contract) unseen() []string {
	var out []string
	for want, seen := range c.wants {
		if !seen && !strings.HasSuffix(want, " 500") && !strings.HasSuffix(want, " 503") {
			out = append(out, want)
		}
	}
	slices.Sort(out)
	return out
}

func TestEveryRouteOfTheAPIStandsInItsDocumentAndTheOtherWayRound(t *testing.T) {
	m := open(t)
	for _, lang := range []string{"vi", "en"} {
		c := newContract(t, m.caller(t).get("/openapi.json", "Accept-Language", lang).is(200).Body)
		routes := map[string]bool{}
		for _, r := range m.API.Registered() {
			path, ok := strings.CutPrefix(r.Path, "/api/v1")
			if !ok {
				t.Errorf("%s lies elsewhere", r.Path)
			}
			parts := strings.Split(path, "/")
			for i, p := range parts {
				if name, ok := strings.CutPrefix(p, ":"); ok {
					parts[i] = "{" + name + "}"
				}
			}
			route := r.Method + " " + strings.Join(parts, "/")
			// A browser's question before it reads is no operation.
			if r.Method != http.MethodOptions && c.ops[route] == "" {
				t.Errorf("%s: %s does not stand in the document", lang, route)
			}
			routes[route] = true
		}
		for op := range c.ops {
			if !routes[op] {
				t.Errorf("%s: %s stands in the document only", lang, op)
			}
			if strings.HasPrefix(op, "GET /carts") || strings.HasPrefix(op, "GET /orders") || strings.HasPrefix(op, "GET /webhook") {
				continue
			}
			if path, ok := strings.CutPrefix(op, "GET "); ok && !routes["OPTIONS "+path] {
				t.Errorf("%s may not be asked about by browsers", path)
			}
		}
		if len(routes) < 20 {
			t.Errorf("only %d routes", len(routes))
		}
	}
}

// TestEveryAnswerOfTheAPIIsAsTheDocumentSays makes every operation answer with every status that the document declares.
func TestEveryAnswerOfTheAPIIsAsTheDocumentSays(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	rum := spirits(t, m)
	testkit.Product(t, m.DB, testkit.WithSKU("HETHANG1"), testkit.WithStock(0))
	old := testkit.Product(t, m.DB, testkit.WithName("Mật ong cũ", "Old honey"))
	testkit.Certificate(t, m.DB, 4, today.AddMonths(-1), old)
	m.index(t)
	var proof string
	testkit.Scan(t, m.DB, &proof, `SELECT code FROM certificate ORDER BY id LIMIT 1`)
	p := m.caller(t)
	c := newContract(t, p.get("/openapi.json").is(200).Body)
	c.bites()
	p.watch = c.watch

	spirit := m.slugOf(t, rum)
	id, other := p.cart("DUASAP01"), p.cart()
	done := p.do("POST", "/carts/"+id+"/checkout", p.checkout(id, "vietqr"), "Idempotency-Key", "a").is(201)
	cash := p.cart("CHESHAN1")
	packed := p.do("POST", "/carts/"+cash+"/checkout", p.checkout(cash, "cod"), "Idempotency-Key", "a").is(201)
	if err := m.Orders.MarkPacked(t.Context(), packed.at("orders", 0, "code").(string), "staff:1"); err != nil {
		t.Fatal(err)
	}
	id = p.cart("CHESHAN1", "DUASAP01")
	key, weak := m.key(t, partner.Scopes...), m.key(t, partner.OrdersWrite)
	keyed, few := []string{"Authorization", "Bearer " + key}, []string{"Authorization", "Bearer " + weak}
	hook := p.do("POST", "/webhook-endpoints", object{"url": "http://localhost:1/x"}, keyed...).is(201).at("id").(string)
	gone := p.do("POST", "/webhook-endpoints", object{"url": "http://localhost:1/x", "kinds": []string{"order.paid"}}, keyed...).is(201).at("id").(string)
	err := m.DB.InTx(t.Context(), func(tx db.Tx) error {
		return partner.Emit(t.Context(), tx, partner.Event{Kind: partner.PriceChanged, Subject: "DUASAP01", At: noon, Payload: object{"price": 1}})
	})
	if err != nil {
		t.Fatal(err)
	}
	hooks, one := "/webhook-endpoints", "/webhook-endpoints/"+hook
	event := p.get(one+"/deliveries?limit=1&state=waiting", keyed...).is(200).at("items", 0, "event_id").(string)
	token, group := done.at("token").(string), done.at("group_code").(string)
	order := "/orders/" + group
	long := strings.Repeat("x", 300)

	// One good request per operation; the rest are its faults.
	reads := []string{"/products?q=dua&stars=5&province=86&group=thuc-pham&min_price=1&max_price=1000000&in_stock=true&limit=1", "/products/" + m.slugOf(t, coconut),
		"/certificates/" + proof, "/provinces", "/provinces/86/communes", "/carts/" + id, order + "?token=" + token, "/openapi.json", hooks, one, one + "/deliveries"}
	writes := map[string]any{"POST /carts": nil, "POST /carts/" + id + "/lines": object{"sku": "CHESHAN1", "quantity": 1}, "PATCH /carts/" + id + "/lines/CHESHAN1": object{"quantity": 1},
		"POST /carts/" + id + "/quote": town, "POST /carts/" + id + "/checkout": p.checkout(id, "cod"), "DELETE /carts/" + other + "/lines/CHESHAN1": nil,
		"POST " + order + "/cancel": object{"token": token}, "POST " + hooks: object{"url": "http://localhost:1/y"}, "DELETE " + one: nil, "POST " + one + "/pause": nil,
		"POST " + one + "/resume": nil, "POST " + one + "/deliveries/" + event + "/redeliver": nil, "POST " + one + "/redeliver-failed": object{"since": "2026-11-01T00:00:00Z"}}
	for _, path := range reads {
		first := p.get(path, keyed...).is(200)
		if again := p.get(path, append([]string{"If-None-Match", first.Header.Get("ETag")}, keyed...)...).is(304); len(again.Body) != 0 || first.Header.Get("ETag") == "" {
			t.Errorf("%s: 304 with %q", path, again.Body)
		}
		p.get(path, "Authorization", "Bearer none").is(401)
	}
	for route, body := range writes {
		method, path, _ := strings.Cut(route, " ")
		p.do(method, path, body, "Authorization", "Bearer none", "Idempotency-Key", "b").is(401)
		if body == nil {
			continue
		}
		headers := append([]string{"Idempotency-Key", "b"}, keyed...)
		p.send(method, path, []byte(`{"a":`), headers...).is(400)
		p.send(method, path, []byte(`{"a":"`+strings.Repeat("x", 70_000)+`"}`), headers...).is(413)
		p.do(method, path, body, append(headers, "Content-Type", "text/plain")...).is(415)
	}
	// A key does what its scopes say, and what needs a key needs it.
	for _, path := range []string{hooks, one, one + "/deliveries", order + "?token=" + token} {
		p.get(path, few...).is(403)
	}
	for route, body := range writes {
		if method, path, _ := strings.Cut(route, " "); strings.HasPrefix(path, hooks) {
			p.do(method, path, body).is(401)
			p.do(method, path, body, few...).is(403)
		} else if scope := "Bearer " + m.key(t, partner.OrdersRead); strings.HasSuffix(path, "/cancel") || strings.HasSuffix(path, "/checkout") {
			p.do(method, path, body, "Idempotency-Key", "b", "Authorization", scope).is(403)
		}
	}
	nowhere := "/webhook-endpoints/" + long
	for _, try := range []struct {
		status       int
		method, path string
		body         any
	}{
		{422, "POST", hooks, object{"url": "ftp://x"}}, {404, "GET", "/webhook-endpoints/x", nil}, {422, "GET", nowhere, nil}, {404, "DELETE", "/webhook-endpoints/x", nil},
		{422, "DELETE", nowhere, nil}, {204, "DELETE", "/webhook-endpoints/" + gone, nil}, {404, "POST", "/webhook-endpoints/x/pause", nil}, {422, "POST", nowhere + "/pause", nil},
		{404, "POST", "/webhook-endpoints/x/resume", nil}, {422, "POST", nowhere + "/resume", nil}, {404, "GET", "/webhook-endpoints/x/deliveries", nil},
		{422, "GET", one + "/deliveries?state=x", nil}, {404, "POST", one + "/deliveries/x/redeliver", nil}, {422, "POST", one + "/deliveries/" + long + "/redeliver", nil},
		{204, "POST", one + "/deliveries/" + event + "/redeliver", nil}, {200, "POST", one + "/redeliver-failed", object{"since": "2026-11-01T00:00:00Z"}},
		{404, "POST", "/webhook-endpoints/x/redeliver-failed", object{"since": "2026-11-01T00:00:00Z"}}, {422, "POST", one + "/redeliver-failed", object{"since": "yesterday"}},
		{200, "POST", one + "/pause", nil}, {409, "POST", one + "/deliveries/" + event + "/redeliver", nil},
		{409, "POST", one + "/redeliver-failed", object{"since": "2026-11-01T00:00:00Z"}}, {200, "POST", one + "/resume", nil},
	} {
		if try.body == nil {
			p.send(try.method, try.path, nil, keyed...).is(try.status)
		} else {
			p.do(try.method, try.path, try.body, keyed...).is(try.status)
		}
	}
	for range partner.MaxEndpoints - 1 {
		p.do("POST", hooks, object{"url": "http://localhost:1/x"}, keyed...).is(201)
	}
	p.do("POST", hooks, object{"url": "http://localhost:1/x"}, keyed...).is(409)
	for _, bad := range []struct {
		status       int
		method, path string
		body         any
	}{
		{422, "GET", "/products?cursor=abc", nil}, {422, "GET", "/products?limit=101", nil}, {422, "GET", "/products?sort=x&stars=9&min_price=-1", nil},
		{200, "GET", "/products?adult=true&sort=newest", nil}, {200, "GET", "/products?q=khongcoginhuthe", nil},
		{403, "GET", "/products/" + spirit, nil}, {404, "GET", "/products/khong-co", nil}, {422, "GET", "/products/" + long, nil}, {200, "GET", "/products/" + spirit + "?adult=true", nil},
		{200, "GET", "/products/" + m.slugOf(t, old), nil},
		{404, "GET", "/certificates/OCOP-2222-2222", nil}, {422, "GET", "/certificates/x", nil}, {404, "GET", "/provinces/99/communes", nil},
		{422, "GET", "/provinces/" + long + "/communes", nil}, {404, "GET", "/carts/none", nil}, {422, "GET", "/carts/" + long, nil},
		{403, "POST", "/carts/" + id + "/lines", object{"sku": "RUOUDUA1", "quantity": 1}}, {404, "POST", "/carts/none/lines", object{"sku": "DUASAP01", "quantity": 1}},
		{409, "POST", "/carts/" + id + "/lines", object{"sku": "HETHANG1", "quantity": 1}}, {422, "POST", "/carts/" + id + "/lines", object{"sku": "NONE", "quantity": 0, "x": 1}},
		{404, "PATCH", "/carts/none/lines/DUASAP01", object{"quantity": 1}}, {422, "PATCH", "/carts/" + id + "/lines/DUASAP01", object{"quantity": 1000}},
		{404, "DELETE", "/carts/none/lines/DUASAP01", nil}, {422, "DELETE", "/carts/" + id + "/lines/" + long, nil}, {200, "DELETE", "/carts/" + other + "/lines/CHESHAN1", nil},
		{404, "POST", "/carts/none/quote", town}, {409, "POST", "/carts/" + other + "/quote", town},
		{422, "POST", "/carts/" + id + "/quote", object{"address": object{"province_code": "01", "commune_code": "1"}}},
		{200, "PATCH", "/carts/" + id + "/lines/DUASAP01", object{"quantity": 999}}, {409, "POST", "/carts/" + id + "/quote", town},
		{404, "GET", order + "?token=x", nil}, {422, "GET", "/orders/" + long, nil}, {404, "POST", order + "/cancel", object{"token": "x"}},
		{422, "POST", order + "/cancel", object{"token": token, "reason": 1}},
		{409, "POST", "/orders/" + packed.at("group_code").(string) + "/cancel", object{"token": packed.at("token")}}, {200, "POST", order + "/cancel", object{"token": token}},
	} {
		var a *said
		if bad.body == nil {
			a = p.send(bad.method, bad.path, nil)
		} else {
			a = p.do(bad.method, bad.path, bad.body)
		}
		if a.is(bad.status); bad.status >= 400 && a.key() == "" {
			t.Errorf("%s %s: nothing is said: %s", bad.method, bad.path, a.Body)
		}
	}
	order2 := p.cart("DUASAP01")
	body := p.checkout(order2, "cod")
	p.do("POST", "/carts/none/checkout", body, "Idempotency-Key", "c").is(404)
	p.do("POST", "/carts/"+order2+"/checkout", body).is(422)
	body["expected_total"] = 1
	p.do("POST", "/carts/"+order2+"/checkout", body, "Idempotency-Key", "c").is(409)

	// At last nobody may do anything any more.
	once := redis.Rate{N: 1, Period: time.Hour}
	m.API.Anonymous = api.Rates{Reads: once, Carts: once, Checkouts: once}
	p.address = "192.0.2.77:1"
	p.get("/provinces").is(200)
	p.do("PATCH", "/carts/"+id+"/lines/CHESHAN1", object{"quantity": 1}).is(200)
	p.do("POST", "/carts/"+order2+"/checkout", body, "Idempotency-Key", "c").is(409)
	for _, path := range reads {
		a := p.get(path).is(429)
		if a.Header.Get("Retry-After") == "" || a.Header.Get("RateLimit-Remaining") != "0" || a.Header.Get("RateLimit-Limit") != "1" {
			t.Errorf("%s does not say when to come again: %v", path, a.Header)
		}
	}
	for route, body := range writes {
		method, path, _ := strings.Cut(route, " ")
		p.do(method, path, body, "Idempotency-Key", "b").is(429)
	}
	t.Logf("%d operations, %d kinds of answers", len(c.ops), len(c.wants))
	for _, want := range c.unseen() {
		t.Errorf("nobody saw %s", want)
	}
}
