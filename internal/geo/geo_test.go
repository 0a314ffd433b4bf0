package geo_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func load(t *testing.T, d *db.DB) {
	t.Helper()
	if err := d.InTx(context.Background(), func(tx db.Tx) error { return geo.Load(context.Background(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, d *db.DB, statement string) int64 {
	t.Helper()
	var n int64
	if err := d.Pool().QueryRow(context.Background(), statement).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryDatabaseHoldsTheUnits(t *testing.T) {
	d := testkit.DB(t)
	load(t, d)
	for statement, want := range map[string]int64{
		`SELECT count(*) FROM geo_province`:                                                     34,
		`SELECT count(*) FROM geo_commune`:                                                      3321,
		`SELECT count(*) FROM geo_former_province`:                                              63,
		`SELECT count(*) FROM geo_former_district`:                                              696,
		`SELECT count(*) FROM geo_province WHERE region = 'north'`:                              15,
		`SELECT count(*) FROM geo_province WHERE region = 'central'`:                            11,
		`SELECT count(*) FROM geo_province WHERE region = 'south'`:                              8,
		`SELECT count(*) FROM geo_former_province WHERE 'Sài Gòn' = ANY (aliases)`:              1,
		`SELECT count(*) FROM geo_former_province WHERE '' = ANY (aliases)`:                     0,
		`SELECT count(*) FROM geo_commune WHERE name_fold = vn_fold('Cau Ke')`:                  1,
		`SELECT count(*) FROM geo_commune WHERE kind_from = '2026-04-30'`:                       10,
		`SELECT count(*) FROM geo_commune WHERE vn_fold(coalesce(name_alt, name)) <> name_fold`: 0,
	} {
		if n := count(t, d, statement); n != want {
			t.Errorf("%s: %d, want %d", statement, n, want)
		}
	}
}

func TestLoadTwiceChangesNothingAndHealsAChangedRow(t *testing.T) {
	d := testkit.DB(t)
	load(t, d)
	begun := time.Now()
	load(t, d)
	if took := time.Since(begun); took > 500*time.Millisecond {
		t.Errorf("a load of the same data took %v", took)
	}
	testkit.Exec(t, d, `UPDATE geo_province SET name = 'Sai' WHERE code = '86'`)
	testkit.Exec(t, d, `UPDATE geo_dataset SET sha256 = repeat('0', 64)`)
	begun = time.Now()
	load(t, d)
	if took := time.Since(begun); took > 2*time.Second {
		t.Errorf("a full load took %v", took)
	}
	if n := count(t, d, `SELECT count(*) FROM geo_province WHERE code = '86' AND name = 'Vĩnh Long'`); n != 1 {
		t.Error("the changed name was not put right")
	}
}

func TestServiceAnswersFromTheDatabase(t *testing.T) {
	d := testkit.DB(t)
	load(t, d)
	ctx := context.Background()
	s := geo.New(d)
	provinces, err := s.Provinces(ctx)
	if err != nil || len(provinces) != 34 || provinces[0].Name != "An Giang" || provinces[0].Region != "south" {
		t.Fatalf("%d provinces, %v", len(provinces), err)
	}
	provinces[0].Name = "changed by the caller"
	if again, _ := s.Provinces(ctx); again[0].Name != "An Giang" {
		t.Error("a caller can change what others see")
	}
	p, err := s.Province(ctx, "vinh-long")
	if err != nil || p.Code != "86" || p.EffectiveFrom.Format(time.DateOnly) != "2025-07-01" || p.LegalBasis != "QĐ 19/2025/QĐ-TTg" {
		t.Errorf("%+v, %v", p, err)
	}
	communes, err := s.Communes(ctx, "86")
	if err != nil || len(communes) != p.Communes {
		t.Errorf("%d communes, %v", len(communes), err)
	}
	if c, err := s.Commune(ctx, communes[0].Code); err != nil || c.ProvinceCode != "86" {
		t.Errorf("%+v, %v", c, err)
	}
	if err := s.Check(ctx, "86", communes[0].Code); err != nil {
		t.Error(err)
	}
	for name, call := range map[string]func() error{
		"province": func() error { _, err := s.Province(ctx, "02"); return err },
		"commune":  func() error { _, err := s.Commune(ctx, "1"); return err },
		"check":    func() error { return s.Check(ctx, "01", communes[0].Code) },
		"match":    func() error { _, err := s.MatchProvince(ctx, "Atlantis"); return err },
		"resolve":  func() error { _, err := s.Resolve(ctx, "Atlantis"); return err },
		"several":  func() error { _, err := s.Resolve(ctx, "phường Tân Hòa"); return err },
	} {
		var e *apperr.Error
		if err := call(); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		} else if !i18n.Has(i18n.VI, e.Key) || !i18n.Has(i18n.EN, e.Key) {
			t.Errorf("%s: no text for %s", name, e.Key)
		}
	}
	if p, err := s.MatchProvince(ctx, "Trà Vinh"); err != nil || p.Code != "86" {
		t.Errorf("%v %v", p.Name, err)
	}
	m, err := s.Resolve(ctx, "huyện Cầu Kè, tỉnh Trà Vinh")
	if err != nil || m.Level != geo.LevelFormerDistrict || m.Was != "Trà Vinh" || m.Province.Code != "86" {
		t.Errorf("%+v %v", m, err)
	}
	if found, err := s.Find(ctx, "tra vinh", 3); err != nil || found[0].Province.Name != "Vĩnh Long" {
		t.Errorf("%+v %v", found, err)
	}
}

func TestQuestionsAreAskedOfTheDatabaseOnce(t *testing.T) {
	d := testkit.DB(t)
	load(t, d)
	ctx := context.Background()
	s := geo.New(d)
	if _, err := s.Province(ctx, "86"); err != nil {
		t.Fatal(err)
	}
	testkit.Exec(t, d, `UPDATE geo_province SET name = 'Khác' WHERE code = '86'`)
	if p, _ := s.Province(ctx, "86"); p.Name != "Vĩnh Long" {
		t.Error("the table was read again")
	}
	s.Invalidate()
	if p, _ := s.Province(ctx, "86"); p.Name != "Khác" {
		t.Error("Invalidate forgot nothing")
	}
}

func TestEmptyTablesAreAFaultThatHeals(t *testing.T) {
	d := testkit.DB(t)
	for _, table := range []string{"geo_dataset", "geo_former_district", "geo_former_province", "geo_commune", "geo_province"} {
		testkit.Exec(t, d, `DELETE FROM `+table)
	}
	s := geo.New(d)
	if _, err := s.Provinces(context.Background()); err == nil {
		t.Fatal("no fault for empty tables")
	}
	load(t, d)
	if p, err := s.Provinces(context.Background()); err != nil || len(p) != 34 {
		t.Errorf("%d provinces, %v", len(p), err)
	}
}
