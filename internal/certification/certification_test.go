package certification_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

func day(s string) clock.Date {
	d, err := clock.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// code returns the code of the only certificate.
func code(t *testing.T, d *db.DB) string {
	t.Helper()
	var c string
	testkit.Scan(t, d, &c, `SELECT code FROM certificate ORDER BY id DESC LIMIT 1`)
	return c
}

func TestStarsAreGoneAtMidnightInVietnam(t *testing.T) {
	d := testkit.DB(t)
	ctx := context.Background()
	c := clock.Fixed(time.Date(2026, 11, 22, 23, 59, 0, 0, clock.HCM))
	s := certification.New(d, c)
	p := testkit.Product(t, d, testkit.WithStars(4, day("2026-11-22")))
	stars := func() int {
		found, err := certification.Valid(ctx, d.Read(ctx), []int64{p}, clock.Today(c))
		if err != nil {
			t.Fatal(err)
		}
		return found[p].Stars
	}
	state := func() string {
		proof, err := s.Proof(ctx, code(t, d))
		if err != nil {
			t.Fatal(err)
		}
		return proof.State
	}
	if stars() != 4 || state() != certification.StateValid {
		t.Errorf("at 23:59: %d stars, %s", stars(), state())
	}
	c.Advance(59 * time.Second)
	if stars() != 4 {
		t.Error("gone before midnight")
	}
	c.Set(time.Date(2026, 11, 23, 0, 0, 0, 0, clock.HCM))
	if stars() != 0 || state() != certification.StateExpired {
		t.Errorf("at 00:00: %d stars, %s", stars(), state())
	}
	last, err := certification.Last(ctx, d.Read(ctx), []int64{p}, clock.Today(c))
	if err != nil || last[p].ValidTo != day("2026-11-22") {
		t.Errorf("what ended last: %+v, %v", last, err)
	}
}

func TestValidTakesTheBestThatCounts(t *testing.T) {
	d := testkit.DB(t)
	ctx := context.Background()
	a := testkit.Product(t, d, testkit.WithStars(3, day("2028-05-01")))
	b := testkit.Product(t, d, testkit.WithStars(5, day("2026-01-01")))
	none := testkit.Product(t, d)
	testkit.Certificate(t, d, 4, day("2027-05-01"), a, b)
	on := day("2026-11-22")
	found, err := certification.Valid(ctx, d.Read(ctx), []int64{a, b, none}, on)
	if err != nil || len(found) != 2 || found[a].Stars != 4 || found[b].Stars != 4 || found[a].YearOnly || found[a].DecidedOn == nil {
		t.Errorf("%+v, %v", found, err)
	}
	if found, _ := certification.Valid(ctx, d.Read(ctx), []int64{a}, day("2027-05-02")); found[a].Stars != 3 {
		t.Errorf("after the better one ended: %+v", found)
	}
	if found, _ := certification.Valid(ctx, d.Read(ctx), nil, on); len(found) != 0 {
		t.Error(found)
	}
	records, err := certification.New(d, clock.System()).History(ctx, d.Read(ctx), a)
	if err != nil || len(records) != 2 || records[0].ValidFrom.Before(records[1].ValidFrom) {
		t.Errorf("history %+v, %v", records, err)
	}
}

func TestValidityIsThirtySixMonths(t *testing.T) {
	for from, to := range map[string]string{"2025-01-17": "2028-01-17", "2024-02-29": "2027-02-28", "2021-06-30": "2024-06-30"} {
		if got := certification.ValidTo(day(from)); got != day(to) {
			t.Errorf("%s: %s, want %s", from, got, to)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		year := rapid.IntRange(2018, 2090).Draw(t, "year")
		decided := clock.NewDate(year, 1, 1).AddDays(rapid.IntRange(0, 364).Draw(t, "day"))
		r := certification.Record{ValidFrom: decided, ValidTo: certification.ValidTo(decided)}
		states := [2]string{r.StateOn(decided.AddDays(-1)), r.StateOn(r.ValidTo.AddDays(1))}
		if states != [2]string{certification.StateNotYet, certification.StateExpired} ||
			r.StateOn(decided) != certification.StateValid || r.StateOn(r.ValidTo) != certification.StateValid {
			t.Fatalf("%s to %s: %v", r.ValidFrom, r.ValidTo, states)
		}
		if n := decided.DaysUntil(r.ValidTo); n < 1095 || n > 1096 {
			t.Fatalf("%d days", n)
		}
		// Of a decision known by its year only, nothing may count longer than of any day of that year.
		from, to := certification.YearOnly(year)
		if to.After(r.ValidTo) || from.After(r.ValidFrom) {
			t.Fatalf("year %d ends %s, a decision of %s ends %s", year, to, decided, r.ValidTo)
		}
		revoked := decided.AddDays(rapid.IntRange(0, 1000).Draw(t, "revoked"))
		r.RevokedOn = &revoked
		if r.StateOn(revoked) != certification.StateRevoked || r.StateOn(revoked.AddDays(-1)) == certification.StateRevoked {
			t.Fatal("a revocation counts from its day on")
		}
	})
}

// TestValidAgreesWithStateOn holds the SQL and the rule in Go together.
func TestValidAgreesWithStateOn(t *testing.T) {
	d := testkit.DB(t)
	ctx := context.Background()
	p := testkit.Product(t, d, testkit.WithStars(5, day("2026-11-22")))
	testkit.Exec(t, d, `UPDATE certificate SET revoked_on = '2026-06-01', revoked_why = 'thử'`)
	records, err := certification.New(d, clock.System()).History(ctx, d.Read(ctx), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []string{"2023-11-22", "2023-11-23", "2023-11-24", "2026-05-31", "2026-06-01", "2026-11-22", "2026-11-23"} {
		found, err := certification.Valid(ctx, d.Read(ctx), []int64{p}, day(on))
		if err != nil || (len(found) == 1) != (records[0].StateOn(day(on)) == certification.StateValid) {
			t.Errorf("%s: %v, %s, %v", on, found, records[0].StateOn(day(on)), err)
		}
	}
}

func TestRankHasNoOneAndTwoStars(t *testing.T) {
	for score, want := range map[float64]int{100: 5, 90: 5, 89.9: 4, 70: 4, 69.99: 3, 50: 3, 49.9: 0, 30: 0, 0: 0} {
		if got := certification.Rank(score); got != want {
			t.Errorf("%v points: %d stars, want %d", score, got, want)
		}
	}
}

func TestProofReadsCodesAsPeopleTypeThem(t *testing.T) {
	d := testkit.DB(t)
	ctx := context.Background()
	c := clock.Fixed(day("2026-11-22").Time())
	s := certification.New(d, c)
	a := testkit.Product(t, d, testkit.WithName("Mật hoa dừa", ""), testkit.WithStars(5, day("2027-01-01")))
	b := testkit.Product(t, d, testkit.WithState("draft"))
	testkit.Exec(t, d, `INSERT INTO certificate_product SELECT id, $1 FROM certificate`, b)
	full := code(t, d)
	bare := strings.TrimPrefix(full, "OCOP-")
	for _, typed := range []string{full, strings.ToLower(full), bare, strings.ReplaceAll(full, "-", ""), " ocop " + strings.ReplaceAll(bare, "-", " ")} {
		p, err := s.Proof(ctx, typed)
		if err != nil || p.Code != full || len(p.Products) != 2 || p.Products[0].ID != a || p.Products[0].NameEN != "Mật hoa dừa" {
			t.Errorf("%q: %+v, %v", typed, p, err)
			continue
		}
		if !p.Products[0].Published || p.Products[1].Published {
			t.Error("drafts must be told apart: they have no page")
		}
	}
	for typed, key := range map[string]string{"": "required", "  ": "required", "abc": "malformed", "OCOP-2222-2222": "unknown",
		strings.Repeat("X", 5000): "malformed", "'; DROP TABLE": "malformed"} {
		_, err := s.Proof(ctx, typed)
		if list, ok := apperr.As(err); !ok || list[0].Key != "certification.code."+key || list[0].Field != "code" {
			t.Errorf("%.20q: %v, want %s", typed, err, key)
		}
	}
}

func TestRevokeEndsItAndLeavesATrace(t *testing.T) {
	d := testkit.DB(t)
	ctx := context.Background()
	s := certification.New(d, clock.Fixed(day("2026-11-22").Time()))
	p := testkit.Product(t, d, testkit.WithStars(4, day("2028-01-01")))
	c := code(t, d)
	revoke := func(on, why string) error { return s.Revoke(ctx, c, day(on), why, "officer") }
	for _, bad := range []struct{ on, why, key string }{{"2026-11-22", " ", "why"}, {"2020-01-01", "sai quy cách", "before"}} {
		if list, ok := apperr.As(revoke(bad.on, bad.why)); !ok || list[0].Key != "certification.revoke."+bad.key {
			t.Errorf("%+v: %v", bad, list)
		}
	}
	for range 2 {
		if err := revoke("2026-11-22", "sai quy cách"); err != nil {
			t.Fatal(err)
		}
	}
	if err := revoke("2026-11-23", "khác"); !errors.Is(err, apperr.New(apperr.Conflict, "certification.revoke.already")) {
		t.Error(err)
	}
	if err := s.Revoke(ctx, "OCOP-2222-2222", day("2026-11-22"), "x", "y"); !errors.Is(err, apperr.New(apperr.NotFound, "certification.code.unknown")) {
		t.Error(err)
	}
	found, _ := certification.Valid(ctx, d.Read(ctx), []int64{p}, day("2026-11-22"))
	before, _ := certification.Valid(ctx, d.Read(ctx), []int64{p}, day("2026-11-21"))
	var traces int
	testkit.Scan(t, d, &traces, `SELECT count(*) FROM audit_event WHERE action = 'certificate.revoke' AND subject_id = $1 AND actor = 'officer'`, c)
	if len(found) != 0 || before[p].Stars != 4 || traces != 1 {
		t.Errorf("valid %v, before %v, %d traces", found, before, traces)
	}
}

func TestEnterTwiceChangesNothingAndKeepsTheCode(t *testing.T) {
	d := testkit.DB(t)
	ctx := context.Background()
	s := certification.New(d, clock.Fixed(day("2026-11-22").Time()))
	var entries []certification.Entry
	for i := range 30 {
		p := testkit.Product(t, d)
		entries = append(entries, certification.Entry{Key: fmt.Sprint("k", i), ProductID: p, Stars: 3, Level: certification.Province, DecidedYear: 2024, Regime: "QĐ thử"})
	}
	enter := func() map[string]certification.Recorded {
		var out map[string]certification.Recorded
		if err := d.InTx(ctx, func(tx db.Tx) (err error) { out, err = s.Enter(ctx, tx, entries); return err }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if out := enter(); len(out) != 30 || !out["k0"].Added {
		t.Fatal(out)
	}
	c := code(t, d)
	if out := enter(); len(out) != 0 {
		t.Errorf("the second time did %v", out)
	}
	entries[29].DecidedOn, entries[29].DecidedYear = day("2024-05-06"), 2024
	if out := enter(); len(out) != 1 || !out["k29"].Changed || code(t, d) != c {
		t.Errorf("a day that became known: %v", out)
	}
	p, err := s.Proof(ctx, c)
	if err != nil || p.YearOnly || p.ValidTo != day("2027-05-06") {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestRegimeOn(t *testing.T) {
	for on, want := range map[string]string{"2018-06-01": "province", "2019-01-01": "province", "2023-02-23": "province",
		"2023-02-24": "district", "2025-07-05": "district", "2025-07-06": "province", "2026-05-22": "province"} {
		r := certification.RegimeOn(day(on))
		if r.LevelOf(3) != want || r.LevelOf(4) != certification.Province || r.LevelOf(5) != certification.Ministry {
			t.Errorf("%s: %+v", on, r)
		}
	}
}
