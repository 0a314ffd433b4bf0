package cart

import (
	"context"
	"encoding/hex"
	"strings"
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

// itemRow is a line of one of several baskets, found by the place of its token in the list.
type itemRow struct {
	Nth       int
	VariantID int64
	Quantity  int
}

// hashes is a list of tokens as one array parameter.
func hashes(tokens []string) string {
	out := make([]string, len(tokens))
	for i, t := range tokens {
		out[i] = hex.EncodeToString(ident.Hash(t))
	}
	return "{" + strings.Join(out, ",") + "}"
}

const wanted = `SELECT decode(h, 'hex') AS token_hash, nth FROM unnest(CAST(? AS text[])) WITH ORDINALITY AS t (h, nth)`

func items(ctx context.Context, g *gorm.DB, tokens []string) (map[string][]Item, error) {
	var rows []itemRow
	err := g.WithContext(ctx).Raw(`WITH wanted AS (`+wanted+`)
		SELECT w.nth, l.variant_id, l.quantity FROM wanted w JOIN cart c ON c.token_hash = w.token_hash JOIN cart_line l ON l.cart_id = c.id
		ORDER BY w.nth, l.added_at, l.variant_id`, hashes(tokens)).Scan(&rows).Error
	return byToken(tokens, rows), err
}

// take deletes the lines that this statement can see. A line changed by whoever held the lock before is deleted as it is now.
func take(ctx context.Context, tx db.Tx, tokens []string, now time.Time) (map[string][]Item, error) {
	var rows []itemRow
	err := tx.WithContext(ctx).Raw(`WITH wanted AS (`+wanted+`), held AS MATERIALIZED (
			SELECT c.id, w.nth FROM wanted w JOIN cart c ON c.token_hash = w.token_hash ORDER BY c.id FOR UPDATE OF c
		), gone AS (
			DELETE FROM cart_line l USING held h WHERE l.cart_id = h.id RETURNING h.nth, l.variant_id, l.quantity, l.added_at
		), touched AS (
			UPDATE cart c SET updated_at = ? FROM held h WHERE c.id = h.id
		)
		SELECT nth, variant_id, quantity FROM gone ORDER BY nth, added_at, variant_id`, hashes(tokens), now).Scan(&rows).Error
	return byToken(tokens, rows), err
}

func byToken(tokens []string, rows []itemRow) map[string][]Item {
	out := make(map[string][]Item, len(tokens))
	for _, r := range rows {
		t := tokens[r.Nth-1]
		out[t] = append(out[t], Item{r.VariantID, r.Quantity})
	}
	return out
}

func count(ctx context.Context, g *gorm.DB, token string) (int, error) {
	var n int
	err := g.WithContext(ctx).Raw(`SELECT coalesce(sum(l.quantity), 0) FROM cart_line l JOIN cart c ON c.id = l.cart_id
		WHERE c.token_hash = ?`, ident.Hash(token)).Scan(&n).Error
	return n, err
}

func exists(ctx context.Context, g *gorm.DB, token string) (bool, error) {
	var there bool
	err := g.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM cart WHERE token_hash = ?)`, ident.Hash(token)).Scan(&there).Error
	return there, err
}

func lock(ctx context.Context, tx db.Tx, token string) (id int64, found bool, err error) {
	if token == "" {
		return 0, false, nil
	}
	err = tx.WithContext(ctx).Raw(`SELECT id FROM cart WHERE token_hash = ? FOR UPDATE`, ident.Hash(token)).Scan(&id).Error
	return id, id != 0, err
}

// lockOrOpen locks the basket of a token, or with open makes one that fresh opens; id 0 is neither.
func lockOrOpen(ctx context.Context, tx db.Tx, token, fresh string, open bool, now time.Time) (id int64, found bool, err error) {
	held := "" // no basket has an empty hash
	if token != "" {
		held = hex.EncodeToString(ident.Hash(token))
	}
	var r struct {
		ID    int64
		Found bool
	}
	err = tx.WithContext(ctx).Raw(`WITH held AS MATERIALIZED (SELECT id FROM cart WHERE token_hash = decode(@held, 'hex') FOR UPDATE), made AS (
			INSERT INTO cart (created_at, updated_at, token_hash) SELECT CAST(@now AS timestamptz), CAST(@now AS timestamptz), decode(@fresh, 'hex') WHERE @open AND NOT EXISTS (SELECT FROM held) RETURNING id)
		SELECT id, true AS found FROM held UNION ALL SELECT id, false FROM made`,
		map[string]any{"held": held, "fresh": hex.EncodeToString(ident.Hash(fresh)), "open": open, "now": now}).Scan(&r).Error
	return r.ID, r.Found, err
}

func insert(ctx context.Context, tx db.Tx, token string, now time.Time) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO cart (created_at, updated_at, token_hash) VALUES (?, ?, ?) RETURNING id`,
		now, now, ident.Hash(token)).Scan(&id).Error
	return id, err
}

