package office

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

const stars = "/office/stars"

// StarRow is a confirmed certificate on the list, in words.
type StarRow struct {
	URL, Stars, Decision, Goods, Producers, Place, State, Tone, Until string
}

// StarList are the confirmed certificates of an officer's area.
type StarList struct {
	Frame
	Chips                            []Chip
	Provinces, Ranks                 []Option
	Text, State, Province, CSV, Next string
	Filtered                         bool
	Rows                             []StarRow
}

// starStates are the parts of the list, by their word in the address; the first is all.
var starStates = []string{"", certification.StateValid, certification.StateExpiring, certification.StateExpired, certification.StateRevoked, certification.StateNotYet}

func starFilter(q url.Values) certification.CertificateFilter {
	f := certification.CertificateFilter{Province: short(q.Get("province")), Text: short(q.Get("q")), After: q.Get("after"), Size: certificatesAPage}
	if s := q.Get("state"); slices.Contains(starStates, s) {
		f.State = s
	}
	if n, err := strconv.Atoi(q.Get("stars")); err == nil && n >= 3 && n <= 5 {
		f.Stars = n
	}
	return f
}

func (o *Office) stars(c *gin.Context) error {
	q := c.Request.URL.Query()
	f := starFilter(q)
	rows, next, err := o.Stars.Certificates(c.Request.Context(), reach(c).Area, f)
	if err != nil {
		return err
	}
	p, err := o.places(c, "")
	if err != nil {
		return err
	}
	return o.Views.Render(c, http.StatusOK, "office/stars", starList(o.frame(c), f, rows, next, p, clock.Today(o.Clock)))
}

