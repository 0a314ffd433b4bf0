package order_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/testkit"
)

// What a buyer may do on the provider's page: pay, and the provider tells or does not.
const (
	told   = "success"
	untold = "lost"
)

// bent is a provider that answers otherwise than it should.
type bent struct {
	payment.Gateway
	more   money.VND // captured beyond what was asked
	refuse bool
	fail   bool // money on its way back does not arrive
	lose   bool // the answer about the first money that goes back
}

func (b *bent) Look(ctx context.Context, ref string) (payment.Standing, error) {
	st, err := b.Gateway.Look(ctx, ref)
	st.Amount += b.more
	return st, err
}

func (b *bent) Close(ctx context.Context, ref string) (payment.Standing, error) {
	st, err := b.Gateway.Close(ctx, ref)
	if st.State == payment.StandingPaid {
		st.Amount += b.more
	}
	return st, err
}

func (b *bent) PayBack(ctx context.Context, p payment.PayBack) (payment.Returned, error) {
	if b.refuse {
		return payment.Returned{}, payment.ErrRefused
	}
	r, err := b.Gateway.PayBack(ctx, p)
	if b.lose {
		b.lose, err = false, errors.New("the answer is lost")
	}
	return r, err
}

func (b *bent) LookBack(ctx context.Context, ref string) (payment.Returned, error) {
	r, err := b.Gateway.LookBack(ctx, ref)
	if b.fail {
		r.State, r.Why = payment.ReturnFailed, "the card is closed"
	}
	return r, err
}

// atCards is a purchase to be paid by card, and the page on which.
type atCards struct {
	order.GroupView
	secret, page string
	charge       int64
}

// card orders some pieces of products and goes to the page to pay.
func card(t testing.TB, k *testkit.Checkout, pieces int, products ...int64) atCards {
	t.Helper()
	v, secret := k.Order(t, k.Form(t, k.Basket(t, pieces, products...), payment.Card))
	url, err := k.Orders.PayByCard(ctx, v.Code, secret)
	must(t, err)
	out := atCards{GroupView: v, secret: secret, page: pageOf(url)}
	testkit.Scan(t, k.DB, &out.charge, `SELECT id FROM charge WHERE reference = $1`, v.Code)
	return out
}

func pageOf(url string) string { return url[strings.LastIndex(url, "/")+1:] }

func (a atCards) now(t testing.TB, k *testkit.Checkout) order.GroupView {
	t.Helper()
	v, err := k.Orders.Find(ctx, a.Code, a.secret)
	must(t, err)
	return v
}

// work does the jobs of the purchase that wait in the queue, as the worker would.
func work(t testing.TB, k *testkit.Checkout) {
	t.Helper()
	for {
		rows, err := k.DB.Pool().Query(ctx, `DELETE FROM river_job WHERE kind IN ('order_close_card', 'order_send_refund', 'order_pass_on', 'order_take_back', 'payment_handle_notice')
			RETURNING kind, coalesce((args->>'charge_id')::bigint, (args->>'refund_id')::bigint, (args->>'order_id')::bigint, (args->>'notice_id')::bigint)`)
		must(t, err)
		type job struct {
			kind string
			id   int64
		}
		var jobs []job
		for rows.Next() {
			var j job
			must(t, rows.Scan(&j.kind, &j.id))
			jobs = append(jobs, j)
		}
		must(t, rows.Err())
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			switch j.kind {
			case "order_close_card":
				must(t, k.Orders.CloseCard(ctx, order.CloseCard{ChargeID: j.id}))
			case "order_send_refund":
				must(t, k.Orders.SendRefund(ctx, order.SendRefund{RefundID: j.id}))
			case "order_pass_on":
				must(t, k.Orders.PassOn(ctx, order.PassOn{OrderID: j.id}))
			case "order_take_back":
				must(t, k.Orders.TakeBack(ctx, order.TakeBack{RefundID: j.id}))
			case "payment_handle_notice":
				must(t, k.Orders.HandleNotice(ctx, payment.HandleNotice{NoticeID: j.id}))
			}
		}
	}
}

// givenBack is what the refunds of the database say has left.
func givenBack(t testing.TB, k *testkit.Checkout) (sum int64) {
	t.Helper()
	testkit.Scan(t, k.DB, &sum, `SELECT coalesce(sum(amount), 0) FROM refund WHERE state IN ('sent', 'done')`)
	return sum
}

