package order

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
)

type groupRow struct {
	ID             int64
	Code           string
	SecretHash     []byte
	RequestKey     string
	RequestPrint   []byte
	Locale         string
	ContactName    string
	ContactPhone   string
	ContactEmail   string
	ProvinceCode   string
	CommuneCode    string
	Street         string
	Method         string
	Note           string
	InvoiceCompany string
	InvoiceTaxCode string
	InvoiceAddress string
	Total          int64
	PlacedAt       time.Time
}

func (groupRow) TableName() string { return "order_group" }

type orderRow struct {
	ID            int64
	GroupID       int64
	ProducerID    int64
	LocationID    int64
	Code          string
	NumberYear    int
	NumberSeq     int64
	State         string
	GoodsTotal    int64
	ShippingTotal int64
	DiscountTotal int64
	Total         int64
	Delivery      string
	CarrierCode   *string
	ShowroomID    *int64
	ChargeableG   int `gorm:"column:chargeable_g"`
	PaymentID     int64
	PayBefore     *time.Time
	UpdatedAt     time.Time

	RefundedShipping int64

	// Of its purchase; only lockOrder reads them.
	PartnerID int64  `gorm:"->"`
	GroupCode string `gorm:"->"`
}

type lineRow struct {
	ID              int64
	OrderID         int64
	VariantID       int64
	ProductID       int64
	SKU             string `gorm:"column:sku"`
	NameVI          string `gorm:"column:name_vi"`
	NameEN          string `gorm:"column:name_en"`
	UnitVI          string `gorm:"column:unit_vi"`
	UnitEN          string `gorm:"column:unit_en"`
	Quantity        int
	UnitPrice       int64
	LineTotal       int64
	Stars           *int
	CertificateCode *string
	DecisionNo      *string
}

type historyRow struct {
	ID        int64
	OrderID   int64
	FromState string
	ToState   string
	Actor     string
	Reason    string
	At        time.Time
}

func (historyRow) TableName() string { return "order_history" }

// rates reads the tables in force on a day, in the order in which tariff wants them.
func rates(ctx context.Context, g *gorm.DB, on clock.Date) ([]rate, error) {
	var rows []rate
	err := g.WithContext(ctx).Raw(`SELECT r.carrier_code, c.name AS carrier_name, c.name_en AS carrier_name_en, c.divisor, c.max_g, c.cod_max, r.zone, r.up_to_g, r.price,
			r.extra_per_500g, r.days_min, r.days_max
		FROM shipping_rate r JOIN carrier c ON c.code = r.carrier_code
		WHERE r.effective_from <= ? AND (r.effective_to IS NULL OR r.effective_to >= ?)
		ORDER BY r.carrier_code, r.zone, r.up_to_g, r.effective_from DESC`, on, on).Scan(&rows).Error
	return rows, err
}

func byRequest(ctx context.Context, g *gorm.DB, key string) (code string, print []byte, err error) {
	var r struct {
		Code         string
		RequestPrint []byte
	}
	err = g.WithContext(ctx).Raw(`SELECT code, request_print FROM order_group WHERE request_key = ?`, key).Scan(&r).Error
	return r.Code, r.RequestPrint, err
}

// drawIDs takes the ids of purchases and orders ahead of their rows, so that stock can be promised before the numbers are
// drawn. It also locks the phone numbers of those who pay in cash, in one order, so that purchases at the same moment
// count each other: what counts them must be a later statement.
func drawIDs(ctx context.Context, tx db.Tx, drafts []*draft) error {
	phones, n := []string{}, 0
	for _, d := range drafts {
		n += len(d.Sellers)
		if d.Method == payment.COD {
			phones = append(phones, d.Contact.Phone)
		}
	}
	var ids []int64
	err := tx.WithContext(ctx).Raw(`WITH locked AS MATERIALIZED (
			SELECT pg_advisory_xact_lock(k) FROM (SELECT hashtextextended('order cash ' || p, 0) AS k
				FROM jsonb_array_elements_text(CAST(? AS jsonb)) AS t (p) ORDER BY 1) phones)
		SELECT nextval(pg_get_serial_sequence('order_group', 'id')) FROM generate_series(1, CAST(? AS int)) WHERE (SELECT count(*) FROM locked) >= 0
		UNION ALL SELECT nextval(pg_get_serial_sequence('orders', 'id')) FROM generate_series(1, CAST(? AS int))`,
		asJSON(phones), len(drafts), n).Scan(&ids).Error
	if err != nil {
		return err
	}
	orders := ids[len(drafts):]
	for i, d := range drafts {
		d.groupID = ids[i]
		d.ids, orders = orders[:len(d.Sellers)], orders[len(d.Sellers):]
	}
	return nil
}

