package order_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/promo"
	"choocop.vn/ocop/internal/testkit"
)

// oddOff takes 7 đồng off each line, so that its pieces do not divide evenly.
type oddOff struct{}

func (oddOff) Name() string { return "odd" }

func (oddOff) Apply(_ context.Context, _ clock.Date, lines []promo.Priced) (map[int]promo.Adjustment, error) {
	out := map[int]promo.Adjustment{}
	for i := range lines {
		out[i] = promo.Adjustment{Rule: "odd", Key: "promo.odd", Off: 7}
	}
	return out, nil
}

// paidByCard is a purchase whose card was charged.
func paidByCard(t testing.TB, k *testkit.Checkout, pieces int, products ...int64) atCards {
	t.Helper()
	a := card(t, k, pieces, products...)
	k.Cards.Pay(a.page, untold)
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	a.GroupView = a.now(t, k)
	return a
}

func ask(lines ...order.RefundLine) order.RefundOrder {
	return order.RefundOrder{RequestKey: ident.Token(), Lines: lines, Actor: "staff", Reason: "hàng vỡ"}
}

func TestAnyRefundsAddUpToTheDongAndNeverToMore(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d, oddOff{})
	seller := testkit.Producer(t, d)
	a := testkit.Product(t, d, testkit.WithProducer(seller), testkit.WithPrice(33_333), testkit.WithStock(10_000))
	b := testkit.Product(t, d, testkit.WithProducer(seller), testkit.WithPrice(10_001), testkit.WithStock(10_000))
	k.Payments.Gateway = &bent{Gateway: k.Cards}
	failing := k.Payments.Gateway.(*bent)
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(r, "pieces")
		p := paidByCard(t, k, n, a, b)
		o := p.Orders[0]
		for range rapid.IntRange(1, 8).Draw(r, "refunds") {
			q := ask()
			for _, l := range o.Lines {
				if m := rapid.IntRange(0, 3).Draw(r, "of a line"); m > 0 {
					q.Lines = append(q.Lines, order.RefundLine{SKU: l.SKU, Quantity: m})
				}
			}
			q.Shipping = rapid.Bool().Draw(r, "shipping")
			failing.refuse = rapid.IntRange(0, 3).Draw(r, "refused") == 0
			_, err := k.Orders.Refund(ctx, o.Code, q)
			if got := keys(t, err); got != "" && got != "order.refund.too_much" && got != "order.refund.too_much_shipping" && got != "order.refund.nothing" {
				r.Fatalf("got %s", got)
			}
			work(t, k)
			failing.refuse = false
		}
		_, err := k.Orders.Refund(ctx, o.Code, order.RefundOrder{RequestKey: ident.Token(), Whole: true, Actor: "staff", Reason: "x"})
		if got := keys(t, err); got != "" && got != "order.refund.nothing" {
			r.Fatalf("got %s", got)
		}
		work(t, k)
		v := p.now(t, k).Orders[0]
		if v.Refunded() != v.Total || v.Payment.Refunded != v.Total {
			r.Fatalf("%s of %s given back, %s counted", v.Refunded(), v.Total, v.Payment.Refunded)
		}
		if _, err := k.Orders.Refund(ctx, o.Code, ask(order.RefundLine{SKU: o.Lines[0].SKU, Quantity: 1})); keys(t, err) != "order.refund.too_much" {
			r.Fatalf("got %v", err)
		}
	})
	k.BooksHold(t)
}

func TestPiecesOfALineBringItExactly(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d, oddOff{})
	o := paidByCard(t, k, 3, testkit.Product(t, d, testkit.WithPrice(100_000))).Orders[0] // 299.993 for three
	for i, want := range []int64{99_998, 99_997, 99_998} {
		r, err := k.Orders.Refund(ctx, o.Code, ask(order.RefundLine{SKU: o.Lines[0].SKU, Quantity: 1}))
		if err != nil || int64(r.Amount) != want || r.Way != payment.ByProvider {
			t.Fatalf("piece %d: %+v %v", i+1, r, err)
		}
	}
	r, err := k.Orders.Refund(ctx, o.Code, order.RefundOrder{RequestKey: ident.Token(), Shipping: true, Actor: "staff", Reason: "x"})
	if err != nil || r.Amount != o.Shipping {
		t.Fatalf("%+v %v", r, err)
	}
}

