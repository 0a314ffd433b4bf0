package certification_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

// desk is a producer of Vĩnh Long with two products, somebody who works there, and officers here and elsewhere.
type desk struct {
	*certification.Service
	db                        *db.DB
	clock                     *clock.Settable
	maker                     int64
	products                  []int64
	seller, first, second, up certification.Person
	here, there               account.Area
	document                  int64
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	k := &desk{db: testkit.DB(t), clock: clock.Fixed(time.Date(2026, 11, 24, 10, 0, 0, 0, clock.HCM)),
		here: account.Area{Provinces: []string{"86"}}, there: account.Area{Provinces: []string{"01"}}}
	k.Service = certification.New(k.db, k.clock)
	k.maker = testkit.Producer(t, k.db)
	for range 2 {
		k.products = append(k.products, testkit.Product(t, k.db, testkit.WithProducer(k.maker)))
	}
	k.seller, k.first, k.second, k.up = k.person(t, "seller"), k.person(t, "first"), k.person(t, "second"), k.person(t, "up")
	testkit.Exec(t, k.db, `INSERT INTO account_role (account_id, role, scope, scope_id) VALUES ($1, 'producer', 'producer', $2)`, k.seller.AccountID, fmt.Sprint(k.maker))
	for _, p := range []certification.Person{k.first, k.second} {
		testkit.Exec(t, k.db, `INSERT INTO account_role (account_id, role, scope, scope_id) VALUES ($1, 'officer', 'province', '86')`, p.AccountID)
	}
	k.document = k.paper(t, k.seller)
	return k
}

func (k *desk) person(t *testing.T, name string) certification.Person {
	t.Helper()
	var id int64
	testkit.Scan(t, k.db, &id, `INSERT INTO account (email, email_proven_at, name, password_hash) VALUES ($1, now(), $2, 'x') RETURNING id`, name+"@vidu.vn", name)
	return certification.Person{AccountID: id, Actor: "account"}
}

func (k *desk) paper(t *testing.T, by certification.Person) int64 {
	t.Helper()
	var id int64
	testkit.Scan(t, k.db, &id, `INSERT INTO media_document (key, name, mime, bytes, account_id, created_at)
		VALUES ('document/' || gen_random_uuid(), 'qd.pdf', 'application/pdf', 9, $1, now()) RETURNING id`, by.AccountID)
	return id
}

func (k *desk) draft() certification.Draft {
	d := certification.Draft{Stars: 4, DecisionNo: " 2361/QĐ-UBND ", Level: certification.Province, Issuer: "UBND tỉnh Vĩnh Long", DecidedOn: day("2026-06-26"), DocumentID: k.document}
	for i, p := range k.products {
		d.Products = append(d.Products, certification.Named{ProductID: p, Code: fmt.Sprintf("86-29302-%d-2026", i+1)})
	}
	return d
}

func (k *desk) own() certification.Reach { return certification.Reach{Producer: k.maker} }

