// Package worker says which kinds of jobs exist, which domain verb runs each, and which run again and again.
package worker

import (
	"context"
	"log/slog"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/job"
)

// Deps are the services whose jobs run here.
type Deps struct {
	Orders *order.Service
	Carts  *cart.Service
	Stock  *inventory.Service
}

// Register tells w about every job of the program.
func Register(w *job.Workers, d Deps) {
	job.Handle(w, d.Orders.TellPlaced)
	job.Handle(w, d.Orders.TellOrder)
	job.Handle(w, d.Orders.ExpireGroup)

	job.Handle(w, counted("orders expired", func(ctx context.Context, _ order.SweepUnpaidJob) (int, error) { return d.Orders.SweepUnpaid(ctx) }))
	w.Every(time.Minute, order.SweepUnpaidJob{})
	job.Handle(w, counted("reservations closed", func(ctx context.Context, _ inventory.TidyReservations) (int, error) { return d.Stock.Tidy(ctx) }))
	w.Every(5*time.Minute, inventory.TidyReservations{})
	job.Handle(w, counted("baskets forgotten", func(ctx context.Context, _ cart.Sweep) (int, error) { return d.Carts.SweepOld(ctx) }))
	w.Every(24*time.Hour, cart.Sweep{})
}

// counted logs how much a sweep did, when it did anything.
func counted[T job.Args](what string, fn func(context.Context, T) (int, error)) func(context.Context, T) error {
	return func(ctx context.Context, args T) error {
		n, err := fn(ctx, args)
		if n > 0 {
			slog.InfoContext(ctx, what, "n", n)
		}
		return err
	}
}
