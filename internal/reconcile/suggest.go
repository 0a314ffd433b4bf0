package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
)

// Suggestion is an order that money may be for: a person decides, nothing is applied by itself.
type Suggestion struct {
	payment.Payment
	Exact bool // the amount fits
	Near  bool // the memo holds something like the code
}

const (
	suggestBack = 45 * 24 * time.Hour // how old an order may be
	suggestFrom = 300                 // how many orders of the account are looked at
	suggestMost = 5
	nearEnough  = 2 // signs of a code that may differ
)

// suggest finds orders to be paid into the account of a notice whose amount or code is like it, the likeliest first.
func (s *Service) suggest(ctx context.Context, m Money, within AccountScope) ([]Suggestion, error) {
	all, err := s.Payments.Unpaid(ctx, s.DB.Primary(ctx), m.AccountNo, m.BankBIN, m.At.Add(-suggestBack), suggestFrom)
	if err != nil {
		return nil, fmt.Errorf("reconcile: suggest: %w", err)
	}
	var out []Suggestion
	for _, p := range all {
		g := Suggestion{Payment: p, Exact: p.Amount == m.Amount, Near: nearness(m.Memo, p.Reference) <= nearEnough}
		if off := max(p.Amount-m.Amount, m.Amount-p.Amount); within.Holds(p.Account) && (g.Exact || g.Near || off <= m.Amount/10) {
			out = append(out, g)
		}
	}
	rank := func(g Suggestion) int {
		switch {
		case g.Near && g.Exact:
			return 0
		case g.Near:
			return 1
		case g.Exact:
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(a, b Suggestion) int { return cmp.Compare(rank(a), rank(b)) })
	return out[:min(len(out), suggestMost)], nil
}

// nearness counts the signs in which the best place of a memo differs from a code; it only orders suggestions.
func nearness(said, code string) int {
	text, want := ident.Normalise(i18n.Plain(said)), ident.Normalise(code)
	best := len(want)
	for i := range len(text) {
		// One sign more or less than the code: what was lost or doubled shifts the rest.
		for _, n := range []int{len(want), len(want) - 1, len(want) + 1} {
			if n > 0 && i+n <= len(text) {
				best = min(best, edits(text[i:i+n], want))
			}
		}
	}
	return best
}

// edits is the number of signs to change, add or take away to make b of a.
func edits(a, b string) int {
	line := make([]int, len(b)+1)
	for j := range line {
		line[j] = j
	}
	for i := range len(a) {
		corner := line[0]
		line[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = line[j+1]
			line[j+1] = min(cost, line[j]+1, corner+1)
		}
	}
	return line[len(b)]
}
