package order_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/testkit"
)

func TestOnlyThePartnerWhoPlacedAnOrderIsToldOfIt(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	goods := testkit.Product(t, d, testkit.WithStock(10))
	ours, other := testkit.Listener(t, d, partner.Kinds...), testkit.Listener(t, d, partner.Kinds...)

	k.Order(t, k.Form(t, k.Basket(t, 1, goods), payment.COD)) // our own shop's
	form := k.Form(t, k.Basket(t, 1, goods), payment.VietQR)
	form.PartnerID = ours
	g, _ := k.Order(t, form)
	code := g.Orders[0].Code
	if err := k.Orders.ConfirmTransfer(ctx, code, "test", "FT1"); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func(context.Context, string, string) error{k.Orders.MarkPacked, k.Orders.MarkShipped, k.Orders.MarkDelivered, k.Orders.MarkDelivered} {
		if err := step(ctx, code, "test"); err != nil {
			t.Fatal(err)
		}
	}
	var kinds []string
	for _, e := range testkit.Told(t, d, ours) {
		kinds = append(kinds, e[0])
		if e[1] != code || !strings.Contains(e[2], `"total": `) || strings.Contains(e[2], g.Contact.Name) || strings.Contains(e[2], g.Contact.Phone) {
			t.Errorf("told %v", e)
		}
	}
	if want := []string{"order.placed", "order.paid", "order.packed", "order.shipped", "order.delivered"}; !slices.Equal(kinds, want) {
		t.Errorf("told %v, want %v", kinds, want)
	}
	if told := testkit.Told(t, d, other); len(told) != 0 {
		t.Errorf("another partner was told %v", told)
	}
}
