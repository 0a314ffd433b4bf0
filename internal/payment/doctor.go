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
	}
}
