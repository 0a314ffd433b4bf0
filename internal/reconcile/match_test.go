package reconcile_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/testkit"
)

var ctx = context.Background()

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func again(t testing.TB, k *testkit.Checkout, v order.GroupView, secret string) order.OrderView {
	t.Helper()
	now, err := k.Orders.Find(ctx, v.Code, secret)
	must(t, err)
	return now.Orders[0]
}

// owed fails unless the order stays off and its money must go back.
func owed(t *testing.T, k *testkit.Checkout, v order.GroupView, secret string, want order.State) {
	t.Helper()
	if o := again(t, k, v, secret); o.State != want || o.Payment.State != payment.Paid || !o.NeedsRefund {
		t.Fatalf("%+v", o)
	}
}

// pay is the notice that a bank sends when an order is paid as its code asks.
func pay(o order.OrderView, transaction string) reconcile.Notice {
	return reconcile.Notice{Source: "bank", TransactionID: transaction, AccountNo: o.Payment.Account.AccountNo, BankBIN: o.Payment.Account.BankBIN, Amount: o.Total,
		Memo: "MBVCB.123." + o.Payment.Memo + ".CT tu 0011", At: time.Date(2026, 11, 22, 3, 1, 0, 0, time.UTC)}
}

// tell hands a notice in and has it matched, twice over.
func tell(t testing.TB, k *testkit.Checkout, n reconcile.Notice) reconcile.Money {
	t.Helper()
	_, err := k.Money.Take(ctx, n)
	must(t, err)
	_, err = k.Money.Take(ctx, n)
	must(t, err)
	var id int64
	testkit.Scan(t, k.DB, &id, `SELECT max(id) FROM bank_notice WHERE transaction_id = $1`, n.TransactionID)
	for range 2 {
		must(t, k.Money.Match(ctx, reconcile.Match{NoticeID: id}))
	}
	return stands(t, k, id)
}

func stands(t testing.TB, k *testkit.Checkout, id int64) reconcile.Money {
	t.Helper()
	m, err := k.Money.Show(ctx, reconcile.Everywhere, id)
	must(t, err)
	return m.Money
}

func TestABankNoticeSettlesItsOrderOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	m := tell(t, k, pay(v.Orders[0], "FT1"))
	o := again(t, k, v, secret)
	if m.State != reconcile.Matched || m.PaymentID != o.Payment.ID || m.DecidedBy != "bank" || o.State != order.Placed || o.Payment.State != payment.Paid {
		t.Fatalf("%+v\n%+v", m, o)
	}
	var notices, decisions, traces, mails int
	testkit.Scan(t, d, &notices, `SELECT count(*) FROM bank_notice`)
	testkit.Scan(t, d, &decisions, `SELECT count(*) FROM bank_notice_history`)
	testkit.Scan(t, d, &traces, `SELECT count(*) FROM audit_event WHERE action = 'order.confirm_transfer' AND actor = 'bank' AND detail->>'reason' = 'FT1'`)
	testkit.Scan(t, d, &mails, `SELECT count(*) FROM river_job WHERE kind = 'order_tell' AND args->>'event' = 'paid'`)
	if notices != 1 || decisions != 1 || traces != 1 || mails != 1 {
		t.Fatalf("%d notices, %d decisions, %d traces, %d mails", notices, decisions, traces, mails)
	}
	if last := o.History[len(o.History)-1]; last.Reason != "" || last.Actor != "staff" {
		t.Errorf("the buyer reads %+v", last)
	}
}

