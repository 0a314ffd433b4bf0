package office

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/web/kit"
)

// Chip is a filter to click.
type Chip struct {
	Text, URL string
	Current   bool
}

// MoneyRow is money on the list, in words.
type MoneyRow struct {
	URL, Amount, At, Account, Memo, State, Tone, Why, Do string
}

// MoneyList is the list of money that came into sellers' accounts.
type MoneyList struct {
	Frame
	Chips, Reasons []Chip
	Text, Shown    string
	Rows           []MoneyRow
	Next           string
}

// MoneyOne is one amount, its past, and what may be done about it.
type MoneyOne struct {
	Frame
	Row                            MoneyRow
	Action                         string
	Facts                          []Fact
	Past                           []string
	Suggestions                    []MoneyHint
	CanAssign, CanReturn, CanLeave bool
	Code, Reason, BankRef          string
	Anyway                         bool
	Open                           string // the form that was refused
}

// Fact is a line of a table.
type Fact struct{ Name, Value string }

// MoneyHint is an order that the money may be for.
type MoneyHint struct{ Code, Text string }

// shows are the parts of the list, by their word in the address.
var shows = []struct {
	word   string
	states []reconcile.State
}{
	{"", []reconcile.State{reconcile.Unmatched}},
	{"done", []reconcile.State{reconcile.Matched, reconcile.Assigned, reconcile.Returned, reconcile.Dismissed}},
	{"all", nil},
}

func (o *Office) money(c *gin.Context) error {
	f := reconcile.Filter{Text: short(c.Query("q")), Reason: reconcile.Reason(c.Query("reason")), States: shows[0].states}
	for _, s := range shows {
		if s.word == c.Query("show") {
			f.States = s.states
		}
	}
	f.Before, _ = strconv.ParseInt(c.Query("before"), 10, 64)
	scope, err := o.Money.Scope(c.Request.Context(), person(c))
	if err != nil {
		return err
	}
	rows, next, err := o.Money.List(c.Request.Context(), scope, f)
	if err != nil {
		return err
	}
	return o.Views.Render(c, http.StatusOK, "office/money", moneyPage(o.frame(c), c.Request.URL.Query(), rows, next))
}

// short is what a person types into a search, cut to a bearable length.
func short(s string) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > 100 {
		s = string([]rune(s)[:100])
	}
	return s
}

// filtered makes the addresses of a list's filters: each keeps the others, by their names.
func filtered(path string, q url.Values, names ...string) func(name, value string) string {
	return func(name, value string) string {
		out := url.Values{}
		for _, k := range names {
			if v := short(q.Get(k)); v != "" {
				out.Set(k, v)
			}
		}
		if out.Del(name); value != "" {
			out.Set(name, value)
		}
		if len(out) == 0 {
			return path
		}
		return path + "?" + out.Encode()
	}
}

func moneyPage(f Frame, q url.Values, rows []reconcile.Row, next int64) *MoneyList {
	m := &MoneyList{Frame: f, Text: short(q.Get("q")), Shown: q.Get("show")}
	m.Title = m.T("money.title")
	with := filtered("/office/money", q, "show", "reason", "q")
	for _, s := range shows {
		key := s.word
		if key == "" {
			key = "open"
		}
		m.Chips = append(m.Chips, Chip{m.T("money.show." + key), with("show", s.word), s.word == m.Shown})
	}
	m.Reasons = append(m.Reasons, Chip{m.T("money.any_reason"), with("reason", ""), q.Get("reason") == ""})
	for _, r := range reconcile.Reasons() {
		m.Reasons = append(m.Reasons, Chip{m.T("money.reason." + string(r)), with("reason", string(r)), q.Get("reason") == string(r)})
	}
	for _, r := range rows {
		m.Rows = append(m.Rows, m.row(r))
	}
	if next > 0 {
		m.Next = with("before", strconv.FormatInt(next, 10))
	}
	return m
}

var moneyTones = map[reconcile.State]string{reconcile.Received: "", reconcile.Matched: "good", reconcile.Assigned: "good", reconcile.Returned: "good",
	reconcile.Unmatched: "warn", reconcile.Dismissed: ""}