// put adds pieces to a basket that an earlier statement has locked, so that this one sees all its lines.
func put(ctx context.Context, tx db.Tx, cartID, variantID int64, quantity int, price money.VND, now time.Time) error {
	var lines int
	err := tx.WithContext(ctx).Raw(`WITH line AS (
			INSERT INTO cart_line (cart_id, variant_id, quantity, price_seen, added_at)
			SELECT CAST(@cart AS bigint), CAST(@variant AS bigint), CAST(@quantity AS int), CAST(@price AS bigint), CAST(@now AS timestamptz)
			WHERE (SELECT count(*) FROM cart_line WHERE cart_id = @cart AND variant_id <> @variant) < @lines
			ON CONFLICT (cart_id, variant_id) DO UPDATE
			SET quantity = least(cart_line.quantity + excluded.quantity, @most), price_seen = excluded.price_seen RETURNING 1
		), touched AS (UPDATE cart SET updated_at = @now WHERE id = @cart AND EXISTS (SELECT FROM line))
		SELECT count(*) FROM line`, map[string]any{"cart": cartID, "variant": variantID, "quantity": quantity, "price": int64(price), "now": now,
		"lines": MaxLines, "most": MaxQuantity}).Scan(&lines).Error
	if err == nil && lines == 0 {
		err = apperr.New(apperr.Conflict, "cart.full", "max", MaxLines)
	}
	return err
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

func touch(ctx context.Context, tx db.Tx, cartID int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE cart SET updated_at = ? WHERE id = ?`, now, cartID).Error
}

func sweep(ctx context.Context, g *gorm.DB, before time.Time) (int, error) {
	done := g.WithContext(ctx).Exec(`DELETE FROM cart WHERE updated_at < ?`, before)
	return int(done.RowsAffected), done.Error
}

func peekOwn(ctx context.Context, g *gorm.DB, accountID int64) (int64, int, error) {
	var r struct {
		ID   int64
		Turn int
	}
	err := g.WithContext(ctx).Raw(`SELECT id, turn FROM cart WHERE account_id = ?`, accountID).Scan(&r).Error
	return r.ID, r.Turn, err
}

func ownCart(ctx context.Context, tx db.Tx, accountID int64) (int64, int, error) {
	var r struct {
		ID   int64
		Turn int
	}
	err := tx.WithContext(ctx).Raw(`SELECT id, turn FROM cart WHERE account_id = ? FOR UPDATE`, accountID).Scan(&r).Error
	return r.ID, r.Turn, err
}

func insertOwn(ctx context.Context, tx db.Tx, accountID int64, placeholder []byte, now time.Time) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO cart (created_at, updated_at, token_hash, account_id) VALUES (?, ?, ?, ?)
		ON CONFLICT (account_id) DO NOTHING`, now, now, placeholder, accountID).Error
}

func setToken(ctx context.Context, tx db.Tx, id int64, turn int, hash []byte) error {
	return tx.WithContext(ctx).Exec(`UPDATE cart SET token_hash = ?, turn = ? WHERE id = ?`, hash, turn, id).Error
}

// lockGuest locks the basket of a token unless it is an account's.
func lockGuest(ctx context.Context, tx db.Tx, token string) (id int64, found bool, err error) {
	if token == "" {
		return 0, false, nil
	}
	err = tx.WithContext(ctx).Raw(`SELECT id FROM cart WHERE token_hash = ? AND account_id IS NULL FOR UPDATE`, ident.Hash(token)).Scan(&id).Error
	return id, id != 0, err
}

// pour moves what lies in one locked basket into another and forgets the first. It reports whether something had to stay
// behind.
func pour(ctx context.Context, tx db.Tx, from, to int64) (cut bool, err error) {
	g := tx.WithContext(ctx)
	err = g.Raw(`WITH room AS (
			SELECT ?::int - count(*) AS n FROM cart_line WHERE cart_id = ?
		), wanted AS (
			SELECT f.variant_id, f.quantity, f.price_seen, f.added_at, t.variant_id IS NOT NULL AS known, coalesce(t.quantity, 0) + f.quantity AS sum,
				row_number() OVER (PARTITION BY t.variant_id IS NULL ORDER BY f.added_at, f.variant_id) AS nth
			FROM cart_line f LEFT JOIN cart_line t ON t.cart_id = ? AND t.variant_id = f.variant_id WHERE f.cart_id = ?
		), poured AS (
			INSERT INTO cart_line (cart_id, variant_id, quantity, price_seen, added_at)
			SELECT ?, variant_id, least(sum, ?::int), price_seen, added_at FROM wanted, room WHERE known OR nth <= room.n
			ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = excluded.quantity, price_seen = excluded.price_seen
		)
		SELECT coalesce(bool_or(sum > ?::int OR NOT known AND nth > room.n), false) FROM wanted, room`,
		MaxLines, to, to, from, to, MaxQuantity, MaxQuantity).Scan(&cut).Error
	if err != nil {
		return false, err
	}
	return cut, g.Exec(`DELETE FROM cart WHERE id = ?`, from).Error
}

func drop(ctx context.Context, tx db.Tx, accountID int64) error {
	return tx.WithContext(ctx).Exec(`DELETE FROM cart WHERE account_id = ?`, accountID).Error
}
