package order_test

import (
	"fmt"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/testkit"
)

// connected is a purchase by card of two pieces, whose seller has an account at the provider.
func connected(t *testing.T, k *testkit.Checkout) atCards {
	t.Helper()
	seller := testkit.Producer(t, k.DB)
	must(t, k.Payments.SetPayee(ctx, fmt.Sprint(seller), "acct_1"))
	return paidByCard(t, k, 2, testkit.Product(t, k.DB, testkit.WithProducer(seller)))
}

// sellerHas is what lies in sellers' accounts at the provider, as our book says.
func sellerHas(t *testing.T, k *testkit.Checkout) (sum int64) {
	t.Helper()
	testkit.Scan(t, k.DB, &sum, `SELECT coalesce(sum(amount - reversed), 0) FROM transfer WHERE state = 'done'`)
	return sum
}

// loseJobs is a queue that was lost.
func loseJobs(t *testing.T, k *testkit.Checkout) {
	t.Helper()
	_, err := k.DB.Pool().Exec(ctx, `DELETE FROM river_job`)
	must(t, err)
}

func sweepTransfers(t *testing.T, k *testkit.Checkout, want int) {
	t.Helper()
	k.Clock.Advance(11 * time.Minute)
	n, err := k.Orders.SweepTransfers(ctx)
	if err != nil || n != want {
		t.Fatalf("%d swept, %v", n, err)
	}
}

// fails has the provider say that a refund did not arrive.
func fails(t *testing.T, k *testkit.Checkout, p atCards) {
	t.Helper()
	all := p.now(t, k).Orders[0].Refunds
	ref := all[len(all)-1].ProviderRef
	must(t, k.Cards.FailBack(ref, "lost_or_stolen_card"))
	_, err := k.Payments.RecordNotice(ctx, payment.Notice{ID: ident.Token(), Kind: payment.NoticeRefund, Ref: ref, At: k.Clock.Now()})
	must(t, err)
	work(t, k)
}

func TestAShareWhoseJobWasLostIsPassedOnByTheSweep(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := connected(t, k)
	loseJobs(t, k)
	if n, err := k.Orders.SweepTransfers(ctx); n != 0 || err != nil || sellerHas(t, k) != 0 {
		t.Fatalf("%d, %v: the job may still come", n, err)
	}
	k.Cards.LoseAnswers(1)
	k.Clock.Advance(11 * time.Minute)
	if _, err := k.Orders.SweepTransfers(ctx); err == nil {
		t.Fatal("the answer was not lost")
	}
	sweepTransfers(t, k, 1)
	sweepTransfers(t, k, 0)
	if sellerHas(t, k) != int64(p.Total) {
		t.Fatalf("%d of %d", sellerHas(t, k), p.Total)
	}
}

func TestASellerWithoutAnAccountAtTheTimeIsNotPaidOutLater(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := paidByCard(t, k, 1, testkit.Product(t, d))
	work(t, k)
	must(t, k.Payments.SetPayee(ctx, fmt.Sprint(p.Orders[0].Seller.ID), "acct_1"))
	sweepTransfers(t, k, 0)
	must(t, k.Orders.PassOn(ctx, order.PassOn{OrderID: p.Orders[0].ID}))
	if sellerHas(t, k) != 0 {
		t.Fatal("a share that goes by settlement was passed on as well")
	}
}

func TestARefundWhoseReversalWasLostIsTakenBackByTheSweep(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := connected(t, k)
	work(t, k)
	r, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}))
	must(t, err)
	must(t, k.Orders.SendRefund(ctx, order.SendRefund{RefundID: r.ID}))
	loseJobs(t, k)
	sweepTransfers(t, k, 1)
	sweepTransfers(t, k, 0)
	if sellerHas(t, k) != int64(p.Total-r.Amount) || k.Cards.Calls("reverse") != 1 {
		t.Fatalf("%d of %d", sellerHas(t, k), p.Total)
	}
}

