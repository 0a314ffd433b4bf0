package office

import (
	"net/url"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/producer"
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
	samples := []kit.Sample{
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
	}
	samples = append(samples, o.certificateSamples(l)...)
	samples = append(samples, o.starSamples(l)...)
	return append(samples, refundSamples(newFrame(o.Views.SamplePage(l, "/office/refunds"), admin, i18n.T(l, "office.everywhere", nil)), at)...), nil
}

func refundSamples(frame Frame, at time.Time) []kit.Sample {
	seller := producer.Producer{ID: 3, Name: "HTX Dừa sáp Trà Vinh", NameEN: "Tra Vinh Macapuno Cooperative", NameKnown: true}
	row := func(id int64, m payment.Method, way payment.Way, state payment.RefundState, wait order.Wait, why string) order.RefundRow {
		return order.RefundRow{Refund: payment.Refund{ID: id, Amount: 265_000, Way: way, State: state, Reason: "order.reason.refund_due", CreatedAt: at.Add(-2 * time.Hour)},
			Wait: wait, OrderCode: "K7M4-92QX-A", Seller: seller, Method: m, Why: why,
			Contact: order.Contact{Name: "Nguyễn Thị Hòa", Phone: "+84912345678", Email: "hoa@vidu.vn"}}
	}
	refused := row(9, payment.Card, payment.ByProvider, payment.RefundFailed, order.WaitsForDecision, "lost_or_stolen_card")
	cash := row(8, payment.COD, payment.ByHand, payment.RefundDue, order.WaitsForTransfer, "")
	transfer := row(7, payment.VietQR, payment.ByHand, payment.RefundDue, order.WaitsForTransfer, "")
	slow := row(6, payment.Card, payment.ByProvider, payment.RefundDue, order.WaitsForProvider, "")
	odd := row(5, payment.Card, payment.ByProvider, payment.RefundFailed, order.WaitsForDecision, "unknown")
	locked := row(4, payment.Card, payment.ByHand, payment.RefundDue, order.WaitsForTransfer, "")
	done := row(3, payment.Card, payment.ByProvider, payment.RefundFailed, "", "refused")
	done.NextID = 11
	paid := row(11, payment.VietQR, payment.ByHand, payment.RefundDone, "", "")
	paid.BankRef = "FT26328001122"
	steps := []order.RefundStep{{To: payment.RefundDue, Actor: "system", Reason: "order.reason.refund_due", At: at.Add(-2 * time.Hour)},
		{From: payment.RefundDue, To: payment.RefundFailed, Actor: "card", Reason: "lost_or_stolen_card", At: at.Add(-time.Hour)}}
	left := append(steps[:2:2], order.RefundStep{From: payment.RefundFailed, To: payment.RefundFailed, Actor: "staff:1", Reason: "Người mua đã nhận tiền mặt tại cửa hàng", At: at})
	list := func(state string, q url.Values, rows []order.RefundRow, next int64) kit.Sample {
		return kit.Sample{Page: "office/refunds", State: state, Model: refundsPage(frame, q, rows, next)}
	}
	one := func(state string, r order.RefundRow, past []order.RefundStep, edit ...func(*RefundOne)) kit.Sample {
		m := refundPage(frame, r, past)
		for _, e := range edit {
			e(m)
		}
		return kit.Sample{Page: "office/refundone", State: state, Model: m}
	}
	return []kit.Sample{
		list("all that may wait", url.Values{}, []order.RefundRow{refused, cash, transfer, slow, odd, locked}, 0),
		list("done, goes on", url.Values{"show": {"done"}, "q": {"K7M4"}}, []order.RefundRow{done, paid}, 3),
		list("empty", url.Values{"wait": {"refused"}}, nil, 0),
		one("the card refused", refused, steps),
		one("the card refused, no reason for paying by hand", refused, steps, func(m *RefundOne) {
			m.Open, m.BankRef = "sent", "FT26328001122"
			m.Explain(apperr.List{apperr.Field("reason", "order.reason.required", "max", 500)})
		}),
		one("dealt with by another at the same moment", refused, steps, func(m *RefundOne) {
			m.Open = "again"
			m.Explain(apperr.List{apperr.New(apperr.Conflict, "order.refund.decided")})
		}),
		one("to be transferred", transfer, steps[:1]),
		one("to be transferred, no reference", cash, steps[:1], func(m *RefundOne) {
			m.Open, m.Reason = "sent", "Trả bằng tài khoản của hợp tác xã"
			m.Explain(apperr.List{apperr.Field("bank_ref", "order.refund.bank_ref", "max", 500)})
		}),
		one("the provider does not answer", slow, steps[:1]),
		one("another took its place", done, steps),
		one("left", row(3, payment.Card, payment.ByProvider, payment.RefundFailed, "", "lost_or_stolen_card"), left),
		one("transferred", paid, steps[:1]),
	}
}
