package archtest_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/testkit"
	"choocop.vn/ocop/migrations"
)

var migrationName = regexp.MustCompile(`^[0-9]{5}_[a-z0-9_]+\.sql$`)

func TestMigrationsAreNumberedAndGoForward(t *testing.T) {
	files, err := migrations.Files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range files {
		if !migrationName.MatchString(f.Name()) || !strings.HasPrefix(f.Name(), fmt.Sprintf("%05d_", i+1)) {
			t.Errorf("%s: number %05d comes next, then a name in small letters", f.Name(), i+1)
		}
		b, err := migrations.Files.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(b), "-- +goose Up") {
			t.Errorf("%s has no Up", f.Name())
		}
		if strings.Contains(strings.ToLower(string(b)), "+goose down") {
			t.Errorf("%s has a Down: migrations only go forward", f.Name())
		}
	}
}

// notMoney are columns named like money that measure something else.
var notMoney = []string{
	"variant.net_amount",   // grams, millilitres or pieces
	"variant.price_source", // who set the price
}

func TestMoneyIsWholeDong(t *testing.T) {
	for _, c := range columns(t, `SELECT table_name || '.' || column_name, data_type FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'river%' AND column_name ~ '(^|_)(price|total|amount|captured|fee|cost|discount|cod_max|extra_per_500g)(_|$)'
		AND column_name !~ '_(id|at|code)$' ORDER BY 1`) {
		if c[1] != "bigint" && !slices.Contains(notMoney, c[0]) {
			t.Errorf("%s is %s: money is bigint, whole đồng", c[0], c[1])
		}
	}
	for _, c := range columns(t, `SELECT table_name || '.' || column_name, data_type FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'money') ORDER BY 1`) {
		t.Errorf("%s is %s: nothing stored is rounded by the machine", c[0], c[1])
	}
}

// ledgers are tables in which what is written stays; tables named like one must be among them.
var ledgers = []string{"account_consent", "audit_event", "bank_notice_history", "certificate_request_history", "consent", "order_history", "payment_event", "price_change", "refund_history", "stock_movement"}

func TestLedgersAreAppendOnly(t *testing.T) {
	const deletes, updates, truncates = 8, 16, 32 // of pg_trigger.tgtype
	guarded := map[string]bool{}
	for _, c := range columns(t, fmt.Sprintf(`SELECT c.relname, 'x' FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
		JOIN pg_proc p ON p.oid = g.tgfoid WHERE p.proname = 'append_only' AND g.tgenabled = 'O' AND g.tgqual IS NULL
		GROUP BY 1 HAVING bit_or(g.tgtype) & %d = %[1]d`, deletes|updates|truncates)) {
		guarded[c[0]] = true
	}
	for _, l := range ledgers {
		if !guarded[l] {
			t.Errorf("%s may be rewritten: give it append_only triggers, also before TRUNCATE", l)
		}
	}
	for _, c := range columns(t, `SELECT table_name, 'x' FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
		AND table_name NOT LIKE 'river%' AND table_name ~ '_(event|history|change|movement|entry|ledger)$'`) {
		if !slices.Contains(ledgers, c[0]) {
			t.Errorf("%s is named like a ledger: add it to ledgers", c[0])
		}
	}
}

// columns reads two text columns from a migrated database.
func columns(t *testing.T, query string) [][2]string {
	t.Helper()
	d := testkit.DB(t)
	rows, err := d.Pool().Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out [][2]string
	for rows.Next() {
		var c [2]string
		if err := rows.Scan(&c[0], &c[1]); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
