package order

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// CollectCOD records that the carrier or the sales point took the cash of a delivered order, once. Conflict
// order.not_cod for a transfer or card, order.wrong_state before delivery.
func (s *Service) CollectCOD(ctx context.Context, orderCode, actor string) error {
	return s.cash(ctx, "collect", orderCode, func(tx db.Tx, o orderRow, p payment.Payment) error {
		if p.State.Captured() {
			return nil
		}
		if State(o.State) != Delivered {
			return wrongState(o)
		}
		if err := s.Payments.Settle(ctx, tx, o.PaymentID, actor, ""); err != nil {
			return err
		}
		return s.tellPartner(ctx, tx, o, Delivered, partner.OrderPaid)
	})
}

// RemitCOD records that the seller has the cash that was collected; ref says how, for instance the carrier's statement.
// Conflict order.not_cod, payment.not_payable before it is collected.
func (s *Service) RemitCOD(ctx context.Context, orderCode, actor, ref string) error {
	if ref = strings.TrimSpace(ref); ref == "" || utf8.RuneCountInString(ref) > maxReason {
		return apperr.Field("reason", "order.reason.required", "max", maxReason)
	}
	return s.cash(ctx, "remit", orderCode, func(tx db.Tx, o orderRow, _ payment.Payment) error {
		return s.Payments.Remit(ctx, tx, o.PaymentID, actor, ref)
	})
}

func (s *Service) cash(ctx context.Context, verb, code string, fn func(db.Tx, orderRow, payment.Payment) error) error {
	return s.within(ctx, verb, code, func(tx db.Tx, o orderRow) error {
		p, err := s.payment(ctx, tx, o)
		if err != nil {
			return err
		}
		if p.Method != payment.COD {
			return apperr.New(apperr.Conflict, "order.not_cod")
		}
		return fn(tx, o, p)
	})
}

// MarkReturned says that a parcel that was not taken has come back to the seller. Its goods are in stock again; cash that
// was to be collected will not come. Goods that were paid before are refunded; the shipping is not, for the carrier has
// made the way: a seller who wants to give it back as well refunds it.
func (s *Service) MarkReturned(ctx context.Context, orderCode, actor, reason string) error {
	if reason = strings.TrimSpace(reason); reason == "" || utf8.RuneCountInString(reason) > maxReason {
		return apperr.Field("reason", "order.reason.required", "max", maxReason)
	}
	return s.within(ctx, "mark returned", orderCode, func(tx db.Tx, o orderRow) error {
		if State(o.State) == Returned {
			return nil
		}
		if err := s.advance(ctx, tx, o, Returned, actor, reason); err != nil {
			return err
		}
		if err := s.Stock.Restock(ctx, tx, o.ID, actor, reason); err != nil {
			return err
		}
		p, err := s.payment(ctx, tx, o)
		if err != nil {
			return err
		}
		if p.Method == payment.COD {
			err = s.Payments.Fail(ctx, tx, o.PaymentID, actor, reason)
		} else {
			err = s.refundGoods(ctx, tx, o)
		}
		if err != nil {
			return err
		}
		err = audit.Record(ctx, tx, audit.Entry{Actor: actor, Action: "order.returned", Subject: "order", SubjectID: o.Code, Detail: map[string]any{"reason": reason}})
		if err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, TellOrder{OrderID: o.ID, Event: "returned"})
	})
}

func (s *Service) refundGoods(ctx context.Context, tx db.Tx, o orderRow) error {
	lines, err := refundable(ctx, tx, o.ID)
	if err != nil {
		return err
	}
	r := RefundOrder{RequestKey: fmt.Sprintf("returned-%d", o.ID), Actor: actorSystem, Reason: reasonReturned}
	for _, l := range lines {
		if n := l.Quantity - l.RefundedQuantity; n > 0 {
			r.Lines = append(r.Lines, RefundLine{l.SKU, n})
		}
	}
	return s.giveRest(ctx, tx, o, r)
}

// payment is what is to be paid for an order.
func (s *Service) payment(ctx context.Context, tx db.Tx, o orderRow) (payment.Payment, error) {
	all, err := s.Payments.ByIDs(ctx, tx.DB, []int64{o.PaymentID})
	return all[o.PaymentID], err
}
