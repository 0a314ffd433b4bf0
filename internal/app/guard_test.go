package app_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func TestAnotherShoppersPurchaseIsNotFound(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	hers, his := m.visitor(t), m.visitor(t)
	m.put(t, hers, "", coconut, tea)
	page := m.buy(t, hers, "", "vietqr")
	code, secret := codeOf(page), page.URL.Query().Get("khoa")
	m.put(t, his, "", coconut)
	own := m.buy(t, his, "", "cod")
	ownCode, ownSecret := codeOf(own), own.URL.Query().Get("khoa")
	order := pays(t, m, page).code

	for _, lang := range []string{"", "/en"} {
		for _, query := range []string{"", "?khoa=", "?khoa=x", "?khoa=" + ownSecret, "?khoa=" + secret[:len(secret)-1], "?khoa=" + secret + "x", "?khoa=%00",
			"?khoa=" + huge, "?secret=" + secret} {
			for _, path := range []string{"/don-hang/" + code, "/don-hang/" + code + "/qr/" + order, "/don-hang/" + order} {
				a := his.Get(lang + path + query)
				if a.Is(404); strings.Contains(a.Body, "Hàng Gai") || strings.Contains(a.Body, "912") || strings.Contains(a.Body, "Hòa") {
					t.Errorf("%s tells something", path+query)
				}
				if cc := a.Header.Get("Cache-Control"); cc != "no-store" {
					t.Errorf("%s: %q", path, cc)
				}
			}
		}
		his.Get(lang + "/don-hang/" + ownCode + "?khoa=" + secret).Is(404)
		his.Get(lang + "/don-hang/KH0NG-C0?khoa=" + secret).Is(404)
		// His link does not open her code, and does not cancel her order.
		his.Get(lang + "/don-hang/" + ownCode + "/qr/" + order + "?khoa=" + ownSecret).Is(404)
		for _, try := range []url.Values{{"khoa": {ownSecret}, "don": {order}}, {"khoa": {""}, "don": {order}}, {"don": {order}}, {}} {
			his.Post(lang+"/don-hang/"+ownCode+"/huy", try).Is(404)
			his.Post(lang+"/don-hang/"+code+"/huy", try).Is(404)
		}
	}
	if n := m.count(t, `SELECT count(*) FROM orders WHERE state = 'cancelled'`); n != 0 {
		t.Errorf("%d orders were cancelled", n)
	}
	// A link that leaks to other sites through the referrer is no secret; with no-referrer a browser would send the
	// cancel form with "Origin: null", which is refused.
	if p := page.Header.Get("Referrer-Policy"); p != "same-origin" {
		t.Errorf("referrer policy %q", p)
	}
	if page.Find(`meta[name=robots][content=noindex]`).Length() != 1 || page.Header.Get("X-Robots-Tag") != "noindex" {
		t.Error("search engines may keep the status page")
	}
	// The same code typed by hand, with the right secret, opens.
	hers.Open("/don-hang/" + strings.ToLower(strings.ReplaceAll(code, "-", "")) + "?khoa=" + secret)
}

