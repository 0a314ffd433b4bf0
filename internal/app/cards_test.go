package app_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/testkit"
)

// testCards switches the test gateway on.
func testCards(c *config.Config) { c.Card = config.CardTest }

func TestTheTestGatewayIsMarkedAndItsPagesOpenToNobodyElse(t *testing.T) {
	m := open(t, testCards)
	for _, lang := range []string{"", "/en"} {
		v := m.visitor(t)
		locale := localeOf(lang)
		o := payment.Opening{Key: "k" + lang, Reference: "7K4M-92QX", Text: "Chợ OCOP", Amount: 250_000, Locale: string(locale), ReturnURL: "http://cho.test/?ve=1", Expires: noon.Add(time.Hour)}
		opened, err := m.Card.Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		page := v.Open(opened.URL).Whole().Says(text(locale, "testcard.banner")).Says("7K4M-92QX").Says("250.000")
		if page.Find("input").Not("header input").Length() > 0 {
			t.Error("the page asks for something")
		}
		if page.Header.Get("Cache-Control") != "no-store" || page.Find(`meta[name=robots][content=noindex]`).Length() != 1 {
			t.Error("the page may be kept")
		}
		page.Form("main form").Submit("ket-qua=declined").Follow().Is(200).Whole().Says(text(locale, "testcard.declined_says")).
			Form("main form").Submit("ket-qua=secure").Follow().Is(200).Whole().
			Form("main form").Submit("ket-qua=refuse").Follow().Is(200).Whole().Says(text(locale, "testcard.declined_says"))
		// Confirming what was not asked pays nothing.
		v.Post(opened.URL, url.Values{"ket-qua": {"confirm"}}).Is(303)
		v.Post(opened.URL, url.Values{"ket-qua": {"gift"}}).Is(422)
		v.Post(opened.URL, nil).Is(422)
		if s, err := m.Card.Look(context.Background(), opened.Ref); err != nil || s.State != payment.StandingOpen {
			t.Errorf("%+v, %v", s, err)
		}
		paid := page.Form("main form").Submit("ket-qua=lost")
		if paid.Is(303); paid.Location() != "http://cho.test/?ve=1" {
			t.Errorf("back to %s", paid.Location())
		}
		v.Open(opened.URL).Says(text(locale, "testcard.paid"))
		for _, ref := range []string{"x", strings.Repeat("a", 3_000), "tp_" + strings.Repeat("0", 32), "..%2fsecret", opened.Ref[:len(opened.Ref)-1]} {
			v.Get(lang + "/thanh-toan-the-thu/" + ref).Is(404)
			v.Post(lang+"/thanh-toan-the-thu/"+ref, url.Values{"ket-qua": {"success"}}).Is(404)
		}
	}
}

func TestWithoutTheTestGatewayItsAddressesDoNotExist(t *testing.T) {
	m := open(t)
	v := m.visitor(t)
	v.Get("/thanh-toan-the-thu/tp_" + strings.Repeat("0", 32)).Is(404)
	for _, hook := range []string{"/hooks/test", "/hooks/stripe"} {
		if a := v.Post(hook, nil); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", hook, a.Status)
		}
	}
	if p := v.Open("/").Header.Get("Content-Security-Policy"); !strings.Contains(p, "form-action 'self';") {
		t.Errorf("policy %q", p)
	}
}

func TestFormsMayLeadToStripeWhereItTakesTheCards(t *testing.T) {
	m := open(t, func(c *config.Config) {
		c.Card, c.Stripe = config.CardStripe, config.Stripe{Key: "sk_test_1", WebhookSecret: "whsec_1"}
	})
	v := m.visitor(t)
	if p := v.Open("/").Header.Get("Content-Security-Policy"); !strings.Contains(p, "form-action 'self' https://checkout.stripe.com;") {
		t.Errorf("policy %q", p)
	}
}

// postman brings the gateway's notices to the market.
type postman struct{ m *market }

func (p postman) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	in := r.Clone(r.Context())
	in.RemoteAddr = "203.0.113.250:443"
	p.m.Handler().ServeHTTP(answer, in)
	return answer.Result(), nil
}

