package certification

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

type recordRow struct {
	ProductID   int64
	ID          int64
	Code        string
	Stars       int
	DecisionNo  string
	Level       string
	Issuer      string
	DecidedOn   clock.Date
	DecidedYear int
	Regime      string
	ValidFrom   clock.Date
	ValidTo     clock.Date
	RevokedOn   clock.Date
	RevokedWhy  string
	SourceURL   string `gorm:"column:source_url"`
	Note        string
}

func (r recordRow) record() Record {
	return Record{ID: r.ID, Code: r.Code, Stars: r.Stars, DecisionNo: r.DecisionNo, Level: r.Level, Issuer: r.Issuer,
		DecidedOn: optional(r.DecidedOn), DecidedYear: r.DecidedYear, YearOnly: r.DecidedOn.IsZero(), Regime: r.Regime,
		ValidFrom: r.ValidFrom, ValidTo: r.ValidTo, RevokedOn: optional(r.RevokedOn), RevokedWhy: r.RevokedWhy,
		SourceURL: r.SourceURL, Note: r.Note}
}

func optional(d clock.Date) *clock.Date {
	if d.IsZero() {
		return nil
	}
	return &d
}

const recordColumns = `c.id, c.code, c.stars, c.decision_no, c.level, c.issuer, c.decided_on, c.decided_year, c.regime, c.valid_from,
	c.valid_to, c.revoked_on, c.revoked_why, c.source_url, c.note`

func valid(ctx context.Context, g *gorm.DB, productIDs []int64, on clock.Date) (map[int64]Star, error) {
	found := make(map[int64]Star, len(productIDs))
	if len(productIDs) == 0 {
		return found, nil
	}
	var rows []recordRow
	err := g.WithContext(ctx).Raw(`
		SELECT DISTINCT ON (cp.product_id) cp.product_id, `+recordColumns+`
		FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id
		WHERE cp.product_id IN @products AND c.valid_from <= @on AND c.valid_to >= @on AND (c.revoked_on IS NULL OR c.revoked_on > @on)
		ORDER BY cp.product_id, c.stars DESC, c.valid_to DESC, c.id`,
		map[string]any{"products": productIDs, "on": on}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("certification: valid: %w", err)
	}
	for _, r := range rows {
		c := r.record()
		found[r.ProductID] = Star{CertificateID: c.ID, Code: c.Code, Stars: c.Stars, DecisionNo: c.DecisionNo, Issuer: c.Issuer,
			DecidedOn: c.DecidedOn, DecidedYear: c.DecidedYear, ValidTo: c.ValidTo, YearOnly: c.YearOnly}
	}
	return found, nil
}

func last(ctx context.Context, g *gorm.DB, productIDs []int64, on clock.Date) (map[int64]Record, error) {
	found := make(map[int64]Record, len(productIDs))
	if len(productIDs) == 0 {
		return found, nil
	}
	var rows []recordRow
	err := g.WithContext(ctx).Raw(`
		SELECT DISTINCT ON (cp.product_id) cp.product_id, `+recordColumns+`
		FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id
		WHERE cp.product_id IN @products AND (c.valid_to < @on OR c.revoked_on <= @on)
		ORDER BY cp.product_id, least(c.valid_to, c.revoked_on) DESC, c.id DESC`,
		map[string]any{"products": productIDs, "on": on}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("certification: last: %w", err)
	}
	for _, r := range rows {
		found[r.ProductID] = r.record()
	}
	return found, nil
}

func history(ctx context.Context, g *gorm.DB, productID int64) ([]Record, error) {
	rows, err := recordsOf(ctx, g, []int64{productID})
	if err != nil {
		return nil, err
	}
	out := make([]Record, len(rows))
	for i, r := range rows {
		out[i] = r.record()
	}
	return out, nil
}

// recordsOf are all certificates of products, the newest first.
func recordsOf(ctx context.Context, g *gorm.DB, productIDs []int64) ([]recordRow, error) {
	var rows []recordRow
	err := g.WithContext(ctx).Raw(`
		SELECT cp.product_id, `+recordColumns+`
		FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id
		WHERE cp.product_id IN ? ORDER BY c.valid_from DESC, c.id DESC`, productIDs).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("certification: history: %w", err)
	}
	return rows, nil
}

func byCode(ctx context.Context, g *gorm.DB, code string) (Record, bool, error) {
	return one(ctx, g, `SELECT `+recordColumns+` FROM certificate c WHERE c.code = ?`, code)
}

func lockByCode(ctx context.Context, tx db.Tx, code string) (Record, bool, error) {
	return one(ctx, tx.DB, `SELECT `+recordColumns+` FROM certificate c WHERE c.code = ? FOR UPDATE`, code)
}

func one(ctx context.Context, g *gorm.DB, query, code string) (Record, bool, error) {
	var rows []recordRow
	if err := g.WithContext(ctx).Raw(query, code).Scan(&rows).Error; err != nil {
		return Record{}, false, fmt.Errorf("certification: by code: %w", err)
	}
	if len(rows) == 0 {
		return Record{}, false, nil
	}
	return rows[0].record(), true, nil
}

