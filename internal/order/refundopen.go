package order

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/producer"
)

// Scope bounds whose orders somebody may see: everybody's, or those of some sellers.
type Scope struct {
	All     bool
	Sellers []int64
}

// Everywhere is the scope of the program itself and of administrators.
var Everywhere = Scope{All: true}

// ScopeOf is whose orders an account holds a right for.
func ScopeOf(a account.Account, r account.Right) Scope {
	ids, everywhere := a.Covers(r, account.OfProducer)
	if everywhere {
		return Everywhere
	}
	var out Scope
	for _, id := range ids {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			out.Sellers = append(out.Sellers, n)
		}
	}
	return out
}

// Decider is who decides, and why. AccountID is nil for the program and at the terminal.
type Decider struct {
	Actor     string
	AccountID *int64
	Reason    string
}

func (d *Decider) check(required bool) error {
	d.Reason = strings.TrimSpace(d.Reason)
	if n := utf8.RuneCountInString(d.Reason); n > maxReason || required && n == 0 {
		return apperr.Field("reason", "order.reason.required", "max", maxReason)
	}
	return nil
}

// Wait is why a refund is not over yet.
type Wait string

// What a refund may wait for.
const (
	WaitsForTransfer Wait = "transfer" // somebody must send it by hand
	WaitsForDecision Wait = "refused"  // the provider did not give it back, and a person must decide
	WaitsForProvider Wait = "provider" // the provider has not taken it for an hour; the program goes on asking
)

// Waits lists all of them, in the order in which people should look at them.
func Waits() []Wait { return []Wait{WaitsForDecision, WaitsForTransfer, WaitsForProvider} }

// slowAfter is how long a refund may be due before people are told that the provider does not take it.
const slowAfter = time.Hour

// RefundFilter chooses from the list of refunds, newest first. Over means those that wait for nobody, All all of them; without
// either those that wait. Text is the beginning of an order's code. Before is the id after which to go on.
type RefundFilter struct {
	Over, All bool
	Wait      Wait
	Text      string
	Before    int64
	Limit     int
}

// RefundRow is a refund with what a person needs to judge it.
type RefundRow struct {
	payment.Refund
	Wait      Wait // empty when it waits for nobody
	OrderCode string
	Seller    producer.Producer
	Method    payment.Method
	Contact   Contact // of the buyer; empty after they were anonymised
	Why       string  // what the provider said when it failed
	NextID    int64   // the refund that took its place
}

// Retryable reports whether the provider may be asked once more.
func (r RefundRow) Retryable() bool { return r.Wait == WaitsForDecision }

// Payable reports whether a person may say that it was sent by hand.
func (r RefundRow) Payable() bool { return r.Wait == WaitsForDecision || r.Wait == WaitsForTransfer }

// RefundStep is one step of a refund's past.
type RefundStep struct {
	From, To payment.RefundState
	Actor    string
	Reason   string
	At       time.Time
}

// RefundPageSize is how many refunds a page of the list holds.
const RefundPageSize = 30

// OpenRefunds is a page of the refunds within a scope, in a fixed number of statements. next goes on with
// RefundFilter.Before; 0 means that there is no more.
func (s *Service) OpenRefunds(ctx context.Context, in Scope, f RefundFilter) (rows []RefundRow, next int64, err error) {
	if f.Limit <= 0 {
		f.Limit = RefundPageSize
	}
	limit := f.Limit
	f.Limit++
	if rows, err = s.refundRows(ctx, in, f, 0); err != nil {
		return nil, 0, err
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].ID
	}
	return rows, next, nil
}

// RefundsWaiting is how many refunds within a scope wait for somebody, and since when the first of them has.
func (s *Service) RefundsWaiting(ctx context.Context, in Scope) (n int, since time.Time, err error) {
	n, since, err = refundsWaiting(ctx, s.DB.Primary(ctx), in, s.Clock.Now().Add(-slowAfter))
	if err != nil {
		return 0, since, fmt.Errorf("order: refunds waiting: %w", err)
	}
	return n, since, nil
}

