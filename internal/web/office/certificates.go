package office

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/sheet"
	"choocop.vn/ocop/internal/web/kit"
)

const certificates = "/office/certificates"

// CertificateRow is a request on the queue, in words.
type CertificateRow struct {
	ID                                                                         int64
	Pick                                                                       string // id and version, as the bulk form sends them
	URL, Decision, Goods, Producer, Place, State, Tone, Due, DueTone, Assignee string
	Open                                                                       bool
	Left                                                                       string // why it was left when others were confirmed
}

// Option is a choice of a select.
type Option struct {
	Value, Text string
	Current     bool
}

// CertificateList is the queue of star decisions to compare with their papers.
type CertificateList struct {
	Frame
	Chips                            []Chip
	Provinces, Communes, Dues        []Option
	Text, State, Province, CSV, Next string
	Mine                             bool
	Rows                             []CertificateRow
	Said, Bulk                       string // what the bulk confirmation did; where its form leads
	Pickable                         bool
}

// certificateShows are the parts of the queue, by their word in the address.
var certificateShows = []struct {
	word   string
	states []certification.RequestState
}{
	{"", []certification.RequestState{certification.Entered}},
	{"returned", []certification.RequestState{certification.Returned}},
	{"confirmed", []certification.RequestState{certification.Confirmed}},
	{"closed", []certification.RequestState{certification.Refused, certification.Withdrawn}},
	{"all", nil},
}

const certificatesAPage = 30

func reach(c *gin.Context) certification.Reach {
	return certification.Reach{Area: person(c).Area(account.VerifyStars)}
}

// officer is who decides about stars, for the books.
func officer(c *gin.Context) certification.Person {
	id := person(c).ID
	return certification.Person{AccountID: id, Actor: "staff:" + strconv.FormatInt(id, 10)}
}

func certificateFilter(q url.Values, who int64) certification.Filter {
	f := certification.Filter{States: certificateShows[0].states, Province: short(q.Get("province")), Commune: short(q.Get("commune")), Text: short(q.Get("q")),
		After: q.Get("after"), Size: certificatesAPage}
	for _, s := range certificateShows {
		if s.word == q.Get("state") {
			f.States = s.states
		}
	}
	if due := certification.Due(q.Get("due")); slices.Contains(certification.Dues(), due) {
		f.Due = due
	}
	if q.Get("mine") != "" {
		f.Mine = who
	}
	return f
}

func (o *Office) certificates(c *gin.Context) error { return o.showCertificates(c, http.StatusOK, nil) }

// showCertificates shows the queue, after a bulk confirmation with what it left and why.
func (o *Office) showCertificates(c *gin.Context, status int, left map[int64]*apperr.Error) error {
	q := c.Request.URL.Query()
	f := certificateFilter(q, person(c).ID)
	rows, next, err := o.Stars.List(c.Request.Context(), reach(c), f)
	if err != nil {
		return err
	}
	places, err := o.places(c, f.Province)
	if err != nil {
		return err
	}
	m := certificateList(o.frame(c), q, rows, next, places, clock.Today(o.Clock))
	m.say(c.Query("done"), left)
	return o.Views.Render(c, status, "office/certificates", m)
}

// say puts on the page what a bulk confirmation did, and beside each row that it left why.
func (m *CertificateList) say(done string, left map[int64]*apperr.Error) {
	if n, err := strconv.Atoi(done); err == nil && n >= 0 {
		m.Said = m.T("certificates.done", "n", n, "left", len(left))
	}
	for i, r := range m.Rows {
		if why := left[r.ID]; why != nil {
			m.Rows[i].Left = m.T(why.Key, args(why)...)
		}
	}
}

// args are the arguments of a fault as T takes them.
func args(e *apperr.Error) []any {
	var out []any
	for k, v := range e.Args {
		out = append(out, k, v)
	}
	return out
}

// places are the names of the map that the filters and rows need.
type places struct {
	provinces []geo.Province
	communes  []geo.Commune // of the chosen province
}

func (p places) province(code string, l i18n.Locale) string {
	for _, x := range p.provinces {
		if x.Code == code {
			return x.Title(l)
		}
	}
	return ""
}

// options are the provinces to choose from.
func (p places) options(l i18n.Locale, chosen string) (out []Option) {
	for _, x := range p.provinces {
		out = append(out, Option{x.Code, x.Title(l), x.Code == chosen})
	}
	return out
}

func (o *Office) places(c *gin.Context, province string) (p places, err error) {
	if p.provinces, err = o.Geo.Provinces(c.Request.Context()); err != nil || province == "" {
		return p, err
	}
	p.communes, err = o.Geo.Communes(c.Request.Context(), province)
	if _, known := apperr.As(err); known {
		err = nil
	}
	return p, err
}