func TestRefundingTwiceAtOnceGivesBackOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	o := paidByCard(t, k, 2, testkit.Product(t, d)).Orders[0]
	line := order.RefundLine{SKU: o.Lines[0].SKU, Quantity: 1}
	same := ask(line)
	answers, errs := make([]payment.Refund, 8), make([]error, 8)
	together(8, func(i int) { answers[i], errs[i] = k.Orders.Refund(ctx, o.Code, same) })
	for i := range answers {
		if errs[i] != nil || answers[i].ID != answers[0].ID {
			t.Fatalf("%+v %v", answers[i], errs[i])
		}
	}
	other := same
	other.Shipping = true
	if _, err := k.Orders.Refund(ctx, o.Code, other); keys(t, err) != "order.refund.key_reused" {
		t.Fatalf("got %v", err)
	}
	got := map[string]int{}
	together(8, func(i int) { _, errs[i] = k.Orders.Refund(ctx, o.Code, ask(line)) }) // one piece is left
	for _, err := range errs {
		got[keys(t, err)]++
	}
	if got[""] != 1 || got["order.refund.too_much"] != 7 {
		t.Fatalf("%v", got)
	}
	ids := []int64{1, 2}
	together(6, func(i int) { errs[i] = k.Orders.SendRefund(ctx, order.SendRefund{RefundID: ids[i%2]}) })
	for _, err := range errs[:6] {
		must(t, err)
	}
	if want := int64(o.Goods); givenBack(t, k) != want {
		t.Fatalf("%d given back of %d", givenBack(t, k), want)
	}
}

