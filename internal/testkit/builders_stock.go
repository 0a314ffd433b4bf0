package testkit

import (
	"context"
	"testing"

	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// CheckLedger tries, when the test ends, every invariant of the stock tables. Call it right after [DB].
func CheckLedger(t testing.TB, d *db.DB) {
	t.Helper()
	t.Cleanup(func() { LedgerHolds(t, d) })
}

// LedgerHolds tries every invariant of the stock tables now.
func LedgerHolds(t testing.TB, d *db.DB) {
	t.Helper()
	for _, c := range inventory.Checks() {
		var n int64
		if err := d.Pool().QueryRow(context.Background(), c.SQL).Scan(&n); err != nil {
			t.Fatalf("check %q: %v", c.Name, err)
		}
		if n != 0 {
			t.Errorf("%s: %d violations", c.Name, n)
		}
	}
}

// LocationOf is the own stock location of a producer.
func LocationOf(t testing.TB, d *db.DB, producer int64) int64 {
	t.Helper()
	var id int64
	Scan(t, d, &id, `SELECT id FROM stock_location WHERE producer_id = $1`, producer)
	return id
}

// Lot writes a lot of a variant with its last day and receives pieces of it at the producer's own location.
func Lot(t testing.TB, d *db.DB, variant int64, code string, lastDay clock.Date, pieces int64) int64 {
	t.Helper()
	id := insert(t, d, `INSERT INTO stock_lot (variant_id, code, expires_on) VALUES ($1, $2, $3) RETURNING id`, variant, code, lastDay.String())
	Exec(t, d, `INSERT INTO stock_level (variant_id, location_id, lot_id, owner_id)
		SELECT v.id, l.id, $2, p.producer_id FROM variant v JOIN product p ON p.id = v.product_id
		JOIN stock_location l ON l.producer_id = p.producer_id WHERE v.id = $1`, variant, id)
	Exec(t, d, `WITH l AS (UPDATE stock_level SET on_hand = on_hand + $2 WHERE lot_id = $1 RETURNING id)
		INSERT INTO stock_movement (level_id, kind, quantity, cause, actor) SELECT id, 'receive', $2, 'test', 'test' FROM l`, id, pieces)
	return id
}

// BareOrders writes n placed orders without lines for a producer, for tests of what refers to an order, and returns their ids.
func BareOrders(t testing.TB, d *db.DB, producer int64, n int) []int64 {
	t.Helper()
	rows, err := d.Pool().Query(context.Background(), `
		WITH n AS (SELECT i, $3 || i AS code FROM generate_series(1, $2::int) AS i),
		pay AS (INSERT INTO payment (reference, method, state, amount) SELECT code, 'cod', 'expected', 1000 FROM n RETURNING id, reference),
		grp AS (INSERT INTO order_group (code, secret_hash, request_key, request_print, locale, contact_name, contact_phone,
				province_code, commune_code, street, method, total, placed_at)
			SELECT n.code, sha256(n.code::bytea), n.code, '', 'vi', 'Người thử', '+84912345678', c.province, c.commune, '1', 'cod', 1000, now()
			FROM n, (SELECT code AS commune, province_code AS province FROM geo_commune ORDER BY code LIMIT 1) c RETURNING id, code)
		INSERT INTO orders (group_id, producer_id, location_id, code, number_year, number_seq, state, goods_total, shipping_total, total,
			delivery, carrier_code, payment_id, updated_at)
		SELECT grp.id, $1, l.id, n.code, 2026, 1000000 + grp.id, 'placed', 1000, 0, 1000, 'carrier', $4, pay.id, now()
		FROM n JOIN pay ON pay.reference = n.code JOIN grp ON grp.code = n.code JOIN stock_location l ON l.producer_id = $1
		RETURNING id`, producer, n, "B"+ident.Code(6)+"-", aCarrier(t, d))
	if err != nil {
		t.Fatalf("testkit: %v", err)
	}
	defer rows.Close()
	ids := make([]int64, 0, n)
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatalf("testkit: %v", err)
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("testkit: %v", err)
	}
	return ids
}

func aCarrier(t testing.TB, d *db.DB) string {
	t.Helper()
	Exec(t, d, `INSERT INTO carrier (code, name, name_en, divisor) VALUES ('bare', 'Thử', 'Test', 6000) ON CONFLICT DO NOTHING`)
	return "bare"
}
