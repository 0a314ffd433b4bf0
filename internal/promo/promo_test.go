package promo_test

import (
	"context"
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/promo"
)

// share takes a part of what is left of every line.
type share struct{ num, den int64 }

func (share) Name() string { return "share" }
func (s share) Apply(_ context.Context, _ clock.Date, lines []promo.Priced) (map[int]promo.Adjustment, error) {
	out := map[int]promo.Adjustment{}
	for i, l := range lines {
		if off := l.Total().Portion(s.num, s.den); off > 0 {
			out[i] = promo.Adjustment{Off: off, Key: "x.share"}
		}
	}
	return out, nil
}

func TestWithoutRulesEverythingCostsItsFullPrice(t *testing.T) {
	got, err := promo.New(clock.System()).Price(context.Background(), []promo.Line{{Quantity: 3, UnitPrice: 95_000}})
	if err != nil || len(got) != 1 || got[0].Total() != 285_000 || got[0].Off() != 0 {
		t.Fatalf("%+v %v", got, err)
	}
}

func TestEveryDongOffIsExplained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := []promo.Line{{Quantity: rapid.IntRange(1, 999).Draw(t, "quantity"), UnitPrice: money.VND(rapid.Int64Range(1, 50_000_000).Draw(t, "price"))}}
		got, err := promo.New(clock.System(), share{rapid.Int64Range(0, 100).Draw(t, "a"), 100}, share{rapid.Int64Range(0, 100).Draw(t, "b"), 100}).
			Price(context.Background(), lines)
		if err != nil {
			t.Fatal(err)
		}
		var off money.VND
		for _, a := range got[0].Adjustments {
			off += a.Off
		}
		if got[0].Total()+off != lines[0].Full() || got[0].Total() < 0 {
			t.Fatalf("%v and %v off are not %v", got[0].Total(), off, lines[0].Full())
		}
	})
}

func TestARuleThatTakesTooMuchIsAFault(t *testing.T) {
	if _, err := promo.New(clock.System(), share{101, 100}).Price(context.Background(), []promo.Line{{Quantity: 1, UnitPrice: 100}}); err == nil {
		t.Fatal("the price went below nothing")
	}
}
