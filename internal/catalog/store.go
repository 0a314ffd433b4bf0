package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

type categoryRow struct {
	Code       string
	ParentCode string
	Level      string
	Slug       string
	NameVI     string `gorm:"column:name_vi"`
	NameEN     string `gorm:"column:name_en"`
	ShortVI    string `gorm:"column:short_vi"`
	ShortEN    string `gorm:"column:short_en"`
	SetNo      int
	Ministry   string
	LegalBasis string
}

// categories leaves out what has ended or is suspended; goods of such a group keep their code.
func categories(ctx context.Context, g *gorm.DB, on clock.Date) ([]Category, error) {
	var rows []categoryRow
	err := g.WithContext(ctx).Raw(`
		SELECT code, coalesce(parent_code, '') AS parent_code, level, slug, name_vi, name_en, short_vi, short_en,
			coalesce(set_no, 0) AS set_no, ministry, legal_basis
		FROM category
		WHERE (effective_to IS NULL OR effective_to >= ?) AND suspended_by IS NULL
		ORDER BY position, code`, on).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("catalog: categories: %w", err)
	}
	out := make([]Category, len(rows))
	for i, r := range rows {
		out[i] = Category(r)
	}
	return out, nil
}

func rules(ctx context.Context, g *gorm.DB) ([]ruleRow, error) {
	var rows []ruleRow
	err := g.WithContext(ctx).Raw(`
		SELECT set_no, rule, effective_from, effective_to, coalesce(suspended_by, '') AS suspended_by FROM category_rule`).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("catalog: rules: %w", err)
	}
	return rows, nil
}

type offerRow struct {
	VariantID    int64
	ProductID    int64
	ProducerID   int64
	SKU          string `gorm:"column:sku"`
	Slug         string
	NameVI       string `gorm:"column:name_vi"`
	NameEN       string `gorm:"column:name_en"`
	UnitVI       string `gorm:"column:unit_vi"`
	UnitEN       string `gorm:"column:unit_en"`
	ProducerName string
	ProvinceCode string
	Seller       string
	Price        money.VND
	WeightG      int
	LengthCM     int `gorm:"column:length_cm"`
	WidthCM      int `gorm:"column:width_cm"`
	HeightCM     int `gorm:"column:height_cm"`
	SetNo        int
	Sellable     bool
	AssetID      int64
}

// offers reads the variants that a condition on v names.
func offers(ctx context.Context, g *gorm.DB, condition string, value any, law map[int]Rules) (map[int64]Offer, error) {
	var rows []offerRow
	err := g.WithContext(ctx).Raw(`
		SELECT v.id AS variant_id, p.id AS product_id, p.producer_id, v.sku, p.slug, coalesce(vi.name, p.slug) AS name_vi,
			coalesce(en.name, vi.name, p.slug) AS name_en, v.unit_vi, v.unit_en, m.name AS producer_name, p.province_code, m.province_code AS seller, v.price,
			coalesce(v.weight_g, 0) AS weight_g, coalesce(v.length_cm, 0) AS length_cm, coalesce(v.width_cm, 0) AS width_cm,
			coalesce(v.height_cm, 0) AS height_cm, coalesce(c.set_no, 0) AS set_no,
			p.state = 'published' AND v.state = 'active' AND m.state = 'verified' AND NOT p.is_medicine AS sellable,
			coalesce(pic.asset_id, 0) AS asset_id
		FROM variant v
		JOIN product p ON p.id = v.product_id
		JOIN producer m ON m.id = p.producer_id
		JOIN category c ON c.code = p.category_code
		LEFT JOIN product_text vi ON vi.product_id = p.id AND vi.locale = 'vi'
		LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
		LEFT JOIN LATERAL (SELECT asset_id FROM product_picture WHERE product_id = p.id ORDER BY position LIMIT 1) pic ON true
		WHERE `+condition, value).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("catalog: offers: %w", err)
	}
	found := make(map[int64]Offer, len(rows))
	for _, r := range rows {
		o := Offer{VariantID: r.VariantID, ProductID: r.ProductID, ProducerID: r.ProducerID, SKU: r.SKU, Slug: r.Slug,
			NameVI: r.NameVI, NameEN: r.NameEN, UnitVI: r.UnitVI, UnitEN: r.UnitEN, ProducerName: r.ProducerName,
			ProvinceCode: r.ProvinceCode, SellerProvince: r.Seller, Price: r.Price, WeightG: r.WeightG, LengthCM: r.LengthCM, WidthCM: r.WidthCM,
			HeightCM: r.HeightCM, SetNo: r.SetNo, AssetID: r.AssetID, Rules: law[r.SetNo]}
		o.Sellable = r.Sellable && !o.Rules.ContactOnly
		found[r.VariantID] = o
	}
	return found, nil
}

