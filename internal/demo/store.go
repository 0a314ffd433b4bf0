package demo

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/platform/db"
)

func isComplete(ctx context.Context, d *db.DB, version string) (bool, error) {
	var done bool
	err := d.Primary(ctx).Raw(`SELECT EXISTS (SELECT FROM demo_seed WHERE version = ?)`, version).Scan(&done).Error
	if err != nil {
		return false, fmt.Errorf("demo: version: %w", err)
	}
	return done, nil
}

func markComplete(ctx context.Context, d *db.DB, version string) error {
	if err := d.Primary(ctx).Exec(`INSERT INTO demo_seed (version) VALUES (?) ON CONFLICT DO NOTHING`, version).Error; err != nil {
		return fmt.Errorf("demo: version: %w", err)
	}
	return nil
}

type maker struct {
	ID   int64
	Slug string
}

func demoProducers(ctx context.Context, tx db.Tx) ([]maker, error) {
	var rows []maker
	err := tx.WithContext(ctx).Raw(`SELECT id, slug FROM producer WHERE is_demo ORDER BY id`).Scan(&rows).Error
	return rows, err
}

type goodsRow struct {
	ProductID  int64
	ProducerID int64
	VariantID  int64
	SKU        string `gorm:"column:sku"`
	SetNo      int
	NameVI     string `gorm:"column:name_vi"`
	NameEN     string `gorm:"column:name_en"`
}

const selectGoods = `
	SELECT p.id AS product_id, p.producer_id, v.id AS variant_id, v.sku, coalesce(c.set_no, 0) AS set_no, vi.name AS name_vi,
		coalesce(en.name, vi.name) AS name_en
	FROM product p
	JOIN variant v ON v.product_id = p.id AND v.sku = p.import_key
	JOIN category c ON c.code = p.category_code
	JOIN product_text vi ON vi.product_id = p.id AND vi.locale = 'vi'
	LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
	WHERE p.is_demo`

func demoGoods(ctx context.Context, d *db.DB) ([]goodsRow, error) {
	var rows []goodsRow
	err := d.Primary(ctx).Raw(selectGoods + ` ORDER BY v.id`).Scan(&rows).Error
	return rows, err
}

func undrawn(ctx context.Context, d *db.DB) ([]goodsRow, error) {
	var rows []goodsRow
	err := d.Primary(ctx).Raw(selectGoods + ` AND NOT EXISTS (SELECT FROM product_picture t WHERE t.product_id = p.id) ORDER BY v.id`).Scan(&rows).Error
	return rows, err
}
