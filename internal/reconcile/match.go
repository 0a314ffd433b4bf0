package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// sweepSize is how many notices one run of the sweep looks at; the next run goes on.
const sweepSize = 200

// Take stores what a bank tells and queues its matching, or does neither. Telling the same again changes nothing.
func (s *Service) Take(ctx context.Context, n Notice) (Told, error) {
	var told Told
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		var id int64
		if id, told, err = s.record(ctx, tx, n); err != nil || told != ToldNew {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, Match{id})
	})
	if err != nil {
		return "", fmt.Errorf("reconcile: take money: %w", err)
	}
	if told == ToldOther {
		slog.WarnContext(ctx, "a bank told a transaction again with another content", "source", n.Source, "transaction", n.TransactionID)
	}
	return told, nil
}

// candidate is an order that a memo may mean.
type candidate struct {
	order.Due
	payment payment.Payment
}

// verdict is what a notice means. settle is the order to settle; without one the money waits for a person.
type verdict struct {
	settle    string
	reason    Reason
	reference string
}

// Match finds the order that a notice pays for, and settles it if there is no doubt: one order, its whole code, its
// own account, its exact amount. Where the last letter of the code was cut off, the purchase and the amount must leave
// exactly one order that is still to be paid into that account: a purchase has one order per seller, so this is no guess.
// All other money waits on the list of unmatched money. Partial transfers are not added up. Matching again does nothing.
func (s *Service) Match(ctx context.Context, j Match) error {
	m, _, err := s.byID(ctx, j.NoticeID, Everywhere)
	if err != nil {
		return fmt.Errorf("reconcile: match money: %w", err)
	}
	if m.State != Received {
		return nil
	}
	found, claims := order.Mentions(m.Memo)
	all, err := s.candidates(ctx, found)
	if err != nil {
		return fmt.Errorf("reconcile: match money: %w", err)
	}
	v := judge(m.Notice, found, claims, all)
	if v.settle != "" {
		err = s.settle(ctx, m.ID, v.settle)
	} else {
		err = s.DB.InTx(ctx, func(tx db.Tx) error { return s.leave(ctx, tx, m.ID, v) })
	}
	if err != nil {
		return fmt.Errorf("reconcile: match money: %w", err)
	}
	return nil
}

// candidates are the orders of all purchases that a memo may mention.
func (s *Service) candidates(ctx context.Context, found []order.Mention) ([]candidate, error) {
	groups := make([]string, 0, len(found))
	for _, f := range found {
		groups = append(groups, f.Group)
	}
	g := s.DB.Primary(ctx)
	due, err := s.Orders.DueOf(ctx, groups)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	ids := make([]int64, len(due))
	for i, d := range due {
		ids[i] = d.PaymentID
	}
	payments, err := s.Payments.ByIDs(ctx, g, ids)
	all := make([]candidate, len(due))
	for i, d := range due {
		all[i] = candidate{d, payments[d.PaymentID]}
	}
	return all, err
}

// paysInto reports whether a payment is awaited on the account into which the money came.
func (c candidate) paysInto(n Notice) bool {
	a := c.payment.Account
	return c.payment.Method == payment.VietQR && strings.EqualFold(a.AccountNo, n.AccountNo) && (n.BankBIN == "" || n.BankBIN == a.BankBIN)
}

// judge says which order a notice pays for. It only looks at what it is given.
func judge(n Notice, found []order.Mention, claims bool, all []candidate) verdict {
	var here, named, elsewhere []candidate // paid into this account; of these, by their whole code; whole codes of others
	for _, c := range all {
		whole := slices.ContainsFunc(found, func(f order.Mention) bool { return f.Code == c.Code })
		switch into := c.paysInto(n); {
		case into && whole:
			here, named = append(here, c), append(named, c)
		case into:
			here = append(here, c)
		case whole:
			elsewhere = append(elsewhere, c)
		}
	}
	// A purchase of which a whole code of another account is named is not one of which the letter was lost.
	here = slices.DeleteFunc(here, func(c candidate) bool {
		return len(named) == 0 && slices.ContainsFunc(elsewhere, func(e candidate) bool { return e.GroupID == c.GroupID })
	})
	switch {
	case len(here) == 0 && len(elsewhere) > 0:
		return foreign(elsewhere)
	case len(here) == 0 && len(all) > 0:
		return verdict{reason: OtherAccount, reference: one(all)}
	case len(here) == 0 && claims:
		return verdict{reason: UnknownCode}
	case len(here) == 0:
		return verdict{reason: NoCode}
	case slices.ContainsFunc(here, func(c candidate) bool { return c.GroupID != here[0].GroupID }), len(named) > 1:
		return verdict{reason: SeveralCodes}
	case len(named) == 1:
		return weigh(n, named[0])
	}
	open := slices.DeleteFunc(slices.Clone(here), func(c candidate) bool {
		return c.payment.State.Captured() || c.State == order.Cancelled || c.payment.Amount != n.Amount
	})
	switch {
	case len(open) == 1:
		return weigh(n, open[0])
	case len(here) == 1:
		return weigh(n, here[0])
	}
	return verdict{reason: SeveralCodes}
}

