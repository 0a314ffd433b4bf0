package certification

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/page"
)

// Due are parts of a queue by the day on which an answer is due.
type Due string

// The parts. AnyDue is all.
const (
	AnyDue  Due = ""
	Overdue Due = "overdue"
	DueNow  Due = "today" // today or overdue
	DueSoon Due = "week"  // within seven days, or overdue
)

// Dues lists the parts.
func Dues() []Due { return []Due{AnyDue, Overdue, DueNow, DueSoon} }

// Filter chooses requests of a list. Open requests stand by due day, all others the newest first.
type Filter struct {
	States   []RequestState // none: all
	Province string
	Commune  string
	Due      Due
	Mine     int64  // assigned to this account
	Text     string // in the decision's number, the producer's or a product's name
	After    string // where the page before ended
	Size     int
}

func (f Filter) byDue() bool { return len(f.States) == 1 && f.States[0] == Entered }

// Row is a request on a list.
type Row struct {
	Request
	Producer     string
	ProvinceCode string
	CommuneCode  string
	Assignee     string
	Names        string // of the products
}

type listRow struct {
	Asked        requestRow `gorm:"embedded"`
	Producer     string
	ProvinceCode string
	CommuneCode  string
	Assignee     string
	Names        string
}

// List returns the requests within reach that the filter chooses, and where the next page begins. One statement.
func (s *Service) List(ctx context.Context, in Reach, f Filter) (rows []Row, next string, err error) {
	args := map[string]any{"in": in.in(), "limit": f.Size + 1}
	where := []string{"@in"}
	add := func(condition, name string, value any) {
		where = append(where, condition)
		args[name] = value
	}
	if len(f.States) > 0 {
		add("q.state IN @states", "states", f.States)
	}
	if f.Province != "" {
		add("p.province_code = @province", "province", f.Province)
	}
	if f.Commune != "" {
		add("p.commune_code = @commune", "commune", f.Commune)
	}
	if f.Mine != 0 {
		add("q.assigned_to = @mine", "mine", f.Mine)
	}
	if days, ok := map[Due]int{Overdue: -1, DueNow: 0, DueSoon: 7}[f.Due]; ok {
		add("q.state = 'entered' AND q.due_on <= @due", "due", clock.Today(s.clock).AddDays(days))
	}
	if f.Text != "" {
		add(`(vn_fold(q.decision_no) LIKE vn_fold(@text) OR vn_fold(p.name) LIKE vn_fold(@text) OR EXISTS (SELECT FROM certificate_request_product n
			JOIN product_text t ON t.product_id = n.product_id WHERE n.request_id = q.id AND vn_fold(t.name) LIKE vn_fold(@text)))`, "text", "%"+likeless(f.Text)+"%")
	}
	order := "q.id DESC"
	if f.byDue() {
		order = "q.due_on, q.id"
		if v, ok := page.After(f.After, 2); ok {
			add("(q.due_on, q.id) > (CAST(@due_after AS date), CAST(@id_after AS bigint))", "due_after", v[0])
			args["id_after"] = v[1]
		}
	} else if v, ok := page.After(f.After, 1); ok {
		add("q.id < CAST(@id_after AS bigint)", "id_after", v[0])
	}
	var found []listRow
	err = s.db.Primary(ctx).Raw(`
		SELECT `+requestColumns+`, p.name AS producer, p.province_code, coalesce(p.commune_code, '') AS commune_code, coalesce(a.name, '') AS assignee,
			(SELECT string_agg(coalesce(t.name, w.slug), ', ' ORDER BY w.id) FROM certificate_request_product n JOIN product w ON w.id = n.product_id
				LEFT JOIN product_text t ON t.product_id = w.id AND t.locale = 'vi' WHERE n.request_id = q.id) AS names
		FROM certificate_request q JOIN producer p ON p.id = q.producer_id LEFT JOIN account a ON a.id = q.assigned_to
		WHERE `+strings.Join(where, " AND ")+` ORDER BY `+order+` LIMIT @limit`, args).Scan(&found).Error
	if err != nil {
		return nil, "", fmt.Errorf("certification: list: %w", err)
	}
	if len(found) > f.Size {
		found = found[:f.Size]
		last := found[f.Size-1]
		if next = page.Cursor(fmt.Sprint(last.Asked.ID)); f.byDue() {
			next = page.Cursor(last.Asked.DueOn.String(), fmt.Sprint(last.Asked.ID))
		}
	}
	for _, r := range found {
		q, err := r.Asked.request()
		if err != nil {
			return nil, "", fmt.Errorf("certification: list: %w", err)
		}
		rows = append(rows, Row{Request: q, Producer: r.Producer, ProvinceCode: r.ProvinceCode, CommuneCode: r.CommuneCode, Assignee: r.Assignee, Names: r.Names})
	}
	return rows, next, nil
}

