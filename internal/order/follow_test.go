package order_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

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

func TestAnUnpaidTransferExpiresAndItsStockIsFree(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(1))
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	id := v.Orders[0].ID
	k.Clock.Advance(15*time.Minute - time.Second)
	must(t, k.Orders.Expire(ctx, id))
	if o := again(t, k, v, secret); o.State != order.AwaitingPayment || !o.Payable || k.Available(t, product) != 0 {
		t.Fatalf("ended too early: %s", o.State)
	}
	k.Clock.Advance(time.Second)
	if o := again(t, k, v, secret); o.State != order.Expired || o.Payable || o.Payment.Payload != "" || o.CanCancel {
		t.Fatalf("the page shows a code that is over: %+v", o)
	}
	if k.Available(t, product) != 1 {
		t.Fatal("an expired promise still counts")
	}
	for range 2 {
		must(t, k.Orders.ExpireGroup(ctx, order.ExpireGroup{GroupID: v.ID}))
		must(t, k.Orders.Expire(ctx, id))
	}
	o := again(t, k, v, secret)
	if o.State != order.Expired || o.Payment.State != payment.Expired || len(o.History) != 2 {
		t.Fatalf("%+v", o)
	}
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
}

func TestTheSweepFindsWhatAJobLost(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	for range 3 {
		k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	}
	k.Clock.Advance(time.Hour)
	n, err := k.Orders.SweepUnpaid(ctx)
	must(t, err)
	if n != 3 {
		t.Fatalf("%d orders ended", n)
	}
}

func TestAPaidOrderNeverExpires(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(1))
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.VietQR))
	code := v.Orders[0].Code
	if err := k.Orders.ConfirmTransfer(ctx, code, "ocop", " "); keys(t, err) != "reason:order.reason.required" {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		must(t, k.Orders.ConfirmTransfer(ctx, strings.ToLower(strings.ReplaceAll(code, "-", " ")), "ocop", "FT26326"))
	}
	k.Clock.Advance(24 * time.Hour)
	must(t, k.Orders.Expire(ctx, v.Orders[0].ID))
	o := again(t, k, v, secret)
	if o.State != order.Placed || o.Payment.Captured != o.Total || k.Available(t, product) != 0 {
		t.Fatalf("%+v", o)
	}
	if last := o.History[len(o.History)-1]; last.Actor != "staff" || last.Reason != "" {
		t.Fatalf("the buyer reads who of the staff acted: %+v", last)
	}
	var traces int
	testkit.Scan(t, d, &traces, `SELECT count(*) FROM audit_event WHERE action = 'order.confirm_transfer' AND subject_id = $1`, code)
	if traces != 1 {
		t.Fatalf("%d traces", traces)
	}
}

func TestMoneyThatComesLateIsTakenWhileStockLasts(t *testing.T) {
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
	must(t, k.Orders.Expire(ctx, late[0].Orders[0].ID)) // the other one's job has not come by yet
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	must(t, k.Orders.ConfirmTransfer(ctx, late[0].Orders[0].Code, "ocop", "late"))
	if o := again(t, k, late[0], secrets[0]); o.State != order.Placed || o.Payment.State != payment.Paid {
		t.Fatalf("%+v", o)
	}
	for range 2 {
		must(t, k.Orders.ConfirmTransfer(ctx, late[1].Orders[0].Code, "ocop", "late"))
	}
	owed(t, k, late[1], secrets[1], order.Expired)
	if n, err := k.Orders.SweepUnpaid(ctx); err != nil || n != 0 {
		t.Fatalf("%d orders ended, %v", n, err)
	}
}

// owed fails unless the order stays off and everybody can see that its money must go back.
func owed(t *testing.T, k *testkit.Checkout, v order.GroupView, secret string, want order.State) {
	t.Helper()
	o := again(t, k, v, secret)
	last := o.History[len(o.History)-1]
	if o.State != want || o.Payment.State != payment.Paid || o.Payment.Captured != o.Total || !o.NeedsRefund || last.Reason != "order.reason.refund_due" || last.To != want {
		t.Fatalf("%+v", o)
	}
	if due, err := k.Orders.RefundDue(ctx, o.Code); err != nil || !due {
		t.Fatalf("refund due: %t, %v", due, err)
	}
	var traces, jobs int
	testkit.Scan(t, k.DB, &traces, `SELECT count(*) FROM audit_event WHERE action = 'order.confirm_transfer' AND subject_id = $1 AND detail->>'to' = $2`, o.Code, string(want))
	testkit.Scan(t, k.DB, &jobs, `SELECT count(*) FROM river_job WHERE kind = 'order_tell' AND args->>'event' = 'refund_due' AND (args->>'order_id')::bigint = $1`, o.ID)
	if traces != 1 || jobs != 1 {
		t.Fatalf("%d traces, %d mails", traces, jobs)
	}
}

