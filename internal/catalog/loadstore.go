package catalog

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"choocop.vn/ocop/internal/platform/db"
)

type entryRow struct {
	Key          string `json:"key"`
	Slug         string `json:"slug"`
	SKU          string `json:"sku"`
	GTIN         string `json:"gtin"`
	ProducerID   int64  `json:"producer_id"`
	CategoryCode string `json:"category_code"`
	Eligibility  string `json:"eligibility"`
	IsMedicine   bool   `json:"is_medicine"`
	ProvinceCode string `json:"province_code"`
	PlaceText    string `json:"place_text"`
	OldProvince  string `json:"old_province"`
	SourceURL    string `json:"source_url"`
	NameVI       string `json:"name_vi"`
	NameEN       string `json:"name_en"`
	SummaryVI    string `json:"summary_vi"`
	SummaryEN    string `json:"summary_en"`
	UnitVI       string `json:"unit_vi"`
	UnitEN       string `json:"unit_en"`
	NetAmount    string `json:"net_amount"`
	NetUnit      string `json:"net_unit"`
	NetVI        string `json:"net_vi"`
	NetEN        string `json:"net_en"`
	WeightG      int    `json:"weight_g"`
	Price        int64  `json:"price"`
	PriceSource  string `json:"price_source"`
	IsDemo       bool   `json:"is_demo"`
}

// entryRecord turns the rows of a list, one JSON parameter, into a table.
const entryRecord = `jsonb_to_recordset(CAST(@rows AS jsonb)) AS r(key text, slug text, sku text, gtin text, producer_id bigint,
	category_code text, eligibility text, is_medicine boolean, province_code text, place_text text, old_province text, source_url text,
	name_vi text, name_en text, summary_vi text, summary_en text, unit_vi text, unit_en text, net_amount text, net_unit text,
	net_vi text, net_en text, weight_g int, price bigint, price_source text, is_demo boolean)`

// takenSlugs returns which of the wished addresses products have, and under which key.
func takenSlugs(ctx context.Context, tx db.Tx, wished []string) (map[string]string, error) {
	var rows []struct{ Slug, Key string }
	err := tx.WithContext(ctx).Raw(`SELECT slug, coalesce(import_key, '') AS key FROM product WHERE slug IN ?`, wished).Scan(&rows).Error
	taken := make(map[string]string, len(rows))
	for _, r := range rows {
		taken[r.Slug] = r.Key
	}
	return taken, err
}

func clashes(ctx context.Context, tx db.Tx, rows []entryRow) (map[string]Clash, error) {
	b, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	var found []struct{ Key, Col, Other string }
	err = tx.WithContext(ctx).Raw(`
		SELECT r.key, CASE WHEN v.sku = r.sku THEN 'sku' ELSE 'gtin' END AS col, v.sku AS other
		FROM `+entryRecord+`
		JOIN variant v ON v.sku = r.sku OR v.gtin = nullif(r.gtin, '')
		JOIN product p ON p.id = v.product_id
		WHERE p.import_key IS DISTINCT FROM r.key OR v.sku <> r.sku`, map[string]any{"rows": string(b)}).Scan(&found).Error
	out := make(map[string]Clash, len(found))
	for _, f := range found {
		out[f.Key] = Clash{Column: f.Col, Other: f.Other}
	}
	return out, err
}