func TestACardPaysAllOrdersOfAPurchaseAtOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 2, testkit.Product(t, d), testkit.Product(t, d))
	page, err := k.Cards.Show(a.page)
	must(t, err)
	if page.Amount != a.Total || page.Reference != a.Code || a.CardDue() != a.Total || a.Orders[0].State != order.AwaitingPayment {
		t.Fatalf("%+v %+v", page, a.GroupView)
	}
	if url, err := k.Orders.PayByCard(ctx, a.Code, a.secret); err != nil || pageOf(url) != a.page {
		t.Fatalf("another page: %s %v", url, err)
	}
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret)) // without having paid
	if v := a.now(t, k); v.Orders[0].State != order.AwaitingPayment {
		t.Fatalf("%+v", v)
	}
	k.Cards.Pay(a.page, told)
	for range 2 {
		must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	}
	v := a.now(t, k)
	for _, o := range v.Orders {
		if o.State != order.Placed || o.Payment.State != payment.Paid || o.Payment.Captured != o.Total {
			t.Fatalf("%+v", o)
		}
	}
	if _, err := k.Orders.PayByCard(ctx, a.Code, a.secret); keys(t, err) != "order.not_payable" {
		t.Fatalf("got %v", err)
	}
	k.Clock.Advance(2 * time.Hour)
	if _, err := k.Orders.SweepUnpaid(ctx); err != nil || a.now(t, k).Orders[0].State != order.Placed {
		t.Fatalf("%v", err)
	}
}

// The return page, two deliveries of the notice, the sweep and the end of the time come at the same moment.
func TestAChargeIsSettledOnceByWhoeverComes(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product, other := testkit.Product(t, d, testkit.WithStock(40)), testkit.Product(t, d, testkit.WithStock(40))
	var all []atCards
	for range 6 {
		a := card(t, k, 1, product, other)
		k.Cards.Pay(a.page, untold)
		all = append(all, a)
	}
	k.Clock.Advance(29 * time.Minute)
	errs := make([]error, 6*len(all))
	together(len(errs), func(i int) {
		a := all[i/6]
		switch i % 6 {
		case 0, 1:
			errs[i] = k.Orders.CardReturned(ctx, a.Code, a.secret)
		case 2, 3:
			if _, err := k.Payments.RecordNotice(ctx, payment.Notice{ID: "n" + a.page, Kind: payment.NoticeCharge, Ref: a.page, At: k.Clock.Now()}); err != nil {
				errs[i] = err
			}
			errs[i] = k.Orders.SettleCharge(ctx, a.charge)
		case 4:
			_, errs[i] = k.Orders.SweepCharges(ctx)
		case 5:
			errs[i] = k.Orders.Expire(ctx, a.Orders[0].ID)
		}
	})
	for _, err := range errs {
		must(t, err)
	}
	work(t, k)
	for _, a := range all {
		for _, o := range a.now(t, k).Orders {
			if o.State != order.Placed || len(o.History) != 2 {
				t.Fatalf("%+v", o)
			}
		}
	}
	var mails, notices int
	testkit.Scan(t, d, &mails, `SELECT count(*) FROM river_job WHERE kind = 'order_tell' AND args->>'event' = 'paid'`)
	testkit.Scan(t, d, &notices, `SELECT count(*) FROM provider_notice WHERE handled_at IS NOT NULL`)
	if mails != 2*len(all) || notices != len(all) {
		t.Fatalf("%d mails, %d notices", mails, notices)
	}
}

func TestNoticesAreHarmless(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d))
	tell := func(id string, kind payment.NoticeKind, ref string, want bool) {
		t.Helper()
		fresh, err := k.Payments.RecordNotice(ctx, payment.Notice{ID: id, Kind: kind, Ref: ref, At: k.Clock.Now()})
		if err != nil || fresh != want {
			t.Fatalf("%s: %t %v", id, fresh, err)
		}
		work(t, k)
	}
	tell("1", payment.NoticeCharge, a.page, true) // early: nothing is paid
	tell("2", payment.NoticeCharge, "cs_unknown", true)
	tell("3", payment.NoticeRefund, "re_unknown", true)
	tell("4", payment.NoticeDispute, "dp_unknown", true)
	tell("5", payment.NoticeOther, "", true)
	if v := a.now(t, k); v.Orders[0].State != order.AwaitingPayment {
		t.Fatalf("%+v", v)
	}
	k.Cards.Pay(a.page, untold)
	tell("6", payment.NoticeCharge, a.page, true) // before the buyer is back
	tell("6", payment.NoticeCharge, a.page, false)
	tell("7", payment.NoticeCharge, a.page, true) // late
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	if v := a.now(t, k); v.Orders[0].State != order.Placed || len(v.Orders[0].History) != 2 {
		t.Fatalf("%+v", v)
	}
	var left int
	testkit.Scan(t, d, &left, `SELECT count(*) FROM provider_notice WHERE handled_at IS NULL`)
	if left != 0 {
		t.Fatalf("%d notices left", left)
	}
}