// row says in words what happened and what to do.
func (f *Frame) row(r reconcile.Row) MoneyRow {
	out := MoneyRow{URL: fmt.Sprintf("/office/money/%d", r.ID), Amount: r.Amount.String(), At: i18n.FormatDateTime(f.Locale, r.At), Account: r.AccountNo, Memo: r.Memo,
		State: f.T("money.state." + string(r.State)), Tone: moneyTones[r.State]}
	if r.BankName != "" {
		out.Account = r.BankName + " " + r.AccountNo
	}
	code, total := r.Reference, money.VND(0)
	if r.Order != nil {
		total = r.Order.Total
	}
	if r.Reason == "" {
		if code != "" {
			out.Why = f.T("money.for_order", "code", code)
		}
		return out
	}
	args := []any{"code", code, "total", total, "diff", max(total-r.Amount, r.Amount-total)}
	why, do := "money.why."+string(r.Reason), "money.do."+string(r.Reason)
	switch {
	case code == "" && (r.Reason == reconcile.OtherAccount || r.Reason == reconcile.NotATransfer):
		why = "money.why.unclear"
	case r.Reason == reconcile.Over && r.PaymentID != 0:
		do = "money.do.surplus"
	case r.PaymentID != 0 && r.Order != nil && (r.Order.State == order.Cancelled || r.Order.State == order.Expired):
		do = "money.do.late"
	}
	out.Why = f.T(why, args...)
	if r.Parts.N > 1 && r.Reason == reconcile.Under {
		out.Why += " " + f.T("money.parts", "n", r.Parts.N, "total", r.Parts.Total)
	}
	if r.Money.Open() {
		out.Do = f.T(do, args...)
	}
	return out
}

func (o *Office) oneMoney(c *gin.Context) error { return o.showMoney(c, http.StatusOK, nil, "") }

func (o *Office) showMoney(c *gin.Context, status int, faults apperr.List, form string) error {
	id, scope, err := o.which(c)
	if err != nil {
		return err
	}
	d, err := o.Money.Show(c.Request.Context(), scope, id)
	if err != nil {
		return err
	}
	m := moneyOnePage(o.frame(c), d)
	m.Open = form
	if m.Explain(faults); form != "" {
		m.Code, m.Reason, m.BankRef, m.Anyway = c.PostForm("code"), c.PostForm("reason"), c.PostForm("bank_ref"), c.PostForm("anyway") != ""
	}
	return o.Views.Render(c, status, "office/moneyone", m)
}

func moneyOnePage(f Frame, d reconcile.Detail) *MoneyOne {
	m := &MoneyOne{Frame: f, Row: f.row(d.Row), Action: fmt.Sprintf("/office/money/%d", d.ID),
		CanAssign: d.Assignable(), CanReturn: d.Returnable(), CanLeave: d.Dismissable(), Code: d.Reference}
	m.Title = m.T("money.one", "amount", d.Amount)
	for _, fact := range [][2]string{{"money.transaction", d.TransactionID}, {"money.account", m.Row.Account}, {"money.memo", d.Memo}, {"money.at", m.Row.At},
		{"money.order", d.Reference}, {"money.note", d.Note}, {"money.bank_ref", d.BankRef}} {
		if fact[1] != "" {
			m.Facts = append(m.Facts, Fact{m.T(fact[0]), fact[1]})
		}
	}
	for _, e := range d.Events {
		line := i18n.FormatDateTime(m.Locale, e.At) + " · " + m.T("money.state."+string(e.To)) + " · " + e.Actor
		if e.Reason != "" {
			line += " · " + m.T("money.reason."+string(e.Reason))
		}
		if e.Note != "" {
			line += " · " + e.Note
		}
		m.Past = append(m.Past, line)
	}
	for _, s := range d.Suggestions {
		key := "money.hint.amount"
		switch {
		case s.Near && s.Exact:
			key = "money.hint.both"
		case s.Near:
			key = "money.hint.code"
		case s.Exact:
			key = "money.hint.exact"
		}
		m.Suggestions = append(m.Suggestions, MoneyHint{s.Reference, m.T(key, "total", s.Amount, "placed", i18n.FormatDateTime(m.Locale, s.CreatedAt))})
	}
	return m
}

func (o *Office) which(c *gin.Context) (int64, reconcile.AccountScope, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return 0, reconcile.AccountScope{}, apperr.New(apperr.NotFound, "money.unknown")
	}
	scope, err := o.Money.Scope(c.Request.Context(), person(c))
	return id, scope, err
}

func (o *Office) assign(c *gin.Context) error {
	return o.decide(c, "assign", func(id int64, in reconcile.AccountScope) error {
		return o.Money.Assign(c.Request.Context(), in, id, c.PostForm("code"), decider(c), c.PostForm("anyway") != "")
	})
}

func (o *Office) giveBack(c *gin.Context) error {
	return o.decide(c, "return", func(id int64, in reconcile.AccountScope) error {
		return o.Money.GiveBack(c.Request.Context(), in, id, c.PostForm("bank_ref"), decider(c))
	})
}

func (o *Office) dismiss(c *gin.Context) error {
	return o.decide(c, "dismiss", func(id int64, in reconcile.AccountScope) error {
		return o.Money.Dismiss(c.Request.Context(), in, id, decider(c))
	})
}

// decide runs one decision: what it refuses stands beside the form again.
func (o *Office) decide(c *gin.Context, form string, do func(int64, reconcile.AccountScope) error) error {
	id, scope, err := o.which(c)
	if err != nil {
		return err
	}
	err = do(id, scope)
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return o.showMoney(c, kit.Status(faults), faults, form)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, fmt.Sprintf("/office/money/%d", id))
	return nil
}
