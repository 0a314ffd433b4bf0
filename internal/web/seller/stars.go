package seller

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/starform"
)

const stars = "/seller/stars"

// StarLine is a certificate with its validity as a line in time.
type StarLine struct {
	Title, Goods, Decision, State, Tone, Span, Left, Proof, Renew string
	Days, Gone                                                    int // the whole validity, and how much of it is over
}

// StarRequest is a decision that was sent in.
type StarRequest struct{ URL, Title, Goods, State, Tone, Why string }

// StarList is what a producer has and what is on its way.
type StarList struct {
	Frame
	Lines    []StarLine
	Requests []StarRequest
	Next     string
}

// StarOne is one decision that was sent in, and what became of it.
type StarOne struct {
	Frame
	Action, Stars, State, Tone, Why, Proof string
	Facts                                  []StarFact
	Goods, Past                            []string
	Mendable                               bool
}

// StarFact is a line of a table.
type StarFact struct{ Name, Value string }

// StarForm is where a decision is sent in, renewed or mended.
type StarForm struct {
	Frame
	Action, Why string
	Form        starform.Form
	Changing    bool
}

func ours(c *gin.Context) certification.Reach {
	return certification.Reach{Producer: current(c).ID}
}

// sender is who sends a decision in, for the books.
func sender(c *gin.Context) certification.Person {
	id := person(c).ID
	return certification.Person{AccountID: id, Actor: "producer:" + strconv.FormatInt(id, 10)}
}

const requestsAPage = 20

func (s *Seller) starList(c *gin.Context) error {
	held, err := s.Stars.Holdings(c.Request.Context(), current(c).ID)
	if err != nil {
		return err
	}
	rows, next, err := s.Stars.List(c.Request.Context(), ours(c), certification.Filter{Size: requestsAPage, After: c.Query("after")})
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "seller/stars", starList(s.frame(c, "stars.title"), held, rows, next, clock.Today(s.Clock)))
}

func starList(f Frame, held []certification.Holding, rows []certification.Row, next string, today clock.Date) *StarList {
	m := &StarList{Frame: f}
	for _, h := range held {
		m.Lines = append(m.Lines, f.starLine(h, today))
	}
	for _, r := range rows {
		m.Requests = append(m.Requests, StarRequest{URL: fmt.Sprintf("%s/%d", stars, r.ID), Title: f.T("certificates.decision", "stars", r.Stars, "no", r.DecisionNo, "date", r.DecidedOn),
			Goods: r.Names, State: f.T("certificates.state." + string(r.State)), Tone: starTones[r.State], Why: r.Reason})
	}
	if next != "" {
		m.Next = stars + "?after=" + next
	}
	return m
}

var starTones = map[certification.RequestState]string{certification.Returned: "warn", certification.Confirmed: "good", certification.Refused: "bad"}

func (f *Frame) starLine(h certification.Holding, today clock.Date) StarLine {
	state := h.StateOn(today)
	out := StarLine{Title: f.T("badge.stars", "n", h.Stars), Goods: h.Names, Decision: f.T("stars.decision", "no", h.Decision()), State: f.T("certificates.record_is." + state),
		Span: f.T("certificates.from_to", "from", h.ValidFrom, "to", h.ValidTo), Proof: "/xac-minh/" + h.Code, Days: max(h.ValidFrom.DaysUntil(h.ValidTo), 1)}
	out.Gone = min(max(h.ValidFrom.DaysUntil(today), 0), out.Days)
	switch {
	case state == certification.StateValid && h.Renewed:
		out.State = f.T("stars.renewed")
	case state == certification.StateValid:
		out.Tone, out.Left = "good", f.T("stars.left", "n", h.DaysLeft(today))
		if h.Ending(today) {
			out.Tone, out.Renew = "warn", fmt.Sprintf("%s/new?from=%d", stars, h.ID)
		}
	case state == certification.StateExpired && !h.Renewed:
		out.Tone, out.Renew = "bad", fmt.Sprintf("%s/new?from=%d", stars, h.ID)
	case state == certification.StateRevoked:
		out.Tone = "bad"
	}
	return out
}

func starID(c *gin.Context) (int64, error) {
	id, err := strconv.ParseInt(c.Param("id"), 10, 64)
	if err != nil {
		return 0, apperr.New(apperr.NotFound, "certification.request.unknown")
	}
	return id, nil
}

func (s *Seller) star(c *gin.Context) error { return s.showStar(c, http.StatusOK, nil) }

func (s *Seller) showStar(c *gin.Context, status int, faults apperr.List) error {
	id, err := starID(c)
	if err != nil {
		return err
	}
	d, err := s.Stars.Show(c.Request.Context(), ours(c), id)
	if err != nil {
		return err
	}
	m := starOne(s.frame(c, "stars.title"), d)
	m.Explain(faults)
	return s.Views.Render(c, status, "seller/star", m)
}