func TestMoneyForACancelledTransferIsRecordedAndOwed(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 2, product), payment.VietQR))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	if due, err := k.Orders.RefundDue(ctx, v.Orders[0].Code); err != nil || due {
		t.Fatalf("refund due: %t, %v", due, err)
	}
	for range 2 {
		must(t, k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "ocop", "FT9"))
	}
	owed(t, k, v, secret, order.Cancelled)
	if k.Available(t, product) != 10 {
		t.Fatal("an order that is off holds stock")
	}
	for range 2 {
		must(t, k.Orders.TellOrder(ctx, order.TellOrder{OrderID: v.Orders[0].ID, Event: "refund_due"}))
	}
	letters := k.Mails.Letters()
	if len(letters) != 1 || !strings.Contains(letters[0].Text, "cần hoàn lại") || strings.Contains(letters[0].Text, "mail.") {
		t.Fatalf("%+v", letters)
	}
}

func TestTheBuyerCancelsUntilItIsPacked(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 2, product), payment.COD))
	for range 2 {
		must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, "đặt nhầm"))
	}
	o := again(t, k, v, secret)
	if o.State != order.Cancelled || o.Payment.State != payment.Cancelled || o.NeedsRefund || o.History[1].Reason != "đặt nhầm" || k.Available(t, product) != 10 {
		t.Fatalf("%+v", o)
	}
	v, secret = k.Order(t, k.Form(t, k.Basket(t, 2, product), payment.COD))
	must(t, k.Orders.MarkPacked(ctx, v.Orders[0].Code, "seller"))
	if err := k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""); keys(t, err) != "order.too_late" {
		t.Fatalf("got %v", err)
	}
}

func TestACancelledOrderThatWasPaidSaysThatMoneyIsOwed(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "ocop", "FT1"))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	o := again(t, k, v, secret)
	if !o.NeedsRefund || o.Payment.State != payment.Paid || o.History[len(o.History)-1].Reason != "order.reason.refund_due" {
		t.Fatalf("%+v", o)
	}
	if err := k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "ocop", "FT1"); err != nil {
		t.Fatal(err)
	}
}

// A transfer is confirmed, its time ends and the buyer cancels, all at the same moment: each has its say, no money is lost and the books hold.
func TestConfirmExpireAndCancelAtTheSameMoment(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(30))
	type purchase struct {
		order.GroupView
		secret string
	}
	var all []purchase
	for range 10 {
		v, secret := k.Order(t, k.Form(t, k.Basket(t, 3, product), payment.VietQR))
		all = append(all, purchase{v, secret})
	}
	k.Clock.Advance(time.Hour)
	errs := make([]error, 30)
	together(30, func(i int) {
		p := all[i/3]
		switch i % 3 {
		case 0:
			errs[i] = k.Orders.ConfirmTransfer(ctx, p.Orders[0].Code, "ocop", "FT1")
		case 1:
			errs[i] = k.Orders.Expire(ctx, p.Orders[0].ID)
		case 2:
			errs[i] = k.Orders.Cancel(ctx, p.Code, p.secret, p.Orders[0].Code, "")
		}
	})
	for i, err := range errs {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	k.BooksHold(t)
}

func TestFromTheShelfToTheDoor(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 3, product), payment.COD))
	code := v.Orders[0].Code
	for _, wrong := range []error{k.Orders.MarkShipped(ctx, code, "s"), k.Orders.MarkDelivered(ctx, code, "s"), k.Orders.CollectCOD(ctx, code, "s")} {
		if keys(t, wrong) != "order.wrong_state" {
			t.Fatalf("got %v", wrong)
		}
	}
	if err := k.Orders.ConfirmTransfer(ctx, code, "s", "x"); keys(t, err) != "order.not_a_transfer" {
		t.Fatalf("got %v", err)
	}
	for range 2 {
		must(t, k.Orders.MarkPacked(ctx, code, "seller"))
	}
	for range 2 {
		must(t, k.Orders.MarkShipped(ctx, code, "seller"))
	}
	must(t, k.Orders.MarkDelivered(ctx, code, "carrier"))
	for range 2 {
		must(t, k.Orders.CollectCOD(ctx, code, "carrier"))
	}
	o := again(t, k, v, secret)
	if o.State != order.Delivered || o.Payment.State != payment.Collected || len(o.History) != 4 {
		t.Fatalf("%+v", o)
	}
	var onHand int64
	testkit.Scan(t, d, &onHand, `SELECT sum(delta) FROM stock_movement`)
	if onHand != 7 {
		t.Fatalf("%d pieces in the ledger", onHand)
	}
}

