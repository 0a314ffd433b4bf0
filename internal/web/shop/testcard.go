package shop

import (
	"errors"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/web/kit"
)

// TestCards is the built-in test gateway, as its page needs it; an unknown page is payment.ErrUnknownRef.
type TestCards interface {
	Show(ref string) (TestPage, error)
	// Decide lets happen what was chosen, if it still may, and shows the page as it is then.
	Decide(ref, outcome string) (TestPage, error)
}

// TestPage is a page of the test gateway.
type TestPage struct {
	Ref, Reference, Text string
	Amount               money.VND
	ReturnURL            string
	State                payment.StandingState
	Challenge, Declined  bool
}

// What may be chosen: on the page itself, and in the bank's own step.
var (
	testOutcomes  = []string{"success", "declined", "secure", "slow", "doubled", "lost"}
	testChallenge = []string{"confirm", "refuse"}
)

// TestChoice is one button with what it does.
type TestChoice struct{ Outcome, Text, Says string }

// TestCard is the page on which one chooses what the card would have done.
type TestCard struct {
	kit.Page
	Heading, Said, Action, Back string
	Bad                         bool // what is said is no good news
	Facts                       []Fact
	Choices                     []TestChoice
}

func (s *Shop) testCard(c *gin.Context) error {
	p, err := s.TestCards.Show(c.Param("ref"))
	if errors.Is(err, payment.ErrUnknownRef) {
		s.Views.NotFound(c)
		return nil
	}
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/testcard", testCardPage(s.page(c, ""), p))
}

func testCardPage(f kit.Page, p TestPage) *TestCard {
	m := &TestCard{Page: f, Back: p.ReturnURL}
	m.Query, m.NoIndex = "", true
	m.Title, m.Heading = m.T("testcard.title"), m.T("testcard.heading", "amount", p.Amount)
	m.Action = m.URL(m.Path)
	m.Facts = []Fact{{Name: m.T("testcard.reference"), Value: p.Reference}, {Name: m.T("testcard.text"), Value: p.Text}, {Name: m.T("testcard.amount"), Value: p.Amount.String()}}
	outcomes := testOutcomes
	switch {
	case p.State == payment.StandingPaid:
		m.Heading, m.Said, outcomes = m.T("testcard.paid"), m.T("testcard.paid_says"), nil
	case p.State != payment.StandingOpen:
		m.Heading, m.Said, m.Bad, outcomes = m.T("testcard.closed"), m.T("testcard.closed_says"), true, nil
	case p.Challenge:
		m.Heading, outcomes = m.T("testcard.challenge", "amount", p.Amount), testChallenge
	case p.Declined:
		m.Said, m.Bad = m.T("testcard.declined_says"), true
	}
	for _, o := range outcomes {
		m.Choices = append(m.Choices, TestChoice{Outcome: o, Text: m.T("testcard.do." + o), Says: m.T("testcard.what." + o)})
	}
	return m
}

// decideTestCard does what was chosen. Paid, the buyer goes back to the market; else the page says what is.
func (s *Shop) decideTestCard(c *gin.Context) error {
	outcome := c.PostForm("ket-qua")
	if !slices.Contains(testOutcomes, outcome) && !slices.Contains(testChallenge, outcome) {
		return apperr.New(apperr.Invalid, "error.refused.text")
	}
	p, err := s.TestCards.Decide(c.Param("ref"), outcome)
	if errors.Is(err, payment.ErrUnknownRef) {
		s.Views.NotFound(c)
		return nil
	}
	if err != nil {
		return err
	}
	to := c.Request.URL.Path
	if p.State == payment.StandingPaid {
		to = p.ReturnURL
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

func (g *sampler) testCards() {
	p := TestPage{Ref: "tp_7a1f", Reference: "7K4M-92QX", Text: "Chợ OCOP, 7K4M-92QX", Amount: 250_000, ReturnURL: "https://cho.example/don-hang/7K4M-92QX", State: payment.StandingOpen}
	show := func(state string, change func(*TestPage)) {
		q := p
		change(&q)
		g.add("shop/testcard", state, testCardPage(g.frame("/thanh-toan-the-thu/"+p.Ref), q))
	}
	show("open", func(*TestPage) {})
	show("3-D Secure", func(q *TestPage) { q.Challenge = true })
	show("declined", func(q *TestPage) { q.Declined = true })
	show("already paid", func(q *TestPage) { q.State = payment.StandingPaid })
	show("expired", func(q *TestPage) { q.State = payment.StandingClosed })
}
