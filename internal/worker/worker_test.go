package worker_test

import (
	"context"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/testkit"
	"choocop.vn/ocop/internal/worker"
)

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// The queue of the real program: the mail goes out, and an order that nobody paid ends by itself.
func TestJobsTellAndTidyByThemselves(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(1))
	v, secret := k.Order(t, k.Form(t, k.Basket(t, 1, product), "vietqr"))
	k.Clock.Advance(time.Hour)

	w := job.NewWorkers()
	worker.Register(w, worker.Deps{Orders: k.Orders, Carts: k.Carts, Stock: k.Stock, Money: k.Money, Search: search.New(d, k.Clock)})
	r, err := job.Run(context.Background(), d, w, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := r.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the mails about placing and expiry", func() bool { return len(k.Mails.Letters()) == 2 })
	now, err := k.Orders.Find(context.Background(), v.Code, secret)
	if err != nil {
		t.Fatal(err)
	}
	if o := now.Orders[0]; o.State != order.Expired || len(o.History) != 2 {
		t.Fatalf("%+v", o)
	}
}
