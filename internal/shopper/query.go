package shopper

import (
	"context"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// find reads the proof of a handle or link; one that is not there has id 0. A link is compared in constant time.
func (s *Service) find(ctx context.Context, g *gorm.DB, a Answer, lock bool) (proofRow, error) {
	tail := ""
	if lock {
		tail = " FOR UPDATE"
	}
	var p proofRow
	if a.Link == "" {
		err := g.WithContext(ctx).Raw(`SELECT * FROM account_proof WHERE handle_hash = ?`+tail, ident.Hash(a.Handle)).Scan(&p).Error
		return p, err
	}
	id, _, _ := strings.Cut(a.Link, ".")
	n, err := strconv.ParseInt(id, 36, 64)
	if err != nil {
		return proofRow{}, nil
	}
	err = g.WithContext(ctx).Raw(`SELECT * FROM account_proof WHERE id = ? AND channel = 'email'`+tail, n).Scan(&p).Error
	if err != nil || !same(s.link(p), a.Link) {
		return proofRow{}, err
	}
	return p, nil
}

func proofByID(ctx context.Context, g *gorm.DB, id int64) (p proofRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT * FROM account_proof WHERE id = ?`, id).Scan(&p).Error
	return p, err
}

func addresses(ctx context.Context, g *gorm.DB, accountID int64) ([]Address, error) {
	var rows []Address
	err := g.WithContext(ctx).Raw(`SELECT id, name, phone, province_code, commune_code, street, is_default AS "default" FROM shopper_address
		WHERE account_id = ? ORDER BY is_default DESC, id DESC`, accountID).Scan(&rows).Error
	return rows, err
}

func countAddresses(ctx context.Context, tx db.Tx, accountID int64) (n int, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT count(*) FROM shopper_address WHERE account_id = ?`, accountID).Scan(&n).Error
	return n, err
}

func wishRoom(ctx context.Context, tx db.Tx, accountID int64, slug string) (product int64, on bool, n int, err error) {
	var r struct {
		ID int64
		On bool
		N  int
	}
	err = tx.WithContext(ctx).Raw(`SELECT p.id, EXISTS (SELECT FROM wish w WHERE w.account_id = @account AND w.product_id = p.id) AS "on",
			(SELECT count(*) FROM wish w WHERE w.account_id = @account) AS n
		FROM product p WHERE p.slug = @slug AND p.state = 'published'`, map[string]any{"account": accountID, "slug": slug}).Scan(&r).Error
	return r.ID, r.On, r.N, err
}

func wishes(ctx context.Context, g *gorm.DB, accountID int64) (ids []int64, err error) {
	err = g.WithContext(ctx).Raw(`SELECT product_id FROM wish WHERE account_id = ? ORDER BY added_at DESC, product_id DESC`, accountID).Scan(&ids).Error
	return ids, err
}

func wishSlugs(ctx context.Context, g *gorm.DB, accountID int64) (slugs []string, err error) {
	err = g.WithContext(ctx).Raw(`SELECT '/san-pham/' || p.slug FROM wish w JOIN product p ON p.id = w.product_id WHERE w.account_id = ?
		ORDER BY w.added_at DESC, p.id DESC`, accountID).Scan(&slugs).Error
	return slugs, err
}

func consents(ctx context.Context, g *gorm.DB, accountID int64) (rows []consentRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT * FROM account_consent WHERE account_id = ? ORDER BY id DESC`, accountID).Scan(&rows).Error
	return rows, err
}

func contacts(ctx context.Context, tx db.Tx, accountID int64) (phone, email string, err error) {
	var r struct{ Phone, Email string }
	err = tx.WithContext(ctx).Raw(`SELECT CASE WHEN phone_proven_at IS NOT NULL THEN coalesce(phone, '') ELSE '' END AS phone, coalesce(email, '') AS email
		FROM account WHERE id = ?`, accountID).Scan(&r).Error
	return r.Phone, r.Email, err
}

func deeds(ctx context.Context, g *gorm.DB, accountID int64) (rows []Deed, err error) {
	err = g.WithContext(ctx).Raw(`SELECT at, action FROM audit_event WHERE account_id = ? ORDER BY id`, accountID).Scan(&rows).Error
	return rows, err
}

func passkeys(ctx context.Context, g *gorm.DB, accountID int64) (rows []passkeyRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT * FROM passkey WHERE account_id = ? ORDER BY id`, accountID).Scan(&rows).Error
	return rows, err
}

func passkeyBy(ctx context.Context, g *gorm.DB, credentialID []byte) (r passkeyRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT * FROM passkey WHERE credential_id = ?`, credentialID).Scan(&r).Error
	return r, err
}

func yearsKept(ctx context.Context, g *gorm.DB, on clock.Date) (n int, err error) {
	err = g.WithContext(ctx).Raw(`SELECT years FROM retention_rule WHERE what = 'purchase_contact' AND effective_from <= ?
		AND (effective_to IS NULL OR effective_to >= ?) ORDER BY effective_from DESC LIMIT 1`, on, on).Scan(&n).Error
	return n, err
}
