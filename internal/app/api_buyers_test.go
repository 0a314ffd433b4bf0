package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func TestAnIdempotencyKeyIsTheBuyersOwn(t *testing.T) {
	m := open(t)
	goods(t, m)
	hers, his := m.caller(t), m.caller(t)
	first, second := hers.cart("DUASAP01"), his.cart("DUASAP01")
	body := hers.checkout(first, "vietqr")
	a := hers.do("POST", "/carts/"+first+"/checkout", body, "Idempotency-Key", "1").is(201)
	b := his.do("POST", "/carts/"+second+"/checkout", body, "Idempotency-Key", "1").is(201)
	if a.at("group_code") == b.at("group_code") || a.at("token") == b.at("token") || b.Header.Get("Idempotency-Replayed") != "false" {
		t.Errorf("two buyers met: %s %s", a.Body, b.Body)
	}
	again := hers.do("POST", "/carts/"+first+"/checkout", body, "Idempotency-Key", "1").is(201)
	if string(again.Body) != string(a.Body) || again.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("the second answer is another:\n%s\n%s", a.Body, again.Body)
	}
	// After the order moved on the same codes come back, as they stand now.
	hers.do("POST", "/orders/"+a.at("group_code").(string)+"/cancel", object{"token": a.at("token")}).is(200)
	later := hers.do("POST", "/carts/"+first+"/checkout", body, "Idempotency-Key", "1").is(201)
	if later.at("group_code") != a.at("group_code") || later.at("token") != a.at("token") || later.at("orders", 0, "status") != "cancelled" {
		t.Errorf("later: %s", later.Body)
	}
	// Another body under the same key, on a cart that has filled again.
	hers.do("POST", "/carts/"+first+"/lines", object{"sku": "CHESHAN1", "quantity": 1}).is(200)
	other := hers.checkout(first, "cod")
	if r := hers.do("POST", "/carts/"+first+"/checkout", other, "Idempotency-Key", "1").is(422); r.key() != "order.key_reused" {
		t.Errorf("another body: %s", r.Body)
	}
	hers.do("POST", "/carts/"+first+"/checkout", other, "Idempotency-Key", "2").is(201)
	for _, key := range []string{"", strings.Repeat("k", 256), "a b", "ă"} {
		if r := hers.do("POST", "/carts/"+first+"/checkout", other, "Idempotency-Key", key).is(422); r.at("errors", 0, "location") != "header.Idempotency-Key" {
			t.Errorf("key %q: %s", key, r.Body)
		}
	}
	if n := m.count(t, `SELECT count(*) FROM order_group`); n != 3 {
		t.Errorf("%d purchases", n)
	}
}

func TestTwinsOfOneCheckoutGetOneAnswer(t *testing.T) {
	m := open(t)
	goods(t, m)
	p := m.caller(t)
	id := p.cart("DUASAP01", "CHESHAN1")
	body := p.checkout(id, "vietqr")
	answers := together(12, func(int) *said { return p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "twin") })
	for _, a := range answers {
		if a.Status != 201 || string(a.Body) != string(answers[0].Body) {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if n := m.count(t, `SELECT count(*) FROM order_group`); n != 1 {
		t.Errorf("%d purchases", n)
	}
}

// together runs fn n times at the same moment.
func together[T any](n int, fn func(i int) T) []T {
	out, gate := make([]T, n), make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gate
			out[i] = fn(i)
		})
	}
	close(gate)
	all.Wait()
	return out
}