// ShowRefund is one refund within a scope, and its past, oldest first. NotFound order.refund.unknown.
func (s *Service) ShowRefund(ctx context.Context, in Scope, id int64) (RefundRow, []RefundStep, error) {
	rows, err := s.refundRows(ctx, in, RefundFilter{All: true, Limit: 1}, id)
	if err != nil {
		return RefundRow{}, nil, err
	}
	if len(rows) == 0 {
		return RefundRow{}, nil, apperr.New(apperr.NotFound, "order.refund.unknown")
	}
	past, err := refundPast(ctx, s.DB.Primary(ctx), id)
	if err != nil {
		return RefundRow{}, nil, fmt.Errorf("order: refund: %w", err)
	}
	return rows[0], past, nil
}

func (s *Service) refundRows(ctx context.Context, in Scope, f RefundFilter, id int64) ([]RefundRow, error) {
	g := s.DB.Primary(ctx)
	found, err := refundList(ctx, g, in, f, id, s.Clock.Now().Add(-slowAfter))
	if err != nil {
		return nil, fmt.Errorf("order: refunds: %w", err)
	}
	ids := make([]int64, 0, len(found))
	for _, r := range found {
		ids = append(ids, r.ProducerID)
	}
	sellers, err := s.Producers.ByIDs(ctx, g, unique(ids))
	if err != nil {
		return nil, err
	}
	out := make([]RefundRow, len(found))
	for i, r := range found {
		out[i] = r.view(sellers[r.ProducerID])
	}
	return out, nil
}

func decidedRefund() error { return apperr.New(apperr.Conflict, "order.refund.decided") }

// onRefund runs fn on a refund within a scope, its order locked. NotFound order.refund.unknown.
func (s *Service) onRefund(ctx context.Context, verb string, in Scope, id int64, fn func(tx db.Tx, o orderRow, r payment.Refund) error) error {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		o, ok, err := lockRefunded(ctx, tx, in, id)
		if err != nil {
			return err
		}
		if !ok {
			return apperr.New(apperr.NotFound, "order.refund.unknown")
		}
		r, err := s.Payments.RefundByID(ctx, tx.DB, id)
		if err != nil {
			return err
		}
		return fn(tx, o, r)
	})
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("order: %s: %w", verb, err)
}

// PaidOut records that a person has sent a refund by hand, with the bank's reference: one that waits for that, or one that
// the provider did not give back, which then needs a reason. It returns the refund that went by hand. Saying it twice does
// it once. Invalid order.refund.bank_ref, order.reason.required; Conflict order.refund.decided, order.refund.too_much and too_much_shipping (another
// refund gave the same back meanwhile); NotFound order.refund.unknown.
func (s *Service) PaidOut(ctx context.Context, in Scope, id int64, bankRef string, d Decider) (out payment.Refund, err error) {
	if bankRef = strings.TrimSpace(bankRef); bankRef == "" || utf8.RuneCountInString(bankRef) > maxReason {
		return out, apperr.Field("bank_ref", "order.refund.bank_ref", "max", maxReason)
	}
	err = s.onRefund(ctx, "paid out", in, id, func(tx db.Tx, o orderRow, r payment.Refund) error {
		if err := d.check(r.Way == payment.ByProvider); err != nil {
			return err
		}
		if r.Way == payment.ByProvider {
			if r, err = s.replace(ctx, tx, o, r, true, d); err != nil {
				return err
			}
		}
		if r.State != payment.RefundDue && r.BankRef != bankRef {
			return decidedRefund()
		}
		out, err = s.sentByHand(ctx, tx, o, r, bankRef, d)
		return err
	})
	return out, err
}

