package payment_test

import (
	"context"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/vietqr"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

var ctx = context.Background()

func TestWhatMayHappenToAPayment(t *testing.T) {
	d := testkit.DB(t)
	c := clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	s := payment.New(vietqr.Generator{}, c, payment.Options{DB: d})
	settle := func(tx db.Tx, id int64) error { return s.Settle(ctx, tx, id, "staff", "FT1") }
	expire := func(tx db.Tx, id int64) error { return s.Expire(ctx, tx, id, "system") }
	cancel := func(tx db.Tx, id int64) error { return s.Cancel(ctx, tx, id, "buyer", "") }
	type do = func(db.Tx, int64) error
	for _, k := range []struct {
		name   string
		method payment.Method
		steps  []do
		want   payment.State
		events int
	}{
		{"transfer paid twice", payment.VietQR, []do{settle, settle}, payment.Paid, 2},
		{"paid, then its time is over", payment.VietQR, []do{settle, expire}, payment.Paid, 2},
		{"paid, then cancelled: the money has moved", payment.VietQR, []do{settle, cancel}, payment.Paid, 2},
		{"late money", payment.VietQR, []do{expire, settle}, payment.Paid, 3},
		{"money for a cancelled transfer", payment.VietQR, []do{cancel, settle, settle}, payment.Paid, 3},
		{"expired twice", payment.VietQR, []do{expire, expire}, payment.Expired, 2},
		{"cash collected", payment.COD, []do{settle}, payment.Collected, 2},
		{"cash does not expire", payment.COD, []do{expire}, payment.Expected, 1},
		{"cash cancelled", payment.COD, []do{cancel, cancel}, payment.Cancelled, 2},
	} {
		t.Run(k.name, func(t *testing.T) {
			var p payment.Payment
			err := d.InTx(ctx, func(tx db.Tx) (err error) {
				p, err = s.Open(ctx, tx, payment.Request{Reference: k.name, Method: k.method, Amount: 250_000, Memo: "OCOP K7M492QXA", Actor: "buyer",
					Account: payment.Account{BankBIN: "970436", AccountNo: "0011001234567", Holder: "X", IsTest: true}})
				if err != nil {
					return err
				}
				for _, step := range k.steps {
					if err := step(tx, p.ID); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			all, err := s.ByIDs(ctx, d.Primary(ctx), []int64{p.ID})
			if err != nil || all[p.ID].State != k.want {
				t.Fatalf("%+v %v", all, err)
			}
			if paid := all[p.ID].Captured == 250_000; paid != k.want.Captured() {
				t.Fatalf("captured %v", all[p.ID].Captured)
			}
			if (all[p.ID].Payload != "") != (k.method == payment.VietQR) {
				t.Fatalf("payload %q", all[p.ID].Payload)
			}
			var events int
			testkit.Scan(t, d, &events, `SELECT count(*) FROM payment_event WHERE payment_id = $1`, p.ID)
			if events != k.events {
				t.Fatalf("%d events", events)
			}
		})
	}
	err := d.InTx(ctx, func(tx db.Tx) error {
		p, err := s.Open(ctx, tx, payment.Request{Reference: "gone", Method: payment.COD, Amount: 1, Actor: "buyer"})
		if err != nil {
			return err
		}
		if err := cancel(tx, p.ID); err != nil {
			return err
		}
		return settle(tx, p.ID)
	})
	if l, ok := apperr.As(err); !ok || l[0].Key != "payment.not_payable" {
		t.Fatalf("got %v", err)
	}
	for _, c := range payment.Checks() {
		var n int
		testkit.Scan(t, d, &n, c.SQL)
		if n != 0 {
			t.Errorf("%s: %d", c.Name, n)
		}
	}
}
