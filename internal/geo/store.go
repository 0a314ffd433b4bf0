package geo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"choocop.vn/ocop/internal/platform/db"
)

// isLoaded takes the lock that keeps two loads apart, then says whether the tables already hold this data.
func isLoaded(ctx context.Context, tx db.Tx, sum string) (bool, error) {
	var have bool
	q := tx.WithContext(ctx)
	err := q.Raw(`SELECT EXISTS (SELECT 1 FROM geo_dataset WHERE name = 'units' AND sha256 = ?)`, sum).Scan(&have).Error
	if err != nil || have {
		return have, err
	}
	if err := q.Exec(`SELECT pg_advisory_xact_lock(hashtextextended('geo.load', 0))`).Error; err != nil {
		return false, err
	}
	err = q.Raw(`SELECT EXISTS (SELECT 1 FROM geo_dataset WHERE name = 'units' AND sha256 = ?)`, sum).Scan(&have).Error
	return have, err
}

type provinceRow struct {
	Code          string    `json:"code"`
	Name          string    `json:"name"`
	NameEN        string    `json:"name_en" gorm:"column:name_en"`
	Slug          string    `json:"slug"`
	Kind          string    `json:"kind"`
	KindBefore    string    `json:"kind_before"`
	KindBasis     string    `json:"kind_basis"`
	KindFrom      time.Time `json:"kind_from"`
	Region        string    `json:"-"`
	Communes      int       `json:"communes"`
	LegalBasis    string    `json:"legal_basis"`
	EffectiveFrom time.Time `json:"effective_from"`
}

type communeRow struct {
	Code          string    `json:"code"`
	ProvinceCode  string    `json:"province_code"`
	Name          string    `json:"name"`
	NameAlt       string    `json:"name_alt"`
	Kind          string    `json:"kind"`
	KindBefore    string    `json:"kind_before"`
	KindBasis     string    `json:"kind_basis"`
	KindFrom      time.Time `json:"kind_from"`
	LegalBasis    string    `json:"legal_basis"`
	EffectiveFrom time.Time `json:"effective_from"`
}

type formerProvinceRow struct {
	Code         string `json:"code"`
	ProvinceCode string `json:"province_code"`
	Name         string `json:"name"`
	Kind         string `json:"kind"`
	Change       string `json:"change"`
	Aliases      string `json:"aliases"` // as in the file: "a|b"
}

type formerDistrictRow struct {
	Code               string `json:"code"`
	FormerProvinceCode string `json:"former_province_code"`
	ProvinceCode       string `json:"province_code"`
	Name               string `json:"name"`
	Kind               string `json:"kind"`
	FullName           string `json:"full_name"`
}

// Each table is filled by one statement that takes all its rows as one JSON parameter.
const (
	upsertProvinces = `
		INSERT INTO geo_province (code, name, name_en, slug, kind, kind_before, kind_basis, kind_from, communes, legal_basis, effective_from)
		SELECT code, name, name_en, slug, kind, nullif(kind_before, ''), kind_basis, kind_from, communes, legal_basis, effective_from
		FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(code text, name text, name_en text, slug text, kind text, kind_before text,
			kind_basis text, kind_from date, communes int, legal_basis text, effective_from date)
		ON CONFLICT (code) DO UPDATE SET (name, name_en, slug, kind, kind_before, kind_basis, kind_from, communes, legal_basis, effective_from)
			= (excluded.name, excluded.name_en, excluded.slug, excluded.kind, excluded.kind_before, excluded.kind_basis,
			   excluded.kind_from, excluded.communes, excluded.legal_basis, excluded.effective_from)`
	upsertCommunes = `
		INSERT INTO geo_commune (code, province_code, name, name_alt, kind, kind_before, kind_basis, kind_from, legal_basis, effective_from)
		SELECT code, province_code, name, nullif(name_alt, ''), kind, nullif(kind_before, ''), kind_basis, kind_from, legal_basis, effective_from
		FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(code text, province_code text, name text, name_alt text, kind text, kind_before text,
			kind_basis text, kind_from date, legal_basis text, effective_from date)
		ON CONFLICT (code) DO UPDATE SET (province_code, name, name_alt, kind, kind_before, kind_basis, kind_from, legal_basis, effective_from)
			= (excluded.province_code, excluded.name, excluded.name_alt, excluded.kind, excluded.kind_before, excluded.kind_basis,
			   excluded.kind_from, excluded.legal_basis, excluded.effective_from)`
	upsertFormerProvinces = `
		INSERT INTO geo_former_province (code, province_code, name, kind, change, aliases)
		SELECT code, province_code, name, kind, change, string_to_array(aliases, '|')
		FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(code text, province_code text, name text, kind text, change text, aliases text)
		ON CONFLICT (code) DO UPDATE SET (province_code, name, kind, change, aliases)
			= (excluded.province_code, excluded.name, excluded.kind, excluded.change, excluded.aliases)`
	upsertFormerDistricts = `
		INSERT INTO geo_former_district (code, former_province_code, province_code, name, kind, full_name)
		SELECT code, former_province_code, province_code, name, kind, full_name
		FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(code text, former_province_code text, province_code text, name text, kind text, full_name text)
		ON CONFLICT (code) DO UPDATE SET (former_province_code, province_code, name, kind, full_name)
			= (excluded.former_province_code, excluded.province_code, excluded.name, excluded.kind, excluded.full_name)`
	rememberDataset = `
		INSERT INTO geo_dataset (name, sha256) VALUES ('units', ?)
		ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, loaded_at = now()`
)