// likeless takes the meaning from what LIKE would understand.
func likeless(s string) string {
	return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s)
}

// Waiting is how many requests wait in an area, since when the first does, and by which day it is to be answered.
func (s *Service) Waiting(ctx context.Context, area account.Area) (n int, since time.Time, due clock.Date, err error) {
	var row struct {
		N     int
		Since *time.Time
		Due   clock.Date
	}
	err = s.db.Primary(ctx).Raw(`SELECT count(*) AS n, min(q.entered_at) AS since, min(q.due_on) AS due FROM certificate_request q
		JOIN producer p ON p.id = q.producer_id WHERE q.state = 'entered' AND @in`, map[string]any{"in": Reach{Area: area}.in()}).Scan(&row).Error
	if err != nil {
		return 0, since, due, fmt.Errorf("certification: waiting: %w", err)
	}
	if row.Since != nil {
		since = *row.Since
	}
	return row.N, since, row.Due, nil
}

// Event is a line of a request's history.
type Event struct {
	At   time.Time
	Who  string
	What string // entered, changed, returned, confirmed, refused, withdrawn, noted, assigned
	Note string
}

// Goods is a product of a producer, to be chosen or shown.
type Goods struct {
	ID   int64
	Slug string
	Name string
	// Records are its certificates, the newest first.
	Records []Record
}

// Detail is everything about one request.
type Detail struct {
	Row
	Maker  Maker
	Goods  []Goods
	Past   []Event
	Marks  []Mark
	Helper map[int64]string // officers who may be given it, by account
}

// Maker is the producer of a request.
type Maker struct {
	ID                        int64
	Slug, Name, Place         string
	ProvinceCode, CommuneCode string
	State                     string
}

// Show returns one request within reach, or NotFound certification.request.unknown.
func (s *Service) Show(ctx context.Context, in Reach, id int64) (Detail, error) {
	g := s.db.Primary(ctx)
	r, err := takeRequest(ctx, g, in, id, "")
	if err != nil {
		return Detail{}, wrapped("show", err)
	}
	d := Detail{Row: Row{Request: r}}
	fail := func(err error) (Detail, error) { return Detail{}, fmt.Errorf("certification: show: %w", err) }
	if d.Maker, err = s.maker(ctx, in, r.ProducerID); err != nil {
		return Detail{}, wrapped("show", err)
	}
	d.Producer, d.ProvinceCode, d.CommuneCode = d.Maker.Name, d.Maker.ProvinceCode, d.Maker.CommuneCode
	if d.Goods, err = goodsOf(ctx, g, "w.id IN ?", idsOf(r.Products)); err != nil {
		return fail(err)
	}
	if err := withRecords(ctx, g, d.Goods); err != nil {
		return fail(err)
	}
	err = g.Raw(`SELECT h.at, a.name AS who, h.what, h.note FROM certificate_request_history h JOIN account a ON a.id = h.account_id
		WHERE h.request_id = ? ORDER BY h.id`, id).Scan(&d.Past).Error
	if err != nil {
		return fail(err)
	}
	marks, err := s.Remarks(ctx, []int64{id})
	if err != nil {
		return fail(err)
	}
	d.Marks = marks[id]
	if d.Helper, err = assignable(ctx, g, id); err != nil {
		return fail(err)
	}
	d.Assignee = d.Helper[r.AssignedTo]
	return d, nil
}

