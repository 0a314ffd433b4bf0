package payment

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

type transferRow struct {
	ID          int64
	PaymentID   int64
	Nth         int
	AccountRef  string
	Amount      int64
	Reversed    int64
	State       string
	ProviderRef *string
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

func (transferRow) TableName() string { return "transfer" }

// reversalRow is a part of a transfer that goes back because of a refund.
type reversalRow struct {
	RefundID   int64
	TransferID int64
	Amount     int64
	DoneAt     *time.Time
}

func (reversalRow) TableName() string { return "transfer_reversal" }

// wantPassOn says where a share shall go and that its transfers are to be looked at, unless that was said before.
func wantPassOn(ctx context.Context, tx db.Tx, paymentID int64, account string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE payment SET pass_on_to = ?, pass_on_since = ? WHERE id = ? AND pass_on_to IS NULL`, account, now, paymentID).Error
}

// passOnAgain has the transfers of a share looked at once more, if it was to go anywhere.
func passOnAgain(ctx context.Context, tx db.Tx, paymentID int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE payment SET pass_on_since = ? WHERE id = ? AND pass_on_to IS NOT NULL`, now, paymentID).Error
}

func passedOnNow(ctx context.Context, tx db.Tx, paymentID int64) error {
	return tx.WithContext(ctx).Exec(`UPDATE payment SET pass_on_since = NULL WHERE id = ?`, paymentID).Error
}

func toPassOn(ctx context.Context, g *gorm.DB, since time.Time, limit int) (ids []int64, err error) {
	err = g.WithContext(ctx).Raw(`SELECT id FROM payment WHERE pass_on_since <= ? ORDER BY pass_on_since, id LIMIT ?`, since, limit).Scan(&ids).Error
	return ids, err
}

func toTakeBack(ctx context.Context, g *gorm.DB, since time.Time, limit int) ([]refundRow, error) {
	var rows []refundRow
	err := g.WithContext(ctx).Where("reversal = 'due' AND state IN ('sent', 'done') AND updated_at <= ?", since).Order("updated_at, id").Limit(limit).Find(&rows).Error
	return rows, err
}

// kept is what the provider does not give back of a payment: what its seller shall have. A seller who sends money back by hand
// sends it out of that.
func kept(ctx context.Context, tx db.Tx, p row) (amount int64, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT ? - coalesce(sum(amount), 0)::bigint FROM refund WHERE payment_id = ? AND way = 'provider' AND state <> 'failed'`,
		p.Captured, p.ID).Scan(&amount).Error
	return amount, err
}

func passedOn(ctx context.Context, tx db.Tx, paymentID int64) (yes bool, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM transfer WHERE payment_id = ?)`, paymentID).Scan(&yes).Error
	return yes, err
}

func insertTransfer(ctx context.Context, tx db.Tx, r *transferRow) error {
	return tx.WithContext(ctx).Create(r).Error
}

// transfersOf are all transfers of a payment, oldest first.
func transfersOf(ctx context.Context, g *gorm.DB, paymentID int64) (rows []transferRow, err error) {
	err = g.WithContext(ctx).Order("nth").Find(&rows, "payment_id = ?", paymentID).Error
	return rows, err
}

func finishTransfer(ctx context.Context, tx db.Tx, id int64, ref string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE transfer SET state = 'done', provider_ref = ?, updated_at = ? WHERE id = ? AND state = 'due'`, ref, now, id).Error
}

// reversalsOf are all reversals of a payment's transfers.
func reversalsOf(ctx context.Context, g *gorm.DB, paymentID int64) (rows []reversalRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT v.* FROM transfer_reversal v JOIN transfer t ON t.id = v.transfer_id WHERE t.payment_id = ? ORDER BY v.refund_id, t.nth`,
		paymentID).Scan(&rows).Error
	return rows, err
}

func insertReversals(ctx context.Context, tx db.Tx, rows []reversalRow) error {
	return tx.WithContext(ctx).Create(&rows).Error
}

// finishReversal counts a reversal once; the refund's are done with the last of them.
func finishReversal(ctx context.Context, tx db.Tx, v reversalRow, now time.Time) error {
	g := tx.WithContext(ctx)
	err := g.Exec(`WITH done AS (UPDATE transfer_reversal SET done_at = ? WHERE refund_id = ? AND transfer_id = ? AND done_at IS NULL RETURNING transfer_id, amount)
		UPDATE transfer t SET reversed = t.reversed + d.amount, updated_at = ? FROM done d WHERE t.id = d.transfer_id`, now, v.RefundID, v.TransferID, now).Error
	if err != nil {
		return err
	}
	return g.Exec(`UPDATE refund SET reversal = 'done' WHERE id = ? AND reversal = 'due'
		AND NOT EXISTS (SELECT FROM transfer_reversal v WHERE v.refund_id = refund.id AND v.done_at IS NULL)`, v.RefundID).Error
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
