package app_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/vietqr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/testkit"
)

// shown is the transfer that a status page asks for now.
type shown struct{ code, account, amount, memo string }

// pays reads the transfer off the page and checks that the drawn code, saved as a file, belongs to it.
func pays(t *testing.T, m *market, a *testkit.Answer) shown {
	t.Helper()
	step := a.Find("section[aria-labelledby=pay-now]")
	if step.Length() != 1 {
		t.Fatalf("%d codes are shown at once:\n%s", step.Length(), a.Text("main"))
	}
	var copied []string
	for _, n := range step.Find("[data-copy]").EachIter() {
		copied = append(copied, n.AttrOr("data-copy", ""))
	}
	if len(copied) != 3 || step.Find(".qr svg").Length() != 1 {
		t.Fatalf("the step: %q", a.Text("section[aria-labelledby=pay-now]"))
	}
	name := step.Find("a[download]").AttrOr("download", "")
	s := shown{strings.TrimSuffix(strings.TrimPrefix(name, "vietqr-"), ".png"), copied[0], copied[1], copied[2]}
	v := m.visitor(t)
	png := v.Get(step.Find("a[download]").AttrOr("href", ""))
	if png.Is(200); !strings.HasPrefix(png.Body, "\x89PNG") || png.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the saved code: %s, %q", png.Header.Get("Content-Type"), png.Header.Get("Cache-Control"))
	}

	var payload, account, bin string
	var total int64
	testkit.Scan(t, m.DB, &payload, `SELECT payload FROM payment WHERE reference = $1`, s.code)
	testkit.Scan(t, m.DB, &total, `SELECT total FROM orders WHERE code = $1`, s.code)
	testkit.Scan(t, m.DB, &account, `SELECT b.account_no FROM orders o JOIN producer_bank_account b USING (producer_id) WHERE o.code = $1`, s.code)
	testkit.Scan(t, m.DB, &bin, `SELECT b.bank_bin FROM orders o JOIN producer_bank_account b USING (producer_id) WHERE o.code = $1`, s.code)
	asks, err := vietqr.Parse(payload)
	if err != nil {
		t.Fatal(err)
	}
	if asks.Account.Number != account || asks.Account.BIN != bin || asks.Amount != money.VND(total) || asks.Memo != s.memo ||
		s.account != account || s.amount != asks.Amount.Digits() || !strings.Contains(asks.Memo, strings.ReplaceAll(s.code, "-", "")) {
		t.Errorf("the page says %+v, the code asks %+v, the seller's account is %s", s, asks, account)
	}
	return s
}

func TestTwoSellersArePaidByTwoCodesOneAfterTheOther(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut, tea)
	page := m.buy(t, v, "", "vietqr").Says(text(i18n.VI, "order.state.awaiting_payment")).Says("Lần 1/2").Says("12:15")
	first := pays(t, m, page)
	if err := m.Orders.ConfirmTransfer(context.Background(), first.code, "staff:1", "FT26326000001"); err != nil {
		t.Fatal(err)
	}
	page = v.Open(page.URL.String()).Says("Lần 2/2").Says(text(i18n.VI, "order.state.placed"))
	second := pays(t, m, page)
	if second.code == first.code || second.account == first.account {
		t.Errorf("the second code is the first: %+v", second)
	}
	if strings.Contains(page.Body, "FT26326000001") {
		t.Error("the page tells the staff's reason")
	}
	// The code that was paid is no longer handed out.
	old := strings.Replace(page.Find("a[download]").AttrOr("href", ""), second.code, first.code, 1)
	v.Get(old).Is(404)
	if err := m.Orders.ConfirmTransfer(context.Background(), second.code, "staff:1", "FT26326000002"); err != nil {
		t.Fatal(err)
	}
	page = v.Open(page.URL.String())
	if page.Find("section[aria-labelledby=pay-now]").Length() != 0 {
		t.Error("a code is shown although everything is paid")
	}
	// Paid orders outlive the time to pay.
	m.clock.Advance(time.Hour)
	if n, err := m.Orders.SweepUnpaid(context.Background()); err != nil || n != 0 {
		t.Errorf("the sweep ended %d paid orders, %v", n, err)
	}
	if v.Open(page.URL.String()); m.stock(t, coconut) != 9 {
		t.Errorf("left: %d", m.stock(t, coconut))
	}
}

func TestAnUnpaidTransferExpiresAfterFifteenMinutes(t *testing.T) {
	for _, lang := range []string{"", "/en"} {
		m := start(t)
		coconut, tea := goods(t, m)
		v := m.visitor(t)
		m.put(t, v, lang, coconut, tea)
		page := m.buy(t, v, lang, "vietqr")
		first := pays(t, m, page)
		if err := m.Orders.ConfirmTransfer(context.Background(), first.code, "staff:1", "FT1"); err != nil {
			t.Fatal(err)
		}
		second := pays(t, m, v.Open(page.URL.String()))
		m.clock.Advance(15*time.Minute - time.Second)
		pays(t, m, v.Open(page.URL.String()))
		m.clock.Advance(time.Second)
		// Over at this second, before any job has run: no code, and others may buy.
		gone := v.Open(page.URL.String()).Says(text(localeOf(lang), "order.state.expired"))
		if gone.Find("section[aria-labelledby=pay-now]").Length() != 0 {
			t.Error("the code is still shown")
		}
		v.Get(lang + "/don-hang/" + codeOf(page) + "/qr/" + second.code + "?" + page.URL.RawQuery).Is(404)
		free := map[bool]int64{true: m.stock(t, coconut), false: m.stock(t, tea)}
		if free[true]+free[false] != 19 {
			t.Errorf("free: %v", free)
		}
		if n, err := m.Orders.SweepUnpaid(context.Background()); err != nil || n != 1 {
			t.Errorf("the sweep ended %d, %v", n, err)
		}
		v.Open(page.URL.String()).Says(text(localeOf(lang), "order.state.expired"))
		m.work(t, func() bool {
			var n int64
			testkit.Scan(t, m.DB, &n, `SELECT count(*) FROM message WHERE sent_at IS NOT NULL AND kind = 'order_expired'`)
			return n == 1
		})
	}
}

func TestADoubleClickPlacesOneOrder(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	for range 5 {
		v := m.visitor(t)
		m.put(t, v, "", coconut, tea)
		address, values := m.checkout(t, v, "").Fill("method", "cod").Request("do=place")
		const clicks = 2
		answers, begin := make([]*testkit.Answer, clicks), make(chan struct{})
		var all sync.WaitGroup
		for i := range clicks {
			window := v.Twin()
			all.Go(func() {
				<-begin
				answers[i], _ = window.Try("POST", address, values)
			})
		}
		close(begin)
		all.Wait()
		for _, a := range answers {
			if a == nil || a.Status != 303 || a.Location() != answers[0].Location() {
				t.Fatalf("the clicks were answered %+v and %+v", answers[0], a)
			}
		}
		answers[0].Follow().Is(200)
		// Sending it again much later leads to the same page; with another content it is refused.
		if again := v.Post(address, values); again.Status != 303 || again.Location() != answers[0].Location() {
			t.Errorf("sent again: %d %s", again.Status, again.Location())
		}
	}
	if n := m.count(t, `SELECT count(*) FROM order_group`); n != 5 {
		t.Errorf("%d purchases of five double clicks", n)
	}
	if m.stock(t, coconut) != 5 || m.stock(t, tea) != 5 {
		t.Errorf("left: %d and %d", m.stock(t, coconut), m.stock(t, tea))
	}
}
