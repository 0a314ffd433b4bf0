package storefront_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

// truth asks the database about every product by itself, in the plainest words: its stars of the day, and whether any of
// it can be promised at a moment.
const truth = `SELECT p.id, p.producer_id, t.name, p.category_code AS code, p.province_code AS province, p.published_at AS published,
	(SELECT min(price) FROM variant v WHERE v.product_id = p.id AND v.state = 'active') AS price,
	coalesce((SELECT max(c.stars) FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id WHERE cp.product_id = p.id
		AND c.valid_from <= $1 AND c.valid_to >= $1 AND (c.revoked_on IS NULL OR c.revoked_on > $1)), 0) AS stars,
	coalesce((SELECT sum(l.on_hand) - coalesce(sum((SELECT sum(r.quantity) FROM stock_reservation r WHERE r.level_id = l.id AND r.state = 'open'
		AND (r.expires_at IS NULL OR r.expires_at > $2))), 0) FROM stock_level l JOIN stock_location o ON o.id = l.location_id JOIN variant v ON v.id = l.variant_id
		WHERE v.product_id = p.id AND v.state = 'active' AND o.kind = 'producer' AND o.state = 'open'
		AND (l.lot_id IS NULL OR (SELECT coalesce(expires_on >= $1, true) FROM stock_lot WHERE id = l.lot_id))), 0) > 0 AS stocked
	FROM product p JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi'
	WHERE p.state = 'published' AND EXISTS (SELECT FROM variant v WHERE v.product_id = p.id AND v.state = 'active') ORDER BY p.id`