func write(ctx context.Context, tx db.Tx, set dataset, sum string) error {
	provinces := make([]provinceRow, len(set.provinces))
	for i, p := range set.provinces {
		provinces[i] = provinceRow(p)
	}
	communes := make([]communeRow, len(set.communes))
	for i, c := range set.communes {
		communes[i] = communeRow(c)
	}
	formerProvinces := make([]formerProvinceRow, len(set.formerProvinces))
	for i, f := range set.formerProvinces {
		formerProvinces[i] = formerProvinceRow{f.Code, f.ProvinceCode, f.Name, f.Kind, f.Change, strings.Join(f.Aliases, "|")}
	}
	formerDistricts := make([]formerDistrictRow, len(set.formerDistricts))
	for i, f := range set.formerDistricts {
		formerDistricts[i] = formerDistrictRow(f)
	}
	for _, step := range []struct {
		sql  string
		rows any
	}{
		{upsertProvinces, provinces},
		{upsertCommunes, communes},
		{upsertFormerProvinces, formerProvinces},
		{upsertFormerDistricts, formerDistricts},
	} {
		b, err := json.Marshal(step.rows)
		if err != nil {
			return fmt.Errorf("geo: load: %w", err)
		}
		if err := tx.WithContext(ctx).Exec(step.sql, string(b)).Error; err != nil {
			return fmt.Errorf("geo: load: %w", err)
		}
	}
	if err := tx.WithContext(ctx).Exec(rememberDataset, sum).Error; err != nil {
		return fmt.Errorf("geo: load: %w", err)
	}
	return nil
}

func read(ctx context.Context, d *db.DB) (dataset, error) {
	var (
		provinces       []provinceRow
		communes        []communeRow
		formerProvinces []formerProvinceRow
		formerDistricts []formerDistrictRow
	)
	for _, step := range []struct {
		sql  string
		into any
	}{
		{`SELECT code, name, name_en, slug, kind, coalesce(kind_before, '') AS kind_before, kind_basis, kind_from, region, communes,
			legal_basis, effective_from FROM geo_province`, &provinces},
		{`SELECT code, province_code, name, coalesce(name_alt, '') AS name_alt, kind, coalesce(kind_before, '') AS kind_before,
			kind_basis, kind_from, legal_basis, effective_from FROM geo_commune`, &communes},
		{`SELECT code, province_code, name, kind, change, array_to_string(aliases, '|') AS aliases FROM geo_former_province`, &formerProvinces},
		{`SELECT code, former_province_code, province_code, name, kind, full_name FROM geo_former_district`, &formerDistricts},
	} {
		if err := d.Read(ctx).Raw(step.sql).Scan(step.into).Error; err != nil {
			return dataset{}, fmt.Errorf("geo: read: %w", err)
		}
	}
	var set dataset
	for _, p := range provinces {
		set.provinces = append(set.provinces, Province(p))
	}
	for _, c := range communes {
		set.communes = append(set.communes, Commune(c))
	}
	for _, f := range formerProvinces {
		set.formerProvinces = append(set.formerProvinces, FormerProvince{f.Code, f.ProvinceCode, f.Name, f.Kind, f.Change, list(f.Aliases)})
	}
	for _, f := range formerDistricts {
		set.formerDistricts = append(set.formerDistricts, FormerDistrict(f))
	}
	return set, nil
}
