package cart

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
)

type lineRow struct {
	VariantID int64
	Quantity  int
	PriceSeen int64
}

func lines(ctx context.Context, g *gorm.DB, token string) ([]lineRow, error) {
	var rows []lineRow
	if token == "" {
		return nil, nil
	}
	err := g.WithContext(ctx).Raw(`SELECT l.variant_id, l.quantity, l.price_seen FROM cart_line l JOIN cart c ON c.id = l.cart_id
		WHERE c.token_hash = ? ORDER BY l.added_at, l.variant_id`, ident.Hash(token)).Scan(&rows).Error
	return rows, err
}

func bare(ctx context.Context, g *gorm.DB, cartID int64) ([]Item, error) {
	var items []Item
	err := g.WithContext(ctx).Raw(`SELECT variant_id, quantity FROM cart_line WHERE cart_id = ? ORDER BY added_at, variant_id`, cartID).
		Scan(&items).Error
	return items, err
}

func count(ctx context.Context, g *gorm.DB, token string) (int, error) {
	var n int
	err := g.WithContext(ctx).Raw(`SELECT coalesce(sum(l.quantity), 0) FROM cart_line l JOIN cart c ON c.id = l.cart_id
		WHERE c.token_hash = ?`, ident.Hash(token)).Scan(&n).Error
	return n, err
}

func lock(ctx context.Context, tx db.Tx, token string) (id int64, found bool, err error) {
	if token == "" {
		return 0, false, nil
	}
	err = tx.WithContext(ctx).Raw(`SELECT id FROM cart WHERE token_hash = ? FOR UPDATE`, ident.Hash(token)).Scan(&id).Error
	return id, id != 0, err
}

func insert(ctx context.Context, tx db.Tx, token string, now time.Time) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO cart (created_at, updated_at, token_hash) VALUES (?, ?, ?) RETURNING id`,
		now, now, ident.Hash(token)).Scan(&id).Error
	return id, err
}

func put(ctx context.Context, tx db.Tx, cartID, variantID int64, quantity int, price money.VND, now time.Time) error {
	var others int
	g := tx.WithContext(ctx)
	err := g.Raw(`SELECT count(*) FROM cart_line WHERE cart_id = ? AND variant_id <> ?`, cartID, variantID).Scan(&others).Error
	if err != nil {
		return err
	}
	if others >= MaxLines {
		return apperr.New(apperr.Conflict, "cart.full", "max", MaxLines)
	}
	err = g.Exec(`INSERT INTO cart_line (cart_id, variant_id, quantity, price_seen, added_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (cart_id, variant_id) DO UPDATE
		SET quantity = least(cart_line.quantity + excluded.quantity, ?), price_seen = excluded.price_seen`,
		cartID, variantID, quantity, int64(price), now, MaxQuantity).Error
	if err != nil {
		return err
	}
	return touch(ctx, tx, cartID, now)
}

func setQuantity(ctx context.Context, tx db.Tx, cartID, variantID int64, quantity int, price money.VND) error {
	done := tx.WithContext(ctx).Exec(`UPDATE cart_line SET quantity = ?, price_seen = CASE WHEN ? > 0 THEN ? ELSE price_seen END
		WHERE cart_id = ? AND variant_id = ?`, quantity, int64(price), int64(price), cartID, variantID)
	if done.Error == nil && done.RowsAffected == 0 {
		return apperr.New(apperr.NotFound, "cart.unknown")
	}
	return done.Error
}

func remove(ctx context.Context, tx db.Tx, cartID, variantID int64) error {
	return tx.WithContext(ctx).Exec(`DELETE FROM cart_line WHERE cart_id = ? AND variant_id = ?`, cartID, variantID).Error
}

func removeAll(ctx context.Context, tx db.Tx, cartID int64) error {
	return tx.WithContext(ctx).Exec(`DELETE FROM cart_line WHERE cart_id = ?`, cartID).Error
}

func touch(ctx context.Context, tx db.Tx, cartID int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE cart SET updated_at = ? WHERE id = ?`, now, cartID).Error
}

func sweep(ctx context.Context, g *gorm.DB, before time.Time) (int, error) {
	done := g.WithContext(ctx).Exec(`DELETE FROM cart WHERE updated_at < ?`, before)
	return int(done.RowsAffected), done.Error
}
