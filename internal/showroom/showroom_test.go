package showroom_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/testkit"
)

func TestHoursFollowVietnamsClock(t *testing.T) {
	h := showroom.EveryDay("07:30", "18:00")
	h[6] = nil                                        // Sunday
	h[5] = &showroom.Span{From: "00:00", To: "24:00"} // Saturday
	at := func(day, hour, minute int) time.Time {
		// 23 November 2026 is a Monday; the moment is handed over in UTC.
		return time.Date(2026, 11, day, hour, minute, 0, 0, clock.HCM).UTC()
	}
	for _, c := range []struct {
		t    time.Time
		open bool
	}{
		{at(23, 7, 29), false}, {at(23, 7, 30), true}, {at(23, 17, 59), true}, {at(23, 18, 0), false},
		{at(28, 0, 0), true}, {at(28, 23, 59), true}, {at(29, 0, 0), false}, {at(29, 12, 0), false},
	} {
		if h.OpenAt(c.t) != c.open {
			t.Errorf("open at %s: %v", c.t.In(clock.HCM), !c.open)
		}
	}
	if s, ok := h.On(at(24, 1, 0)); !ok || s.From != "07:30" || s.To != "18:00" {
		t.Errorf("Tuesday: %v %v", s, ok)
	}
	if _, ok := h.On(at(29, 1, 0)); ok {
		t.Error("open on Sunday")
	}
	data, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	var back showroom.Hours
	if err := json.Unmarshal(data, &back); err != nil || *back[0] != *h[0] || back[6] != nil {
		t.Errorf("%s came back as %v, %v", data, back, err)
	}
	if json.Unmarshal([]byte(`[null]`), &back) == nil {
		t.Error("a week of one day was accepted")
	}
}

func sample(t *testing.T, d *db.DB) showroom.Showroom {
	t.Helper()
	r := showroom.Showroom{
		Code: "SR-01", NameVI: "Điểm bán Đồng Lộc", NameEN: "Dong Loc sales point", Kind: showroom.RestStop, Operator: "HTX Đồng Lộc",
		Street: "Km 12, quốc lộ 1", Hours: showroom.EveryDay("07:30", "18:00"), OffersPickup: true, Demo: true,
		SupportedSince: clock.NewDate(2024, time.May, 1),
	}
	if err := d.Pool().QueryRow(context.Background(), `SELECT province_code, code FROM geo_commune ORDER BY code LIMIT 1`).Scan(&r.ProvinceCode, &r.CommuneCode); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRegisterTwiceKeepsOneSalesPoint(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := showroom.New(d)
	r := sample(t, d)
	id, err := s.Register(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	r.NameEN = "Dong Loc shop"
	again, err := s.Register(ctx, r)
	if err != nil || again != id {
		t.Fatalf("second time: id %d, %v; want %d", again, err, id)
	}
	r.ID, r.Slug = id, "diem-ban-dong-loc-sr-01"
	got, err := s.Find(ctx, r.Slug)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Hours[0] != *r.Hours[0] {
		t.Errorf("hours %v", *got.Hours[0])
	}
	got.Hours, r.Hours = showroom.Hours{}, showroom.Hours{}
	if got != r {
		t.Errorf("got  %+v\nwant %+v", got, r)
	}
}

func TestListsShowOpenPointsOnly(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := showroom.New(d)
	codes := func(list []showroom.Showroom, err error) []string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range list {
			out = append(out, r.Code)
		}
		return out
	}
	var ids []int64
	r := sample(t, d)
	for _, code := range []string{"OPEN", "NO-PICKUP", "GONE"} {
		r.Code, r.NameVI, r.OffersPickup, r.Closed = code, "Điểm bán "+code, code == "OPEN", code == "GONE"
		id, err := s.Register(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if got := codes(s.List(ctx, "")); !slices.Equal(got, []string{"NO-PICKUP", "OPEN"}) {
		t.Errorf("list %v", got)
	}
	if got := codes(s.List(ctx, "99")); len(got) != 0 {
		t.Errorf("list of another province %v", got)
	}
	if got := codes(s.Pickup(ctx, d.Read(ctx), []string{r.ProvinceCode, "99"})); !slices.Equal(got, []string{"OPEN"}) {
		t.Errorf("pickup %v", got)
	}
	if got := codes(s.Pickup(ctx, d.Read(ctx), nil)); len(got) != 0 {
		t.Errorf("pickup nowhere %v", got)
	}
	all, err := s.ByIDs(ctx, d.Read(ctx), ids)
	if err != nil || len(all) != 3 || !all[ids[2]].Closed {
		t.Errorf("by ids %v, %v", all, err)
	}
	if _, err := s.Find(ctx, all[ids[2]].Slug); err == nil {
		t.Error("a closed point was found")
	}
}

func TestRegisterExplainsWhatIsWrong(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := showroom.New(d)
	_, err := s.Register(ctx, showroom.Showroom{Code: "nhỏ", Kind: "kiosk", Hours: showroom.EveryDay("9:00", "8:00")})
	l, _ := apperr.As(err)
	var fields []string
	for _, e := range l {
		fields = append(fields, e.Field)
	}
	if !slices.Equal(fields, []string{"code", "name_vi", "name_en", "kind", "street", "hours"}) {
		t.Errorf("fields %v (%v)", fields, err)
	}
	r := sample(t, d)
	r.CommuneCode = "99999"
	if _, err := s.Register(ctx, r); err == nil {
		t.Error("an unknown commune was accepted")
	} else if l, ok := apperr.As(err); !ok || l[0].Field != "commune" {
		t.Errorf("unknown commune: %v", err)
	}
	r = sample(t, d)
	if _, err := s.Register(ctx, r); err != nil {
		t.Fatal(err)
	}
	r.Code, r.Slug = "SR-02", "diem-ban-dong-loc-sr-01"
	if _, err := s.Register(ctx, r); err == nil {
		t.Error("a taken slug was accepted")
	} else if l, ok := apperr.As(err); !ok || l[0].Field != "slug" {
		t.Errorf("taken slug: %v", err)
	}
}
