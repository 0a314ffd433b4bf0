package order

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// Who acted, as the history says it; any other actor is a person of the staff and stays unnamed to the buyer.
const (
	actorBuyer  = "buyer"
	actorSystem = "system"
)

// Reasons that the program itself gives; they are text keys.
const (
	reasonUnpaid    = "order.reason.unpaid"
	reasonRefundDue = "order.reason.refund_due"
	reasonReturned  = "order.reason.returned"
)

// advance is the only place that changes a state: the caller holds the lock of the row; it checks the table and writes
// the state with its history.
func (s *Service) advance(ctx context.Context, tx db.Tx, o orderRow, to State, actor, reason string) error {
	from := State(o.State)
	if !allowed(from, to) {
		return wrongState(o)
	}
	now := s.Clock.Now()
	if err := setState(ctx, tx, o.ID, to, now); err != nil {
		return err
	}
	if err := insertHistory(ctx, tx, historyRow{OrderID: o.ID, FromState: string(from), ToState: string(to), Actor: actor, Reason: reason, At: now}); err != nil {
		return err
	}
	if err := s.Jobs.Enqueue(ctx, tx, Announce{o.GroupID}); err != nil {
		return err
	}
	return s.tellPartner(ctx, tx, o, to, kinds[to])
}

// within runs fn with the order locked; an unknown code is NotFound order.unknown.
func (s *Service) within(ctx context.Context, verb, code string, fn func(tx db.Tx, o orderRow) error) error {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		o, ok, err := lockOrder(ctx, tx, "code = ?", canonical(code))
		if err != nil {
			return err
		}
		if !ok {
			return unknown()
		}
		return fn(tx, o)
	})
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("order: %s: %w", verb, err)
}

func wrongState(o orderRow) error {
	return apperr.New(apperr.Conflict, "order.wrong_state", "code", o.Code, "state", o.State)
}

func unknown() error { return apperr.New(apperr.NotFound, "order.unknown") }

// Cancel is the buyer's: until the order is packed it gives the stock back and calls off the payment. Money that was
// paid already stays recorded as paid, and the history says that the seller owes it back. Cancelling twice does it once.
// Conflict order.too_late once it is packed; a wrong secret, or an order of another purchase, is NotFound.
func (s *Service) Cancel(ctx context.Context, code, secret, orderCode, reason string) error {
	g, err := s.open(ctx, code, secret)
	if err != nil {
		return err
	}
	reason = strings.TrimSpace(i18n.NFC(strings.ReplaceAll(reason, "\r\n", "\n")))
	if e := checkText("reason", reason, maxReason, false, true); e != nil {
		return e
	}
	return s.within(ctx, "cancel", orderCode, func(tx db.Tx, o orderRow) error {
		switch State(o.State) {
		case Cancelled, Expired:
			if o.GroupID == g.ID {
				return nil
			}
		case AwaitingPayment, Placed:
		default:
			if o.GroupID == g.ID {
				return apperr.New(apperr.Conflict, "order.too_late")
			}
		}
		if o.GroupID != g.ID {
			return unknown()
		}
		return s.callOff(ctx, tx, o, reason)
	})
}

func (s *Service) callOff(ctx context.Context, tx db.Tx, o orderRow, reason string) error {
	if err := s.advance(ctx, tx, o, Cancelled, actorBuyer, reason); err != nil {
		return err
	}
	if err := s.Stock.Release(ctx, tx, o.ID); err != nil {
		return err
	}
	if err := s.Payments.Cancel(ctx, tx, o.PaymentID, actorBuyer, ""); err != nil {
		return err
	}
	p, err := s.payment(ctx, tx, o)
	if err != nil {
		return err
	}
	switch {
	case p.State.Captured():
		err = s.owe(ctx, tx, o, Cancelled)
	case p.ChargeID != 0: // the page may still be open on the buyer's screen
		err = s.Jobs.Enqueue(ctx, tx, CloseCard{p.ChargeID})
	}
	if err != nil {
		return err
	}
	return s.Jobs.Enqueue(ctx, tx, TellOrder{OrderID: o.ID, Event: "cancelled"})
}

func (s *Service) paid(ctx context.Context, tx db.Tx, o orderRow) (bool, error) {
	p, err := s.payment(ctx, tx, o)
	return p.State == payment.Paid, err
}

