package certification

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/page"
)

// StateExpiring is the part of StateValid that [Record.Expiring] tells.
const StateExpiring = "expiring"

// unrevoked are certificates that nobody has taken away by today.
const unrevoked = "(c.revoked_on IS NULL OR c.revoked_on > @today)"

// stateIs are the states of today as conditions, as [Record.StateOn] tells them.
var stateIs = map[string]string{
	StateValid:    "c.valid_from <= @today AND c.valid_to >= @today AND " + unrevoked,
	StateExpiring: "c.valid_from <= @today AND c.valid_to BETWEEN @today AND @soon AND " + unrevoked,
	StateExpired:  "c.valid_to < @today AND " + unrevoked,
	StateRevoked:  "c.revoked_on <= @today",
	StateNotYet:   "c.valid_from > @today AND " + unrevoked,
}

// CertificateFilter chooses certificates of a list, the newest first.
type CertificateFilter struct {
	State    string // today; none: all
	Province string // of a producer
	Stars    int    // 0: all
	Text     string // in the code, the decision's number, a producer's or product's name
	After    string // where the page before ended
	Size     int
}

// Certificate is a confirmed certificate on a list.
type Certificate struct {
	Record
	Producers    string
	Names        string // of the products
	ProvinceCode string
}

// goodsJoined are products that certificates name, with their producers.
const goodsJoined = `FROM certificate_product cp JOIN product w ON w.id = cp.product_id JOIN producer p ON p.id = w.producer_id`

// ofCertificate are those of certificate c.
const ofCertificate = goodsJoined + ` WHERE cp.certificate_id = c.id`

// Certificates returns those with a producer in the area that the filter chooses, and where the next page begins. One
// statement.
func (s *Service) Certificates(ctx context.Context, area account.Area, f CertificateFilter) (out []Certificate, next string, err error) {
	today := clock.Today(s.clock)
	args := map[string]any{"in": Reach{Area: area}.in(), "limit": f.Size + 1, "today": today, "soon": today.AddDays(Marks[0])}
	held, where := "@in", []string{"TRUE"}
	if is, ok := stateIs[f.State]; ok {
		where = append(where, is)
	}
	if f.Province != "" {
		held += " AND p.province_code = @province"
		args["province"] = f.Province
	}
	if f.Stars != 0 {
		where = append(where, "c.stars = @stars")
		args["stars"] = f.Stars
	}
	if f.Text != "" {
		where = append(where, `(vn_fold(c.decision_no) LIKE vn_fold(@text) OR vn_fold(c.code) LIKE vn_fold(@text) OR EXISTS (SELECT `+ofCertificate+` AND (vn_fold(p.name) LIKE vn_fold(@text)
			OR EXISTS (SELECT FROM product_text t WHERE t.product_id = w.id AND vn_fold(t.name) LIKE vn_fold(@text)))))`)
		args["text"] = "%" + likeless(f.Text) + "%"
	}
	if v, ok := page.After(f.After, 1); ok {
		where = append(where, "c.id < CAST(@after AS bigint)")
		args["after"] = v[0]
	}
	var rows []struct {
		One          recordRow `gorm:"embedded"`
		Producers    string
		Names        string
		ProvinceCode string
	}
	err = s.db.Primary(ctx).Raw(`
		SELECT `+recordColumns+`, n.producers, n.names, n.province_code FROM certificate c JOIN LATERAL (
			SELECT string_agg(DISTINCT p.name, ', ') AS producers, string_agg(coalesce(t.name, w.slug), ', ' ORDER BY w.id) AS names, min(p.province_code) AS province_code
			`+goodsJoined+` LEFT JOIN product_text t ON t.product_id = w.id AND t.locale = 'vi' WHERE cp.certificate_id = c.id) n ON true
		WHERE EXISTS (SELECT `+ofCertificate+` AND `+held+`) AND `+strings.Join(where, " AND ")+` ORDER BY c.id DESC LIMIT @limit`, args).Scan(&rows).Error
	if err != nil {
		return nil, "", fmt.Errorf("certification: certificates: %w", err)
	}
	if len(rows) > f.Size {
		rows = rows[:f.Size]
		next = page.Cursor(fmt.Sprint(rows[f.Size-1].One.ID))
	}
	for _, r := range rows {
		out = append(out, Certificate{Record: r.One.record(), Producers: r.Producers, Names: r.Names, ProvinceCode: r.ProvinceCode})
	}
	return out, next, nil
}

// CertificateDetail is everything about one certificate that an officer needs to judge it.
type CertificateDetail struct {
	Record
	Products           []ProofProduct
	Others             []Record // earlier and later ones of the same products, the newest first
	RequestID          int64    // with the paper; 0 for one that was imported
	Entered, Confirmed Signed   // empty for one that was imported
	Revoked            Signed
	Ground, RevokedNo  string
	// Whole says that all its producers lie in the area: only then it may be revoked there.
	Whole bool
}

