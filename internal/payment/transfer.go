package payment

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

const reversalDue = "due"

// Transfers reports whether sellers' shares are passed on to their connected accounts.
func (s *Service) Transfers() bool {
	_, can := s.Gateway.(Transferrer)
	return s.PassOnShares && can
}

// PassOn transfers what is left of a paid share to the seller's connected account, once. A seller without an account gets
// the share by settlement, as all do while this is off.
func (s *Service) PassOn(ctx context.Context, paymentID int64, seller string) error {
	if !s.Transfers() {
		return nil
	}
	account, err := payeeOf(ctx, s.DB.Primary(ctx), seller, s.Gateway.Provider())
	if err != nil || account == "" {
		return err
	}
	var p row
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		if p, err = lock(ctx, tx, paymentID); err != nil {
			return err
		}
		have, err := passedOn(ctx, tx, paymentID)
		if err != nil || have || p.ChargeID == nil || p.Captured == p.Refunded {
			return err
		}
		now := s.clock.Now()
		return insertTransfer(ctx, tx, transferRow{PaymentID: p.ID, AccountRef: account, Amount: p.Captured - p.Refunded, State: "due", CreatedAt: now, UpdatedAt: now})
	})
	if err != nil {
		return fmt.Errorf("payment: pass on: %w", err)
	}
	t, err := transferOf(ctx, s.DB.Primary(ctx), paymentID)
	if err != nil || t.ID == 0 || t.State != "due" {
		return err
	}
	c, err := s.ChargeByID(ctx, *p.ChargeID)
	if err != nil {
		return err
	}
	ref, err := s.Gateway.(Transferrer).Transfer(ctx, Transfer{Key: fmt.Sprintf("transfer-%d", paymentID), MoneyRef: c.MoneyRef, Reference: p.Reference,
		Account: t.AccountRef, Amount: money.VND(t.Amount)})
	if err != nil {
		return fmt.Errorf("payment: pass on: %w", err)
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return finishTransfer(ctx, tx, t.ID, ref, s.clock.Now()) })
}

// TakeBack reverses the part of a transfer that a refund gave to the buyer, once.
func (s *Service) TakeBack(ctx context.Context, r Refund) error {
	if r.Reversal != reversalDue || !r.State.Gone() {
		return nil
	}
	t, err := transferOf(ctx, s.DB.Primary(ctx), r.PaymentID)
	if err != nil {
		return fmt.Errorf("payment: take back: %w", err)
	}
	if t.State != "done" || t.ProviderRef == nil {
		return fmt.Errorf("payment: take back: the transfer of payment %d is still under way", r.PaymentID)
	}
	g, can := s.Gateway.(Transferrer)
	if !can {
		return ErrAway
	}
	if err := g.Reverse(ctx, fmt.Sprintf("reverse-%d", r.ID), *t.ProviderRef, r.Amount); err != nil {
		return fmt.Errorf("payment: take back: %w", err)
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return finishReversal(ctx, tx, r.ID, s.clock.Now()) })
}

// SetPayee names the connected account of a seller.
func (s *Service) SetPayee(ctx context.Context, seller, account string) error {
	if s.Gateway == nil {
		return ErrAway
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return setPayee(ctx, tx, seller, s.Gateway.Provider(), account, s.clock.Now()) })
}
