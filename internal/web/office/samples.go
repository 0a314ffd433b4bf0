package office

import (
	"net/url"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/web/kit"
)

// Samples are the pages of the office in each of their states, for the gallery.
func (o *Office) Samples(l i18n.Locale) ([]kit.Sample, error) {
	at := o.Clock.Now()
	admin := account.Account{Name: "Trần Thị Văn Phòng", Roles: []account.Role{{Name: account.Admin}}}
	officer := account.Account{Name: "Nguyễn Thị Phương Thảo", Roles: []account.Role{{Name: account.Officer, Scope: account.OfCommune, ScopeID: "02671"}}}
	frame := newFrame(o.Views.SamplePage(l, "/office/money"), admin, i18n.T(l, "office.everywhere", nil))
	var rows []reconcile.Row
	for i, r := range reconcile.Reasons() {
		row := reconcile.Row{Money: reconcile.Money{ID: int64(100 - i), State: reconcile.Unmatched, Reason: r, ReceivedAt: at,
			Notice: reconcile.Notice{TransactionID: "FT26328001122", AccountNo: "0011001234567", BankBIN: "970436", Amount: 250_000,
				Memo: "MBVCB.3278907687.OCOP K7M492QXA.CT tu 0071000123456 NGUYEN THI HOA toi 0011001234567 HTX DUA SAP TRA VINH", At: at}}, BankName: "Vietcombank"}
		if r != reconcile.NoCode && r != reconcile.UnknownCode && r != reconcile.SeveralCodes && r != reconcile.OtherContent {
			row.Reference, row.Order = "K7M4-92QX-A", &order.Due{Code: "K7M4-92QX-A", Total: 265_000, State: order.AwaitingPayment}
		}
		if r == reconcile.Under {
			row.Parts = reconcile.Parts{N: 2, Total: 265_000}
		}
		rows = append(rows, row)
	}
	done := reconcile.Row{Money: rows[0].Money, BankName: "Vietcombank"}
	done.State, done.Reason, done.PaymentID = reconcile.Matched, "", 7
	list := func(state string, q url.Values, rows []reconcile.Row, next int64) kit.Sample {
		return kit.Sample{Page: "office/money", State: state, Model: moneyPage(frame, q, rows, next)}
	}
	one := func(state string, d reconcile.Detail, edit ...func(*MoneyOne)) kit.Sample {
		m := moneyOnePage(frame, d)
		for _, e := range edit {
			e(m)
		}
		return kit.Sample{Page: "office/moneyone", State: state, Model: m}
	}
	waits := reconcile.Detail{Row: rows[4], Events: []reconcile.Event{{To: reconcile.Unmatched, Reason: reconcile.Under, Actor: "bank", At: at}}}
	for i, near := range []bool{true, true, false, false} {
		waits.Suggestions = append(waits.Suggestions, reconcile.Suggestion{Near: near, Exact: i%2 == 0,
			Payment: payment.Payment{Reference: "K7M4-92QX-" + "ABCD"[i:i+1], Amount: 250_000, CreatedAt: at.Add(-time.Hour)}})
	}
	settled := reconcile.Detail{Row: done, Events: []reconcile.Event{{To: reconcile.Matched, Actor: "bank", At: at}}}
	owed := reconcile.Detail{Row: rows[3]}
	owed.PaymentID = 7
	work := func(state string, who account.Account, area string, waits ...Waiting) kit.Sample {
		m := homePage(newFrame(o.Views.SamplePage(l, home), who, area))
		for _, w := range waits {
			m.add(queue{text: "office.queue.money", path: "/office/money"}, w, at)
		}
		return kit.Sample{Page: "office/home", State: state, Model: m}
	}
	return []kit.Sample{
		work("late, due today, due later, without a clock, done", admin, i18n.T(l, "office.everywhere", nil), Waiting{1204, at.AddDate(0, 0, -9), at.Add(-time.Hour)},
			Waiting{12, at.AddDate(0, 0, -1), at.Add(time.Hour)}, Waiting{3, at, at.AddDate(0, 0, 3)}, Waiting{N: 1, Since: at}, Waiting{}),
		work("nothing waits", admin, i18n.T(l, "office.everywhere", nil), Waiting{}),
		work("no work for an officer of a commune", officer, "Xã Mường Khương, Tỉnh Lào Cai"),
		list("every reason", url.Values{}, rows, 0),
		list("filtered, goes on", url.Values{"show": {"done"}, "q": {"FT26328"}, "reason": {"late"}}, []reconcile.Row{done}, 12),
		list("empty", url.Values{}, nil, 0),
		one("waits, with suggestions", waits),
		one("refused, the amount differs", waits, func(m *MoneyOne) {
			m.Open, m.Reason = "assign", "Người mua xác nhận qua điện thoại"
			m.Explain(apperr.List{apperr.New(apperr.Conflict, "money.differs_less", "total", waits.Order.Total, "diff", waits.Order.Total-waits.Amount).At("anyway")})
		}),
		one("refused, no reference of the transfer back", waits, func(m *MoneyOne) {
			m.Open = "return"
			m.Explain(apperr.List{apperr.Field("bank_ref", "money.bank_ref_required", "max", 100)})
		}),
		one("a part must go back", owed),
		one("settled by itself", settled),
	}, nil
}