// foreign is the verdict on money whose memo names orders that are not paid into this account.
func foreign(named []candidate) verdict {
	reason := OtherAccount
	if named[0].payment.Method != payment.VietQR {
		reason = NotATransfer
	}
	return verdict{reason: reason, reference: one(named)}
}

// one is the code of an order that is the only one.
func one(all []candidate) string {
	if len(all) != 1 {
		return ""
	}
	return all[0].Code
}

// weigh compares the amount with that of the order. Whether the order is paid already only its lock can tell.
func weigh(n Notice, c candidate) verdict {
	switch {
	case c.payment.State.Captured():
		return verdict{settle: c.Code} // settle knows whether it is the same money
	case n.Amount < c.payment.Amount:
		return verdict{reason: Under, reference: c.Code}
	case n.Amount > c.payment.Amount:
		return verdict{reason: Over, reference: c.Code}
	}
	return verdict{settle: c.Code}
}

// settle settles an order with a notice. Of two notices that come for one order at the same moment the second finds
// it paid.
func (s *Service) settle(ctx context.Context, notice int64, code string) error {
	return s.Orders.WithDue(ctx, code, func(tx db.Tx, o order.Due) error {
		m, err := s.lock(ctx, tx, notice, Everywhere)
		if err != nil || m.State != Received {
			return err
		}
		if o.Paid {
			return s.again(ctx, tx, m, o)
		}
		became, err := s.Orders.Receive(ctx, tx, o, actorBank, m.TransactionID)
		if err != nil {
			return err
		}
		d := Decision{State: Matched, Reference: o.Code, PaymentID: o.PaymentID, Actor: actorBank}
		if became != order.Placed {
			d.State, d.Reason = Unmatched, offReason(became)
		}
		return s.decide(ctx, tx, m, d)
	})
}

// again decides about money for an order that is paid: it is the money that a person has confirmed by hand, if their
// reason names the transaction, else it came twice.
func (s *Service) again(ctx context.Context, tx db.Tx, m Money, o order.Due) error {
	by, err := settledBy(ctx, tx, o.PaymentID)
	if err != nil {
		return err
	}
	said, err := s.Payments.LastReason(ctx, tx, o.PaymentID)
	if err != nil {
		return err
	}
	if by == 0 && m.Amount == o.Total && namesTransaction(said, m.TransactionID) {
		return s.decide(ctx, tx, m, Decision{State: Matched, Reference: o.Code, PaymentID: o.PaymentID, Actor: actorBank, Note: said})
	}
	return s.decide(ctx, tx, m, Decision{State: Unmatched, Reason: Double, Reference: o.Code, Actor: actorBank})
}

// namesTransaction reports whether a person's reason names a transaction, as a word of its own.
func namesTransaction(said, transaction string) bool {
	return len(transaction) >= 6 && slices.ContainsFunc(strings.Fields(said), func(w string) bool {
		return strings.EqualFold(strings.Trim(w, ".,;:()"), transaction)
	})
}

// offReason is why money stays with the seller though it was recorded.
func offReason(became order.State) Reason {
	if became == order.Cancelled {
		return CalledOff
	}
	return Late
}

// leave puts a notice on the list of unmatched money.
func (s *Service) leave(ctx context.Context, tx db.Tx, notice int64, v verdict) error {
	m, err := s.lock(ctx, tx, notice, Everywhere)
	if err != nil || m.State != Received {
		return err
	}
	return s.decide(ctx, tx, m, Decision{State: Unmatched, Reason: v.reason, Reference: v.reference, Actor: actorBank})
}

// Sweep matches what a lost job left, and returns how many notices it looked at.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	ids, err := moneyWaiting(ctx, s.DB.Primary(ctx), sweepSize)
	if err != nil {
		return 0, fmt.Errorf("reconcile: sweep money: %w", err)
	}
	var faults []error
	for _, id := range ids {
		if err := s.Match(ctx, Match{id}); err != nil {
			if _, readable := apperr.As(err); !readable {
				faults = append(faults, err)
			}
		}
	}
	return len(ids), errors.Join(faults...)
}
