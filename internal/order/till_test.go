package order_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/promo"
	"choocop.vn/ocop/internal/testkit"
)

// crowd sends all forms while both tills are held up by a locked stock level, so that those that come later wait
// together, and returns the errors by form.
func crowd(t *testing.T, k *testkit.Checkout, forms []order.Placement) []error {
	t.Helper()
	tx, err := k.DB.Pool().Begin(ctx)
	must(t, err)
	if _, err := tx.Exec(ctx, `SELECT id FROM stock_level FOR UPDATE`); err != nil {
		t.Fatal(err)
	}
	errs := make([]error, len(forms))
	var wg sync.WaitGroup
	for i := range forms {
		wg.Go(func() { _, errs[i] = k.Orders.Place(ctx, forms[i]) })
	}
	time.Sleep(200 * time.Millisecond)
	must(t, tx.Rollback(ctx))
	wg.Wait()
	return errs
}

func TestManyWhoOrderAtOnceCostFewStatements(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(100))
	forms := make([]order.Placement, 40)
	for i := range forms {
		forms[i] = k.Form(t, k.Basket(t, 1, product), payment.Method([]string{"cod", "vietqr"}[i%2]))
	}
	var errs []error
	n := len(counter.During(func() { errs = crowd(t, k, forms) }))
	for _, err := range errs {
		must(t, err)
	}
	// Two tills take one or a few each, then all others: some eighteen statements each time.
	if n > 120 {
		t.Errorf("%d statements for 40 purchases", n)
	}
	t.Logf("%d statements for %d purchases", n, len(forms))
}

func TestAFaultyPurchaseSpoilsNoOtherOfItsTransaction(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product, last := testkit.Product(t, d, testkit.WithStock(100)), testkit.Product(t, d, testkit.WithStock(3))
	var forms []order.Placement
	for range 10 {
		forms = append(forms, k.Form(t, k.Basket(t, 1, product), payment.COD))
	}
	short := []order.Placement{k.Form(t, k.Basket(t, 2, last), payment.COD), k.Form(t, k.Basket(t, 2, last), payment.COD)}
	priced := k.Form(t, k.Basket(t, 1, product), payment.COD)
	priced.Expect--
	twins := []order.Placement{k.Form(t, k.Basket(t, 1, product), payment.COD), k.Form(t, k.Basket(t, 1, product), payment.COD)}
	twins[1].RequestKey = twins[0].RequestKey // another basket under the same key
	forms = slices.Concat(forms, short, []order.Placement{priced}, twins)
	got := map[string]int{}
	for i, err := range crowd(t, k, forms) {
		if i < 10 && err != nil {
			t.Errorf("a good purchase fell with the others: %v", err)
		}
		got[keys(t, err)]++
	}
	if got[""] != 12 || got["order.line.short"] != 1 || got["order.price_changed"] != 1 || got["order.key_reused"] != 1 {
		t.Fatalf("got %v", got)
	}
	var n, high int
	must(t, d.Pool().QueryRow(ctx, `SELECT count(*), max(number_seq) FROM orders`).Scan(&n, &high))
	if n != 12 || high != 12 {
		t.Fatalf("%d orders, numbered up to %d", n, high)
	}
}

func TestABuyerWhoGoesAwayWhileWaitingStopsNobody(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	gone, leave := context.WithCancel(ctx)
	leave()
	form := k.Form(t, k.Basket(t, 1, product), payment.COD)
	if _, err := k.Orders.Place(gone, form); err == nil {
		t.Fatal("a request that ended was answered")
	}
	k.Order(t, k.Form(t, k.Basket(t, 1, product), payment.COD))
	k.Order(t, form) // whether or not it was placed before: once
	if left := k.Available(t, product); left != 8 {
		t.Fatalf("%d left", left)
	}
}

// broken is a price rule with a fault.
type broken struct{}

func (broken) Name() string { return "broken" }
func (broken) Apply(context.Context, clock.Date, []promo.Priced) (map[int]promo.Adjustment, error) {
	panic("division of a rice cake by zero")
}

func TestAFaultAtTheTillIsAnErrorAndTheNextIsServed(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d, broken{})
	token := k.Basket(t, 1, testkit.Product(t, d))
	form := order.Placement{RequestKey: ident.Token(), CartToken: token, Method: payment.COD}
	for range 3 {
		if _, err := k.Orders.Place(ctx, form); err == nil || !strings.Contains(err.Error(), "rice cake") {
			t.Fatalf("got %v", err)
		}
	}
}