// ConfirmTransfer records by hand that a VietQR transfer arrived, with a reason such as the bank's reference. The order
// becomes placed and keeps its stock. When the money came after the time was over the stock is promised anew, if it is
// still there. Money for an order that was cancelled, or that is over and whose stock is gone, is recorded as well: the
// order stays off, its history says that the seller must send the money back, and so does [Service.RefundDue].
// Confirming twice does it once. Conflict order.not_a_transfer; Invalid order.reason.required.
func (s *Service) ConfirmTransfer(ctx context.Context, orderCode, actor, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" || utf8.RuneCountInString(reason) > maxReason {
		return apperr.Field("reason", "order.reason.required", "max", maxReason)
	}
	return s.within(ctx, "confirm transfer", orderCode, func(tx db.Tx, o orderRow) error {
		all, err := s.Payments.ByIDs(ctx, tx.DB, []int64{o.PaymentID})
		if err != nil {
			return err
		}
		p := all[o.PaymentID]
		if p.Method != payment.VietQR {
			return apperr.New(apperr.Conflict, "order.not_a_transfer")
		}
		if p.State == payment.Paid {
			return nil
		}
		_, err = s.receive(ctx, tx, o, actor, reason)
		return err
	})
}

// receive records that the whole money for an order has come, on a person's or a provider's word, and returns the state in
// which the order is then. The caller holds its lock and knows that it is not paid yet.
func (s *Service) receive(ctx context.Context, tx db.Tx, o orderRow, actor, reason string) (State, error) {
	became, err := s.revive(ctx, tx, o, actor, reason)
	if err != nil {
		return became, err
	}
	if err := s.Payments.Settle(ctx, tx, o.PaymentID, actor, reason); err != nil {
		return became, err
	}
	event, action := "paid", "order.confirm_transfer"
	if actor == actorCard {
		action = "order.card_paid"
	}
	if became != Placed {
		event = "refund_due"
		if err := s.owe(ctx, tx, o, became); err != nil {
			return became, err
		}
	}
	err = audit.Record(ctx, tx, audit.Entry{Actor: actor, Action: action, Subject: "order", SubjectID: o.Code,
		Detail: map[string]any{"from": o.State, "to": became, "amount": o.Total, "payment": o.PaymentID, "reason": reason}})
	if err != nil {
		return became, err
	}
	return became, s.Jobs.Enqueue(ctx, tx, TellOrder{OrderID: o.ID, Event: event})
}

// Due is what whoever takes money needs to know of an order.
type Due struct {
	ID, GroupID int64
	Code        string
	State       State
	Total       money.VND
	PaymentID   int64
	Paid        bool // as of the lock; see [Service.WithDue]
}

func (o orderRow) due() Due {
	return Due{ID: o.ID, GroupID: o.GroupID, Code: o.Code, State: State(o.State), Total: money.VND(o.Total), PaymentID: o.PaymentID}
}

// WithDue runs fn in a transaction with the order locked. An unknown code is NotFound order.unknown.
func (s *Service) WithDue(ctx context.Context, code string, fn func(tx db.Tx, d Due) error) error {
	return s.within(ctx, "take money", code, func(tx db.Tx, o orderRow) error {
		paid, err := s.paid(ctx, tx, o)
		if err != nil {
			return err
		}
		d := o.due()
		d.Paid = paid
		return fn(tx, d)
	})
}

// Receive is [Service.ConfirmTransfer] within [Service.WithDue], for an order that is not paid yet. It returns the state
// of the order then: other than Placed means that the money is recorded and owed back.
func (s *Service) Receive(ctx context.Context, tx db.Tx, d Due, actor, reason string) (State, error) {
	o, ok, err := lockOrder(ctx, tx, "id = ?", d.ID)
	if err != nil {
		return d.State, err
	}
	if !ok {
		return d.State, unknown()
	}
	return s.receive(ctx, tx, o, actor, reason)
}

// revive makes an order placed whose money has come, if its stock is still there, and returns the state it is in then.
func (s *Service) revive(ctx context.Context, tx db.Tx, o orderRow, actor, reason string) (State, error) {
	is := State(o.State)
	if is == Cancelled {
		return is, nil
	}
	if !allowed(is, Placed) {
		return is, wrongState(o)
	}
	err := s.Stock.Keep(ctx, tx, o.ID)
	if err == nil {
		return Placed, s.advance(ctx, tx, o, Placed, actor, reason)
	}
	if l, ok := apperr.As(err); !ok || l.Kind() != apperr.Conflict {
		return is, err
	}
	if is == AwaitingPayment { // its time is over and others have its stock; the job has not said so yet
		return Expired, s.lapse(ctx, tx, o)
	}
	return Expired, nil
}

// RefundDue reports whether money for an order that is off is not yet on its way back. NotFound order.unknown.
func (s *Service) RefundDue(ctx context.Context, orderCode string) (due bool, err error) {
	err = s.within(ctx, "refund due", orderCode, func(tx db.Tx, o orderRow) error {
		p, err := s.payment(ctx, tx, o)
		if err != nil {
			return err
		}
		all, err := s.Payments.Refunds(ctx, tx.DB, []int64{o.PaymentID})
		v := OrderView{Refunds: all[o.PaymentID]}
		due = State(o.State).off() && p.Captured > v.Refunded()
		return err
	})
	return due, err
}

