package producer_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/testkit"
)

func open(t *testing.T) (*db.DB, *producer.Service, context.Context) {
	t.Helper()
	d := testkit.DB(t)
	return d, producer.New(d, clock.Fixed(time.Date(2026, 11, 22, 9, 0, 0, 0, clock.HCM))), context.Background()
}

func admit(t *testing.T, d *db.DB, s *producer.Service, entries ...producer.Entry) map[string]producer.Admitted {
	t.Helper()
	var out map[string]producer.Admitted
	err := d.InTx(context.Background(), func(tx db.Tx) (err error) {
		out, err = s.Admit(context.Background(), tx, entries)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAdmitTwiceChangesNothing(t *testing.T) {
	d, s, ctx := open(t)
	var entries []producer.Entry
	for i := range 40 {
		entries = append(entries, producer.Entry{Key: fmt.Sprint(i), Name: fmt.Sprint("Hộ số ", i), NameKnown: true, Kind: producer.Household, ProvinceCode: "86", PlaceText: "xã Thử"})
	}
	entries = append(entries, producer.Entry{Key: "?", Name: "Chưa rõ tên", NameEN: "Not known", ProvinceCode: "86"})
	first := admit(t, d, s, entries...)
	if len(first) != 41 || !first["7"].Added {
		t.Fatal(first)
	}
	entries[3].Kind, entries[3].PlaceText = "", "" // a blank says nothing
	for key, a := range admit(t, d, s, entries...) {
		if a.Added || a.Changed || a.ID != first[key].ID {
			t.Errorf("%s: %+v", key, a)
		}
	}
	entries[3].PlaceText = "xã Mới"
	if out := admit(t, d, s, entries...); !out["3"].Changed || out["4"].Changed {
		t.Errorf("%+v %+v", out["3"], out["4"])
	}
	found, err := s.ByIDs(ctx, d.Read(ctx), []int64{first["3"].ID, first["?"].ID, 1 << 40})
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	if p := found[first["3"].ID]; p.PlaceText != "xã Mới" || p.Kind != producer.Household || !p.NameKnown || !p.Verified() {
		t.Errorf("%+v", p)
	}
	if p := found[first["?"].ID]; p.NameKnown || p.Kind != "" || p.LocalName(i18n.EN) != "Not known" || p.LocalName(i18n.VI) != "Chưa rõ tên" {
		t.Errorf("%+v", p)
	}
}

func TestNamesakesHaveTheirOwnAddresses(t *testing.T) {
	d, s, ctx := open(t)
	a := producer.Entry{Key: "a", Name: "HTX Cùng Tên", NameKnown: true, ProvinceCode: "86"}
	b := producer.Entry{Key: "b", Name: "HTX Cùng Tên", NameKnown: true, ProvinceCode: "15"}
	c := producer.Entry{Key: "c", Name: "HTX Cùng Tên", NameKnown: true, ProvinceCode: "01"}
	out := admit(t, d, s, a, b)
	out["c"] = admit(t, d, s, c, b)["c"]
	if p, err := s.BySlug(ctx, "htx-cung-ten"); err != nil || p.ID != out["a"].ID {
		t.Error(p, err)
	}
	var slugs int
	if testkit.Scan(t, d, &slugs, `SELECT count(DISTINCT slug) FROM producer`); slugs != 3 {
		t.Errorf("%d addresses", slugs)
	}
	if _, err := s.BySlug(ctx, "nobody"); !errors.Is(err, apperr.New(apperr.NotFound, "producer.producer.unknown")) {
		t.Error(err)
	}
}

func TestOneAccountIsInUseAndOldOnesStay(t *testing.T) {
	d, s, ctx := open(t)
	id := testkit.Producer(t, d, testkit.MakerWithoutBank())
	set := func(a producer.BankAccount) error {
		return d.InTx(ctx, func(tx db.Tx) error { return s.SetBankAccounts(ctx, tx, []producer.BankAccount{a}) })
	}
	good := producer.BankAccount{ProducerID: id, BankBIN: "970436", AccountNo: "9999000001", Holder: "TAI KHOAN THU NGHIEM", IsTest: true}
	for _, no := range []string{"9999000001", "9999000001", "9999000002"} {
		a := good
		a.AccountNo = no
		if err := set(a); err != nil {
			t.Fatal(err)
		}
	}
	found, err := s.BankAccounts(ctx, d.Read(ctx), []int64{id, 1 << 40})
	if err != nil || len(found) != 1 || found[id].AccountNo != "9999000002" || !found[id].IsTest || found[id].BankName != "Vietcombank" {
		t.Errorf("%+v, %v", found, err)
	}
	var all int
	if testkit.Scan(t, d, &all, `SELECT count(*) FROM producer_bank_account`); all != 2 {
		t.Errorf("%d accounts kept, want 2", all)
	}
	for key, change := range map[string]func(*producer.BankAccount){
		"number": func(a *producer.BankAccount) { a.AccountNo = "12 34" },
		"holder": func(a *producer.BankAccount) { a.Holder = " " },
		"bank":   func(a *producer.BankAccount) { a.BankBIN = "422589" }, // receives only
	} {
		a := good
		change(&a)
		if list, ok := apperr.As(set(a)); !ok || list[0].Key != "producer.account."+key {
			t.Errorf("%s: %v", key, list)
		}
	}
}

func TestListsCostTheSameForOneAndThirty(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	s := producer.New(d, clock.System())
	ctx := context.Background()
	var ids []int64
	for range 30 {
		ids = append(ids, testkit.Producer(t, d))
	}
	for n := range map[int]bool{1: true, 30: true} {
		used := counter.During(func() {
			if m, err := s.ByIDs(ctx, d.Read(ctx), ids[:n]); err != nil || len(m) != n {
				t.Error(len(m), err)
			}
			if m, err := s.BankAccounts(ctx, d.Read(ctx), ids[:n]); err != nil || len(m) != n {
				t.Error(len(m), err)
			}
		})
		if len(used) != 2 {
			t.Errorf("%d statements for %d", len(used), n)
		}
	}
}
