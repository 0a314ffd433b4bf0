package money

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/apperr"
)

func TestSplitIsExactFairAndMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := VND(rapid.Int64().Draw(t, "total"))
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<58), 1, 30).Draw(t, "weights")
		parts := Split(total, weights)
		if Sum(parts...) != total {
			t.Fatalf("parts %v sum to %d", parts, Sum(parts...))
		}
		ws, sum := positive(weights)
		for i, p := range parts {
			// |p·sum − total·w| < sum means: within one đồng of the exact share.
			exact := new(big.Int).Mul(big.NewInt(int64(total)), new(big.Int).SetUint64(ws[i]))
			diff := new(big.Int).Mul(big.NewInt(int64(p)), new(big.Int).SetUint64(sum))
			if diff.Sub(diff, exact).CmpAbs(new(big.Int).SetUint64(sum)) >= 0 {
				t.Fatalf("part %d = %d is a đồng or more off", i, p)
			}
			if ws[i] == 0 && p != 0 {
				t.Fatalf("weight 0 got %d", p)
			}
			for j, q := range parts {
				if ws[i] > ws[j] && (total >= 0 && p < q || total < 0 && p > q) {
					t.Fatalf("weight %d got %d, lighter %d got %d", ws[i], p, ws[j], q)
				}
			}
		}
	})
}

func TestSplitAtTheEdges(t *testing.T) {
	for _, c := range []struct {
		total   VND
		weights []int64
		want    []VND
	}{
		{100, nil, nil},
		{10, []int64{0, 0, 0}, []VND{4, 3, 3}},
		{10, []int64{1, 1, 1}, []VND{4, 3, 3}},
		{-10, []int64{1, 1, 1}, []VND{-4, -3, -3}},
		{10, []int64{-5, 1}, []VND{0, 10}},
		{0, []int64{3, 4}, []VND{0, 0}},
	} {
		got := Split(c.total, c.weights)
		if len(got) != len(c.want) {
			t.Fatalf("Split(%d, %v) = %v", c.total, c.weights, got)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("Split(%d, %v) = %v, want %v", c.total, c.weights, got, c.want)
			}
		}
	}
}

func TestPortionRoundsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		v        VND
		num, den int64
		want     VND
	}{{100, 8, 100, 8}, {25, 1, 10, 3}, {24, 1, 10, 2}, {-25, 1, 10, -3}, {999_999_999_999_999, 100, 100, 999_999_999_999_999}, {5, 0, 3, 0}} {
		if got := c.v.Portion(c.num, c.den); got != c.want {
			t.Errorf("%d × %d/%d = %d, want %d", c.v, c.num, c.den, got, c.want)
		}
	}
}

func TestParseReadsWhatStringWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := VND(rapid.Int64Range(-int64(Max), int64(Max)).Draw(t, "v"))
		if got, err := Parse(v.String()); err != nil || got != v {
			t.Fatalf("Parse(%q) = %d, %v", v, got, err)
		}
	})
}

func TestParseAcceptsUsualSpellingsOnly(t *testing.T) {
	if got := VND(1234567).String(); got != "1.234.567\u00a0₫" {
		t.Errorf("String: %q", got)
	}
	for in, want := range map[string]VND{
		"250000": 250000, "250.000": 250000, "250,000đ": 250000, " 250 000 ₫ ": 250000, "1.250.000 VNĐ": 1250000,
		"1 đồng": 1, "-5.000": -5000, "0": 0, "250.000 VND": 250000,
	} {
		if got, err := Parse(in); err != nil || got != want {
			t.Errorf("Parse(%q) = %d, %v", in, got, err)
		}
	}
	for in, key := range map[string]string{
		"": "money.empty", "₫": "money.empty", "1.5": "money.invalid", "12.34": "money.invalid", "1.234,567": "money.invalid",
		"abc": "money.invalid", "1..000": "money.invalid", "1234.567": "money.invalid", "--1": "money.invalid", "1e6": "money.invalid",
		"1.000.000.000.000.000": "money.too_large", "99999999999999999999999": "money.too_large",
	} {
		_, err := Parse(in)
		if l, ok := apperr.As(err); !ok || l[0].Key != key {
			t.Errorf("Parse(%q): %v, want %s", in, err, key)
		}
	}
}
