package inventory

// Checks lists what must hold in these tables at any moment. Each statement returns one number: how many
// rows break it.
func Checks() []Check {
	return []Check{
		{"stock: on hand is the sum of the movements", `
			SELECT count(*) FROM stock_level l
			LEFT JOIN (SELECT level_id, sum(delta) AS n FROM stock_movement GROUP BY level_id) m ON m.level_id = l.id
			WHERE l.on_hand <> coalesce(m.n, 0)`},
		{"stock: reserved is the sum of the open reservations", `
			SELECT count(*) FROM stock_level l
			LEFT JOIN (SELECT level_id, sum(quantity) AS n FROM stock_reservation WHERE state = 'open' GROUP BY level_id) r ON r.level_id = l.id
			WHERE l.reserved <> coalesce(r.n, 0)`},
		{"stock: no more is reserved than is there", `
			SELECT count(*) FROM stock_level WHERE on_hand < reserved OR reserved < 0`},
		{"stock: what was sold to an order left the ledger once", `
			SELECT count(*) FROM
				(SELECT level_id, order_id::text AS cause_id, quantity AS n FROM stock_reservation WHERE state = 'sold') r
			FULL JOIN
				(SELECT level_id, cause_id, sum(quantity) AS n FROM stock_movement
				 WHERE kind = 'sell' AND cause = 'order' GROUP BY level_id, cause_id) m USING (level_id, cause_id)
			WHERE r.n IS DISTINCT FROM m.n`},
		{"stock: no more came back from an order than left for it", `
			SELECT count(*) FROM (
				SELECT level_id, cause_id FROM stock_movement
				WHERE cause = 'order' AND kind IN ('sell', 'return_in') GROUP BY level_id, cause_id HAVING sum(delta) > 0) x`},
		{"stock: every adjustment has a reason", `
			SELECT count(*) FROM stock_movement WHERE kind IN ('adjust_up', 'adjust_down') AND btrim(reason) = ''`},
	}
}
