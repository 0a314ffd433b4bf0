package inventory

import (
	"context"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// mark is how far the books were read for partners.
type mark struct {
	MovementID    int64
	ReservationID int64
	SeenAt        time.Time
	FullAt        time.Time
}

// lockMark makes two looks at a time one after the other.
func lockMark(ctx context.Context, tx db.Tx) (m mark, known bool, err error) {
	var rows []mark
	err = tx.WithContext(ctx).Raw(`SELECT movement_id, reservation_id, seen_at, full_at FROM stock_told_mark FOR UPDATE`).Scan(&rows).Error
	if len(rows) == 1 {
		return rows[0], true, err
	}
	return mark{}, false, err
}

func setMark(ctx context.Context, tx db.Tx, m mark) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO stock_told_mark (movement_id, reservation_id, seen_at, full_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (one) DO UPDATE SET (movement_id, reservation_id, seen_at, full_at)
			= (excluded.movement_id, excluded.reservation_id, excluded.seen_at, excluded.full_at)`, m.MovementID, m.ReservationID, m.SeenAt, m.FullAt).Error
}

// forgetTold ends what nobody listens to: without a mark the next listener begins anew.
func forgetTold(ctx context.Context, tx db.Tx) error {
	return tx.WithContext(ctx).Exec(`DELETE FROM stock_told_mark`).Error
}

func booksEnd(ctx context.Context, tx db.Tx) (movement, reservation int64, err error) {
	var r struct{ Movement, Reservation int64 }
	err = tx.WithContext(ctx).Raw(`SELECT (SELECT coalesce(max(id), 0) FROM stock_movement) AS movement, (SELECT coalesce(max(id), 0) FROM stock_reservation) AS reservation`).Scan(&r).Error
	return r.Movement, r.Reservation, err
}

type changedRow struct {
	SKU       string `gorm:"column:sku"`
	Available int64
}

// What may have changed since the mark, and everything.
const (
	touchedVariants = `SELECT DISTINCT l.variant_id AS id FROM stock_level l WHERE l.id IN (
		SELECT level_id FROM stock_movement WHERE id > @movement
		UNION SELECT level_id FROM stock_reservation WHERE id > @reservation
		UNION SELECT level_id FROM stock_reservation WHERE closed_at > @since
		UNION SELECT level_id FROM stock_reservation WHERE state = 'open' AND expires_at > @since AND expires_at <= @now)`
	allVariants = `SELECT id FROM variant`
)

// changedStock writes down what can be promised now, as [Service.Shelves] counts it, and returns where that differs from
// what was last told. A variant never told of and not to be had is no news.
func changedStock(ctx context.Context, tx db.Tx, m mark, full bool, now time.Time, today clock.Date) ([]changedRow, error) {
	which := touchedVariants
	if full {
		which = allVariants
	}
	var rows []changedRow
	err := tx.WithContext(ctx).Raw(`WITH touched AS MATERIALIZED (`+which+`), counted AS (
			SELECT v.id, v.sku, CASE WHEN v.state = 'active' AND p.state = 'published' THEN greatest(0, coalesce(x.n, 0)) ELSE 0 END AS available
			FROM touched JOIN variant v ON v.id = touched.id JOIN product p ON p.id = v.product_id
			LEFT JOIN LATERAL (
				SELECT sum(l.on_hand - l.reserved + CASE WHEN l.reserved > 0 THEN coalesce((SELECT sum(r.quantity) FROM stock_reservation r
					WHERE r.level_id = l.id AND r.state = 'open' AND r.expires_at <= @now), 0) ELSE 0 END) AS n
				FROM stock_level l JOIN stock_location s ON s.id = l.location_id AND s.kind = 'producer' AND s.state = 'open' AND s.producer_id = p.producer_id
				LEFT JOIN stock_lot t ON t.id = l.lot_id
				WHERE l.variant_id = v.id AND (t.expires_on IS NULL OR t.expires_on >= @today)) x ON true
		), news AS (
			SELECT c.id, c.sku, CAST(c.available AS bigint) AS available, a.variant_id IS NULL AND c.available = 0 AS none
			FROM counted c LEFT JOIN stock_told a ON a.variant_id = c.id WHERE a.available IS DISTINCT FROM c.available
		), kept AS (
			INSERT INTO stock_told AS a (variant_id, available) SELECT id, available FROM news ORDER BY id
			ON CONFLICT (variant_id) DO UPDATE SET available = excluded.available
		)
		SELECT sku, available FROM news WHERE NOT none ORDER BY id`,
		map[string]any{"movement": m.MovementID - overlap, "reservation": m.ReservationID - overlap, "since": m.SeenAt.Add(-overlapTime),
			"now": now, "today": today}).Scan(&rows).Error
	return rows, err
}
