package inventory

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Shelf is where a variant is sold from online and how many pieces of it can be promised there now.
type Shelf struct{ LocationID, Available int64 }

// Available returns how many pieces of each variant can be promised online now; see Shelves. A variant without stock
// is absent.
func (s *Service) Available(ctx context.Context, g *gorm.DB, variantIDs []int64) (map[int64]int64, error) {
	shelves, err := s.Shelves(ctx, g, variantIDs)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]int64, len(shelves))
	for id, shelf := range shelves {
		if shelf.Available > 0 {
			out[id] = shelf.Available
		}
	}
	return out, nil
}

// Shelves returns the place of each variant, its producer's own open one, and what lies there less the promises that
// still count, without expired lots. A variant that never lay there is absent.
func (s *Service) Shelves(ctx context.Context, g *gorm.DB, variantIDs []int64) (map[int64]Shelf, error) {
	out := make(map[int64]Shelf, len(variantIDs))
	if len(variantIDs) == 0 {
		return out, nil
	}
	now := s.clock.Now()
	var rows []struct{ VariantID, LocationID, Available int64 }
	err := g.WithContext(ctx).Raw(`
		SELECT l.variant_id, l.location_id, sum(l.on_hand - l.reserved + coalesce(x.expired, 0))
			FILTER (WHERE t.expires_on IS NULL OR t.expires_on >= ?)::bigint AS available
		FROM stock_level l
		JOIN stock_location s ON s.id = l.location_id AND s.kind = 'producer' AND s.state = 'open'
		JOIN product p ON p.id = l.product_id AND p.producer_id = s.producer_id
		LEFT JOIN stock_lot t ON t.id = l.lot_id
		LEFT JOIN LATERAL (
			SELECT sum(r.quantity) AS expired FROM stock_reservation r
			WHERE r.level_id = l.id AND r.state = 'open' AND r.expires_at <= ?) x ON l.reserved > 0
		WHERE l.variant_id = ANY (?::bigint[])
		GROUP BY l.variant_id, l.location_id`, clock.On(now), now, bigints(variantIDs)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("inventory: shelves: %w", err)
	}
	for _, r := range rows {
		out[r.VariantID] = Shelf{r.LocationID, r.Available}
	}
	return out, nil
}

const levelColumns = `l.id, l.variant_id, v.sku, l.location_id, s.kind AS location_kind, s.name AS location_name, l.lot_id,
	coalesce(t.code, '') AS lot_code, t.expires_on AS lot_expires_on, l.owner_id`

const levelTables = ` FROM stock_level l JOIN variant v ON v.id = l.variant_id
	JOIN stock_location s ON s.id = l.location_id LEFT JOIN stock_lot t ON t.id = l.lot_id `

type levelRow struct {
	ID           int64
	VariantID    int64
	SKU          string `gorm:"column:sku"`
	LocationID   int64
	LocationKind string
	LocationName string
	LotID        *int64
	LotCode      string
	LotExpiresOn clock.Date
	OwnerID      int64
	OnHand       int64
	Reserved     int64
}

// Levels lists every level of one SKU, with the promises that still count. An unknown SKU is NotFound
// inventory.sku_unknown.
func (s *Service) Levels(ctx context.Context, sku string) ([]Level, error) {
	g := s.db.Primary(ctx)
	var rows []levelRow
	err := g.Raw(`SELECT `+levelColumns+`, l.on_hand, l.reserved - coalesce((
			SELECT sum(r.quantity) FROM stock_reservation r
			WHERE r.level_id = l.id AND r.state = 'open' AND r.expires_at <= ?), 0)::bigint AS reserved`+
		levelTables+`WHERE v.sku = ? ORDER BY l.variant_id, l.location_id, l.lot_id NULLS FIRST, l.owner_id`,
		s.clock.Now(), sku).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("inventory: levels: %w", err)
	}
	if len(rows) == 0 {
		found, err := variantPlaces(ctx, g, nil, []string{sku})
		if err != nil {
			return nil, fmt.Errorf("inventory: levels: %w", err)
		}
		if len(found) == 0 {
			return nil, apperr.New(apperr.NotFound, "inventory.sku_unknown", "sku", sku)
		}
	}
	out := make([]Level, len(rows))
	for i, r := range rows {
		out[i] = Level(r)
	}
	return out, nil
}

// levelAfter is the level as the movement left it, read from the ledger and the times of the reservations, so
// that it is the same whenever it is asked for.
func levelAfter(ctx context.Context, tx db.Tx, m movement) (Level, error) {
	var r levelRow
	err := tx.WithContext(ctx).Raw(`SELECT `+levelColumns+`,
		(SELECT sum(delta)::bigint FROM stock_movement WHERE level_id = l.id AND id <= ?) AS on_hand,
		(SELECT coalesce(sum(quantity), 0)::bigint FROM stock_reservation WHERE level_id = l.id AND created_at <= ?
			AND (closed_at IS NULL OR closed_at > ?) AND (expires_at IS NULL OR expires_at > ?)) AS reserved`+
		levelTables+`WHERE l.id = ?`, m.ID, m.At, m.At, m.At, m.LevelID).Scan(&r).Error
	return Level(r), err
}