func (s *Service) maker(ctx context.Context, in Reach, id int64) (Maker, error) {
	var rows []Maker
	err := s.db.Primary(ctx).Raw(`SELECT p.id, p.slug, p.name, p.place_text AS place, p.province_code, coalesce(p.commune_code, '') AS commune_code, p.state
		FROM producer p WHERE p.id = @id AND @in`, map[string]any{"id": id, "in": in.in()}).Scan(&rows).Error
	if err != nil {
		return Maker{}, err
	}
	if len(rows) == 0 {
		return Maker{}, unknownRequest()
	}
	return rows[0], nil
}

// Makers finds producers within an area by their name, at most limit, for an officer who enters a paper for one.
func (s *Service) Makers(ctx context.Context, area account.Area, text string, limit int) ([]Maker, error) {
	var rows []Maker
	err := s.db.Primary(ctx).Raw(`SELECT p.id, p.slug, p.name, p.place_text AS place, p.province_code, coalesce(p.commune_code, '') AS commune_code, p.state
		FROM producer p WHERE vn_fold(p.name) LIKE vn_fold(@text) AND p.name_known AND @in ORDER BY p.name, p.id LIMIT @limit`,
		map[string]any{"text": "%" + likeless(text) + "%", "in": Reach{Area: area}.in(), "limit": limit}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("certification: makers: %w", err)
	}
	return rows, nil
}

// MostGoods bounds the products of one producer that a form offers.
const MostGoods = 300

// GoodsOf returns a producer within reach with its products and their certificates, for a form. Archived goods are left out.
func (s *Service) GoodsOf(ctx context.Context, in Reach, producerID int64) (Maker, []Goods, error) {
	m, err := s.maker(ctx, in, producerID)
	if err != nil {
		return Maker{}, nil, wrapped("goods", err)
	}
	g := s.db.Primary(ctx)
	goods, err := goodsOf(ctx, g, "w.producer_id = ? AND w.state <> 'archived'", producerID)
	if err == nil {
		err = withRecords(ctx, g, goods)
	}
	if err != nil {
		return Maker{}, nil, fmt.Errorf("certification: goods: %w", err)
	}
	return m, goods, nil
}

func goodsOf(ctx context.Context, g *gorm.DB, where string, arg any) ([]Goods, error) {
	var rows []struct {
		ID         int64
		Slug, Name string
	}
	err := g.WithContext(ctx).Raw(`SELECT w.id, w.slug, coalesce(t.name, w.slug) AS name FROM product w
		LEFT JOIN product_text t ON t.product_id = w.id AND t.locale = 'vi' WHERE ? ORDER BY w.id LIMIT ?`,
		clause.Expr{SQL: where, Vars: []any{arg}}, MostGoods).Scan(&rows).Error
	out := make([]Goods, len(rows))
	for i, r := range rows {
		out[i] = Goods{ID: r.ID, Slug: r.Slug, Name: r.Name}
	}
	return out, err
}

// withRecords adds the certificates of all products in one statement.
func withRecords(ctx context.Context, g *gorm.DB, goods []Goods) error {
	if len(goods) == 0 {
		return nil
	}
	ids, at := make([]int64, len(goods)), map[int64]int{}
	for i, w := range goods {
		ids[i], at[w.ID] = w.ID, i
	}
	rows, err := recordsOf(ctx, g, ids)
	for _, r := range rows {
		i := at[r.ProductID]
		goods[i].Records = append(goods[i].Records, r.record())
	}
	return err
}

// assignable are the officers and administrators who may decide about a request, by account, with their names.
func assignable(ctx context.Context, g *gorm.DB, id int64) (map[int64]string, error) {
	var rows []struct {
		ID   int64
		Name string
	}
	err := g.WithContext(ctx).Raw(`
		SELECT DISTINCT a.id, a.name FROM certificate_request q JOIN producer p ON p.id = q.producer_id
		JOIN account_role r ON r.role = 'admin' OR r.role = 'officer' AND (r.scope = '' OR r.scope = 'province' AND r.scope_id = p.province_code
			OR r.scope = 'commune' AND r.scope_id = p.commune_code)
		JOIN account a ON a.id = r.account_id AND a.state = 'active'
		WHERE q.id = ? AND a.id NOT IN (q.entered_by, q.edited_by) AND NOT EXISTS (SELECT FROM account_role o WHERE o.account_id = a.id
			AND o.role = 'producer' AND o.scope = 'producer' AND o.scope_id = CAST(p.id AS text)) ORDER BY a.name LIMIT 200`, id).Scan(&rows).Error
	out := make(map[int64]string, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Name
	}
	return out, err
}

