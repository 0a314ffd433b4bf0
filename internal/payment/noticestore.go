package payment

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

func insertNotice(ctx context.Context, tx db.Tx, provider string, n Notice, now time.Time) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO provider_notice (provider, notice_id, kind, ref, told_at, received_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (provider, notice_id) DO NOTHING RETURNING id`, provider, n.ID, string(n.Kind), n.Ref, n.At, now).Scan(&id).Error
	return id, err
}

func noticeByID(ctx context.Context, g *gorm.DB, id int64) (n Stored, err error) {
	err = g.WithContext(ctx).Raw(`SELECT id, kind, ref, handled_at IS NOT NULL AS handled FROM provider_notice WHERE id = ?`, id).Scan(&n).Error
	return n, err
}

func noticesLeft(ctx context.Context, g *gorm.DB, before time.Time, limit int) ([]int64, error) {
	var ids []int64
	err := g.WithContext(ctx).Raw(`SELECT id FROM provider_notice WHERE handled_at IS NULL AND received_at <= ? ORDER BY received_at, id LIMIT ?`, before, limit).Scan(&ids).Error
	return ids, err
}

func noticeHandled(ctx context.Context, tx db.Tx, id int64, outcome string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE provider_notice SET handled_at = ?, outcome = ? WHERE id = ? AND handled_at IS NULL`, now, outcome, id).Error
}

// keepDispute writes a dispute as it stands now and returns in which state it was; "" for a new one. Two at once take turns at the charge.
func keepDispute(ctx context.Context, tx db.Tx, d *Dispute, now time.Time) (was string, err error) {
	if err := lockCharge(ctx, tx, d.ChargeID); err != nil {
		return "", err
	}
	g := tx.WithContext(ctx)
	if err := g.Raw(`SELECT state FROM dispute WHERE provider_ref = ?`, d.ProviderRef).Scan(&was).Error; err != nil {
		return "", err
	}
	err = g.Raw(`INSERT INTO dispute (charge_id, provider_ref, amount, reason, state, answer_by, opened_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (provider_ref) DO UPDATE SET amount = excluded.amount, reason = excluded.reason, state = excluded.state, answer_by = excluded.answer_by,
			updated_at = excluded.updated_at RETURNING id`,
		d.ChargeID, d.ProviderRef, int64(d.Amount), d.Reason, d.State, d.AnswerBy, d.OpenedAt, now).Scan(&d.ID).Error
	return was, err
}

func disputes(ctx context.Context, g *gorm.DB, id int64) ([]Dispute, error) {
	var out []Dispute
	err := g.WithContext(ctx).Raw(`SELECT d.id, d.charge_id, c.reference, d.provider_ref, d.amount, d.reason, d.state, d.answer_by, d.opened_at
		FROM dispute d JOIN charge c ON c.id = d.charge_id WHERE CAST(? AS bigint) IN (0, d.id) ORDER BY d.opened_at DESC, d.id DESC LIMIT 500`, id).Scan(&out).Error
	return out, err
}
