package inventory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/testkit"
)

func TestStockIsToldOncePerChange(t *testing.T) {
	ctx := context.Background()
	d, q := testkit.CountedDB(t)
	k := testkit.NewCheckout(t, d)
	goods := testkit.Product(t, d, testkit.WithSKU("CHE-1"), testkit.WithStock(10))
	testkit.Product(t, d, testkit.WithSKU("CHE-2"), testkit.WithStock(5))
	look := func() {
		t.Helper()
		if _, err := k.Stock.TellStock(ctx, inventory.TellStock{}); err != nil {
			t.Fatal(err)
		}
	}
	look() // nobody listens
	who := testkit.Listener(t, d, partner.StockChanged)
	told := func() string {
		var out []string
		for _, e := range testkit.Told(t, d, who) {
			var p struct{ Available int }
			if err := json.Unmarshal([]byte(e[2]), &p); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(e[1], " ", p.Available))
		}
		return strings.Join(out, ", ")
	}
	step := func(want string) {
		t.Helper()
		k.Clock.Advance(3 * time.Second)
		look()
		look()
		if got := told(); got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	}
	step("") // who begins to listen reads the state by the API

	k.Order(t, k.Form(t, k.Basket(t, 3, goods), "vietqr")) // reserved
	step("CHE-1 7")
	k.Clock.Advance(time.Hour) // past the time to pay, and nobody has tidied: free again by the clock alone
	step("CHE-1 7, CHE-1 10")
	if _, err := k.Stock.Adjust(ctx, inventory.Adjustment{SKU: "CHE-2", Delta: -1, Reason: "vỡ", Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Stock.Adjust(ctx, inventory.Adjustment{SKU: "CHE-2", Delta: -1, Reason: "vỡ", Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	step("CHE-1 7, CHE-1 10, CHE-2 3")
	if _, err := k.Orders.SweepUnpaid(ctx); err != nil { // closes the reservation: nothing new for anybody
		t.Fatal(err)
	}
	step("CHE-1 7, CHE-1 10, CHE-2 3")
	testkit.Exec(t, d, `UPDATE product SET state = 'archived' WHERE id = $1`, goods)
	k.Clock.Advance(10 * time.Minute)
	step("CHE-1 7, CHE-1 10, CHE-2 3, CHE-1 0")

	if n := len(q.During(look)); n > 9 {
		t.Errorf("a look without news takes %d statements", n)
	}
}