func TestAnotherShoppersBasketAndAddressStayClosed(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	hers, his := m.visitor(t), m.visitor(t)
	m.put(t, hers, "", coconut, tea)
	token := hers.Cookie("gio")
	for _, guess := range []string{"x", token[:len(token)-1], token + "x", strings.ToUpper(token), "' OR ''='", strings.Repeat("a", 3_000)} {
		his.SetCookie("gio", guess)
		a := his.Open("/gio-hang").Says(text(i18n.VI, "basket.empty.title"))
		if strings.Contains(a.Body, "Dừa sáp") {
			t.Errorf("cookie %q shows her basket", guess)
		}
		his.Post("/gio-hang/dong", url.Values{"sku": {"DUASAP01"}, "bo": {"1"}})
		if l := his.Get("/thanh-toan"); l.Status != http.StatusSeeOther {
			t.Errorf("checkout of nothing: %d", l.Status)
		}
	}
	var stored string
	testkit.Scan(t, m.DB, &stored, `SELECT string_agg(c::text, ' ') FROM cart c`)
	if strings.Contains(stored, token) {
		t.Error("the basket's token lies in the database")
	}
	hers.Open("/gio-hang").Says("Dừa sáp Trà Vinh").Says("Chè Shan tuyết")

	// After her purchase nothing she typed comes back without the link, also in her own browser.
	page := m.buy(t, hers, "", "cod")
	for _, path := range []string{"/", "/gio-hang", "/thanh-toan", "/don-hang/" + codeOf(page)} {
		if a := hers.Get(path).Follow(); strings.Contains(a.Body, "Hàng Gai") {
			t.Errorf("%s shows the address", path)
		}
	}
	// A guessed cookie is never taken over as a basket's token.
	planted := m.visitor(t)
	planted.SetCookie("gio", "token-da-biet-truoc-cua-ke-xau")
	m.put(t, planted, "", coconut)
	if planted.Cookie("gio") == "token-da-biet-truoc-cua-ke-xau" {
		t.Error("a planted token became a basket")
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	_, order := m.checkout(t, v, "").Fill("method", "cod").Request("do=place")
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
		{"Origin": {"http://cho.test.evil.example"}},
	} {
		evil := v.Twin()
		evil.Header = header
		for _, lang := range []string{"", "/en"} {
			for path, values := range map[string]url.Values{
				"/thanh-toan": order, "/gio-hang": {"sku": {"DUASAP01"}, "so-luong": {"1"}}, "/gio-hang/dong": {"sku": {"DUASAP01"}, "bo": {"1"}},
				"/tuoi": {"ve": {"/"}}, "/dang-nhap": {"email": {"a@b.vn"}, "password": {"x"}}, "/dang-xuat": {}, "/don-hang/X/huy": {},
			} {
				if a := evil.Post(lang+path, values); a.Status != http.StatusForbidden || a.Header.Get("Set-Cookie") != "" {
					t.Errorf("%v POST %s: %d", header, lang+path, a.Status)
				}
			}
		}
	}
	if m.count(t, `SELECT count(*) FROM order_group`) != 0 || m.count(t, `SELECT count(*) FROM cart_line`) != 1 {
		t.Error("another site's form did something")
	}
	fine := v.Twin()
	fine.Header = http.Header{"Origin": {"http://cho.test"}, "Sec-Fetch-Site": {"same-origin"}}
	fine.Post("/thanh-toan", order).Is(303)
}