// insertGroups writes the purchases and what was consented to, also a no: that it was asked and refused is proof as well.
// A purchase in cash of a phone number that has too many open ones is refused. The buyer's account is kept from being closed
// until the purchase is written; the purchase of one that was closed meanwhile is a guest's.
func (s *Service) insertGroups(ctx context.Context, tx db.Tx, drafts []*draft) error {
	groups, consents := []row{}, []row{}
	for _, d := range drafts {
		groups = append(groups, row{"id": d.groupID, "code": d.code, "secret_hash": hex.EncodeToString(ident.Hash(s.secret(d.RequestKey))),
			"request_key": d.RequestKey, "request_print": hex.EncodeToString(d.print), "locale": d.Placement.Locale,
			"contact_name": d.Contact.Name, "contact_phone": d.Contact.Phone, "contact_email": d.Contact.Email,
			"province_code": d.Address.ProvinceCode, "commune_code": d.Address.CommuneCode, "street": d.Address.Street, "method": d.Method,
			"note": d.Note, "invoice_company": d.Invoice.Company, "invoice_tax_code": d.Invoice.TaxCode, "invoice_address": d.Invoice.Address,
			"total": int64(d.Total), "placed_at": d.now, "account_id": orNull(d.AccountID), "partner_id": orNull(d.PartnerID)})
		consents = append(consents, row{"group_id": d.groupID, "purpose": "terms", "given": d.Consents.Terms},
			row{"group_id": d.groupID, "purpose": "marketing_email", "given": d.Consents.Marketing})
		if d.AdultsOnly {
			consents = append(consents, row{"group_id": d.groupID, "purpose": "age_18", "given": d.Consents.Adult})
		}
	}
	now, n := drafts[0].now, 0
	err := tx.WithContext(ctx).Raw(groupsInsert, row{"groups": asJSON(groups), "consents": asJSON(consents), "version": ConsentVersion, "now": now,
		"since": now.Add(-CashWindow), "most": MaxOpenCash}).Scan(&n).Error
	if err == nil && n < len(drafts) {
		err = apperr.New(apperr.Conflict, "order.cod_too_many", "max", MaxOpenCash).At("method")
	}
	return err
}

const groupsInsert = `WITH made AS (
	INSERT INTO order_group (id, code, secret_hash, request_key, request_print, locale, contact_name, contact_phone, contact_email, province_code,
		commune_code, street, method, note, invoice_company, invoice_tax_code, invoice_address, total, placed_at, account_id, partner_id)
	OVERRIDING SYSTEM VALUE
	SELECT id, code, decode(secret_hash, 'hex'), request_key, decode(request_print, 'hex'), locale, contact_name, contact_phone, contact_email,
		province_code, commune_code, street, method, note, invoice_company, invoice_tax_code, invoice_address, total, placed_at,
		(SELECT a.id FROM account a WHERE a.id = r.account_id AND a.state = 'active' FOR SHARE), partner_id
	FROM jsonb_to_recordset(CAST(@groups AS jsonb)) AS r(id bigint, code text, secret_hash text, request_key text, request_print text, locale text,
		contact_name text, contact_phone text, contact_email text, province_code text, commune_code text, street text, method text, note text,
		invoice_company text, invoice_tax_code text, invoice_address text, total bigint, placed_at timestamptz, account_id bigint, partner_id bigint)
	WHERE method <> 'cod' OR @most > (
		SELECT count(*) FROM order_group g WHERE g.method = 'cod' AND g.contact_phone = r.contact_phone AND g.placed_at > @since
			AND EXISTS (SELECT FROM orders o WHERE o.group_id = g.id AND o.state IN ('placed', 'packed')))
	RETURNING id
), agreed AS (
	INSERT INTO consent (group_id, purpose, text_version, given, at)
	SELECT r.group_id, r.purpose, @version, r.given, @now
	FROM made JOIN jsonb_to_recordset(CAST(@consents AS jsonb)) AS r(group_id bigint, purpose text, given boolean) ON r.group_id = made.id
)
SELECT count(*) FROM made`