func TestTwoHundredProgramsBuyTheLastFifty(t *testing.T) {
	m := open(t)
	last := testkit.Product(t, m.DB, testkit.WithSKU("CUOICUNG"), testkit.WithStock(50))
	m.index(t)
	const buyers = 200
	carts, bodies, programs := make([]string, buyers), make([]object, buyers), make([]*caller, buyers)
	for i := range buyers {
		programs[i] = m.caller(t)
		carts[i] = programs[i].cart("CUOICUNG")
		bodies[i] = programs[i].checkout(carts[i], "vietqr")
	}
	answers := together(buyers, func(i int) *said {
		return programs[i].do("POST", "/carts/"+carts[i]+"/checkout", bodies[i], "Idempotency-Key", "same-for-all")
	})
	sold := 0
	for _, a := range answers {
		switch a.Status {
		case 201:
			sold++
		case 409:
			if a.key() != "order.line.sold_out" || a.at("lines", 0, "sku") != "CUOICUNG" || a.at("lines", 0, "available") != 0.0 || a.at("lines", 0, "name") == "" {
				t.Errorf("too late, and told: %s", a.Body)
			}
		default:
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if sold != 50 || m.stock(t, last) != 0 || m.count(t, `SELECT count(*) FROM orders`) != 50 {
		t.Errorf("%d sold, %d left", sold, m.stock(t, last))
	}
}

func TestAChangedPriceOrStockNamesTheLines(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	p := m.caller(t)
	id := p.cart("DUASAP01", "CHESHAN1")
	body := p.checkout(id, "cod")
	testkit.Exec(t, m.DB, `UPDATE variant SET price = 99000 WHERE sku = 'DUASAP01'`)
	a := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1", "Accept-Language", "en-GB,en;q=0.9").is(409)
	lines := a.at("lines").([]any)
	if a.key() != "order.price_changed" || len(lines) != 1 || a.at("lines", 0, "sku") != "DUASAP01" || a.at("lines", 0, "price") != 99000.0 ||
		a.at("lines", 0, "price_seen") != 95000.0 || a.at("lines", 0, "problem") != "price_changed" || a.at("lines", 0, "name") != "Tra Vinh waxy coconut" ||
		a.at("total") != body["expected_total"].(float64)+4000 {
		t.Errorf("a changed price: %s", a.Body)
	}
	body["expected_total"] = a.at("total")
	p.do("PATCH", "/carts/"+id+"/lines/DUASAP01", object{"quantity": 900}).is(200)
	short := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(409)
	if short.at("lines", 0, "problem") != "short" || short.at("lines", 0, "available") != float64(m.stock(t, coconut)) || short.key() != "order.line.short" {
		t.Errorf("too few: %s", short.Body)
	}
	p.do("PATCH", "/carts/"+id+"/lines/DUASAP01", object{"quantity": 1}).is(200)
	p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(201)
	// A total that was never right is told with what everything costs.
	id = p.cart("DUASAP01", "CHESHAN1")
	body = p.checkout(id, "cod")
	body["expected_total"] = 0
	if wrong := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(409); len(wrong.at("lines").([]any)) != 2 {
		t.Errorf("a wrong total: %s", wrong.Body)
	}
}

func TestAnothersCartAndOrderAreNotFound(t *testing.T) {
	m := open(t)
	goods(t, m)
	hers, his := m.caller(t), m.caller(t)
	id := hers.cart("DUASAP01")
	own := his.cart("CHESHAN1")
	mine := his.do("POST", "/carts/"+own+"/checkout", his.checkout(own, "cod"), "Idempotency-Key", "1").is(201)
	bought := hers.cart("DUASAP01")
	done := hers.do("POST", "/carts/"+bought+"/checkout", hers.checkout(bought, "vietqr"), "Idempotency-Key", "1").is(201)
	code, secret := done.at("group_code").(string), done.at("token").(string)
	for _, guess := range []string{id[:len(id)-1], id + "x", strings.ToLower(id), "x", "%27%20OR%201=1", own + "%20"} {
		for _, try := range []*said{his.get("/carts/" + guess), his.do("POST", "/carts/"+guess+"/lines", object{"sku": "DUASAP01", "quantity": 1}),
			his.do("PATCH", "/carts/"+guess+"/lines/DUASAP01", object{"quantity": 5}), his.send("DELETE", "/carts/"+guess+"/lines/DUASAP01", nil),
			his.do("POST", "/carts/"+guess+"/quote", town), his.do("POST", "/carts/"+guess+"/checkout", his.checkout(hers.cart("CHESHAN1"), "cod"), "Idempotency-Key", "1")} {
			if try.is(404); try.key() != "cart.forgotten" {
				t.Errorf("%s: %s", try.what, try.Body)
			}
		}
	}
	for _, token := range []string{"", "x", secret[:len(secret)-1], secret + "x", mine.at("token").(string)} {
		for _, which := range []string{code, done.at("orders", 0, "code").(string)} {
			for _, try := range []*said{his.get("/orders/" + which + "?token=" + token), his.send("POST", "/orders/"+which+"/cancel?token="+token, nil),
				his.do("POST", "/orders/"+which+"/cancel", object{"token": token})} {
				if try.is(404); strings.Contains(string(try.Body), "Dừa") || try.key() != "order.unknown" {
					t.Errorf("%s: %s", try.what, try.Body)
				}
			}
		}
	}
	// A right token does not open another purchase's order.
	his.get("/orders/" + code + "-Z?token=" + secret).is(404)
	if m.count(t, `SELECT count(*) FROM orders WHERE state = 'cancelled'`) != 0 || hers.get("/carts/"+id).is(200).at("count") != 1.0 {
		t.Error("he changed what is hers")
	}
	if a := hers.get("/orders/" + strings.ToLower(strings.ReplaceAll(code, "-", "")) + "?token=" + secret).is(200); a.Header.Get("Access-Control-Allow-Origin") != "" ||
		a.Header.Get("Cache-Control") != "private, no-cache" {
		t.Errorf("an order is for its buyer alone: %v", a.Header)
	}
}

func TestTheAPIShowsAlcoholToAdultsOnly(t *testing.T) {
	m := open(t)
	goods(t, m)
	rum := m.slugOf(t, spirits(t, m))
	m.index(t)
	p := m.caller(t)
	for _, path := range []string{"/products", "/products?q=ruou+dua", "/products?q=coconut+spirit", "/products?adult=false", "/products?adult=0&sort=newest", "/products/" + rum,
		"/products/" + rum + "?adult=false"} {
		for _, lang := range []string{"vi", "en"} {
			if a := p.get(path, "Accept-Language", lang); strings.Contains(string(a.Body), "Rượu dừa") || strings.Contains(string(a.Body), "Coconut spirit") || strings.Contains(string(a.Body), "RUOUDUA1") {
				t.Errorf("%s shows it: %s", path, a.Body)
			}
		}
	}
	if groups := string(p.get("/products").Body); strings.Contains(groups, `"ruou`) {
		t.Errorf("the facets tell of it: %s", groups)
	}
	if a := p.get("/products/" + rum).is(403); a.key() != "api.problem.adults" {
		t.Errorf("%s", a.Body)
	}
	if a := p.get("/products?adult=true&q=ruou").is(200); a.at("items", 0, "adults_only") != true {
		t.Errorf("an adult sees %s", a.Body)
	}
	p.get("/products/" + rum + "?adult=1").is(200)
	id := p.cart()
	for _, body := range []object{{"sku": "RUOUDUA1", "quantity": 1}, {"sku": "ruoudua1", "quantity": 1, "adult": false}} {
		if a := p.do("POST", "/carts/"+id+"/lines", body).is(403); a.at("errors", 0, "location") != "body.adult" {
			t.Errorf("%s", a.Body)
		}
	}
	p.do("POST", "/carts/"+id+"/lines", object{"sku": "RUOUDUA1", "quantity": 1, "adult": true}).is(200)
	body := p.checkout(id, "vietqr")
	body["adult"] = false
	if a := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(422); a.at("errors", 0, "location") != "body.adult" {
		t.Errorf("%s", a.Body)
	}
	body["adult"], body["payment_method"] = true, "cod"
	if a := p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(422); a.at("errors", 0, "location") != "body.payment_method" {
		t.Errorf("cash at the door for alcohol: %s", a.Body)
	}
	body["payment_method"] = "vietqr"
	p.do("POST", "/carts/"+id+"/checkout", body, "Idempotency-Key", "1").is(201)
	if n := m.count(t, `SELECT count(*) FROM consent WHERE given AND purpose IN ('terms', 'age_18')`); n != 2 {
		t.Errorf("%d consents are kept", n)
	}
}

func TestAListGoesOnWhereItEnded(t *testing.T) {
	m := open(t)
	for i := range 7 {
		testkit.Product(t, m.DB, testkit.WithName(fmt.Sprintf("Mật ong %d", i), fmt.Sprintf("Honey %d", i)), testkit.WithPrice(int64(10_000+i)))
	}
	m.index(t)
	p := m.caller(t)
	for _, filter := range []string{"", "&sort=price_desc", "&q=mat+ong&in_stock=true", "&sort=newest&min_price=10001"} {
		seen, next, pages := map[float64]bool{}, "", 0
		for {
			path := "/products?limit=3" + filter
			if next != "" {
				path += "&cursor=" + next
			}
			a := p.get(path).is(200)
			for i := range a.at("items").([]any) {
				id := a.at("items", i, "id").(float64)
				if seen[id] {
					t.Errorf("%s: %v comes twice", filter, id)
				}
				seen[id] = true
			}
			pages++
			cursor, ok := a.at("next_cursor").(string)
			if !ok {
				break
			}
			next = cursor
			if pages > 5 {
				t.Fatalf("%s has no end", filter)
			}
		}
		want := 7
		if strings.Contains(filter, "10001") {
			want = 6
		}
		if len(seen) != want {
			t.Errorf("%s: %d products on %d pages", filter, len(seen), pages)
		}
		for _, bad := range []string{"/products?limit=3&sort=name&cursor=" + next, "/products?limit=3&adult=true" + filter + "&cursor=" + next,
			"/products?limit=3" + filter + "&cursor=" + next[1:], "/products?limit=3" + filter + "&cursor=" + string(next[0]^1) + next[1:], "/products?limit=3" + filter + "&cursor=" + next + "A",
			"/products?limit=3" + filter + "&cursor=1"} {
			if a := p.get(bad).is(422); a.at("errors", 0, "location") != "query.cursor" {
				t.Errorf("%s: %s", bad, a.Body)
			}
		}
	}
}

func TestReadsOfTheAPIMayBeKeptForAWhileAndNeverPastMidnight(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	p := m.caller(t)
	path := "/products/" + m.slugOf(t, coconut)
	a := p.get(path).is(200)
	tag := a.Header.Get("ETag")
	if cc := a.Header.Get("Cache-Control"); cc != "public, max-age=30" || tag == "" || strings.HasPrefix(tag, "W/") {
		t.Errorf("%q, %q", cc, tag)
	}
	for header, status := range map[string]int{tag: 304, `W/` + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200, "": 200} {
		b := p.get(path, "If-None-Match", header).is(status)
		if b.Header.Get("ETag") != tag || status == 304 && (len(b.Body) > 0 || b.Header.Get("Cache-Control") == "") {
			t.Errorf("If-None-Match %s: %v %s", header, b.Header, b.Body)
		}
	}
	if en := p.get(path, "Accept-Language", "en").is(200); en.Header.Get("ETag") == tag || en.Header.Get("Content-Language") != "en" || !strings.Contains(en.Header.Get("Vary"), "Accept-Language") {
		t.Errorf("the other language has %v", en.Header)
	}
	if h := p.send("HEAD", path, nil).is(200); h.Header.Get("ETag") != tag {
		t.Errorf("HEAD has %v", h.Header)
	}
	testkit.Exec(t, m.DB, `UPDATE variant SET price = 1000 WHERE sku = 'DUASAP01'`)
	p.get(path, "If-None-Match", tag).is(200)
	m.clock.Set(time.Date(2026, 11, 22, 23, 59, 50, 0, clock.HCM))
	for path, want := range map[string]string{path: "public, max-age=10", "/products": "public, max-age=10", "/provinces": "public, max-age=10", "/products/none": "no-store"} {
		if cc := p.get(path).Header.Get("Cache-Control"); cc != want {
			t.Errorf("%s before midnight: %q", path, cc)
		}
	}
	id := p.cart("DUASAP01")
	if cc := p.get("/carts/" + id).Header.Get("Cache-Control"); cc != "private, no-cache" {
		t.Errorf("a cart: %q", cc)
	}
	if cc := p.do("POST", "/carts/"+id+"/quote", town).Header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("a quote: %q", cc)
	}
}

func TestScriptsOfOtherSitesMayReadAndNothingElse(t *testing.T) {
	m := open(t)
	goods(t, m)
	p := m.caller(t)
	p.header.Set("Origin", "https://tinh.example")
	p.header.Set("Sec-Fetch-Site", "cross-site")
	for _, path := range []string{"/products", "/products/x", "/certificates/x", "/provinces", "/provinces/86/communes", "/openapi.json"} {
		if a := p.get(path); a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %v", path, a.Header)
		}
		if a := p.send("OPTIONS", path, nil, "Access-Control-Request-Method", "GET").is(204); a.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD" ||
			!strings.Contains(a.Header.Get("Access-Control-Allow-Headers"), "If-None-Match") {
			t.Errorf("asked about %s: %v", path, a.Header)
		}
	}
	for _, path := range []string{"/carts", "/carts/x/lines", "/carts/x/lines/y", "/carts/x/checkout", "/orders/x/cancel", "/carts/x", "/orders/x"} {
		if a := p.send("OPTIONS", path, nil, "Access-Control-Request-Method", "POST"); a.Status < 400 || a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("asked about %s: %d %v", path, a.Status, a.Header)
		}
	}
	for _, change := range []string{"POST /carts", "POST /carts/x/lines", "PATCH /carts/x/lines/y", "DELETE /carts/x/lines/y", "POST /carts/x/checkout", "POST /orders/x/cancel"} {
		method, path, _ := strings.Cut(change, " ")
		if a := p.do(method, path, object{}).is(403); a.key() != "api.problem.cross_site" || a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %s", change, a.Body)
		}
	}
	if m.count(t, `SELECT count(*) FROM cart`) != 0 {
		t.Error("another site's page opened a cart")
	}
	// No cookie opens or is set.
	q := m.caller(t)
	q.header.Set("Cookie", "gio="+m.caller(t).cart("DUASAP01")+"; tuoi=18")
	if a := q.send("POST", "/carts", nil).is(201); a.Header.Get("Set-Cookie") != "" || q.get("/carts/"+a.at("id").(string)).at("count") != 0.0 {
		t.Errorf("a cookie counts: %v", a.Header)
	}
}

