package payment

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

type refundRow struct {
	ID           int64
	PaymentID    int64
	RequestKey   string
	RequestPrint []byte
	Amount       int64
	Way          string
	State        string
	ProviderRef  *string
	BankRef      string
	Reason       string
	Actor        string
	Reversal     string
	RetryOf      *int64
	LeftAt       *time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

func (refundRow) TableName() string { return "refund" }

func (r refundRow) refund() Refund {
	out := Refund{ID: r.ID, PaymentID: r.PaymentID, RequestKey: r.RequestKey, Print: r.RequestPrint, Amount: money.VND(r.Amount), Way: Way(r.Way),
		State: RefundState(r.State), BankRef: r.BankRef, Reason: r.Reason, Actor: r.Actor, Reversal: r.Reversal, Left: r.LeftAt != nil, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	if r.ProviderRef != nil {
		out.ProviderRef = *r.ProviderRef
	}
	if r.RetryOf != nil {
		out.RetryOf = *r.RetryOf
	}
	return out
}

type refundHistoryRow struct {
	ID        int64
	RefundID  int64
	FromState string
	ToState   string
	Actor     string
	Reason    string
	At        time.Time
}

func (refundHistoryRow) TableName() string { return "refund_history" }

func insertRefund(ctx context.Context, tx db.Tx, r *refundRow) error {
	return tx.WithContext(ctx).Create(r).Error
}

func insertRefundHistory(ctx context.Context, tx db.Tx, r refundHistoryRow) error {
	return tx.WithContext(ctx).Create(&r).Error
}

func addRefunded(ctx context.Context, tx db.Tx, paymentID, amount int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE payment SET refunded = refunded + ?, updated_at = ? WHERE id = ?`, amount, now, paymentID).Error
}

func lockRefund(ctx context.Context, tx db.Tx, id int64) (refundRow, error) {
	var r refundRow
	err := tx.WithContext(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(&r, "id = ?", id).Error
	return r, err
}

func setRefund(ctx context.Context, tx db.Tx, id int64, set map[string]any) error {
	return tx.WithContext(ctx).Table("refund").Where("id = ?", id).Updates(set).Error
}

func oneRefund(ctx context.Context, g *gorm.DB, condition string, value any) (Refund, error) {
	var rows []refundRow
	err := g.WithContext(ctx).Where(condition, value).Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return Refund{}, err
	}
	return rows[0].refund(), nil
}

func refundsOf(ctx context.Context, g *gorm.DB, paymentIDs []int64) ([]refundRow, error) {
	var rows []refundRow
	if len(paymentIDs) == 0 {
		return nil, nil
	}
	err := g.WithContext(ctx).Order("id").Find(&rows, "payment_id IN ?", paymentIDs).Error
	return rows, err
}

func refundsUnder(ctx context.Context, g *gorm.DB, way Way, states []RefundState, since time.Time, limit int) ([]refundRow, error) {
	var rows []refundRow
	err := g.WithContext(ctx).Where("way = ? AND state IN ? AND updated_at <= ?", way, states, since).Order("updated_at, id").Limit(limit).Find(&rows).Error
	return rows, err
}
