package order

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
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

func (lineRow) TableName() string { return "order_line" }

type adjustmentRow struct {
	ID        int64
	OrderID   int64
	VariantID int64
	Rule      string
	TextKey   string
	TextArgs  string
	Amount    int64
}

func (adjustmentRow) TableName() string { return "order_adjustment" }

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

type consentRow struct {
	ID          int64
	GroupID     int64
	Purpose     string
	TextVersion string
	Given       bool
	At          time.Time
}

func (consentRow) TableName() string { return "consent" }

// rates reads the tables in force on a day, in the order in which tariff wants them.
func rates(ctx context.Context, g *gorm.DB, on clock.Date) ([]rate, error) {
	var rows []rate
	err := g.WithContext(ctx).Raw(`SELECT r.carrier_code, c.name AS carrier_name, c.divisor, c.max_g, c.cod_max, r.zone, r.up_to_g, r.price,
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

// nextOrderIDs takes ids ahead of their rows, so that stock can be promised before the numbers are drawn.
func nextOrderIDs(ctx context.Context, tx db.Tx, n int) ([]int64, error) {
	var ids []int64
	err := tx.WithContext(ctx).Raw(`SELECT nextval(pg_get_serial_sequence('orders', 'id')) FROM generate_series(1, ?::int)`, n).Scan(&ids).Error
	return ids, err
}

// drawNumbers takes n numbers of a year and returns the last. The row stays locked until the transaction ends, so a
// number is used if and only if its order is.
func drawNumbers(ctx context.Context, tx db.Tx, year, n int) (last int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO order_counter (year, last) VALUES (?, ?)
		ON CONFLICT (year) DO UPDATE SET last = order_counter.last + excluded.last RETURNING last`, year, n).Scan(&last).Error
	return last, err
}

func insertGroup(ctx context.Context, tx db.Tx, d draft, secretHash []byte) (int64, error) {
	r := groupRow{Code: d.code, SecretHash: secretHash, RequestKey: d.RequestKey, RequestPrint: d.print, Locale: string(d.Placement.Locale),
		ContactName: d.Contact.Name, ContactPhone: d.Contact.Phone, ContactEmail: d.Contact.Email,
		ProvinceCode: d.Address.ProvinceCode, CommuneCode: d.Address.CommuneCode, Street: d.Address.Street,
		Method: string(d.Method), Note: d.Note, InvoiceCompany: d.Invoice.Company, InvoiceTaxCode: d.Invoice.TaxCode,
		InvoiceAddress: d.Invoice.Address, Total: int64(d.Total), PlacedAt: d.now}
	err := tx.WithContext(ctx).Create(&r).Error
	return r.ID, err
}

// insertConsents records each box with what was said, also a no: that it was asked and refused is proof as well.
func insertConsents(ctx context.Context, tx db.Tx, groupID int64, d draft) error {
	rows := []consentRow{
		{GroupID: groupID, Purpose: "terms", Given: d.Consents.Terms},
		{GroupID: groupID, Purpose: "marketing_email", Given: d.Consents.Marketing},
	}
	if d.AdultsOnly {
		rows = append(rows, consentRow{GroupID: groupID, Purpose: "age_18", Given: d.Consents.Adult})
	}
	for i := range rows {
		rows[i].TextVersion, rows[i].At = ConsentVersion, d.now
	}
	return tx.WithContext(ctx).Create(&rows).Error
}

