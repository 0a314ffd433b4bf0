package cart_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/testkit"
)

// person makes an account that can own a basket.
func person(t testing.TB, d *db.DB, email string) int64 {
	t.Helper()
	a, err := account.New(d).Register(ctx, account.Registration{Email: email, Name: "Người thử", Password: "mật khẩu đủ dài", Actor: "test"})
	must(t, err)
	return a.ID
}

func TestMergeSumsUpAndEveryDeviceHoldsTheSameBasket(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea, honey := testkit.Product(t, d), testkit.Product(t, d)
	who := person(t, d, "lan@vidu.vn")
	guest := k.Basket(t, 2, tea)
	first, err := k.Carts.Merge(ctx, guest, who)
	must(t, err)
	second, err := k.Carts.Merge(ctx, k.Basket(t, 3, tea, honey), who)
	must(t, err)
	if first.Token != second.Token || first.Cut || second.Cut || first.Token == guest {
		t.Fatalf("%+v, then %+v", first, second)
	}
	v, err := k.Carts.View(ctx, first.Token)
	must(t, err)
	if v.Count != 8 {
		t.Errorf("%d pieces, want 2 + 3 + 3", v.Count)
	}
	if v, err := k.Carts.View(ctx, guest); err != nil || !v.Empty() {
		t.Errorf("the guest's basket is still there: %+v, %v", v, err)
	}
	// The same cookie again, and none at all, add nothing.
	for _, token := range []string{guest, first.Token, "", "đoán"} {
		m, err := k.Carts.Merge(ctx, token, who)
		must(t, err)
		if n, _ := k.Carts.Count(ctx, m.Token); n != 8 || m.Token != first.Token {
			t.Errorf("%.5q: %d pieces", token, n)
		}
	}
}

func TestMergeNeverHoldsMoreThanIsAllowedAndSaysSo(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea := testkit.Product(t, d, testkit.WithStock(5_000))
	who := person(t, d, "lan@vidu.vn")
	_, err := k.Carts.Merge(ctx, k.Basket(t, 600, tea), who)
	must(t, err)
	m, err := k.Carts.Merge(ctx, k.Basket(t, 500, tea), who)
	must(t, err)
	if n, _ := k.Carts.Count(ctx, m.Token); n != cart.MaxQuantity || !m.Cut {
		t.Errorf("%d pieces, cut %v", n, m.Cut)
	}
	var many []int64
	for range cart.MaxLines {
		many = append(many, testkit.Product(t, d))
	}
	if m, err = k.Carts.Merge(ctx, k.Basket(t, 1, many...), who); err != nil || !m.Cut {
		t.Errorf("cut %v, %v", m.Cut, err)
	}
	var lines int
	testkit.Scan(t, d, &lines, `SELECT count(*) FROM cart_line`)
	if lines != cart.MaxLines {
		t.Errorf("%d lines", lines)
	}
}

func TestTwoWindowsThatMergeAtOnceAddNothingTwice(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea := testkit.Product(t, d)
	for range 5 {
		who := person(t, d, strings.ToLower(ident.Code(8))+"@vidu.vn")
		guest := k.Basket(t, 4, tea)
		var wg sync.WaitGroup
		errs, got := make([]error, 8), make([]cart.Merged, 8)
		for i := range errs {
			wg.Go(func() { got[i], errs[i] = k.Carts.Merge(ctx, guest, who) })
		}
		wg.Wait()
		must(t, errors.Join(errs...))
		for _, m := range got {
			if n, err := k.Carts.Count(ctx, m.Token); err != nil || n != 4 || m.Token != got[0].Token {
				t.Fatalf("%d pieces, %v", n, err)
			}
		}
	}
}

func TestMergeLeavesAnotherAccountsBasketAlone(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea := testkit.Product(t, d)
	hers, his := person(t, d, "lan@vidu.vn"), person(t, d, "minh@vidu.vn")
	own, err := k.Carts.Merge(ctx, k.Basket(t, 2, tea), hers)
	must(t, err)
	taken, err := k.Carts.Merge(ctx, own.Token, his)
	must(t, err)
	if n, _ := k.Carts.Count(ctx, taken.Token); n != 0 || taken.Token == own.Token {
		t.Errorf("he holds %d of her pieces", n)
	}
	if n, _ := k.Carts.Count(ctx, own.Token); n != 2 {
		t.Errorf("she has %d pieces left", n)
	}
	testkit.Exec(t, d, `UPDATE account SET state = 'closed' WHERE id = $1`, his)
	if _, err := k.Carts.Merge(ctx, "", his); key(t, err) != "account.not_found" {
		t.Error(err)
	}
}

func TestATurnTakesTheBasketAwayFromDevicesThatLostTheirSession(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	who := person(t, d, "lan@vidu.vn")
	old, err := k.Carts.Merge(ctx, k.Basket(t, 2, testkit.Product(t, d)), who)
	must(t, err)
	must(t, d.InTx(ctx, func(tx db.Tx) error { return k.Carts.Turn(ctx, tx, who) }))
	now, err := k.Carts.Own(ctx, who)
	must(t, err)
	if n, _ := k.Carts.Count(ctx, old.Token); n != 0 || now == old.Token {
		t.Error("the old token still opens it")
	}
	if n, _ := k.Carts.Count(ctx, now); n != 2 {
		t.Errorf("%d pieces behind the new one", n)
	}
}