// upsertProducts publishes new products whose producer is verified: their name and variant follow in the same transaction.
const upsertProducts = `
	INSERT INTO product AS p (slug, producer_id, category_code, state, published_at, eligibility, is_medicine, province_code, place_text,
		old_province, source_url, import_key, is_demo, created_at, updated_at)
	SELECT r.slug, r.producer_id, r.category_code, CASE WHEN s.ready THEN 'published' ELSE 'draft' END, CASE WHEN s.ready THEN CAST(@at AS timestamptz) END,
		r.eligibility, r.is_medicine, r.province_code, r.place_text, r.old_province, r.source_url, r.key, r.is_demo, @at, @at
	FROM ` + entryRecord + `
	JOIN producer m ON m.id = r.producer_id
	CROSS JOIN LATERAL (SELECT m.state = 'verified' AND NOT r.is_medicine AS ready) s
	ON CONFLICT (import_key) DO UPDATE SET
		producer_id = excluded.producer_id,
		category_code = excluded.category_code,
		eligibility = CASE WHEN p.eligibility = 'ocop' THEN p.eligibility ELSE excluded.eligibility END,
		is_medicine = p.is_medicine OR excluded.is_medicine,
		province_code = excluded.province_code,
		place_text = coalesce(nullif(excluded.place_text, ''), p.place_text),
		old_province = coalesce(nullif(excluded.old_province, ''), p.old_province),
		source_url = coalesce(nullif(excluded.source_url, ''), p.source_url),
		updated_at = @at
	WHERE (p.producer_id, p.category_code, p.eligibility, p.is_medicine, p.province_code, p.place_text, p.old_province, p.source_url) IS DISTINCT FROM
		(excluded.producer_id, excluded.category_code,
		 CASE WHEN p.eligibility = 'ocop' THEN p.eligibility ELSE excluded.eligibility END,
		 p.is_medicine OR excluded.is_medicine, excluded.province_code, coalesce(nullif(excluded.place_text, ''), p.place_text),
		 coalesce(nullif(excluded.old_province, ''), p.old_province), coalesce(nullif(excluded.source_url, ''), p.source_url))
	RETURNING import_key AS key, (xmax = 0) AS added`

const upsertTexts = `
	INSERT INTO product_text AS t (product_id, locale, name, summary)
	SELECT p.id, 'vi', r.name_vi, r.summary_vi FROM ` + entryRecord + ` JOIN product p ON p.import_key = r.key
	UNION ALL
	SELECT p.id, 'en', r.name_en, r.summary_en FROM ` + entryRecord + ` JOIN product p ON p.import_key = r.key WHERE r.name_en <> ''
	ON CONFLICT (product_id, locale) DO UPDATE SET name = excluded.name, summary = coalesce(nullif(excluded.summary, ''), t.summary)
	WHERE (t.name, t.summary) IS DISTINCT FROM (excluded.name, coalesce(nullif(excluded.summary, ''), t.summary))
	RETURNING product_id`

const upsertFacts = `
	INSERT INTO label_fact AS f (product_id, locale, key, value)
	SELECT p.id, 'vi', 'net_content', r.net_vi FROM ` + entryRecord + ` JOIN product p ON p.import_key = r.key WHERE r.net_vi <> ''
	UNION ALL
	SELECT p.id, 'en', 'net_content', r.net_en FROM ` + entryRecord + ` JOIN product p ON p.import_key = r.key WHERE r.net_en <> ''
	ON CONFLICT (product_id, locale, key) DO UPDATE SET value = excluded.value
	WHERE f.value <> excluded.value
	RETURNING product_id`