func TestWhatIsNoSoundRequestIsRefusedInTheReadersLanguage(t *testing.T) {
	m := open(t)
	goods(t, m)
	p := m.caller(t)
	id := p.cart()
	lines := "/carts/" + id + "/lines"
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	for _, c := range []struct {
		body, key, location string
		status              int
	}{
		{`{"sku":"DUASAP01","quantity":1`, "api.invalid.json", "body", 400}, {`{} {}`, "api.invalid.json", "body", 400}, {"\x00", "api.invalid.json", "body", 400}, {`NaN`, "api.invalid.json", "body", 400},
		{"{\"sku\":\"\xff\",\"quantity\":1}", "api.invalid.odd_text", "body", 400}, {`{"sku":"A\u0000","quantity":1}`, "api.invalid.odd_text", "body", 400},
		{`{"a\u0000":1}`, "api.invalid.odd_text", "body", 400}, {deep, "api.invalid.depth", "body", 400}, {strings.Repeat("[", 30_000), "api.invalid.depth", "body", 400},
		{`{"sku":"DUASAP01","sku":"X","quantity":1}`, "api.invalid.twice", "body", 400}, {``, "api.invalid.body_required", "body", 400},
		{`[]`, "api.invalid.object", "body", 422}, {`null`, "api.invalid.object", "body", 422}, {`"x"`, "api.invalid.object", "body", 422},
		{`{"quantity":1}`, "api.invalid.required", "body.sku", 422}, {`{"sku":"DUASAP01","quantity":"1"}`, "api.invalid.integer", "body.quantity", 422},
		{`{"sku":"DUASAP01","quantity":1.5}`, "api.invalid.integer", "body.quantity", 422}, {`{"sku":7,"quantity":1}`, "api.invalid.string", "body.sku", 422},
		{`{"sku":"DUASAP01","quantity":1000}`, "api.invalid.max", "body.quantity", 422}, {`{"sku":"DUASAP01","quantity":-1}`, "api.invalid.min", "body.quantity", 422},
		{`{"sku":"","quantity":1}`, "api.invalid.min_length", "body.sku", 422}, {`{"sku":"` + strings.Repeat("x", 61) + `","quantity":1}`, "api.invalid.max_length", "body.sku", 422},
		{`{"sku":"DUASAP01","quantity":1,"price":1}`, "api.invalid.unknown", "body.price", 422}, {`{"sku":"DUASAP01","quantity":1,"adult":"yes"}`, "api.invalid.boolean", "body.adult", 422},
		{`{"sku":"DUASAP01","quantity":1e400}`, "", "", 400}, {`{"sku":"KHONGCO","quantity":1}`, "catalog.sku.unknown", "body.sku", 422},
		{`{"x":"` + strings.Repeat("x", 64<<10) + `"}`, "api.invalid.too_large", "body", 413}, {`{"x":"` + strings.Repeat("x", 3<<20) + `"}`, "api.invalid.too_large", "body", 413},
	} {
		for _, l := range i18n.Locales {
			a := p.send("POST", lines, []byte(c.body), "Accept-Language", string(l))
			short := c.body[:min(len(c.body), 60)]
			if a.Status != c.status {
				t.Errorf("%q answers %d: %s", short, a.Status, a.Body)
				continue
			}
			if c.key == "" {
				continue
			}
			args, _ := a.at("errors", 0, "args").(object)
			if a.key() != c.key || a.at("errors", 0, "location") != c.location || a.at("errors", 0, "message") != i18n.T(l, c.key, args) || a.Header.Get("Content-Language") != string(l) ||
				a.at("request_id") != a.Header.Get("X-Request-Id") || a.at("status") != float64(c.status) || a.at("type") != "about:blank" {
				t.Errorf("%q: %s", short, a.Body)
			}
		}
	}
	for path, status := range map[string]int{"/products?q=%00": 400, "/products?q=%ff": 400, "/products/%00": 400, "/products?q=%zz": 400, "/products?a;b": 400, "/products?limit=1&limit=2": 422,
		"/products?limit=x": 422, "/products?in_stock=maybe": 422, "/products?unknown=1": 200, "/carts/%00": 400, "/x": 404, "/": 404, "/products/": 404, "/products?min_price=99999999999999999999": 422} {
		if a := p.get(path); a.Status != status || status >= 400 && a.key() == "" {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, c := range []string{"PUT /products", "DELETE /carts", "POST /provinces", "TRACE /products", "PATCH /orders/x"} {
		method, path, _ := strings.Cut(c, " ")
		if a := p.send(method, path, nil).is(405); a.key() != "api.problem.no_method" || a.Header.Get("Allow") == "" {
			t.Errorf("%s: %v %s", c, a.Header, a.Body)
		}
	}
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json, text/plain", "application/problem+json", "x"} {
		if a := p.send("POST", lines, []byte(`{"sku":"DUASAP01","quantity":1}`), "Content-Type", kind).is(415); a.key() != "api.invalid.media_type" {
			t.Errorf("%s: %s", kind, a.Body)
		}
	}
	p.send("POST", lines, []byte(`{"sku":"DUASAP01","quantity":1}`), "Content-Type", "application/json; charset=utf-8").is(200)
	// Every fault of a form at once, each at its place.
	form := p.checkout(id, "cod")
	form["contact"] = object{"name": "", "phone": "12"}
	form["address"] = object{"province_code": "99", "commune_code": "00070", "line": "\u202e"}
	a := p.do("POST", "/carts/"+id+"/checkout", form, "Idempotency-Key", "1").is(422)
	for i, where := range []string{"body.contact.name", "body.contact.phone", "body.address.province_code", "body.address.line"} {
		if a.at("errors", i, "location") != where {
			t.Errorf("fault %d: %s", i, a.Body)
		}
	}
	// A key is refused before anything else, wherever it is sent.
	for _, key := range []string{"Bearer x", "Basic eDp5", "Bearer", "x", "Bearer " + strings.Repeat("k", 5000)} {
		if a := p.get("/provinces", "Authorization", key).is(http.StatusUnauthorized); a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %v", key, a.Header)
		}
	}
}

