package cart_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/testkit"
)

var ctx = context.Background()

func key(t testing.TB, err error) string {
	t.Helper()
	l, ok := apperr.As(err)
	if !ok {
		t.Fatalf("not a readable error: %v", err)
	}
	return strings.TrimPrefix(l[0].Field+":"+l[0].Key, ":")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAddSumsUpAndStopsAtTheMost(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	sku := testkit.SKUOf(t, d, testkit.Product(t, d))
	token, err := k.Carts.Add(ctx, "", sku, 2)
	must(t, err)
	same, err := k.Carts.Add(ctx, token, strings.ToLower(sku), 3)
	must(t, err)
	if same != token {
		t.Fatal("a second basket was made")
	}
	n, err := k.Carts.Count(ctx, token)
	must(t, err)
	if n != 5 {
		t.Fatalf("%d pieces", n)
	}
	_, err = k.Carts.Add(ctx, token, sku, 999)
	must(t, err)
	v, err := k.Carts.View(ctx, token)
	must(t, err)
	if v.Count != cart.MaxQuantity || v.Sellers[0].Lines[0].Problem != cart.Short || !v.Blocked {
		t.Fatalf("%+v", v)
	}
}

func TestAddRefusesWhatCannotBeBought(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	sku := func(o ...testkit.ProductOption) string { return testkit.SKUOf(t, d, testkit.Product(t, d, o...)) }
	fine := sku()
	for _, c := range []struct {
		name, sku string
		quantity  int
		want      string
	}{
		{"nothing", fine, 0, "quantity:cart.quantity.range"},
		{"less than nothing", fine, -5, "quantity:cart.quantity.range"},
		{"too much", fine, 1000, "quantity:cart.quantity.range"},
		{"unknown", "NOPE", 1, "catalog.sku.unknown"},
		{"hostile", "'; DROP TABLE cart; --", 1, "catalog.sku.unknown"},
		{"service", sku(testkit.WithCategory("VI.1")), 1, "cart.refused.contact"},
		{"medicine", sku(testkit.WithMedicine()), 1, "cart.refused.gone"},
		{"archived", sku(testkit.WithState("archived")), 1, "cart.refused.gone"},
		{"sold out", sku(testkit.WithStock(0)), 1, "quantity:cart.quantity.sold_out"},
	} {
		if _, err := k.Carts.Add(ctx, "", c.sku, c.quantity); key(t, err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestTheBasketSaysWhatChanged(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	one, two := testkit.Producer(t, d), testkit.Producer(t, d)
	dearer := testkit.Product(t, d, testkit.WithProducer(one), testkit.WithPrice(10_000))
	fewer := testkit.Product(t, d, testkit.WithProducer(two), testkit.WithStock(3))
	gone := testkit.Product(t, d, testkit.WithProducer(one))
	liquor := testkit.Product(t, d, testkit.WithProducer(two), testkit.WithCategory("II.1.a"))
	token := k.Basket(t, 3, dearer, fewer, gone, liquor)
	before, err := k.Carts.View(ctx, token)
	must(t, err)
	if before.Blocked || !before.Adults || len(before.Sellers) != 2 || before.Sellers[0].ProducerID != one || len(before.Sellers[0].Lines) != 2 {
		t.Fatalf("%+v", before)
	}
	testkit.Exec(t, d, `UPDATE variant SET price = 12000 WHERE product_id = $1`, dearer)
	testkit.Exec(t, d, `UPDATE product SET state = 'archived' WHERE id = $1`, gone)
	k.Order(t, k.Form(t, k.Basket(t, 2, fewer), "cod"))
	v, err := k.Carts.View(ctx, token)
	must(t, err)
	first, second := v.Sellers[0].Lines, v.Sellers[1].Lines
	if !first[0].PriceChanged() || first[0].PriceSeen != 10_000 || first[0].PriceNow != 12_000 {
		t.Errorf("the price: %+v", first[0])
	}
	if first[1].Problem != cart.Gone || first[1].Total() != 0 {
		t.Errorf("the archived one: %+v", first[1])
	}
	if second[0].Problem != cart.Short || second[0].Available != 1 {
		t.Errorf("the scarce one: %+v", second[0])
	}
	if !second[1].Rules.AdultsOnly {
		t.Error("nothing says that liquor is for adults")
	}
	must(t, k.Carts.SetQuantity(ctx, token, first[0].SKU, 1))
	must(t, k.Carts.Remove(ctx, token, first[1].SKU))
	must(t, k.Carts.SetQuantity(ctx, token, second[0].SKU, 0))
	v, err = k.Carts.View(ctx, token)
	must(t, err)
	if v.Blocked || v.Sellers[0].Lines[0].PriceChanged() || v.Goods != 12_000+3*95_000 {
		t.Fatalf("%+v", v)
	}
}

func TestNobodyReachesAnothersBasket(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	mine := k.Basket(t, 1, product)
	sku := testkit.SKUOf(t, d, product)
	for _, token := range []string{"", "guess", mine + "x", strings.Repeat("a", 10_000), "\x00"} {
		if v, err := k.Carts.View(ctx, token); err != nil || !v.Empty() {
			t.Fatalf("%.10q: %+v %v", token, v, err)
		}
		if err := k.Carts.SetQuantity(ctx, token, sku, 5); key(t, err) != "cart.unknown" {
			t.Fatal(err)
		}
		if err := k.Carts.Remove(ctx, token, sku); key(t, err) != "cart.unknown" {
			t.Fatal(err)
		}
	}
	var kept int
	testkit.Scan(t, d, &kept, `SELECT count(*) FROM cart WHERE token_hash = convert_to($1, 'UTF8')`, mine)
	if kept != 0 {
		t.Fatal("the token itself is in the table")
	}
}

func TestTwoClicksAtOnceAreTwoPieces(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	token := k.Basket(t, 1, product)
	sku := testkit.SKUOf(t, d, product)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { _, errs[i] = k.Carts.Add(ctx, token, sku, 1) })
	}
	wg.Wait()
	must(t, errors.Join(errs...))
	if n, err := k.Carts.Count(ctx, token); err != nil || n != 21 {
		t.Fatalf("%d pieces, %v", n, err)
	}
}

func TestOldBasketsAreForgotten(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	old := k.Basket(t, 1, product)
	k.Clock.Advance(cart.KeptFor - time.Hour)
	young := k.Basket(t, 1, product)
	k.Clock.Advance(2 * time.Hour)
	n, err := k.Carts.SweepOld(ctx)
	must(t, err)
	if n != 1 {
		t.Fatalf("%d forgotten", n)
	}
	if v, _ := k.Carts.View(ctx, old); !v.Empty() {
		t.Fatal("the old one is still there")
	}
	if v, _ := k.Carts.View(ctx, young); v.Empty() {
		t.Fatal("the young one is gone")
	}
	again, err := k.Carts.Add(ctx, old, testkit.SKUOf(t, d, product), 1)
	must(t, err)
	if again == old || again == "" {
		t.Fatal("a forgotten token must not come back to life")
	}
}
