package account

import (
	"context"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

type row struct {
	ID           int64
	Email        string
	Name         string
	Phone        *string
	PasswordHash string
	Locale       string
	State        string
	IsDemo       bool
}

func byID(ctx context.Context, g *gorm.DB, id int64) (Account, error) {
	a, _, err := take(ctx, g, "id = ?", id)
	return a, err
}

// byEmail also returns the hash. An account that does not exist has id 0.
func byEmail(ctx context.Context, g *gorm.DB, email string) (Account, string, error) {
	return take(ctx, g, "email = ?", email)
}

func take(ctx context.Context, g *gorm.DB, where string, arg any) (Account, string, error) {
	var rows []row
	if err := g.WithContext(ctx).Table("account").Where(where, arg).Limit(1).Find(&rows).Error; err != nil || len(rows) == 0 {
		return Account{}, "", err
	}
	r := rows[0]
	a := Account{ID: r.ID, Email: r.Email, Name: r.Name, Locale: r.Locale, Closed: r.State == "closed", Demo: r.IsDemo}
	if r.Phone != nil {
		a.Phone = *r.Phone
	}
	err := g.WithContext(ctx).Raw(`
		SELECT role AS name, scope, scope_id FROM account_role WHERE account_id = ? ORDER BY role, scope, scope_id`,
		r.ID).Scan(&a.Roles).Error
	return a, r.PasswordHash, err
}

func insert(ctx context.Context, tx db.Tx, a Account, hash string) (int64, error) {
	var id int64
	err := tx.WithContext(ctx).Raw(`
		INSERT INTO account (email, name, phone, password_hash, locale, is_demo)
		VALUES (?, ?, NULLIF(?, ''), ?, ?, ?) RETURNING id`,
		a.Email, a.Name, a.Phone, hash, a.Locale, a.Demo).Scan(&id).Error
	return id, err
}

func insertRoles(ctx context.Context, tx db.Tx, id int64, roles []Role) error {
	if len(roles) == 0 {
		return nil
	}
	rows := make([]map[string]any, len(roles))
	for i, r := range roles {
		rows[i] = map[string]any{"account_id": id, "role": string(r.Name), "scope": string(r.Scope), "scope_id": r.ScopeID}
	}
	return tx.WithContext(ctx).Table("account_role").Create(rows).Error
}

func setHash(ctx context.Context, tx db.Tx, id int64, hash string) error {
	return tx.WithContext(ctx).Exec(`UPDATE account SET password_hash = ? WHERE id = ?`, hash, id).Error
}

func grant(ctx context.Context, tx db.Tx, id int64, r Role) (bool, error) {
	res := tx.WithContext(ctx).Exec(`
		INSERT INTO account_role (account_id, role, scope, scope_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		id, string(r.Name), string(r.Scope), r.ScopeID)
	return res.RowsAffected > 0, res.Error
}

func revoke(ctx context.Context, tx db.Tx, id int64, r Role) (bool, error) {
	res := tx.WithContext(ctx).Exec(`
		DELETE FROM account_role WHERE account_id = ? AND role = ? AND scope = ? AND scope_id = ?`,
		id, string(r.Name), string(r.Scope), r.ScopeID)
	return res.RowsAffected > 0, res.Error
}
