package office

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// RefundLine is a refund on the list, in words.
type RefundLine struct {
	URL, Amount, At, Code, Seller, State, Tone, Why, Do string
}

// RefundList is the list of money on its way back to buyers.
type RefundList struct {
	Frame
	Chips, Waits []Chip
	Text, Shown  string
	Wait         string
	Rows         []RefundLine
	Next         string
}

// RefundOne is one refund, its past, and what may be done about it.
type RefundOne struct {
	Frame
	Row                         RefundLine
	Action, NextURL             string
	Facts                       []Fact
	Past                        []string
	CanPay, CanRetry, NeedsWhy  bool
	Reason, BankRef, Open, Hint string
}

// refundShows are the parts of the list, by their word in the address.
var refundShows = []struct {
	word      string
	over, all bool
}{{"", false, false}, {"done", true, false}, {"all", false, true}}

func (o *Office) refunds(c *gin.Context) error {
	f := order.RefundFilter{Text: short(c.Query("q"))}
	for _, s := range refundShows {
		if s.word == c.Query("show") {
			f.Over, f.All = s.over, s.all
		}
	}
	if !f.Over && !f.All {
		f.Wait = order.Wait(short(c.Query("wait")))
	}
	f.Before, _ = strconv.ParseInt(c.Query("before"), 10, 64)
	rows, next, err := o.Orders.OpenRefunds(c.Request.Context(), order.ScopeOf(person(c), account.ConfirmTransfer), f)
	if err != nil {
		return err
	}
	return o.Views.Render(c, http.StatusOK, "office/refunds", refundsPage(o.frame(c), c.Request.URL.Query(), rows, next))
}

func refundsPage(f Frame, q url.Values, rows []order.RefundRow, next int64) *RefundList {
	m := &RefundList{Frame: f, Text: short(q.Get("q")), Shown: q.Get("show"), Wait: short(q.Get("wait"))}
	m.Title = m.T("refunds.title")
	with := filtered("/office/refunds", q, "show", "wait", "q")
	for _, s := range refundShows {
		key := s.word
		if key == "" {
			key = "open"
		}
		m.Chips = append(m.Chips, Chip{m.T("refunds.show." + key), with("show", s.word), s.word == m.Shown})
	}
	if m.Shown == "" {
		m.Waits = append(m.Waits, Chip{m.T("refunds.any_wait"), with("wait", ""), m.Wait == ""})
		for _, w := range order.Waits() {
			m.Waits = append(m.Waits, Chip{m.T("refunds.wait." + string(w)), with("wait", string(w)), m.Wait == string(w)})
		}
	}
	for _, r := range rows {
		m.Rows = append(m.Rows, m.refund(r))
	}
	if next > 0 {
		m.Next = with("before", strconv.FormatInt(next, 10))
	}
	return m
}

// providerWhys are the words in which providers say why money did not go back, and that we can say in ours.
var providerWhys = map[string]bool{"refused": true, "lost_or_stolen_card": true, "expired_or_canceled_card": true, "declined": true, "insufficient_funds": true}

// refund says in words how a refund stands and what to do.
func (f *Frame) refund(r order.RefundRow) RefundLine {
	out := RefundLine{URL: fmt.Sprintf("/office/refunds/%d", r.ID), Amount: r.Amount.String(), At: i18n.FormatDateTime(f.Locale, r.CreatedAt),
		Code: r.OrderCode, Seller: r.Seller.LocalName(f.Locale), State: f.T("refunds.state." + string(r.State)), Tone: "good"}
	switch {
	case r.Wait != "":
		out.Tone = "warn"
	case r.State == payment.RefundDue || r.State == payment.RefundFailed:
		out.Tone = ""
	}
	if r.State == payment.RefundFailed {
		out.Why = f.T("refunds.why.other", "code", r.Why)
		if providerWhys[r.Why] {
			out.Why = f.T("refunds.why." + r.Why)
		}
	}
	switch {
	case r.Wait == order.WaitsForTransfer:
		out.Do = f.T("refunds.do."+string(r.Method), "amount", r.Amount, "seller", out.Seller)
	case r.Wait != "":
		out.Do = f.T("refunds.do."+string(r.Wait), "amount", r.Amount)
	}
	return out
}

