// Package promo is the chain of price rules: an ordered list of rules, each of which may take something off a
// line and must say why. The market opens with an empty chain; a promotion later is a rule added to the list,
// not a change of checkout. It owns no table.
package promo

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// Line is what is being priced: pieces of one variant at the seller's price, tax included.
type Line struct {
	VariantID, ProductID, ProducerID int64
	Quantity                         int
	UnitPrice                        money.VND
}

// Full is the price of the line before any rule.
func (l Line) Full() money.VND { return l.UnitPrice * money.VND(l.Quantity) }

// Adjustment is one rule's effect on one line: Off is taken off and is more than zero; Key and Args explain it to the buyer.
type Adjustment struct {
	Rule string
	Off  money.VND
	Key  string
	Args map[string]any
}

// Priced is a line with what the rules did to it.
type Priced struct {
	Line
	Adjustments []Adjustment
}

// Off is what all rules together take off.
func (p Priced) Off() money.VND {
	var sum money.VND
	for _, a := range p.Adjustments {
		sum += a.Off
	}
	return sum
}

// Total is what the line costs after all rules.
func (p Priced) Total() money.VND { return p.Full() - p.Off() }

// Rule looks at all lines of one purchase, as earlier rules left them, and returns its adjustments by the
// index of their line. A rule only calculates: it changes nothing.
type Rule interface {
	Name() string
	Apply(ctx context.Context, on clock.Date, lines []Priced) (map[int]Adjustment, error)
}

// Service prices lines.
type Service struct {
	clock clock.Clock
	rules []Rule
}

// New returns a chain that applies the rules in the given order; without rules everything costs its full price.
func New(c clock.Clock, rules ...Rule) *Service { return &Service{clock: c, rules: rules} }

// Price runs the chain over the lines of one purchase. A rule that takes off nothing, or more than is left
// of a line, is a fault in that rule and fails the call: nobody is charged a wrong price.
func (s *Service) Price(ctx context.Context, lines []Line) ([]Priced, error) {
	out := make([]Priced, len(lines))
	for i, l := range lines {
		out[i].Line = l
	}
	today := clock.Today(s.clock)
	for _, r := range s.rules {
		found, err := r.Apply(ctx, today, out)
		if err != nil {
			return nil, fmt.Errorf("promo: rule %s: %w", r.Name(), err)
		}
		for i, a := range found {
			if i < 0 || i >= len(out) || a.Off <= 0 || a.Off > out[i].Total() {
				return nil, fmt.Errorf("promo: rule %s takes %d off line %d", r.Name(), a.Off, i)
			}
			a.Rule = r.Name()
			out[i].Adjustments = append(out[i].Adjustments, a)
		}
	}
	return out, nil
}
