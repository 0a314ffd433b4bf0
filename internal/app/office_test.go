package app_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/testkit"
)

// staff is somebody who works here, signed in.
func (m *market) staff(t *testing.T, email string, roles ...account.Role) *testkit.Visitor {
	t.Helper()
	if _, err := m.Accounts.Register(context.Background(), account.Registration{Email: email, Name: "Người " + email, Password: password, Actor: "test", Roles: roles}); err != nil {
		t.Fatal(err)
	}
	v := m.visitor(t)
	v.Post("/dang-nhap", url.Values{"email": {email}, "password": {password}}).Is(303)
	return v
}

func TestUnmatchedMoneyIsSeenAndDecidedByWhomItConcerns(t *testing.T) {
	m := open(t, withBank)
	coconut, tea := goods(t, m)
	maker := func(product int64) (id int64) {
		testkit.Scan(t, m.DB, &id, `SELECT producer_id FROM product WHERE id = $1`, product)
		return id
	}
	shopper := m.visitor(t)
	m.put(t, shopper, "", coconut)
	page := m.buy(t, shopper, "", "vietqr")
	asks := pays(t, m, page)
	short, odd := m.transfer(t, asks, "SHORT1"), m.transfer(t, asks, "ODD1")
	short.Amount -= 1000
	odd.Memo = "khong ghi gi"
	m.bank().Deliver(t, short, odd)
	m.work(t, func() bool { return m.count(t, `SELECT count(*) FROM bank_notice WHERE state = 'received'`) == 0 })
	var id int64
	testkit.Scan(t, m.DB, &id, `SELECT id FROM bank_notice WHERE transaction_id = 'SHORT1'`)
	one := fmt.Sprintf("/office/money/%d", id)

	admin := m.staff(t, "admin@vidu.vn", account.Role{Name: account.Admin})
	hers := m.staff(t, "hers@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker(coconut)))
	his := m.staff(t, "his@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker(tea)))
	till := m.staff(t, "till@vidu.vn", account.RoleAt(account.Cashier, account.OfShowroom, 1))
	for path, status := range map[string]int{"/office/money": 303, one: 303} {
		if a := m.visitor(t).Get(path); a.Status != status || !strings.HasPrefix(a.Location(), "/dang-nhap") {
			t.Errorf("nobody on %s: %d %s", path, a.Status, a.Location())
		}
		till.Get(path).Is(403)
	}
	for _, verb := range []string{"assign", "return", "dismiss"} {
		m.visitor(t).Post(one+"/"+verb, url.Values{"reason": {"x"}}).Is(303)
		till.Post(one+"/"+verb, url.Values{"reason": {"x"}}).Is(403)
		his.Post(one+"/"+verb, url.Values{"reason": {"x"}, "code": {asks.code}, "bank_ref": {"R1"}, "anyway": {"1"}}).Is(404)
	}
	his.Get(one).Is(404)
	if a := his.Open("/office/money"); a.Find("ol.money li").Length() != 0 {
		t.Error("another producer sees the money")
	}
	if a := admin.Open("/office/money"); a.Find("ol.money li").Length() != 2 {
		t.Errorf("the administrator sees %s", a.Text("main"))
	}
	list := hers.Open("/office/money").Says(text(i18n.VI, "money.do.under"))
	list.Says(text(i18n.VI, "money.why.no_code"))
	if hers.Open("/office/money?reason=under").Find("ol.money li").Length() != 1 || hers.Open("/office/money?q=odd1").Find("ol.money li").Length() != 1 ||
		hers.Open("/office/money?show=done").Find("ol.money li").Length() != 0 || hers.Get("/office/money?q=%25&show=x&before=z&reason=zz").Status != 200 {
		t.Error("the filters do not filter")
	}
	detail := hers.Open(one).Says(asks.code)
	refused := detail.Form("form[action$='/assign']").Fill("code", asks.code).Fill("reason", "gọi điện xác nhận").Submit("")
	refused.Is(409).Whole()
	if refused.Text("#e-anyway") == "" || m.count(t, `SELECT count(*) FROM payment WHERE state = 'paid'`) != 0 {
		t.Errorf("less money was taken for the whole: %q", refused.Text("#e-anyway"))
	}
	refused.Form("form[action$='/assign']").Fill("anyway", "1").Submit("").Follow().Is(200).Says(text(i18n.VI, "money.state.assigned"))
	shopper.Open(page.URL.String()).Says(text(i18n.VI, "order.state.placed"))
	var oddID int64
	testkit.Scan(t, m.DB, &oddID, `SELECT id FROM bank_notice WHERE transaction_id = 'ODD1'`)
	back := hers.Open(fmt.Sprintf("/office/money/%d", oddID)).Form("form[action$='/return']")
	back.Submit("").Is(422).Whole()
	back.Fill("bank_ref", "FT99").Submit("").Follow().Is(200).Says("FT99").Says(text(i18n.VI, "money.state.returned"))
	back.Submit("").Is(409)
	if n := m.count(t, `SELECT count(*) FROM audit_event WHERE action LIKE 'money.%' AND account_id IS NOT NULL`); n != 2 {
		t.Errorf("%d traces", n)
	}
}

func TestTheListOfMoneyCostsTheSameForOneAndThirty(t *testing.T) {
	m := open(t, withBank)
	coconut, _ := goods(t, m)
	shopper := m.visitor(t)
	m.put(t, shopper, "", coconut)
	asks := pays(t, m, m.buy(t, shopper, "", "vietqr"))
	send := func(from, to int) {
		for i := from; i < to; i++ {
			n := m.transfer(t, asks, fmt.Sprint("S", i))
			n.Amount -= money.VND(i + 1)
			if _, err := m.Money.Take(context.Background(), n2(n)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := m.Money.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	admin := m.staff(t, "admin@vidu.vn", account.Role{Name: account.Admin})
	count := func(rows int) int {
		return len(m.queries.During(func() {
			if n := admin.Open("/office/money").Find("ol.money > li").Length(); n != rows {
				t.Errorf("%d rows", n)
			}
		}))
	}
	send(0, 1)
	one := count(1)
	send(1, 31)
	if thirty := count(30); thirty != one || one > 8 {
		t.Errorf("%d statements for one row, %d for thirty", one, thirty)
	}
	next := admin.Open("/office/money").Click("a[href*=before]")
	if next.Find("ol.money > li").Length() != 1 {
		t.Error("the second page does not hold the rest")
	}
}

func n2(n reconcile.Notice) reconcile.Notice {
	n.Source = "bank"
	return n
}

func TestTheStartPageShowsWhatWaitsForWhom(t *testing.T) {
	m := open(t, withBank)
	coconut, _ := goods(t, m)
	shopper := m.visitor(t)
	m.put(t, shopper, "", coconut)
	n := m.transfer(t, pays(t, m, m.buy(t, shopper, "", "vietqr")), "SHORT1")
	n.Amount -= 1000
	m.bank().Deliver(t, n)
	m.work(t, func() bool { return m.count(t, `SELECT count(*) FROM bank_notice WHERE state = 'unmatched'`) == 1 })

	admin := m.staff(t, "admin@vidu.vn", account.Role{Name: account.Admin})
	page := admin.Open("/office").Whole().Says("Người admin@vidu.vn").Says(text(i18n.VI, "office.everywhere")).Says(text(i18n.VI, "office.total", "n", 1))
	if rows := page.Find("table[data-rows] tbody tr"); rows.Length() != 3 || strings.TrimSpace(rows.Find("td").First().Text()) != "1" {
		t.Errorf("waiting: %s", page.Text("main"))
	}
	if current := page.Find(`.deskbar nav a[aria-current=page]`); current.Length() != 1 || current.AttrOr("href", "") != "/office" {
		t.Errorf("where am I? %s", page.Text(".deskbar nav"))
	}
	list := page.Click("table[data-rows] tbody a").Is(200).Says(text(i18n.VI, "money.lead"))
	if current := list.Find(`.deskbar nav a[aria-current=page]`); current.Length() != 1 || current.AttrOr("href", "") != "/office/money" {
		t.Errorf("where am I? %s", list.Text(".deskbar nav"))
	}
	// The language is that of the account, and changing it leads back to the same rows.
	en := admin.Open("/office/money?reason=under").Form("form[action='/office/language']").Submit("lang=en").Follow().Is(200).Says(text(i18n.EN, "money.lead"))
	if en.URL.RequestURI() != "/office/money?reason=under" {
		t.Errorf("came back to %s", en.URL)
	}
	admin.Post("/office/language", url.Values{"lang": {"vi"}, "back": {"//evil.example/office/"}}).Is(303)
	if l := admin.Post("/office/language", url.Values{"lang": {"xx"}, "back": {"https://evil.example"}}).Location(); l != "/office" {
		t.Errorf("leads to %s", l)
	}
	admin.Open("/office").Says(text(i18n.VI, "office.col.work")).Form("form#sign-out").Submit("").Is(303)
	admin.Get("/office").Is(303)

	officer := m.staff(t, "xa@vidu.vn", account.Role{Name: account.Officer, Scope: account.OfCommune, ScopeID: "00070"})
	none := officer.Open("/office").Whole().Says("Phường Hoàn Kiếm, Thành phố Hà Nội").Says(text(i18n.VI, "office.all_done"))
	if strings.Contains(none.Text(".deskbar"), text(i18n.VI, "money.title")) {
		t.Error("an officer is led to money")
	}
	officer.Get("/office/money").Is(403)
	m.staff(t, "till@vidu.vn", account.RoleAt(account.Cashier, account.OfShowroom, 1)).Get("/office").Is(403)
	m.visitor(t).Get("/office").Is(303)
}

func TestRefundsThatWaitAreSeenAndSentByWhomTheyConcern(t *testing.T) {
	m := open(t, testCards)
	coconut, tea := goods(t, m)
	var maker, other int64
	testkit.Scan(t, m.DB, &maker, `SELECT producer_id FROM product WHERE id = $1`, coconut)
	testkit.Scan(t, m.DB, &other, `SELECT producer_id FROM product WHERE id = $1`, tea)
	shopper := m.visitor(t)
	m.put(t, shopper, "", coconut)
	page := m.buy(t, shopper, "", "vietqr")
	code := pays(t, m, page).code
	if err := m.Orders.ConfirmTransfer(context.Background(), code, "staff:1", "FT1"); err != nil {
		t.Fatal(err)
	}
	if err := m.Orders.Cancel(context.Background(), codeOf(page), page.URL.Query().Get("khoa"), code, ""); err != nil {
		t.Fatal(err)
	}
	var id int64
	testkit.Scan(t, m.DB, &id, `SELECT id FROM refund`)
	one := fmt.Sprintf("/office/refunds/%d", id)
	hers := m.staff(t, "hers@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker))
	his := m.staff(t, "his@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, other))
	till := m.staff(t, "till@vidu.vn", account.RoleAt(account.Cashier, account.OfShowroom, 1))
	admin := m.staff(t, "admin@vidu.vn", account.Role{Name: account.Admin})
	for _, path := range []string{"/office/refunds", one} {
		if a := m.visitor(t).Get(path); a.Status != 303 || !strings.HasPrefix(a.Location(), "/dang-nhap") {
			t.Errorf("nobody on %s: %d %s", path, a.Status, a.Location())
		}
		till.Get(path).Is(403)
	}
	for _, verb := range []string{"sent", "again", "leave"} {
		values := url.Values{"reason": {"x"}, "bank_ref": {"R1"}}
		m.visitor(t).Post(one+"/"+verb, values).Is(303)
		till.Post(one+"/"+verb, values).Is(403)
		his.Post(one+"/"+verb, values).Is(404)
	}
	his.Get(one).Is(404)
	if his.Open("/office/refunds?show=all").Find("ol.money li").Length() != 0 {
		t.Error("another seller sees the refund")
	}
	for _, q := range []string{"", "?wait=transfer", "?q=" + code, "?q=" + strings.ToLower(code[:6]), "?show=all"} {
		if n := admin.Open("/office/refunds" + q).Find("ol.money li").Length(); n != 1 {
			t.Errorf("%q shows %d", q, n)
		}
	}
	for _, q := range []string{"?wait=refused", "?q=%25", "?show=done", "?before=1"} {
		if n := admin.Open("/office/refunds" + q).Find("ol.money li").Length(); n != 0 {
			t.Errorf("%q shows %d", q, n)
		}
	}
	form := hers.Open("/office/refunds").Click("ol.money a").Whole().Says("0912 345 678").Form("form[action$='/sent']")
	refused := form.Fill("reason", "khách gửi số tài khoản").Submit("").Is(422).Whole()
	if refused.Text("#e-bank_ref") == "" || refused.Find("#reason-sent").AttrOr("value", "") != "khách gửi số tài khoản" {
		t.Errorf("refused: %s", refused.Text("main"))
	}
	sent := refused.Form("form[action$='/sent']").Fill("bank_ref", "FT99")
	sent.Submit("").Follow().Is(200).Whole().Says("FT99").Says(text(i18n.VI, "refunds.state.done"))
	sent.Fill("bank_ref", "FT100").Submit("").Is(409).Says(text(i18n.VI, "order.refund.decided"))
	shopper.Open(page.URL.String()).Says(text(i18n.VI, "refunds.state.done"))
	if n := m.count(t, `SELECT count(*) FROM audit_event WHERE action = 'order.confirm_refund' AND account_id IS NOT NULL`); n != 1 {
		t.Errorf("%d traces", n)
	}
}

func TestTheListOfRefundsCostsTheSameForOneAndThirty(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	shopper := m.visitor(t)
	m.put(t, shopper, "", coconut)
	code := pays(t, m, m.buy(t, shopper, "", "vietqr")).code
	if err := m.Orders.ConfirmTransfer(context.Background(), code, "staff:1", "FT1"); err != nil {
		t.Fatal(err)
	}
	owe := func(n int) {
		if _, err := m.DB.Pool().Exec(context.Background(), `WITH r AS (INSERT INTO refund (payment_id, request_key, amount, way, state, reason, actor, created_at, updated_at)
				SELECT o.payment_id, 'k' || i || '-' || $2::int, 1, 'hand', 'due', 'x', 'x', now(), now() FROM orders o, generate_series(1, $2::int) i WHERE o.code = $1 RETURNING id, amount),
			h AS (INSERT INTO refund_history (refund_id, from_state, to_state, actor, at) SELECT id, '', 'due', 'x', now() FROM r),
			p AS (UPDATE payment SET refunded = refunded + $2::int WHERE reference = $1),
			o AS (UPDATE orders SET refunded_shipping = refunded_shipping + $2::int WHERE code = $1)
			INSERT INTO order_refund (refund_id, order_id, quantity, amount) SELECT r.id, o.id, 0, r.amount FROM r, orders o WHERE o.code = $1`, code, n); err != nil {
			t.Fatal(err)
		}
	}
	admin := m.staff(t, "admin@vidu.vn", account.Role{Name: account.Admin})
	count := func(rows int) int {
		return len(m.queries.During(func() {
			if n := admin.Open("/office/refunds").Find("ol.money > li").Length(); n != rows {
				t.Errorf("%d rows", n)
			}
		}))
	}
	owe(1)
	one := count(1)
	owe(30)
	if thirty := count(30); thirty != one || one > 6 {
		t.Errorf("%d statements for one row, %d for thirty", one, thirty)
	}
	if next := admin.Open("/office/refunds").Click("a[href*=before]"); next.Find("ol.money > li").Length() != 1 {
		t.Error("the second page does not hold the rest")
	}
}
