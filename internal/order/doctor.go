package order

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }

// Checks are the invariants of this package and of what it holds together.
func Checks() []Check {
	return []Check{
		{"order: the total of a purchase is the sum of its orders", `SELECT count(*) FROM order_group g
			WHERE g.total <> (SELECT coalesce(sum(o.total), 0) FROM orders o WHERE o.group_id = g.id)`},
		{"order: the total is goods and shipping less the discount", `SELECT count(*) FROM orders WHERE total <> goods_total + shipping_total - discount_total`},
		{"order: the goods are the sum of the lines", `SELECT count(*) FROM orders o
			WHERE o.goods_total <> (SELECT coalesce(sum(l.line_total), 0) FROM order_line l WHERE l.order_id = o.id)`},
		{"order: every đồng of a discount is explained", `SELECT count(*) FROM orders o
			WHERE o.discount_total <> (SELECT coalesce(sum(a.amount), 0) FROM order_adjustment a WHERE a.order_id = o.id)`},
		{"order: the payment is of this order and its total", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.amount <> o.total OR p.reference <> o.code`},
		{"order: the numbers of a year have no gap", `SELECT count(*) FROM order_counter c
			LEFT JOIN (SELECT number_year, count(*) AS n, min(number_seq) AS low, max(number_seq) AS high FROM orders GROUP BY number_year) o
			ON o.number_year = c.year WHERE coalesce(o.n, 0) <> c.last OR coalesce(o.high, 0) <> c.last OR coalesce(o.low, 1) <> 1`},
		{"order: the state is that of the last history", `SELECT count(*) FROM orders o
			WHERE o.state IS DISTINCT FROM (SELECT h.to_state FROM order_history h WHERE h.order_id = o.id ORDER BY h.id DESC LIMIT 1)`},
		{"order: only a live order holds stock", `SELECT count(*) FROM stock_reservation r JOIN orders o ON o.id = r.order_id
			WHERE r.state = 'open' AND o.state NOT IN ('awaiting_payment', 'placed', 'packed')`},
		{"order: a placed order holds all its stock without end", `SELECT count(*) FROM orders o WHERE o.state IN ('placed', 'packed')
			AND (SELECT coalesce(sum(l.quantity), 0) FROM order_line l WHERE l.order_id = o.id)
			 <> (SELECT coalesce(sum(r.quantity), 0) FROM stock_reservation r WHERE r.order_id = o.id AND r.state = 'open' AND r.expires_at IS NULL)`},
		{"order: a shipped order has sold all its stock", `SELECT count(*) FROM orders o WHERE o.state IN ('shipped', 'delivered', 'returned')
			AND (SELECT coalesce(sum(l.quantity), 0) FROM order_line l WHERE l.order_id = o.id)
			 <> (SELECT coalesce(sum(r.quantity), 0) FROM stock_reservation r WHERE r.order_id = o.id AND r.state = 'sold')`},
		{"order: nothing that was paid still awaits payment", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.state = 'paid' AND o.state = 'awaiting_payment'`},
		{"order: an order that is off though paid says that the money is owed back", `SELECT count(*) FROM orders o
			JOIN payment p ON p.id = o.payment_id AND p.state = 'paid' WHERE o.state IN ('cancelled', 'expired')
			AND NOT EXISTS (SELECT FROM order_history h WHERE h.order_id = o.id AND h.actor = 'system' AND h.reason = 'order.reason.refund_due')`},
		{"order: the card money of an order that is off goes back, or its refund has failed and waits for a person", `SELECT count(*) FROM orders o
			JOIN payment p ON p.id = o.payment_id AND p.method = 'card' AND p.captured > p.refunded WHERE o.state IN ('cancelled', 'expired')
			AND NOT EXISTS (SELECT FROM refund r WHERE r.payment_id = p.id AND r.state = 'failed')`},
		{"order: no money is awaited for an order that is off", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE o.state IN ('cancelled', 'expired', 'returned') AND p.state IN ('expected', 'pending')`},
		{"order: cash is collected only on delivery", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.method = 'cod' AND p.state IN ('collected', 'remitted') AND o.state <> 'delivered'`},
		{"order: the payment goes the way the purchase says", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			JOIN order_group g ON g.id = o.group_id WHERE p.method <> g.method`},
		{"order: a discount stands on a line of its order and takes no more than the line", `SELECT count(*) FROM
			(SELECT order_id, variant_id, sum(amount) AS off FROM order_adjustment GROUP BY order_id, variant_id) a
			LEFT JOIN order_line l USING (order_id, variant_id) WHERE l.id IS NULL OR a.off > l.line_total`},
		{"order: an order holds goods of its seller only", `SELECT count(*) FROM order_line l JOIN orders o ON o.id = l.order_id
			JOIN product p ON p.id = l.product_id JOIN variant v ON v.id = l.variant_id
			WHERE p.producer_id <> o.producer_id OR v.product_id <> l.product_id`},
		{"order: each step of the history goes on from the one before", `SELECT count(*) FROM (
				SELECT from_state, lag(to_state, 1, '') OVER (PARTITION BY order_id ORDER BY id) AS before FROM order_history) h
			WHERE from_state <> before`},
		// A certificate that is revoked later, though on the day of the sale or with effect from before, was good when it was sold under.
		{"order: a star on a line is a certificate of the product that was valid on the day of the sale", `SELECT count(*) FROM order_line l
			JOIN orders o ON o.id = l.order_id JOIN order_group g ON g.id = o.group_id
			CROSS JOIN LATERAL (SELECT (g.placed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS day) d
			WHERE l.stars IS NOT NULL AND NOT EXISTS (SELECT FROM certificate c JOIN certificate_product cp ON cp.certificate_id = c.id
				WHERE c.code = l.certificate_code AND cp.product_id = l.product_id AND c.stars = l.stars AND d.day BETWEEN c.valid_from AND c.valid_to
				AND (c.revoked_on IS NULL OR c.revoked_on > d.day OR EXISTS (SELECT FROM audit_event a
					WHERE a.action = 'certificate.revoke' AND a.subject = 'certificate' AND a.subject_id = c.code AND a.at > g.placed_at)))`},
		{"order: no goods are promised of a lot past its last day", `SELECT count(*) FROM stock_reservation r
			JOIN stock_level s ON s.id = r.level_id JOIN stock_lot b ON b.id = s.lot_id
			WHERE r.state = 'open' AND b.expires_on < (now() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date`},
		{"order: an order by transfer or card is placed only when paid", `SELECT count(*) FROM orders o JOIN payment p ON p.id = o.payment_id
			WHERE p.method <> 'cod' AND o.state IN ('placed', 'packed', 'shipped', 'delivered', 'returned') AND p.state <> 'paid'`},
		{"order: the parts of a refund add up to it", `SELECT count(*) FROM refund r
			WHERE r.amount <> (SELECT coalesce(sum(x.amount), 0) FROM order_refund x WHERE x.refund_id = r.id)`},
		{"order: a refund is of the payment of its order", `SELECT count(*) FROM order_refund x JOIN refund r ON r.id = x.refund_id JOIN orders o ON o.id = x.order_id
			LEFT JOIN order_line l ON l.id = x.line_id WHERE r.payment_id <> o.payment_id OR l.order_id <> o.id`},
		{"order: what was given back of a line is the sum of its refunds, and no more than was paid for it", `SELECT count(*) FROM order_line l
			CROSS JOIN LATERAL (SELECT coalesce(sum(x.quantity), 0) AS quantity, coalesce(sum(x.amount), 0) AS amount FROM order_refund x
				JOIN refund r ON r.id = x.refund_id AND r.state <> 'failed' WHERE x.line_id = l.id) back
			CROSS JOIN LATERAL (SELECT coalesce(sum(a.amount), 0) AS off FROM order_adjustment a WHERE a.order_id = l.order_id AND a.variant_id = l.variant_id) d
			WHERE l.refunded_quantity <> back.quantity OR l.refunded <> back.amount OR l.refunded > l.line_total - d.off
			 OR l.refunded_quantity = l.quantity AND l.refunded <> l.line_total - d.off`},
		{"order: the shipping given back is the sum of its refunds", `SELECT count(*) FROM orders o
			WHERE o.refunded_shipping <> (SELECT coalesce(sum(x.amount), 0) FROM order_refund x JOIN refund r ON r.id = x.refund_id AND r.state <> 'failed'
				WHERE x.order_id = o.id AND x.line_id IS NULL)`},
		{"order: the goods of a returned order are back", `SELECT count(*) FROM stock_reservation r JOIN orders o ON o.id = r.order_id AND o.state = 'returned'
			WHERE r.state = 'sold' AND NOT EXISTS (SELECT FROM stock_movement m WHERE m.request_key = 'restock:' || r.order_id || ':' || r.level_id)`},
		{"order: the charge of a purchase is paid by its orders only", `SELECT count(*) FROM charge c JOIN payment p ON p.charge_id = c.id
			JOIN orders o ON o.payment_id = p.id JOIN order_group g ON g.id = o.group_id WHERE g.code <> c.reference`},
		{"order: alcohol is never sold for cash", `SELECT count(DISTINCT o.id) FROM orders o JOIN order_group g ON g.id = o.group_id AND g.method = 'cod'
			JOIN order_line l ON l.order_id = o.id JOIN product p ON p.id = l.product_id JOIN category c ON c.code = p.category_code
			JOIN category_rule r ON r.set_no = c.set_no AND r.rule = 'no_cod' AND r.suspended_by IS NULL
			AND r.effective_from <= (g.placed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
			AND (r.effective_to IS NULL OR r.effective_to >= (g.placed_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date)`},
		{"order: every buyer agreed to the terms", `SELECT count(*) FROM order_group g
			WHERE NOT EXISTS (SELECT FROM consent c WHERE c.group_id = g.id AND c.purpose = 'terms' AND c.given)`},
	}
}
