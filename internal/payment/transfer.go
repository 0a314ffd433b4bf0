package payment

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

const reversalDue = "due"

// Transfers reports whether sellers' shares are passed on to their connected accounts.
func (s *Service) Transfers() bool {
	_, can := s.Gateway.(Transferrer)
	return s.PassOnShares && can
}

// WantPassOn says, with the payment, that a paid share shall go to the seller's connected account. It does nothing for a seller
// without one, who gets the share by settlement, as all do while this is off.
func (s *Service) WantPassOn(ctx context.Context, tx db.Tx, paymentID int64, seller string) error {
	if !s.Transfers() {
		return nil
	}
	account, err := payeeOf(ctx, tx.DB, seller, s.Gateway.Provider())
	if err == nil && account != "" {
		err = wantPassOn(ctx, tx, paymentID, account, s.clock.Now())
	}
	if err != nil {
		return fmt.Errorf("payment: pass on: %w", err)
	}
	return nil
}

// PassOn brings what was transferred of a share to what the seller shall have: all that was captured, but for what the
// provider gives back. So it transfers once, and once more what a refund that failed had taken away. Doing it again does nothing.
func (s *Service) PassOn(ctx context.Context, paymentID int64) error {
	if !s.Transfers() {
		return nil
	}
	if err := s.finishReversals(ctx, paymentID); err != nil {
		return fmt.Errorf("payment: pass on: %w", err)
	}
	for {
		var p row
		var t transferRow
		err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
			if p, err = lock(ctx, tx, paymentID); err != nil {
				return err
			}
			t, err = s.nextTransfer(ctx, tx, p)
			if err == nil && t.ID == 0 {
				err = passedOnNow(ctx, tx, paymentID)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("payment: pass on: %w", err)
		}
		if t.ID == 0 {
			return nil
		}
		if err := s.transfer(ctx, p, t); err != nil {
			return fmt.Errorf("payment: pass on: %w", err)
		}
	}
}

// nextTransfer is the transfer of a locked payment that the provider is to be asked for now; ID 0 for none.
func (s *Service) nextTransfer(ctx context.Context, tx db.Tx, p row) (transferRow, error) {
	if p.ChargeID == nil || p.PassOnTo == nil || p.PassOnSince == nil {
		return transferRow{}, nil
	}
	all, err := transfersOf(ctx, tx.DB, p.ID)
	if err != nil {
		return transferRow{}, err
	}
	missing, err := kept(ctx, tx, p)
	if err != nil {
		return transferRow{}, err
	}
	for _, t := range all {
		if t.State == "due" {
			return t, nil
		}
		missing -= t.Amount
	}
	reversals, err := reversalsOf(ctx, tx.DB, p.ID)
	if err != nil {
		return transferRow{}, err
	}
	for _, v := range reversals {
		missing += v.Amount
	}
	if missing <= 0 {
		return transferRow{}, nil
	}
	now := s.clock.Now()
	t := transferRow{PaymentID: p.ID, Nth: len(all) + 1, AccountRef: *p.PassOnTo, Amount: missing, State: "due", CreatedAt: now, UpdatedAt: now}
	return t, insertTransfer(ctx, tx, &t)
}

// transfer asks the provider for a transfer, under a key that is its own: asking again is asking once.
func (s *Service) transfer(ctx context.Context, p row, t transferRow) error {
	c, err := s.ChargeByID(ctx, *p.ChargeID)
	if err != nil {
		return err
	}
	key := fmt.Sprintf("transfer-%d", p.ID)
	if t.Nth > 1 {
		key = fmt.Sprintf("transfer-%d-%d", p.ID, t.Nth)
	}
	ref, err := s.Gateway.(Transferrer).Transfer(ctx, Transfer{Key: key, MoneyRef: c.MoneyRef, Reference: p.Reference, Account: t.AccountRef, Amount: money.VND(t.Amount),
		FromBalance: t.Nth > 1})
	if err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return finishTransfer(ctx, tx, t.ID, ref, s.clock.Now()) })
}

// TakeBack reverses the part of the seller's transfers that a refund gave to the buyer, once.
func (s *Service) TakeBack(ctx context.Context, r Refund) error {
	if r.Reversal != reversalDue || !r.State.Gone() {
		return nil
	}
	err := s.DB.InTx(ctx, func(tx db.Tx) error { return planReversals(ctx, tx, r.ID) })
	if err == nil {
		err = s.finishReversals(ctx, r.PaymentID)
	}
	if err != nil {
		return fmt.Errorf("payment: take back: %w", err)
	}
	return nil
}