func TestTheAPITakesAsManyStatementsForThirtyProductsAsForOne(t *testing.T) {
	m := open(t)
	maker := testkit.Producer(t, m.DB)
	kind := func() {
		testkit.Product(t, m.DB, testkit.WithProducer(maker), testkit.WithStars(5, today.AddMonths(3)))
	}
	kind()
	p := m.caller(t)
	paths := []string{"/products?limit=100", "/products?limit=100&stars=5&in_stock=true&sort=price_asc", "/products?limit=100&q=thu", "/provinces", "/provinces/86/communes"}
	measure := func() map[string][]string {
		m.index(t)
		id := ""
		out := map[string][]string{}
		list := p.get("/products?limit=100").is(200)
		id = p.cart()
		for i := range list.at("items").([]any) {
			p.do("POST", "/carts/"+id+"/lines", object{"sku": list.at("items", i, "skus", 0, "sku"), "quantity": 1}).is(200)
		}
		for _, path := range append(paths, "/carts/"+id) {
			p.get(path).is(200)
			m.redis.Stop() // no cache helps
			m.redis.Start()
			name, _, _ := strings.Cut(path, id)
			out[name] = m.fewest(func() { p.get(path).is(200) })
		}
		p.do("POST", "/carts/"+id+"/quote", town).is(200)
		out["quote"] = m.fewest(func() { p.do("POST", "/carts/"+id+"/quote", town).is(200) })
		return out
	}
	one := measure()
	for range 29 {
		kind()
	}
	thirty := measure()
	for path, was := range one {
		t.Logf("%-60s %d", path, len(was))
		if len(was) != len(thirty[path]) {
			t.Errorf("%s takes %d statements for one product and %d for thirty:\n%s", path, len(was), len(thirty[path]), strings.Join(thirty[path], "\n--\n"))
		}
	}
	if n := len(one["/products?limit=100"]); n > 4 {
		t.Errorf("a list takes %d statements:\n%s", n, strings.Join(one["/products?limit=100"], "\n--\n"))
	}
}
