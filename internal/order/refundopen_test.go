package order_test

import (
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/testkit"
)

// refusedRefund is a purchase by card that was called off, and whose money the provider did not give back.
func refusedRefund(t *testing.T, k *testkit.Checkout) (atCards, order.RefundRow) {
	t.Helper()
	p := paidByCard(t, k, 2, testkit.Product(t, k.DB))
	k.Payments.Gateway = &bent{Gateway: k.Cards, refuse: true}
	must(t, k.Orders.Cancel(ctx, p.Code, p.secret, p.Orders[0].Code, ""))
	work(t, k)
	k.Payments.Gateway = k.Cards
	rows := waiting(t, k, order.Everywhere)
	if len(rows) != 1 || rows[0].Wait != order.WaitsForDecision || rows[0].OrderCode != p.Orders[0].Code || rows[0].Amount != p.Total || rows[0].Why != "refused" {
		t.Fatalf("%+v", rows)
	}
	return p, rows[0]
}

func waiting(t *testing.T, k *testkit.Checkout, in order.Scope) []order.RefundRow {
	t.Helper()
	rows, _, err := k.Orders.OpenRefunds(ctx, in, order.RefundFilter{})
	must(t, err)
	return rows
}

var clerk = order.Decider{Actor: "staff:1", Reason: "khách đã gửi số tài khoản"}

func TestARefusedRefundWaitsUntilItIsTriedAgain(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p, r := refusedRefund(t, k)
	for range 2 {
		next, err := k.Orders.RetryRefund(ctx, order.Everywhere, r.ID, order.Decider{Actor: "staff:1"})
		if err != nil || next.RetryOf != r.ID || next.Way != payment.ByProvider || next.Amount != r.Amount {
			t.Fatalf("%+v %v", next, err)
		}
	}
	if _, err := k.Orders.PaidOut(ctx, order.Everywhere, r.ID, "FT1", clerk); keys(t, err) != "order.refund.decided" {
		t.Fatalf("got %v", err)
	}
	if err := k.Orders.LeaveRefund(ctx, order.Everywhere, r.ID, clerk); keys(t, err) != "order.refund.decided" {
		t.Fatalf("got %v", err)
	}
	work(t, k)
	if o := p.now(t, k).Orders[0]; o.Refunded() != o.Total || o.NeedsRefund || len(waiting(t, k, order.Everywhere)) != 0 || k.Cards.Calls("pay back") != 1 {
		t.Fatalf("%+v", o)
	}
	row, past, err := k.Orders.ShowRefund(ctx, order.Everywhere, r.ID)
	if err != nil || row.Wait != "" || row.NextID == 0 || len(past) != 2 || past[1].Reason != "refused" {
		t.Fatalf("%+v %+v %v", row, past, err)
	}
}

func TestARefusedRefundIsPaidOutByHandOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p, r := refusedRefund(t, k)
	if _, err := k.Orders.PaidOut(ctx, order.Everywhere, r.ID, " ", clerk); keys(t, err) != "bank_ref:order.refund.bank_ref" {
		t.Fatalf("got %v", err)
	}
	if _, err := k.Orders.PaidOut(ctx, order.Everywhere, r.ID, "FT1", order.Decider{Actor: "staff:1", Reason: " "}); keys(t, err) != "reason:order.reason.required" {
		t.Fatalf("got %v", err)
	}
	errs := make([]error, 8)
	together(8, func(i int) {
		if i%2 == 0 {
			_, errs[i] = k.Orders.PaidOut(ctx, order.Everywhere, r.ID, "FT1", clerk)
		} else {
			_, errs[i] = k.Orders.RetryRefund(ctx, order.Everywhere, r.ID, clerk)
		}
	})
	got := map[string]int{}
	for _, err := range errs {
		got[keys(t, err)]++
	}
	if got[""] != 4 || got["order.refund.decided"] != 4 {
		t.Fatalf("%v", got)
	}
	work(t, k)
	if o := p.now(t, k).Orders[0]; o.Refunded() != o.Total || o.Payment.Refunded != o.Total || len(o.Refunds) != 2 {
		t.Fatalf("%+v", o)
	}
	var traces int
	testkit.Scan(t, d, &traces, `SELECT count(*) FROM audit_event WHERE action = 'order.retry_refund'`)
	if traces != 1 {
		t.Fatalf("%d traces", traces)
	}
}

func TestARefundIsPaidOutUnderOneReference(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "ocop", "FT1"))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	rows := waiting(t, k, order.Everywhere)
	if len(rows) != 1 || rows[0].Wait != order.WaitsForTransfer || rows[0].Contact.Phone != v.Contact.Phone {
		t.Fatalf("%+v", rows)
	}
	if _, err := k.Orders.RetryRefund(ctx, order.Everywhere, rows[0].ID, clerk); keys(t, err) != "order.refund.decided" {
		t.Fatalf("got %v", err)
	}
	for _, c := range []struct{ ref, want string }{{"FT7", ""}, {"FT7", ""}, {"FT8", "order.refund.decided"}} {
		if _, err := k.Orders.PaidOut(ctx, order.Everywhere, rows[0].ID, c.ref, order.Decider{Actor: "staff:1"}); keys(t, err) != c.want {
			t.Fatalf("got %v", err)
		}
	}
	if o := again(t, k, v, secret); o.Refunded() != o.Total || o.Refunds[0].BankRef != "FT7" {
		t.Fatalf("%+v", o)
	}
}

