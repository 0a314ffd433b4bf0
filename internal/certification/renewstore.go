package certification

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// renewed is the condition that every product of certificate c has a later decision.
const renewed = `NOT EXISTS (SELECT FROM certificate_product mine WHERE mine.certificate_id = c.id AND NOT EXISTS (SELECT FROM certificate_product other
	JOIN certificate n ON n.id = other.certificate_id WHERE other.product_id = mine.product_id AND n.id <> c.id AND n.valid_from > c.valid_from
		AND (n.revoked_on IS NULL OR n.revoked_on > n.valid_from)))`

type holdingRow struct {
	Kept     recordRow `gorm:"embedded"`
	Products string
	Names    string
	Renewed  bool
}

func holdings(ctx context.Context, g *gorm.DB, producerID int64) ([]Holding, error) {
	var rows []holdingRow
	err := g.WithContext(ctx).Raw(`
		SELECT `+recordColumns+`, `+renewed+` AS renewed,
			jsonb_agg(jsonb_build_object('id', w.id, 'code', cp.product_code) ORDER BY w.id)::text AS products,
			string_agg(coalesce(t.name, w.slug), ', ' ORDER BY w.id) AS names
		FROM product w JOIN certificate_product cp ON cp.product_id = w.id JOIN certificate c ON c.id = cp.certificate_id
		LEFT JOIN product_text t ON t.product_id = w.id AND t.locale = 'vi'
		WHERE w.producer_id = ? GROUP BY c.id ORDER BY c.valid_to DESC, c.id DESC LIMIT 500`, producerID).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	out := make([]Holding, len(rows))
	for i, r := range rows {
		out[i] = Holding{Record: r.Kept.record(), Names: r.Names, Renewed: r.Renewed}
		var products []namedRow
		if err := json.Unmarshal([]byte(r.Products), &products); err != nil {
			return nil, err
		}
		for _, p := range products {
			out[i].Products = append(out[i].Products, Named{p.ID, p.Code})
		}
	}
	return out, nil
}

func toMend(ctx context.Context, g *gorm.DB, producerID int64) (n int, err error) {
	err = g.WithContext(ctx).Raw(`SELECT count(*) FROM certificate_request WHERE producer_id = ? AND state = 'returned'`, producerID).Scan(&n).Error
	return n, err
}

// reachMarks puts down the mark at which each certificate stands, once.
func reachMarks(ctx context.Context, tx db.Tx, today clock.Date, now time.Time) error {
	return tx.WithContext(ctx).Exec(`
		INSERT INTO certificate_warning (certificate_id, mark, made_at)
		SELECT c.id, CASE WHEN c.valid_to <= CAST(@today AS date) + 30 THEN 30 WHEN c.valid_to <= CAST(@today AS date) + 90 THEN 90 ELSE 180 END, @now
		FROM certificate c WHERE c.valid_to >= @today AND c.valid_to <= CAST(@today AS date) + 180 AND c.revoked_on IS NULL AND NOT `+renewed+`
		ON CONFLICT DO NOTHING`, map[string]any{"today": today, "now": now}).Error
}

type warningRow struct {
	CertificateID int64
	Mark          int
	Stars         int
	DecisionNo    string
	ValidTo       clock.Date
	ProducerID    int64
	Producer      string
	Goods         string
	Readers       string
}

// openWarnings are the warnings that were not told yet. Of one certificate only the last mark is still worth telling; a
// decision may name products of several producers where a list was read in, so each has its own row.
func openWarnings(ctx context.Context, tx db.Tx, today clock.Date, limit int) ([]Warning, error) {
	var rows []warningRow
	err := tx.WithContext(ctx).Raw(`
		SELECT o.certificate_id, o.mark, c.stars, c.decision_no, c.valid_to, p.id AS producer_id, p.name AS producer,
			string_agg(coalesce(t.name, w.slug), ', ' ORDER BY w.id) AS goods,
			coalesce((SELECT jsonb_agg(DISTINCT jsonb_build_object('id', a.id, 'email', a.email, 'locale', a.locale)) FROM account_role r JOIN account a ON a.id = r.account_id
				WHERE r.role = 'producer' AND r.scope = 'producer' AND r.scope_id = CAST(p.id AS text) AND a.state = 'active' AND a.email IS NOT NULL), '[]')::text AS readers
		FROM (SELECT certificate_id, mark FROM certificate_warning WHERE done_at IS NULL ORDER BY certificate_id, mark LIMIT @limit) o
		JOIN certificate c ON c.id = o.certificate_id JOIN certificate_product cp ON cp.certificate_id = c.id JOIN product w ON w.id = cp.product_id
		JOIN producer p ON p.id = w.producer_id LEFT JOIN product_text t ON t.product_id = w.id AND t.locale = 'vi'
		GROUP BY o.certificate_id, o.mark, c.id, p.id ORDER BY o.certificate_id, o.mark, p.id`, map[string]any{"limit": limit}).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	out := make([]Warning, len(rows))
	for i, r := range rows {
		out[i] = Warning{CertificateID: r.CertificateID, Mark: r.Mark, Stars: r.Stars, DecisionNo: r.DecisionNo, Days: max(today.DaysUntil(r.ValidTo), 0), ValidTo: r.ValidTo,
			Producer: r.Producer, Goods: r.Goods}
		var readers []struct {
			ID            int64
			Email, Locale string
		}
		if err := json.Unmarshal([]byte(r.Readers), &readers); err != nil {
			return nil, err
		}
		for _, a := range readers {
			out[i].To = append(out[i].To, Reader{a.ID, a.Email, i18n.Locale(a.Locale)})
		}
	}
	return out, nil
}

func closeWarning(ctx context.Context, g *gorm.DB, certificateID int64, mark int, now time.Time) error {
	return g.WithContext(ctx).Exec(`UPDATE certificate_warning SET done_at = ? WHERE certificate_id = ? AND mark = ? AND done_at IS NULL`, now, certificateID, mark).Error
}