func TestMoneyThatDoesNotFitWaitsForAPerson(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(50))
	buy := func() (order.GroupView, string) {
		return k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	}
	for i, c := range []struct {
		name   string
		change func(*reconcile.Notice, order.OrderView)
		want   reconcile.Reason
	}{
		{"less", func(n *reconcile.Notice, _ order.OrderView) { n.Amount-- }, reconcile.Under},
		{"more", func(n *reconcile.Notice, _ order.OrderView) { n.Amount++ }, reconcile.Over},
		{"no words", func(n *reconcile.Notice, _ order.OrderView) { n.Memo = "" }, reconcile.NoCode},
		{"unknown code", func(n *reconcile.Notice, _ order.OrderView) { n.Memo = "OCOP W3W3W3W3A" }, reconcile.UnknownCode},
		{"account of nobody", func(n *reconcile.Notice, _ order.OrderView) { n.AccountNo = "42" }, reconcile.OtherAccount},
		{"bank of another", func(n *reconcile.Notice, _ order.OrderView) { n.BankBIN = "970499" }, reconcile.OtherAccount},
	} {
		v, secret := buy()
		n := pay(v.Orders[0], fmt.Sprint("T", i))
		c.change(&n, v.Orders[0])
		m := tell(t, k, n)
		if o := again(t, k, v, secret); m.State != reconcile.Unmatched || m.Reason != c.want || m.PaymentID != 0 || o.State != order.AwaitingPayment {
			t.Errorf("%s: %+v, the order is %s", c.name, m, o.State)
		}
	}
	cash, _ := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	n := reconcile.Notice{Source: "bank", TransactionID: "COD1", AccountNo: "0011", Amount: cash.Total, Memo: cash.Orders[0].Code, At: k.Clock.Now()}
	if m := tell(t, k, n); m.Reason != reconcile.NotATransfer || m.Reference != cash.Orders[0].Code {
		t.Errorf("cash: %+v", m)
	}
}

func TestMoneyThatComesTwiceIsSeen(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	const twins = 8
	ids := make([]int64, twins)
	for i := range ids {
		_, err := k.Money.Take(ctx, pay(v.Orders[0], fmt.Sprint("FT", i)))
		must(t, err)
		testkit.Scan(t, d, &ids[i], `SELECT max(id) FROM bank_notice`)
	}
	begin := make(chan struct{})
	var all sync.WaitGroup
	faults := make([]error, twins)
	for i, id := range ids {
		all.Go(func() {
			<-begin
			faults[i] = k.Money.Match(ctx, reconcile.Match{NoticeID: id})
		})
	}
	close(begin)
	all.Wait()
	count := map[string]int{}
	for i, id := range ids {
		must(t, faults[i])
		m := stands(t, k, id)
		count[string(m.State)+" "+string(m.Reason)]++
	}
	if count["matched "] != 1 || count["unmatched double"] != twins-1 {
		t.Fatalf("%v", count)
	}
	if o := again(t, k, v, secret); o.Payment.Captured != o.Total || len(o.History) != 2 {
		t.Fatalf("%+v", o)
	}
}

func TestTheSameTransactionAtOnceIsOneNotice(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, _ := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	n := pay(v.Orders[0], "FT1")
	begin := make(chan struct{})
	var all sync.WaitGroup
	told, faults := make([]reconcile.Told, 8), make([]error, 8)
	for i := range told {
		all.Go(func() {
			<-begin
			told[i], faults[i] = k.Money.Take(ctx, n)
		})
	}
	close(begin)
	all.Wait()
	fresh := 0
	for i := range told {
		must(t, faults[i])
		if told[i] == reconcile.ToldNew {
			fresh++
		}
	}
	// The same number with other words is kept beside the first and settles nothing.
	other := n
	other.Amount += 1000
	for i, want := range []reconcile.Told{reconcile.ToldOther, reconcile.ToldKnown} {
		if got, err := k.Money.Take(ctx, other); err != nil || got != want {
			t.Errorf("time %d: %s, %v", i, got, err)
		}
	}
	var rows, jobs int
	testkit.Scan(t, d, &rows, `SELECT count(*) FROM bank_notice`)
	testkit.Scan(t, d, &jobs, `SELECT count(*) FROM river_job WHERE kind = 'reconcile_match'`)
	if fresh != 1 || rows != 2 || jobs != 1 {
		t.Fatalf("%d fresh, %d rows, %d jobs", fresh, rows, jobs)
	}
	if done, err := k.Money.Sweep(ctx); err != nil || done != 1 {
		t.Fatalf("%d swept, %v", done, err)
	}
	var repeat int64
	testkit.Scan(t, d, &repeat, `SELECT id FROM bank_notice WHERE repeat_of IS NOT NULL`)
	if m := stands(t, k, repeat); m.State != reconcile.Unmatched || m.Reason != reconcile.OtherContent || m.Amount != other.Amount {
		t.Fatalf("%+v", m)
	}
	if _, err := d.Pool().Exec(ctx, `UPDATE bank_notice SET amount = 1`); err == nil {
		t.Error("what a bank told was rewritten")
	}
}

