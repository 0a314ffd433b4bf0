package showroom

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
)

type row struct {
	ID             int64
	Code           string
	Slug           string
	NameVI         string `gorm:"column:name_vi"`
	NameEN         string `gorm:"column:name_en"`
	Kind           Kind
	Operator       string
	ProvinceCode   string
	CommuneCode    string
	Street         string
	Hours          []byte
	Phone          *string
	SupportedSince clock.Date
	OffersPickup   bool
	State          string
	IsDemo         bool
}

func upsert(ctx context.Context, g *gorm.DB, r Showroom) (int64, error) {
	hours, err := json.Marshal(r.Hours)
	if err != nil {
		return 0, err
	}
	state := "open"
	if r.Closed {
		state = "closed"
	}
	var id int64
	err = g.WithContext(ctx).Raw(`
		INSERT INTO showroom (code, slug, name_vi, name_en, kind, operator, province_code, commune_code, street, hours,
		                      phone, supported_since, offers_pickup, state, is_demo)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, NULLIF(?, ''), ?, ?, ?, ?)
		ON CONFLICT (code) DO UPDATE SET
			slug = excluded.slug, name_vi = excluded.name_vi, name_en = excluded.name_en, kind = excluded.kind,
			operator = excluded.operator, province_code = excluded.province_code, commune_code = excluded.commune_code,
			street = excluded.street, hours = excluded.hours, phone = excluded.phone,
			supported_since = excluded.supported_since, offers_pickup = excluded.offers_pickup,
			state = excluded.state, is_demo = excluded.is_demo
		RETURNING id`,
		r.Code, r.Slug, r.NameVI, r.NameEN, string(r.Kind), r.Operator, r.ProvinceCode, r.CommuneCode, r.Street, string(hours),
		r.Phone, r.SupportedSince, r.OffersPickup, state, r.Demo).Scan(&id).Error
	return id, err
}

// read lists by province and Vietnamese name; where is a constant of this package.
func read(ctx context.Context, g *gorm.DB, where string, args ...any) ([]Showroom, error) {
	var rows []row
	err := g.WithContext(ctx).Table("showroom").Where(where, args...).Order("province_code, vn_fold(name_vi), id").Find(&rows).Error
	if err != nil {
		return nil, err
	}
	out := make([]Showroom, len(rows))
	for i, r := range rows {
		s := Showroom{
			ID: r.ID, Code: r.Code, Slug: r.Slug, NameVI: r.NameVI, NameEN: r.NameEN, Kind: r.Kind, Operator: r.Operator,
			ProvinceCode: r.ProvinceCode, CommuneCode: r.CommuneCode, Street: r.Street, SupportedSince: r.SupportedSince,
			OffersPickup: r.OffersPickup, Closed: r.State == "closed", Demo: r.IsDemo,
		}
		if r.Phone != nil {
			s.Phone = *r.Phone
		}
		if err := json.Unmarshal(r.Hours, &s.Hours); err != nil {
			return nil, err
		}
		out[i] = s
	}
	return out, nil
}