// MarkPacked says that the seller has packed the goods: from here the buyer can no longer cancel.
func (s *Service) MarkPacked(ctx context.Context, orderCode, actor string) error {
	return s.step(ctx, orderCode, Packed, actor, func(db.Tx, orderRow) error { return nil })
}

// MarkShipped says that the goods have left: they go out of the stock's ledger.
func (s *Service) MarkShipped(ctx context.Context, orderCode, actor string) error {
	return s.step(ctx, orderCode, Shipped, actor, func(tx db.Tx, o orderRow) error {
		if err := s.Stock.Sell(ctx, tx, o.ID, actor); err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, TellOrder{OrderID: o.ID, Event: "shipped"})
	})
}

// MarkDelivered says that the buyer has the goods.
func (s *Service) MarkDelivered(ctx context.Context, orderCode, actor string) error {
	return s.step(ctx, orderCode, Delivered, actor, func(db.Tx, orderRow) error { return nil })
}

// step advances by one state and does what belongs to it; repeated, it changes nothing.
func (s *Service) step(ctx context.Context, code string, to State, actor string, then func(db.Tx, orderRow) error) error {
	return s.within(ctx, "mark "+string(to), code, func(tx db.Tx, o orderRow) error {
		if State(o.State) == to {
			return nil
		}
		if err := s.advance(ctx, tx, o, to, actor, ""); err != nil {
			return err
		}
		return then(tx, o)
	})
}

// Expire ends an order that was not paid in time: its stock is free again and its code no longer valid. It never
// touches an order that was paid, whose time is not over, or that has ended otherwise. The page of a card order is closed
// first: money that came on it is settled instead, and while the provider does not answer the order stays.
func (s *Service) Expire(ctx context.Context, orderID int64) error {
	charge, err := chargeOfOrder(ctx, s.DB.Primary(ctx), orderID, s.Clock.Now())
	for range 4 {
		var page payment.Charge
		var st payment.Standing
		over := true
		if err == nil && charge != 0 {
			page, st, over, err = s.shut(ctx, charge)
		}
		if err == nil && over {
			err = s.DB.InTx(ctx, func(tx db.Tx) error { return s.expire(ctx, tx, orderID, page, st) })
		}
		if !errors.Is(err, errMovedPage) {
			break
		}
		err = nil
	}
	if err != nil {
		return fmt.Errorf("order: expire: %w", err)
	}
	return nil
}

// expire ends an order if it is still unpaid, and if the page is still the one that was closed.
func (s *Service) expire(ctx context.Context, tx db.Tx, orderID int64, page payment.Charge, st payment.Standing) error {
	o, ok, err := lockOrder(ctx, tx, "id = ?", orderID)
	if err != nil || !ok || State(o.State) != AwaitingPayment || o.PayBefore == nil || s.Clock.Now().Before(*o.PayBefore) {
		return err
	}
	if page.ID != 0 {
		c, err := s.Payments.LockCharge(ctx, tx, page.ID)
		if err != nil {
			return err
		}
		if c.PageRef != page.PageRef {
			return errMovedPage
		}
	}
	if err := s.lapse(ctx, tx, o); err != nil {
		return err
	}
	if err := s.Payments.Expire(ctx, tx, o.PaymentID, actorSystem); err != nil {
		return err
	}
	if page.ID != 0 {
		c, err := s.Payments.LockCharge(ctx, tx, page.ID)
		if err == nil {
			err = s.Payments.RestCharge(ctx, tx, c, st)
		}
		if err != nil {
			return err
		}
	}
	return s.Jobs.Enqueue(ctx, tx, TellOrder{OrderID: o.ID, Event: "expired"})
}

// lapse ends an order whose time to pay is over and frees its stock.
func (s *Service) lapse(ctx context.Context, tx db.Tx, o orderRow) error {
	if err := s.advance(ctx, tx, o, Expired, actorSystem, reasonUnpaid); err != nil {
		return err
	}
	return s.Stock.Release(ctx, tx, o.ID)
}

// sweepSize is how many orders one run of the sweep ends; the next run goes on.
const sweepSize = 200

// SweepUnpaid ends the orders whose time to pay is over, and returns how many. It heals what a lost job left.
func (s *Service) SweepUnpaid(ctx context.Context) (int, error) { return s.expireDue(ctx, 0) }

func (s *Service) expireDue(ctx context.Context, groupID int64) (int, error) {
	ids, err := due(ctx, s.DB.Primary(ctx), groupID, s.Clock.Now(), sweepSize)
	if err != nil {
		return 0, fmt.Errorf("order: due: %w", err)
	}
	var faults []error // one order in trouble must not keep the others from ending
	for _, id := range ids {
		faults = append(faults, s.Expire(ctx, id))
	}
	return len(ids), errors.Join(faults...)
}