// upsertVariants writes a new price together with its row in price_change. The old price is read before the write, in
// the snapshot of the same statement, and the rows are locked by then: only one list is loaded at a time.
const upsertVariants = `
	WITH before AS (
		SELECT v.sku, v.price FROM ` + entryRecord + ` JOIN variant v ON v.sku = r.sku
	), written AS (
		INSERT INTO variant AS v (product_id, sku, gtin, unit_vi, unit_en, net_amount, net_unit, weight_g, price, price_source, created_at, updated_at)
		SELECT p.id, r.sku, nullif(r.gtin, ''), r.unit_vi, r.unit_en, CAST(nullif(r.net_amount, '') AS numeric), nullif(r.net_unit, ''),
			nullif(r.weight_g, 0), r.price, r.price_source, @at, @at
		FROM ` + entryRecord + ` JOIN product p ON p.import_key = r.key
		ON CONFLICT (sku) DO UPDATE SET
			gtin = coalesce(excluded.gtin, v.gtin),
			unit_vi = excluded.unit_vi, unit_en = excluded.unit_en, net_amount = excluded.net_amount, net_unit = excluded.net_unit,
			weight_g = coalesce(excluded.weight_g, v.weight_g), price = excluded.price, price_source = excluded.price_source, updated_at = @at
		WHERE (v.gtin, v.unit_vi, v.unit_en, v.net_amount, v.net_unit, v.weight_g, v.price, v.price_source) IS DISTINCT FROM
			(coalesce(excluded.gtin, v.gtin), excluded.unit_vi, excluded.unit_en, excluded.net_amount, excluded.net_unit,
			 coalesce(excluded.weight_g, v.weight_g), excluded.price, excluded.price_source)
		RETURNING id, product_id, sku, price
	), priced AS (
		INSERT INTO price_change (variant_id, price, actor, at)
		SELECT w.id, w.price, @actor, @at FROM written w LEFT JOIN before b ON b.sku = w.sku WHERE b.price IS DISTINCT FROM w.price
	)
	SELECT w.product_id, w.sku, w.price, coalesce(b.price <> w.price, false) AS repriced FROM written w LEFT JOIN before b ON b.sku = w.sku`

// upsertEntries writes what differs and touches nothing else.
func upsertEntries(ctx context.Context, tx db.Tx, rows []entryRow, actor string, at time.Time) (map[string]Loaded, error) {
	b, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	args := map[string]any{"rows": string(b), "at": at, "actor": actor}
	q := tx.WithContext(ctx)
	var products []struct {
		Key   string
		Added bool
	}
	if err := q.Raw(upsertProducts, args).Scan(&products).Error; err != nil {
		return nil, err
	}
	touched := map[int64]bool{}
	for _, statement := range []string{upsertTexts, upsertFacts} {
		var ids []int64
		if err := q.Raw(statement, args).Scan(&ids).Error; err != nil {
			return nil, err
		}
		for _, id := range ids {
			touched[id] = true
		}
	}
	var written []struct {
		ProductID int64
		SKU       string `gorm:"column:sku"`
		Price     int64
		Repriced  bool
	}
	if err := q.Raw(upsertVariants, args).Scan(&written).Error; err != nil {
		return nil, err
	}
	var prices []repriced
	for _, w := range written {
		touched[w.ProductID] = true
		if w.Repriced {
			prices = append(prices, repriced{w.SKU, w.Price})
		}
	}
	if err := tellPrices(ctx, tx, prices, at); err != nil {
		return nil, err
	}
	if err := touch(ctx, tx, touched, at); err != nil {
		return nil, err
	}
	var known []struct {
		Key       string
		ProductID int64
		VariantID int64
	}
	err = q.Raw(`
		SELECT r.key, p.id AS product_id, v.id AS variant_id
		FROM `+entryRecord+` JOIN product p ON p.import_key = r.key JOIN variant v ON v.sku = r.sku`, args).Scan(&known).Error
	if err != nil {
		return nil, err
	}
	out := make(map[string]Loaded, len(known))
	for _, k := range known {
		out[k.Key] = Loaded{ProductID: k.ProductID, VariantID: k.VariantID, Changed: touched[k.ProductID]}
	}
	for _, p := range products {
		l := out[p.Key]
		l.Added, l.Changed = p.Added, !p.Added
		out[p.Key] = l
	}
	return out, nil
}

// touch dates products of which a text, a fact or a variant changed, for sitemaps and caches.
func touch(ctx context.Context, tx db.Tx, ids map[int64]bool, at time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.WithContext(ctx).Exec(`UPDATE product SET updated_at = ? WHERE id IN ? AND updated_at < ?`,
		at, slices.Collect(maps.Keys(ids)), at).Error
}
