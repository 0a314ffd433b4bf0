package storefront

import (
	"context"
	"encoding/json"
	"fmt"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// Stand is what a list for programs says of a product beyond its card.
type Stand struct {
	Sales []Sale // every variant for sale; only SKU, Price, Available and InStock are filled
	// Record is the certificate that counts today, else the last that did; nil when there was none.
	Record *Record
}

// standsSQL is one row per product: its variants and its certificate as JSON, so that a list costs one statement.
const standsSQL = `SELECT p.id,
  (SELECT coalesce(json_agg(json_build_object('sku', x.sku, 'price', x.price, 'available', x.available) ORDER BY x.position, x.id), '[]')::text
    FROM (SELECT v.id, v.sku, v.price, v.position, (` + availableOf + `) AS available FROM variant v WHERE v.product_id = p.id AND v.state = 'active') x) AS sales,
  coalesce((SELECT row_to_json(y)::text FROM (SELECT c.code, c.stars, c.decision_no, c.valid_from, c.valid_to, c.revoked_on
    FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id WHERE cp.product_id = p.id AND c.valid_from <= @today
    ORDER BY (` + validOn + `) DESC, CASE WHEN ` + validOn + ` THEN c.stars END DESC NULLS LAST, c.valid_to DESC, c.id DESC LIMIT 1) y), '') AS certificate
FROM unnest(CAST(@ids AS bigint[])) p(id)`

// Stands returns what stands beside these cards, by product, in one statement.
func (s *Service) Stands(ctx context.Context, cards []Card) (map[int64]Stand, error) {
	out := make(map[int64]Stand, len(cards))
	if len(cards) == 0 {
		return out, nil
	}
	ids, contact := make([]int64, len(cards)), map[int64]bool{}
	for i, c := range cards {
		ids[i], contact[c.ProductID] = c.ProductID, c.ContactOnly
	}
	now := s.Clock.Now()
	today := clock.On(now)
	var rows []struct {
		ID                 int64
		Sales, Certificate string
	}
	if err := s.DB.Read(ctx).Raw(standsSQL, map[string]any{"ids": bigints(ids), "today": today, "now": now}).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("storefront: stands: %w", err)
	}
	for _, r := range rows {
		var st Stand
		var err error
		if st.Sales, err = standSales(r.Sales, contact[r.ID]); err == nil {
			st.Record, err = standRecord(r.Certificate, today)
		}
		if err != nil {
			return nil, fmt.Errorf("storefront: stands: %w", err)
		}
		out[r.ID] = st
	}
	return out, nil
}

func standSales(text string, contactOnly bool) ([]Sale, error) {
	var rows []struct {
		SKU       string    `json:"sku"`
		Price     money.VND `json:"price"`
		Available int64     `json:"available"`
	}
	if err := json.Unmarshal([]byte(text), &rows); err != nil {
		return nil, err
	}
	out := make([]Sale, len(rows))
	for i, r := range rows {
		out[i] = Sale{SKU: r.SKU, Price: r.Price, Available: r.Available, InStock: r.Available > 0 && !contactOnly}
	}
	return out, nil
}

func standRecord(text string, today clock.Date) (*Record, error) {
	if text == "" {
		return nil, nil
	}
	var r struct {
		Code       string `json:"code"`
		Stars      int    `json:"stars"`
		DecisionNo string `json:"decision_no"`
		ValidFrom  string `json:"valid_from"`
		ValidTo    string `json:"valid_to"`
		RevokedOn  string `json:"revoked_on"`
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, err
	}
	out := certification.Record{Code: r.Code, Stars: r.Stars, DecisionNo: r.DecisionNo}
	var err error
	if out.ValidFrom, err = clock.ParseDate(r.ValidFrom); err != nil {
		return nil, err
	}
	if out.ValidTo, err = clock.ParseDate(r.ValidTo); err != nil {
		return nil, err
	}
	if r.RevokedOn != "" {
		day, err := clock.ParseDate(r.RevokedOn)
		if err != nil {
			return nil, err
		}
		out.RevokedOn = &day
	}
	return &Record{Record: out, State: out.StateOn(today)}, nil
}