func variantBySKU(ctx context.Context, g *gorm.DB, sku string) (int64, error) {
	var id int64
	err := g.WithContext(ctx).Raw(`SELECT id FROM variant WHERE sku = ?`, strings.ToUpper(strings.TrimSpace(sku))).Scan(&id).Error
	if err != nil {
		return 0, fmt.Errorf("catalog: by sku: %w", err)
	}
	return id, nil
}

type readinessRow struct {
	State      string
	Medicine   bool
	Named      bool
	HasVariant bool
	Verified   bool
}

// readiness locks the product, so that two officers do not publish and withdraw it at once.
func readiness(ctx context.Context, tx db.Tx, productID int64) (readinessRow, bool, error) {
	var rows []readinessRow
	err := tx.WithContext(ctx).Raw(`
		SELECT p.state, p.is_medicine AS medicine,
			EXISTS (SELECT FROM product_text t WHERE t.product_id = p.id AND t.locale = 'vi') AS named,
			EXISTS (SELECT FROM variant v WHERE v.product_id = p.id AND v.state = 'active') AS has_variant,
			EXISTS (SELECT FROM producer m WHERE m.id = p.producer_id AND m.state = 'verified') AS verified
		FROM product p WHERE p.id = ? FOR UPDATE`, productID).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return readinessRow{}, false, err
	}
	return rows[0], true, nil
}

func setState(ctx context.Context, tx db.Tx, productID int64, state string, at time.Time) error {
	return tx.WithContext(ctx).Exec(`
		UPDATE product SET state = @state, updated_at = @at,
			published_at = CASE WHEN @state = 'published' THEN coalesce(published_at, @at) ELSE published_at END
		WHERE id = @id`, map[string]any{"id": productID, "state": state, "at": at}).Error
}

func setPrice(ctx context.Context, tx db.Tx, sku string, price money.VND, actor string, at time.Time) (found, changed bool, err error) {
	var rows []struct {
		ID    int64
		Price money.VND
	}
	q := tx.WithContext(ctx)
	if err := q.Raw(`SELECT id, price FROM variant WHERE sku = ? FOR UPDATE`, sku).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return false, false, err
	}
	if rows[0].Price == price {
		return true, false, nil
	}
	err = q.Exec(`UPDATE variant SET price = ?, price_source = 'seller', updated_at = ? WHERE id = ?`, price, at, rows[0].ID).Error
	if err != nil {
		return true, false, err
	}
	return true, true, q.Exec(`INSERT INTO price_change (variant_id, price, actor, at) VALUES (?, ?, ?, ?)`, rows[0].ID, price, actor, at).Error
}

func upsertPictures(ctx context.Context, tx db.Tx, pictures []Picture) error {
	b, err := json.Marshal(pictures)
	if err != nil {
		return err
	}
	return tx.WithContext(ctx).Exec(`
		INSERT INTO product_picture AS p (product_id, position, asset_id, alt_vi, alt_en)
		SELECT product_id, position, asset_id, alt_vi, alt_en
		FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(product_id bigint, position int, asset_id bigint, alt_vi text, alt_en text)
		ON CONFLICT (product_id, position) DO UPDATE SET asset_id = excluded.asset_id, alt_vi = excluded.alt_vi, alt_en = excluded.alt_en
		WHERE (p.asset_id, p.alt_vi, p.alt_en) IS DISTINCT FROM (excluded.asset_id, excluded.alt_vi, excluded.alt_en)`, string(b)).Error
}
