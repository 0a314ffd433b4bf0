package app_test

import (
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

// goods are two products of two sellers, the first with five stars.
func goods(t *testing.T, m *market) (coconut, tea int64) {
	t.Helper()
	coconut = testkit.Product(t, m.DB, testkit.WithName("Dừa sáp Trà Vinh", "Tra Vinh waxy coconut"), testkit.WithStars(5, today.AddMonths(12)), testkit.WithSKU("DUASAP01"))
	tea = testkit.Product(t, m.DB, testkit.WithName("Chè Shan tuyết", "Shan snow tea"), testkit.WithSKU("CHESHAN1"), testkit.WithPrice(120_000))
	m.index(t)
	return coconut, tea
}

func TestAShopperWithoutAnAccountFindsOrdersFollowsAndCancels(t *testing.T) {
	for _, c := range []struct {
		name, lang, query, product string
		locale                     i18n.Locale
	}{
		{"vi", "", "dua sap", "Dừa sáp Trà Vinh", i18n.VI},
		{"en", "/en", "waxy coconut", "Tra Vinh waxy coconut", i18n.EN},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := open(t)
			coconut, tea := goods(t, m)
			v := m.visitor(t)
			home := v.Open(c.lang + "/")
			found := home.Form("form.find").Fill("q", c.query).Submit("")
			found.Is(200).Whole()
			if n := found.Find("article.ware").Length(); n != 1 {
				t.Fatalf("%q found %d products", c.query, n)
			}
			product := found.Click("article.ware h3 a").Says(c.product).Says(text(c.locale, "badge.stars", "n", 5))
			basket := product.Form("form#buy").Fill("so-luong", "2").Submit("").Follow().Is(200).Says(c.product)
			if got := basket.Find("header .count").Text(); !strings.HasPrefix(got, "2") {
				t.Errorf("the header counts %q pieces", got)
			}
			basket = m.put(t, v, c.lang, tea)
			if n := basket.Find("section.panel .line").Length(); n != 2 {
				t.Fatalf("%d lines in the basket", n)
			}
			basket.Says(text(c.locale, "basket.sellers", "n", 2))
			basket.Click("a.btn.main").Says(text(c.locale, "checkout.title"))

			form := m.checkout(t, v, c.lang).Fill("method", "cod")
			// The button says the whole price: 2 × 95,000 + 120,000 and two parcels.
			for _, box := range []string{"consent_terms", "consent_marketing"} {
				if v.Open(c.lang + "/thanh-toan").Form("form[data-checkout]").Values.Has(box) {
					t.Errorf("%s is ticked from the beginning", box)
				}
			}
			placed := form.Submit("do=place")
			placed.Is(303)
			status := placed.Follow().Is(200).Whole().Says(c.product).Says(text(c.locale, "order.state.placed"))
			if n := status.Find("section[id^=don-]").Length(); n != 2 {
				t.Errorf("%d orders for two sellers", n)
			}
			if cc := status.Header.Get("Cache-Control"); cc != "no-store" {
				t.Errorf("the status page may be kept: %q", cc)
			}
			if m.stock(t, coconut) != 8 || m.stock(t, tea) != 9 {
				t.Errorf("left: %d and %d", m.stock(t, coconut), m.stock(t, tea))
			}
			v.Open(c.lang + "/gio-hang").Says(text(c.locale, "basket.empty.title"))

			m.work(t, func() bool { return len(m.mails.Letters()) > 0 })
			m.work(t, func() bool { return len(m.mails.Letters()) > 0 }) // a second run of the workers tells nothing twice
			letters := m.mails.Letters()
			if len(letters) != 1 {
				t.Fatalf("%d mails", len(letters))
			}
			l := letters[0]
			if l.To != "hoa@vidu.vn" || l.Locale != c.locale || !strings.Contains(l.Subject, codeOf(status)) ||
				!strings.Contains(l.Text, c.product) || !strings.Contains(l.HTML, c.product) {
				t.Errorf("the mail: %+v", l)
			}
			link := status.URL.String()
			if !strings.Contains(l.Text, link) {
				t.Errorf("the mail has no link %s:\n%s", link, l.Text)
			}

			// The link opens for whoever has it, without a cookie.
			friend := m.visitor(t)
			page := friend.Open(link)
			cancelled := page.Form("section[id^=don-] form").Fill("ly-do", "Đặt nhầm <b>món</b>").Submit("").Follow().Is(200).Whole()
			cancelled.Says(text(c.locale, "order.cancelled_said")).Says(text(c.locale, "order.state.cancelled")).Says("Đặt nhầm <b>món</b>")
			if n := cancelled.Find("section[id^=don-] form").Length(); n != 1 {
				t.Errorf("%d orders can still be cancelled", n)
			}
			cancelled.Form("section[id^=don-] form").Submit("").Follow().Is(200)
			if m.stock(t, coconut) != 10 || m.stock(t, tea) != 10 {
				t.Errorf("after cancelling: %d and %d", m.stock(t, coconut), m.stock(t, tea))
			}
			m.work(t, func() bool { return len(m.mails.Letters()) >= 3 })
		})
	}
}

// huge is longer than any field may be, and not so long that the form is refused.
var huge = strings.Repeat("á", 5_000)

