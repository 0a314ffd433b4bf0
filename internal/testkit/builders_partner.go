package testkit

import (
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// Listener takes in a partner with an endpoint that wants the given kinds of events, and returns the partner's id.
func Listener(t testing.TB, d *db.DB, kinds ...string) int64 {
	t.Helper()
	code := ident.Code(12)
	id := insert(t, d, `INSERT INTO partner (name, email, created_at) VALUES ($1, $2, now()) RETURNING id`, "Đối tác "+code, "doi-tac@vidu.example")
	Exec(t, d, `INSERT INTO webhook_endpoint (code, partner_id, url, secret_sealed, kinds, created_at) VALUES ($1, $2, 'https://vidu.example/', '', CAST($3 AS text[]), now())`,
		"hook_"+code, id, "{"+strings.Join(kinds, ",")+"}")
	return id
}

// Told are the events that are on their way to a partner, in the order in which they happened: kind, subject, payload.
func Told(t testing.TB, d *db.DB, partner int64) [][3]string {
	t.Helper()
	var out [][3]string
	Scan(t, d, &out, `SELECT coalesce(jsonb_agg(jsonb_build_array(v.kind, v.subject, v.payload::text) ORDER BY x.id), '[]')
		FROM webhook_notice v JOIN webhook_delivery x ON x.event_id = v.id JOIN webhook_endpoint e ON e.id = x.endpoint_id WHERE e.partner_id = $1`, partner)
	return out
}