func insertOrders(ctx context.Context, tx db.Tx, groupID int64, d draft, ids []int64, payments []payment.Payment, year int, first int64, payBefore *time.Time) error {
	state := Placed
	if d.Method == payment.VietQR {
		state = AwaitingPayment
	}
	var orders []map[string]any
	var lines []lineRow
	var adjustments []adjustmentRow
	var history []historyRow
	for i, q := range d.Sellers {
		o, _ := q.Option()
		orders = append(orders, map[string]any{"id": ids[i], "group_id": groupID, "producer_id": q.ProducerID, "location_id": d.locations[q.ProducerID],
			"code": orderCode(d.code, i), "number_year": year, "number_seq": first + int64(i), "state": string(state),
			"goods_total": int64(q.Goods), "shipping_total": int64(q.Shipping), "discount_total": int64(q.Discount), "total": int64(q.Total),
			"delivery": o.Kind, "carrier_code": orNull(o.CarrierCode), "showroom_id": orNull(o.ShowroomID), "chargeable_g": o.ChargeableG,
			"payment_id": payments[i].ID, "pay_before": payBefore, "updated_at": d.now})
		for _, l := range q.Lines {
			lines = append(lines, d.line(ids[i], l))
			for _, a := range l.Adjustments {
				args, err := json.Marshal(a.Args)
				if err != nil {
					return err
				}
				adjustments = append(adjustments, adjustmentRow{OrderID: ids[i], VariantID: l.VariantID, Rule: a.Rule, TextKey: a.Key, TextArgs: string(args), Amount: int64(a.Off)})
			}
		}
		history = append(history, historyRow{OrderID: ids[i], ToState: string(state), Actor: actorBuyer, At: d.now})
	}
	g := tx.WithContext(ctx)
	if err := g.Exec(ordersInsert, string(mustJSON(orders))).Error; err != nil {
		return err
	}
	if err := g.Create(&lines).Error; err != nil {
		return err
	}
	if len(adjustments) > 0 {
		if err := g.Create(&adjustments).Error; err != nil {
			return err
		}
	}
	return g.Create(&history).Error
}

// ordersInsert takes all orders of a purchase as one JSON parameter; the ids were drawn before.
const ordersInsert = `INSERT INTO orders (id, group_id, producer_id, location_id, code, number_year, number_seq, state, goods_total, shipping_total,
		discount_total, total, delivery, carrier_code, showroom_id, chargeable_g, payment_id, pay_before, updated_at)
	OVERRIDING SYSTEM VALUE
	SELECT id, group_id, producer_id, location_id, code, number_year, number_seq, state, goods_total, shipping_total,
		discount_total, total, delivery, carrier_code, showroom_id, chargeable_g, payment_id, pay_before, updated_at
	FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(id bigint, group_id bigint, producer_id bigint, location_id bigint, code text, number_year int,
		number_seq bigint, state text, goods_total bigint, shipping_total bigint, discount_total bigint, total bigint, delivery text,
		carrier_code text, showroom_id bigint, chargeable_g int, payment_id bigint, pay_before timestamptz, updated_at timestamptz)
	ORDER BY id`

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("order: " + err.Error()) // plain values always marshal
	}
	return b
}

// orNull is nil for the zero value, which the table does not want.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func (d draft) line(orderID int64, l QuoteLine) lineRow {
	r := lineRow{OrderID: orderID, VariantID: l.VariantID, ProductID: l.ProductID, SKU: l.SKU, NameVI: l.NameVI, NameEN: l.NameEN,
		UnitVI: l.UnitVI, UnitEN: l.UnitEN, Quantity: l.Quantity, UnitPrice: int64(l.UnitPrice), LineTotal: int64(l.Total)}
	if star, ok := d.stars[l.ProductID]; ok {
		r.Stars, r.CertificateCode, r.DecisionNo = &star.Stars, &star.Code, &star.DecisionNo
	}
	return r
}

// lockOrder locks the order that a condition such as "code = ?" names. A missing one is ok false.
func lockOrder(ctx context.Context, tx db.Tx, condition string, value any) (r orderRow, ok bool, err error) {
	err = tx.WithContext(ctx).Table("orders").Clauses(clause.Locking{Strength: "UPDATE"}).Where(condition, value).Limit(1).Scan(&r).Error
	return r, r.ID != 0, err
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

func carrierNames(ctx context.Context, g *gorm.DB) (map[string]string, error) {
	var rows []struct{ Code, Name string }
	err := g.WithContext(ctx).Raw(`SELECT code, name FROM carrier`).Scan(&rows).Error
	out := make(map[string]string, len(rows))
	for _, r := range rows {
		out[r.Code] = r.Name
	}
	return out, err
}
