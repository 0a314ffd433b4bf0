package payment

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// Open records that money is expected and, for VietQR, makes the code. Error: payment.amount for nothing to pay.
func (s *Service) Open(ctx context.Context, tx db.Tx, r Request) (Payment, error) {
	all, err := s.OpenMany(ctx, tx, []Request{r})
	if err != nil {
		return Payment{}, err
	}
	return all[0], nil
}

// OpenMany is Open for the payments of one purchase, in the order given.
func (s *Service) OpenMany(ctx context.Context, tx db.Tx, requests []Request) ([]Payment, error) {
	charges, err := s.openCharges(ctx, tx, requests)
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(requests))
	for i, r := range requests {
		if r.Amount <= 0 {
			return nil, apperr.New(apperr.Invalid, "payment.amount")
		}
		p := Payment{Reference: r.Reference, Method: r.Method, State: Expected, Amount: r.Amount, CreatedAt: s.clock.Now()}
		if r.Method == VietQR {
			payload, err := s.codes.Payload(r.Account.BankBIN, r.Account.AccountNo, r.Amount, r.Memo)
			if err != nil {
				return nil, fmt.Errorf("payment: code for %s: %w", r.Reference, err)
			}
			p.State, p.Account, p.Memo, p.Payload, p.ExpiresAt = Pending, r.Account, r.Memo, payload, r.Expires
		}
		if r.Method == Card {
			p.State, p.ExpiresAt, p.ChargeID = Pending, r.Expires, charges[r.Charge]
		}
		rows[i] = toRow(p)
	}
	if err := insert(ctx, tx, rows); err != nil {
		return nil, fmt.Errorf("payment: open: %w", err)
	}
	out := make([]Payment, len(rows))
	events := make([]eventRow, len(rows))
	for i, r := range rows {
		out[i] = r.payment()
		events[i] = eventRow{PaymentID: r.ID, ToState: r.State, Actor: requests[i].Actor, At: r.CreatedAt}
	}
	if err := insertEvents(ctx, tx, events); err != nil {
		return nil, fmt.Errorf("payment: open: %w", err)
	}
	return out, nil
}

// openCharges makes one charge for all shares of a purchase and returns their ids.
func (s *Service) openCharges(ctx context.Context, tx db.Tx, requests []Request) (map[string]int64, error) {
	var rows []chargeRow
	at, now := map[string]int{}, s.clock.Now()
	for _, r := range requests {
		if r.Method != Card {
			continue
		}
		if s.Gateway == nil || r.Expires == nil || r.Charge == "" {
			return nil, fmt.Errorf("payment: %s cannot be paid by card", r.Reference)
		}
		i, ok := at[r.Charge]
		if !ok {
			i = len(rows)
			at[r.Charge] = i
			rows = append(rows, chargeRow{Reference: r.Charge, Provider: s.Gateway.Provider(), State: string(ChargeOpen), ExpiresAt: *r.Expires, CreatedAt: now, UpdatedAt: now})
		}
		rows[i].Amount += int64(r.Amount)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	if err := insertCharges(ctx, tx, rows); err != nil {
		return nil, fmt.Errorf("payment: open charge: %w", err)
	}
	ids := make(map[string]int64, len(rows))
	for _, r := range rows {
		ids[r.Reference] = r.ID
	}
	return ids, nil
}

// Settle records that the whole amount was paid. Settling a paid payment changes nothing; a transfer or card may also settle
// an expired or a cancelled one, for money that came has come. Conflict payment.not_payable for cash that was cancelled.
func (s *Service) Settle(ctx context.Context, tx db.Tx, id int64, actor, reason string) error {
	r, err := lock(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	to := Paid
	if Method(r.Method) == COD {
		to = Collected
	}
	return s.advance(ctx, tx, id, to, actor, reason)
}

// Remit records that the seller has the cash that the carrier collected. Remitting twice does it once.
func (s *Service) Remit(ctx context.Context, tx db.Tx, id int64, actor, reason string) error {
	return s.advance(ctx, tx, id, Remitted, actor, reason)
}

// Fail records that cash was not handed over. A payment that is no longer awaited stays as it is.
func (s *Service) Fail(ctx context.Context, tx db.Tx, id int64, actor, reason string) error {
	return s.giveUp(ctx, tx, id, Failed, actor, reason)
}

// Expire records that the time for a transfer is over. A payment that is no longer awaited stays as it is.
func (s *Service) Expire(ctx context.Context, tx db.Tx, id int64, actor string) error {
	return s.giveUp(ctx, tx, id, Expired, actor, "")
}

// Cancel records that the money is no longer wanted. A payment that was paid stays paid: the money has moved,
// and giving it back is the seller's deed.
func (s *Service) Cancel(ctx context.Context, tx db.Tx, id int64, actor, reason string) error {
	return s.giveUp(ctx, tx, id, Cancelled, actor, reason)
}

func (s *Service) giveUp(ctx context.Context, tx db.Tx, id int64, to State, actor, reason string) error {
	err := s.advance(ctx, tx, id, to, actor, reason)
	if l, ok := apperr.As(err); ok && l.Kind() == apperr.Conflict {
		return nil
	}
	return err
}

// advance is the only place that changes a state: it locks, checks and writes the state with its event.
func (s *Service) advance(ctx context.Context, tx db.Tx, id int64, to State, actor, reason string) error {
	r, err := lock(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	from := State(r.State)
	if from == to {
		return nil
	}
	if !allowed(Method(r.Method), from, to) {
		return apperr.New(apperr.Conflict, "payment.not_payable")
	}
	amount := int64(0)
	if to.Captured() && !from.Captured() {
		amount = r.Amount
	}
	now := s.clock.Now()
	if err := setState(ctx, tx, id, to, r.Captured+amount, now); err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	e := eventRow{PaymentID: id, FromState: r.State, ToState: string(to), Amount: amount, Actor: actor, Reason: reason, At: now}
	if err := insertEvents(ctx, tx, []eventRow{e}); err != nil {
		return fmt.Errorf("payment: %w", err)
	}
	return nil
}

// ByIDs returns the payments with these ids.
func (s *Service) ByIDs(ctx context.Context, g *gorm.DB, ids []int64) (map[int64]Payment, error) {
	rows, err := byIDs(ctx, g, ids)
	if err != nil {
		return nil, fmt.Errorf("payment: by ids: %w", err)
	}
	out := make(map[int64]Payment, len(rows))
	for _, r := range rows {
		out[r.ID] = r.payment()
	}
	return out, nil
}

// LastReason is what the last change of a payment gave as its reason.
func (s *Service) LastReason(ctx context.Context, tx db.Tx, id int64) (string, error) {
	said, err := lastReason(ctx, tx, id)
	if err != nil {
		return "", fmt.Errorf("payment: last reason: %w", err)
	}
	return said, nil
}

// Unpaid are the transfers into an account that were asked for since a moment and not paid, newest first. An empty
// bank means any.
func (s *Service) Unpaid(ctx context.Context, g *gorm.DB, accountNo, bankBIN string, since time.Time, limit int) ([]Payment, error) {
	rows, err := unpaid(ctx, g, accountNo, bankBIN, since, limit)
	if err != nil {
		return nil, fmt.Errorf("payment: unpaid: %w", err)
	}
	out := make([]Payment, len(rows))
	for i, r := range rows {
		out[i] = r.payment()
	}
	return out, nil
}