// starAddress is the list with other values of its filters; it begins at the first page.
func starAddress(path string, f certification.CertificateFilter, after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"state": f.State, "province": f.Province, "q": f.Text, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Stars != 0 {
		q.Set("stars", strconv.Itoa(f.Stars))
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func starList(f Frame, by certification.CertificateFilter, rows []certification.Certificate, next string, p places, today clock.Date) *StarList {
	m := &StarList{Frame: f, Text: by.Text, State: by.State, Province: by.Province}
	m.Title = m.T("starlist.title")
	for _, s := range starStates {
		key, other := s, by
		if key == "" {
			key = "all"
		}
		other.State = s
		m.Chips = append(m.Chips, Chip{m.T("starlist.state." + key), starAddress(stars, other, ""), s == by.State})
	}
	m.Provinces, m.Filtered = p.options(m.Locale, by.Province), by.Text != "" || by.Province != "" || by.Stars != 0
	for n := 5; n >= 3; n-- {
		m.Ranks = append(m.Ranks, Option{strconv.Itoa(n), m.T("badge.stars", "n", n), n == by.Stars})
	}
	for _, r := range rows {
		m.Rows = append(m.Rows, m.star(r, p, today))
	}
	m.CSV = starAddress(stars+".csv", by, "")
	if next != "" {
		m.Next = starAddress(stars, by, next)
	}
	return m
}

// starState is the state of a certificate on a day, as the list divides them, and its colour.
func starState(r certification.Record, today clock.Date) (state, tone string) {
	switch state = r.StateOn(today); {
	case r.Expiring(today):
		return certification.StateExpiring, "warn"
	case state == certification.StateValid:
		return state, "good"
	case state == certification.StateNotYet:
		return state, ""
	}
	return state, "bad"
}

func (f *Frame) star(r certification.Certificate, p places, today clock.Date) StarRow {
	state, tone := starState(r.Record, today)
	return StarRow{URL: stars + "/" + r.Code, Stars: f.T("badge.stars", "n", r.Stars), Decision: r.Record.Decision(), Goods: r.Names, Producers: r.Producers,
		Place: p.province(r.ProvinceCode, f.Locale), State: f.T("starlist.state." + state), Tone: tone, Until: i18n.FormatDay(f.Locale, r.ValidTo)}
}

// starsCSV is the list with the same filters, as a file.
func (o *Office) starsCSV(c *gin.Context) error {
	f := starFilter(c.Request.URL.Query())
	f.After, f.Size = "", certificatesMost
	rows, _, err := o.Stars.Certificates(c.Request.Context(), reach(c).Area, f)
	if err != nil {
		return err
	}
	p, err := o.places(c, "")
	if err != nil {
		return err
	}
	page, today := o.frame(c), clock.Today(o.Clock)
	heads := append(page.heads("code", "producer", "province", "goods", "stars", "decision", "issuer"), page.T("starlist.from"), page.T("certificates.col.until"),
		page.T("certificates.col.state"), page.T("starlist.revoked_on"), page.T("starlist.why"))
	out, err := o.table(c, "ocop-stars", heads...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		state, _ := starState(r.Record, today)
		var revoked string
		if r.RevokedOn != nil {
			revoked = r.RevokedOn.VN()
		}
		err := out.Row(r.Code, r.Producers, p.province(r.ProvinceCode, page.Locale), r.Names, strconv.Itoa(r.Stars), r.Record.Decision(), r.Issuer, r.ValidFrom.VN(),
			r.ValidTo.VN(), page.T("starlist.state."+state), revoked, r.RevokedWhy)
		if err != nil {
			return err
		}
	}
	return out.Close()
}

// StarOne is one confirmed certificate, what happened to it and the form that takes it away.
type StarOne struct {
	Frame
	Action, Stars, State, Tone, Proof, Request string
	Facts                                      []Fact
	Goods                                      []Link
	Line, Others                               []string // what happened, in the order of time; other certificates of the goods
	CanRevoke, Elsewhere                       bool
	Grounds                                    []Option
	No, On, Why, FirstDay                      string
	Open                                       bool // the form was refused
}

func (o *Office) star(c *gin.Context) error { return o.showStar(c, http.StatusOK, nil) }

func (o *Office) showStar(c *gin.Context, status int, faults apperr.List) error {
	d, err := o.Stars.Certificate(c.Request.Context(), reach(c).Area, c.Param("code"))
	if err != nil {
		return err
	}
	m := starOne(o.frame(c), d, clock.Today(o.Clock), c.PostForm("ground"))
	if m.Explain(faults); len(faults) > 0 {
		m.Open, m.No, m.On, m.Why = true, c.PostForm("decision_no"), c.PostForm("on"), c.PostForm("why")
	}
	return o.Views.Render(c, status, "office/star", m)
}

func starOne(f Frame, d certification.CertificateDetail, today clock.Date, ground string) *StarOne {
	state, tone := starState(d.Record, today)
	m := &StarOne{Frame: f, Action: stars + "/" + d.Code, Stars: f.T("badge.stars", "n", d.Stars), State: f.T("starlist.state." + state), Tone: tone, Proof: "/xac-minh/" + d.Code,
		CanRevoke: d.RevokedOn == nil && d.Whole, Elsewhere: d.RevokedOn == nil && !d.Whole, On: today.String(), FirstDay: d.ValidFrom.String()}
	m.Title = d.Code
	if d.RequestID != 0 {
		m.Request = fmt.Sprintf("%s/%d", certificates, d.RequestID)
	}
	m.Facts = f.starFacts(d)
	for _, w := range d.Products {
		m.Goods = append(m.Goods, Link{Text: w.NameVI + " – " + w.ProducerName, URL: "/san-pham/" + w.Slug})
	}
	m.Line = f.starLine(d, today)
	for _, r := range d.Others {
		m.Others = append(m.Others, f.record(r, today))
	}
	for _, g := range certification.Grounds(today) {
		m.Grounds = append(m.Grounds, Option{g, m.T("starlist.ground." + g), g == ground})
	}
	return m
}

func (f *Frame) starFacts(d certification.CertificateDetail) (out []Fact) {
	ground := ""
	if d.Ground != "" {
		ground = f.T("starlist.ground." + d.Ground)
	}
	for _, fact := range [][2]string{{"certificates.col.decision", d.Record.Decision()}, {"certificates.level", f.T("proof.level." + d.Level)}, {"certificates.col.issuer", d.Issuer},
		{"certificates.regime", d.Regime}, {"certificates.valid", f.T("certificates.from_to", "from", d.ValidFrom, "to", d.ValidTo)},
		{"starlist.ground", ground}, {"starlist.no", d.RevokedNo}, {"starlist.why", d.RevokedWhy}} {
		if fact[1] != "" {
			out = append(out, Fact{f.T(fact[0]), fact[1]})
		}
	}
	return out
}

// starLine is what happened to a certificate and will, in the order of time.
func (f *Frame) starLine(d certification.CertificateDetail, today clock.Date) (out []string) {
	type step struct {
		at   time.Time
		text string
	}
	var steps []step
	day := func(on clock.Date, key string) {
		steps = append(steps, step{on.Time(), i18n.FormatDay(f.Locale, on) + " · " + f.T(key)})
	}
	did := func(s certification.Signed, key string) {
		if !s.At.IsZero() {
			steps = append(steps, step{s.At, strings.TrimSuffix(i18n.FormatDateTime(f.Locale, s.At)+" · "+f.T(key)+" · "+s.By, " · ")})
		}
	}
	day(d.ValidFrom, "starlist.line.from")
	did(d.Entered, "starlist.line.entered")
	did(d.Confirmed, "starlist.line.confirmed")
	did(d.Revoked, "starlist.line.recorded")
	day(today, "starlist.line.today")
	if d.RevokedOn != nil {
		day(*d.RevokedOn, "starlist.line.revoked")
	}
	day(d.ValidTo, "starlist.line.to")
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	for _, s := range steps {
		out = append(out, s.text)
	}
	return out
}

func (o *Office) revokeStar(c *gin.Context) error {
	on, err := clock.ParseDate(c.PostForm("on"))
	if err != nil {
		on = clock.Date{} // no day: the domain says so beside the field
	}
	err = o.Stars.TakeAway(c.Request.Context(), officer(c), reach(c).Area, c.Param("code"), certification.Revocation{On: on, Why: c.PostForm("why"),
		Ground: c.PostForm("ground"), No: c.PostForm("decision_no")})
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return o.showStar(c, kit.Status(faults), faults)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, stars+"/"+c.Param("code"))
	return nil
}
