package intake_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/testkit"
)

// list makes n products of n/5 producers.
func list(n int) string {
	rows := make([][]string, n)
	for i := range rows {
		rows[i] = product(fmt.Sprintf("G%06d", i), "producer_name", fmt.Sprintf("Hộ kinh doanh số %d", i/5), "name_vi", fmt.Sprintf("Mật ong rừng số %d", i%(n/2+1)))
	}
	return file(",", "\n", rows...)
}

func TestStatementsGrowWithBatchesNotRows(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	m := openOn(d)
	m.load(t, list(1), intake.Options{}) // reads what is read once
	cost := func(n int) int {
		return len(counter.During(func() { m.load(t, list(n), intake.Options{}) }))
	}
	one, full, four := cost(1), cost(500), cost(2000)
	if full > one+4 {
		t.Errorf("%d statements for one row, %d for a batch", one, full)
	}
	if four > 4*full {
		t.Errorf("%d statements for one batch, %d for four", full, four)
	}
}

func TestTwentyThousandRowsAreTakenIn(t *testing.T) {
	m := open(t)
	text := list(20_000)
	last, calls := 0, 0
	begun := time.Now()
	r, err := m.in.Products(context.Background(), strings.NewReader(text), intake.CSV, intake.Options{Progress: func(done, total int) {
		if done <= last || total != 20_000 {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
		calls++
	}})
	took := time.Since(begun)
	if err != nil || r.Added != 20_000 || last != 20_000 || calls != 40 {
		t.Fatalf("%+v, %v, %d calls", r, err, calls)
	}
	t.Logf("20,000 rows in %v", took)
	if took > 60*time.Second {
		t.Errorf("20,000 rows took %v, more than a minute", took)
	}
	begun = time.Now()
	if r := m.load(t, text, intake.Options{}); r.Unchanged != 20_000 {
		t.Errorf("again: %+v", r)
	}
	t.Logf("again in %v", time.Since(begun))
}
