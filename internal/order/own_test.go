package order_test

import (
	"errors"
	"testing"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

// person makes an account.
func person(t testing.TB, d *db.DB, email string) int64 {
	t.Helper()
	a, err := account.New(d).Register(ctx, account.Registration{Email: email, Name: "Người thử", Password: "mật khẩu đủ dài", Actor: "test"})
	must(t, err)
	return a.ID
}

func claim(t testing.TB, k *testkit.Checkout, who int64, phone, email string) (n int) {
	t.Helper()
	must(t, k.DB.InTx(ctx, func(tx db.Tx) (err error) {
		n, err = k.Orders.Claim(ctx, tx, who, phone, email)
		return err
	}))
	return n
}

func TestAPurchaseBelongsToTheAccountThatPlacedIt(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea := testkit.Product(t, d)
	hers, his := person(t, d, "lan@vidu.vn"), person(t, d, "minh@vidu.vn")
	f := k.Form(t, k.Basket(t, 1, tea), "cod")
	f.AccountID = hers
	v, secret := k.Order(t, f)
	list, err := k.Orders.Purchases(ctx, hers, 0, 10)
	must(t, err)
	if len(list) != 1 || list[0].Code != v.Code || list[0].Total != v.Total || len(list[0].States) != 1 || list[0].States[0] != order.Placed || list[0].Pieces != 1 || len(list[0].NamesVI) != 1 {
		t.Errorf("%+v", list)
	}
	got, err := k.Orders.Owned(ctx, hers, v.Code)
	if err != nil || got != secret {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := k.Orders.Owned(ctx, his, v.Code); !errors.Is(err, apperr.New(apperr.NotFound, "order.unknown")) {
		t.Error(err)
	}
	if list, _ := k.Orders.Purchases(ctx, his, 0, 10); len(list) != 0 {
		t.Error("he sees her purchase")
	}
	// The purchase of an account that was closed while the page was open is a guest's.
	f = k.Form(t, k.Basket(t, 1, tea), "cod")
	f.AccountID = his
	testkit.Exec(t, d, `UPDATE account SET state = 'closed' WHERE id = $1`, his)
	k.Order(t, f)
	if list, _ := k.Orders.Purchases(ctx, his, 0, 10); len(list) != 0 {
		t.Error("a closed account bought something")
	}
}

func TestOnlyTheExactContactIsClaimedAndOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea := testkit.Product(t, d)
	hers, his := person(t, d, "lan@vidu.vn"), person(t, d, "minh@vidu.vn")
	buy := func(phone, email string) string {
		f := k.Form(t, k.Basket(t, 1, tea), "cod")
		f.Contact.Phone, f.Contact.Email = phone, email
		v, _ := k.Order(t, f)
		return v.Code
	}
	buy("0912 000 001", "")
	buy("0912 000 002", "LAN@vidu.vn")
	buy("0912 000 003", "lan@vidu.vn.example")
	buy("0912 000 004", "")
	for _, c := range []struct {
		phone, email string
		want         int
	}{{"", "", 0}, {"+84912000001", "", 1}, {"", "lan@vidu.vn", 1}, {"+84912000001", "lan@vidu.vn", 2}, {"+8491200000", "", 0}, {"%", "%", 0}} {
		if n, err := k.Orders.Claimable(ctx, c.phone, c.email); err != nil || n != c.want {
			t.Errorf("%q %q: %d, %v", c.phone, c.email, n, err)
		}
	}
	if n := claim(t, k, hers, "+84912000001", "lan@vidu.vn"); n != 2 {
		t.Errorf("%d claimed", n)
	}
	if n := claim(t, k, his, "+84912000001", "lan@vidu.vn"); n != 0 {
		t.Errorf("he took %d of her purchases", n)
	}
	if n := claim(t, k, his, "", ""); n != 0 {
		t.Errorf("nothing proven, %d claimed", n)
	}
}

func TestPurchasesAreOneStatementForAnyNumber(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	k := testkit.NewCheckout(t, d)
	tea := testkit.Product(t, d, testkit.WithStock(100))
	who := person(t, d, "lan@vidu.vn")
	for range 12 {
		f := k.Form(t, k.Basket(t, 1, tea), "vietqr")
		f.AccountID = who
		k.Order(t, f)
	}
	var first, second []order.Purchase
	n := len(counter.During(func() {
		var err error
		first, err = k.Orders.Purchases(ctx, who, 0, 10)
		must(t, err)
	}))
	if n != 1 || len(first) != 10 {
		t.Errorf("%d statements for %d purchases", n, len(first))
	}
	second, err := k.Orders.Purchases(ctx, who, first[9].ID, 10)
	must(t, err)
	if len(second) != 2 || second[0].ID >= first[9].ID {
		t.Errorf("the second page: %+v", second)
	}
}
