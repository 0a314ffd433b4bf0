package office

import (
	"net/url"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/starform"
)

// sampleDesk is the frame of an officer of a province, and the map that the officer sees.
func (o *Office) sampleDesk(l i18n.Locale, path string) (Frame, places) {
	officer := account.Account{Name: "Nguyễn Thị Phương Thảo", Roles: []account.Role{{Name: account.Officer, Scope: account.OfProvince, ScopeID: "15"}}}
	home := geo.Province{Code: "15", Name: "Lào Cai", NameEN: "Lao Cai"}
	return newFrame(o.Views.SamplePage(l, path), officer, home.Title(l)), places{provinces: []geo.Province{home}}
}

// certificateSamples are the pages about star decisions in each of their states.
func (o *Office) certificateSamples(l i18n.Locale) []kit.Sample {
	at := o.Clock.Now()
	today := clock.On(at)
	frame, map1 := o.sampleDesk(l, certificates)
	map1.communes = []geo.Commune{{Code: "02671", Name: "Mường Khương", ProvinceCode: "15"}}
	row := func(id int64, state certification.RequestState, days int) certification.Row {
		return certification.Row{Producer: "Hợp tác xã nông nghiệp hữu cơ Séng Cù Mường Vi – Bản Xèo", ProvinceCode: "15", Names: "Gạo Séng Cù Mường Vi, Gạo nếp nương Bát Xát", Assignee: "Lê Văn Bảy",
			Request: certification.Request{ID: id, State: state, Version: 1, EnteredBy: 7, EditedBy: 7, EnteredAt: at.Add(-50 * time.Hour), DueOn: today.AddDays(days),
				Regime: "QĐ 26/2026/QĐ-TTg", ValidTo: clock.NewDate(2029, 6, 26), Draft: certification.Draft{Stars: 4, DecisionNo: "2361/QĐ-UBND", Level: certification.Province,
					Issuer: "Ủy ban nhân dân tỉnh Lào Cai", DecidedOn: clock.NewDate(2026, 6, 26), Note: "Bản gốc có dấu đỏ, xin trả lại sau khi đối chiếu.",
					Products: []certification.Named{{ProductID: 1, Code: "15-02671-12-2026"}, {ProductID: 2}}, DocumentID: 3}}}
	}
	list := func(state string, q url.Values, next string, left map[int64]*apperr.Error, rows ...certification.Row) kit.Sample {
		m := certificateList(frame, q, rows, next, map1, today)
		m.say(q.Get("done"), left)
		return kit.Sample{Page: "office/certificates", State: state, Model: m}
	}
	earlier := certification.Record{ID: 5, Code: "OCOP-7K4M-92QX", Stars: 3, DecisionNo: "118/QĐ-UBND", ValidFrom: clock.NewDate(2023, 5, 12), ValidTo: clock.NewDate(2026, 5, 12)}
	detail := func(state certification.RequestState, past ...certification.Event) certification.Detail {
		return certification.Detail{Row: row(41, state, 1), Maker: certification.Maker{ID: 9, Name: "Hợp tác xã nông nghiệp hữu cơ Séng Cù Mường Vi – Bản Xèo", Place: "Xã Bản Xèo"},
			Goods: []certification.Goods{{ID: 1, Slug: "gao-seng-cu", Name: "Gạo Séng Cù Mường Vi", Records: []certification.Record{earlier}}, {ID: 2, Slug: "gao-nep", Name: "Gạo nếp nương Bát Xát"}},
			Past:  append([]certification.Event{{At: at.Add(-50 * time.Hour), Who: "Giàng A Páo", What: "entered"}}, past...), Helper: map[int64]string{3: "Lê Văn Bảy", 4: "Vàng Thị Mai"}}
	}
	one := func(state string, who int64, d certification.Detail, edit ...func(*CertificateOne)) kit.Sample {
		m := certificateOne(frame, d, map1, who, today)
		m.FileName = "quyet-dinh-2361.pdf"
		for _, e := range edit {
			e(m)
		}
		return kit.Sample{Page: "office/certificate", State: state, Model: m}
	}
	marked := detail(certification.Entered)
	marked.Marks = []certification.Mark{certification.MarkFewer, certification.MarkLapsed, certification.MarkCodeYear}
	returned := detail(certification.Returned, certification.Event{At: at, Who: "Vàng Thị Mai", What: "returned", Note: "Thiếu trang có danh sách sản phẩm."})
	returned.Reason = "Thiếu trang có danh sách sản phẩm."
	confirmed := detail(certification.Confirmed, certification.Event{At: at, Who: "Vàng Thị Mai", What: "confirmed"})
	confirmed.Code = "OCOP-2M8R-QX4T"
	goods := []starform.Goods{{ID: 1, Name: "Gạo Séng Cù Mường Vi", Has: frame.T("starform.has", "stars", 3, "to", clock.NewDate(2027, 5, 12))}, {ID: 2, Name: "Gạo nếp nương Bát Xát"}}
	maker := certification.Maker{ID: 9, Name: "Hợp tác xã nông nghiệp hữu cơ Séng Cù Mường Vi – Bản Xèo"}
	form := func(state string, f starform.Form, id int64, faults ...*apperr.Error) kit.Sample {
		m := certificateForm(frame, maker, f, id)
		m.Explain(faults)
		return kit.Sample{Page: "office/certificateform", State: state, Model: m}
	}
	makers := func(state string, m CertificateMaker) kit.Sample {
		m.Frame = frame
		m.Title = m.T("certificates.new")
		return kit.Sample{Page: "office/certificatemaker", State: state, Model: &m}
	}
	wrong := marked.Draft
	wrong.Stars = 5
	return []kit.Sample{
		list("late, due today, due later", url.Values{}, "", nil, row(41, certification.Entered, -4), row(42, certification.Entered, 0), row(43, certification.Entered, 3)),
		list("all, filtered, goes on", url.Values{"state": {"all"}, "province": {"15"}, "mine": {"1"}, "q": {"séng cù"}, "due": {"week"}}, "x", nil, row(41, certification.Returned, 1),
			row(42, certification.Confirmed, 1), row(43, certification.Refused, 1), row(44, certification.Withdrawn, 1)),
		list("after many were confirmed, one left", url.Values{"done": {"12"}}, "", map[int64]*apperr.Error{41: apperr.New(apperr.Conflict, "certification.request.look")}, row(41, certification.Entered, 1)),
		list("empty", url.Values{}, "", nil),
		one("waits", 3, detail(certification.Entered)),
		one("waits, a photograph, things to look at", 3, marked, func(m *CertificateOne) {
			m.FileName, m.Image, m.File = "ban-chup.jpg", true, frame.Asset("img/basket.svg")
		}),
		one("waits for somebody else", 7, detail(certification.Entered)),
		one("a return without a reason", 3, marked, func(m *CertificateOne) {
			m.Open = "return"
			m.Explain(apperr.List{apperr.Field("reason", "certification.request.reason", "max", certification.MaxNote)})
		}),
		one("changed meanwhile", 3, marked, func(m *CertificateOne) {
			m.Open = "confirm"
			m.Explain(apperr.List{apperr.New(apperr.Conflict, "certification.request.changed")})
		}),
		one("returned", 3, returned),
		one("confirmed", 3, confirmed),
		makers("at first", CertificateMaker{}),
		makers("found", CertificateMaker{Text: "séng cù", Asked: true, Makers: []Chip{{Text: maker.Name + ", Xã Bản Xèo", URL: certificates + "/new?producer=9"}}}),
		makers("none of that name", CertificateMaker{Text: "abc", Asked: true}),
		form("empty", starform.New(goods), 0),
		form("a change", starform.Of(marked.Draft, goods), 41),
		form("refused, the level does not fit", starform.Of(wrong, goods), 0, apperr.Field("level", "certification.level.by_ministry", "stars", 5, "regime", "QĐ 26/2026/QĐ-TTg", "date", wrong.DecidedOn)),
		form("refused, everything is missing", starform.New(goods), 0, certification.Draft{}.Check(today)...),
		form("no products", starform.New(nil), 0),
	}
}
