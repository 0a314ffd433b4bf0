package catalog_test

import (
	"context"
	"testing"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

func TestNewPriceIsToldOnceAndOnlyIfItIsNew(t *testing.T) {
	d := testkit.DB(t)
	goods := catalog.New(d, clock.System())
	who := testkit.Listener(t, d, partner.PriceChanged)
	testkit.Product(t, d, testkit.WithSKU("MAT-ONG-1"), testkit.WithPrice(90_000))
	for range 2 {
		err := d.InTx(context.Background(), func(tx db.Tx) error {
			return goods.ChangePrice(context.Background(), tx, "mat-ong-1", 95_000, "test")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	told := testkit.Told(t, d, who)
	if len(told) != 1 || told[0] != [3]string{"price.changed", "MAT-ONG-1", `{"sku": "MAT-ONG-1", "price": 95000, "currency": "VND"}`} {
		t.Errorf("told %v", told)
	}
}
