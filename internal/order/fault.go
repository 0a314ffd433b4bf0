package order

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// ChargeDecision is what a person says about a charge whose money is in doubt.
type ChargeDecision struct {
	// GiveBack sends all that the provider has back to the card, and ends the orders that wait for it. Else the charge is
	// settled as it is, which needs the provider to have now what was asked.
	GiveBack bool
	Actor    string
	Reason   string
}

// ResolveCharge ends the doubt about the card payment of a purchase; the provider is asked again first. Doing it again does
// nothing. NotFound order.charge.not_in_doubt; Conflict order.charge.differs when it shall be settled and the amount is
// still another, order.charge.no_money when there is nothing to give back; Invalid order.reason.required; Unavailable
// order.card_away.
func (s *Service) ResolveCharge(ctx context.Context, code string, d ChargeDecision) error {
	if d.Reason = strings.TrimSpace(d.Reason); d.Reason == "" || utf8.RuneCountInString(d.Reason) > maxReason {
		return apperr.Field("reason", "order.reason.required", "max", maxReason)
	}
	err := s.resolve(ctx, canonical(code), d)
	if errors.Is(err, payment.ErrAway) {
		slog.WarnContext(ctx, "the card provider does not answer", "purchase", code, "error", err)
		return cardAway()
	}
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("order: resolve charge: %w", err)
}

func (s *Service) resolve(ctx context.Context, code string, d ChargeDecision) error {
	c, err := s.Payments.ChargeOf(ctx, code)
	if err != nil {
		return err
	}
	if c.Fault == "" {
		return apperr.New(apperr.NotFound, "order.charge.not_in_doubt")
	}
	st, err := s.Payments.Look(ctx, c)
	if err != nil {
		return err
	}
	if d.GiveBack {
		return s.giveChargeBack(ctx, c, st, d)
	}
	sum := vnd(0)
	for _, p := range c.Asked() {
		sum += p.Amount
	}
	if st.State != payment.StandingPaid || st.Amount != sum {
		return apperr.New(apperr.Conflict, "order.charge.differs", "asked", sum, "has", st.Amount)
	}
	return s.inDoubt(ctx, c, func(tx db.Tx, c payment.Charge, orders []orderRow) error {
		if err := s.Payments.FaultCharge(ctx, tx, c, ""); err != nil {
			return err
		}
		if err := recordResolved(ctx, tx, c, st, d); err != nil {
			return err
		}
		return s.charged(ctx, tx, c, orders, st)
	})
}

// inDoubt runs fn with a purchase and its charge locked, unless another has resolved it meanwhile.
func (s *Service) inDoubt(ctx context.Context, seen payment.Charge, fn func(db.Tx, payment.Charge, []orderRow) error) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		orders, err := lockGroup(ctx, tx, seen.Reference)
		if err != nil {
			return err
		}
		c, err := s.Payments.LockCharge(ctx, tx, seen.ID)
		if err != nil || c.Fault == "" {
			return err
		}
		return fn(tx, c, orders)
	})
}

// giveChargeBack ends the orders first, so that none is placed while its money goes back. Should the answer be lost, the
// doubt stays and the same is asked again under the same key. The money was never counted as captured, so it is no refund
// of an order: the charge and the audit tell, and one mail about the whole purchase.
func (s *Service) giveChargeBack(ctx context.Context, c payment.Charge, st payment.Standing, d ChargeDecision) error {
	if st.State != payment.StandingPaid || st.Amount <= 0 {
		return apperr.New(apperr.Conflict, "order.charge.no_money")
	}
	err := s.inDoubt(ctx, c, func(tx db.Tx, _ payment.Charge, orders []orderRow) error {
		for _, o := range orders {
			if State(o.State) != AwaitingPayment {
				continue
			}
			if err := s.lapse(ctx, tx, o); err != nil {
				return err
			}
			if err := s.Payments.Expire(ctx, tx, o.PaymentID, d.Actor); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	back, err := s.Payments.SendChargeBack(ctx, c, st)
	if err != nil {
		return err
	}
	if back.State == payment.ReturnFailed {
		return fmt.Errorf("the provider does not give charge %d back: %s", c.ID, back.Why)
	}
	return s.inDoubt(ctx, c, func(tx db.Tx, c payment.Charge, orders []orderRow) error {
		if err := recordResolved(ctx, tx, c, st, d); err != nil {
			return err
		}
		asked := vnd(0)
		for _, p := range c.Asked() {
			asked += p.Amount
		}
		err := s.Jobs.Enqueue(ctx, tx, TellMoneyBack{Key: fmt.Sprintf("charge-%d", c.ID), GroupID: orders[0].GroupID, Code: c.Reference, Why: "card_differs",
			Came: int64(st.Amount), Asked: int64(asked), Back: int64(back.Amount)})
		if err != nil {
			return err
		}
		return s.Payments.GaveChargeBack(ctx, tx, c, st.MoneyRef)
	})
}

func recordResolved(ctx context.Context, tx db.Tx, c payment.Charge, st payment.Standing, d ChargeDecision) error {
	return audit.Record(ctx, tx, audit.Entry{Actor: d.Actor, Action: "order.resolve_charge", Subject: "charge", SubjectID: fmt.Sprint(c.ID),
		Detail: map[string]any{"purchase": c.Reference, "fault": c.Fault, "given_back": d.GiveBack, "has": st.Amount, "money": st.MoneyRef, "reason": d.Reason}})
}