// The program is killed after the buyer has paid and before anybody was told.
func TestTheSweepFindsMoneyOfWhichNobodyTold(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d))
	k.Cards.Pay(a.page, untold)
	if n, err := k.Orders.SweepCharges(ctx); err != nil || n != 0 {
		t.Fatalf("asked too soon: %d %v", n, err)
	}
	k.Clock.Advance(3 * time.Minute)
	if n, err := k.Orders.SweepCharges(ctx); err != nil || n != 1 || a.now(t, k).Orders[0].State != order.Placed {
		t.Fatalf("%d %v", n, err)
	}
}

func TestAnAnswerThatIsLostIsAskedForAgain(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.Card))
	k.Cards.LoseAnswers(1)
	if _, err := k.Orders.PayByCard(ctx, v.Code, secret); keys(t, err) != "order.card_away" {
		t.Fatalf("got %v", err)
	}
	k.Cards.GoAway(true)
	if _, err := k.Orders.PayByCard(ctx, v.Code, secret); keys(t, err) != "order.card_away" {
		t.Fatalf("got %v", err)
	}
	k.Cards.GoAway(false)
	url, err := k.Orders.PayByCard(ctx, v.Code, secret)
	must(t, err)
	var attempt int
	testkit.Scan(t, d, &attempt, `SELECT attempt FROM charge`)
	if attempt != 1 {
		t.Fatalf("%d pages were made", attempt)
	}
	k.Cards.Pay(pageOf(url), told)
	must(t, k.Orders.CardReturned(ctx, v.Code, secret))
	// Money goes back once, also when the provider has done it and its answer is lost.
	_, err = k.Orders.Refund(ctx, v.Orders[0].Code, order.RefundOrder{RequestKey: ident.Token(), Whole: true, Actor: "staff", Reason: "hỏng"})
	must(t, err)
	k.Cards.LoseAnswers(1)
	if err := k.Orders.SendRefund(ctx, order.SendRefund{RefundID: 1}); err == nil {
		t.Fatal("the answer was not lost")
	}
	work(t, k)
	if got := givenBack(t, k); got != int64(v.Total) || k.Cards.Calls("pay back") != 2 {
		t.Fatalf("%d given back in %d calls", got, k.Cards.Calls("pay back"))
	}
}

func TestTwoClicksOpenOnePage(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.Card))
	urls, errs := make([]string, 8), make([]error, 8)
	together(8, func(i int) { urls[i], errs[i] = k.Orders.PayByCard(ctx, v.Code, secret) })
	for i := range urls {
		must(t, errs[i])
		if urls[i] != urls[0] {
			t.Fatalf("%s and %s", urls[0], urls[i])
		}
	}
}

func TestACardOrderEndsOnlyWhenItsPageIsClosed(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(1))
	a := card(t, k, 1, product)
	k.Cards.GoAway(true)
	k.Clock.Advance(31 * time.Minute)
	if err := k.Orders.Expire(ctx, a.Orders[0].ID); err == nil {
		t.Fatal("it ended without the provider's word")
	}
	if k.Available(t, product) != 0 {
		t.Fatal("its stock was given away meanwhile")
	}
	k.Cards.GoAway(false)
	must(t, k.Orders.Expire(ctx, a.Orders[0].ID))
	if v := a.now(t, k); v.Orders[0].State != order.Expired || k.Available(t, product) != 1 {
		t.Fatalf("%+v", v)
	}
	var state string
	testkit.Scan(t, d, &state, `SELECT state FROM charge`)
	if page, _ := k.Cards.Show(a.page); page.State != payment.StandingClosed || state != "closed" {
		t.Fatalf("page %s, charge %s", page.State, state)
	}
}

