package testkit

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"choocop.vn/ocop/internal/platform/db"
)

// Queries counts the statements that reach PostgreSQL. It is a pgx tracer: give it to db.Config.Tracer.
type Queries struct {
	mu  sync.Mutex
	sql []string
}

// TraceQueryStart notes one statement.
func (q *Queries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sql = append(q.sql, data.SQL)
	return ctx
}

// TraceQueryEnd does nothing; the statement was counted when it began.
func (q *Queries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// During runs fn and returns the statements that were sent meanwhile, in order.
func (q *Queries) During(fn func()) []string {
	q.mu.Lock()
	before := len(q.sql)
	q.mu.Unlock()
	fn()
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]string(nil), q.sql[before:]...)
}

// CountedDB is [DB] with a counter of its statements, for the tests that a list costs as many
// statements for thirty rows as for one.
func CountedDB(t testing.TB) (*db.DB, *Queries) {
	t.Helper()
	q := &Queries{}
	d, err := db.Open(context.Background(), db.Config{DSN: DSN(t), Tracer: q})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, q
}
