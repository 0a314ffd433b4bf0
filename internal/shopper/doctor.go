package shopper

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }

// Checks are the invariants of this package and of what it holds together.
func Checks() []Check {
	return []Check{
		{"shopper: nothing of its own is left of an account that was left", `SELECT count(*) FROM account a WHERE a.anonymised_at IS NOT NULL
			AND (EXISTS (SELECT FROM shopper_address x WHERE x.account_id = a.id) OR EXISTS (SELECT FROM wish x WHERE x.account_id = a.id)
			OR EXISTS (SELECT FROM passkey x WHERE x.account_id = a.id) OR EXISTS (SELECT FROM cart x WHERE x.account_id = a.id)
			OR EXISTS (SELECT FROM account_proof x WHERE x.account_id = a.id) OR EXISTS (SELECT FROM account_role x WHERE x.account_id = a.id))`},
		{"shopper: nothing is under way for an account that was left", `SELECT count(*) FROM order_group g JOIN account a ON a.id = g.account_id
			WHERE a.anonymised_at IS NOT NULL AND EXISTS (SELECT FROM orders o WHERE o.group_id = g.id AND o.state NOT IN ('delivered', 'returned', 'cancelled', 'expired'))`},
		{"shopper: only purchases of an account that was left are anonymous", `SELECT count(*) FROM order_group g LEFT JOIN account a ON a.id = g.account_id
			WHERE g.anonymised_at IS NOT NULL AND a.anonymised_at IS NULL`},
		{"shopper: whoever has addresses has one default", `SELECT count(*) FROM (SELECT account_id FROM shopper_address GROUP BY account_id
			HAVING count(*) FILTER (WHERE is_default) <> 1) x`},
	}
}
