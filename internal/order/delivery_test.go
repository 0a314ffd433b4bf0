package order

import (
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/money"
)

func table() tariff {
	row := func(zone string, upTo, price, extra int64) rate {
		return rate{CarrierCode: "c", Divisor: 6000, MaxG: 200_000, CodMax: 20_000_000, Zone: zone, UpToG: upTo, Price: price, ExtraPer500: extra, DaysMin: 1, DaysMax: 2}
	}
	return tariff{row("country", 500, 28_000, 0), row("country", 1000, 36_000, 0), row("country", 2000, 48_000, 7_000), row("province", 500, 16_000, 0)}
}

func TestFeeByStep(t *testing.T) {
	for _, c := range []struct {
		g    int64
		want money.VND
	}{{1, 28_000}, {500, 28_000}, {501, 36_000}, {1000, 36_000}, {2000, 48_000}, {2001, 55_000}, {2500, 55_000}, {2501, 62_000}} {
		if _, got, ok := table().fee("c", "country", c.g); !ok || got != c.want {
			t.Errorf("%d g: %v, want %v", c.g, got, c.want)
		}
	}
	if _, _, ok := table().fee("c", "province", 501); ok {
		t.Error("a table without extra ends at its last step")
	}
	if _, _, ok := table().fee("c", "country", 200_001); ok {
		t.Error("too heavy for the carrier")
	}
}

func TestAHeavierParcelNeverCostsLess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64Range(1, 200_000).Draw(t, "a"), rapid.Int64Range(1, 200_000).Draw(t, "b")
		_, light, _ := table().fee("c", "country", min(a, b))
		_, heavy, _ := table().fee("c", "country", max(a, b))
		if light > heavy {
			t.Fatalf("%d g cost %v, %d g cost %v", min(a, b), light, max(a, b), heavy)
		}
	})
}

func TestChargeableWeight(t *testing.T) {
	for _, c := range []struct {
		o    catalog.Offer
		want int64
	}{
		{catalog.Offer{WeightG: 230}, 230},
		{catalog.Offer{}, 500},
		{catalog.Offer{WeightG: 900, LengthCM: 40, WidthCM: 30, HeightCM: 20}, 4000}, // the example of domain.md §9.3
		{catalog.Offer{WeightG: 9000, LengthCM: 40, WidthCM: 30, HeightCM: 20}, 9000},
		{catalog.Offer{WeightG: 1, LengthCM: 1, WidthCM: 1, HeightCM: 7}, 2}, // 1.17 g: a started gram counts
	} {
		if got := pieceG(c.o, 6000); got != c.want {
			t.Errorf("%+v: %d g, want %d", c.o, got, c.want)
		}
	}
}

func TestZones(t *testing.T) {
	hanoi, hue, hcm, haiphong := geo.Province{Code: "01", Region: "north"}, geo.Province{Code: "46", Region: "central"}, geo.Province{Code: "79", Region: "south"}, geo.Province{Code: "31", Region: "north"}
	for _, c := range []struct {
		a, b geo.Province
		want string
	}{{hanoi, hanoi, "province"}, {hanoi, haiphong, "region"}, {hanoi, hue, "country"}, {hcm, hue, "country"}} {
		if got := zone(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: %s", c.a.Code, c.b.Code, got)
		}
	}
}

// What the buyer pays is the sum of the orders, and each order the sum of its parts, whatever lies in the basket.
func TestTotalsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p plan
		for range rapid.IntRange(1, 6).Draw(t, "sellers") {
			q := SellerQuote{Options: []Option{{Choice: Choice{Kind: ByCarrier}, Known: true, Fee: money.VND(rapid.Int64Range(0, 500_000).Draw(t, "fee"))}}}
			for range rapid.IntRange(1, 10).Draw(t, "lines") {
				full := money.VND(rapid.Int64Range(1, 50_000_000).Draw(t, "price") * rapid.Int64Range(1, 999).Draw(t, "quantity"))
				q.Goods += full
				q.Discount += money.VND(rapid.Int64Range(0, int64(full)).Draw(t, "off"))
			}
			q.choose(Choice{})
			p.Sellers = append(p.Sellers, q)
		}
		p.sum()
		var total money.VND
		for _, q := range p.Sellers {
			if q.Total != q.Goods+q.Shipping-q.Discount {
				t.Fatalf("%+v", q)
			}
			total += q.Total
		}
		if !p.Complete || p.Total != total || p.Total != p.Goods+p.Shipping-p.Discount {
			t.Fatalf("%v is not %v", p.Total, total)
		}
	})
}

func TestTransitionsAreExactlyThese(t *testing.T) {
	all := []State{AwaitingPayment, Placed, Packed, Shipped, Delivered, Cancelled, Expired}
	want := map[[2]State]bool{{AwaitingPayment, Placed}: true, {AwaitingPayment, Expired}: true, {AwaitingPayment, Cancelled}: true,
		{Placed, Packed}: true, {Placed, Cancelled}: true, {Packed, Shipped}: true, {Shipped, Delivered}: true, {Expired, Placed}: true}
	for _, from := range all {
		for _, to := range all {
			if allowed(from, to) != want[[2]State{from, to}] {
				t.Errorf("%s → %s: %t", from, to, allowed(from, to))
			}
		}
	}
}

func TestTaxCodes(t *testing.T) {
	for code, want := range map[string]bool{"0100109106": true, "0100109106-001": true, "0100109107": false, "001085012345": true,
		"0100109106001": false, "0100109106-01": false, "": false, "010010910６": false, "0000000000": false} {
		if validTaxCode(code) != want {
			t.Errorf("%q: %t", code, !want)
		}
	}
}
