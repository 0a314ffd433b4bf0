package order_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

// finds is how many violations the check of this name counts now.
func finds(t *testing.T, k *testkit.Checkout, name string) (n int) {
	t.Helper()
	for _, c := range order.Checks() {
		if c.Name == name {
			testkit.Scan(t, k.DB, &n, c.SQL)
			return n
		}
	}
	t.Fatalf("no check %q", name)
	return 0
}

func TestTheDoctorSeesAStarThatWasNotValid(t *testing.T) {
	const check = "order: a star on a line is a certificate of the product that was valid on the day of the sale"
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	today := clock.Today(k.Clock)
	product := testkit.Product(t, d, testkit.WithStars(4, today))
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	for _, c := range []struct {
		harm, heal string
		want       int
	}{
		{`SELECT 1`, `SELECT 1`, 0},
		{`UPDATE certificate SET valid_from = valid_from - 1, valid_to = valid_to - 1`, `UPDATE certificate SET valid_from = valid_from + 1, valid_to = valid_to + 1`, 1},
		{`UPDATE certificate SET stars = 5`, `UPDATE certificate SET stars = 4`, 1},
		{`UPDATE certificate SET revoked_on = '2026-11-22', revoked_why = 'x'`, `UPDATE certificate SET revoked_on = NULL, revoked_why = ''`, 1},
		{`UPDATE certificate SET revoked_on = '2026-11-23', revoked_why = 'x'`, `UPDATE certificate SET revoked_on = NULL, revoked_why = ''`, 0},
	} {
		testkit.Exec(t, d, c.harm)
		if n := finds(t, k, check); n != c.want {
			t.Errorf("%s: %d, want %d", c.harm, n, c.want)
		}
		testkit.Exec(t, d, c.heal)
	}
	// Revoked on the day of the sale, but after it.
	testkit.Exec(t, d, `UPDATE certificate SET revoked_on = '2026-11-22', revoked_why = 'x'`)
	testkit.Exec(t, d, `INSERT INTO audit_event (at, actor, action, subject, subject_id) SELECT $1::timestamptz, 'x', 'certificate.revoke', 'certificate', code FROM certificate`,
		k.Clock.Now().Add(time.Hour))
	if n := finds(t, k, check); n != 0 {
		t.Errorf("a later revocation: %d", n)
	}
}

func TestTheDoctorSeesGoodsPromisedOfASpoiledLot(t *testing.T) {
	const check = "order: no goods are promised of a lot past its last day"
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(0))
	lot := testkit.Lot(t, d, testkit.VariantOf(t, d, product), "L1", clock.NewDate(2200, 1, 1), 5)
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	if n := finds(t, k, check); n != 0 {
		t.Fatalf("%d", n)
	}
	testkit.Exec(t, d, `UPDATE stock_lot SET expires_on = '2020-01-01' WHERE id = $1`, lot)
	if n := finds(t, k, check); n != 1 {
		t.Fatalf("%d", n)
	}
	testkit.Exec(t, d, `UPDATE stock_lot SET expires_on = '2200-01-01' WHERE id = $1`, lot)
}

func TestTheDoctorSeesMoneyThatNobodyOwns(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.VietQR))
	must(t, k.Orders.Cancel(ctx, v.Code, secret, v.Orders[0].Code, ""))
	testkit.Exec(t, d, `UPDATE payment SET state = 'paid', captured = amount`)
	if n := finds(t, k, "order: an order that is off though paid says that the money is owed back"); n != 1 {
		t.Fatalf("%d", n)
	}
	testkit.Exec(t, d, `UPDATE payment SET state = 'pending', captured = 0`)
	if n := finds(t, k, "order: no money is awaited for an order that is off"); n != 1 {
		t.Fatalf("%d", n)
	}
	testkit.Exec(t, d, `UPDATE payment SET state = 'cancelled'`)
}

// What is written of money, consent and states stays, also before a careless TRUNCATE.
func TestTheLedgersCannotBeEmptied(t *testing.T) {
	d := testkit.DB(t)
	for _, table := range []string{"price_change", "payment_event", "order_history", "consent"} {
		if _, err := d.Pool().Exec(ctx, "TRUNCATE "+table); err == nil {
			t.Errorf("%s was emptied", table)
		}
	}
}

// Whoever lists the states, such as the API's document, lists all that the database takes.
func TestTheListsOfStatesAreThoseOfTheDatabase(t *testing.T) {
	d := testkit.DB(t)
	for name, have := range map[string]string{
		"orders_state_check": fmt.Sprint(order.States()), "payment_state_check": fmt.Sprint(payment.States()), "refund_state_check": fmt.Sprint(payment.RefundStates()),
	} {
		var says string
		testkit.Scan(t, d, &says, `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1`, name)
		var want []string
		for _, m := range regexp.MustCompile(`'([a-z_]+)'`).FindAllStringSubmatch(says, -1) {
			want = append(want, m[1])
		}
		if fmt.Sprint(want) != have || len(want) < 3 {
			t.Errorf("%s: the database takes %v, the list is %s", name, want, have)
		}
	}
}

func TestTheDoctorSeesCardMoneyOfACancelledOrderThatGoesNowhere(t *testing.T) {
	const check = "order: the card money of an order that is off goes back, or its refund has failed and waits for a person"
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a := paidByCard(t, k, 1, testkit.Product(t, d))
	must(t, k.Orders.Cancel(ctx, a.Code, a.secret, a.Orders[0].Code, ""))
	if n := finds(t, k, check); n != 0 {
		t.Fatal(n)
	}
	testkit.Exec(t, d, `UPDATE payment SET refunded = refunded - 1`)
	if n := finds(t, k, check); n != 1 {
		t.Fatal(n)
	}
	testkit.Exec(t, d, `UPDATE payment SET refunded = refunded + 1`)
}
