package app

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/shopper"
)

// Finding is one invariant and how many records break it now.
type Finding struct {
	Name       string
	Violations int64
}

// Examine checks on live data what must always be true; each domain states its own invariants.
func (a *App) Examine(ctx context.Context) ([]Finding, error) {
	type check struct{ Name, SQL string }
	var checks []check
	for _, c := range inventory.Checks() {
		checks = append(checks, check(c))
	}
	for _, c := range payment.Checks() {
		checks = append(checks, check(c))
	}
	for _, c := range reconcile.Checks() {
		checks = append(checks, check(c))
	}
	for _, c := range order.Checks() {
		checks = append(checks, check(c))
	}
	for _, c := range shopper.Checks() {
		checks = append(checks, check(c))
	}
	out := make([]Finding, 0, len(checks))
	for _, c := range checks {
		n, err := a.DB.Count(ctx, c.SQL)
		if err != nil {
			return nil, fmt.Errorf("app: doctor: %s: %w", c.Name, err)
		}
		out = append(out, Finding{c.Name, n})
	}
	return out, nil
}