func TestMoneyOfACardThatIsKnownLateIsTakenWhileStockLasts(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(2))
	lucky, unlucky := card(t, k, 1, product), card(t, k, 1, product)
	k.Cards.Pay(lucky.page, untold)
	k.Cards.Pay(unlucky.page, untold)
	k.Cards.GoAway(true)
	k.Clock.Advance(2 * time.Hour) // longer than goods are held for a provider that does not answer
	for _, a := range []atCards{lucky, unlucky} {
		must(t, k.Orders.Expire(ctx, a.Orders[0].ID))
	}
	if k.Available(t, product) != 2 {
		t.Fatal("stock is held for ever")
	}
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	k.Cards.GoAway(false)
	must(t, k.Orders.SettleCharge(ctx, lucky.charge))
	must(t, k.Orders.SettleCharge(ctx, unlucky.charge))
	if o := lucky.now(t, k).Orders[0]; o.State != order.Placed {
		t.Fatalf("%+v", o)
	}
	o := unlucky.now(t, k).Orders[0]
	if o.State != order.Expired || o.Payment.State != payment.Paid || !o.NeedsRefund {
		t.Fatalf("%+v", o)
	}
	work(t, k)
	if o = unlucky.now(t, k).Orders[0]; o.NeedsRefund || o.Refunded() != o.Total || givenBack(t, k) != int64(o.Total) {
		t.Fatalf("%+v", o)
	}
	must(t, k.Orders.TellOrder(ctx, order.TellOrder{OrderID: o.ID, Event: "refunded", RefundID: o.Refunds[0].ID}))
	if l := k.Mails.Letters(); len(l) != 1 || !strings.Contains(l[0].Text, o.Total.String()) || strings.Contains(l[0].Text, "mail.") {
		t.Fatalf("%+v", l)
	}
}

func TestOneShareOfAPaidChargeThatCannotBeRevivedGoesBackAlone(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	scarce, plenty := testkit.Product(t, d, testkit.WithStock(1)), testkit.Product(t, d, testkit.WithStock(9))
	a := card(t, k, 1, scarce, plenty)
	k.Cards.Pay(a.page, untold)
	k.Cards.GoAway(true)
	k.Clock.Advance(2 * time.Hour)
	_, err := k.Orders.SweepUnpaid(ctx)
	must(t, err)
	k.Order(t, k.Form(t, k.Basket(t, 1, scarce), payment.COD))
	k.Cards.GoAway(false)
	must(t, k.Orders.SettleCharge(ctx, a.charge))
	work(t, k)
	v := a.now(t, k)
	if v.Orders[0].State != order.Expired || v.Orders[1].State != order.Placed || givenBack(t, k) != int64(v.Orders[0].Total) || v.Orders[0].NeedsRefund {
		t.Fatalf("%+v", v.Orders)
	}
}

func TestCallingOffClosesThePageAndTheRestGetsAnother(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d), testkit.Product(t, d))
	must(t, k.Orders.Cancel(ctx, a.Code, a.secret, a.Orders[0].Code, ""))
	work(t, k)
	if page, _ := k.Cards.Show(a.page); page.State != payment.StandingClosed {
		t.Fatalf("the page is %s", page.State)
	}
	url, err := k.Orders.PayByCard(ctx, a.Code, a.secret)
	must(t, err)
	if page, _ := k.Cards.Show(pageOf(url)); pageOf(url) == a.page || page.Amount != a.Orders[1].Total {
		t.Fatalf("%s asks for %s", url, page.Amount)
	}
	k.Cards.Pay(pageOf(url), told)
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	if v := a.now(t, k); v.Orders[0].State != order.Cancelled || v.Orders[0].NeedsRefund || v.Orders[1].State != order.Placed {
		t.Fatalf("%+v", v.Orders)
	}
}

func TestMoneyThatLandsAfterCallingOffGoesBack(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d))
	must(t, k.Orders.Cancel(ctx, a.Code, a.secret, a.Orders[0].Code, ""))
	k.Cards.Pay(a.page, untold) // before the job has closed the page
	work(t, k)
	o := a.now(t, k).Orders[0]
	if o.State != order.Cancelled || o.Payment.State != payment.Paid || o.NeedsRefund || o.Refunded() != o.Total {
		t.Fatalf("%+v", o)
	}
}