// row is one record of a list that goes to the server as JSON.
type row = map[string]any

// insertOrders writes the orders, their lines, discounts and first history, and draws their numbers: the counter is the
// last row locked.
func (s *Service) insertOrders(ctx context.Context, tx db.Tx, drafts []*draft, payments map[string]payment.Payment, stars map[int64]certification.Star) error {
	orders, lines, adjustments := []row{}, []row{}, []row{}
	for _, d := range drafts {
		for i, q := range d.Sellers {
			o, _ := q.Option()
			code := orderCode(d.code, i)
			orders = append(orders, row{"id": d.ids[i], "nth": len(orders), "group_id": d.groupID, "producer_id": q.ProducerID,
				"location_id": d.shelves[q.Lines[0].VariantID].LocationID, "code": code, "state": string(d.state()), "goods_total": int64(q.Goods),
				"shipping_total": int64(q.Shipping), "discount_total": int64(q.Discount), "total": int64(q.Total), "delivery": o.Kind,
				"carrier_code": orNull(o.CarrierCode), "showroom_id": orNull(o.ShowroomID), "chargeable_g": o.ChargeableG,
				"payment_id": payments[code].ID, "pay_before": s.payBefore(d)})
			for _, l := range q.Lines {
				line := row{"order_id": d.ids[i], "variant_id": l.VariantID, "product_id": l.ProductID, "sku": l.SKU, "name_vi": l.NameVI, "name_en": l.NameEN,
					"unit_vi": l.UnitVI, "unit_en": l.UnitEN, "quantity": l.Quantity, "unit_price": int64(l.UnitPrice), "line_total": int64(l.Total)}
				if star, ok := stars[l.ProductID]; ok {
					line["stars"], line["certificate_code"], line["decision_no"] = star.Stars, star.Code, star.DecisionNo
				}
				lines = append(lines, line)
				for _, a := range l.Adjustments {
					adjustments = append(adjustments, row{"order_id": d.ids[i], "variant_id": l.VariantID, "rule": a.Rule, "text_key": a.Key, "text_args": a.Args, "amount": int64(a.Off)})
				}
			}
		}
	}
	now := drafts[0].now
	return tx.WithContext(ctx).Exec(ordersInsert, row{"year": clock.On(now).Y, "n": len(orders), "now": now, "actor": actorBuyer,
		"orders": asJSON(orders), "lines": asJSON(lines), "adjustments": asJSON(adjustments)}).Error
}

// ordersInsert takes all rows of a purchase as JSON; the ids of the orders were drawn before.
const ordersInsert = `WITH counter AS (
	INSERT INTO order_counter (year, last) VALUES (@year, @n)
	ON CONFLICT (year) DO UPDATE SET last = order_counter.last + excluded.last RETURNING last
), made AS (
	INSERT INTO orders (id, group_id, producer_id, location_id, code, number_year, number_seq, state, goods_total, shipping_total,
		discount_total, total, delivery, carrier_code, showroom_id, chargeable_g, payment_id, pay_before, updated_at)
	OVERRIDING SYSTEM VALUE
	SELECT id, group_id, producer_id, location_id, code, @year, counter.last - @n + 1 + nth, state, goods_total, shipping_total,
		discount_total, total, delivery, carrier_code, showroom_id, chargeable_g, payment_id, pay_before, @now
	FROM counter, jsonb_to_recordset(CAST(@orders AS jsonb)) AS r(id bigint, nth int, group_id bigint, producer_id bigint, location_id bigint,
		code text, state text, goods_total bigint, shipping_total bigint, discount_total bigint, total bigint, delivery text,
		carrier_code text, showroom_id bigint, chargeable_g int, payment_id bigint, pay_before timestamptz)
	ORDER BY id
	RETURNING id, state
), sold AS (
	INSERT INTO order_line (order_id, variant_id, product_id, sku, name_vi, name_en, unit_vi, unit_en, quantity, unit_price, line_total,
		stars, certificate_code, decision_no)
	SELECT order_id, variant_id, product_id, sku, name_vi, name_en, unit_vi, unit_en, quantity, unit_price, line_total, stars, certificate_code, decision_no
	FROM ROWS FROM (jsonb_to_recordset(CAST(@lines AS jsonb)) AS (order_id bigint, variant_id bigint, product_id bigint, sku text, name_vi text,
		name_en text, unit_vi text, unit_en text, quantity int, unit_price bigint, line_total bigint, stars int, certificate_code text,
		decision_no text)) WITH ORDINALITY ORDER BY ordinality
), explained AS (
	INSERT INTO order_adjustment (order_id, variant_id, rule, text_key, text_args, amount)
	SELECT order_id, variant_id, rule, text_key, coalesce(text_args, '{}'), amount
	FROM ROWS FROM (jsonb_to_recordset(CAST(@adjustments AS jsonb)) AS (order_id bigint, variant_id bigint, rule text, text_key text,
		text_args jsonb, amount bigint)) WITH ORDINALITY ORDER BY ordinality
)
INSERT INTO order_history (order_id, from_state, to_state, actor, at) SELECT id, '', state, @actor, @now FROM made ORDER BY id`

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic("order: " + err.Error()) // plain values always marshal
	}
	return string(b)
}

