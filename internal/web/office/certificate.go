package office

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/starform"
)

// CertificateGoods is a product that a decision names, with what it had before.
type CertificateGoods struct {
	Name, URL, Code string
	Past            []string
}

// CertificateOne is one star decision beside its paper, and what may be done about it.
type CertificateOne struct {
	Frame
	Action, File, FileName, Stars, State, Tone, Due, DueTone, Why, Proof string
	Image                                                                bool
	Version                                                              int
	Facts                                                                []Fact
	Goods                                                                []CertificateGoods
	Marks, Past                                                          []string
	// Mine says why this person may not decide: they entered or changed it themselves.
	Mine                            bool
	CanDecide, CanEdit, CanTakeBack bool
	Helpers                         []Option
	Reason, Words                   string
	Open                            string // the form that was refused
}

func (o *Office) certificate(c *gin.Context) error {
	return o.showCertificate(c, http.StatusOK, nil, "")
}

func (o *Office) showCertificate(c *gin.Context, status int, faults apperr.List, form string) error {
	id, err := requestID(c)
	if err != nil {
		return err
	}
	d, err := o.Stars.Show(c.Request.Context(), reach(c), id)
	if err != nil {
		return err
	}
	papers, err := o.Papers.Documents(c.Request.Context(), []int64{d.DocumentID})
	if err != nil {
		return err
	}
	p, err := o.places(c, "")
	if err != nil {
		return err
	}
	paper := papers[d.DocumentID]
	m := certificateOne(o.frame(c), d, p, person(c).ID, clock.Today(o.Clock))
	m.FileName, m.Image = paper.Name, paper.MIME == "image/jpeg"
	m.Open = form
	if m.Explain(faults); form != "" {
		m.Reason, m.Words = c.PostForm("reason"), c.PostForm("note")
	}
	return o.Views.Render(c, status, "office/certificate", m)
}

func certificateOne(f Frame, d certification.Detail, p places, who int64, today clock.Date) *CertificateOne {
	m := &CertificateOne{Frame: f, Action: fmt.Sprintf("%s/%d", certificates, d.ID), Stars: f.T("badge.stars", "n", d.Stars), State: f.T("certificates.state." + string(d.State)),
		Tone: certificateTones[d.State], Why: d.Reason, Version: d.Version}
	m.File = m.Action + "/file"
	m.Title = m.T("certificates.one", "no", d.DecisionNo)
	if d.Open() {
		m.Due, m.DueTone = f.due(d.DueOn, today)
	}
	if d.Code != "" {
		m.Proof = "/xac-minh/" + d.Code
	}
	place := strings.Trim(d.Maker.Place+", "+p.province(d.ProvinceCode, m.Locale), ", ")
	for _, fact := range [][2]string{{"certificates.col.producer", d.Producer}, {"certificates.place", place}, {"certificates.col.decision", d.DecisionNo},
		{"certificates.col.decided", i18n.FormatDay(m.Locale, d.DecidedOn)}, {"certificates.level", m.T("proof.level." + d.Level)}, {"certificates.col.issuer", d.Issuer},
		{"certificates.regime", d.Regime}, {"certificates.valid", m.T("certificates.from_to", "from", d.DecidedOn, "to", d.ValidTo)}, {"certificates.note", d.Note},
		{"certificates.col.assignee", d.Assignee}} {
		if fact[1] != "" {
			m.Facts = append(m.Facts, Fact{m.T(fact[0]), fact[1]})
		}
	}
	codes := map[int64]string{}
	for _, n := range d.Products {
		codes[n.ProductID] = n.Code
	}
	for _, w := range d.Goods {
		line := CertificateGoods{Name: w.Name, URL: "/san-pham/" + w.Slug, Code: codes[w.ID]}
		for _, r := range w.Records {
			line.Past = append(line.Past, f.record(r, today))
		}
		m.Goods = append(m.Goods, line)
	}
	for _, k := range d.Marks {
		m.Marks = append(m.Marks, m.T("certificates.mark."+string(k)))
	}
	for _, e := range d.Past {
		line := i18n.FormatDateTime(m.Locale, e.At) + " · " + m.T("certificates.did."+e.What) + " · " + e.Who
		if e.Note != "" {
			line += " · " + e.Note
		}
		m.Past = append(m.Past, line)
	}
	m.Mine = d.Open() && (d.EnteredBy == who || d.EditedBy == who)
	m.CanDecide = d.Open() && !m.Mine
	m.CanEdit, m.CanTakeBack = d.Mendable(), d.Mendable() && d.EnteredBy == who
	if d.Open() {
		for id, name := range d.Helper {
			m.Helpers = append(m.Helpers, Option{strconv.FormatInt(id, 10), name, id == d.AssignedTo})
		}
		slices.SortFunc(m.Helpers, func(a, b Option) int { return i18n.Compare(a.Text, b.Text) })
	}
	return m
}

