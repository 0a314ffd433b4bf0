package payment

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

type chargeRow struct {
	ID            int64
	Reference     string
	Provider      string
	State         string
	Amount        int64
	Attempt       int
	PageRef       *string
	PageURL       *string `gorm:"column:page_url"`
	PageExpiresAt *time.Time
	MoneyRef      *string
	Fault         string
	ExpiresAt     time.Time
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

func (chargeRow) TableName() string { return "charge" }

func (r chargeRow) charge() Charge {
	c := Charge{ID: r.ID, Reference: r.Reference, Provider: r.Provider, State: ChargeState(r.State), Amount: money.VND(r.Amount),
		Attempt: r.Attempt, Fault: r.Fault, ExpiresAt: r.ExpiresAt}
	if r.PageRef != nil {
		c.PageRef, c.PageURL = *r.PageRef, *r.PageURL
	}
	if r.PageExpiresAt != nil {
		c.PageExpires = *r.PageExpiresAt
	}
	if r.MoneyRef != nil {
		c.MoneyRef = *r.MoneyRef
	}
	return c
}

func insertCharges(ctx context.Context, tx db.Tx, rows []chargeRow) error {
	return tx.WithContext(ctx).Create(&rows).Error
}

func (s *Service) charge(ctx context.Context, g *gorm.DB, condition string, value any) (Charge, error) {
	var rows []chargeRow
	if err := g.WithContext(ctx).Where(condition, value).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return Charge{}, err
	}
	c := rows[0].charge()
	var shares []row
	if err := g.WithContext(ctx).Order("id").Find(&shares, "charge_id = ?", c.ID).Error; err != nil {
		return Charge{}, err
	}
	for _, r := range shares {
		c.Shares = append(c.Shares, r.payment())
	}
	return c, nil
}

func lockCharge(ctx context.Context, tx db.Tx, id int64) error {
	return tx.WithContext(ctx).Exec(`SELECT FROM charge WHERE id = ? FOR UPDATE`, id).Error
}

func beginPage(ctx context.Context, tx db.Tx, id int64, attempt int, ids []int64, now time.Time) error {
	g := tx.WithContext(ctx)
	err := g.Exec(`UPDATE charge SET attempt = ?, page_ref = NULL, page_url = NULL, page_expires_at = NULL, updated_at = ? WHERE id = ?`, attempt, now, id).Error
	if err != nil {
		return err
	}
	return g.Exec(`UPDATE payment SET page_attempt = ? WHERE charge_id = ? AND id IN ?`, attempt, id, ids).Error
}

func storePage(ctx context.Context, tx db.Tx, id int64, p CardPage, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE charge SET page_ref = ?, page_url = ?, page_expires_at = ?, updated_at = ? WHERE id = ?`,
		p.Ref, p.URL, p.Expires, now, id).Error
}

func setCharge(ctx context.Context, tx db.Tx, id int64, set map[string]any) error {
	return tx.WithContext(ctx).Table("charge").Where("id = ?", id).Updates(set).Error
}

func openCharges(ctx context.Context, g *gorm.DB, since time.Time, limit int) ([]int64, error) {
	var ids []int64
	err := g.WithContext(ctx).Raw(`SELECT id FROM charge WHERE state = 'open' AND fault = '' AND updated_at <= ? ORDER BY updated_at, id LIMIT ?`,
		since, limit).Scan(&ids).Error
	return ids, err
}

func faultyCharges(ctx context.Context, g *gorm.DB, limit int) ([]Charge, error) {
	var rows []chargeRow
	err := g.WithContext(ctx).Where("fault <> ''").Order("updated_at, id").Limit(limit).Find(&rows).Error
	out := make([]Charge, len(rows))
	for i, r := range rows {
		out[i] = r.charge()
	}
	return out, err
}

// chargeOfRef finds the charge of a page (page_ref) or of money (money_ref); 0 for none.
func chargeOfRef(ctx context.Context, g *gorm.DB, column, ref string) (id int64, err error) {
	err = g.WithContext(ctx).Table("charge").Select("id").Where(map[string]any{column: ref}).Limit(1).Scan(&id).Error
	return id, err
}
