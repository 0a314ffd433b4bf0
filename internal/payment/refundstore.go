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

type transferRow struct {
	ID          int64
	PaymentID   int64
	AccountRef  string
	Amount      int64
	Reversed    int64
	State       string
	ProviderRef *string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

func (transferRow) TableName() string { return "transfer" }

func passedOn(ctx context.Context, tx db.Tx, paymentID int64) (yes bool, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM transfer WHERE payment_id = ?)`, paymentID).Scan(&yes).Error
	return yes, err
}

func insertTransfer(ctx context.Context, tx db.Tx, r transferRow) error {
	return tx.WithContext(ctx).Create(&r).Error
}

func transferOf(ctx context.Context, g *gorm.DB, paymentID int64) (transferRow, error) {
	var rows []transferRow
	err := g.WithContext(ctx).Limit(1).Find(&rows, "payment_id = ?", paymentID).Error
	if err != nil || len(rows) == 0 {
		return transferRow{}, err
	}
	return rows[0], nil
}

func finishTransfer(ctx context.Context, tx db.Tx, id int64, ref string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE transfer SET state = 'done', provider_ref = ?, updated_at = ? WHERE id = ? AND state = 'due'`, ref, now, id).Error
}

// finishReversal counts the reversal of a refund once.
func finishReversal(ctx context.Context, tx db.Tx, refundID int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`WITH done AS (UPDATE refund SET reversal = 'done' WHERE id = ? AND reversal = 'due' RETURNING payment_id, amount)
		UPDATE transfer t SET reversed = t.reversed + d.amount, updated_at = ? FROM done d WHERE t.payment_id = d.payment_id`, refundID, now).Error
}

func payeeOf(ctx context.Context, g *gorm.DB, seller, provider string) (account string, err error) {
	err = g.WithContext(ctx).Raw(`SELECT account_ref FROM payee WHERE seller = ? AND provider = ?`, seller, provider).Scan(&account).Error
	return account, err
}

func setPayee(ctx context.Context, tx db.Tx, seller, provider, account string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO payee (seller, provider, account_ref, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (seller) DO UPDATE SET provider = excluded.provider, account_ref = excluded.account_ref, updated_at = excluded.updated_at`,
		seller, provider, account, now).Error
}
