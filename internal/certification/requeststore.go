package certification

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// in is the reach as a condition on producer p.
func (r Reach) in() clause.Expr {
	if r.Producer != 0 {
		return clause.Expr{SQL: "p.id = ?", Vars: []any{r.Producer}}
	}
	return r.Area.In("p.province_code", "p.commune_code")
}

func unknownRequest() error { return apperr.New(apperr.NotFound, "certification.request.unknown") }

func holdProducer(ctx context.Context, tx db.Tx, in Reach, id int64) error {
	var found int64
	err := tx.WithContext(ctx).Raw(`SELECT p.id FROM producer p WHERE p.id = @id AND p.name_known AND @in FOR SHARE`, map[string]any{"id": id, "in": in.in()}).Scan(&found).Error
	if err == nil && found == 0 {
		return unknownRequest()
	}
	return err
}

func idsOf(products []Named) []int64 {
	out := make([]int64, len(products))
	for i, p := range products {
		out[i] = p.ProductID
	}
	return out
}

// ownProducts counts those of the products that are the producer's.
func ownProducts(ctx context.Context, tx db.Tx, producerID int64, products []Named) (n int, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT count(*) FROM product WHERE producer_id = ? AND id IN ?`, producerID, idsOf(products)).Scan(&n).Error
	return n, err
}

// lockProducts is ownProducts, with the rows locked in the order of their keys.
func lockProducts(ctx context.Context, tx db.Tx, producerID int64, products []Named) (int, error) {
	var ids []int64
	err := tx.WithContext(ctx).Raw(`SELECT id FROM product WHERE producer_id = ? AND id IN ? ORDER BY id FOR NO KEY UPDATE`, producerID, idsOf(products)).Scan(&ids).Error
	return len(ids), err
}

func sentBy(ctx context.Context, tx db.Tx, documentID, accountID int64) (yes bool, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM media_document WHERE id = ? AND account_id = ?)`, documentID, accountID).Scan(&yes).Error
	return yes, err
}

func worksFor(ctx context.Context, tx db.Tx, accountID, producerID int64) (yes bool, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM account_role WHERE account_id = ? AND role = 'producer' AND scope = 'producer'
		AND scope_id = CAST(CAST(? AS bigint) AS text))`, accountID, producerID).Scan(&yes).Error
	return yes, err
}

func insertRequest(ctx context.Context, tx db.Tx, key string, r Request) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`
		INSERT INTO certificate_request (request_key, producer_id, stars, decision_no, level, issuer, decided_on, valid_to, regime, document_id,
			note, state, version, entered_by, entered_at, edited_by, edited_at, due_on)
		VALUES (@key, @producer, @stars, @no, @level, @issuer, @decided, @to, @regime, @document, @note, @state, @version, @by, @at, @by, @at, @due)
		RETURNING id`, map[string]any{"key": key, "producer": r.ProducerID, "stars": r.Stars, "no": r.DecisionNo, "level": r.Level, "issuer": r.Issuer,
		"decided": r.DecidedOn, "to": r.ValidTo, "regime": r.Regime, "document": r.DocumentID, "note": r.Note, "state": r.State, "version": r.Version,
		"by": r.EnteredBy, "at": r.EnteredAt, "due": r.DueOn}).Scan(&id).Error
	return id, err
}

func updateRequest(ctx context.Context, tx db.Tx, r Request) error {
	return tx.WithContext(ctx).Exec(`
		UPDATE certificate_request SET stars = @stars, decision_no = @no, level = @level, issuer = @issuer, decided_on = @decided, valid_to = @to,
			regime = @regime, document_id = @document, note = @note, state = @state, version = @version, edited_by = @editor, due_on = @due,
			decided_by = nullif(@decider, 0), decided_at = @at, reason = @reason
		WHERE id = @id`, map[string]any{"id": r.ID, "stars": r.Stars, "no": r.DecisionNo, "level": r.Level, "issuer": r.Issuer, "decided": r.DecidedOn,
		"to": r.ValidTo, "regime": r.Regime, "document": r.DocumentID, "note": r.Note, "state": r.State, "version": r.Version, "editor": r.EditedBy,
		"due": r.DueOn, "decider": r.DecidedBy, "at": moment(r.DecidedAt), "reason": r.Reason}).Error
}

// moment is a time, or nothing.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func assign(ctx context.Context, tx db.Tx, id, to int64) error {
	return tx.WithContext(ctx).Exec(`UPDATE certificate_request SET assigned_to = nullif(CAST(? AS bigint), 0) WHERE id = ?`, to, id).Error
}

type namedRow struct {
	ID   int64  `json:"id"`
	Code string `json:"code"`
}

func insertNamed(ctx context.Context, tx db.Tx, id int64, products []Named) error {
	rows := make([]namedRow, len(products))
	for i, p := range products {
		rows[i] = namedRow{p.ProductID, p.Code}
	}
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return tx.WithContext(ctx).Exec(`INSERT INTO certificate_request_product (request_id, product_id, product_code)
		SELECT ?, r.id, r.code FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(id bigint, code text)`, id, string(b)).Error
}

func replaceNamed(ctx context.Context, tx db.Tx, id int64, products []Named) error {
	if err := tx.WithContext(ctx).Exec(`DELETE FROM certificate_request_product WHERE request_id = ?`, id).Error; err != nil {
		return err
	}
	return insertNamed(ctx, tx, id, products)
}

func insertHistory(ctx context.Context, tx db.Tx, id int64, at time.Time, accountID int64, what, words string) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO certificate_request_history (request_id, at, account_id, what, note) VALUES (?, ?, ?, ?, ?)`,
		id, at, accountID, what, words).Error
}