// openCards starts the test gateway, whose late notices are not as late as in earnest.
func (m *market) openCards(t *testing.T, cfg config.Config) {
	t.Helper()
	g, err := testcard.New(testcard.Config{Folder: filepath.Join(cfg.Data, "testcard"), BaseURL: cfg.BaseURL, Clock: m.clock, Transport: postman{m}, Slow: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	m.cards = g
}

// charge is a purchase that waits for a card, with its page at the gateway.
type charge struct {
	code, secret string
	leave        string // the gateway's link back to the market
	page         *testkit.Answer
	window       *testkit.Visitor
}

// byCard buys products with a card, as far as the gateway's page: straight from checkout, then back without having paid,
// and there again by the button of the order's page.
func (m *market) byCard(t *testing.T, v *testkit.Visitor, lang string, products ...int64) charge {
	t.Helper()
	m.put(t, v, lang, products...)
	return m.atGateway(t, v, m.buy(t, v, lang, "card"))
}

// atGateway goes once around from the gateway's first page.
func (m *market) atGateway(t *testing.T, v *testkit.Visitor, first *testkit.Answer) charge {
	t.Helper()
	c := charge{window: v, page: first, leave: here(t, first.Find("main a.btn").AttrOr("href", ""))}
	status := m.back(t, c)
	c.code, c.secret = codeOf(status), status.URL.Query().Get("khoa")
	a := status.Form("main form[action$='/the']").Submit("")
	a.Is(303)
	c.page = v.Open(here(t, a.Location())).Whole()
	if c.page.URL.Path != first.URL.Path {
		t.Errorf("another page: %s after %s", c.page.URL, first.URL)
	}
	return c
}

// here is an address of the market without its site.
func here(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		t.Fatalf("%q is no address: %v", address, err)
	}
	return u.RequestURI()
}

// decide presses one button after another on the gateway's page.
func (c *charge) decide(t *testing.T, outcomes ...string) {
	t.Helper()
	for _, o := range outcomes {
		a := c.page.Form("main form").Submit("ket-qua=" + o)
		if a.Is(303); a.URL.Path != "" && strings.Contains(a.Location(), testcard.Path) {
			c.page = a.Follow().Is(200).Whole()
		}
	}
}

// back is the buyer's way back from the gateway to the order's page.
func (m *market) back(t *testing.T, c charge) *testkit.Answer {
	t.Helper()
	return c.window.Get(c.leave).Is(303).Follow().Is(200).Whole()
}

// stands fails unless all orders of a purchase are in a state.
func (m *market) stands(t *testing.T, c charge, state string) {
	t.Helper()
	if is := m.states(t, c); is != state {
		t.Errorf("the orders are %s instead of %s", is, state)
	}
}

func (m *market) states(t *testing.T, c charge) string {
	t.Helper()
	var is string
	testkit.Scan(t, m.DB, &is, `SELECT string_agg(DISTINCT o.state, ' ') FROM orders o JOIN order_group g ON g.id = o.group_id WHERE g.code = $1`, c.code)
	return is
}

func (m *market) notices(t *testing.T) int64 {
	return m.count(t, `SELECT count(*) FROM provider_notice`)
}

func TestABuyerPaysTwoSellersByOneCard(t *testing.T) {
	for _, c := range []struct {
		name, lang string
		outcomes   []string
	}{
		{"paid", "", []string{"success"}},
		{"paid in English", "/en", []string{"success"}},
		{"declined, then paid", "", []string{"declined", "declined", "success"}},
		{"3-D Secure", "/en", []string{"secure", "confirm"}},
		{"3-D Secure refused, then paid", "", []string{"secure", "refuse", "success"}},
		{"notice lost", "", []string{"lost"}},
		{"notice doubled", "", []string{"doubled"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := open(t, testCards)
			coconut, tea := goods(t, m)
			v := m.visitor(t)
			bought := m.byCard(t, v, c.lang, coconut, tea)
			locale := localeOf(c.lang)
			bought.page.Says(text(locale, "testcard.banner")).Says(bought.code)
			for _, o := range c.outcomes[:len(c.outcomes)-1] {
				bought.decide(t, o)
				m.back(t, bought)
				m.stands(t, bought, "awaiting_payment")
			}
			bought.decide(t, c.outcomes[len(c.outcomes)-1])
			m.back(t, bought)
			m.back(t, bought) // the browser asks again
			m.stands(t, bought, "placed")
			if n := m.count(t, `SELECT count(*) FROM payment WHERE state = 'paid' AND method = 'card' AND captured = amount`); n != 2 {
				t.Errorf("%d shares are paid", n)
			}
			if n := m.count(t, `SELECT count(*) FROM charge WHERE state = 'paid' AND money_ref IS NOT NULL`); n != 1 {
				t.Errorf("%d charges", n)
			}
			if m.stock(t, coconut) != 9 || m.stock(t, tea) != 9 {
				t.Errorf("left: %d and %d", m.stock(t, coconut), m.stock(t, tea))
			}
			status := v.Open(c.lang + "/don-hang/" + bought.code + "?khoa=" + bought.secret).Says(text(locale, "order.state.placed"))
			if status.Find("section[id^=don-]").Length() != 2 {
				t.Error("not two orders")
			}
			if c.outcomes[len(c.outcomes)-1] == "lost" {
				return
			}
			// The notice that comes after all changes nothing.
			eventually(t, "the notice comes", func() bool { return m.notices(t) == 1 })
			m.work(t, func() bool { return m.count(t, `SELECT count(*) FROM provider_notice WHERE handled_at IS NULL`) == 0 })
			m.stands(t, bought, "placed")
			if n := m.notices(t); n != 1 {
				t.Errorf("%d notices are stored", n)
			}
		})
	}
}

func TestTheNoticeAloneConfirmsAnOrder(t *testing.T) {
	for _, outcome := range []string{"success", "slow", "doubled"} {
		t.Run(outcome, func(t *testing.T) {
			m := open(t, testCards)
			coconut, tea := goods(t, m)
			bought := m.byCard(t, m.visitor(t), "", coconut, tea)
			bought.decide(t, outcome)
			m.work(t, func() bool { return m.states(t, bought) == "placed" })
			m.back(t, bought)
			m.stands(t, bought, "placed")
		})
	}
}

func TestTheSweepFindsMoneyWhoseNoticeWasLost(t *testing.T) {
	m := open(t, testCards)
	coconut, _ := goods(t, m)
	bought := m.byCard(t, m.visitor(t), "", coconut)
	bought.decide(t, "lost")
	m.stands(t, bought, "awaiting_payment")
	m.clock.Advance(5 * time.Minute)
	if _, err := m.Orders.SweepCharges(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.stands(t, bought, "placed")
}

func TestLeavingThePageKeepsTheOrderUntilItsTimeIsOver(t *testing.T) {
	m := open(t, testCards)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	bought := m.byCard(t, v, "", coconut)
	if back := bought.page.Find("main a.btn").AttrOr("href", ""); !strings.HasPrefix(back, "http://cho.test/don-hang/"+bought.code) {
		t.Errorf("leaving leads to %q", back)
	}
	m.back(t, bought)
	m.stands(t, bought, "awaiting_payment")
	if m.stock(t, coconut) != 9 {
		t.Error("the goods are not held")
	}
	m.clock.Advance(2 * time.Hour)
	if _, err := m.Orders.SweepUnpaid(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.stands(t, bought, "expired")
	if m.stock(t, coconut) != 10 {
		t.Error("the goods are still held")
	}
	v.Post(bought.page.URL.Path, url.Values{"ket-qua": {"success"}}).Is(303)
	v.Open(bought.page.URL.Path).Says(text(localeOf(""), "testcard.closed"))
	m.stands(t, bought, "expired")
}

func TestForgedNoticesChangeNothing(t *testing.T) {
	m := open(t, testCards)
	coconut, _ := goods(t, m)
	bought := m.byCard(t, m.visitor(t), "", coconut)
	send := func(body []byte, signature string, header http.Header) int {
		r := httptest.NewRequest(http.MethodPost, "http://cho.test/hooks/test", bytes.NewReader(body))
		for name, values := range header {
			r.Header[name] = values
		}
		r.Header.Set(testcard.Header, signature)
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, r)
		return w.Code
	}
	ref := bought.page.URL.Path[strings.LastIndex(bought.page.URL.Path, "/")+1:]
	body := fmt.Appendf(nil, `{"id":"tn_1","kind":"charge","ref":%q,"at":%d}`, ref, noon.Unix())
	for _, signature := range []string{"", "x", "t=1,v1=", fmt.Sprintf("t=%d,v1=%s", noon.Unix(), strings.Repeat("ab", 32)), m.cards.Sign(body, noon.Add(-time.Hour))} {
		if code := send(body, signature, nil); code != http.StatusBadRequest {
			t.Errorf("%q: %d", signature, code)
		}
	}
	// A browser cannot be made to send one from another site.
	if code := send(body, m.cards.Sign(body, noon), http.Header{"Sec-Fetch-Site": {"cross-site"}}); code != http.StatusForbidden {
		t.Errorf("from a page of another site: %d", code)
	}
	if n := m.notices(t); n != 0 {
		t.Errorf("%d notices are stored", n)
	}
	// A true notice about a page that is not paid, and one about nothing: the gateway is asked, and nothing follows.
	for i, about := range []string{ref, "tp_" + strings.Repeat("0", 32), "", "x"} {
		body := fmt.Appendf(nil, `{"id":"tn_%d","kind":"charge","ref":%q,"at":1}`, i, about)
		for range 2 {
			if code := send(body, m.cards.Sign(body, noon), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}); code != http.StatusOK {
				t.Errorf("%q: %d", about, code)
			}
		}
	}
	m.work(t, func() bool {
		return m.count(t, `SELECT count(*) FROM provider_notice WHERE handled_at IS NOT NULL`) == 4
	})
	m.stands(t, bought, "awaiting_payment")
}

func TestKillingTheServerBetweenMoneyAndConfirmationLosesNeither(t *testing.T) {
	const buyers, rounds = 8, 3
	m := open(t, testCards)
	m.clock.Set(time.Now())
	coconut := testkit.Product(t, m.DB, testkit.WithName("Dừa sáp", "Waxy coconut"), testkit.WithStock(1_000))
	m.index(t)
	p := installed(t, m)
	p.env = append(p.env, "OCOP_CARD=test")
	var all []charge
	for round := range rounds {
		p.start()
		began := len(all)
		for i := range buyers {
			v := testkit.VisitorAt(t, p.address)
			v.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", 1+i+round*buyers)) // nobody shares a limit
			v.Post("/gio-hang", url.Values{"sku": {testkit.SKUOf(t, m.DB, coconut)}, "so-luong": {"1"}}).Is(303)
			all = append(all, m.atGateway(t, v, m.buy(t, v, "", "card")))
		}
		answered := make(chan struct{}, buyers)
		var pressing sync.WaitGroup
		for i, c := range all[began:] {
			pressing.Go(func() {
				outcome := []string{"success", "doubled", "slow", "lost"}[i%4]
				_, _ = c.window.Try(http.MethodPost, c.page.URL.Path, url.Values{"ket-qua": {outcome}})
				answered <- struct{}{}
			})
		}
		// The first round dies before most notices, the later ones between them.
		for range 1 + round*3 {
			<-answered
		}
		p.kill()
		pressing.Wait()
	}
	p.start()
	paid := 0
	for _, c := range all {
		ref := c.page.URL.Path[strings.LastIndex(c.page.URL.Path, "/")+1:]
		v, err := m.cards.Show(ref)
		if err != nil {
			t.Fatal(err)
		}
		if v.State == payment.StandingPaid {
			paid++
		}
	}
	// Notices that were under way are told again by themselves; a buyer whose notice was lost comes back.
	m.clock.Set(time.Now())
	for i, c := range all {
		if i%4 == 3 {
			m.back(t, c)
		}
	}
	placed := func() int64 { return m.count(t, `SELECT count(*) FROM orders WHERE state = 'placed'`) }
	for deadline := time.Now().Add(10 * time.Second); placed() < int64(paid) && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
	}
	told := placed()
	for _, c := range all {
		m.back(t, c) // and whoever was cut off between the money and the notice
	}
	t.Logf("%d of %d paid; %d were confirmed by notices after the restart", paid, len(all), told)
	if paid == 0 || paid == len(all) && told == 0 {
		t.Error("the server did not die in the middle")
	}
	if n := placed(); n != int64(paid) {
		t.Errorf("%d orders are placed and %d were paid", n, paid)
	}
	if n := m.count(t, `SELECT count(*) FROM orders WHERE state = 'awaiting_payment'`); n != int64(len(all)-paid) {
		t.Errorf("%d wait for money", n)
	}
	if out, err := p.run("doctor").CombinedOutput(); err != nil || !strings.Contains(string(out), "invariants hold") {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}
