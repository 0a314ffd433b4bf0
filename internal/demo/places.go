package demo

import (
	"context"

	"choocop.vn/ocop/internal/showroom"
)

// places are sample sales points, one of each kind of QĐ 950/QĐ-BCT. The communes are real, the places are not, and their
// names say so.
var places = []showroom.Showroom{
	place("MAU-01", "Bến Thành", showroom.TradeCentre, "79", "26743", showroom.EveryDay("09:00", "21:30"), true),
	place("MAU-02", "Hoàn Kiếm", showroom.TransportHub, "01", "00070", showroom.EveryDay("06:00", "22:00"), true),
	place("MAU-03", "Sa Pa", showroom.TouristArea, "15", "03006", showroom.EveryDay("08:00", "20:00"), true),
	place("MAU-04", "Trà Vinh", showroom.LocalCentre, "86", "29242", weekdays("07:30", "17:00"), true),
	place("MAU-05", "Thành Vinh", showroom.RestStop, "40", "16681", showroom.EveryDay("05:30", "23:00"), false),
	place("MAU-06", "Bát Tràng", showroom.CraftVillage, "01", "00577", showroom.EveryDay("08:00", "18:00"), true),
	place("MAU-07", "Ninh Kiều", showroom.ExhibitionCentre, "92", "31135", weekdays("08:00", "17:30"), false),
	place("MAU-08", "Thuận Hóa", showroom.PostOffice, "46", "19789", weekdays("07:00", "18:00"), true),
}

func place(code, name string, kind showroom.Kind, province, commune string, hours showroom.Hours, pickup bool) showroom.Showroom {
	return showroom.Showroom{Code: code, NameVI: "Điểm bán mẫu " + name, NameEN: "Sample sales point " + name, Kind: kind,
		Operator: "Đơn vị vận hành mẫu", ProvinceCode: province, CommuneCode: commune, Street: "Địa chỉ mẫu, không có thật",
		Hours: hours, OffersPickup: pickup, Demo: true}
}

// weekdays is open on Saturday morning and closed on Sunday.
func weekdays(from, to string) showroom.Hours {
	h := showroom.EveryDay(from, to)
	h[5] = &showroom.Span{From: from, To: "11:30"}
	h[6] = nil
	return h
}

func openShowrooms(ctx context.Context, s Services, progress func(string, int, int)) error {
	for i, p := range places {
		if _, err := s.Showrooms.Register(ctx, p); err != nil {
			return err
		}
		progress(StageShowrooms, i+1, len(places))
	}
	return nil
}