type requestRow struct {
	ID         int64
	ProducerID int64
	Stars      int
	DecisionNo string
	Level      string
	Issuer     string
	DecidedOn  clock.Date
	ValidTo    clock.Date
	Regime     string
	DocumentID int64
	Note       string
	State      RequestState
	Version    int
	EnteredBy  int64
	EnteredAt  time.Time
	EditedBy   int64
	DueOn      clock.Date
	AssignedTo int64
	DecidedBy  int64
	DecidedAt  *time.Time
	Reason     string
	Code       string
	Products   string // [{"id": 1, "code": "…"}]
}

func (r requestRow) request() (Request, error) {
	out := Request{ID: r.ID, ProducerID: r.ProducerID, ValidTo: r.ValidTo, Regime: r.Regime, State: r.State, Version: r.Version, EnteredBy: r.EnteredBy,
		EnteredAt: r.EnteredAt, EditedBy: r.EditedBy, DueOn: r.DueOn, AssignedTo: r.AssignedTo, DecidedBy: r.DecidedBy, Reason: r.Reason, Code: r.Code,
		Draft: Draft{Stars: r.Stars, DecisionNo: r.DecisionNo, Level: r.Level, Issuer: r.Issuer, DecidedOn: r.DecidedOn, DocumentID: r.DocumentID, Note: r.Note}}
	if r.DecidedAt != nil {
		out.DecidedAt = *r.DecidedAt
	}
	var rows []namedRow
	if err := json.Unmarshal([]byte(r.Products), &rows); err != nil {
		return out, err
	}
	for _, p := range rows {
		out.Products = append(out.Products, Named{p.ID, p.Code})
	}
	return out, nil
}

const requestColumns = `q.id, q.producer_id, q.stars, q.decision_no, q.level, q.issuer, q.decided_on, q.valid_to, q.regime, q.document_id, q.note, q.state,
	q.version, q.entered_by, q.entered_at, q.edited_by, q.due_on, coalesce(q.assigned_to, 0) AS assigned_to, coalesce(q.decided_by, 0) AS decided_by,
	q.decided_at, q.reason, coalesce((SELECT code FROM certificate c WHERE c.request_id = q.id), '') AS code,
	(SELECT coalesce(jsonb_agg(jsonb_build_object('id', product_id, 'code', product_code) ORDER BY product_id), '[]')::text
		FROM certificate_request_product WHERE request_id = q.id) AS products`

func takeRequest(ctx context.Context, g *gorm.DB, in Reach, id int64, lock string) (Request, error) {
	var rows []requestRow
	err := g.WithContext(ctx).Raw(`SELECT `+requestColumns+` FROM certificate_request q JOIN producer p ON p.id = q.producer_id
		WHERE q.id = @id AND @in`+lock, map[string]any{"id": id, "in": in.in()}).Scan(&rows).Error
	if err != nil {
		return Request{}, err
	}
	if len(rows) == 0 {
		return Request{}, unknownRequest()
	}
	return rows[0].request()
}

// lockRequest locks the row first and reads it then: what it names may have changed while it waited.
func lockRequest(ctx context.Context, tx db.Tx, in Reach, id int64) (Request, error) {
	var found int64
	err := tx.WithContext(ctx).Raw(`SELECT q.id FROM certificate_request q JOIN producer p ON p.id = q.producer_id WHERE q.id = @id AND @in FOR UPDATE OF q`,
		map[string]any{"id": id, "in": in.in()}).Scan(&found).Error
	if err != nil {
		return Request{}, err
	}
	if found == 0 {
		return Request{}, unknownRequest()
	}
	return takeRequest(ctx, tx.DB, in, id, "")
}

func requestByKey(ctx context.Context, g *gorm.DB, key string, accountID int64) (id int64, err error) {
	err = g.WithContext(ctx).Raw(`SELECT id FROM certificate_request WHERE request_key = ? AND entered_by = ?`, key, accountID).Scan(&id).Error
	if err == nil && id == 0 {
		return 0, unknownRequest()
	}
	return id, err
}

// recorded is the code of a certificate that says the same of one of the products, or empty.
func recorded(ctx context.Context, tx db.Tx, r Request) (code string, err error) {
	err = tx.WithContext(ctx).Raw(`
		SELECT c.code FROM certificate c JOIN certificate_product cp ON cp.certificate_id = c.id
		WHERE cp.product_id IN @products AND c.decided_on = @on AND c.stars = @stars AND lower(c.decision_no) = lower(@no)
			AND c.request_id IS DISTINCT FROM @id ORDER BY c.id LIMIT 1`,
		map[string]any{"products": idsOf(r.Products), "on": r.DecidedOn, "stars": r.Stars, "no": r.DecisionNo, "id": r.ID}).Scan(&code).Error
	return code, err
}

func insertCertificate(ctx context.Context, tx db.Tx, code string, r Request, at time.Time) error {
	var id int64
	err := tx.WithContext(ctx).Raw(`
		INSERT INTO certificate (code, stars, decision_no, level, issuer, decided_on, decided_year, regime, valid_from, valid_to, request_id, created_at)
		VALUES (@code, @stars, @no, @level, @issuer, @on, @year, @regime, @on, @to, @request, @at) RETURNING id`,
		map[string]any{"code": code, "stars": r.Stars, "no": r.DecisionNo, "level": r.Level, "issuer": r.Issuer, "on": r.DecidedOn, "year": r.DecidedOn.Y,
			"regime": r.Regime, "to": r.ValidTo, "request": r.ID, "at": at}).Scan(&id).Error
	if err != nil {
		return err
	}
	return tx.WithContext(ctx).Exec(`INSERT INTO certificate_product (certificate_id, product_id, product_code)
		SELECT ?, product_id, product_code FROM certificate_request_product WHERE request_id = ? ORDER BY product_id`, id, r.ID).Error
}