func TestARefundThatIsLeftWaitsNoLonger(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	_, r := refusedRefund(t, k)
	if err := k.Orders.LeaveRefund(ctx, order.Everywhere, r.ID, order.Decider{Actor: "staff:1"}); keys(t, err) != "reason:order.reason.required" {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		must(t, k.Orders.LeaveRefund(ctx, order.Everywhere, r.ID, clerk))
	}
	if rows := waiting(t, k, order.Everywhere); len(rows) != 0 {
		t.Fatalf("%+v", rows)
	}
	if _, err := k.Orders.RetryRefund(ctx, order.Everywhere, r.ID, clerk); keys(t, err) != "order.refund.decided" {
		t.Fatalf("got %v", err)
	}
	over, _, err := k.Orders.OpenRefunds(ctx, order.Everywhere, order.RefundFilter{Over: true})
	if err != nil || len(over) != 1 || !over[0].Left {
		t.Fatalf("%+v %v", over, err)
	}
}

func TestARefundOfAnotherSellerIsNotFound(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	_, r := refusedRefund(t, k)
	for _, in := range []order.Scope{{}, {Sellers: []int64{r.Seller.ID + 1}}} {
		if rows := waiting(t, k, in); len(rows) != 0 {
			t.Fatalf("%+v", rows)
		}
		_, err1 := k.Orders.RetryRefund(ctx, in, r.ID, clerk)
		_, err2 := k.Orders.PaidOut(ctx, in, r.ID, "FT1", clerk)
		_, _, err3 := k.Orders.ShowRefund(ctx, in, r.ID)
		for _, err := range []error{err1, err2, err3, k.Orders.LeaveRefund(ctx, in, r.ID, clerk)} {
			if keys(t, err) != "order.refund.unknown" {
				t.Fatalf("got %v", err)
			}
		}
	}
	mine := order.Scope{Sellers: []int64{r.Seller.ID}}
	if rows := waiting(t, k, mine); len(rows) != 1 {
		t.Fatalf("%+v", rows)
	}
	for in, want := range map[*order.Scope]int{{}: 0, &mine: 1, {All: true}: 1} {
		if n, since, err := k.Orders.RefundsWaiting(ctx, *in); n != want || err != nil || want == 1 && !since.Equal(k.Clock.Now()) {
			t.Fatalf("%d since %s, %v", n, since, err)
		}
	}
}

func TestPeopleAreToldOfARefundThatTheProviderDoesNotTake(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := paidByCard(t, k, 1, testkit.Product(t, d))
	must(t, k.Orders.Cancel(ctx, p.Code, p.secret, p.Orders[0].Code, ""))
	if rows := waiting(t, k, order.Everywhere); len(rows) != 0 {
		t.Fatalf("%+v", rows)
	}
	k.Clock.Advance(time.Hour + time.Second)
	rows := waiting(t, k, order.Everywhere)
	if len(rows) != 1 || rows[0].Wait != order.WaitsForProvider || rows[0].Payable() || rows[0].Retryable() {
		t.Fatalf("%+v", rows)
	}
	if _, err := k.Orders.PaidOut(ctx, order.Everywhere, rows[0].ID, "FT1", clerk); keys(t, err) != "order.refund.decided" {
		t.Fatalf("got %v", err)
	}
}

func TestAFailedRefundIsNotRepeatedWhenAnotherGaveTheSameBack(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := paidByCard(t, k, 2, testkit.Product(t, d))
	o := p.Orders[0]
	part := ask(order.RefundLine{SKU: o.Lines[0].SKU, Quantity: 1})
	part.Shipping = true
	k.Payments.Gateway = &bent{Gateway: k.Cards, refuse: true}
	failed, err := k.Orders.Refund(ctx, o.Code, part)
	must(t, err)
	work(t, k)
	k.Payments.Gateway = k.Cards
	again := part
	again.RequestKey, again.Lines = part.RequestKey+"2", nil
	if _, err := k.Orders.Refund(ctx, o.Code, again); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Orders.RetryRefund(ctx, order.Everywhere, failed.ID, clerk); keys(t, err) != "order.refund.too_much_shipping" {
		t.Fatalf("got %v", err)
	}
	must(t, k.Orders.LeaveRefund(ctx, order.Everywhere, failed.ID, clerk))
	work(t, k)
	if rows := waiting(t, k, order.Everywhere); len(rows) != 0 || p.now(t, k).Orders[0].Refunded() != o.Shipping {
		t.Fatalf("%+v", rows)
	}
}