type certificateRow struct {
	One           recordRow `gorm:"embedded"`
	RequestID     int64
	EnteredBy     string
	EnteredAt     *time.Time
	ConfirmedBy   string
	ConfirmedAt   *time.Time
	RevokedBy     string
	RevokedAt     *time.Time
	RevokedGround string
	RevokedNo     string
	Whole         bool
}

func signed(by string, at *time.Time) Signed {
	if at == nil {
		return Signed{By: by}
	}
	return Signed{by, *at}
}

// whole is whether all producers of certificate c lie in the area; an unknown place lies in none.
const whole = `NOT EXISTS (SELECT ` + ofCertificate + ` AND (@in) IS NOT TRUE) AS whole`

// Certificate returns one with a producer in the area, or NotFound certification.code.unknown.
func (s *Service) Certificate(ctx context.Context, area account.Area, code string) (CertificateDetail, error) {
	wanted, err := Canonical(code)
	if err != nil {
		return CertificateDetail{}, unknownCode(code)
	}
	g := s.db.Primary(ctx)
	var rows []certificateRow
	err = g.Raw(`
		SELECT `+recordColumns+`, coalesce(q.id, 0) AS request_id, coalesce(e.name, '') AS entered_by, q.entered_at, coalesce(d.name, '') AS confirmed_by,
			q.decided_at AS confirmed_at, coalesce(v.name, '') AS revoked_by, c.revoked_at, c.revoked_ground, c.revoked_no, `+whole+`
		FROM certificate c LEFT JOIN certificate_request q ON q.id = c.request_id LEFT JOIN account e ON e.id = q.entered_by
		LEFT JOIN account d ON d.id = q.decided_by LEFT JOIN account v ON v.id = c.revoked_by
		WHERE c.code = @code AND EXISTS (SELECT `+ofCertificate+` AND @in)`, map[string]any{"code": wanted, "in": Reach{Area: area}.in()}).Scan(&rows).Error
	if err != nil {
		return CertificateDetail{}, fmt.Errorf("certification: certificate: %w", err)
	}
	if len(rows) == 0 {
		return CertificateDetail{}, unknownCode(wanted)
	}
	r := rows[0]
	out := CertificateDetail{Record: r.One.record(), RequestID: r.RequestID, Entered: signed(r.EnteredBy, r.EnteredAt), Confirmed: signed(r.ConfirmedBy, r.ConfirmedAt),
		Revoked: signed(r.RevokedBy, r.RevokedAt), Ground: r.RevokedGround, RevokedNo: r.RevokedNo, Whole: r.Whole}
	if out.Products, err = named(ctx, g, out.ID); err != nil {
		return CertificateDetail{}, err
	}
	out.Others, err = others(ctx, g, out)
	return out, err
}

// others are the other certificates of the same products, each once.
func others(ctx context.Context, g *gorm.DB, d CertificateDetail) (out []Record, err error) {
	ids := make([]int64, len(d.Products))
	for i, p := range d.Products {
		ids[i] = p.ID
	}
	rows, err := recordsOf(ctx, g, ids)
	seen := map[int64]bool{d.ID: true}
	for _, r := range rows {
		if !seen[r.ID] {
			seen[r.ID] = true
			out = append(out, r.record())
		}
	}
	return out, err
}

// lockWithin locks a certificate with a producer in the area and says whether all of them lie there.
func lockWithin(ctx context.Context, tx db.Tx, area account.Area, code string) (Record, bool, error) {
	var rows []struct {
		One   recordRow `gorm:"embedded"`
		Whole bool
	}
	err := tx.WithContext(ctx).Raw(`SELECT `+recordColumns+`, `+whole+` FROM certificate c
		WHERE c.code = @code AND EXISTS (SELECT `+ofCertificate+` AND @in) FOR UPDATE OF c`, map[string]any{"code": code, "in": Reach{Area: area}.in()}).Scan(&rows).Error
	if err != nil {
		return Record{}, false, fmt.Errorf("certification: lock: %w", err)
	}
	if len(rows) == 0 {
		return Record{}, false, unknownCode(code)
	}
	return rows[0].One.record(), rows[0].Whole, nil
}

// worksForAny is whether somebody works for a producer that the certificate names.
func worksForAny(ctx context.Context, tx db.Tx, accountID, certificateID int64) (yes bool, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM certificate_product cp JOIN product w ON w.id = cp.product_id
		JOIN account_role o ON o.role = 'producer' AND o.scope = 'producer' AND o.scope_id = CAST(w.producer_id AS text)
		WHERE cp.certificate_id = ? AND o.account_id = ?)`, certificateID, accountID).Scan(&yes).Error
	return yes, err
}