func TestAnotherShoppersOrderIsNotFound(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	mine, my := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	other, their := k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	for _, try := range [][2]string{{other.Code, my}, {other.Code, ""}, {"", their}, {"AAAA-AAAA", my}, {"' OR ''='", my}, {strings.Repeat("A", 5000), my}, {"\x00", my}} {
		if _, err := k.Orders.Find(ctx, try[0], try[1]); keys(t, err) != "order.unknown" {
			t.Fatalf("%.20q: got %v", try[0], err)
		}
	}
	if err := k.Orders.Cancel(ctx, mine.Code, my, other.Orders[0].Code, ""); keys(t, err) != "order.unknown" {
		t.Fatalf("got %v", err)
	}
	if _, err := k.Orders.Find(ctx, strings.ToLower(strings.ReplaceAll(mine.Code, "-", "")), my); err != nil {
		t.Fatal(err)
	}
	if o := again(t, k, other, their); o.State != order.Placed {
		t.Fatal("a stranger cancelled it")
	}
}

func TestMailsTellOnceAndOpenTheOrder(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a, b := testkit.Product(t, d, testkit.WithName("Mật ong <hoa> nhãn", "Longan honey")), testkit.Product(t, d)
	form := k.Form(t, k.Basket(t, 1, a, b), payment.VietQR)
	form.Locale = i18n.EN
	v, secret := k.Order(t, form)
	var payload []byte
	testkit.Scan(t, d, &payload, `SELECT args FROM river_job WHERE kind = 'order_tell_placed'`)
	var j order.TellPlaced
	must(t, json.Unmarshal(payload, &j))
	if strings.ContainsAny(string(payload), "@") {
		t.Fatalf("the job carries personal data: %s", payload)
	}
	k.Mails.Break(true)
	if err := k.Orders.TellPlaced(ctx, j); err == nil || strings.Contains(err.Error(), "hoa@vidu.vn") {
		t.Fatalf("got %v", err)
	}
	k.Mails.Break(false)
	for range 3 {
		must(t, k.Orders.TellPlaced(ctx, j))
	}
	must(t, k.Orders.ConfirmTransfer(ctx, v.Orders[0].Code, "ocop", "FT1"))
	must(t, k.Orders.TellOrder(ctx, order.TellOrder{OrderID: v.Orders[0].ID, Event: "paid"}))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	for _, event := range []string{"cancelled", "expired", "shipped"} {
		must(t, k.Orders.TellOrder(ctx, order.TellOrder{OrderID: v.Orders[0].ID, Event: event}))
	}
	letters := k.Mails.Letters()
	if len(letters) != 5 {
		t.Fatalf("%d letters", len(letters))
	}
	link := "https://cho.example" + order.Path(i18n.EN, v.Code, secret)
	for _, l := range letters {
		if l.To != "hoa@vidu.vn" || !strings.Contains(l.Text, link) || !strings.Contains(l.HTML, "khoa=") {
			t.Fatalf("no link in %s:\n%s", l.Subject, l.Text)
		}
		for _, body := range []string{l.Subject, l.Text, l.HTML} {
			if strings.Contains(body, "mail.") || strings.Contains(body, "<no value>") || strings.Contains(body, "<hoa>") {
				t.Fatalf("a key or a blank shows in %s:\n%s", l.Subject, body)
			}
		}
	}
	if first := letters[0]; !strings.Contains(first.Text, v.Orders[1].Payment.Memo) || !strings.Contains(first.Text, v.Total.String()) || !strings.Contains(first.Text, "test account") {
		t.Fatalf("how to pay is missing:\n%s", first.Text)
	}
	if !strings.Contains(letters[2].Text, "owes you") {
		t.Fatalf("the refund is not told:\n%s", letters[2].Text)
	}
}
