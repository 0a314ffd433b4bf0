package storefront

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/search"
)

// bigints go to PostgreSQL as one array parameter, so that a statement is the same text for any number.
type bigints []int64

// Value writes {1,2}.
func (b bigints) Value() (driver.Value, error) {
	parts := make([]string, len(b))
	for i, n := range b {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

// validOn is the condition that certificate c counts on the day @today.
const validOn = `c.valid_from <= @today AND c.valid_to >= @today AND (c.revoked_on IS NULL OR c.revoked_on > @today)`

// onOffer is the condition that level l may be sold online: from its producer's own open place, of a variant still sold.
// The few that cannot be are looked up once and kept in hand.
const onOffer = `l.location_id NOT IN (SELECT id FROM stock_location WHERE kind <> 'producer' OR state <> 'open')
	AND l.variant_id NOT IN (SELECT id FROM variant WHERE state <> 'active')`

// saleable is the condition that level l holds a piece to promise; what is reserved by an order past its time does not count.
const saleable = `(l.on_hand > l.reserved OR l.on_hand > 0 AND EXISTS (SELECT FROM stock_reservation r
	WHERE r.level_id = l.id AND r.state = 'open' AND r.expires_at <= @now))
	AND (l.lot_id IS NULL OR EXISTS (SELECT FROM stock_lot t WHERE t.id = l.lot_id AND (t.expires_on IS NULL OR t.expires_on >= @today)))`

// dueAt is when a level's answer to saleable, or to how much of it is left, may change by time alone: a promise runs out, a lot's last day ends.
const dueAt = `least((SELECT min(r.expires_at) FROM stock_reservation r WHERE l.reserved > 0 AND l.on_hand - l.reserved <= 5
		AND r.level_id = l.id AND r.state = 'open' AND r.expires_at > @now),
	(SELECT CAST(t.expires_on + 1 AS timestamp) AT TIME ZONE 'Asia/Ho_Chi_Minh' FROM stock_lot t WHERE t.id = l.lot_id AND t.expires_on >= @today))`

const (
	goodColumns = `coalesce(p.product_id, 0) AS product_id, coalesce(p.producer_id, 0) AS producer_id, coalesce(p.set_no, 0) AS set_no,
	coalesce(p.price_min, 0) AS price_min, coalesce(CAST(extract(epoch FROM p.published_at) * 1000000 AS bigint), 0) AS published,
	coalesce(p.province_code, '') AS province_code, coalesce(p.category_code, '') AS category_code, coalesce(p.name_vi, '') AS name_vi`
	stockColumns = `bool_or(` + saleable + `) AS stocked, CAST(ceil(extract(epoch FROM min(` + dueAt + `))) AS bigint) AS due`
	awardColumn  = `string_agg(concat_ws(' ', c.stars, c.valid_from - date '1970-01-01', c.valid_to - date '1970-01-01'), ' ') AS awards`

	// Everything: stock and certificates are gathered once and joined.
	readAll = `SELECT p.product_id AS id, ` + goodColumns + `, coalesce(s.stocked, false) AS stocked, coalesce(s.due, 0) AS due, coalesce(a.awards, '') AS awards
FROM product_search p
LEFT JOIN (SELECT l.product_id, ` + stockColumns + ` FROM stock_level l WHERE l.on_hand > 0 AND ` + onOffer + ` GROUP BY 1) s ON s.product_id = p.product_id
LEFT JOIN (SELECT c.product_id, ` + awardColumn + ` FROM certificate_product c GROUP BY 1) a ON a.product_id = p.product_id`

	// What changed since, and what time alone may have changed: each is looked up by its key. The first row names the
	// snapshot, whether or not anything changed.
	readChanged = `SELECT CAST(pg_current_snapshot() AS text) AS since, coalesce(w.id, 0) AS id, ` + goodColumns + `,
	coalesce(s.stocked, false) AS stocked, coalesce(s.due, 0) AS due, coalesce(a.awards, '') AS awards
FROM (SELECT 1) one
LEFT JOIN (SELECT product_id AS id FROM product_stale WHERE ` + search.StaleSince + ` UNION SELECT unnest(CAST(@due AS bigint[]))) w ON true
LEFT JOIN product_search p ON p.product_id = w.id
LEFT JOIN LATERAL (SELECT ` + stockColumns + ` FROM stock_level l WHERE l.product_id = w.id AND l.on_hand > 0 AND ` + onOffer + `) s ON true
LEFT JOIN LATERAL (SELECT ` + awardColumn + ` FROM certificate_product c WHERE c.product_id = w.id) a ON true`
)

// changesSince reads the products changed after the snapshot since, and those due, with the mark to ask from next.
func changesSince(ctx context.Context, g *gorm.DB, now time.Time, since string, due bigints) ([]change, string, error) {
	return readChanges(g.WithContext(ctx), readChanged, map[string]any{"now": now, "today": clock.On(now), "since": since, "due": due}, true)
}

// allGoods reads every published product.
func allGoods(ctx context.Context, g *gorm.DB, now time.Time) ([]change, string, error) {
	since, err := search.Snapshot(g.WithContext(ctx)) // before the rows: what changes meanwhile is asked for again
	if err != nil {
		return nil, "", fmt.Errorf("storefront: shelf: %w", err)
	}
	all, _, err := readChanges(g.WithContext(ctx), readAll, map[string]any{"now": now, "today": clock.On(now)}, false)
	return all, since, err
}

func readChanges(g *gorm.DB, statement string, args map[string]any, marked bool) ([]change, string, error) {
	rows, err := g.Raw(statement, args).Rows()
	if err != nil {
		return nil, "", fmt.Errorf("storefront: shelf: %w", err)
	}
	defer rows.Close()
	var since string
	var out []change
	for rows.Next() {
		var c change
		var published, price int64
		var listed int64
		var awards string
		fields := []any{&c.id, &listed, &c.producer, &c.set, &price, &published, &c.in, &c.code, &c.name, &c.stocked, &c.due, &awards}
		if marked {
			fields = append([]any{&since}, fields...)
		}
		if err := rows.Scan(fields...); err != nil {
			return nil, "", fmt.Errorf("storefront: shelf: %w", err)
		}
		if c.id == 0 { // nothing changed
			continue
		}
		c.price, c.published, c.gone = money.VND(price), published, listed == 0
		if c.awards, err = parseAwards(awards); err != nil {
			return nil, "", err
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("storefront: shelf: %w", err)
	}
	return out, since, nil
}

// parseAwards reads stars, first and last day of each certificate.
func parseAwards(text string) ([]award, error) {
	if text == "" {
		return nil, nil
	}
	parts := strings.Fields(text)
	out := make([]award, 0, len(parts)/3)
	for i := 0; i+2 < len(parts); i += 3 {
		var n [3]int
		for k := range n {
			var err error
			if n[k], err = strconv.Atoi(parts[i+k]); err != nil {
				return nil, fmt.Errorf("storefront: shelf: award %q: %w", text, err)
			}
		}
		out = append(out, award{stars: uint8(n[0]), from: int32(n[1]), to: int32(n[2])})
	}
	return out, nil
}
