package order

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
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
