package browsertest

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestSuggestionsByKeyboard(t *testing.T) {
	m := open(t)
	b := m.tab(t)
	b.always(axe(t))
	b.open("/")
	b.do(chromedp.Focus(chromedp.CSS("#q")))
	b.press("mat hoa")
	b.until("document.querySelectorAll('.suggest:not([hidden]) a').length > 0")
	for _, fault := range b.violations("") {
		t.Error(fault)
	}
	b.press(kb.ArrowDown)
	if !eval[bool](b, `(() => { const e = document.querySelector("#q"), o = document.getElementById(e.getAttribute("aria-activedescendant"));
		return e.getAttribute("aria-expanded") === "true" && o?.getAttribute("aria-selected") === "true"; })()`) {
		t.Error("the arrow key marks no suggestion")
	}
	b.press(kb.Escape)
	b.until("document.querySelector('.suggest').hidden && document.querySelector('#q').getAttribute('aria-expanded') === 'false'")
	if kept := eval[string](b, "document.querySelector('#q').value"); kept != "mat hoa" {
		t.Errorf("closing the suggestions leaves %q in the box", kept)
	}
	b.press(" dua")
	b.until("document.querySelectorAll('.suggest:not([hidden]) a[href^=\"/san-pham/\"]').length > 0")
	b.press(kb.ArrowDown)
	b.until("document.getElementById(document.querySelector('#q').getAttribute('aria-activedescendant'))?.pathname.startsWith('/san-pham/')")
	b.enter()
	b.at(m.productPath(t, m.nectar))
}

// put lays two pieces of a product into the basket with the buttons of its page.
func (b *tab) put(path string) {
	b.t.Helper()
	b.open(path)
	plus, minus := chromedp.CSS("#buy button[data-step='1']"), chromedp.CSS("#buy button[data-step='-1']")
	b.do(chromedp.Click(minus), chromedp.Click(plus), chromedp.Click(plus), chromedp.Click(minus))
	if n := eval[string](b, "document.querySelector('#buy input[name=so-luong]').value"); n != "2" {
		b.t.Errorf("1 − + + − makes %s", n)
	}
	b.do(chromedp.Click(chromedp.CSS("#buy button.main")))
	b.at("/gio-hang")
}

// choose picks an option of a select as a person does, so that the page hears of it.
func (b *tab) choose(id, value string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.value = %q; return e.dispatchEvent(new Event("change", {bubbles: true})); })()`, id, value))
	b.settled()
}

func TestCheckoutFollowsChoices(t *testing.T) {
	m := open(t)
	b := m.tab(t)
	b.put(m.productPath(t, m.nectar))
	b.put(m.productPath(t, m.tea))

	// In the basket plus is enough: the form sends itself.
	b.do(chromedp.Click(chromedp.CSS(".line button[data-step='1']")))
	b.until("location.pathname === '/gio-hang' && document.readyState === 'complete' && document.querySelector('.tools .count')?.firstChild.data.trim() === '5'")

	b.open("/thanh-toan")
	if eval[bool](b, "document.querySelector('button[value=place]') !== null") {
		t.Error("the order can be placed before its price is known")
	}
	typed := map[string]string{"name": "Nguyễn Thị Hòa", "phone": "0912 345 678", "street": "12 phố Hàng Gai"}
	for id, text := range typed {
		b.do(chromedp.SendKeys(chromedp.CSS("#"+id), text))
	}
	b.do(chromedp.Click(chromedp.CSS("#consent_terms")))
	b.choose("province", "01")
	b.until("document.querySelectorAll('#commune option').length > 100 && !document.querySelector('#commune').disabled")
	b.until("document.querySelector('button[value=place]') !== null")
	for id, text := range typed {
		if have := eval[string](b, "document.getElementById('"+id+"').value"); have != text {
			t.Errorf("after choosing a province %s holds %q", id, have)
		}
	}
	if !eval[bool](b, "document.querySelector('#consent_terms').checked") {
		t.Error("after choosing a province the consent is gone")
	}
	if eval[bool](b, "document.querySelector('#consent_marketing').checked") {
		t.Error("a consent was ticked for the shopper")
	}
	b.choose("commune", "00070")
	b.do(chromedp.Click(chromedp.CSS("input[name=method][value=cod]")))
	// A box ticked while the prices are on their way stays ticked.
	b.do(chromedp.Click(chromedp.CSS("#consent_marketing")))
	b.settled()
	if !eval[bool](b, "document.querySelector('#consent_marketing').checked && document.querySelector('input[value=cod]').checked") {
		t.Error("what was chosen while prices were on their way is gone")
	}

	b.do(chromedp.DoubleClick(chromedp.CSS("button[value=place]")))
	b.at("/don-hang/")
	if n := m.purchases(t); n != 1 {
		t.Errorf("a double click made %d purchases", n)
	}
	if n := eval[int](b, "document.querySelectorAll('main .cards > section').length"); n != 2 {
		t.Errorf("%d orders for two sellers", n)
	}
}

func TestPurchaseByKeyboardAlone(t *testing.T) {
	m := open(t)
	b := m.tab(t)
	b.open(m.productPath(t, m.nectar))
	b.tabTo("#buy button.main")
	b.enter()
	b.at("/gio-hang")
	b.tabTo("a[href='/thanh-toan']")
	b.enter()
	b.at("/thanh-toan")
	b.tabTo("#name")
	b.press("Nguyễn Thị Hòa")
	b.tabTo("#phone")
	b.press("0912345678")
	b.tabTo("#province")
	b.press(kb.ArrowDown)
	b.until("document.querySelectorAll('#commune option').length > 10")
	b.settled()
	b.tabTo("#commune")
	b.press(kb.ArrowDown)
	b.settled()
	b.tabTo("#street")
	b.press("12 Hàng Gai")
	b.tabTo("input[name=method]")
	b.press(" ")
	b.settled()
	if !eval[bool](b, "document.activeElement.name === 'method'") {
		t.Error("new prices took the focus away from the way to pay")
	}
	b.tabTo("#consent_terms")
	b.press(" ")
	b.tabTo("button[value=place]")
	b.enter()
	b.at("/don-hang/")
	if n := m.purchases(t); n != 1 {
		t.Errorf("%d purchases", n)
	}
}

// TestFaultsHaveTheFocus sends a form with nothing in it: the first field to mend has the focus.
func TestFaultsHaveTheFocus(t *testing.T) {
	m := open(t)
	b := m.tab(t)
	b.mayBeRefused("/thanh-toan")
	b.put(m.productPath(t, m.nectar))
	b.open("/thanh-toan")
	b.choose("province", "01")
	b.until("document.querySelector('button[value=place]') !== null")
	b.do(chromedp.Click(chromedp.CSS("button[value=place]")))
	b.until("document.readyState === 'complete' && document.querySelector('#faults') !== null")
	b.until("document.activeElement.id === 'name'")
	if n := m.purchases(t); n != 0 {
		t.Errorf("%d purchases of an empty form", n)
	}
}
