package office

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// part is a line of the way about the office: the key of its text, the right it needs, its address.
type part struct {
	text  string
	right right
	path  string
}

// parts are the parts of the office in the order in which they are shown. A page belongs to the part whose address its
// own begins with.
var parts = []part{
	{"office.work", account.UseDesk, home},
	{"certificates.title", account.VerifyStars, certificates},
	{"starlist.title", account.VerifyStars, stars},
	{"money.title", account.ConfirmTransfer, "/office/money"},
	{"refunds.title", account.ConfirmTransfer, "/office/refunds"},
}

const home = "/office"

// Waiting says how much of one kind waits for a person.
type Waiting struct {
	N     int
	Since time.Time // when the first of it came
	Due   time.Time // when the first of it is due; zero where no clock runs
}

// queue is one kind of work: the key of its text, the right it needs, the address of its rows, and how much of it waits
// for somebody. count looks only at what the person's right covers (Account.Area, Account.Covers) and costs a fixed
// number of statements.
type queue struct {
	text  string
	right right
	path  string
	count func(ctx context.Context, who account.Account) (Waiting, error)
}

// queues are the kinds of work on the start page, in the order in which they are shown.
func (o *Office) queues() []queue {
	return []queue{
		{"office.queue.money", account.ConfirmTransfer, "/office/money", o.moneyWaiting},
		{"office.queue.refunds", account.ConfirmTransfer, "/office/refunds", o.refundsWaiting},
		{"certificates.title", account.VerifyStars, certificates, o.starsWaiting},
	}
}

func (o *Office) moneyWaiting(ctx context.Context, who account.Account) (w Waiting, err error) {
	scope, err := o.Money.Scope(ctx, who)
	if err != nil {
		return w, err
	}
	w.N, w.Since, err = o.Money.WaitingIn(ctx, scope)
	return w, err
}

func (o *Office) refundsWaiting(ctx context.Context, who account.Account) (w Waiting, err error) {
	w.N, w.Since, err = o.Orders.RefundsWaiting(ctx, order.ScopeOf(who, account.ConfirmTransfer))
	return w, err
}

func (o *Office) starsWaiting(ctx context.Context, who account.Account) (w Waiting, err error) {
	var day clock.Date
	w.N, w.Since, day, err = o.Stars.Waiting(ctx, who.Area(account.VerifyStars))
	if w.N > 0 {
		w.Due = day.AddDays(1).Time()
	}
	return w, err
}

// Work is a line of the start page.
type Work struct {
	Text, URL, Since, Due, Tone string
	N                           int
}

// Home is the start page: what waits for this person.
type Home struct {
	Frame
	Rows  []Work
	Total int
}

func (o *Office) home(c *gin.Context) error {
	who := person(c)
	m := homePage(o.frame(c))
	for _, q := range o.queues() {
		if !account.Can(who, q.right) {
			continue
		}
		w, err := q.count(c.Request.Context(), who)
		if err != nil {
			return err
		}
		m.add(q, w, o.Clock.Now())
	}
	return o.Views.Render(c, http.StatusOK, "office/home", m)
}

func homePage(f Frame) *Home {
	m := &Home{Frame: f}
	m.Title = m.T("office.work")
	return m
}

// add puts a queue on the page: what is late or due today stands out, in words and in colour.
func (m *Home) add(q queue, w Waiting, now time.Time) {
	row := Work{Text: m.T(q.text), URL: q.path, N: w.N}
	m.Total += w.N
	if w.N > 0 {
		row.Since = i18n.FormatDateTime(m.Locale, w.Since)
	}
	switch due := w.Due; {
	case w.N == 0 || due.IsZero():
	case due.Before(now):
		row.Due, row.Tone = m.T("office.due.late", "at", i18n.FormatDateTime(m.Locale, due)), "bad"
	case clock.On(due) == clock.On(now):
		row.Due, row.Tone = m.T("office.due.today", "at", i18n.FormatTime(m.Locale, due)), "warn"
	default:
		row.Due = i18n.FormatDateTime(m.Locale, due)
	}
	m.Rows = append(m.Rows, row)
}

// Link is a way to another page.
type Link struct {
	Text, URL string
	Current   bool
}

// Frame is what every page of the office embeds.
type Frame struct {
	kit.Page
	Person string
	Area   string // in words; empty for people who are bound to no place
	Parts  []Link
}

// newFrame is the frame around a page of the office for somebody, in the language of their account.
func newFrame(p kit.Page, who account.Account, area string) Frame {
	f := Frame{Page: p, Person: who.Name, Area: area}
	f.NoIndex = true
	for _, part := range parts {
		if account.Can(who, part.right) {
			current := p.Path == part.path || part.path != home && strings.HasPrefix(p.Path, part.path+"/")
			f.Parts = append(f.Parts, Link{f.T(part.text), part.path, current})
		}
	}
	return f
}

// Back is where changing the language leads to: this page, filters and all.
func (f *Frame) Back() string {
	if f.Query == "" {
		return f.Path
	}
	return f.Path + "?" + f.Query
}

func (o *Office) frame(c *gin.Context) Frame {
	who := person(c)
	p := o.Views.NewPage(c, "")
	p.Locale = localeOf(who)
	if c.Request.Method != http.MethodGet { // a refused form stands at an address that cannot be opened
		p.Path, p.Query = formOf(p.Path), ""
	}
	return newFrame(p, who, o.areaOf(c.Request.Context(), who, p.Locale))
}

// formOf is the page on which the form of an address stands: the address above it.
func formOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		return path[:i]
	}
	return home
}

func localeOf(a account.Account) i18n.Locale {
	if a.Locale == string(i18n.EN) {
		return i18n.EN
	}
	return i18n.VI
}

// areaOf says where somebody works, in words.
func (o *Office) areaOf(ctx context.Context, who account.Account, l i18n.Locale) string {
	area := who.Area(account.UseDesk)
	if area.Everywhere {
		return i18n.T(l, "office.everywhere", nil)
	}
	var names []string
	for _, code := range area.Provinces {
		if p, err := o.Geo.Province(ctx, code); err == nil {
			names = append(names, p.Title(l))
		}
	}
	for _, code := range area.Communes {
		if c, err := o.Geo.Commune(ctx, code); err == nil {
			name := c.Title(l)
			if p, err := o.Geo.Province(ctx, c.ProvinceCode); err == nil {
				name += ", " + p.Title(l)
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, "; ")
}

// speak changes the language of the account and leads back to the page.
func (o *Office) speak(c *gin.Context) error {
	if err := o.Accounts.SetLocale(c.Request.Context(), person(c).ID, i18n.Locale(c.PostForm("lang")), decider(c).Actor); err != nil {
		return err
	}
	to := home
	if back := c.PostForm("back"); strings.HasPrefix(back, home+"/") || strings.HasPrefix(back, home+"?") {
		to = back
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}