func TestARefundIsRefusedWhereThereIsNothingToGiveBack(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, _ := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	o := v.Orders[0]
	line := order.RefundLine{SKU: o.Lines[0].SKU, Quantity: 1}
	for _, c := range []struct {
		code string
		r    order.RefundOrder
		want string
	}{
		{o.Code, ask(line), "order.refund.not_paid"},
		{o.Code, ask(), "order.refund.nothing"},
		{o.Code, ask(order.RefundLine{SKU: "X", Quantity: 1}), "order.refund.unknown_line"},
		{o.Code, ask(order.RefundLine{SKU: line.SKU, Quantity: -1}), "order.refund.unknown_line"},
		{o.Code, ask(line, line), "order.refund.too_much"},
		{"AAAA-AAAA-A", ask(line), "order.unknown"},
		{o.Code, order.RefundOrder{Lines: []order.RefundLine{line}, Reason: "x"}, "order.refund.key"},
		{o.Code, order.RefundOrder{RequestKey: ident.Token(), Lines: []order.RefundLine{line}}, "reason:order.reason.required"},
	} {
		if _, err := k.Orders.Refund(ctx, c.code, c.r); keys(t, err) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestAFailedRefundIsFreeAgainAndMayGoByHand(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := paidByCard(t, k, 1, testkit.Product(t, d))
	o := p.Orders[0]
	must(t, k.Orders.Cancel(ctx, p.Code, p.secret, o.Code, ""))
	work(t, k)
	broken := &bent{Gateway: k.Cards, fail: true}
	k.Payments.Gateway = broken
	sent := p.now(t, k).Orders[0]
	if sent.NeedsRefund || sent.Refunds[0].State != payment.RefundSent {
		t.Fatalf("%+v", sent.Refunds)
	}
	for i := range 2 { // the notice of the failure, doubled
		_, err := k.Payments.RecordNotice(ctx, payment.Notice{ID: ident.Token(), Kind: payment.NoticeRefund, Ref: sent.Refunds[0].ProviderRef, At: k.Clock.Now()})
		must(t, err)
		work(t, k)
		if v := p.now(t, k).Orders[0]; !v.NeedsRefund || v.Refunds[0].State != payment.RefundFailed || v.Payment.Refunded != 0 {
			t.Fatalf("time %d: %+v", i, v)
		}
	}
	k.Payments.Gateway = k.Cards
	r, err := k.Orders.Refund(ctx, o.Code, order.RefundOrder{RequestKey: ident.Token(), Whole: true, ByHand: true, Actor: "staff", Reason: "thẻ đã khóa"})
	if err != nil || r.Way != payment.ByHand || r.Amount != o.Total {
		t.Fatalf("%+v %v", r, err)
	}
	if err := k.Orders.ConfirmRefund(ctx, sent.Refunds[0].ID, "FT1", "staff"); keys(t, err) != "order.refund.not_by_hand" {
		t.Fatalf("got %v", err)
	}
	must(t, k.Orders.ConfirmRefund(ctx, r.ID, "FT1", "staff"))
	if v := p.now(t, k).Orders[0]; v.NeedsRefund {
		t.Fatalf("%+v", v)
	}
}

func TestATransferIsGivenBackByHand(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "ocop", "FT1"))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	due, err := k.Orders.RefundsByHand(ctx, 10)
	if err != nil || len(due) != 1 || due[0].OrderCode != v.Orders[0].Code || due[0].Amount != v.Total {
		t.Fatalf("%+v %v", due, err)
	}
	if o := again(t, k, v, secret); !o.NeedsRefund {
		t.Fatalf("%+v", o)
	}
	if err := k.Orders.ConfirmRefund(ctx, due[0].ID, " ", "ocop"); keys(t, err) != "bank_ref:order.refund.bank_ref" {
		t.Fatalf("got %v", err)
	}
	if err := k.Orders.ConfirmRefund(ctx, 999, "x", "ocop"); keys(t, err) != "order.refund.unknown" {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		must(t, k.Orders.ConfirmRefund(ctx, due[0].ID, "FT77", "ocop"))
	}
	if o := again(t, k, v, secret); o.NeedsRefund || o.Refunded() != o.Total {
		t.Fatalf("%+v", o)
	}
	if due, err := k.Orders.RefundDue(ctx, v.Orders[0].Code); err != nil || due {
		t.Fatalf("%t %v", due, err)
	}
}

func TestCashIsCollectedAndRemitted(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	form := k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.COD)
	who := testkit.Listener(t, d, partner.Kinds...)
	form.PartnerID = who
	v, secret := k.Order(t, form)
	code := v.Orders[0].Code
	must(t, k.Orders.MarkPacked(ctx, code, "s"))
	must(t, k.Orders.MarkShipped(ctx, code, "s"))
	must(t, k.Orders.MarkDelivered(ctx, code, "s"))
	if err := k.Orders.RemitCOD(ctx, code, "s", "BK1"); keys(t, err) != "payment.not_payable" {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		must(t, k.Orders.CollectCOD(ctx, code, "carrier"))
	}
	for range 2 {
		must(t, k.Orders.RemitCOD(ctx, code, "carrier", "BK1"))
	}
	must(t, k.Orders.CollectCOD(ctx, code, "carrier"))
	var paid int
	for _, e := range testkit.Told(t, d, who) {
		if e[0] == partner.OrderPaid {
			paid++
		}
	}
	if paid != 1 {
		t.Fatalf("the partner was told %d times", paid)
	}
	if o := again(t, k, v, secret); o.Payment.State != payment.Remitted || o.Payment.Captured != o.Total {
		t.Fatalf("%+v", o.Payment)
	}
}

