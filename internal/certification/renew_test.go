package certification_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

func TestAProducerIsToldOnceAtEachMark(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	last := clock.Today(k.clock).AddDays(200)
	testkit.Certificate(t, k.db, 4, last, k.products[0])
	var told [][3]int
	run := func() {
		t.Helper()
		found, err := k.Warnings(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range found {
			if len(w.To) != 1 || w.To[0].Email != "seller@vidu.vn" || w.Stars < 3 || w.Goods == "" {
				t.Errorf("%+v", w)
			}
			told = append(told, [3]int{w.Mark, w.Days, int(w.CertificateID)})
			if err := k.Warned(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 201 {
		run()
		run()
		k.clock.Advance(24 * time.Hour)
	}
	marks := func() (out [][2]int) {
		for _, x := range told {
			out = append(out, [2]int{x[0], x[1]})
		}
		return out
	}
	if got := marks(); !slices.Equal(got, [][2]int{{180, 180}, {90, 90}, {30, 30}}) {
		t.Fatalf("told %v", got)
	}
	// What was off for months tells by the mark it stands at; what was renewed, revoked or is over tells nothing.
	today := clock.Today(k.clock)
	testkit.Certificate(t, k.db, 3, today.AddDays(20), k.products[0])
	revoked := testkit.Certificate(t, k.db, 3, today.AddDays(40), k.products[0])
	testkit.Exec(t, k.db, `UPDATE certificate SET revoked_on = valid_from + 9, revoked_why = 'x' WHERE id = $1`, revoked)
	told = nil
	run()
	if len(told) != 0 { // the one that ends first has a later decision, though that was revoked
		t.Errorf("told %v", told)
	}
	testkit.Certificate(t, k.db, 3, today.AddDays(89), k.products[1])
	run()
	if got := marks(); !slices.Equal(got, [][2]int{{90, 89}}) {
		t.Errorf("told %v", got)
	}
	// Not told, so it is told again.
	testkit.Certificate(t, k.db, 5, today.AddDays(180), k.products[1])
	for range 2 {
		if found, err := k.Warnings(ctx); err != nil || len(found) != 1 || found[0].Mark != 180 {
			t.Errorf("%+v, %v", found, err)
		}
	}
	for days, want := range map[int]int{-1: 0, 0: 30, 30: 30, 31: 90, 90: 90, 91: 180, 180: 180, 181: 0} {
		if got := certification.MarkOf(days); got != want {
			t.Errorf("%d days: %d", days, got)
		}
	}
}

func TestARenewalBeginsFromTheEarlierPapers(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	id := k.sent(t)
	if _, err := k.Confirm(ctx, k.first, k.here, id, 1); err != nil {
		t.Fatal(err)
	}
	held, err := k.Holdings(ctx, k.maker)
	if err != nil || len(held) != 1 || len(held[0].Products) != 2 || held[0].Renewed {
		t.Fatalf("%+v, %v", held, err)
	}
	d, err := k.Renewal(ctx, k.maker, held[0].ID)
	if err != nil || d.Stars != 4 || d.Level != certification.Province || len(d.Products) != 2 || d.Products[0].Code == "" || d.DecisionNo != "" || !d.DecidedOn.IsZero() || d.DocumentID != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := k.Renewal(ctx, testkit.Producer(t, k.db), held[0].ID); err != nil || d.Stars != 0 {
		t.Errorf("another producer's papers: %+v, %v", d, err)
	}
	today := clock.Today(k.clock)
	if n, _, err := k.Ending(ctx, k.maker); n != 0 || err != nil {
		t.Errorf("%d end, %v", n, err)
	}
	k.clock.Set(held[0].ValidTo.AddDays(-180).Time())
	if n, first, err := k.Ending(ctx, k.maker); n != 1 || first != held[0].ValidTo || err != nil {
		t.Errorf("%d end on %s, %v (from %s)", n, first, err, today)
	}
	testkit.Certificate(t, k.db, 5, held[0].ValidTo.AddMonths(20), k.products...)
	if n, _, err := k.Ending(ctx, k.maker); n != 0 || err != nil {
		t.Errorf("renewed, and %d end, %v", n, err)
	}
}
