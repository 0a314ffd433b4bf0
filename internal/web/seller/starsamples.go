package seller

import (
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/starform"
)

func (s *Seller) starSamples(l i18n.Locale) []kit.Sample {
	now := s.Clock.Now()
	today := clock.On(now)
	frame := s.sampleFrame(l, stars, "stars.title")
	held := func(id int64, n int, to clock.Date, edit ...func(*certification.Holding)) certification.Holding {
		h := certification.Holding{Record: certification.Record{ID: id, Code: "OCOP-7K4M-92QX", Stars: n, DecisionNo: "2361/QĐ-UBND", ValidFrom: to.AddMonths(-36), ValidTo: to},
			Names: "Chè Shan tuyết Phìn Hồ hộp 100 g, Hồng trà Shan tuyết cổ thụ Phìn Hồ", Products: []certification.Named{{ProductID: 1, Code: "08-00901-1-2024"}}}
		for _, e := range edit {
			e(&h)
		}
		return h
	}
	revoked := today.AddDays(-40)
	all := []certification.Holding{held(1, 5, today.AddMonths(30)), held(2, 4, today.AddDays(85)), held(3, 4, today.AddDays(60), func(h *certification.Holding) { h.Renewed = true }),
		held(4, 3, today.AddDays(-12)), held(5, 3, today.AddMonths(9), func(h *certification.Holding) { h.RevokedOn, h.RevokedWhy = &revoked, "Sai quy cách" })}
	row := func(id int64, state certification.RequestState, why string) certification.Row {
		return certification.Row{Names: "Chè Shan tuyết Phìn Hồ hộp 100 g", Request: certification.Request{ID: id, State: state, Version: 1, Reason: why, ValidTo: clock.NewDate(2029, 6, 26),
			Draft: certification.Draft{Stars: 4, DecisionNo: "118/QĐ-UBND", Level: certification.Province, Issuer: "Ủy ban nhân dân tỉnh Tuyên Quang", DecidedOn: clock.NewDate(2026, 6, 26),
				Products: []certification.Named{{ProductID: 1, Code: "08-00901-1-2026"}}, DocumentID: 4, Note: "Bản gốc có dấu đỏ."}}}
	}
	missing := "Bản chụp thiếu trang có danh sách sản phẩm."
	goods := []starform.Goods{{ID: 1, Name: "Chè Shan tuyết Phìn Hồ hộp 100 g", Has: frame.T("starform.has", "stars", 4, "to", today.AddDays(85))}, {ID: 2, Name: "Hồng trà Shan tuyết cổ thụ"}}
	detail := func(r certification.Row, past ...certification.Event) certification.Detail {
		return certification.Detail{Row: r, Goods: []certification.Goods{{ID: 1, Name: "Chè Shan tuyết Phìn Hồ hộp 100 g"}},
			Past: append([]certification.Event{{At: now.Add(-50 * time.Hour), What: "entered"}, {At: now.Add(-20 * time.Hour), What: "noted", Note: "nội bộ"}}, past...)}
	}
	confirmed := detail(row(9, certification.Confirmed, ""), certification.Event{At: now, What: "confirmed"})
	confirmed.Code = "OCOP-2M8R-QX4T"
	returned := detail(row(7, certification.Returned, missing), certification.Event{At: now, What: "returned", Note: missing})
	form := func(state string, f starform.Form, id int64, why string, faults ...*apperr.Error) kit.Sample {
		m := starForm(frame, f, id, why)
		m.Explain(faults)
		return kit.Sample{Page: "seller/starform", State: state, Model: m}
	}
	return []kit.Sample{
		{Page: "seller/stars", State: "valid, ending, renewed, expired, revoked; requests in every state", Model: starList(frame, all, []certification.Row{row(6, certification.Entered, ""),
			row(7, certification.Returned, missing), row(8, certification.Refused, "Quyết định của tỉnh khác."), row(9, certification.Confirmed, ""), row(10, certification.Withdrawn, "")}, "x", today)},
		{Page: "seller/stars", State: "nothing yet", Model: starList(frame, nil, nil, "", today)},
		{Page: "seller/star", State: "waits", Model: starOne(frame, detail(row(6, certification.Entered, "")))},
		{Page: "seller/star", State: "returned", Model: starOne(frame, returned)},
		{Page: "seller/star", State: "confirmed", Model: starOne(frame, confirmed)},
		form("empty", starform.New(goods), 0, ""),
		form("mend what was returned", starform.Of(returned.Draft, goods), 7, missing),
		form("refused, everything is missing", starform.New(goods), 0, "", certification.Draft{}.Check(today)...),
		form("no products", starform.New(nil), 0, ""),
	}
}