func TestWhatAFailedRefundTookFromASellerComesBackAndMayGoAgain(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := connected(t, k)
	work(t, k)
	total := int64(p.Total)
	line := order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}
	first, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(line))
	must(t, err)
	work(t, k)
	if sellerHas(t, k) != total-int64(first.Amount) {
		t.Fatalf("%d of %d", sellerHas(t, k), total)
	}
	fails(t, k, p)
	if sellerHas(t, k) != total {
		t.Fatalf("after the failure %d of %d", sellerHas(t, k), total)
	}
	// It is tried again, with all the rest: that is more than either transfer still holds.
	again, err := k.Orders.RetryRefund(ctx, order.Everywhere, first.ID, clerk)
	must(t, err)
	rest, err := k.Orders.Refund(ctx, p.Orders[0].Code, order.RefundOrder{RequestKey: ident.Token(), Whole: true, Actor: "staff", Reason: "x"})
	must(t, err)
	work(t, k)
	if sellerHas(t, k) != 0 || again.Amount+rest.Amount != p.Total {
		t.Fatalf("%d of %d", sellerHas(t, k), total)
	}
	var transfers int
	testkit.Scan(t, d, &transfers, `SELECT count(*) FROM transfer`)
	if transfers != 2 || k.Cards.Calls("transfer") != 2 {
		t.Fatalf("%d transfers", transfers)
	}
	// The rest does not arrive either.
	fails(t, k, p)
	if sellerHas(t, k) != int64(rest.Amount) {
		t.Fatalf("%d of %d", sellerHas(t, k), total)
	}
}

func TestAReversalWhoseAnswerWasLostIsFinishedThoughItsRefundFailed(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := connected(t, k)
	work(t, k)
	r, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}))
	must(t, err)
	must(t, k.Orders.SendRefund(ctx, order.SendRefund{RefundID: r.ID}))
	loseJobs(t, k)
	k.Cards.LoseAnswers(1)
	if err := k.Orders.TakeBack(ctx, order.TakeBack{RefundID: r.ID}); err == nil {
		t.Fatal("the answer was not lost")
	}
	fails(t, k, p)
	if sellerHas(t, k) != int64(p.Total) || k.Cards.Calls("transfer") != 2 {
		t.Fatalf("%d of %d", sellerHas(t, k), p.Total)
	}
}

func TestAFailedRefundThatWasNeverTakenBackTransfersNothing(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := connected(t, k)
	work(t, k)
	r, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}))
	must(t, err)
	must(t, k.Orders.SendRefund(ctx, order.SendRefund{RefundID: r.ID}))
	loseJobs(t, k)
	fails(t, k, p)
	must(t, k.Orders.TakeBack(ctx, order.TakeBack{RefundID: r.ID}))
	if sellerHas(t, k) != int64(p.Total) || k.Cards.Calls("transfer") != 1 || k.Cards.Calls("reverse") != 0 {
		t.Fatalf("%d of %d", sellerHas(t, k), p.Total)
	}
}

func TestARefundWhoseAnswerWasLostForDaysIsNotRepeated(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	p := paidByCard(t, k, 3, testkit.Product(t, d))
	// A part of it only: of the whole the provider itself would refuse a second one.
	r, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}))
	must(t, err)
	loseJobs(t, k)
	k.Cards.LoseAnswers(1)
	if err := k.Orders.SendRefund(ctx, order.SendRefund{RefundID: r.ID}); err == nil {
		t.Fatal("the answer was not lost")
	}
	k.Clock.Advance(25 * time.Hour)
	k.Cards.LoseAnswers(1)
	if _, err := k.Orders.SweepCharges(ctx); err == nil {
		t.Fatal("the answer was not lost")
	}
	if _, err := k.Orders.SweepCharges(ctx); err != nil {
		t.Fatal(err)
	}
	o := p.now(t, k).Orders[0]
	if k.Cards.Calls("pay back") != 1 || k.Cards.Calls("find back") != 2 || o.Refunded() != r.Amount {
		t.Fatalf("given back %d times, asked %d times: %+v", k.Cards.Calls("pay back"), k.Cards.Calls("find back"), o.Refunds)
	}
	// One that never reached the provider is sent, however old.
	late, err := k.Orders.Refund(ctx, p.Orders[0].Code, ask(order.RefundLine{SKU: p.Orders[0].Lines[0].SKU, Quantity: 1}))
	must(t, err)
	k.Cards.GoAway(true)
	k.Clock.Advance(30 * time.Hour)
	k.Cards.GoAway(false)
	must(t, k.Orders.SendRefund(ctx, order.SendRefund{RefundID: late.ID}))
	if o := p.now(t, k).Orders[0]; k.Cards.Calls("pay back") != 2 || o.Refunded() != r.Amount+late.Amount {
		t.Fatalf("%+v", o.Refunds)
	}
}
