package inventory

import (
	"context"
	"database/sql/driver"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// bigints is a list that goes to PostgreSQL as one array parameter, so that a statement is the same text
// for any number of ids. A negative number stands for NULL where a column may be NULL.
type bigints []int64

// Value writes {1,2,NULL}.
func (b bigints) Value() (driver.Value, error) {
	parts := make([]string, len(b))
	for i, n := range b {
		parts[i] = strconv.FormatInt(n, 10)
		if n < 0 {
			parts[i] = "NULL"
		}
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

const none = -1

func orNone(id *int64) int64 {
	if id == nil {
		return none
	}
	return *id
}

// keyOrder is the one order in which levels are locked.
const keyOrder = ` ORDER BY l.variant_id, l.location_id, l.lot_id NULLS FIRST, l.owner_id FOR UPDATE OF l`

type locked struct {
	ID, VariantID, LocationID, OwnerID int64
	LotID                              *int64
	OnHand, Reserved                   int64
	ExpiresOn                          clock.Date
	Open                               bool // whether its location is
}

const lockedColumns = `SELECT l.id, l.variant_id, l.location_id, l.lot_id, l.owner_id, l.on_hand, l.reserved, t.expires_on, p.state = 'open' AS open
	FROM stock_level l JOIN stock_location p ON p.id = l.location_id LEFT JOIN stock_lot t ON t.id = l.lot_id `

// lockPlaces locks every level of the given variants at the given places, pair by pair.
func lockPlaces(ctx context.Context, tx db.Tx, variants, locations bigints) ([]locked, error) {
	var rows []locked
	err := tx.WithContext(ctx).Raw(lockedColumns+`
		WHERE (l.variant_id, l.location_id) IN (SELECT * FROM unnest(?::bigint[], ?::bigint[]))`+keyOrder,
		variants, locations).Scan(&rows).Error
	return rows, err
}

// lockOrder locks the levels on which the order ever had a reservation.
func lockOrder(ctx context.Context, tx db.Tx, orderID int64) ([]locked, error) {
	var rows []locked
	err := tx.WithContext(ctx).Raw(lockedColumns+`
		WHERE l.id IN (SELECT level_id FROM stock_reservation WHERE order_id = ?)`+keyOrder, orderID).Scan(&rows).Error
	return rows, err
}

type key struct {
	VariantID, LocationID, OwnerID int64
	LotID                          int64 // none for goods without lot
}

func columns(keys []key) (variants, locations, lots, owners bigints) {
	for _, k := range keys {
		variants, locations = append(variants, k.VariantID), append(locations, k.LocationID)
		lots, owners = append(lots, k.LotID), append(owners, k.OwnerID)
	}
	return variants, locations, lots, owners
}

// ensureLevels makes the rows that are missing, empty: a CHECK is tried on the proposed row before
// ON CONFLICT, so stock is added only afterwards.
func ensureLevels(ctx context.Context, tx db.Tx, keys []key) error {
	variants, locations, lots, owners := columns(keys)
	return tx.WithContext(ctx).Exec(`
		INSERT INTO stock_level (variant_id, location_id, lot_id, owner_id)
		SELECT DISTINCT k.v, k.p, k.t, k.o FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS k (v, p, t, o)
		WHERE NOT EXISTS (SELECT FROM stock_level l WHERE l.variant_id = k.v AND l.location_id = k.p
			AND l.lot_id IS NOT DISTINCT FROM k.t AND l.owner_id = k.o)
		ORDER BY k.v, k.p, k.t NULLS FIRST, k.o
		ON CONFLICT ON CONSTRAINT stock_level_key DO NOTHING`, variants, locations, lots, owners).Error
}

func lockKeys(ctx context.Context, tx db.Tx, keys []key) (map[key]locked, error) {
	variants, locations, lots, owners := columns(keys)
	var rows []locked
	err := tx.WithContext(ctx).Raw(lockedColumns+`
		WHERE EXISTS (SELECT FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS k (v, p, t, o)
			WHERE l.variant_id = k.v AND l.location_id = k.p AND l.lot_id IS NOT DISTINCT FROM k.t AND l.owner_id = k.o)`+keyOrder,
		variants, locations, lots, owners).Scan(&rows).Error
	out := make(map[key]locked, len(rows))
	for _, r := range rows {
		out[key{VariantID: r.VariantID, LocationID: r.LocationID, OwnerID: r.OwnerID, LotID: orNone(r.LotID)}] = r
	}
	return out, err
}

// closeExpired closes the reservations past their time on levels that the caller has locked, and returns
// how many pieces each level won. An order named in keep is left alone.
func closeExpired(ctx context.Context, tx db.Tx, levels bigints, keep int64, now time.Time) (map[int64]int64, error) {
	var rows []struct{ ID, Quantity int64 }
	err := tx.WithContext(ctx).Raw(`
		WITH freed AS (
			UPDATE stock_reservation SET state = 'released', closed_at = ?
			WHERE level_id = ANY (?::bigint[]) AND state = 'open' AND expires_at <= ? AND order_id <> ?
			RETURNING level_id, quantity),
		sums AS (SELECT level_id, sum(quantity)::bigint AS quantity FROM freed GROUP BY level_id)
		UPDATE stock_level l SET reserved = l.reserved - s.quantity FROM sums s WHERE l.id = s.level_id
		RETURNING l.id, s.quantity`, now, levels, now, keep).Scan(&rows).Error
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Quantity
	}
	return out, err
}

type held struct {
	OrderID, LevelID, Quantity int64
	State                      string
}

func reservations(ctx context.Context, tx db.Tx, orders bigints) ([]held, error) {
	var rows []held
	err := tx.WithContext(ctx).Raw(`
		SELECT order_id, level_id, quantity, state FROM stock_reservation
		WHERE order_id = ANY (?::bigint[]) ORDER BY order_id, level_id`, orders).Scan(&rows).Error
	return rows, err
}

type promise struct {
	OrderID, LevelID, Quantity int64
	Expires                    *time.Time
}

// promiseAll writes the reservations and raises the levels by their sums, in one statement.
func promiseAll(ctx context.Context, tx db.Tx, list []promise, now time.Time) error {
	var orders, levels, quantities, expires bigints
	for _, p := range list {
		orders, levels, quantities = append(orders, p.OrderID), append(levels, p.LevelID), append(quantities, p.Quantity)
		micros := int64(none)
		if p.Expires != nil {
			micros = p.Expires.UnixMicro()
		}
		expires = append(expires, micros)
	}
	return tx.WithContext(ctx).Exec(`
		WITH made AS (
			INSERT INTO stock_reservation (order_id, level_id, quantity, expires_at, created_at)
			SELECT o, l, q, timestamptz 'epoch' + e * interval '1 microsecond', ?
			FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[]) AS w (o, l, q, e)
			RETURNING level_id, quantity),
		sums AS (SELECT level_id, sum(quantity)::bigint AS quantity FROM made GROUP BY level_id)
		UPDATE stock_level l SET reserved = l.reserved + s.quantity FROM sums s WHERE l.id = s.level_id`,
		now, orders, levels, quantities, expires).Error
}

// release closes the open reservations of an order whose levels the caller has locked.
func release(ctx context.Context, tx db.Tx, orderID int64, now time.Time) error {
	return tx.WithContext(ctx).Exec(`
		WITH closed AS (
			UPDATE stock_reservation SET state = 'released', closed_at = ? WHERE order_id = ? AND state = 'open'
			RETURNING level_id, quantity)
		UPDATE stock_level l SET reserved = l.reserved - c.quantity FROM closed c WHERE l.id = c.level_id`, now, orderID).Error
}

// keep takes the end off the order's promises and opens again those that were released.
func keep(ctx context.Context, tx db.Tx, orderID int64) error {
	return tx.WithContext(ctx).Exec(`
		WITH gone AS (SELECT id, level_id, quantity FROM stock_reservation WHERE order_id = ? AND state = 'released'),
		kept AS (
			UPDATE stock_reservation r SET state = 'open', closed_at = NULL, expires_at = NULL
			WHERE r.order_id = ? AND r.state IN ('open', 'released') RETURNING r.id)
		UPDATE stock_level l SET reserved = l.reserved + g.quantity FROM gone g WHERE l.id = g.level_id`, orderID, orderID).Error
}

// sell turns the open reservations of an order into movements; the caller has locked the levels.
func sell(ctx context.Context, tx db.Tx, orderID int64, actor string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`
		WITH closed AS (
			UPDATE stock_reservation SET state = 'sold', closed_at = ? WHERE order_id = ? AND state = 'open'
			RETURNING level_id, quantity),
		moved AS (
			UPDATE stock_level l SET on_hand = l.on_hand - c.quantity, reserved = l.reserved - c.quantity
			FROM closed c WHERE l.id = c.level_id RETURNING l.id, c.quantity)
		INSERT INTO stock_movement (level_id, kind, quantity, cause, cause_id, actor, at)
		SELECT id, 'sell', quantity, 'order', ?, ?, ? FROM moved ORDER BY id`,
		now, orderID, strconv.FormatInt(orderID, 10), actor, now).Error
}

// restock books back what the order took, once per level: the request key holds that.
func restock(ctx context.Context, tx db.Tx, orderID int64, actor, reason string, now time.Time) error {
	id := strconv.FormatInt(orderID, 10)
	return tx.WithContext(ctx).Exec(`
		WITH back AS (
			INSERT INTO stock_movement (level_id, kind, quantity, cause, cause_id, reason, actor, request_key, at)
			SELECT level_id, 'return_in', quantity, 'order', ?, ?, ?, 'restock:' || order_id || ':' || level_id, ?
			FROM stock_reservation WHERE order_id = ? AND state = 'sold'
			ON CONFLICT (request_key) DO NOTHING RETURNING level_id, quantity)
		UPDATE stock_level l SET on_hand = l.on_hand + b.quantity FROM back b WHERE l.id = b.level_id`,
		id, reason, actor, now, orderID).Error
}

type movement struct {
	ID         int64
	LevelID    int64
	Kind       string
	Quantity   int64
	Cause      string
	CauseID    string
	Reason     string
	Actor      string
	RequestKey *string
	At         time.Time
}

func byRequestKeys(ctx context.Context, tx db.Tx, keys []string) (map[string]movement, error) {
	out := make(map[string]movement, len(keys))
	if len(keys) == 0 {
		return out, nil
	}
	var rows []movement
	err := tx.WithContext(ctx).Raw(`
		SELECT id, level_id, kind, quantity, cause, cause_id, reason, actor, request_key, at
		FROM stock_movement WHERE request_key IN ?`, keys).Scan(&rows).Error
	for _, r := range rows {
		out[*r.RequestKey] = r
	}
	return out, err
}

// post appends the movements and changes the levels, which the caller has locked. The ids come back in the list.
func post(ctx context.Context, tx db.Tx, list []movement) error {
	if err := tx.WithContext(ctx).Table("stock_movement").Create(&list).Error; err != nil {
		return err
	}
	var levels, deltas bigints
	minus := make(bigints, 0, len(list))
	for _, m := range list {
		up, down := m.Quantity, int64(0)
		if m.Kind == adjustDown {
			up, down = 0, m.Quantity
		}
		levels, deltas, minus = append(levels, m.LevelID), append(deltas, up), append(minus, down)
	}
	return tx.WithContext(ctx).Exec(`
		WITH sums AS (
			SELECT l AS level_id, sum(u - d)::bigint AS delta
			FROM unnest(?::bigint[], ?::bigint[], ?::bigint[]) AS m (l, u, d) GROUP BY l)
		UPDATE stock_level l SET on_hand = l.on_hand + s.delta FROM sums s WHERE l.id = s.level_id`,
		levels, deltas, minus).Error
}

// expiredLevels locks some levels that hold reservations past their time, leaving out those somebody else works on.
func expiredLevels(ctx context.Context, tx db.Tx, now time.Time, limit int) (bigints, error) {
	var ids []int64
	err := tx.WithContext(ctx).Raw(`
		SELECT l.id FROM stock_level l
		WHERE l.id IN (SELECT level_id FROM stock_reservation WHERE state = 'open' AND expires_at <= ?)
		ORDER BY l.variant_id, l.location_id, l.lot_id NULLS FIRST, l.owner_id LIMIT ?
		FOR UPDATE SKIP LOCKED`, now, limit).Scan(&ids).Error
	return ids, err
}

func ensureProducerLocation(ctx context.Context, tx db.Tx, producerID int64) (int64, error) {
	var id int64
	err := tx.WithContext(ctx).Exec(`
		INSERT INTO stock_location (kind, producer_id, name)
		SELECT 'producer', id, name FROM producer WHERE id = ?
		ON CONFLICT (producer_id) DO NOTHING`, producerID).Error
	if err != nil {
		return 0, err
	}
	err = tx.WithContext(ctx).Raw(`SELECT id FROM stock_location WHERE producer_id = ?`, producerID).Scan(&id).Error
	return id, err
}

type variantPlace struct {
	ID         int64
	SKU        string `gorm:"column:sku"`
	ProducerID int64
	LocationID int64 // of its producer; 0 when there is none yet
}

// variantPlaces finds variants by id or by SKU.
func variantPlaces(ctx context.Context, g *gorm.DB, ids bigints, skus []string) ([]variantPlace, error) {
	var rows []variantPlace
	err := g.WithContext(ctx).Raw(`
		SELECT v.id, v.sku, p.producer_id, coalesce(s.id, 0) AS location_id
		FROM variant v JOIN product p ON p.id = v.product_id LEFT JOIN stock_location s ON s.producer_id = p.producer_id
		WHERE v.id = ANY (?::bigint[]) OR v.sku IN (?)`, ids, skus).Scan(&rows).Error
	return rows, err
}
