package account

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

type row struct {
	ID            int64
	Email         *string
	Name          string
	Phone         *string
	PhoneProvenAt *time.Time
	PasswordHash  string
	Locale        string
	State         string
	IsDemo        bool
	SessionEpoch  int
	CreatedAt     time.Time
}

func byID(ctx context.Context, g *gorm.DB, id int64) (Account, error) {
	a, _, err := take(ctx, g, "id = ?", id)
	return a, err
}

// byContact also returns the hash. An account that does not exist has id 0, and costs the same statements.
func byContact(ctx context.Context, g *gorm.DB, c Contact) (Account, string, error) {
	if c.Channel == ByPhone {
		return take(ctx, g, "phone = ? AND phone_proven_at IS NOT NULL", c.Value)
	}
	return take(ctx, g, "email = ?", c.Value)
}

func take(ctx context.Context, g *gorm.DB, where string, arg any) (Account, string, error) {
	var r row
	if err := g.WithContext(ctx).Table("account").Where(where, arg).Limit(1).Scan(&r).Error; err != nil {
		return Account{}, "", err
	}
	a := Account{ID: r.ID, Name: r.Name, Locale: r.Locale, Closed: r.State == "closed", Demo: r.IsDemo, PhoneProven: r.PhoneProvenAt != nil,
		Epoch: r.SessionEpoch, Since: r.CreatedAt}
	if r.Email != nil {
		a.Email = *r.Email
	}
	if r.Phone != nil {
		a.Phone = *r.Phone
	}
	err := g.WithContext(ctx).Raw(`
		SELECT role AS name, scope, scope_id FROM account_role WHERE account_id = ? ORDER BY role, scope, scope_id`,
		r.ID).Scan(&a.Roles).Error
	return a, r.PasswordHash, err
}

func hashOf(ctx context.Context, g *gorm.DB, id int64) (string, error) {
	var hash string
	err := g.WithContext(ctx).Raw(`SELECT password_hash FROM account WHERE id = ? AND state = 'active'`, id).Scan(&hash).Error
	return hash, err
}

func insert(ctx context.Context, tx db.Tx, a Account, hash string) (int64, error) {
	var id int64
	err := tx.WithContext(ctx).Raw(`
		INSERT INTO account (email, email_proven_at, name, phone, password_hash, locale, is_demo)
		VALUES (?, now(), ?, NULLIF(?, ''), ?, ?, ?) RETURNING id`,
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

func insertProven(ctx context.Context, tx db.Tx, c Contact, name, hash, locale string, at time.Time) (int64, error) {
	var id int64
	email, phone := c.pair()
	err := tx.WithContext(ctx).Raw(`
		INSERT INTO account (email, email_proven_at, phone, phone_proven_at, name, password_hash, locale, created_at)
		VALUES (CAST(@email AS text), CASE WHEN CAST(@email AS text) IS NOT NULL THEN CAST(@at AS timestamptz) END,
			CAST(@phone AS text), CASE WHEN CAST(@phone AS text) IS NOT NULL THEN CAST(@at AS timestamptz) END, @name, @hash, @locale, @at)
		RETURNING id`, map[string]any{"email": email, "phone": phone, "at": at, "name": name, "hash": hash, "locale": locale}).Scan(&id).Error
	return id, err
}

// setHash begins a new epoch: sessions of older ones no longer count.
func setHash(ctx context.Context, tx db.Tx, id int64, hash string) error {
	return tx.WithContext(ctx).Exec(`
		UPDATE account SET password_hash = ?, session_epoch = session_epoch + 1 WHERE id = ? AND state = 'active'`, hash, id).Error
}

func setContact(ctx context.Context, tx db.Tx, id int64, c Contact, at time.Time) error {
	if c.Channel == ByPhone {
		return tx.WithContext(ctx).Exec(`UPDATE account SET phone = ?, phone_proven_at = ? WHERE id = ? AND state = 'active'`, c.Value, at, id).Error
	}
	return tx.WithContext(ctx).Exec(`UPDATE account SET email = ?, email_proven_at = ? WHERE id = ? AND state = 'active'`, c.Value, at, id).Error
}

func setName(ctx context.Context, tx db.Tx, id int64, name string) error {
	return tx.WithContext(ctx).Exec(`UPDATE account SET name = ? WHERE id = ? AND state = 'active'`, name, id).Error
}

func setLocale(ctx context.Context, tx db.Tx, id int64, locale string) (bool, error) {
	res := tx.WithContext(ctx).Exec(`UPDATE account SET locale = ? WHERE id = ? AND state = 'active' AND locale <> ?`, locale, id, locale)
	return res.RowsAffected > 0, res.Error
}

func hold(ctx context.Context, tx db.Tx, id int64) (bool, error) {
	var found int64
	err := tx.WithContext(ctx).Raw(`SELECT id FROM account WHERE id = ? AND state = 'active' FOR SHARE`, id).Scan(&found).Error
	return found != 0, err
}

func lock(ctx context.Context, tx db.Tx, id int64) (bool, error) {
	var found int64
	err := tx.WithContext(ctx).Raw(`SELECT id FROM account WHERE id = ? AND state = 'active' FOR UPDATE`, id).Scan(&found).Error
	return found != 0, err
}

func anonymise(ctx context.Context, tx db.Tx, id int64, at time.Time) error {
	return tx.WithContext(ctx).Exec(`
		UPDATE account SET state = 'closed', anonymised_at = ?, email = NULL, email_proven_at = NULL, phone = NULL, phone_proven_at = NULL,
			name = '', password_hash = '', session_epoch = session_epoch + 1 WHERE id = ?`, at, id).Error
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