func certificateList(f Frame, q url.Values, rows []certification.Row, next string, p places, today clock.Date) *CertificateList {
	m := &CertificateList{Frame: f, Text: short(q.Get("q")), State: q.Get("state"), Province: q.Get("province"), Mine: q.Get("mine") != ""}
	m.Title = m.T("certificates.title")
	with := func(path, name, value string) string {
		out := url.Values{}
		for _, k := range []string{"state", "province", "commune", "due", "mine", "q"} {
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
	for _, s := range certificateShows {
		key := s.word
		if key == "" {
			key = "open"
		}
		m.Chips = append(m.Chips, Chip{m.T("certificates.show." + key), with(certificates, "state", s.word), s.word == m.State})
	}
	m.Provinces = p.options(m.Locale, m.Province)
	for _, x := range p.communes {
		m.Communes = append(m.Communes, Option{x.Code, x.Title(m.Locale), x.Code == q.Get("commune")})
	}
	for _, d := range certification.Dues()[1:] {
		m.Dues = append(m.Dues, Option{string(d), m.T("certificates.due." + string(d)), string(d) == q.Get("due")})
	}
	for _, r := range rows {
		m.Rows = append(m.Rows, m.certificate(r, p, today))
		m.Pickable = m.Pickable || r.Open()
	}
	m.Bulk = with(certificates+"/confirm", "after", "")
	m.CSV = with(certificates+".csv", "after", "")
	if next != "" {
		m.Next = with(certificates, "after", next)
	}
	return m
}

var certificateTones = map[certification.RequestState]string{certification.Returned: "warn", certification.Confirmed: "good", certification.Refused: "bad"}

func (f *Frame) certificate(r certification.Row, p places, today clock.Date) CertificateRow {
	out := CertificateRow{ID: r.ID, Pick: fmt.Sprintf("%d.%d", r.ID, r.Version), URL: fmt.Sprintf("%s/%d", certificates, r.ID), Goods: r.Names, Producer: r.Producer,
		Place: p.province(r.ProvinceCode, f.Locale), State: f.T("certificates.state." + string(r.State)), Tone: certificateTones[r.State], Assignee: r.Assignee, Open: r.Open(),
		Decision: f.T("certificates.decision", "stars", r.Stars, "no", r.DecisionNo, "date", r.DecidedOn)}
	if r.Open() {
		out.Due, out.DueTone = f.due(r.DueOn, today)
	}
	return out
}

// due says by when an answer is due: what is late or due today stands out, in words and in colour.
func (f *Frame) due(on, today clock.Date) (text, tone string) {
	switch days := today.DaysUntil(on); {
	case days < 0:
		return f.T("certificates.late", "n", -days), "bad"
	case days == 0:
		return f.T("certificates.due_today"), "warn"
	default:
		return f.T("certificates.due_on", "date", on), ""
	}
}

// certificatesMost bounds the rows of a file.
const certificatesMost = 20_000

// table begins an answer that is a file: its name carries today, its first row the heads.
func (o *Office) table(c *gin.Context, name string, heads ...string) (*sheet.CSV, error) {
	c.Header("Content-Type", "text/csv; charset=utf-8")
	c.Header("Content-Disposition", `attachment; filename="`+name+`-`+clock.Today(o.Clock).String()+`.csv"`)
	out := sheet.NewCSV(c.Writer)
	return out, out.Row(heads...)
}

// heads are the names of columns.
func (f *Frame) heads(keys ...string) (out []string) {
	for _, k := range keys {
		out = append(out, f.T("certificates.col."+k))
	}
	return out
}

// certificatesCSV is the list with the same filters, as a file.
func (o *Office) certificatesCSV(c *gin.Context) error {
	f := certificateFilter(c.Request.URL.Query(), person(c).ID)
	f.After, f.Size = "", certificatesMost
	rows, _, err := o.Stars.List(c.Request.Context(), reach(c), f)
	if err != nil {
		return err
	}
	p, err := o.places(c, "")
	if err != nil {
		return err
	}
	page := o.frame(c)
	out, err := o.table(c, "ocop-certificates",
		page.heads("id", "producer", "province", "goods", "stars", "decision", "decided", "issuer", "until", "state", "due", "assignee", "code")...)
	if err != nil {
		return err
	}
	for _, r := range rows {
		err := out.Row(strconv.FormatInt(r.ID, 10), r.Producer, p.province(r.ProvinceCode, page.Locale), r.Names, strconv.Itoa(r.Stars), r.DecisionNo, r.DecidedOn.VN(),
			r.Issuer, r.ValidTo.VN(), page.T("certificates.state."+string(r.State)), r.DueOn.VN(), r.Assignee, r.Code)
		if err != nil {
			return err
		}
	}
	return out.Close()
}

// confirmChosen confirms the ticked rows of the queue, each by itself.
func (o *Office) confirmChosen(c *gin.Context) error {
	var picks []certification.Pick
	for _, s := range c.PostFormArray("pick") {
		id, version, _ := strings.Cut(s, ".")
		n, err := strconv.ParseInt(id, 10, 64)
		v, err2 := strconv.Atoi(version)
		if err == nil && err2 == nil && v > 0 {
			picks = append(picks, certification.Pick{ID: n, Version: v})
		}
	}
	done, left, err := o.Stars.ConfirmAll(c.Request.Context(), officer(c), reach(c).Area, picks)
	if err != nil {
		return err
	}
	q := c.Request.URL.Query()
	q.Set("done", strconv.Itoa(done))
	c.Request.URL.RawQuery = q.Encode()
	if len(left) > 0 {
		return o.showCertificates(c, http.StatusConflict, left)
	}
	c.Redirect(http.StatusSeeOther, certificates+"?"+c.Request.URL.RawQuery)
	return nil
}

// certificateFile is the evidence of a request: never kept by anybody on the way, and never run.
func (o *Office) certificateFile(c *gin.Context) error {
	id, err := requestID(c)
	if err != nil {
		return err
	}
	document, err := o.Stars.Evidence(c.Request.Context(), reach(c), id)
	if err != nil {
		return err
	}
	return kit.SendPaper(c, func() (string, string, int64, io.ReadCloser, error) {
		d, r, err := o.Papers.OpenDocument(c.Request.Context(), document)
		return d.Name, d.MIME, d.Bytes, r, err
	})
}

func requestID(c *gin.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return 0, apperr.New(apperr.NotFound, "certification.request.unknown")
	}
	return id, nil
}