// planReversals says which transfers what a refund gave back comes out of, unless it was said before or is no longer so.
func planReversals(ctx context.Context, tx db.Tx, refundID int64) error {
	seen, err := oneRefund(ctx, tx.DB, "id = ?", refundID)
	if err != nil {
		return err
	}
	if _, err := lock(ctx, tx, seen.PaymentID); err != nil {
		return err
	}
	r, err := lockRefund(ctx, tx, refundID)
	if err != nil || r.Reversal != reversalDue || !RefundState(r.State).Gone() {
		return err
	}
	all, err := transfersOf(ctx, tx.DB, r.PaymentID)
	if err != nil {
		return err
	}
	reversals, err := reversalsOf(ctx, tx.DB, r.PaymentID)
	if err != nil {
		return err
	}
	planned := map[int64]int64{}
	for _, v := range reversals {
		if v.RefundID == refundID {
			return nil
		}
		planned[v.TransferID] += v.Amount
	}
	var rows []reversalRow
	left := r.Amount
	for _, t := range all {
		if t.State != "done" {
			return fmt.Errorf("a transfer of payment %d is still under way", r.PaymentID)
		}
		if n := min(left, t.Amount-planned[t.ID]); n > 0 {
			rows = append(rows, reversalRow{RefundID: refundID, TransferID: t.ID, Amount: n})
			left -= n
		}
	}
	if left > 0 {
		return fmt.Errorf("the transfers of payment %d lack %d for refund %d", r.PaymentID, left, refundID)
	}
	return insertReversals(ctx, tx, rows)
}

// finishReversals asks the provider for the planned reversals of a payment's transfers, each under a key of its own. What was
// planned may have been done, the answer lost: so it is finished also when its refund has failed since.
func (s *Service) finishReversals(ctx context.Context, paymentID int64) error {
	g := s.DB.Primary(ctx)
	reversals, err := reversalsOf(ctx, g, paymentID)
	if err != nil || len(reversals) == 0 {
		return err
	}
	all, err := transfersOf(ctx, g, paymentID)
	if err != nil {
		return err
	}
	for _, v := range reversals {
		for _, t := range all {
			if v.DoneAt != nil || t.ID != v.TransferID {
				continue
			}
			if err := s.reverse(ctx, v, t); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) reverse(ctx context.Context, v reversalRow, t transferRow) error {
	g, can := s.Gateway.(Transferrer)
	if !can || t.ProviderRef == nil {
		return ErrAway
	}
	key := fmt.Sprintf("reverse-%d", v.RefundID)
	if t.Nth > 1 {
		key = fmt.Sprintf("reverse-%d-%d", v.RefundID, t.Nth)
	}
	if err := g.Reverse(ctx, key, *t.ProviderRef, money.VND(v.Amount)); err != nil {
		return err
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return finishReversal(ctx, tx, v, s.clock.Now()) })
}

// ToPassOn lists payments whose transfers may not be what they should since a moment, the longest waiting first.
func (s *Service) ToPassOn(ctx context.Context, since time.Time, limit int) ([]int64, error) {
	ids, err := toPassOn(ctx, s.DB.Primary(ctx), since, limit)
	if err != nil {
		return nil, fmt.Errorf("payment: to pass on: %w", err)
	}
	return ids, nil
}

// PassOnLater puts a payment whose transfer is refused at the end of the list of ToPassOn, so that it keeps no other waiting.
func (s *Service) PassOnLater(ctx context.Context, paymentID int64) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error { return passOnAgain(ctx, tx, paymentID, s.clock.Now()) })
}

// ToTakeBack lists refunds that have left while the seller still has their part, since a moment, the longest waiting first.
func (s *Service) ToTakeBack(ctx context.Context, since time.Time, limit int) ([]Refund, error) {
	rows, err := toTakeBack(ctx, s.DB.Primary(ctx), since, limit)
	if err != nil {
		return nil, fmt.Errorf("payment: to take back: %w", err)
	}
	return refundList(rows), nil
}

// SetPayee names the connected account of a seller.
func (s *Service) SetPayee(ctx context.Context, seller, account string) error {
	if s.Gateway == nil {
		return ErrAway
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error { return setPayee(ctx, tx, seller, s.Gateway.Provider(), account, s.clock.Now()) })
}