func (k *desk) sent(t *testing.T) int64 {
	t.Helper()
	id, err := k.Submit(context.Background(), k.seller, k.own(), k.maker, fmt.Sprint("key", time.Now().UnixNano()), k.draft())
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (k *desk) stars(t *testing.T, product int64, on clock.Date) int {
	t.Helper()
	found, err := certification.Valid(context.Background(), k.db.Primary(context.Background()), []int64{product}, on)
	if err != nil {
		t.Fatal(err)
	}
	return found[product].Stars
}

func is(t *testing.T, err error, key string) {
	t.Helper()
	if found, ok := apperr.As(err); !ok || found[0].Key != "certification."+key {
		t.Errorf("%v, want %s", err, key)
	}
}

func TestAConfirmedDecisionGivesItsStarsAtOnceAndNotBefore(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	who := testkit.Listener(t, k.db, partner.CertificateChanged)
	key := "one"
	id, err := k.Submit(ctx, k.seller, k.own(), k.maker, key, k.draft())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := k.Submit(ctx, k.seller, k.own(), k.maker, key, k.draft()); err != nil || again != id {
		t.Errorf("sent twice: %d and %d, %v", id, again, err)
	}
	if _, err := k.Submit(ctx, k.second, certification.Reach{Area: k.here}, k.maker, key, func() certification.Draft { d := k.draft(); d.DocumentID = k.paper(t, k.second); return d }()); err == nil {
		t.Error("somebody else's key gave their request")
	}
	today := clock.Today(k.clock)
	if k.stars(t, k.products[0], today) != 0 || len(testkit.Told(t, k.db, who)) != 0 {
		t.Fatal("stars before anybody confirmed")
	}
	code, err := k.Confirm(ctx, k.first, k.here, id, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range k.products {
		if k.stars(t, p, today) != 4 || k.stars(t, p, day("2029-06-26")) != 4 || k.stars(t, p, day("2029-06-27")) != 0 || k.stars(t, p, day("2026-06-25")) != 0 {
			t.Errorf("stars of product %d are wrong", p)
		}
	}
	var codes string
	testkit.Scan(t, k.db, &codes, `SELECT string_agg(product_code, ' ' ORDER BY product_id) FROM certificate_product`)
	if told := testkit.Told(t, k.db, who); len(told) != 2 || told[0][1] != code || codes != "86-29302-1-2026 86-29302-2-2026" {
		t.Errorf("told %v, codes %q", told, codes)
	}
	d, err := k.Show(ctx, certification.Reach{Area: k.here}, id)
	if err != nil || d.State != certification.Confirmed || d.Code != code || len(d.Past) != 2 || d.Past[1].What != "confirmed" || d.Past[1].Who != "first" ||
		d.DecisionNo != "2361/QĐ-UBND" || len(d.Goods) != 2 || len(d.Goods[0].Records) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
	var traces int
	testkit.Scan(t, k.db, &traces, `SELECT count(*) FROM audit_event WHERE subject IN ('certificate_request', 'certificate') AND account_id IN ($1, $2)`, k.seller.AccountID, k.first.AccountID)
	if traces != 3 {
		t.Errorf("%d traces", traces)
	}
	if _, err := k.Confirm(ctx, k.second, k.here, id, 1); !errors.Is(err, apperr.New(apperr.Conflict, "certification.request.decided")) {
		t.Error(err)
	}
	// The same decision sent anew is no second certificate.
	again := k.sent(t)
	if marks, _ := k.Remarks(ctx, []int64{again}); !slices.Contains(marks[again], certification.MarkRecorded) {
		t.Errorf("marks %v", marks)
	}
	_, err = k.Confirm(ctx, k.first, k.here, again, 1)
	is(t, err, "request.recorded")
}

func TestWhoEntersDoesNotConfirm(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	by := certification.Reach{Area: k.here}
	d := k.draft()
	d.DocumentID = k.paper(t, k.first)
	id, err := k.Submit(ctx, k.first, by, k.maker, "k", d)
	if err != nil {
		t.Fatal(err)
	}
	confirm := func(p certification.Person, version int) error {
		_, err := k.Confirm(ctx, p, k.here, id, version)
		return err
	}
	is(t, confirm(k.first, 1), "request.own")
	is(t, k.Refuse(ctx, k.first, k.here, id, 1, "x"), "request.own")
	is(t, confirm(k.seller, 1), "request.of_producer")
	d.Stars = 3
	if err := k.Amend(ctx, k.second, by, id, 1, d); err != nil {
		t.Fatal(err)
	}
	is(t, confirm(k.second, 2), "request.own") // changed it last
	is(t, confirm(k.first, 2), "request.own")  // entered it
	is(t, confirm(k.up, 1), "request.changed") // saw another version
	// Nor by SQL, whoever writes it.
	for name, statement := range map[string]string{
		"certificate_request_two_people": fmt.Sprintf(`UPDATE certificate_request SET state = 'confirmed', decided_by = %d, decided_at = now()`, k.first.AccountID),
		"certificate_request_stranger":   fmt.Sprintf(`UPDATE certificate_request SET state = 'confirmed', decided_by = %d, decided_at = now()`, k.seller.AccountID),
		"certificate_confirmed": fmt.Sprintf(`INSERT INTO certificate (code, stars, decision_no, level, issuer, decided_on, decided_year, regime, valid_from, valid_to, request_id)
			SELECT 'OCOP-X', 5, decision_no, level, issuer, decided_on, 2026, regime, decided_on, valid_to, id FROM certificate_request WHERE id = %d`, id),
		"certificate_request_steps": `UPDATE certificate_request SET entered_by = entered_by + 1`,
	} {
		if _, err := k.db.Pool().Exec(ctx, statement); !db.Breaks(err, name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := confirm(k.up, 2); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`UPDATE certificate_request SET stars = 5`, `UPDATE certificate_request SET state = 'entered', decided_by = NULL, decided_at = NULL`,
		`DELETE FROM certificate_request_product`} {
		if _, err := k.db.Pool().Exec(ctx, statement); !db.Breaks(err, "certificate_request_final") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if _, err := k.db.Pool().Exec(ctx, `UPDATE certificate SET stars = 5`); !db.Breaks(err, "certificate_confirmed") {
		t.Errorf("more stars than were confirmed: %v", err)
	}
}

func TestAnOfficerOfAnotherProvinceFindsNothing(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	id := k.sent(t)
	for _, area := range []account.Area{k.there, {}, {Communes: []string{"00004"}}} {
		in := certification.Reach{Area: area}
		_, err := k.Confirm(ctx, k.up, area, id, 1)
		is(t, err, "request.unknown")
		is(t, k.Return(ctx, k.up, area, id, 1, "thiếu"), "request.unknown")
		is(t, k.Refuse(ctx, k.up, area, id, 1, "sai"), "request.unknown")
		is(t, k.Remark(ctx, k.up, area, id, "x"), "request.unknown")
		is(t, k.Assign(ctx, k.up, area, id, 0), "request.unknown")
		is(t, k.Amend(ctx, k.up, in, id, 1, k.draft()), "request.unknown")
		is(t, k.Withdraw(ctx, k.up, in, id), "request.unknown")
		_, err = k.Show(ctx, in, id)
		is(t, err, "request.unknown")
		_, err = k.Evidence(ctx, in, id)
		is(t, err, "request.unknown")
		_, err = k.Submit(ctx, k.up, in, k.maker, "x", k.draft())
		is(t, err, "request.unknown")
		_, _, err = k.GoodsOf(ctx, in, k.maker)
		is(t, err, "request.unknown")
		if rows, _, err := k.List(ctx, in, certification.Filter{Size: 10}); err != nil || len(rows) != 0 {
			t.Errorf("%v, %v", rows, err)
		}
		if n, _, _, err := k.Waiting(ctx, area); err != nil || n != 0 {
			t.Errorf("%d wait, %v", n, err)
		}
	}
	// Nor do the people of another producer.
	other := certification.Reach{Producer: testkit.Producer(t, k.db)}
	is(t, k.Withdraw(ctx, k.up, other, id), "request.unknown")
	is(t, k.Amend(ctx, k.up, other, id, 1, k.draft()), "request.unknown")
	_, err := k.Evidence(ctx, other, id)
	is(t, err, "request.unknown")
	if n, _, due, err := k.Waiting(ctx, k.here); err != nil || n != 1 || due != day("2026-11-27") {
		t.Errorf("%d wait, due %s, %v", n, due, err)
	}
}

func TestForeignGoodsAndPapersAreNotTaken(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	d := k.draft()
	d.Products = append(d.Products, certification.Named{ProductID: testkit.Product(t, k.db)})
	_, err := k.Submit(ctx, k.seller, k.own(), k.maker, "a", d)
	is(t, err, "request.foreign_product")
	d = k.draft()
	d.DocumentID = k.paper(t, k.up)
	_, err = k.Submit(ctx, k.seller, k.own(), k.maker, "a", d)
	is(t, err, "request.file")
	id := k.sent(t)
	is(t, k.Amend(ctx, k.seller, k.own(), id, 1, d), "request.file")
	foreign := testkit.Product(t, k.db)
	if _, err := k.db.Pool().Exec(ctx, `INSERT INTO certificate_request_product (request_id, product_id) VALUES ($1, $2)`, id, foreign); !db.Breaks(err, "certificate_request_product_own") {
		t.Error(err)
	}
}

func TestTwoWhoConfirmAtOnceMakeOneCertificate(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	// Two requests of one decision, each confirmed by two people at the same time.
	ids := []int64{k.sent(t), k.sent(t)}
	start := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for _, id := range ids {
		for _, p := range []certification.Person{k.first, k.second} {
			wg.Go(func() {
				<-start
				_, err := k.Confirm(ctx, p, k.here, id, 1)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					done++
				} else if known, ok := apperr.As(err); !ok || known.Kind() != apperr.Conflict {
					t.Error(err)
				}
			})
		}
	}
	close(start)
	wg.Wait()
	var n int
	testkit.Scan(t, k.db, &n, `SELECT count(*) FROM certificate`)
	if done != 1 || n != 1 {
		t.Errorf("%d confirmed, %d certificates", done, n)
	}
}

func TestAReturnedRequestIsMendedAndSentAgain(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	id := k.sent(t)
	is(t, k.Return(ctx, k.first, k.here, id, 1, "  "), "request.reason")
	if err := k.Return(ctx, k.first, k.here, id, 1, "Thiếu trang có dấu"); err != nil {
		t.Fatal(err)
	}
	_, err := k.Confirm(ctx, k.second, k.here, id, 1)
	is(t, err, "request.decided")
	k.clock.Set(time.Date(2026, 12, 4, 9, 0, 0, 0, clock.HCM)) // a Friday
	d := k.draft()
	d.DocumentID, d.Products = k.paper(t, k.seller), d.Products[:1]
	if err := k.Amend(ctx, k.seller, k.own(), id, 1, d); err != nil {
		t.Fatal(err)
	}
	r, err := k.Show(ctx, k.own(), id)
	if err != nil || r.State != certification.Entered || r.Reason != "" || r.DueOn != day("2026-12-09") || len(r.Products) != 1 || r.Version != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := k.Confirm(ctx, k.first, k.here, id, 2); err != nil {
		t.Fatal(err)
	}
	is(t, k.Withdraw(ctx, k.seller, k.own(), id), "request.decided")
	is(t, k.Amend(ctx, k.seller, k.own(), id, 2, d), "request.decided")
	other := k.sent(t)
	is(t, k.Withdraw(ctx, k.first, certification.Reach{Area: k.here}, other), "request.withdraw_own")
	if err := k.Withdraw(ctx, k.seller, k.own(), other); err != nil {
		t.Error(err)
	}
}

func TestADecisionMustFitTheRegimeOfItsDay(t *testing.T) {
	k := newDesk(t)
	today := clock.Today(k.clock)
	for _, c := range []struct {
		stars           int
		on, level, want string
	}{
		{3, "2022-05-01", "province", ""}, {3, "2022-05-01", "district", "by_province"},
		{3, "2023-02-23", "district", "by_province"}, {3, "2023-02-24", "district", ""}, {3, "2023-02-24", "province", "by_district"},
		{3, "2025-07-05", "district", ""}, {3, "2025-07-06", "district", "by_province"}, {3, "2025-07-06", "province", ""},
		{4, "2024-01-01", "district", "by_province"}, {4, "2026-05-22", "province", ""}, {4, "2026-05-22", "ministry", "by_province"},
		{5, "2024-01-01", "province", "by_ministry"}, {5, "2026-06-01", "ministry", ""}, {5, "2019-01-01", "province", "by_ministry"},
	} {
		d := k.draft()
		d.Stars, d.DecidedOn, d.Level = c.stars, day(c.on), c.level
		faults := d.Check(today)
		switch {
		case c.want == "" && len(faults) > 0:
			t.Errorf("%+v: %v", c, faults)
		case c.want != "" && (len(faults) != 1 || faults[0].Key != "certification.level."+c.want || faults[0].Field != "level"):
			t.Errorf("%+v: %v", c, faults)
		}
	}
	long := strings.Repeat("x", 2000)
	for name, bad := range map[string]func(*certification.Draft){
		"stars": func(d *certification.Draft) { d.Stars = 2 }, "decision_no": func(d *certification.Draft) { d.DecisionNo = " " },
		"level": func(d *certification.Draft) { d.Level = "commune" }, "issuer": func(d *certification.Draft) { d.Issuer = long },
		"decided_on": func(d *certification.Draft) { d.DecidedOn = today.AddDays(1) }, "products": func(d *certification.Draft) { d.Products = nil },
		"file": func(d *certification.Draft) { d.DocumentID = 0 }, "note": func(d *certification.Draft) { d.Note = long },
		fmt.Sprint("code-", k.products[0]): func(d *certification.Draft) { d.Products[0].Code = long },
	} {
		d := k.draft()
		bad(&d)
		if faults := d.Check(today); len(faults) != 1 || faults[0].Field != name {
			t.Errorf("%s: %v", name, faults)
		}
	}
	if r := certification.RegimeOn(day("2026-05-22")); r.Name != "QĐ 26/2026/QĐ-TTg" || r.ValidTo(day("2026-05-22")) != day("2029-05-22") {
		t.Errorf("%+v", r)
	}
	for came, due := range map[string]string{"2026-11-24": "2026-11-27", "2026-11-20": "2026-11-25", "2026-11-21": "2026-11-25", "2026-06-30": "2026-07-07"} {
		if got := certification.DueOn(day(came)); got != day(due) {
			t.Errorf("came %s: due %s, want %s", came, got, due)
		}
	}
}

func TestManyAreConfirmedOnlyWhereNothingIsToBeSaid(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	good := k.sent(t)
	d := k.draft()
	d.DecisionNo, d.DecidedOn = "7/QĐ-UBND", day("2022-06-26") // over by now
	d.Products = []certification.Named{{ProductID: k.products[0], Code: "86-1-2020"}}
	lapsed, err := k.Submit(ctx, k.seller, k.own(), k.maker, "b", d)
	if err != nil {
		t.Fatal(err)
	}
	d = k.draft()
	d.DecisionNo, d.DocumentID = "8/QĐ-UBND", k.paper(t, k.first)
	own, err := k.Submit(ctx, k.first, certification.Reach{Area: k.here}, k.maker, "c", d)
	if err != nil {
		t.Fatal(err)
	}
	marks, err := k.Remarks(ctx, []int64{good, lapsed, own})
	if err != nil || len(marks[good]) != 0 || !slices.Equal(marks[lapsed], []certification.Mark{certification.MarkCodeYear, certification.MarkLapsed}) {
		t.Fatalf("%v, %v", marks, err)
	}
	done, left, err := k.ConfirmAll(ctx, k.first, k.here, []certification.Pick{{ID: good, Version: 1}, {ID: lapsed, Version: 1}, {ID: own, Version: 1}, {ID: 999, Version: 1}})
	if err != nil || done != 1 || len(left) != 3 || left[lapsed].Key != "certification.request.look" || left[own].Key != "certification.request.own" ||
		left[999].Key != "certification.request.unknown" {
		t.Errorf("%d done, left %v, %v", done, left, err)
	}
	if done, _, err := k.ConfirmAll(ctx, k.second, k.there, []certification.Pick{{ID: own, Version: 1}}); err != nil || done != 0 {
		t.Errorf("%d done elsewhere, %v", done, err)
	}
}

func TestTheQueueGoesOnWhereItEndedAndFilters(t *testing.T) {
	k, ctx := newDesk(t), context.Background()
	var ids []int64
	for range 5 {
		ids = append(ids, k.sent(t))
		k.clock.Advance(24 * time.Hour)
	}
	in := certification.Reach{Area: k.here}
	for _, states := range [][]certification.RequestState{{certification.Entered}, nil} {
		var seen []int64
		f := certification.Filter{States: states, Size: 2}
		for range 5 {
			rows, next, err := k.List(ctx, in, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				seen = append(seen, r.ID)
			}
			if f.After = next; next == "" {
				break
			}
		}
		slices.Sort(seen)
		if !slices.Equal(seen, ids) {
			t.Errorf("%v: saw %v of %v", states, seen, ids)
		}
	}
	if err := k.Assign(ctx, k.first, k.here, ids[0], k.second.AccountID); err != nil {
		t.Fatal(err)
	}
	is(t, k.Assign(ctx, k.first, k.here, ids[0], k.seller.AccountID), "request.assignee")
	is(t, k.Assign(ctx, k.first, k.here, ids[0], k.up.AccountID), "request.assignee") // no officer at all
	for name, c := range map[string]struct {
		f    certification.Filter
		want int
	}{
		"all": {certification.Filter{}, 5}, "mine": {certification.Filter{Mine: k.second.AccountID}, 1}, "overdue": {certification.Filter{Due: certification.Overdue}, 1},
		"text": {certification.Filter{Text: "2361/qd"}, 5}, "maker": {certification.Filter{Text: "hop tac xa thu"}, 5}, "none": {certification.Filter{Text: "100%"}, 0},
		"province": {certification.Filter{Province: "86"}, 5}, "elsewhere": {certification.Filter{Province: "01"}, 0}, "tampered": {certification.Filter{After: "xx"}, 5},
	} {
		c.f.Size = 30
		if rows, _, err := k.List(ctx, in, c.f); err != nil || len(rows) != c.want {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}
