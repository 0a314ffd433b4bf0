package reconcile_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/testkit"
)

// key is the first known fault of an error, or empty.
func key(err error) string {
	if l, ok := apperr.As(err); ok {
		return l[0].Key
	}
	return ""
}

var clerk = reconcile.Person{Actor: "staff:1", Reason: "gọi điện"}

func TestMoreThanTheOrderIsSettledAndTheRestGoesBack(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	n := pay(v.Orders[0], "FT1")
	n.Amount += 7000
	m := tell(t, k, n)
	code := v.Orders[0].Code
	if got := key(k.Money.Assign(ctx, reconcile.Everywhere, m.ID, code, clerk, false)); got != "money.differs_more" {
		t.Fatalf("got %q", got)
	}
	must(t, k.Money.Assign(ctx, reconcile.Everywhere, m.ID, code, clerk, true))
	m = stands(t, k, m.ID)
	if !m.Open() || m.Assignable() || m.Dismissable() || m.PaymentID == 0 || again(t, k, v, secret).State != order.Placed {
		t.Fatalf("%+v", m)
	}
	if got := key(k.Money.Dismiss(ctx, reconcile.Everywhere, m.ID, clerk)); got != "money.decided" {
		t.Errorf("the rest was forgotten: %q", got)
	}
	must(t, k.Money.GiveBack(ctx, reconcile.Everywhere, m.ID, "FT9", clerk))
	if got := key(k.Money.GiveBack(ctx, reconcile.Everywhere, m.ID, "FT9", clerk)); got != "money.decided" {
		t.Errorf("twice: %q", got)
	}
	// Nobody pays an order with two moneys.
	other := pay(v.Orders[0], "FT2")
	twice := tell(t, k, other)
	if got := key(k.Money.Assign(ctx, reconcile.Everywhere, twice.ID, code, clerk, true)); got != "money.order_paid" {
		t.Errorf("paid twice: %q", got)
	}
	must(t, k.Money.Dismiss(ctx, reconcile.Everywhere, twice.ID, clerk))
	must(t, k.Money.GiveBack(ctx, reconcile.Everywhere, twice.ID, "FT10", clerk))
}

func TestNobodyDecidesOutsideTheirAccounts(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	mine, _ := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	theirs, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	a := mine.Orders[0].Payment.Account
	scope := reconcile.AccountScope{Accounts: []reconcile.ScopedAccount{{BankBIN: a.BankBIN, AccountNo: a.AccountNo, Sole: true}}}
	n := pay(mine.Orders[0], "FT1")
	n.Memo = ""
	m := tell(t, k, n)
	// One's own money does not pay for what another seller is owed.
	if got := key(k.Money.Assign(ctx, scope, m.ID, theirs.Orders[0].Code, clerk, true)); got != "money.order_unknown" {
		t.Errorf("got %q", got)
	}
	foreign := pay(theirs.Orders[0], "FT2")
	foreign.Memo = ""
	f := tell(t, k, foreign)
	for name, err := range map[string]error{"assign": k.Money.Assign(ctx, scope, f.ID, mine.Orders[0].Code, clerk, true),
		"return": k.Money.GiveBack(ctx, scope, f.ID, "R", clerk), "dismiss": k.Money.Dismiss(ctx, scope, f.ID, clerk)} {
		if got := key(err); got != "money.unknown" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if rows, _, err := k.Money.List(ctx, scope, reconcile.Filter{}); err != nil || len(rows) != 1 || rows[0].ID != m.ID {
		t.Errorf("%v %v", rows, err)
	}
	if again(t, k, theirs, secret).State != order.AwaitingPayment {
		t.Error("a foreign order was settled")
	}
	detail, err := k.Money.Show(ctx, scope, m.ID)
	must(t, err)
	if len(detail.Suggestions) != 1 || detail.Suggestions[0].Reference != mine.Orders[0].Code || !detail.Suggestions[0].Exact {
		t.Errorf("%+v", detail.Suggestions)
	}
	must(t, k.Money.Assign(ctx, scope, m.ID, mine.Orders[0].Code, clerk, false))
	if got := key(k.Money.Assign(ctx, scope, m.ID, mine.Orders[0].Code, reconcile.Person{Actor: "x"}, false)); got != "order.reason.required" {
		t.Errorf("without a reason: %q", got)
	}
}

func TestMoneyConfirmedByHandIsPutToItsOrder(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, _ := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "staff:1", "seen"))
	m := tell(t, k, pay(v.Orders[0], "FT1"))
	if got := key(k.Money.Assign(ctx, reconcile.Everywhere, m.ID, v.Orders[0].Code, clerk, false)); got != "money.differs_paid" {
		t.Fatalf("got %q", got)
	}
	must(t, k.Money.Assign(ctx, reconcile.Everywhere, m.ID, v.Orders[0].Code, clerk, true))
	if m = stands(t, k, m.ID); m.State != reconcile.Assigned || m.PaymentID != v.Orders[0].Payment.ID {
		t.Fatalf("%+v", m)
	}
}