// RetryRefund asks the provider once more for a refund that it did not give back: another takes its place. Saying it twice
// does it once. Conflict order.refund.decided, order.refund.too_much and too_much_shipping (another refund gave the same back meanwhile);
// NotFound order.refund.unknown.
func (s *Service) RetryRefund(ctx context.Context, in Scope, id int64, d Decider) (out payment.Refund, err error) {
	if err := d.check(false); err != nil {
		return out, err
	}
	err = s.onRefund(ctx, "retry refund", in, id, func(tx db.Tx, o orderRow, r payment.Refund) error {
		if r.Way != payment.ByProvider {
			return decidedRefund()
		}
		out, err = s.replace(ctx, tx, o, r, false, d)
		return err
	})
	return out, err
}

// LeaveRefund says that nothing more is owed for a refund that the provider did not give back, such as when the buyer was
// paid otherwise. Saying it twice does it once. Invalid order.reason.required; Conflict order.refund.decided; NotFound
// order.refund.unknown.
func (s *Service) LeaveRefund(ctx context.Context, in Scope, id int64, d Decider) error {
	if err := d.check(true); err != nil {
		return err
	}
	return s.onRefund(ctx, "leave refund", in, id, func(tx db.Tx, o orderRow, r payment.Refund) error {
		next, err := s.Payments.RefundRetrying(ctx, tx.DB, r.ID)
		if err != nil {
			return err
		}
		if next.ID != 0 || r.Way != payment.ByProvider || r.State != payment.RefundFailed {
			return decidedRefund()
		}
		news, err := s.Payments.LeaveRefund(ctx, tx, r.ID, d.Actor, d.Reason)
		if err != nil || !news {
			return err
		}
		return recordRefund(ctx, tx, "order.leave_refund", o, r, d, nil)
	})
}

// replace makes the refund that takes the place of a failed one, with the same parts, or finds it again.
func (s *Service) replace(ctx context.Context, tx db.Tx, o orderRow, failed payment.Refund, byHand bool, d Decider) (payment.Refund, error) {
	next, err := s.Payments.RefundRetrying(ctx, tx.DB, failed.ID)
	switch {
	case err != nil:
		return next, err
	case next.ID != 0 && (next.Way == payment.ByHand) == byHand:
		return next, nil
	case next.ID != 0 || failed.State != payment.RefundFailed || failed.Left:
		return next, decidedRefund()
	}
	q := RefundOrder{RequestKey: fmt.Sprintf("again-%d", failed.ID), ByHand: byHand, Actor: d.Actor, Reason: failed.Reason, retryOf: failed.ID}
	if d.Reason != "" {
		q.Reason = d.Reason
	}
	if q.Lines, q.Shipping, err = partsAgain(ctx, tx, failed.ID); err != nil {
		return next, err
	}
	if next, err = s.giveBack(ctx, tx, o, q); err != nil {
		if errors.Is(err, apperr.New(apperr.Conflict, "order.refund.nothing")) {
			err = decidedRefund()
		}
		return next, err
	}
	return next, recordRefund(ctx, tx, "order.retry_refund", o, next, d, map[string]any{"failed": failed.ID, "way": next.Way})
}

// sentByHand records that a refund was sent with a bank's reference, and does what follows.
func (s *Service) sentByHand(ctx context.Context, tx db.Tx, o orderRow, r payment.Refund, bankRef string, d Decider) (payment.Refund, error) {
	r, news, err := s.Payments.AdvanceRefund(ctx, tx, r.ID, payment.RefundDone, bankRef, d.Actor, d.Reason)
	if err != nil || !news {
		return r, err
	}
	if err := recordRefund(ctx, tx, "order.confirm_refund", o, r, d, map[string]any{"bank_ref": bankRef}); err != nil {
		return r, err
	}
	return r, s.afterRefund(ctx, tx, o, r)
}

// recordRefund writes a person's decision into the audit. Words typed by people may hold names and stay with the refund.
func recordRefund(ctx context.Context, tx db.Tx, action string, o orderRow, r payment.Refund, d Decider, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["refund"], detail["amount"] = r.ID, r.Amount
	return audit.Record(ctx, tx, audit.Entry{AccountID: d.AccountID, Actor: d.Actor, Action: action, Subject: "order", SubjectID: o.Code, Detail: detail})
}
