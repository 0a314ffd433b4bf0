package payment

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// HandleNotice acts on what a provider told.
type HandleNotice struct {
	NoticeID int64 `json:"notice_id"`
}

// Kind names the job in the queue.
func (HandleNotice) Kind() string { return "payment_handle_notice" }

// RecordNotice stores what a provider told, once per the provider's number, and queues what follows from it.
func (s *Service) RecordNotice(ctx context.Context, n Notice) (fresh bool, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		id, err := insertNotice(ctx, tx, s.Gateway.Provider(), n, s.clock.Now())
		if fresh = id != 0; err != nil || !fresh {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, HandleNotice{id})
	})
	if err != nil {
		return false, fmt.Errorf("payment: record notice: %w", err)
	}
	return fresh, nil
}

// Stored is a notice as it was stored. Handled ones are not acted upon again.
type Stored struct {
	ID      int64
	Kind    NoticeKind
	Ref     string
	Handled bool
}

// NoticeByID returns a stored notice; one that does not exist has ID 0.
func (s *Service) NoticeByID(ctx context.Context, id int64) (Stored, error) {
	return noticeByID(ctx, s.DB.Primary(ctx), id)
}

// NoticesLeft lists notices that were stored before a moment and are not handled.
func (s *Service) NoticesLeft(ctx context.Context, before time.Time, limit int) ([]int64, error) {
	return noticesLeft(ctx, s.DB.Primary(ctx), before, limit)
}

// NoticeHandled records what came of a notice.
func (s *Service) NoticeHandled(ctx context.Context, id int64, outcome string) error {
	return s.DB.InTx(ctx, func(tx db.Tx) error { return noticeHandled(ctx, tx, id, outcome, s.clock.Now()) })
}

// ChargeOfPage finds the charge of a provider's page; 0 for one that is not ours, or not the present one.
func (s *Service) ChargeOfPage(ctx context.Context, ref string) (int64, error) {
	return chargeOfRef(ctx, s.DB.Primary(ctx), "page_ref", ref)
}

// Dispute is a buyer's bank asking the money back through the provider.
type Dispute struct {
	ID          int64
	ChargeID    int64
	Reference   string // of the charge
	ProviderRef string
	Amount      money.VND
	Reason      string
	State       string
	AnswerBy    *time.Time
	OpenedAt    time.Time
}

// LookDispute asks the provider how a dispute stands and keeps that. It reports whether the dispute was not known before;
// ID is 0 for one about no money of ours.
func (s *Service) LookDispute(ctx context.Context, ref string) (d Dispute, fresh bool, err error) {
	if s.Gateway == nil {
		return d, false, ErrAway
	}
	c, err := s.Gateway.LookDispute(ctx, ref)
	if err != nil {
		return d, false, err
	}
	charge, err := chargeOfRef(ctx, s.DB.Primary(ctx), "money_ref", c.MoneyRef)
	if err != nil || charge == 0 {
		return d, false, err
	}
	d = Dispute{ChargeID: charge, ProviderRef: c.Ref, Amount: c.Amount, Reason: c.Reason, State: c.State, AnswerBy: c.AnswerBy, OpenedAt: c.OpenedAt}
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		was, err := keepDispute(ctx, tx, &d, s.clock.Now())
		if err != nil || was == d.State {
			return err
		}
		fresh = was == ""
		return audit.Record(ctx, tx, audit.Entry{Actor: s.Gateway.Provider(), Action: "payment.dispute", Subject: "charge", SubjectID: fmt.Sprint(charge),
			Detail: map[string]any{"from": was, "to": d.State, "amount": d.Amount, "dispute": d.ProviderRef}})
	})
	return d, fresh, err
}

// Disputes lists disputes, the newest first; of id 0 all, else that one.
func (s *Service) Disputes(ctx context.Context, id int64) ([]Dispute, error) {
	return disputes(ctx, s.DB.Primary(ctx), id)
}