func TestAPaidCardOrderThatIsCalledOffIsRefundedByTheProvider(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d), testkit.Product(t, d))
	k.Cards.Pay(a.page, told)
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	for range 2 {
		must(t, k.Orders.Cancel(ctx, a.Code, a.secret, a.Orders[1].Code, ""))
	}
	work(t, k)
	v := a.now(t, k)
	if v.Orders[0].State != order.Placed || v.Orders[1].Refunded() != v.Orders[1].Total || givenBack(t, k) != int64(v.Orders[1].Total) {
		t.Fatalf("%+v", v.Orders)
	}
}

// The time ends, the buyer pays, comes back and calls off, all at the same moment.
func TestPayingExpiringAndCallingOffAtTheSameMoment(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(40))
	var all []atCards
	for range 8 {
		all = append(all, card(t, k, 1, product))
	}
	k.Clock.Advance(30*time.Minute - time.Second)
	errs := make([]error, 4*len(all))
	together(len(errs), func(i int) {
		a := all[i/4]
		switch i % 4 {
		case 0:
			_, _ = k.Cards.Decide(a.page, untold)
			errs[i] = k.Orders.CardReturned(ctx, a.Code, a.secret)
		case 1:
			k.Clock.Advance(time.Second)
			errs[i] = k.Orders.Expire(ctx, a.Orders[0].ID)
		case 2:
			errs[i] = k.Orders.Cancel(ctx, a.Code, a.secret, a.Orders[0].Code, "")
		case 3:
			if _, err := k.Orders.PayByCard(ctx, a.Code, a.secret); err != nil && keys(t, err) != "order.not_payable" {
				errs[i] = err
			}
		}
	})
	for _, err := range errs {
		must(t, err)
	}
	work(t, k)
	for _, a := range all {
		must(t, k.Orders.SettleCharge(ctx, a.charge))
	}
	work(t, k)
	for _, a := range all {
		o := a.now(t, k).Orders[0]
		if page, _ := k.Cards.Show(a.page); page.State == payment.StandingPaid && o.Payment.State != payment.Paid || o.NeedsRefund {
			t.Fatalf("page %s, order %s, payment %s, needs refund %t", page.State, o.State, o.Payment.State, o.NeedsRefund)
		}
	}
}

func TestWithoutAProviderTheCardIsNotOpen(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	k.Payments.Gateway = nil
	form := k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.Card)
	if _, err := k.Orders.Place(ctx, form); keys(t, err) != "method:order.card_not_open" {
		t.Fatalf("got %v", err)
	}
	if n, err := k.Orders.SweepCharges(ctx); err != nil || n != 0 {
		t.Fatalf("%d %v", n, err)
	}
	form.Method = payment.COD
	v, secret := k.Order(t, form)
	if _, err := k.Orders.PayByCard(ctx, v.Code, secret); keys(t, err) != "order.not_payable" {
		t.Fatalf("got %v", err)
	}
}

func TestDisputesAreKeptAsTheProviderSaysAndToldOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := card(t, k, 1, testkit.Product(t, d))
	k.Cards.Pay(a.page, told)
	must(t, k.Orders.CardReturned(ctx, a.Code, a.secret))
	for i, state := range []string{"open", "open", "answered", "lost"} {
		ref, err := k.Cards.Dispute(a.page, state)
		must(t, err)
		_, err = k.Payments.RecordNotice(ctx, payment.Notice{ID: fmt.Sprint(i), Kind: payment.NoticeDispute, Ref: ref, At: k.Clock.Now()})
		must(t, err)
		work(t, k)
	}
	all, err := k.Payments.Disputes(ctx, 0)
	if err != nil || len(all) != 1 || all[0].State != "lost" || all[0].Reference != a.Code || all[0].Amount != a.Total {
		t.Fatalf("%+v %v", all, err)
	}
	var jobs, traces int
	testkit.Scan(t, d, &jobs, `SELECT count(*) FROM river_job WHERE kind = 'order_tell_dispute'`)
	testkit.Scan(t, d, &traces, `SELECT count(*) FROM audit_event WHERE action = 'payment.dispute'`)
	if jobs != 1 || traces != 3 {
		t.Fatalf("%d mails, %d traces", jobs, traces)
	}
	must(t, k.Orders.TellDispute(ctx, order.TellDispute{DisputeID: all[0].ID}))
	if l := k.Mails.Letters(); len(l) != 1 || !strings.Contains(l[0].Text, a.Code) || strings.Contains(l[0].HTML, "mail.dispute") {
		t.Fatalf("%+v", l)
	}
}