func TestCheckoutSaysBesideEachFieldWhatIsWrongAndKeepsWhatWasTyped(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	const script = `"><script>alert(1)</script>`
	reversed := "an\u202Egnol"
	cases := []struct{ field, value string }{
		{"name", ""}, {"name", huge}, {"name", "\x01\x07"}, {"name", reversed}, {"name", "..."},
		{"phone", ""}, {"phone", "12"}, {"phone", huge}, {"phone", script}, {"phone", "0123abc"},
		{"email", "khong-phai"}, {"email", huge + "@vidu.vn"}, {"email", script}, {"email", "a@b@c.vn"}, {"email", "x\r\nBcc: y@vidu.vn"},
		{"province", ""}, {"province", "00"}, {"province", huge}, {"province", "' OR 1=1 --"},
		{"commune", ""}, {"commune", "29242"}, {"commune", huge}, {"commune", script},
		{"street", ""}, {"street", huge}, {"street", reversed}, {"street", "\u200b"},
		{"method", ""}, {"method", "bitcoin"}, {"method", huge},
		{"note", huge}, {"note", reversed},
		{"invoice_tax_code", "123"}, {"invoice_tax_code", script}, {"invoice_address", huge},
		{"consent_terms", ""}, {"consent_terms", "yes"},
	}
	for _, lang := range []string{"", "/en"} {
		v := m.visitor(t)
		m.put(t, v, lang, coconut)
		priced := m.checkout(t, v, lang).Fill("method", "cod")
		for _, c := range cases {
			form := *priced
			form.Values = map[string][]string{}
			for k, values := range priced.Values {
				form.Values[k] = values
			}
			if strings.HasPrefix(c.field, "invoice_") {
				form.Force("invoice_company", "Công ty Thử").Force("invoice_tax_code", "0100109106").Force("invoice_address", "1 Tràng Tiền")
			}
			form.Force(c.field, c.value)
			a := form.Submit("do=place")
			short := c.value[:min(len(c.value), 20)]
			if a.Status != 422 {
				t.Errorf("%s %s=%q: %d %s", lang, c.field, short, a.Status, a.Location())
				continue
			}
			a.Whole()
			if said := a.Text("#e-" + c.field); !strings.Contains(said, " ") {
				t.Errorf("%s %s=%q: beside the field stands %q: %s", lang, c.field, short, said, a.Text("main .note, .error, .error-line"))
			}
			if a.Find("script:not([src]):not([type])").Length() > 0 || strings.Contains(a.Body, "<script>alert") {
				t.Errorf("%s %s=%q: what was typed became markup", lang, c.field, short)
			}
			kept := a.Form("form[data-checkout]").Values
			for name, values := range form.Values {
				switch name {
				case "do", "expect", "province", "commune", "method", "consent_terms":
					continue // lists and boxes cannot hold what they do not offer
				}
				want := strings.TrimSpace(strings.ToValidUTF8(values[0], ""))
				got := kept.Get(name)
				// HTML cannot carry NUL, and line breaks have no place in a one-line field.
				if got != want && !strings.ContainsAny(want, "\x01\r") {
					t.Errorf("%s %s=%q: %s was %q and is %q", lang, c.field, short, name, want[:min(len(want), 20)], got[:min(len(got), 20)])
				}
			}
		}
		// After all that the right form still places once.
		priced.Submit("do=place").Is(303)
	}
	if n := m.count(t, `SELECT count(*) FROM order_group`); n != 2 {
		t.Errorf("%d purchases", n)
	}
}

func TestTheBasketRefusesNonsense(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	for _, lang := range []string{"", "/en"} {
		v := m.visitor(t)
		for _, n := range []string{"", "0", "-1", "1000", "99999999999999999999", "một", huge, "1; DROP TABLE cart"} {
			a := v.Open(lang+"/san-pham/"+m.slugOf(t, coconut)).Form("form#buy").Force("so-luong", n).Submit("")
			a.Is(422).Whole()
			if a.Text("#e-n") == "" {
				t.Errorf("%q: nothing beside the field", n)
			}
		}
		m.put(t, v, lang, coconut)
		for _, n := range []string{"", "0", "x", "1000"} {
			a := v.Open(lang+"/gio-hang").Form("form[data-autosubmit]").Force("so-luong", n).Submit("")
			a.Is(422).Whole()
			if a.Text("#e-DUASAP01") == "" {
				t.Errorf("%q: nothing beside the line", n)
			}
		}
		v.Post(lang+"/gio-hang", map[string][]string{"sku": {"KHONGCO"}, "so-luong": {"1"}, "trang": {m.slugOf(t, coconut)}}).Is(404)
		v.Post(lang+"/gio-hang/dong", map[string][]string{"sku": {"KHONGCO"}, "so-luong": {"1"}})
		// More than there is: the basket says so and does not lead to checkout.
		a := v.Open(lang+"/gio-hang").Form("form[data-autosubmit]").Fill("so-luong", "11").Submit("").Follow().Is(200)
		a.Says(text(localeOf(lang), "basket.blocked"))
		if l := v.Get(lang + "/thanh-toan"); l.Status != 303 {
			t.Errorf("checkout of a blocked basket: %d", l.Status)
		}
	}
}

func TestAChangedPriceIsSaidBeforePaying(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	form := m.checkout(t, v, "").Fill("method", "cod")
	testkit.Exec(t, m.DB, `UPDATE variant SET price = 105000 WHERE product_id = $1`, coconut)
	a := form.Submit("do=place")
	a.Is(409).Whole()
	if total := a.Text("#live-end dl dd.all"); a.Find("[role=alert]").Length() == 0 || !strings.Contains(a.Text("button[value=place]"), total) {
		t.Errorf("no word about the new price; the button says %q", a.Text("button[value=place]"))
	}
	a.Form("form[data-checkout]").Submit("do=place").Is(303)
}

func localeOf(lang string) i18n.Locale {
	if lang == "/en" {
		return i18n.EN
	}
	return i18n.VI
}
