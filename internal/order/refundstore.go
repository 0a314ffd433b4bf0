package order

import (
	"cmp"
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/producer"
)

func vnd(n int64) money.VND { return money.VND(n) }

// lockGroup locks the orders of a purchase.
func lockGroup(ctx context.Context, tx db.Tx, code string) ([]orderRow, error) {
	return lockOrders(ctx, tx, "group_id = (SELECT id FROM order_group WHERE code = ?)", code)
}

func orderByID(ctx context.Context, g *gorm.DB, id int64) (r orderRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT * FROM orders WHERE id = ?`, id).Scan(&r).Error
	return r, err
}

// chargeOfOrder is the charge of a card order that still awaits its money though its time is over; 0 for any other order.
func chargeOfOrder(ctx context.Context, g *gorm.DB, orderID int64, now time.Time) (id int64, err error) {
	err = g.WithContext(ctx).Raw(`SELECT p.charge_id FROM orders o JOIN payment p ON p.id = o.payment_id
		WHERE o.id = ? AND o.state = 'awaiting_payment' AND p.charge_id IS NOT NULL AND o.pay_before <= ?`, orderID, now).Scan(&id).Error
	return id, err
}

// refundable reads the lines of a locked order.
func refundable(ctx context.Context, tx db.Tx, orderID int64) ([]refundableLine, error) {
	var rows []refundableLine
	err := tx.WithContext(ctx).Raw(`SELECT l.id, l.sku, l.quantity, l.refunded_quantity, l.refunded, l.line_total - coalesce((SELECT sum(a.amount)
			FROM order_adjustment a WHERE a.order_id = l.order_id AND a.variant_id = l.variant_id), 0) AS net
		FROM order_line l WHERE l.order_id = ? ORDER BY l.id`, orderID).Scan(&rows).Error
	return rows, err
}

func insertParts(ctx context.Context, tx db.Tx, refundID, orderID int64, parts []refundPart) error {
	rows := make([]row, len(parts))
	for i, p := range parts {
		rows[i] = row{"line_id": orNull(p.Line), "quantity": p.Quantity, "amount": int64(p.Amount)}
	}
	return tx.WithContext(ctx).Exec(`INSERT INTO order_refund (refund_id, order_id, line_id, quantity, amount)
		SELECT ?, ?, line_id, quantity, amount FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(line_id bigint, quantity int, amount bigint)`,
		refundID, orderID, asJSON(rows)).Error
}

// countParts adds the parts of a refund to what was given back of the lines and the shipping, or with sign -1 takes them off.
func countParts(ctx context.Context, tx db.Tx, refundID, orderID int64, sign int) error {
	g := tx.WithContext(ctx)
	err := g.Exec(`UPDATE order_line l SET refunded_quantity = l.refunded_quantity + CAST(? AS int) * r.quantity, refunded = l.refunded + CAST(? AS int) * r.amount
		FROM order_refund r WHERE r.refund_id = ? AND r.line_id = l.id`, sign, sign, refundID).Error
	if err != nil {
		return err
	}
	return g.Exec(`UPDATE orders o SET refunded_shipping = o.refunded_shipping + CAST(? AS int) * r.amount
		FROM order_refund r WHERE r.refund_id = ? AND r.line_id IS NULL AND o.id = ?`, sign, refundID, orderID).Error
}

// lockRefunded locks the order of a refund, if it lies within a scope.
func lockRefunded(ctx context.Context, tx db.Tx, in Scope, refundID int64) (orderRow, bool, error) {
	return lockOrder(ctx, tx, "payment_id = (SELECT payment_id FROM refund WHERE id = @id) AND (@all OR producer_id IN @sellers)",
		map[string]any{"id": refundID, "all": in.All, "sellers": in.Sellers})
}

// partsAgain reads what a refund was made of, as a request for the same.
func partsAgain(ctx context.Context, tx db.Tx, refundID int64) (lines []RefundLine, shipping bool, err error) {
	var rows []struct {
		SKU      *string `gorm:"column:sku"`
		Quantity int
	}
	err = tx.WithContext(ctx).Raw(`SELECT l.sku, x.quantity FROM order_refund x LEFT JOIN order_line l ON l.id = x.line_id
		WHERE x.refund_id = ? ORDER BY x.id`, refundID).Scan(&rows).Error
	for _, r := range rows {
		if r.SKU == nil {
			shipping = true
		} else {
			lines = append(lines, RefundLine{*r.SKU, r.Quantity})
		}
	}
	return lines, shipping, err
}

// refundListRow is a refund on the list of staff.
type refundListRow struct {
	ID           int64
	PaymentID    int64
	Amount       int64
	Way          string
	State        string
	BankRef      string
	Reason       string
	Actor        string
	SetAside     bool
	RetryOf      int64
	CreatedAt    time.Time
	UpdatedAt    time.Time
	Wait         string
	OrderCode    string
	ProducerID   int64
	Method       string
	ContactName  string
	ContactPhone string
	ContactEmail string
	Why          string
	NextID       int64
}

func (r refundListRow) view(seller producer.Producer) RefundRow {
	return RefundRow{Refund: payment.Refund{ID: r.ID, PaymentID: r.PaymentID, Amount: vnd(r.Amount), Way: payment.Way(r.Way), State: payment.RefundState(r.State),
		BankRef: r.BankRef, Reason: r.Reason, Actor: r.Actor, Left: r.SetAside, RetryOf: r.RetryOf, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt},
		Wait: Wait(r.Wait), OrderCode: r.OrderCode, Seller: seller, Method: payment.Method(r.Method),
		Contact: Contact{r.ContactName, r.ContactPhone, r.ContactEmail}, Why: r.Why, NextID: r.NextID}
}

// refundList reads refunds within a scope, newest first, or the one with id. One that failed waits until another takes its
// place, somebody leaves it, or nothing of the payment is left to give back.
func refundList(ctx context.Context, g *gorm.DB, in Scope, f RefundFilter, id int64, slow time.Time) ([]refundListRow, error) {
	var rows []refundListRow
	like := ""
	if f.Text != "" {
		like = likeText(cmp.Or(ident.Normalise(f.Text), f.Text)) + "%" // a text that is no code finds nothing
	}
	err := g.WithContext(ctx).Raw(`SELECT l.* FROM (
			SELECT r.id, r.payment_id, r.amount, r.way, r.state, r.bank_ref, r.reason, r.actor, r.left_at IS NOT NULL AS set_aside, coalesce(r.retry_of, 0) AS retry_of,
				r.created_at, r.updated_at, o.code AS order_code, o.producer_id, p.method, g.contact_name, g.contact_phone, g.contact_email, coalesce(n.id, 0) AS next_id,
				CASE WHEN r.state = 'failed' THEN coalesce((SELECT h.reason FROM refund_history h WHERE h.refund_id = r.id AND h.to_state = 'failed' ORDER BY h.id LIMIT 1), '') ELSE '' END AS why,
				`+refundWait+` AS wait
			FROM refund r JOIN payment p ON p.id = r.payment_id JOIN orders o ON o.payment_id = p.id JOIN order_group g ON g.id = o.group_id
			LEFT JOIN refund n ON n.retry_of = r.id
			WHERE (@all OR o.producer_id IN @sellers) AND (@id = 0 OR r.id = @id) AND (@before = 0 OR r.id < @before) AND (@like = '' OR replace(o.code, '-', '') LIKE @like)
				AND (@any OR @over OR r.state = 'failed' OR r.state = 'due')) l
		WHERE (@any OR (l.wait = '') = @over) AND (@wait = '' OR l.wait = @wait) ORDER BY l.id DESC LIMIT @limit`,
		map[string]any{"all": in.All, "sellers": in.Sellers, "id": id, "before": f.Before, "like": like, "any": f.All, "over": f.Over, "wait": string(f.Wait),
			"slow": slow, "limit": f.Limit}).Scan(&rows).Error
	return rows, err
}

// refundWait is what a refund r waits for, of a payment p, with n in its place.
const refundWait = `CASE WHEN r.way = 'hand' AND r.state = 'due' THEN 'transfer'
	WHEN r.way = 'provider' AND r.state = 'failed' AND r.left_at IS NULL AND n.id IS NULL AND p.captured > p.refunded THEN 'refused'
	WHEN r.way = 'provider' AND r.state = 'due' AND r.created_at < @slow THEN 'provider' ELSE '' END`

func refundsWaiting(ctx context.Context, g *gorm.DB, in Scope, slow time.Time) (int, time.Time, error) {
	var w struct {
		N     int
		Since time.Time
	}
	err := g.WithContext(ctx).Raw(`SELECT count(*) AS n, coalesce(min(l.updated_at), 'epoch') AS since FROM (
			SELECT r.updated_at, `+refundWait+` AS wait FROM refund r JOIN payment p ON p.id = r.payment_id JOIN orders o ON o.payment_id = p.id
			LEFT JOIN refund n ON n.retry_of = r.id WHERE r.state IN ('due', 'failed') AND (@all OR o.producer_id IN @sellers)) l WHERE l.wait <> ''`,
		map[string]any{"all": in.All, "sellers": in.Sellers, "slow": slow}).Scan(&w).Error
	return w.N, w.Since, err
}

// likeText is a text in which LIKE finds no signs of its own.
func likeText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

func refundPast(ctx context.Context, g *gorm.DB, refundID int64) ([]RefundStep, error) {
	var rows []struct {
		FromState, ToState, Actor, Reason string
		At                                time.Time
	}
	err := g.WithContext(ctx).Raw(`SELECT from_state, to_state, actor, reason, at FROM refund_history WHERE refund_id = ? ORDER BY id`, refundID).Scan(&rows).Error
	out := make([]RefundStep, len(rows))
	for i, r := range rows {
		out[i] = RefundStep{payment.RefundState(r.FromState), payment.RefundState(r.ToState), r.Actor, r.Reason, r.At}
	}
	return out, err
}