func TestLateMoneyByNoticeRevivesOrIsOwedBack(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(2))
	var late []order.GroupView
	var secrets []string
	for range 2 {
		v, s := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
		late, secrets = append(late, v), append(secrets, s)
	}
	k.Clock.Advance(time.Hour)
	must(t, k.Orders.Expire(ctx, late[0].Orders[0].ID))
	must(t, k.Orders.Expire(ctx, late[1].Orders[0].ID))
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	if m := tell(t, k, pay(late[0].Orders[0], "L1")); m.State != reconcile.Matched || again(t, k, late[0], secrets[0]).State != order.Placed {
		t.Fatalf("%+v", m)
	}
	if m := tell(t, k, pay(late[1].Orders[0], "L2")); m.State != reconcile.Unmatched || m.Reason != reconcile.Late || m.PaymentID == 0 {
		t.Fatalf("%+v", m)
	}
	owed(t, k, late[1], secrets[1], order.Expired)

	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	m := tell(t, k, pay(v.Orders[0], "C1"))
	if m.Reason != reconcile.CalledOff || m.PaymentID == 0 {
		t.Fatalf("%+v", m)
	}
	owed(t, k, v, secret, order.Cancelled)
	must(t, k.Money.GiveBack(ctx, reconcile.Everywhere, m.ID, "FT77", reconcile.Person{Actor: "staff:1", Reason: "sent back"}))
	if o := again(t, k, v, secret); o.NeedsRefund || o.Payment.Refunded != o.Total {
		t.Errorf("sent back, and still owed: %+v", o)
	}
}

func TestMoneyConfirmedByHandIsNotTakenForDouble(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	named, _ := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	must(t, k.Orders.ConfirmTransfer(ctx, named.Orders[0].Code, "staff:1", "seen in the app, FT26328001."))
	if m := tell(t, k, pay(named.Orders[0], "FT26328001")); m.State != reconcile.Matched {
		t.Fatalf("%+v", m)
	}
	vague, _ := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	must(t, k.Orders.ConfirmTransfer(ctx, vague.Orders[0].Code, "staff:1", "seen"))
	m := tell(t, k, pay(vague.Orders[0], "FT26328002"))
	if m.Reason != reconcile.Double {
		t.Fatalf("%+v", m)
	}
}

func TestNeighboursOfOneAccountAreKeptApart(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(20))
	var all []order.GroupView
	for range 6 {
		v, _ := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
		all = append(all, v)
	}
	for i, v := range all {
		n := pay(v.Orders[0], fmt.Sprint("N", i))
		n.Memo = []string{v.Orders[0].Payment.Memo, strings.ToLower(n.Memo), strings.ReplaceAll(n.Memo, " ", ""), "x" + v.Orders[0].Code, v.Code, "OCOP " + v.Code}[i]
		if m := tell(t, k, n); m.State != reconcile.Matched || m.Reference != v.Orders[0].Code || m.Amount != money.VND(v.Orders[0].Total) {
			t.Errorf("%q: %+v", n.Memo, m)
		}
	}
}