// starOne leaves out what the office keeps to itself: notes, who is assigned, what to look at, and names.
func starOne(f Frame, d certification.Detail) *StarOne {
	m := &StarOne{Frame: f, Action: fmt.Sprintf("%s/%d", stars, d.ID), Stars: f.T("badge.stars", "n", d.Stars), State: f.T("certificates.state." + string(d.State)),
		Tone: starTones[d.State], Why: d.Reason, Mendable: d.Mendable()}
	m.Title = m.T("certificates.one", "no", d.DecisionNo)
	if d.Code != "" {
		m.Proof = "/xac-minh/" + d.Code
	}
	for _, fact := range [][2]string{{"starform.decided_on", i18n.FormatDay(m.Locale, d.DecidedOn)}, {"starform.level", m.T("proof.level." + d.Level)}, {"starform.issuer", d.Issuer},
		{"certificates.valid", m.T("certificates.from_to", "from", d.DecidedOn, "to", d.ValidTo)}, {"starform.note", d.Note}} {
		if fact[1] != "" {
			m.Facts = append(m.Facts, StarFact{m.T(fact[0]), fact[1]})
		}
	}
	codes := map[int64]string{}
	for _, n := range d.Products {
		codes[n.ProductID] = n.Code
	}
	for _, w := range d.Goods {
		line := w.Name
		if codes[w.ID] != "" {
			line += " · " + codes[w.ID]
		}
		m.Goods = append(m.Goods, line)
	}
	for _, e := range d.Past {
		if e.What == "noted" || e.What == "assigned" {
			continue
		}
		line := i18n.FormatDateTime(m.Locale, e.At) + " · " + m.T("stars.did."+e.What)
		if e.Note != "" {
			line += " · " + e.Note
		}
		m.Past = append(m.Past, line)
	}
	return m
}

func (s *Seller) starFile(c *gin.Context) error {
	id, err := starID(c)
	if err != nil {
		return err
	}
	document, err := s.Stars.Evidence(c.Request.Context(), ours(c), id)
	if err != nil {
		return err
	}
	return kit.SendPaper(c, func() (string, string, int64, io.ReadCloser, error) {
		d, r, err := s.Media.OpenDocument(c.Request.Context(), document)
		return d.Name, d.MIME, d.Bytes, r, err
	})
}

func (s *Seller) starWithdraw(c *gin.Context) error {
	id, err := starID(c)
	if err != nil {
		return err
	}
	err = s.Stars.Withdraw(c.Request.Context(), sender(c), ours(c), id)
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return s.showStar(c, kit.Status(faults), faults)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, fmt.Sprintf("%s/%d", stars, id))
	return nil
}

// starGoods are the lines of the form: the goods of the producer.
func (s *Seller) starGoods(c *gin.Context, f *Frame) ([]starform.Goods, error) {
	_, goods, err := s.Stars.GoodsOf(c.Request.Context(), ours(c), current(c).ID)
	if err != nil {
		return nil, err
	}
	return starform.Lines(&f.Page, goods, clock.Today(s.Clock)), nil
}

func starForm(f Frame, form starform.Form, id int64, why string) *StarForm {
	m := &StarForm{Frame: f, Form: form, Action: stars + "/new", Changing: id != 0, Why: why}
	m.Title = m.T("stars.new")
	if id != 0 {
		m.Action, m.Title = fmt.Sprintf("%s/%d/edit", stars, id), m.T("stars.edit")
	}
	return m
}

// starNew is the empty form, or with ?from= one that says again what an earlier certificate said.
func (s *Seller) starNew(c *gin.Context) error {
	f := s.frame(c, "stars.new")
	goods, err := s.starGoods(c, &f)
	if err != nil {
		return err
	}
	form := starform.New(goods)
	if from, err := strconv.ParseInt(c.Query("from"), 10, 64); err == nil {
		d, err := s.Stars.Renewal(c.Request.Context(), current(c).ID, from)
		if err != nil {
			return err
		}
		if d.Stars > 0 {
			form = starform.Of(d, goods)
		}
	}
	return s.Views.Render(c, http.StatusOK, "seller/starform", starForm(f, form, 0, ""))
}

func (s *Seller) starSend(c *gin.Context) error {
	return s.sendStar(c, 0, "", func(ctx context.Context, f starform.Form, d certification.Draft) (int64, error) {
		return s.Stars.Submit(ctx, sender(c), ours(c), current(c).ID, f.Key, d)
	})
}

func (s *Seller) starEdit(c *gin.Context) error {
	d, err := s.mendable(c)
	if err != nil {
		return err
	}
	f := s.frame(c, "stars.edit")
	goods, err := s.starGoods(c, &f)
	if err != nil {
		return err
	}
	form := starform.Of(d.Draft, goods)
	form.Version = d.Version
	return s.Views.Render(c, http.StatusOK, "seller/starform", starForm(f, form, d.ID, d.Reason))
}

func (s *Seller) mendable(c *gin.Context) (certification.Detail, error) {
	id, err := starID(c)
	if err != nil {
		return certification.Detail{}, err
	}
	d, err := s.Stars.Show(c.Request.Context(), ours(c), id)
	if err == nil && !d.Mendable() {
		err = apperr.New(apperr.Conflict, "certification.request.decided")
	}
	return d, err
}

func (s *Seller) starMend(c *gin.Context) error {
	d, err := s.mendable(c)
	if err != nil {
		return err
	}
	return s.sendStar(c, d.ID, d.Reason, func(ctx context.Context, f starform.Form, draft certification.Draft) (int64, error) {
		return d.ID, s.Stars.Amend(ctx, sender(c), ours(c), d.ID, max(f.Version, 1), draft)
	})
}

// sendStar reads the form and hands it on; what is refused stands beside its field again, with all that was typed.
func (s *Seller) sendStar(c *gin.Context, id int64, why string, do func(context.Context, starform.Form, certification.Draft) (int64, error)) error {
	f := s.frame(c, "stars.new")
	goods, err := s.starGoods(c, &f)
	if err != nil {
		return err
	}
	form, draft, err := starform.Read(c, s.Media, person(c).ID, goods)
	if err == nil {
		var made int64
		if made, err = do(c.Request.Context(), form, draft); err == nil {
			c.Redirect(http.StatusSeeOther, fmt.Sprintf("%s/%d", stars, made))
			return nil
		}
	}
	faults, known := apperr.As(err)
	if !known || faults.Kind() == apperr.NotFound {
		return err
	}
	m := starForm(f, form, id, why)
	m.Explain(faults)
	return s.Views.Render(c, kit.Status(faults), "seller/starform", m)
}
