// Package money counts whole đồng. Vietnam's money has no minor unit, so an amount is an
// integer everywhere, and dividing it is done here once, exactly, never in floating point.
package money

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"choocop.vn/ocop/internal/platform/apperr"
)

// VND is an amount in whole đồng.
type VND int64

// Max is the largest amount Parse accepts: a quadrillion đồng is a typing error.
const Max VND = 999_999_999_999_999

// String prints the way Vietnam writes it: 1.234.567 ₫, with a no-break space before the sign.
func (v VND) String() string { return v.Digits() + "\u00a0₫" }

// Digits prints the amount grouped by dots without the currency sign.
func (v VND) Digits() string {
	neg, u := v.abs()
	s := strconv.FormatUint(u, 10)
	var b strings.Builder
	if neg {
		b.WriteByte('-')
	}
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (v VND) abs() (neg bool, u uint64) {
	if v < 0 {
		return true, -uint64(v)
	}
	return false, uint64(v)
}

func signed(neg bool, u uint64) VND {
	if neg {
		return VND(-u)
	}
	return VND(u)
}

// Portion is v·num/den rounded half away from zero, for rates and percentages. It panics
// when den is not positive or num is negative: rates are checked where they are entered.
func (v VND) Portion(num, den int64) VND {
	if den <= 0 || num < 0 {
		panic("money: portion needs num >= 0 and den > 0")
	}
	neg, u := v.abs()
	hi, lo := bits.Mul64(u, uint64(num))
	q, r := bits.Div64(hi, lo, uint64(den))
	if r >= uint64(den)-r {
		q++
	}
	return signed(neg, q)
}

// Split divides total by the weights with the largest-remainder method. The parts sum to
// total exactly, each is within one đồng of its exact share, a heavier weight never gets
// less, and ties go to the earlier place. A weight of zero or less gets nothing, unless no
// weight counts: then all are equal. Without weights there is nobody to give to: nil.
func Split(total VND, weights []int64) []VND {
	if len(weights) == 0 {
		return nil
	}
	ws, sum := positive(weights)
	neg, t := total.abs()
	parts := make([]VND, len(ws))
	rem := make([]uint64, len(ws))
	left := t
	for i, w := range ws {
		hi, lo := bits.Mul64(t, w)
		q, r := bits.Div64(hi, lo, sum)
		parts[i], rem[i] = signed(neg, q), r
		left -= q
	}
	order := make([]int, len(ws))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rem[b], rem[a]) })
	for _, i := range order[:left] {
		parts[i] += signed(neg, 1)
	}
	return parts
}

func positive(weights []int64) (ws []uint64, sum uint64) {
	ws = make([]uint64, len(weights))
	for i, w := range weights {
		if w <= 0 {
			continue
		}
		ws[i] = uint64(w)
		var carry uint64
		if sum, carry = bits.Add64(sum, ws[i], 0); carry != 0 {
			panic("money: weights exceed 64 bits")
		}
	}
	if sum == 0 {
		for i := range ws {
			ws[i] = 1
		}
		sum = uint64(len(ws))
	}
	return ws, sum
}

// Sum adds amounts.
func Sum(vs ...VND) VND {
	var t VND
	for _, v := range vs {
		t += v
	}
	return t
}

// Parse reads what people type: 250000, 250.000, 250,000, 250 000, with or without ₫, đ,
// VND or "đồng", also negative. A separator must stand before every group of three digits,
// so that 1.5 is refused and not read as fifteen. Errors: money.empty, money.invalid,
// money.too_large.
func Parse(s string) (VND, error) {
	t := unsigned(s)
	neg := false
	if r, ok := strings.CutPrefix(t, "-"); ok {
		neg, t = true, strings.TrimSpace(r)
	}
	if t == "" {
		return 0, apperr.New(apperr.Invalid, "money.empty")
	}
	digits, ok := ungroup(t)
	if !ok {
		return 0, apperr.New(apperr.Invalid, "money.invalid")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || VND(n) > Max {
		return 0, apperr.New(apperr.Invalid, "money.too_large")
	}
	if neg {
		n = -n
	}
	return VND(n), nil
}

// unsigned removes the currency sign and evens out the spaces.
func unsigned(s string) string {
	t := strings.ToLower(strings.Join(strings.Fields(s), " "))
	for _, sign := range []string{"đồng", "vnđ", "vnd", "₫", "đ"} {
		if r, ok := strings.CutSuffix(t, sign); ok {
			return strings.TrimSpace(r)
		}
	}
	return t
}

func ungroup(t string) (digits string, ok bool) {
	sep := strings.IndexAny(t, "., ")
	groups := []string{t}
	if sep >= 0 {
		groups = strings.Split(t, t[sep:sep+1])
	}
	for i, g := range groups {
		if g == "" || strings.Trim(g, "0123456789") != "" {
			return "", false
		}
		if i > 0 && len(g) != 3 || i == 0 && len(groups) > 1 && len(g) > 3 {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}
