package app_test

import (
	"net/url"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func TestAFormSentAgainWithOtherContentSaysWhichOrderItBecame(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	form := m.checkout(t, v, "").Fill("method", "cod")
	code := codeOf(form.Submit("do=place").Follow())
	v.Post("/thanh-toan", func() url.Values {
		again := url.Values{}
		for name, values := range form.Values {
			again[name] = values
		}
		again.Set("name", "Trần Văn Khác")
		again.Set("do", "place")
		return again
	}()).Is(409).Whole().Says(text(i18n.VI, "order.key_reused", "code", code)).Says(text(i18n.VI, "basket.empty.title"))
}

func TestAlcoholIsNotAddedBeforeTheAgeIsSaid(t *testing.T) {
	m := open(t)
	var category string
	testkit.Scan(t, m.DB, &category, `SELECT code FROM category WHERE set_no = 14`)
	rum := testkit.Product(t, m.DB, testkit.WithName("Rượu cần Tây Nguyên", "Highland jar wine"), testkit.WithCategory(category))
	m.index(t)
	sku := testkit.SKUOf(t, m.DB, rum)
	for _, lang := range []string{"", "/en"} {
		v := m.visitor(t)
		add := url.Values{"sku": {sku}, "so-luong": {"1"}, "trang": {m.slugOf(t, rum)}}
		gate := v.Post(lang+"/gio-hang", add).Is(403).Whole().Says(text(localeOf(lang), "age.title"))
		if n := m.count(t, `SELECT count(*) FROM cart_line`); lang == "" && n != 0 {
			t.Fatalf("%d lines are in baskets", n)
		}
		if page := gate.Form("main form").Submit("").Follow().Is(200); !strings.HasSuffix(page.URL.Path, "/san-pham/"+m.slugOf(t, rum)) {
			t.Errorf("the answer leads to %s", page.URL)
		}
		v.Post(lang+"/gio-hang", add).Is(303)
	}
}

func TestAPageBeyondTheLastIsTheLast(t *testing.T) {
	m := open(t)
	goods(t, m)
	m.visitor(t).Open("/san-pham?trang=100000").Says("Dừa sáp Trà Vinh")
}

func TestOnlyPublicPagesHaveAPreview(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	for path, want := range map[string]int{"/": 1, "/san-pham": 1, "/san-pham?sao=5": 1, "/gio-hang": 0, "/dang-nhap": 0} {
		if n := v.Open(path).Find("meta[property='og:title']").Length(); n != want {
			t.Errorf("%s has %d previews, not %d", path, n, want)
		}
	}
	m.put(t, v, "", coconut)
	if v.Open("/thanh-toan").Find("meta[property^='og:']").Length() != 0 || m.buy(t, v, "", "cod").Find("meta[property^='og:']").Length() != 0 {
		t.Error("a purchase has a preview")
	}
}