func TestTheAgeAnswerLeadsToThisSiteOnly(t *testing.T) {
	m := open(t)
	v := m.visitor(t)
	for _, to := range []string{"//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "javascript:alert(1)", "", " //evil.example",
		"http:evil.example", "///evil.example", "/\r\nSet-Cookie: a=b", huge, "%2f%2fevil.example", "?a", "/..//evil.example", "/./\\evil.example"} {
		a := v.Post("/tuoi", url.Values{"ve": {to}})
		a.Is(303)
		l, err := a.URL.Parse(a.Location())
		if err != nil || l.Host != "cho.test" || strings.HasPrefix(a.Location(), "//") || strings.Contains(a.Location(), `\`) {
			t.Errorf("%q leads to %q", to, a.Location())
		}
	}
	if l := v.Post("/tuoi", url.Values{"ve": {"/en/san-pham?q=ruou"}}).Location(); l != "/en/san-pham?q=ruou" {
		t.Errorf("leads to %q", l)
	}
}

func TestAFormOfMoreThanOneMegabyteIsRefused(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	form := m.checkout(t, v, "").Fill("method", "cod").Force("note", strings.Repeat("x", 1<<20))
	a := form.Submit("do=place")
	a.Is(http.StatusRequestEntityTooLarge)
	a.Whole()
	if m.count(t, `SELECT count(*) FROM order_group`) != 0 {
		t.Error("it was placed")
	}
	en := v.Post("/en/thanh-toan", form.Values)
	en.Is(http.StatusRequestEntityTooLarge)
	en.Whole()
	broken := v.Twin()
	if a, err := broken.Try("POST", "/thanh-toan?%zz", url.Values{}); err == nil && a.Status >= 500 {
		t.Errorf("a broken address: %d", a.Status)
	}
}

func TestAlcoholIsForAdultsAndPaidBefore(t *testing.T) {
	m := open(t)
	tea := testkit.Product(t, m.DB, testkit.WithName("Chè cần thiết", "Plain tea"))
	var category string
	testkit.Scan(t, m.DB, &category, `SELECT code FROM category WHERE set_no = 14`)
	rum := testkit.Product(t, m.DB, testkit.WithName("Rượu cần Tây Nguyên", "Highland jar wine"), testkit.WithCategory(category), testkit.WithStars(5, today.AddMonths(6)),
		testkit.WithSummary("Ủ men lá rừng", "Forest leaf yeast"))
	m.index(t)
	page := "/san-pham/" + m.slugOf(t, rum)
	var maker string
	testkit.Scan(t, m.DB, &maker, `SELECT m.slug FROM producer m JOIN product p ON p.producer_id = m.id WHERE p.id = $1`, rum)
	for _, lang := range []string{"", "/en"} {
		l := localeOf(lang)
		name := map[i18n.Locale]string{i18n.VI: "Rượu cần", i18n.EN: "Highland jar"}[l]
		v := m.visitor(t)
		for _, path := range []string{"/", "/san-pham", "/san-pham?q=ruou+can", "/san-pham?q=can", "/san-pham?q=highland+jar+wine", "/tinh/vinh-long", "/nha-san-xuat/" + maker,
			"/san-pham/" + m.slugOf(t, tea), "/goi-y?q=ruou+can", "/goi-y?q=can", "/goi-y?q=highland"} {
			if a := v.Get(lang + path).Follow(); a.Status != 200 || strings.Contains(a.Text("main, body > ul, li")+a.Text("h3"), name) {
				t.Errorf("%s: %d, shows the wine: %v", lang+path, a.Status, strings.Contains(a.Body, name))
			}
		}
		v.Open(lang + "/san-pham").Says(text(l, "age.hidden", "n", 1))
		gate := v.Open(lang + page).Says(text(l, "age.title"))
		if strings.Contains(gate.Body, "Ủ men") || strings.Contains(gate.Body, "Forest leaf") || strings.Contains(gate.Body, "95.000") || gate.Header.Get("Cache-Control") != "no-store" {
			t.Error("the gate shows what lies behind, or is kept")
		}
		if gate.Find("form#buy").Length() != 0 {
			t.Error("the gate sells")
		}
		shown := gate.Form("main form").Submit("").Follow().Is(200).Whole().Says(name)
		if cc := shown.Header.Get("Cache-Control"); strings.Contains(cc, "public") {
			t.Errorf("a page for adults may be shared: %q", cc)
		}
		v.Open(lang + "/san-pham?q=ruou+can").Says(name)
		m.put(t, v, lang, rum, tea).Says(text(l, "basket.adults"))
		form := m.checkout(t, v, lang)
		a := form.Force("method", "cod").Submit("do=place")
		a.Is(422).Whole()
		if a.Text("#e-method") == "" || a.Text("#e-consent_age") == "" || a.Find("input[value=cod][disabled]").Length() != 1 {
			t.Errorf("cash for wine: %q %q", a.Text("#e-method"), a.Text("#e-consent_age"))
		}
		a.Form("form[data-checkout]").Fill("method", "vietqr").Fill("consent_age", "1").Submit("do=place").Is(303)
	}
	if n := m.count(t, `SELECT count(*) FROM consent WHERE purpose = 'age_18' AND given`); n != 2 {
		t.Errorf("%d answers about the age are kept", n)
	}
	if m.Orders.MarkPacked(context.Background(), "X", "test") == nil {
		t.Error("an unknown order was packed")
	}
}
