package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// Person is who decides, and why. AccountID is nil at the terminal.
type Person struct {
	Actor     string
	AccountID *int64
	Reason    string
}

// Bounds of what a person types.
const (
	MaxReason  = 500
	maxBankRef = 100
)

func (p *Person) check(required bool) error {
	p.Reason = strings.TrimSpace(p.Reason)
	if n := utf8.RuneCountInString(p.Reason); n > MaxReason || required && n == 0 {
		return apperr.Field("reason", "order.reason.required", "max", MaxReason)
	}
	return nil
}

// told keeps errors for people as they are and says where others come from.
func told(where string, err error) error {
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

// Assign says which order money is for, and settles it. What does not fit is refused unless anyway is set: an amount that
// is less (the seller takes it for the whole) or more (the rest must be sent back, so the money stays on the list), an
// account other than the order's, an order that was confirmed by hand already (the money is put to it and settles
// nothing again).
//
// Invalid order.reason.required, money.order_unknown. Conflict money.decided, order.not_a_transfer, money.order_paid (by other
// money), money.differs_less, money.differs_more, money.differs_account, money.differs_paid. NotFound money.unknown.
func (s *Service) Assign(ctx context.Context, within AccountScope, id int64, code string, p Person, anyway bool) error {
	if err := p.check(true); err != nil {
		return err
	}
	err := s.Orders.WithDue(ctx, code, func(tx db.Tx, o order.Due) error {
		m, err := s.lock(ctx, tx, id, within)
		if err != nil {
			return err
		}
		if !m.Assignable() {
			return apperr.New(apperr.Conflict, "money.decided")
		}
		all, err := s.Payments.ByIDs(ctx, tx.DB, []int64{o.PaymentID})
		if err != nil {
			return err
		}
		if err := s.fits(ctx, tx, m, o, all[o.PaymentID], within, anyway); err != nil {
			return err
		}
		return s.assign(ctx, tx, m, o, p)
	})
	if l, ok := apperr.As(err); ok && l[0].Key == "order.unknown" {
		return apperr.Field("code", "money.order_unknown")
	}
	return told("reconcile: assign", err)
}

// fits refuses what is wrong, and what a person must say twice. Orders outside the scope are not found.
func (s *Service) fits(ctx context.Context, tx db.Tx, m Money, o order.Due, pay payment.Payment, within AccountScope, anyway bool) error {
	differs := func(key string, args ...any) error {
		if anyway {
			return nil
		}
		return apperr.New(apperr.Conflict, key, args...).At("anyway")
	}
	switch {
	case pay.Method != payment.VietQR && within.All:
		return apperr.New(apperr.Conflict, "order.not_a_transfer").At("code")
	case pay.Method != payment.VietQR || !within.Holds(pay.Account):
		return apperr.Field("code", "money.order_unknown")
	}
	if o.Paid {
		by, err := settledBy(ctx, tx, o.PaymentID)
		if err != nil {
			return err
		}
		if by != 0 {
			return apperr.New(apperr.Conflict, "money.order_paid", "code", o.Code).At("code")
		}
		if err := differs("money.differs_paid", "code", o.Code); err != nil {
			return err
		}
	}
	if !(candidate{o, pay}).paysInto(m.Notice) {
		if err := differs("money.differs_account", "code", o.Code, "account", pay.Account.AccountNo); err != nil {
			return err
		}
	}
	switch {
	case m.Amount < o.Total:
		return differs("money.differs_less", "total", o.Total, "diff", o.Total-m.Amount)
	case m.Amount > o.Total:
		return differs("money.differs_more", "total", o.Total, "diff", m.Amount-o.Total)
	}
	return nil
}

func (s *Service) assign(ctx context.Context, tx db.Tx, m Money, o order.Due, p Person) error {
	became := o.State
	if !o.Paid {
		var err error
		if became, err = s.Orders.Receive(ctx, tx, o, p.Actor, m.TransactionID); err != nil {
			return err
		}
	}
	d := Decision{State: Assigned, Reason: m.Reason, Reference: o.Code, PaymentID: o.PaymentID, Actor: p.Actor, Note: p.Reason}
	back := Reason("") // why some of it must go back
	switch {
	case became == order.Cancelled || became == order.Expired:
		back = offReason(became)
	case m.Amount > o.Total:
		back = Over
	}
	if back != "" {
		d.State = Unmatched
		if m.Reason != OtherContent {
			d.Reason = back
		}
	}
	if err := s.decide(ctx, tx, m, d); err != nil {
		return err
	}
	return s.trace(ctx, tx, m, p, "money.assign", map[string]any{"order": o.Code, "total": o.Total, "payment": o.PaymentID})
}

// GiveBack records that money, or what was too much of it, was sent back: bankRef is the reference of that transfer. What
// an order that is off owed its buyer counts as sent with it; that is said first, so that repeating it after a crash heals.
// Invalid money.bank_ref_required, order.reason.required. Conflict money.decided. NotFound money.unknown.
func (s *Service) GiveBack(ctx context.Context, within AccountScope, id int64, bankRef string, p Person) error {
	if err := p.check(false); err != nil {
		return err
	}
	bankRef = strings.TrimSpace(bankRef)
	if n := utf8.RuneCountInString(bankRef); n == 0 || n > maxBankRef {
		return apperr.Field("bank_ref", "money.bank_ref_required", "max", maxBankRef)
	}
	owed := int64(0)
	var seen Money
	err := s.within(ctx, "give back", id, within, func(_ db.Tx, m Money) error {
		seen = m
		if !m.Returnable() {
			return apperr.New(apperr.Conflict, "money.decided")
		}
		if m.Reason == Late || m.Reason == CalledOff {
			owed = m.PaymentID
		}
		return nil
	})
	if err != nil {
		return err
	}
	if owed != 0 {
		if err := s.Orders.ConfirmOwed(ctx, owed, bankRef, p.Actor); err != nil {
			return told("reconcile: give back", err)
		}
	}
	tell, known, err := s.moneyBack(ctx, seen, bankRef)
	if err != nil {
		return told("reconcile: give back", err)
	}
	return s.within(ctx, "give back", id, within, func(tx db.Tx, m Money) error {
		if err := s.sentBack(ctx, tx, m, bankRef, p); err != nil || !known || m.Reference != seen.Reference {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, tell)
	})
}

// tellable are the reasons of which the buyer of the order that was meant is told when money goes back. What came too late, or
// after the order was cancelled, goes back as a refund, of which the order tells.
var tellable = []Reason{Under, Over, Double, OtherAccount, NotATransfer}

// moneyBack is what the buyer is told of money that goes back, if it is known whose it was.
func (s *Service) moneyBack(ctx context.Context, m Money, bankRef string) (t order.TellMoneyBack, known bool, err error) {
	if m.Reference == "" || !slices.Contains(tellable, m.Reason) {
		return t, false, nil
	}
	due, err := s.Orders.DueByCodes(ctx, []string{m.Reference})
	if err != nil || len(due) == 0 {
		return t, false, err
	}
	t = order.TellMoneyBack{Key: fmt.Sprintf("notice-%d", m.ID), GroupID: due[0].GroupID, Code: due[0].Code, Why: string(m.Reason),
		Came: int64(m.Amount), Asked: int64(due[0].Total), Back: int64(m.Amount), BankRef: bankRef}
	if m.PaymentID != 0 { // the order took its part
		t.Back = int64(m.Amount - due[0].Total)
	}
	return t, t.Back > 0, nil
}

// PaidOut is [order.Service.PaidOut], for refunds within a scope. Where the refund gives back, whole, money that came for an
// order that was off, that money still stands on the list of unmatched money: it leaves the list with it, so that nobody sends it
// a second time. The refund is said first, so that repeating it after a crash heals.
func (s *Service) PaidOut(ctx context.Context, in order.Scope, refundID int64, bankRef string, p Person) error {
	r, err := s.Orders.PaidOut(ctx, in, refundID, bankRef, order.Decider(p))
	if err != nil {
		return told("reconcile: paid out", err)
	}
	id, err := waitsFor(ctx, s.DB.Primary(ctx), r.PaymentID, r.Amount)
	if err != nil {
		return fmt.Errorf("reconcile: paid out: %w", err)
	}
	if id == 0 {
		return nil
	}
	err = s.within(ctx, "paid out", id, Everywhere, func(tx db.Tx, m Money) error { return s.sentBack(ctx, tx, m, bankRef, p) })
	if l, ok := apperr.As(err); ok && l[0].Key == "money.decided" {
		return nil // somebody said so at the same moment
	}
	return err
}

// sentBack records that a locked notice's money went back.
func (s *Service) sentBack(ctx context.Context, tx db.Tx, m Money, bankRef string, p Person) error {
	if !m.Returnable() {
		return apperr.New(apperr.Conflict, "money.decided")
	}
	d := Decision{State: Returned, Reason: m.Reason, Reference: m.Reference, PaymentID: m.PaymentID, Actor: p.Actor, Note: p.Reason, BankRef: bankRef}
	if err := s.decide(ctx, tx, m, d); err != nil {
		return err
	}
	return s.trace(ctx, tx, m, p, "money.give_back", map[string]any{"bank_ref": bankRef})
}

// Dismiss says that money is none of this market's. Invalid order.reason.required. Conflict money.decided. NotFound money.unknown.
func (s *Service) Dismiss(ctx context.Context, within AccountScope, id int64, p Person) error {
	if err := p.check(true); err != nil {
		return err
	}
	return s.within(ctx, "dismiss", id, within, func(tx db.Tx, m Money) error {
		if !m.Dismissable() {
			return apperr.New(apperr.Conflict, "money.decided")
		}
		d := Decision{State: Dismissed, Reason: m.Reason, Reference: m.Reference, Actor: p.Actor, Note: p.Reason}
		if err := s.decide(ctx, tx, m, d); err != nil {
			return err
		}
		return s.trace(ctx, tx, m, p, "money.dismiss", nil)
	})
}

// trace writes a person's decision into the audit. Words typed by people may hold names and stay with the notice.
func (s *Service) trace(ctx context.Context, tx db.Tx, m Money, p Person, action string, detail map[string]any) error {
	if detail == nil {
		detail = map[string]any{}
	}
	detail["amount"], detail["transaction"], detail["was"] = m.Amount, m.TransactionID, m.Reason
	return audit.Record(ctx, tx, audit.Entry{AccountID: p.AccountID, Actor: p.Actor, Action: action, Subject: "bank_notice",
		SubjectID: strconv.FormatInt(m.ID, 10), Detail: detail})
}
