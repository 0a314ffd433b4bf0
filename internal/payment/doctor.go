package payment

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }

// Checks are the invariants of this package.
func Checks() []Check {
	return []Check{
		{"payment: no more is captured than was asked", `SELECT count(*) FROM payment WHERE captured > amount OR captured < 0`},
		{"payment: paid means captured in full, else nothing is captured", `SELECT count(*) FROM payment
			WHERE captured <> CASE WHEN state IN ('paid', 'collected', 'remitted') THEN amount ELSE 0 END`},
		{"payment: the state is that of the last event", `SELECT count(*) FROM payment p
			WHERE p.state IS DISTINCT FROM (SELECT e.to_state FROM payment_event e WHERE e.payment_id = p.id ORDER BY e.id DESC LIMIT 1)`},
		{"payment: each event goes on from the one before", `SELECT count(*) FROM (
				SELECT from_state, lag(to_state, 1, '') OVER (PARTITION BY payment_id ORDER BY id) AS before FROM payment_event) e
			WHERE from_state <> before`},
		{"payment: captured is the sum of the events", `SELECT count(*) FROM payment p
			WHERE p.captured <> (SELECT coalesce(sum(e.amount), 0) FROM payment_event e WHERE e.payment_id = p.id)`},
		{"payment: a transfer code asks for its amount", `SELECT count(*) FROM payment
			WHERE method = 'vietqr' AND position('54' || lpad(length(amount::text)::text, 2, '0') || amount::text IN payload) = 0`},
		{"payment: cash has no account, no code and no time to pay", `SELECT count(*) FROM payment
			WHERE method = 'cod' AND (payload IS NOT NULL OR account_no IS NOT NULL OR expires_at IS NOT NULL)`},
		{"payment: the shares of a charge add up to it", `SELECT count(*) FROM charge c
			WHERE c.amount <> (SELECT coalesce(sum(p.amount), 0) FROM payment p WHERE p.charge_id = c.id)`},
		{"payment: a charge is paid if and only if the shares on its page are", `SELECT count(*) FROM charge c JOIN payment p ON p.charge_id = c.id
			WHERE (c.state = 'paid' AND p.page_attempt IS NOT DISTINCT FROM c.attempt) <> (p.state = 'paid')`},
		{"payment: a charge that is closed awaits nothing", `SELECT count(*) FROM charge c JOIN payment p ON p.charge_id = c.id
			WHERE c.state = 'closed' AND p.state = 'pending'`},
		{"payment: no charge waits for a person", `SELECT count(*) FROM charge WHERE fault <> ''`},
		{"payment: what is given back is the sum of its refunds", `SELECT count(*) FROM payment p
			WHERE p.refunded <> (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.payment_id = p.id AND r.state <> 'failed')`},
		{"payment: a refund's state is that of its last history", `SELECT count(*) FROM refund r
			WHERE r.state IS DISTINCT FROM (SELECT h.to_state FROM refund_history h WHERE h.refund_id = r.id ORDER BY h.id DESC LIMIT 1)`},
		{"payment: each step of a refund goes on from the one before", `SELECT count(*) FROM (
				SELECT from_state, lag(to_state, 1, '') OVER (PARTITION BY refund_id ORDER BY id) AS before FROM refund_history) h
			WHERE from_state <> before`},
		{"payment: only cards are refunded by the provider", `SELECT count(*) FROM refund r JOIN payment p ON p.id = r.payment_id
			WHERE r.way = 'provider' AND p.method <> 'card'`},
		{"payment: a refund takes the place of one that failed, of the same payment", `SELECT count(*) FROM refund r JOIN refund f ON f.id = r.retry_of
			WHERE f.state <> 'failed' OR f.payment_id <> r.payment_id`},
		{"payment: what was taken back of a transfer is the sum of its reversals", `SELECT count(*) FROM transfer t
			WHERE t.reversed <> (SELECT coalesce(sum(v.amount), 0) FROM transfer_reversal v WHERE v.transfer_id = t.id AND v.done_at IS NOT NULL)`},
		{"payment: the reversals of a refund add up to it", `SELECT count(*) FROM refund r JOIN (SELECT refund_id, sum(amount) AS sum, count(*) FILTER (WHERE done_at IS NULL) AS open
			FROM transfer_reversal GROUP BY refund_id) v ON v.refund_id = r.id WHERE v.sum <> r.amount OR (v.open = 0) <> (r.reversal = 'done')`},
		{"payment: a seller has what was captured less what the provider gives back, or that is under way", `SELECT count(*) FROM payment p
			JOIN (SELECT payment_id, sum(amount - reversed) AS sum FROM transfer WHERE state = 'done' GROUP BY payment_id) t ON t.payment_id = p.id
			WHERE p.pass_on_since IS NULL AND NOT EXISTS (SELECT FROM refund r WHERE r.payment_id = p.id AND r.reversal = 'due' AND r.state <> 'failed')
			AND t.sum <> p.captured - (SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.payment_id = p.id AND r.way = 'provider' AND r.state <> 'failed')`},
	}
}