func (o *Office) oneRefund(c *gin.Context) error { return o.showRefund(c, http.StatusOK, nil, "") }

func (o *Office) showRefund(c *gin.Context, status int, faults apperr.List, form string) error {
	id, in, err := whichRefund(c)
	if err != nil {
		return err
	}
	r, past, err := o.Orders.ShowRefund(c.Request.Context(), in, id)
	if err != nil {
		return err
	}
	m := refundPage(o.frame(c), r, past)
	m.Open = form
	if m.Explain(faults); form != "" {
		m.Reason, m.BankRef = c.PostForm("reason"), c.PostForm("bank_ref")
	}
	return o.Views.Render(c, status, "office/refundone", m)
}

func refundPage(f Frame, r order.RefundRow, past []order.RefundStep) *RefundOne {
	m := &RefundOne{Frame: f, Row: f.refund(r), Action: fmt.Sprintf("/office/refunds/%d", r.ID), CanPay: r.Payable(), CanRetry: r.Retryable(), NeedsWhy: r.Way == payment.ByProvider}
	m.Title = m.T("refunds.one", "amount", r.Amount, "code", r.OrderCode)
	if r.NextID != 0 {
		m.NextURL = fmt.Sprintf("/office/refunds/%d", r.NextID)
	}
	if r.Wait == order.WaitsForTransfer && r.Method == payment.VietQR {
		m.Hint = m.T("refunds.also_unmatched")
	}
	phone := i18n.FormatPhone(r.Contact.Phone)
	for _, fact := range [][2]string{{"refunds.order", r.OrderCode}, {"refunds.seller", m.Row.Seller}, {"refunds.method", m.T("checkout.method." + string(r.Method))},
		{"refunds.because", m.said(r.Reason)}, {"refunds.asked_at", m.Row.At}, {"refunds.buyer", r.Contact.Name}, {"refunds.phone", phone}, {"refunds.email", r.Contact.Email},
		{"refunds.bank_ref", r.BankRef}} {
		if fact[1] != "" {
			m.Facts = append(m.Facts, Fact{m.T(fact[0]), fact[1]})
		}
	}
	for i, e := range past {
		line := i18n.FormatDateTime(m.Locale, e.At) + " · " + m.T("refunds.state."+string(e.To)) + " · " + e.Actor
		if i > 0 && e.From == e.To {
			line = i18n.FormatDateTime(m.Locale, e.At) + " · " + m.T("refunds.left") + " · " + e.Actor
		}
		if e.Reason != "" {
			line += " · " + m.said(e.Reason)
		}
		m.Past = append(m.Past, line)
	}
	return m
}

// said is a reason in the reader's language: one of the program's own, or what a person wrote.
func (f *Frame) said(reason string) string {
	if strings.HasPrefix(reason, "order.reason.") {
		return f.T(reason)
	}
	return reason
}

func whichRefund(c *gin.Context) (int64, order.Scope, error) {
	in := order.ScopeOf(person(c), account.ConfirmTransfer)
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return 0, in, apperr.New(apperr.NotFound, "order.refund.unknown")
	}
	return id, in, nil
}

func (o *Office) refundSent(c *gin.Context) error {
	return o.decideRefund(c, "sent", func(id int64, in order.Scope) error {
		return o.Money.PaidOut(c.Request.Context(), in, id, c.PostForm("bank_ref"), decider(c))
	})
}

func (o *Office) refundAgain(c *gin.Context) error {
	return o.decideRefund(c, "again", func(id int64, in order.Scope) error {
		_, err := o.Orders.RetryRefund(c.Request.Context(), in, id, order.Decider(decider(c)))
		return err
	})
}

func (o *Office) refundLeft(c *gin.Context) error {
	return o.decideRefund(c, "leave", func(id int64, in order.Scope) error {
		return o.Orders.LeaveRefund(c.Request.Context(), in, id, order.Decider(decider(c)))
	})
}

// decideRefund runs one decision: what it refuses stands beside the form again.
func (o *Office) decideRefund(c *gin.Context, form string, do func(int64, order.Scope) error) error {
	id, in, err := whichRefund(c)
	if err != nil {
		return err
	}
	err = do(id, in)
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return o.showRefund(c, kit.Status(faults), faults, form)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, fmt.Sprintf("/office/refunds/%d", id))
	return nil
}