// Mark is something about a request that an officer should look at before confirming.
type Mark string

// The marks.
const (
	MarkRecorded  Mark = "recorded"  // a certificate says the same already
	MarkOtherDate Mark = "other_day" // the same decision number of the same issuer stands elsewhere with another day
	MarkLapsed    Mark = "lapsed"    // it would be over today
	MarkFewer     Mark = "fewer"     // a product has more stars that still count
	MarkOlder     Mark = "older"     // a product has a later decision
	MarkCodeTaken Mark = "code"      // a product code stands on another product's certificate
	MarkCodeYear  Mark = "code_year" // a product code ends in another year than the decision
	MarkProducer  Mark = "producer"  // the producer is not verified
)

// Remarks says what is to be looked at, by request, in one statement. A request without remarks may be confirmed with others
// at once.
func (s *Service) Remarks(ctx context.Context, ids []int64) (map[int64][]Mark, error) {
	out := make(map[int64][]Mark, len(ids))
	if len(ids) == 0 {
		return out, nil
	}
	var rows []struct {
		ID   int64
		Mark Mark
	}
	err := s.db.Primary(ctx).Raw(`
		WITH q AS (SELECT * FROM certificate_request WHERE id IN @ids AND state IN ('entered', 'returned')),
			n AS (SELECT q.id, q.decision_no, q.stars, q.decided_on, m.product_id, m.product_code FROM q JOIN certificate_request_product m ON m.request_id = q.id),
			had AS (SELECT n.id, n.decision_no, n.stars, n.decided_on, c.decision_no AS no_then, c.stars AS stars_then, c.decided_on AS on_then, c.valid_from,
				cp.valid_to >= @today AND cp.valid_from <= @today AS counts FROM n JOIN certificate_product cp ON cp.product_id = n.product_id JOIN certificate c ON c.id = cp.certificate_id)
		SELECT id, 'recorded' AS mark FROM had WHERE on_then = decided_on AND stars_then = stars AND lower(no_then) = lower(decision_no)
		UNION SELECT q.id, 'other_day' FROM q JOIN certificate c ON lower(c.decision_no) = lower(q.decision_no) AND c.issuer = q.issuer AND c.decided_on <> q.decided_on
		UNION SELECT id, 'lapsed' FROM q WHERE valid_to < @today
		UNION SELECT id, 'fewer' FROM had WHERE counts AND stars_then > stars
		UNION SELECT id, 'older' FROM had WHERE valid_from > decided_on
		UNION SELECT n.id, 'code' FROM n JOIN certificate_product cp ON cp.product_code = n.product_code AND cp.product_id <> n.product_id WHERE n.product_code <> ''
		UNION SELECT id, 'code_year' FROM n WHERE product_code ~ '[-/](19|20)[0-9][0-9]$' AND right(product_code, 4) <> CAST(extract(year FROM decided_on) AS text)
		UNION SELECT q.id, 'producer' FROM q JOIN producer p ON p.id = q.producer_id WHERE p.state <> 'verified'
		ORDER BY 1, 2`, map[string]any{"ids": ids, "today": clock.Today(s.clock)}).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("certification: remarks: %w", err)
	}
	for _, r := range rows {
		out[r.ID] = append(out[r.ID], r.Mark)
	}
	return out, nil
}

// Evidence is the paper of a request within reach, or NotFound certification.request.unknown.
func (s *Service) Evidence(ctx context.Context, in Reach, id int64) (documentID int64, err error) {
	r, err := takeRequest(ctx, s.db.Primary(ctx), in, id, "")
	if err != nil {
		return 0, wrapped("evidence", err)
	}
	return r.DocumentID, nil
}
