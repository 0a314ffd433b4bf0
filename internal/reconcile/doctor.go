package reconcile

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }

// Checks are the invariants of this package.
func Checks() []Check {
	return []Check{
		{"reconcile: money that settled a payment by itself is its amount, and the payment is paid", `SELECT count(*) FROM bank_notice n JOIN payment p ON p.id = n.payment_id
			WHERE n.state = 'matched' AND (p.state <> 'paid' OR p.amount <> n.amount OR p.reference <> n.reference)`},
		{"reconcile: money that a person assigned has a paid transfer", `SELECT count(*) FROM bank_notice n JOIN payment p ON p.id = n.payment_id
			WHERE p.method <> 'vietqr' OR p.captured <> p.amount`},
		{"reconcile: money stands as its last decision says", `SELECT count(*) FROM bank_notice n
			LEFT JOIN LATERAL (SELECT * FROM bank_notice_history h WHERE h.notice_id = n.id ORDER BY h.id DESC LIMIT 1) h ON true
			WHERE (n.state, n.reason, n.reference, n.payment_id)
				IS DISTINCT FROM (coalesce(h.to_state, 'received'), coalesce(h.reason, ''), coalesce(h.reference, ''), h.payment_id)`},
		{"reconcile: each decision about money goes on from the one before", `SELECT count(*) FROM (
				SELECT from_state, lag(to_state, 1, 'received') OVER (PARTITION BY notice_id ORDER BY id) AS before FROM bank_notice_history) h
			WHERE from_state <> before`},
	}
}