// orNull is nil for the zero value, which the table does not want.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// lockOrder locks the order that a condition such as "code = ?" names. A missing one is ok false.
func lockOrder(ctx context.Context, tx db.Tx, condition string, value any) (r orderRow, ok bool, err error) {
	all, err := lockOrders(ctx, tx, condition, value)
	if err != nil || len(all) == 0 {
		return r, false, err
	}
	return all[0], true, nil
}

// lockOrders locks the orders that a condition names, in the order of their ids.
func lockOrders(ctx context.Context, tx db.Tx, condition string, value any) ([]orderRow, error) {
	var rows []orderRow
	err := tx.WithContext(ctx).Table("orders").
		Select("orders.*, (SELECT coalesce(partner_id, 0) FROM order_group WHERE id = group_id) AS partner_id, (SELECT code FROM order_group WHERE id = group_id) AS group_code").
		Clauses(clause.Locking{Strength: "UPDATE"}).Where(condition, value).Order("orders.id").Scan(&rows).Error
	return rows, err
}

func setState(ctx context.Context, tx db.Tx, id int64, to State, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE orders SET state = ?, updated_at = ? WHERE id = ?`, string(to), now, id).Error
}

func insertHistory(ctx context.Context, tx db.Tx, h historyRow) error {
	return tx.WithContext(ctx).Create(&h).Error
}

// due lists orders whose time to pay is over.
func due(ctx context.Context, g *gorm.DB, groupID int64, now time.Time, limit int) ([]int64, error) {
	var ids []int64
	err := g.WithContext(ctx).Raw(`SELECT id FROM orders WHERE state = 'awaiting_payment' AND pay_before <= ? AND (? = 0 OR group_id = ?)
		ORDER BY pay_before, id LIMIT ?`, now, groupID, groupID, limit).Scan(&ids).Error
	return ids, err
}

func groupBy(ctx context.Context, g *gorm.DB, condition string, value any) (groupRow, error) {
	var r groupRow
	err := g.WithContext(ctx).Table("order_group").Where(condition, value).Limit(1).Scan(&r).Error
	return r, err
}

func groupOfOrder(ctx context.Context, g *gorm.DB, orderID int64) (id int64, err error) {
	err = g.WithContext(ctx).Raw(`SELECT group_id FROM orders WHERE id = ?`, orderID).Scan(&id).Error
	return id, err
}

func ordersOf(ctx context.Context, g *gorm.DB, groupID int64) ([]orderRow, error) {
	var rows []orderRow
	err := g.WithContext(ctx).Raw(`SELECT * FROM orders WHERE group_id = ? ORDER BY id`, groupID).Scan(&rows).Error
	return rows, err
}

func linesOf(ctx context.Context, g *gorm.DB, groupID int64) ([]lineRow, error) {
	var rows []lineRow
	err := g.WithContext(ctx).Raw(`SELECT l.* FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.group_id = ? ORDER BY l.id`, groupID).Scan(&rows).Error
	return rows, err
}

func historyOf(ctx context.Context, g *gorm.DB, groupID int64) ([]historyRow, error) {
	var rows []historyRow
	err := g.WithContext(ctx).Raw(`SELECT h.* FROM order_history h JOIN orders o ON o.id = h.order_id WHERE o.group_id = ? ORDER BY h.id`, groupID).Scan(&rows).Error
	return rows, err
}

// carrierName is how a carrier is called in both languages.
type carrierName struct {
	Code   string
	Name   string
	NameEN string `gorm:"column:name_en"`
}

func carrierNames(ctx context.Context, g *gorm.DB) (map[string]carrierName, error) {
	var rows []carrierName
	err := g.WithContext(ctx).Raw(`SELECT code, name, name_en FROM carrier`).Scan(&rows).Error
	out := make(map[string]carrierName, len(rows))
	for _, r := range rows {
		out[r.Code] = r
	}
	return out, err
}

type purchaseRow struct {
	ID       int64
	Code     string
	PlacedAt time.Time
	Total    int64
	Method   string
	Orders   string // JSON: what view takes
	Names    string
	Pieces   int
}

func (r purchaseRow) view(now time.Time) Purchase {
	p := Purchase{ID: r.ID, Code: r.Code, PlacedAt: r.PlacedAt, Total: money.VND(r.Total), Method: payment.Method(r.Method), Pieces: r.Pieces}
	var orders []struct {
		State     State
		PayBefore *time.Time
	}
	var names [][2]string
	_ = json.Unmarshal([]byte(r.Orders), &orders) // made by the statement below
	_ = json.Unmarshal([]byte(r.Names), &names)
	for _, o := range orders {
		if o.State == AwaitingPayment && o.PayBefore != nil && !now.Before(*o.PayBefore) {
			o.State = Expired // as the status page says it
		}
		p.States = append(p.States, o.State)
	}
	for _, n := range names {
		p.NamesVI, p.NamesEN = append(p.NamesVI, n[0]), append(p.NamesEN, n[1])
	}
	return p
}

func purchasesOf(ctx context.Context, g *gorm.DB, accountID, before int64, limit int) ([]purchaseRow, error) {
	var rows []purchaseRow
	err := g.WithContext(ctx).Raw(`SELECT g.id, g.code, g.placed_at, g.total, g.method,
			(SELECT json_agg(json_build_object('State', o.state, 'PayBefore', o.pay_before) ORDER BY o.id) FROM orders o WHERE o.group_id = g.id)::text AS orders,
			(SELECT json_agg(json_build_array(n.name_vi, n.name_en)) FROM (SELECT l.name_vi, l.name_en FROM order_line l JOIN orders o ON o.id = l.order_id
				WHERE o.group_id = g.id ORDER BY l.id LIMIT 4) n)::text AS names,
			(SELECT sum(l.quantity) FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.group_id = g.id) AS pieces
		FROM order_group g WHERE g.account_id = ? AND (? = 0 OR g.id < ?) ORDER BY g.id DESC LIMIT ?`, accountID, before, before, limit).Scan(&rows).Error
	return rows, err
}

// unclaimed is the condition of Claimable and Claim; a contact that is empty fits no row.
const unclaimed = `account_id IS NULL AND anonymised_at IS NULL
	AND (contact_phone = NULLIF(?, '') OR contact_email <> '' AND lower(contact_email) = NULLIF(?, ''))`

func claimable(ctx context.Context, g *gorm.DB, phone, email string) (n int, err error) {
	err = g.WithContext(ctx).Raw(`SELECT count(*) FROM order_group WHERE `+unclaimed, phone, email).Scan(&n).Error
	return n, err
}

func claim(ctx context.Context, tx db.Tx, accountID int64, phone, email string) (int, error) {
	done := tx.WithContext(ctx).Exec(`UPDATE order_group SET account_id = ? WHERE `+unclaimed, accountID, phone, email)
	return int(done.RowsAffected), done.Error
}

func unfinished(ctx context.Context, tx db.Tx, accountID int64) (n int, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT count(DISTINCT g.id) FROM order_group g JOIN orders o ON o.group_id = g.id JOIN payment p ON p.id = o.payment_id
		WHERE g.account_id = ? AND (o.state NOT IN ('delivered', 'returned', 'cancelled', 'expired')
			OR o.state IN ('cancelled', 'expired') AND p.state = 'paid' AND p.captured > p.refunded
			OR EXISTS (SELECT FROM refund r WHERE r.payment_id = p.id AND r.state = 'due'))`, accountID).Scan(&n).Error
	return n, err
}

