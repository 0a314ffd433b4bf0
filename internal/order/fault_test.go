package order_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/testkit"
)

func TestAnotherAmountSettlesNothingAndWaitsForAPerson(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d))
	k.Payments.Gateway = &bent{Gateway: k.Cards, more: 1}
	k.Cards.Pay(a.page, untold)
	for range 2 {
		must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	}
	if v := a.now(t, k); v.Orders[0].State != order.AwaitingPayment || v.Orders[0].Payment.Captured != 0 {
		t.Fatalf("%+v", v)
	}
	if _, err := k.Orders.PayByCard(ctx, a.Code, a.secret); keys(t, err) != "order.not_payable" {
		t.Fatalf("got %v", err)
	}
	var seen int
	for _, c := range payment.Checks() {
		if c.Name == "payment: no charge waits for a person" {
			testkit.Scan(t, d, &seen, c.SQL)
		}
	}
	if seen != 1 {
		t.Fatal("the doctor sees nothing")
	}
	resolve := func(back bool) error {
		return k.Orders.ResolveCharge(ctx, a.Code, order.ChargeDecision{GiveBack: back, Actor: "staff", Reason: "đã hỏi cổng thẻ"})
	}
	if err := resolve(false); keys(t, err) != "order.charge.differs" {
		t.Fatalf("got %v", err)
	}
	k.Payments.Gateway = k.Cards // the provider has mended its books
	must(t, resolve(false))
	if err := resolve(true); keys(t, err) != "order.charge.not_in_doubt" {
		t.Fatalf("got %v", err)
	}
	if o := a.now(t, k).Orders[0]; o.State != order.Placed || o.Payment.Captured != o.Total {
		t.Fatalf("%+v", o)
	}
}

func TestMoneyOfAChargeInDoubtGoesBackWholeAndOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(1))
	a := card(t, k, 1, product)
	k.Payments.Gateway = &bent{Gateway: k.Cards, more: -1}
	k.Cards.Pay(a.page, untold)
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	resolve := func() error {
		return k.Orders.ResolveCharge(ctx, a.Code, order.ChargeDecision{GiveBack: true, Actor: "staff", Reason: "sai số tiền"})
	}
	k.Payments.Gateway = &bent{Gateway: k.Cards, more: -1, lose: true}
	if err := resolve(); err == nil {
		t.Fatal("the answer was not lost")
	}
	must(t, resolve())
	o := a.now(t, k).Orders[0]
	if o.State != order.Expired || o.Payment.State != payment.Expired || o.Payment.Captured != 0 || k.Available(t, product) != 1 {
		t.Fatalf("%+v", o)
	}
	// The buyer is told once what came, why it could not be taken, and what goes back how; not merely that nothing came.
	var jobs, args string
	testkit.Scan(t, d, &jobs, `SELECT string_agg(kind, ' ') FROM river_job WHERE kind LIKE 'order_tell%' AND kind <> 'order_tell_placed'`)
	testkit.Scan(t, d, &args, `SELECT args::text FROM river_job WHERE kind = 'order_tell_money_back'`)
	var j order.TellMoneyBack
	must(t, json.Unmarshal([]byte(args), &j))
	for range 2 {
		must(t, k.Orders.TellMoneyBack(ctx, j))
	}
	l := k.Mails.Letters()
	if jobs != "order_tell_money_back" || len(l) != 1 || strings.Contains(l[0].Text+l[0].HTML, "mail.money") {
		t.Fatalf("%s: %+v", jobs, l)
	}
	for _, said := range []string{(o.Total - 1).String(), o.Total.String(), a.Code, "thẻ"} {
		if !strings.Contains(l[0].Text, said) || !strings.Contains(l[0].HTML, said) {
			t.Errorf("%q is not said:\n%s", said, l[0].Text)
		}
	}
	// A notice that comes once more does not bring the doubt back.
	must(t, k.Orders.SettleCharge(ctx, a.charge))
	if k.Cards.Calls("pay back") != 1 || k.Cards.Calls("find back") != 2 || a.now(t, k).Orders[0].State != order.Expired {
		t.Fatalf("%d given back, %d asked about", k.Cards.Calls("pay back"), k.Cards.Calls("find back"))
	}
	if err := resolve(); keys(t, err) != "order.charge.not_in_doubt" {
		t.Fatalf("got %v", err)
	}
	_, err := k.Cards.PayBack(ctx, payment.PayBack{Key: "rest", MoneyRef: moneyOf(t, k), Amount: 2})
	if err == nil {
		t.Fatal("less than the provider had went back")
	}
	_, err = k.Cards.PayBack(ctx, payment.PayBack{Key: "rest", MoneyRef: moneyOf(t, k), Amount: 1})
	must(t, err)
}

