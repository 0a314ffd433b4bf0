package payment

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

type row struct {
	ID        int64
	Reference string
	Method    string
	State     string
	Amount    int64
	Captured  int64
	Refunded  int64
	BankBIN   *string `gorm:"column:bank_bin"`
	AccountNo *string
	Holder    *string
	IsTest    bool
	Memo      *string
	Payload   *string
	ExpiresAt *time.Time
	CreatedAt time.Time
	UpdatedAt time.Time

	ChargeID    *int64
	PageAttempt *int
	PassOnTo    *string
	PassOnSince *time.Time
}

func (row) TableName() string { return "payment" }

type eventRow struct {
	ID        int64
	PaymentID int64
	FromState string
	ToState   string
	Amount    int64
	Actor     string
	Reason    string
	At        time.Time
}

func (eventRow) TableName() string { return "payment_event" }

func toRow(p Payment) row {
	r := row{Reference: p.Reference, Method: string(p.Method), State: string(p.State), Amount: int64(p.Amount),
		IsTest: p.Account.IsTest, ExpiresAt: p.ExpiresAt, CreatedAt: p.CreatedAt, UpdatedAt: p.CreatedAt}
	if p.Method == VietQR {
		r.BankBIN, r.AccountNo, r.Holder = &p.Account.BankBIN, &p.Account.AccountNo, &p.Account.Holder
		r.Memo, r.Payload = &p.Memo, &p.Payload
	}
	if p.ChargeID != 0 {
		r.ChargeID = &p.ChargeID
	}
	return r
}

func (r row) payment() Payment {
	p := Payment{ID: r.ID, Reference: r.Reference, Method: Method(r.Method), State: State(r.State), Amount: money.VND(r.Amount),
		Captured: money.VND(r.Captured), Refunded: money.VND(r.Refunded), ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt}
	if r.Payload != nil {
		p.Account = Account{*r.BankBIN, *r.AccountNo, *r.Holder, r.IsTest}
		p.Payload = *r.Payload
	}
	if r.Memo != nil {
		p.Memo = *r.Memo
	}
	if r.ChargeID != nil {
		p.ChargeID = *r.ChargeID
	}
	if r.PageAttempt != nil {
		p.PageAttempt = *r.PageAttempt
	}
	return p
}

func insert(ctx context.Context, tx db.Tx, rows []row) error {
	return tx.WithContext(ctx).Create(&rows).Error
}

func insertEvents(ctx context.Context, tx db.Tx, rows []eventRow) error {
	return tx.WithContext(ctx).Create(&rows).Error
}

func lock(ctx context.Context, tx db.Tx, id int64) (row, error) {
	var r row
	err := tx.WithContext(ctx).Clauses(clause.Locking{Strength: "UPDATE"}).Take(&r, "id = ?", id).Error
	return r, err
}

func setState(ctx context.Context, tx db.Tx, id int64, to State, captured int64, now time.Time) error {
	return tx.WithContext(ctx).Table("payment").Where("id = ?", id).
		Updates(map[string]any{"state": string(to), "captured": captured, "updated_at": now}).Error
}

func byIDs(ctx context.Context, g *gorm.DB, ids []int64) ([]row, error) {
	var rows []row
	if len(ids) == 0 {
		return nil, nil
	}
	err := g.WithContext(ctx).Find(&rows, "id IN ?", ids).Error
	return rows, err
}

func lastReason(ctx context.Context, tx db.Tx, id int64) (said string, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT reason FROM payment_event WHERE payment_id = ? ORDER BY id DESC LIMIT 1`, id).Scan(&said).Error
	return said, err
}

func unpaid(ctx context.Context, g *gorm.DB, accountNo, bankBIN string, since time.Time, limit int) ([]row, error) {
	var rows []row
	err := g.WithContext(ctx).Raw(`SELECT * FROM payment WHERE method = 'vietqr' AND account_no = @no AND (@bin = '' OR bank_bin = @bin)
		AND state IN ('pending', 'expired', 'cancelled') AND created_at >= @since ORDER BY id DESC LIMIT @limit`,
		map[string]any{"no": accountNo, "bin": bankBIN, "since": since, "limit": limit}).Scan(&rows).Error
	return rows, err
}