func contactEmails(ctx context.Context, tx db.Tx, accountID int64) (emails []string, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT DISTINCT lower(g.contact_email) FROM order_group g WHERE g.account_id = ? AND g.contact_email <> ''
		AND NOT EXISTS (SELECT FROM account a WHERE a.email = lower(g.contact_email) AND a.id <> g.account_id)
		AND NOT EXISTS (SELECT FROM order_group o WHERE lower(o.contact_email) = lower(g.contact_email) AND o.account_id IS DISTINCT FROM g.account_id)`,
		accountID).Scan(&emails).Error
	return emails, err
}

// anonymiseLeft takes the contact out of purchases of closed accounts that were placed before a moment.
func anonymiseLeft(ctx context.Context, g *gorm.DB, before, now time.Time) (int, error) {
	done := g.WithContext(ctx).Exec(`UPDATE order_group g SET anonymised_at = ?, contact_name = '', contact_phone = '', contact_email = '', street = '', note = ''
		FROM account a WHERE a.id = g.account_id AND a.anonymised_at IS NOT NULL AND g.anonymised_at IS NULL AND g.placed_at < ?`, now, before)
	return int(done.RowsAffected), done.Error
}

func groupsOf(ctx context.Context, g *gorm.DB, accountID int64) ([]groupRow, error) {
	var rows []groupRow
	err := g.WithContext(ctx).Table("order_group").Where("account_id = ?", accountID).Order("id").Scan(&rows).Error
	return rows, err
}

func consentsOf(ctx context.Context, g *gorm.DB, accountID int64) ([]ConsentGiven, error) {
	var rows []ConsentGiven
	err := g.WithContext(ctx).Raw(`SELECT g.code, c.purpose, c.text_version, c.given, c.at FROM consent c JOIN order_group g ON g.id = c.group_id
		WHERE g.account_id = ? ORDER BY c.id`, accountID).Scan(&rows).Error
	return rows, err
}

// ordersOfGroups are all orders of the purchases with these codes.
func ordersOfGroups(ctx context.Context, g *gorm.DB, codes []string) ([]orderRow, error) {
	var rows []orderRow
	err := g.WithContext(ctx).Raw(`SELECT o.* FROM order_group g JOIN orders o ON o.group_id = g.id WHERE g.code IN ? ORDER BY o.id`, codes).Scan(&rows).Error
	return rows, err
}

func ordersByCodes(ctx context.Context, g *gorm.DB, codes []string) ([]orderRow, error) {
	var rows []orderRow
	err := g.WithContext(ctx).Raw(`SELECT * FROM orders WHERE code IN ? ORDER BY id`, codes).Scan(&rows).Error
	return rows, err
}

func watch(ctx context.Context, g *gorm.DB, groupID int64, now time.Time) (Watch, error) {
	var r struct {
		Stamp int64
		Until *time.Time
	}
	err := g.WithContext(ctx).Raw(`SELECT (SELECT max(h.id) FROM order_history h JOIN orders o ON o.id = h.order_id WHERE o.group_id = @id) AS stamp,
		(SELECT max(pay_before) FROM orders WHERE group_id = @id AND state = 'awaiting_payment' AND pay_before > @now) AS until`,
		map[string]any{"id": groupID, "now": now}).Scan(&r).Error
	w := Watch{GroupID: groupID, Stamp: r.Stamp}
	if r.Until != nil {
		w.Waits, w.Until = true, *r.Until
	}
	return w, err
}

func stamps(ctx context.Context, g *gorm.DB, groups []int64) (map[int64]int64, error) {
	var rows []struct{ GroupID, Stamp int64 }
	err := g.WithContext(ctx).Raw(`SELECT o.group_id, max(h.id) AS stamp FROM orders o JOIN order_history h ON h.order_id = o.id
		WHERE o.group_id IN ? GROUP BY o.group_id`, groups).Scan(&rows).Error
	out := make(map[int64]int64, len(rows))
	for _, r := range rows {
		out[r.GroupID] = r.Stamp
	}
	return out, err
}