func moneyOf(t testing.TB, k *testkit.Checkout) (ref string) {
	t.Helper()
	testkit.Scan(t, k.DB, &ref, `SELECT money_ref FROM charge`)
	return ref
}

// The amount was in doubt, and the time is over: the first look that finds the doubt after the grace ends the order.
func TestAnOrderWhoseMoneyIsInDoubtEndsAfterTheGrace(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(1))
	a := card(t, k, 1, product)
	k.Cards.Pay(a.page, untold)
	k.Payments.Gateway = &bent{Gateway: k.Cards, more: 1}
	k.Clock.Advance(2 * time.Hour)
	must(t, k.Orders.Expire(ctx, a.Orders[0].ID))
	if o := a.now(t, k).Orders[0]; o.State != order.Expired || k.Available(t, product) != 1 {
		t.Fatalf("%+v", o)
	}
	k.Payments.Gateway = k.Cards
	must(t, k.Orders.ResolveCharge(ctx, a.Code, order.ChargeDecision{Actor: "staff", Reason: "đúng số tiền"}))
	if o := a.now(t, k).Orders[0]; o.State != order.Placed || k.Available(t, product) != 0 {
		t.Fatalf("%+v", o)
	}
}

// narrow is a provider that takes neither little nor much.
type narrow struct {
	payment.Gateway
	least, most money.VND
}

func (n narrow) Limits() (least, most money.VND) { return n.least, n.most }

func TestACardIsOpenWithinTheProvidersLimits(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	first, second := testkit.Product(t, d), testkit.Product(t, d)
	form := k.Form(t, k.Basket(t, 1, first, second), payment.Card)
	for _, c := range []struct {
		least, most money.VND
		want        string
	}{
		{form.Expect + 1, 0, "method:order.card_too_little"},
		{0, form.Expect - 1, "method:order.card_too_much"},
	} {
		k.Payments.Gateway = narrow{k.Cards, c.least, c.most}
		q, err := k.Orders.Quote(ctx, order.QuoteRequest{CartToken: form.CartToken, ProvinceCode: form.Address.ProvinceCode, Locale: form.Locale, Delivery: form.Delivery})
		must(t, err)
		for _, m := range q.Methods {
			if m.Allowed == (m.Method == payment.Card) || m.Method == payment.Card && "method:"+m.WhyKey != c.want {
				t.Errorf("%+v", m)
			}
		}
		if _, err := k.Orders.Place(ctx, form); keys(t, err) != c.want {
			t.Errorf("got %v", err)
		}
	}
	k.Payments.Gateway = narrow{k.Cards, form.Expect, form.Expect}
	v, secret := k.Order(t, form)
	_, err := k.Orders.PayByCard(ctx, v.Code, secret)
	must(t, err)
	// What is left after one order was called off is too little; nothing is asked of the provider in vain.
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	work(t, k)
	if _, err := k.Orders.PayByCard(ctx, v.Code, secret); keys(t, err) != "order.card_too_little" {
		t.Fatalf("got %v", err)
	}
}
