package payment_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/vietqr"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

// desk is a book of payments with one of each method.
func desk(t *testing.T) (*db.DB, *payment.Service, *clock.Settable) {
	t.Helper()
	d, c := testkit.DB(t), clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	return d, payment.New(vietqr.Generator{}, c, payment.Options{DB: d, Gateway: testkit.NewCards(t, c)}), c
}

// share opens a card payment with a charge of its own.
func share(t *testing.T, d *db.DB, s *payment.Service, c clock.Clock, name string) (p payment.Payment) {
	t.Helper()
	until := c.Now().Add(time.Hour)
	err := d.InTx(ctx, func(tx db.Tx) (err error) {
		p, err = s.Open(ctx, tx, payment.Request{Charge: name, Reference: name, Method: payment.Card, Amount: 250_000, Expires: &until, Actor: "buyer"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every state of a card's share against every verb, written out.
func TestTheStatesOfACardsShare(t *testing.T) {
	d, s, c := desk(t)
	verbs := map[string]func(db.Tx, int64) error{
		"settle": func(tx db.Tx, id int64) error { return s.Settle(ctx, tx, id, "card", "tm_1") },
		"expire": func(tx db.Tx, id int64) error { return s.Expire(ctx, tx, id, "system") },
		"cancel": func(tx db.Tx, id int64) error { return s.Cancel(ctx, tx, id, "buyer", "") },
		"fail":   func(tx db.Tx, id int64) error { return s.Fail(ctx, tx, id, "staff", "x") },
		"remit":  func(tx db.Tx, id int64) error { return s.Remit(ctx, tx, id, "staff", "x") },
	}
	const refused = "payment.not_payable"
	for _, k := range []struct {
		way  []string // to the state it begins in
		verb string
		want payment.State
		says string
	}{
		{nil, "settle", payment.Paid, ""},
		{nil, "expire", payment.Expired, ""},
		{nil, "cancel", payment.Cancelled, ""},
		{nil, "fail", payment.Pending, ""},
		{nil, "remit", payment.Pending, refused},
		{[]string{"settle"}, "settle", payment.Paid, ""},
		{[]string{"settle"}, "expire", payment.Paid, ""},
		{[]string{"settle"}, "cancel", payment.Paid, ""},
		{[]string{"settle"}, "fail", payment.Paid, ""},
		{[]string{"settle"}, "remit", payment.Paid, refused},
		{[]string{"expire"}, "settle", payment.Paid, ""},
		{[]string{"expire"}, "expire", payment.Expired, ""},
		{[]string{"expire"}, "cancel", payment.Expired, ""},
		{[]string{"expire"}, "remit", payment.Expired, refused},
		{[]string{"cancel"}, "settle", payment.Paid, ""},
		{[]string{"cancel"}, "expire", payment.Cancelled, ""},
		{[]string{"cancel"}, "cancel", payment.Cancelled, ""},
		{[]string{"cancel"}, "remit", payment.Cancelled, refused},
	} {
		name := fmt.Sprint(k.way, " ", k.verb)
		p := share(t, d, s, c, name)
		says := ""
		err := d.InTx(ctx, func(tx db.Tx) error {
			for _, v := range k.way {
				if err := verbs[v](tx, p.ID); err != nil {
					return err
				}
			}
			err := verbs[k.verb](tx, p.ID)
			if l, ok := apperr.As(err); ok {
				says, err = l[0].Key, nil
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all, err := s.ByIDs(ctx, d.Primary(ctx), []int64{p.ID})
		if err != nil || all[p.ID].State != k.want || says != k.says {
			t.Errorf("%s: %s, says %q, %v", name, all[p.ID].State, says, err)
		}
		if got := all[p.ID].Captured; (got == 250_000) != k.want.Captured() || got != 0 && got != 250_000 {
			t.Errorf("%s: captured %d", name, got)
		}
	}
}

// Every step that may be asked of a refund, written out: those that are not here change nothing.
func TestTheStatesOfARefund(t *testing.T) {
	d, s, c := desk(t)
	due, sent, done, failed := payment.RefundDue, payment.RefundSent, payment.RefundDone, payment.RefundFailed
	all := []payment.RefundState{due, sent, done, failed}
	may := map[payment.Way]map[payment.RefundState][]payment.RefundState{
		payment.ByProvider: {due: {sent, done, failed}, sent: {done, failed}, done: {failed}},
		payment.ByHand:     {due: {done, failed}},
	}
	way := map[payment.RefundState][]payment.RefundState{sent: {sent}, done: {done}, failed: {failed}}
	n := 0
	for _, by := range []payment.Way{payment.ByProvider, payment.ByHand} {
		for _, from := range all {
			if by == payment.ByHand && from == sent {
				continue
			}
			for _, to := range all {
				n++
				name := fmt.Sprintf("%s: %s to %s, number %d", by, from, to, n)
				p := share(t, d, s, c, name)
				var r payment.Refund
				var news bool
				err := d.InTx(ctx, func(tx db.Tx) (err error) {
					if err := s.Settle(ctx, tx, p.ID, "card", "tm"); err != nil {
						return err
					}
					q := payment.RefundRequest{PaymentID: p.ID, RequestKey: name, Amount: 100_000, ByHand: by == payment.ByHand, Reason: "x", Actor: "staff"}
					if r, err = s.Refund(ctx, tx, q); err != nil {
						return err
					}
					for _, step := range way[from] {
						if _, _, err := s.AdvanceRefund(ctx, tx, r.ID, step, name, "card", ""); err != nil {
							return err
						}
					}
					r, news, err = s.AdvanceRefund(ctx, tx, r.ID, to, name, "card", "")
					return err
				})
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				want := from
				allowed := slices.Contains(may[by][from], to)
				if allowed {
					want = to
				}
				if r.State != want || news != allowed {
					t.Errorf("%s: is %s, news %t", name, r.State, news)
				}
				now, err := s.ByIDs(ctx, d.Primary(ctx), []int64{p.ID})
				if back := now[p.ID].Refunded; err != nil || (back == 0) != (want == failed) || back != 0 && back != 100_000 {
					t.Errorf("%s: %d is set aside, %v", name, back, err)
				}
			}
		}
	}
	// More than what is left is refused, to the đồng.
	p := share(t, d, s, c, "too much")
	err := d.InTx(ctx, func(tx db.Tx) error {
		if err := s.Settle(ctx, tx, p.ID, "card", "tm"); err != nil {
			return err
		}
		if _, err := s.Refund(ctx, tx, payment.RefundRequest{PaymentID: p.ID, RequestKey: "1", Amount: 249_999, Reason: "x", Actor: "staff"}); err != nil {
			return err
		}
		_, err := s.Refund(ctx, tx, payment.RefundRequest{PaymentID: p.ID, RequestKey: "2", Amount: 2, Reason: "x", Actor: "staff"})
		return err
	})
	if !errors.Is(err, apperr.New(apperr.Conflict, "payment.refund_too_much")) {
		t.Errorf("got %v", err)
	}
}

// A share that was paid without having been on a page, beside an open charge and a paid one.
func TestTheDoctorSeesACardThatPaidWhatItWasNotAsked(t *testing.T) {
	const check = "payment: a charge is paid if and only if the shares on its page are"
	d, s, c := desk(t)
	p := share(t, d, s, c, "K")
	find := func() (n int) {
		for _, c := range payment.Checks() {
			if c.Name == check {
				testkit.Scan(t, d, &n, c.SQL)
			}
		}
		return n
	}
	if n := find(); n != 0 {
		t.Fatal(n)
	}
	err := d.InTx(ctx, func(tx db.Tx) error { return s.Settle(ctx, tx, p.ID, "card", "tm") })
	if n := find(); err != nil || n != 1 {
		t.Fatalf("sees %d, %v", n, err)
	}
	testkit.Exec(t, d, `UPDATE charge SET state = 'paid', money_ref = 'tm'`) // although no page ever asked for the share
	if n := find(); n != 1 {
		t.Fatalf("sees %d", n)
	}
}