// record is a certificate in one line.
func (f *Frame) record(r certification.Record, today clock.Date) string {
	return f.T("certificates.record", "stars", r.Stars, "no", r.Decision(), "from", r.ValidFrom, "to", r.ValidTo, "state", f.T("certificates.record_is."+r.StateOn(today)))
}

func version(c *gin.Context) int {
	n, err := strconv.Atoi(c.PostForm("version"))
	if err != nil || n < 1 {
		return -1 // no request has it: the page is asked for again
	}
	return n
}

func (o *Office) confirmCertificate(c *gin.Context) error {
	return o.answer(c, "confirm", func(id int64) error {
		_, err := o.Stars.Confirm(c.Request.Context(), officer(c), reach(c).Area, id, version(c))
		return err
	})
}

func (o *Office) returnCertificate(c *gin.Context) error {
	return o.answer(c, "return", func(id int64) error {
		return o.Stars.Return(c.Request.Context(), officer(c), reach(c).Area, id, version(c), c.PostForm("reason"))
	})
}

func (o *Office) refuseCertificate(c *gin.Context) error {
	return o.answer(c, "refuse", func(id int64) error {
		return o.Stars.Refuse(c.Request.Context(), officer(c), reach(c).Area, id, version(c), c.PostForm("reason"))
	})
}

func (o *Office) withdrawCertificate(c *gin.Context) error {
	return o.answer(c, "withdraw", func(id int64) error {
		return o.Stars.Withdraw(c.Request.Context(), officer(c), reach(c), id)
	})
}

func (o *Office) noteCertificate(c *gin.Context) error {
	return o.answer(c, "note", func(id int64) error {
		return o.Stars.Remark(c.Request.Context(), officer(c), reach(c).Area, id, c.PostForm("note"))
	})
}

func (o *Office) assignCertificate(c *gin.Context) error {
	return o.answer(c, "assign", func(id int64) error {
		to, err := strconv.ParseInt(c.PostForm("to"), 10, 64)
		if err != nil {
			to = 0
		}
		return o.Stars.Assign(c.Request.Context(), officer(c), reach(c).Area, id, to)
	})
}

// answer runs one deed about a request: what it refuses stands beside the form again.
func (o *Office) answer(c *gin.Context, form string, do func(int64) error) error {
	id, err := requestID(c)
	if err != nil {
		return err
	}
	err = do(id)
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return o.showCertificate(c, kit.Status(faults), faults, form)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, fmt.Sprintf("%s/%d", certificates, id))
	return nil
}

// CertificateMaker is where an officer chooses the producer for whom they enter a paper.
type CertificateMaker struct {
	Frame
	Text   string
	Asked  bool
	Makers []Chip
}

// CertificateForm is where a decision is entered or changed.
type CertificateForm struct {
	Frame
	Action, Producer string
	Form             starform.Form
	Changing         bool
}

func (o *Office) newCertificate(c *gin.Context) error {
	id, err := strconv.ParseInt(c.Query("producer"), 10, 64)
	if err != nil {
		return o.chooseMaker(c)
	}
	f := o.frame(c)
	maker, goods, err := o.goodsOf(c, &f, id)
	if err != nil {
		return err
	}
	return o.Views.Render(c, http.StatusOK, "office/certificateform", certificateForm(f, maker, starform.New(goods), 0))
}

