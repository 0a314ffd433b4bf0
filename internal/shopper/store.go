package shopper

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

type proofRow struct {
	ID           int64
	HandleHash   []byte
	Purpose      string
	Channel      string
	Identifier   string
	AccountID    *int64
	Name         string
	PasswordHash string
	Marketing    bool
	Locale       string
	Attempts     int
	CreatedAt    time.Time
	CodeUntil    time.Time
	LinkUntil    time.Time
	UsedAt       *time.Time
	ToldTo       string // the contact that the account had before
}

func (proofRow) TableName() string { return "account_proof" }

type consentRow struct {
	ID          int64
	AccountID   int64
	Purpose     string
	TextVersion string
	Given       bool
	At          time.Time
}

func (consentRow) TableName() string { return "account_consent" }

// asked counts the messages of one identifier since two moments, the later first. The identifier stays locked, so that requests at
// once count each other.
func asked(ctx context.Context, tx db.Tx, identifier string, late, early time.Time) (since, all int, err error) {
	g := tx.WithContext(ctx)
	if err := g.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('account proof ' || ?, 0))`, identifier).Error; err != nil {
		return 0, 0, err
	}
	var n struct{ Late, Early int }
	err = g.Raw(`SELECT count(*) FILTER (WHERE created_at > ?) AS late, count(*) AS early FROM account_proof WHERE identifier = ? AND created_at > ?`,
		late, identifier, early).Scan(&n).Error
	return n.Late, n.Early, err
}

func setToldTo(ctx context.Context, tx db.Tx, id int64, contact string) error {
	return tx.WithContext(ctx).Exec(`UPDATE account_proof SET told_to = ? WHERE id = ?`, contact, id).Error
}

func insertProof(ctx context.Context, tx db.Tx, p proofRow) (int64, error) {
	err := tx.WithContext(ctx).Create(&p).Error
	return p.ID, err
}

func markUsed(ctx context.Context, tx db.Tx, id int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE account_proof SET used_at = ?, password_hash = '' WHERE id = ?`, now, id).Error
}

func countTry(ctx context.Context, tx db.Tx, id int64) error {
	return tx.WithContext(ctx).Exec(`UPDATE account_proof SET attempts = attempts + 1 WHERE id = ?`, id).Error
}

func sweep(ctx context.Context, g *gorm.DB, before time.Time) (int, error) {
	done := g.WithContext(ctx).Exec(`DELETE FROM account_proof WHERE created_at < ?`, before)
	return int(done.RowsAffected), done.Error
}

func insertConsents(ctx context.Context, tx db.Tx, rows []consentRow) error {
	return tx.WithContext(ctx).Create(&rows).Error
}

func clearDefault(ctx context.Context, tx db.Tx, accountID int64) error {
	return tx.WithContext(ctx).Exec(`UPDATE shopper_address SET is_default = false WHERE account_id = ? AND is_default`, accountID).Error
}

func putAddress(ctx context.Context, tx db.Tx, accountID int64, a Address, now time.Time) (bool, error) {
	g := tx.WithContext(ctx)
	if a.ID == 0 {
		return true, g.Exec(`INSERT INTO shopper_address (account_id, name, phone, province_code, commune_code, street, is_default, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, accountID, a.Name, a.Phone, a.ProvinceCode, a.CommuneCode, a.Street, a.Default, now).Error
	}
	done := g.Exec(`UPDATE shopper_address SET name = ?, phone = ?, province_code = ?, commune_code = ?, street = ?, is_default = is_default OR ?
		WHERE id = ? AND account_id = ?`, a.Name, a.Phone, a.ProvinceCode, a.CommuneCode, a.Street, a.Default, a.ID, accountID)
	return done.RowsAffected > 0, done.Error
}

func dropAddress(ctx context.Context, tx db.Tx, accountID, id int64) (bool, error) {
	g := tx.WithContext(ctx)
	done := g.Exec(`DELETE FROM shopper_address WHERE id = ? AND account_id = ?`, id, accountID)
	if done.Error != nil || done.RowsAffected == 0 {
		return false, done.Error
	}
	return true, g.Exec(`UPDATE shopper_address SET is_default = true WHERE id = (SELECT max(id) FROM shopper_address WHERE account_id = ?)
		AND NOT EXISTS (SELECT FROM shopper_address WHERE account_id = ? AND is_default)`, accountID, accountID).Error
}

func insertWish(ctx context.Context, tx db.Tx, accountID, productID int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO wish (account_id, product_id, added_at) VALUES (?, ?, ?)`, accountID, productID, now).Error
}

func dropWish(ctx context.Context, g *gorm.DB, accountID int64, slug string) error {
	return g.WithContext(ctx).Exec(`DELETE FROM wish WHERE account_id = ? AND product_id = (SELECT id FROM product WHERE slug = ?)`, accountID, slug).Error
}

// forget takes away all that is an account's own, and the proofs of its contacts.
func forget(ctx context.Context, tx db.Tx, accountID int64, contacts []string) error {
	g := tx.WithContext(ctx)
	for _, statement := range []string{`DELETE FROM shopper_address WHERE account_id = ?`, `DELETE FROM wish WHERE account_id = ?`, `DELETE FROM passkey WHERE account_id = ?`,
		`DELETE FROM account_proof WHERE account_id = ?`} {
		if err := g.Exec(statement, accountID).Error; err != nil {
			return err
		}
	}
	if len(contacts) == 0 {
		return nil
	}
	return g.Exec(`DELETE FROM account_proof WHERE identifier IN ?`, contacts).Error
}

type passkeyRow struct {
	ID           int64
	AccountID    int64
	CredentialID []byte
	Credential   string
	Name         string
	CreatedAt    time.Time
	UsedAt       *time.Time
}

func (passkeyRow) TableName() string { return "passkey" }

func insertPasskey(ctx context.Context, tx db.Tx, r passkeyRow) error {
	return tx.WithContext(ctx).Create(&r).Error
}

// usePasskey records a use that was asked for after the last one; of two uses at once the second finds nothing.
func usePasskey(ctx context.Context, tx db.Tx, id int64, credential string, asked, now time.Time) (bool, error) {
	done := tx.WithContext(ctx).Exec(`UPDATE passkey SET credential = ?::jsonb, used_at = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)`,
		credential, now, id, asked)
	return done.RowsAffected > 0, done.Error
}

func dropPasskey(ctx context.Context, tx db.Tx, accountID, id int64) (bool, error) {
	done := tx.WithContext(ctx).Exec(`DELETE FROM passkey WHERE id = ? AND account_id = ?`, id, accountID)
	return done.RowsAffected > 0, done.Error
}
