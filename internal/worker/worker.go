// Package worker says which kinds of jobs exist, which domain verb runs each, and which run again and again.
package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/shopper"
)

// Deps are the services whose jobs run here.
type Deps struct {
	Orders   *order.Service
	Shoppers *shopper.Service
	Carts    *cart.Service
	Stock    *inventory.Service
	Money    *reconcile.Service
	Search   *search.Service
	Stars    *certification.Service
	// Redis carries news to open pages; nil carries none.
	Redis *redis.Client
	// Partners are told of what happened; Notify carries the mail that they could not be.
	Partners *partner.Service
	Notify   *notify.Service
}

// Register tells w about every job of the program.
func Register(w *job.Workers, d Deps) {
	job.Handle(w, d.Orders.TellPlaced)
	job.Handle(w, d.Orders.TellOrder)
	job.Handle(w, d.Orders.TellMoneyBack)
	job.Handle(w, d.Orders.ExpireGroup)
	job.Handle(w, d.Money.Match)
	job.Handle(w, d.Shoppers.TellProof)
	job.Handle(w, d.Shoppers.TellContact)
	job.Handle(w, d.Orders.HandleNotice)
	job.Handle(w, d.Orders.CloseCard)
	job.Handle(w, d.Orders.SendRefund)
	job.Handle(w, d.Orders.PassOn)
	job.Handle(w, d.Orders.TakeBack)
	job.Handle(w, d.Orders.TellDispute)
	job.Handle(w, d.announce)

	job.Handle(w, counted("orders expired", func(ctx context.Context, _ order.SweepUnpaidJob) (int, error) { return d.Orders.SweepUnpaid(ctx) }))
	w.Every(time.Minute, order.SweepUnpaidJob{})
	job.Handle(w, counted("card charges and refunds asked about", func(ctx context.Context, _ order.SweepChargesJob) (int, error) { return d.Orders.SweepCharges(ctx) }))
	w.Every(time.Minute, order.SweepChargesJob{})
	job.Handle(w, counted("sellers' shares passed on or taken back late", func(ctx context.Context, _ order.SweepTransfersJob) (int, error) {
		return d.Orders.SweepTransfers(ctx)
	}))
	w.Every(5*time.Minute, order.SweepTransfersJob{})
	job.Handle(w, counted("bank notices matched late", func(ctx context.Context, _ reconcile.SweepJob) (int, error) { return d.Money.Sweep(ctx) }))
	w.Every(time.Minute, reconcile.SweepJob{})
	job.Handle(w, counted("reservations closed", func(ctx context.Context, _ inventory.TidyReservations) (int, error) { return d.Stock.Tidy(ctx) }))
	w.Every(5*time.Minute, inventory.TidyReservations{})
	job.Handle(w, counted("notes of changes forgotten", func(ctx context.Context, _ search.ForgetChanges) (int, error) { return d.Search.Forget(ctx) }))
	w.Every(10*time.Minute, search.ForgetChanges{})
	job.Handle(w, counted("proofs forgotten", func(ctx context.Context, _ shopper.SweepProofs) (int, error) { return d.Shoppers.SweepOld(ctx) }))
	w.Every(24*time.Hour, shopper.SweepProofs{})
	job.Handle(w, counted("purchases anonymised", func(ctx context.Context, _ shopper.SweepLeftJob) (int, error) { return d.Shoppers.SweepLeft(ctx) }))
	w.Every(24*time.Hour, shopper.SweepLeftJob{})
	job.Handle(w, counted("baskets forgotten", func(ctx context.Context, _ cart.Sweep) (int, error) { return d.Carts.SweepOld(ctx) }))
	w.Every(24*time.Hour, cart.Sweep{})

	job.Handle(w, func(ctx context.Context, j partner.DeliverJob) error {
		_, err := d.Partners.Deliver(ctx, j)
		return err
	})
	w.Every(5*time.Second, partner.DeliverJob{})
	job.Handle(w, counted("webhook events removed", func(ctx context.Context, _ partner.SweepJob) (int, error) { return d.Partners.Sweep(ctx) }))
	w.Every(time.Hour, partner.SweepJob{})
	job.Handle(w, d.tellPaused)
	job.Handle(w, func(ctx context.Context, j inventory.TellStock) error {
		_, err := d.Stock.TellStock(ctx, j)
		return err
	})
	w.Every(3*time.Second, inventory.TellStock{})
	job.Handle(w, counted("certificates told to partners", d.Stars.TellLapsed))
	w.Every(5*time.Minute, certification.TellLapsed{})
	job.Handle(w, d.warnEnding)
	w.Every(10*time.Minute, certification.WarnEnding{})
}

// tellPaused mails a partner that nothing more is sent to an endpoint.
func (d Deps) tellPaused(ctx context.Context, j partner.TellPaused) error {
	n, ok, err := d.Partners.PauseNotice(ctx, j)
	if err != nil || !ok {
		return err
	}
	return d.Notify.Send(ctx, notify.Mail{RequestKey: fmt.Sprintf("webhook-paused-%s-%d", j.Endpoint, j.At.Unix()), Kind: "webhook_paused", To: n.Partner.Email,
		Locale: n.Partner.Locale, SubjectArgs: map[string]any{"host": n.Endpoint.Host()}, Data: n})
}

// warnEnding mails the people of producers whose stars end soon. What could not be sent is tried again.
func (d Deps) warnEnding(ctx context.Context, _ certification.WarnEnding) error {
	found, err := d.Stars.Warnings(ctx)
	if err != nil {
		return err
	}
	var faults []error
	failed := map[int64]bool{} // a certificate may name goods of several producers
	for _, w := range found {
		for _, r := range w.To {
			if err := d.Notify.Send(ctx, notify.Mail{RequestKey: w.Key(r), Kind: "stars_ending", To: r.Email, Locale: r.Locale,
				SubjectArgs: map[string]any{"n": w.Days, "goods": w.Goods}, Data: w}); err != nil {
				faults, failed[w.CertificateID] = append(faults, err), true
			}
		}
	}
	for _, w := range found {
		if !failed[w.CertificateID] {
			faults = append(faults, d.Stars.Warned(ctx, w))
		}
	}
	return errors.Join(faults...)
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

// announce tells the pages that look at a purchase. Without Redis they look by themselves.
func (d Deps) announce(ctx context.Context, a order.Announce) error {
	if d.Redis == nil {
		return nil
	}
	if err := d.Redis.Publish(ctx, order.NewsTopic, strconv.FormatInt(a.GroupID, 10)); err != nil {
		slog.DebugContext(ctx, "not announced", "error", err)
	}
	return nil
}