func TestARefundThatWasSentTakesItsMoneyOffTheListToo(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	m := tell(t, k, pay(v.Orders[0], "LATE01"))
	if m.State != reconcile.Unmatched || m.Reason != reconcile.CalledOff {
		t.Fatalf("%+v", m)
	}
	due, err := k.Orders.RefundsByHand(ctx, 9)
	if err != nil || len(due) != 1 {
		t.Fatalf("%+v %v", due, err)
	}
	if got := key(k.Money.PaidOut(ctx, order.Scope{}, due[0].ID, "FT9", clerk)); got != "order.refund.unknown" {
		t.Fatalf("outside the scope: %q", got)
	}
	for range 2 {
		must(t, k.Money.PaidOut(ctx, order.Everywhere, due[0].ID, "FT9", clerk))
	}
	if m = stands(t, k, m.ID); m.State != reconcile.Returned || m.BankRef != "FT9" {
		t.Fatalf("%+v", m)
	}
	if o := again(t, k, v, secret); o.Refunded() != o.Total || len(o.Refunds) != 1 {
		t.Fatalf("%+v", o)
	}
}

func TestABuyerIsToldOfMoneyThatGoesBack(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, _ := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	o := v.Orders[0]
	less, more := pay(o, "LESS01"), pay(o, "MORE01")
	less.Amount -= 5000
	more.Amount += 7000
	under, over := tell(t, k, less), tell(t, k, more)
	must(t, k.Money.GiveBack(ctx, reconcile.Everywhere, under.ID, "FT8", clerk))
	must(t, k.Money.Assign(ctx, reconcile.Everywhere, over.ID, o.Code, clerk, true))
	must(t, k.Money.GiveBack(ctx, reconcile.Everywhere, over.ID, "FT9", clerk))
	unknown := pay(o, "ODD001")
	unknown.Memo = ""
	must(t, k.Money.GiveBack(ctx, reconcile.Everywhere, tell(t, k, unknown).ID, "FT10", clerk))
	rows, err := d.Pool().Query(ctx, `SELECT args::text FROM river_job WHERE kind = 'order_tell_money_back' ORDER BY id`)
	must(t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if len(all) != 2 {
		t.Fatalf("%q", all)
	}
	for i, want := range []struct {
		back money.VND
		ref  string
	}{{less.Amount, "FT8"}, {7000, "FT9"}} {
		var j order.TellMoneyBack
		must(t, json.Unmarshal([]byte(all[i]), &j))
		must(t, k.Orders.TellMoneyBack(ctx, j))
		l := k.Mails.Letters()
		if last := l[len(l)-1].Text; len(l) != i+1 || !strings.Contains(last, want.back.String()) || !strings.Contains(last, want.ref) || strings.Contains(last, "mail.") {
			t.Errorf("%+v", l)
		}
	}
}
