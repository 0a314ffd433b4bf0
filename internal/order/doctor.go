package order

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }

// Checks are the invariants of this package and of what it holds together.
func Checks() []Check {
	return []Check{
		{"order.group_total_is_sum_of_orders", `SELECT count(*) FROM order_group g
			WHERE g.total <> (SELECT coalesce(sum(o.total), 0) FROM orders o WHERE o.group_id = g.id)`},
		{"order.total_is_goods_shipping_discount", `SELECT count(*) FROM orders WHERE total <> goods_total + shipping_total - discount_total`},
		{"order.goods_is_sum_of_lines", `SELECT count(*) FROM orders o
			WHERE o.goods_total <> (SELECT coalesce(sum(l.line_total), 0) FROM order_line l WHERE l.order_id = o.id)`},
		{"order.discount_is_explained", `SELECT count(*) FROM orders o
			WHERE o.discount_total <> (SELECT coalesce(sum(a.amount), 0) FROM order_adjustment a WHERE a.order_id = o.id)`},
		{"order.payment_is_order_total", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.amount <> o.total OR p.reference <> o.code`},
		{"order.numbers_without_gap", `SELECT count(*) FROM order_counter c
			LEFT JOIN (SELECT number_year, count(*) AS n, min(number_seq) AS low, max(number_seq) AS high FROM orders GROUP BY number_year) o
			ON o.number_year = c.year WHERE coalesce(o.n, 0) <> c.last OR coalesce(o.high, 0) <> c.last OR coalesce(o.low, 1) <> 1`},
		{"order.state_is_last_history", `SELECT count(*) FROM orders o
			WHERE o.state IS DISTINCT FROM (SELECT h.to_state FROM order_history h WHERE h.order_id = o.id ORDER BY h.id DESC LIMIT 1)`},
		{"order.open_reservation_only_on_live_order", `SELECT count(*) FROM stock_reservation r JOIN orders o ON o.id = r.order_id
			WHERE r.state = 'open' AND o.state NOT IN ('awaiting_payment', 'placed', 'packed')`},
		{"order.promised_order_holds_its_stock", `SELECT count(*) FROM orders o WHERE o.state IN ('placed', 'packed')
			AND (SELECT coalesce(sum(l.quantity), 0) FROM order_line l WHERE l.order_id = o.id)
			 <> (SELECT coalesce(sum(r.quantity), 0) FROM stock_reservation r WHERE r.order_id = o.id AND r.state = 'open' AND r.expires_at IS NULL)`},
		{"order.shipped_order_sold_its_stock", `SELECT count(*) FROM orders o WHERE o.state IN ('shipped', 'delivered')
			AND (SELECT coalesce(sum(l.quantity), 0) FROM order_line l WHERE l.order_id = o.id)
			 <> (SELECT coalesce(sum(r.quantity), 0) FROM stock_reservation r WHERE r.order_id = o.id AND r.state = 'sold')`},
		{"order.paid_never_expired", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.state = 'paid' AND o.state IN ('expired', 'awaiting_payment')`},
		{"order.transfer_placed_is_paid", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.method = 'vietqr' AND o.state IN ('placed', 'packed', 'shipped', 'delivered') AND p.state <> 'paid'`},
		{"order.alcohol_never_cod", `SELECT count(DISTINCT o.id) FROM orders o JOIN order_group g ON g.id = o.group_id AND g.method = 'cod'
			JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id JOIN category c ON c.code = p.category_code
			JOIN category_rule r ON r.set_no = c.set_no AND r.rule = 'no_cod' AND r.suspended_by IS NULL
			AND r.effective_from <= (g.placed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
			AND (r.effective_to IS NULL OR r.effective_to >= (g.placed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)`},
		{"order.consent_to_terms", `SELECT count(*) FROM order_group g
			WHERE NOT EXISTS (SELECT FROM consent c WHERE c.group_id = g.id AND c.purpose = 'terms' AND c.given)`},
	}
}
