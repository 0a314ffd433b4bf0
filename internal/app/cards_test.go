package app_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/payment"
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