func TestAParcelThatComesBackFillsTheShelfAndReturnsTheGoodsMoney(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 2, product), payment.COD))
	p := paidByCard(t, k, 3, product)
	for _, code := range []string{v.Orders[0].Code, p.Orders[0].Code} {
		if err := k.Orders.MarkReturned(ctx, code, "s", "không nhận"); keys(t, err) != "order.wrong_state" {
			t.Fatalf("got %v", err)
		}
		must(t, k.Orders.MarkPacked(ctx, code, "s"))
		must(t, k.Orders.MarkShipped(ctx, code, "s"))
		for range 2 {
			must(t, k.Orders.MarkReturned(ctx, code, "s", "không nhận"))
		}
	}
	work(t, k)
	if o := again(t, k, v, secret); o.State != order.Returned || o.Payment.State != payment.Failed || len(o.Refunds) != 0 || o.NeedsRefund {
		t.Fatalf("%+v", o)
	}
	o := p.now(t, k).Orders[0]
	if o.State != order.Returned || o.Refunded() != o.Goods || o.NeedsRefund || k.Available(t, product) != 10 {
		t.Fatalf("%+v, %d on the shelf", o, k.Available(t, product))
	}
	must(t, k.Orders.TellOrder(ctx, order.TellOrder{OrderID: o.ID, Event: "returned"}))
	if l := k.Mails.Letters(); len(l) != 1 || strings.Contains(l[0].Text, "mail.") {
		t.Fatalf("%+v", l)
	}
}

func TestASellersShareIsPassedOnOnceAndTakenBackWithItsRefunds(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	seller := testkit.Producer(t, d)
	must(t, k.Payments.SetPayee(ctx, fmt.Sprint(seller), "acct_1"))
	p := paidByCard(t, k, 2, testkit.Product(t, d, testkit.WithProducer(seller)), testkit.Product(t, d))
	for range 2 {
		work(t, k)
		must(t, k.Orders.PassOn(ctx, order.PassOn{OrderID: p.Orders[0].ID}))
	}
	var out, back int64
	read := func() {
		t.Helper()
		testkit.Scan(t, d, &out, `SELECT sum(amount) FROM transfer WHERE state = 'done'`)
		testkit.Scan(t, d, &back, `SELECT sum(reversed) FROM transfer`)
	}
	if read(); out != int64(p.Orders[0].Total) || back != 0 {
		t.Fatalf("%d passed on, %d taken back", out, back)
	}
	r, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}))
	must(t, err)
	work(t, k)
	for range 2 {
		must(t, k.Orders.TakeBack(ctx, order.TakeBack{RefundID: r.ID}))
	}
	if read(); back != int64(r.Amount) || k.Cards.Calls("transfer") != 1 || k.Cards.Calls("reverse") != 1 {
		t.Fatalf("%d taken back, %d transfers", back, k.Cards.Calls("transfer"))
	}
	// What the seller sends by hand comes out of the share that the seller has: it is not taken as well.
	q := ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1})
	q.ByHand = true
	byHand, err := k.Orders.Refund(ctx, p.Orders[0].Code, q)
	must(t, err)
	must(t, k.Orders.ConfirmRefund(ctx, byHand.ID, "FT9", "staff"))
	work(t, k)
	must(t, k.Orders.TakeBack(ctx, order.TakeBack{RefundID: byHand.ID}))
	if read(); back != int64(r.Amount) || k.Cards.Calls("reverse") != 1 {
		t.Fatalf("%d taken back", back)
	}
}

func TestReadingAPurchaseCostsTheSameForOneAndFiveOrders(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	k := testkit.NewCheckout(t, d)
	var products []int64
	for range 5 {
		products = append(products, testkit.Product(t, d))
	}
	statements := map[int]int{}
	for _, n := range []int{1, 5} {
		p := paidByCard(t, k, 1, products[:n]...)
		statements[n] = len(counter.During(func() { p.now(t, k) }))
	}
	if statements[1] != statements[5] {
		t.Fatalf("%v", statements)
	}
}