func (s *shop) truth(t testing.TB) []ware {
	t.Helper()
	now := s.clock.Now()
	rows, err := s.db.Pool().Query(context.Background(), truth, clock.On(now).String(), now)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []ware
	for rows.Next() {
		var w ware
		var price int64
		if err := rows.Scan(&w.id, &w.producer, &w.name, &w.code, &w.province, &w.published, &price, &w.stars, &w.stocked); err != nil {
			t.Fatal(err)
		}
		w.price, w.adult = money.VND(price), w.code == "II.1.a"
		out = append(out, w)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// The shelf follows whatever happens to goods, by the notes that the database makes of it; a list must say what one asked
// of the tables themselves would say, at every step.
func TestListsFollowWhateverHappens(test *testing.T) {
	s := open(test)
	testkit.Exec(test, s.db, `ALTER TABLE stock_reservation DROP CONSTRAINT IF EXISTS stock_reservation_order_id_fkey`)
	all := stall(test, s, 30)
	orders := int64(0)
	ctx := context.Background()
	do := func(statement string, args ...any) func() {
		return func() { testkit.Exec(test, s.db, statement, args...) }
	}
	rapid.Check(test, func(t *rapid.T) {
		for range rapid.IntRange(1, 4).Draw(t, "steps") {
			w := all[rapid.IntRange(0, len(all)-1).Draw(t, "product")]
			today := clock.Today(s.clock)
			day := today.AddDays(rapid.IntRange(-1, 2).Draw(t, "day")).String()
			refreshed := func(statement string, args ...any) func() {
				return func() {
					if err := s.db.InTx(ctx, func(tx db.Tx) error {
						if err := tx.Exec(statement, args...).Error; err != nil {
							return err
						}
						return s.search.Refresh(ctx, tx, []int64{w.id})
					}); err != nil {
						t.Fatal(err)
					}
				}
			}
			steps := map[string]func(){
				"sell out":    do(`UPDATE stock_level SET on_hand = reserved WHERE product_id = $1`, w.id),
				"receive":     do(`UPDATE stock_level SET on_hand = on_hand + 3 WHERE product_id = $1`, w.id),
				"revoke":      do(`UPDATE certificate SET revoked_on = $2, revoked_why = 'thử' WHERE id IN (SELECT certificate_id FROM certificate_product WHERE product_id = $1) AND valid_to >= $2`, w.id, day),
				"take back":   do(`UPDATE certificate SET revoked_on = NULL, revoked_why = '' WHERE id IN (SELECT certificate_id FROM certificate_product WHERE product_id = $1)`, w.id),
				"untie":       do(`DELETE FROM certificate_product WHERE product_id = $1`, w.id),
				"close":       do(`UPDATE stock_location SET state = CASE state WHEN 'open' THEN 'closed' ELSE 'open' END WHERE producer_id = $1`, w.producer),
				"tidy":        do(`WITH c AS (UPDATE stock_reservation SET state = 'released', closed_at = now() WHERE state = 'open' AND expires_at <= $1 RETURNING level_id, quantity), n AS (SELECT level_id, sum(quantity) AS q FROM c GROUP BY 1) UPDATE stock_level l SET reserved = reserved - n.q FROM n WHERE l.id = n.level_id`, s.clock.Now()),
				"pay":         do(`UPDATE stock_reservation SET expires_at = NULL WHERE state = 'open' AND level_id IN (SELECT id FROM stock_level WHERE product_id = $1)`, w.id),
				"a moment on": func() { s.clock.Advance(40 * time.Second) },
				"a day on":    func() { s.clock.Advance(24 * time.Hour) },
				"archive":     refreshed(`UPDATE product SET state = 'archived' WHERE id = ?`, w.id),
				"publish":     refreshed(`UPDATE product SET state = 'published' WHERE id = ?`, w.id),
				"reprice":     refreshed(`UPDATE variant SET price = 1 + (price * 7) % 400000 WHERE product_id = ?`, w.id),
				"rename":      refreshed(`UPDATE product_text SET name = name || ' b' WHERE product_id = ? AND length(name) < 40`, w.id),
				"reserve": func() {
					orders++
					testkit.Exec(test, s.db, `WITH l AS (UPDATE stock_level SET reserved = reserved + on_hand - reserved WHERE product_id = $1 AND on_hand > reserved RETURNING id),
						q AS (SELECT l.id, o.on_hand - o.reserved AS n FROM l JOIN stock_level o USING (id))
						INSERT INTO stock_reservation (level_id, order_id, quantity, expires_at) SELECT id, $2, n, $3 FROM q`, w.id, orders, s.clock.Now().Add(time.Minute))
				},
				"certify": func() {
					testkit.Certificate(test, s.db, 3+int(w.id)%3, today.AddDays(1), w.id)
				},
				"a lot": func() {
					orders++
					var variant int64
					testkit.Scan(test, s.db, &variant, `SELECT id FROM variant WHERE product_id = $1 LIMIT 1`, w.id)
					testkit.Lot(test, s.db, variant, fmt.Sprint("L", orders), today, 2)
				},
			}
			steps[rapid.SampledFrom(sortedKeys(steps)).Draw(t, "step")]()
		}
		f := drawFilter(t, all)
		judge(t, s, f, s.truth(test))
	})
}

// A reader who goes on by Next meets every product once, also when goods before it come, go or change meanwhile.
func TestNextGoesOnWhereTheLastPageEnded(t *testing.T) {
	s := open(t)
	all := stall(t, s, 60)
	for _, by := range storefront.Sorts {
		for _, f := range []storefront.Filter{{}, {Province: "86"}, {ProducerID: all[0].producer}, {Q: "dua mon"}} {
			f.Adult, f.Sort, f.Size = true, by, 100
			whole := ids(s.list(t, f).Cards)
			var read []int64
			f.Size = 7
			for pages := 0; pages < 20; pages++ {
				l := s.list(t, f)
				read = append(read, ids(l.Cards)...)
				if f.After = l.Next; f.After == "" {
					break
				}
			}
			if !slices.Equal(read, whole) {
				t.Errorf("%+v: %v, at once %v", f, read, whole)
			}
		}
	}
	f := storefront.Filter{Adult: true, Sort: storefront.SortNewest, Size: 20}
	first := s.list(t, f)
	testkit.Exec(t, s.db, `UPDATE product SET state = 'archived' WHERE id = $1`, first.Cards[19].ProductID)
	testkit.Product(t, s.db, testkit.WithPublished(noon))
	s.index(t)
	f.After = first.Next
	if got := s.list(t, f).Cards[0].ProductID; got != all[20].id {
		t.Errorf("goes on with %d, want %d", got, all[20].id)
	}
}

func TestAMarkOfAnotherListIsRefused(t *testing.T) {
	s := open(t)
	stall(t, s, 5)
	next := s.list(t, storefront.Filter{Size: 2}).Next
	for _, f := range []storefront.Filter{{After: "x"}, {After: "e30="}, {After: next, Sort: storefront.SortCheap}} {
		if _, err := s.List(context.Background(), f); !errors.Is(err, apperr.Field("cursor", "storefront.cursor")) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// A transaction may note a change long before others that end sooner. Whenever it ends, lists must not have passed over it.
func TestAChangeThatCommitsLateIsSeen(t *testing.T) {
	s := open(t)
	ctx := context.Background()
	slow, quick := testkit.Product(t, s.db, testkit.WithStock(3)), testkit.Product(t, s.db, testkit.WithStock(3))
	s.index(t)
	inStock := func() int { return s.list(t, storefront.Filter{InStock: true}).Total }
	if n := inStock(); n != 2 {
		t.Fatalf("%d in stock", n)
	}
	sellOut := `UPDATE stock_level SET on_hand = 0 WHERE product_id = ?`
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if err := tx.Exec(sellOut, slow).Error; err != nil {
			return err
		}
		if err := s.db.Primary(ctx).Exec(sellOut, quick).Error; err != nil {
			return err
		}
		if n := inStock(); n != 1 {
			t.Errorf("%d in stock while one sale is open", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := inStock(); n != 0 {
		t.Errorf("%d in stock after the sale that ended late", n)
	}
}