type proofRow struct {
	ID           int64
	Slug         string
	NameVI       string `gorm:"column:name_vi"`
	NameEN       string `gorm:"column:name_en"`
	ProducerName string
	ProducerSlug string
	ProvinceCode string
	SetNo        int
	AssetID      int64
	Published    bool
}

func named(ctx context.Context, g *gorm.DB, certificateID int64) ([]ProofProduct, error) {
	var rows []proofRow
	err := g.WithContext(ctx).Raw(`
		SELECT p.id, p.slug, coalesce(vi.name, p.slug) AS name_vi, coalesce(en.name, vi.name, p.slug) AS name_en, m.name AS producer_name,
			m.slug AS producer_slug, p.province_code, coalesce(k.set_no, 0) AS set_no, coalesce(pic.asset_id, 0) AS asset_id,
			p.state = 'published' AS published
		FROM certificate_product cp
		JOIN product p ON p.id = cp.product_id
		JOIN producer m ON m.id = p.producer_id
		JOIN category k ON k.code = p.category_code
		LEFT JOIN product_text vi ON vi.product_id = p.id AND vi.locale = 'vi'
		LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
		LEFT JOIN LATERAL (SELECT asset_id FROM product_picture WHERE product_id = p.id ORDER BY position LIMIT 1) pic ON true
		WHERE cp.certificate_id = ? ORDER BY p.id`, certificateID).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("certification: proof: %w", err)
	}
	out := make([]ProofProduct, len(rows))
	for i, r := range rows {
		out[i] = ProofProduct(r)
	}
	return out, nil
}

func revoke(ctx context.Context, tx db.Tx, id int64, v Revocation, accountID int64, at time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE certificate SET revoked_on = @on, revoked_why = @why, revoked_ground = @ground, revoked_no = @no,
		revoked_by = nullif(CAST(@by AS bigint), 0), revoked_at = @at WHERE id = @id`,
		map[string]any{"id": id, "on": v.On, "why": v.Why, "ground": v.Ground, "no": v.No, "by": accountID, "at": at}).Error
}

type entryRow struct {
	Key         string `json:"key"`
	Code        string `json:"code"`
	ProductID   int64  `json:"product_id"`
	Stars       int    `json:"stars"`
	DecisionNo  string `json:"decision_no"`
	Level       string `json:"level"`
	Issuer      string `json:"issuer"`
	DecidedOn   string `json:"decided_on"`
	DecidedYear int    `json:"decided_year"`
	Regime      string `json:"regime"`
	ValidFrom   string `json:"valid_from"`
	ValidTo     string `json:"valid_to"`
	SourceURL   string `json:"source_url"`
	Note        string `json:"note"`
}

// entryRecord turns the rows of a list, one JSON parameter, into a table.
const entryRecord = `jsonb_to_recordset(CAST(@rows AS jsonb)) AS r(key text, code text, product_id bigint, stars int, decision_no text,
	level text, issuer text, decided_on text, decided_year int, regime text, valid_from date, valid_to date, source_url text, note text)`

// upsertEntries writes what differs and touches nothing else.
func upsertEntries(ctx context.Context, tx db.Tx, rows []entryRow, at time.Time) (map[string]Recorded, error) {
	b, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	args := map[string]any{"rows": string(b), "at": at}
	var written []struct {
		Key   string
		Added bool
	}
	err = tx.WithContext(ctx).Raw(`
		INSERT INTO certificate AS c (code, stars, decision_no, level, issuer, decided_on, decided_year, regime, valid_from, valid_to,
			source_url, note, import_key, created_at)
		SELECT code, stars, decision_no, level, issuer, CAST(nullif(decided_on, '') AS date), decided_year, regime, valid_from, valid_to,
			source_url, note, key, @at
		FROM `+entryRecord+`
		ON CONFLICT (import_key) DO UPDATE SET (stars, decision_no, level, issuer, decided_on, decided_year, regime, valid_from, valid_to, source_url, note)
			= (excluded.stars, excluded.decision_no, excluded.level, excluded.issuer, excluded.decided_on, excluded.decided_year,
			   excluded.regime, excluded.valid_from, excluded.valid_to, excluded.source_url, excluded.note)
		WHERE (c.stars, c.decision_no, c.level, c.issuer, c.decided_on, c.decided_year, c.regime, c.valid_from, c.valid_to, c.source_url, c.note)
			IS DISTINCT FROM (excluded.stars, excluded.decision_no, excluded.level, excluded.issuer, excluded.decided_on,
			   excluded.decided_year, excluded.regime, excluded.valid_from, excluded.valid_to, excluded.source_url, excluded.note)
		RETURNING import_key AS key, (xmax = 0) AS added`, args).Scan(&written).Error
	if err != nil {
		return nil, err
	}
	err = tx.WithContext(ctx).Exec(`
		INSERT INTO certificate_product (certificate_id, product_id)
		SELECT c.id, r.product_id FROM `+entryRecord+` JOIN certificate c ON c.import_key = r.key
		ON CONFLICT DO NOTHING`, args).Error
	if err != nil {
		return nil, err
	}
	out := make(map[string]Recorded, len(written))
	for _, w := range written {
		out[w.Key] = Recorded{Added: w.Added, Changed: !w.Added}
	}
	return out, nil
}