func (o *Office) chooseMaker(c *gin.Context) error {
	m := &CertificateMaker{Frame: o.frame(c), Text: short(c.Query("q"))}
	m.Title = m.T("certificates.new")
	if m.Asked = m.Text != ""; m.Asked {
		found, err := o.Stars.Makers(c.Request.Context(), reach(c).Area, m.Text, 30)
		if err != nil {
			return err
		}
		for _, x := range found {
			m.Makers = append(m.Makers, Chip{Text: strings.Trim(x.Name+", "+x.Place, ", "), URL: fmt.Sprintf("%s/new?producer=%d", certificates, x.ID)})
		}
	}
	return o.Views.Render(c, http.StatusOK, "office/certificatemaker", m)
}

// goodsOf are the lines of the form for a producer.
func (o *Office) goodsOf(c *gin.Context, f *Frame, producer int64) (certification.Maker, []starform.Goods, error) {
	maker, goods, err := o.Stars.GoodsOf(c.Request.Context(), reach(c), producer)
	if err != nil {
		return maker, nil, err
	}
	return maker, starform.Lines(&f.Page, goods, clock.Today(o.Clock)), nil
}

func certificateForm(f Frame, maker certification.Maker, form starform.Form, id int64) *CertificateForm {
	m := &CertificateForm{Frame: f, Producer: maker.Name, Form: form, Action: fmt.Sprintf("%s/new?producer=%d", certificates, maker.ID), Changing: id != 0}
	m.Title = m.T("certificates.new")
	if id != 0 {
		m.Action, m.Title = fmt.Sprintf("%s/%d/edit", certificates, id), m.T("certificates.edit")
	}
	return m
}

func (o *Office) enterCertificate(c *gin.Context) error {
	producer, err := strconv.ParseInt(c.Query("producer"), 10, 64)
	if err != nil {
		return apperr.New(apperr.NotFound, "certification.request.unknown")
	}
	return o.send(c, producer, 0, func(d certification.Draft, f starform.Form) (int64, error) {
		return o.Stars.Submit(c.Request.Context(), officer(c), reach(c), producer, f.Key, d)
	})
}

func (o *Office) editCertificate(c *gin.Context) error {
	id, err := requestID(c)
	if err != nil {
		return err
	}
	d, err := o.Stars.Show(c.Request.Context(), reach(c), id)
	if err != nil {
		return err
	}
	if !d.Mendable() {
		return apperr.New(apperr.Conflict, "certification.request.decided")
	}
	f := o.frame(c)
	maker, goods, err := o.goodsOf(c, &f, d.ProducerID)
	if err != nil {
		return err
	}
	form := starform.Of(d.Draft, goods)
	form.Version = d.Version
	return o.Views.Render(c, http.StatusOK, "office/certificateform", certificateForm(f, maker, form, id))
}

func (o *Office) amendCertificate(c *gin.Context) error {
	id, err := requestID(c)
	if err != nil {
		return err
	}
	d, err := o.Stars.Show(c.Request.Context(), reach(c), id)
	if err != nil {
		return err
	}
	return o.send(c, d.ProducerID, id, func(draft certification.Draft, f starform.Form) (int64, error) {
		return id, o.Stars.Amend(c.Request.Context(), officer(c), reach(c), id, max(f.Version, 1), draft)
	})
}

// send reads the form and hands it on; what is refused stands beside its field again, with all that was typed.
func (o *Office) send(c *gin.Context, producer, id int64, do func(certification.Draft, starform.Form) (int64, error)) error {
	f := o.frame(c)
	maker, goods, err := o.goodsOf(c, &f, producer)
	if err != nil {
		return err
	}
	form, draft, err := starform.Read(c, o.Papers, person(c).ID, goods)
	if err == nil {
		var made int64
		if made, err = do(draft, form); err == nil {
			c.Redirect(http.StatusSeeOther, fmt.Sprintf("%s/%d", certificates, made))
			return nil
		}
	}
	faults, known := apperr.As(err)
	if !known || faults.Kind() == apperr.NotFound {
		return err
	}
	m := certificateForm(f, maker, form, id)
	m.Explain(faults)
	return o.Views.Render(c, kit.Status(faults), "office/certificateform", m)
}
