package certification_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

// confirmed is the code of a certificate of the desk's producer.
func (k *desk) confirmed(t *testing.T) string {
	t.Helper()
	code, err := k.Confirm(context.Background(), k.first, k.here, k.sent(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func revocation() certification.Revocation {
	return certification.Revocation{On: day("2026-11-25"), Ground: "differs", No: " 318/QĐ-UBND ", Why: " Bao bì khác hồ sơ "}
}

func TestAnOfficerTakesStarsAwayFromTheDayOn(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	code := k.confirmed(t)
	is(t, k.TakeAway(ctx, k.seller, k.here, code, revocation()), "request.of_producer")
	for field, spoil := range map[string]func(*certification.Revocation){
		"ground":      func(v *certification.Revocation) { v.Ground = "bored" },
		"decision_no": func(v *certification.Revocation) { v.No = " " },
		"why":         func(v *certification.Revocation) { v.Why = "" },
		"on":          func(v *certification.Revocation) { v.On = day("2026-06-25") }, // before it began
	} {
		v := revocation()
		spoil(&v)
		faults, ok := apperr.As(k.TakeAway(ctx, k.second, k.here, code, v))
		if _, beside := faults.On(field); !ok || !beside {
			t.Errorf("%s: %v", field, faults)
		}
	}
	undated := revocation()
	undated.On = clock.Date{}
	faults, _ := apperr.As(k.TakeAway(ctx, k.second, k.here, code, undated))
	if _, beside := faults.On("ground"); beside || len(faults) != 1 {
		t.Errorf("a missing day alone: %v", faults)
	}
	for range 2 { // a double click
		if err := k.TakeAway(ctx, k.second, k.here, code, revocation()); err != nil {
			t.Fatal(err)
		}
	}
	other := revocation()
	other.On = day("2026-11-26")
	is(t, k.TakeAway(ctx, k.second, k.here, code, other), "revoke.already")
	if k.stars(t, k.products[1], day("2026-11-24")) != 4 || k.stars(t, k.products[1], day("2026-11-25")) != 0 {
		t.Error("the stars do not end on the day")
	}
	d, err := k.Certificate(ctx, k.here, code)
	if err != nil || d.Entered.By != "seller" || d.Confirmed.By != "first" || d.Revoked.By != "second" || d.Ground != "differs" || d.RevokedNo != "318/QĐ-UBND" || d.RevokedWhy != "Bao bì khác hồ sơ" {
		t.Errorf("%+v, %v", d, err)
	}
	var traces int
	testkit.Scan(t, k.db, &traces, `SELECT count(*) FROM audit_event WHERE action = 'certificate.revoke' AND subject_id = $1 AND account_id = $2`, code, k.second.AccountID)
	if traces != 1 {
		t.Errorf("%d traces", traces)
	}
}

func TestAnOfficerElsewhereNeitherSeesNorRevokesACertificate(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	code := k.confirmed(t)
	for _, area := range []account.Area{k.there, {}, {Communes: []string{"00004"}}} {
		is(t, k.TakeAway(ctx, k.up, area, code, revocation()), "code.unknown")
		_, err := k.Certificate(ctx, area, code)
		is(t, err, "code.unknown")
		if rows, _, err := k.Certificates(ctx, area, certification.CertificateFilter{Size: 10}); err != nil || len(rows) != 0 {
			t.Errorf("%v, %v", rows, err)
		}
	}
	// One that also names a producer elsewhere is seen, and revoked only by who holds both places.
	far := testkit.Product(t, k.db)
	testkit.Exec(t, k.db, `UPDATE producer SET province_code = '01', commune_code = NULL WHERE id = (SELECT producer_id FROM product WHERE id = $1)`, far)
	testkit.Exec(t, k.db, `INSERT INTO certificate_product (certificate_id, product_id) SELECT id, $2 FROM certificate WHERE code = $1`, code, far)
	is(t, k.TakeAway(ctx, k.second, k.here, code, revocation()), "revoke.elsewhere")
	if d, err := k.Certificate(ctx, k.here, code); err != nil || d.Whole {
		t.Errorf("whole %v, %v", d.Whole, err)
	}
	if err := k.TakeAway(ctx, k.second, account.Area{Everywhere: true}, code, revocation()); err != nil {
		t.Error(err)
	}
}

func TestTwoWhoRevokeAtOnceLeaveOneRevocation(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	code := k.confirmed(t)
	start, errs := make(chan struct{}), make([]error, 2)
	var done sync.WaitGroup
	for i, by := range []certification.Person{k.first, k.second} {
		done.Add(1)
		go func() {
			defer done.Done()
			<-start
			v := revocation()
			v.Why = fmt.Sprint("lý do ", i)
			errs[i] = k.TakeAway(ctx, by, k.here, code, v)
		}()
	}
	close(start)
	done.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("%v and %v", errs[0], errs[1])
	}
}

func TestTheListOfCertificatesDividesThemAsStateOnDoes(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	today := clock.Today(k.clock)
	for i, days := range [][3]int{{-100, 0, 0}, {-100, -1, 0}, {0, 180, 0}, {0, 181, 0}, {1, 900, 0}, {-9, 900, -1}, {-9, 900, 1}, {-100, -5, 3}, {5, 900, 5}} {
		var id int64
		testkit.Scan(t, k.db, &id, `INSERT INTO certificate (code, stars, decided_year, level, regime, valid_from, valid_to) VALUES ($1, $2, 2026, 'province', 'x', $3::date, $4::date) RETURNING id`,
			fmt.Sprintf("OCOP-2222-222%d", i+2), 3+i%3, today.AddDays(days[0]).String(), today.AddDays(days[1]).String())
		if days[2] != 0 {
			testkit.Exec(t, k.db, `UPDATE certificate SET revoked_on = $2::date, revoked_why = 'x' WHERE id = $1`, id, today.AddDays(days[2]).String())
		}
		testkit.Exec(t, k.db, `INSERT INTO certificate_product (certificate_id, product_id) VALUES ($1, $2)`, id, k.products[0])
	}
	got := 0
	for _, state := range []string{certification.StateValid, certification.StateExpired, certification.StateRevoked, certification.StateNotYet} {
		rows, _, err := k.Certificates(ctx, k.here, certification.CertificateFilter{State: state, Size: 50})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.StateOn(today) != state {
				t.Errorf("%s is on the list of %s", r.StateOn(today), state)
			}
		}
		got += len(rows)
	}
	soon, _, err := k.Certificates(ctx, k.here, certification.CertificateFilter{State: certification.StateExpiring, Size: 50})
	if got != 9 || err != nil || len(soon) != 2 {
		t.Errorf("%d on the lists, %d expiring, %v", got, len(soon), err)
	}
	first, next, err := k.Certificates(ctx, k.here, certification.CertificateFilter{Size: 5})
	rest, end, err2 := k.Certificates(ctx, k.here, certification.CertificateFilter{Size: 5, After: next})
	if err != nil || err2 != nil || len(first) != 5 || len(rest) != 4 || end != "" || first[4].ID <= rest[0].ID {
		t.Errorf("%d and %d, %q, %v, %v", len(first), len(rest), end, err, err2)
	}
	for _, f := range []certification.CertificateFilter{{Stars: 5, Size: 9}, {Stars: 5, Province: "86", Text: "ocop-2222", Size: 9}} {
		if rows, _, err := k.Certificates(ctx, k.here, f); err != nil || len(rows) != 3 {
			t.Errorf("%+v: %d, %v", f, len(rows), err)
		}
	}
	if rows, _, _ := k.Certificates(ctx, k.here, certification.CertificateFilter{Province: "01", Size: 9}); len(rows) != 0 {
		t.Errorf("%d of another province", len(rows))
	}
}
