package testcard

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
)

// What may be chosen on the page.
const (
	Success  = "success"
	Declined = "declined"
	Secure   = "secure" // the bank asks first, as with 3-D Secure: then Confirm or Refuse
	Confirm  = "confirm"
	Refuse   = "refuse"
	Slow     = "slow"    // paid now, the notice is late
	Doubled  = "doubled" // paid, the notice comes twice
	Lost     = "lost"    // paid, no notice comes at all
)

// ErrNotOpen: nothing can be decided on this page any more, or not this.
var ErrNotOpen = errors.New("testcard: not open")

// View is a page as its visitor sees it.
type View struct {
	Ref, Reference, Text string
	Amount               money.VND
	ReturnURL            string
	State                payment.StandingState
	Challenge, Declined  bool
}

// Show is the page of a ref, or ErrUnknownRef.
func (g *Gateway) Show(pageRef string) (View, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.page(pageRef)
	if err != nil {
		return View{}, err
	}
	return p.view(), nil
}

func (p page) view() View {
	return View{Ref: p.Ref, Reference: p.Opening.Reference, Text: p.Opening.Text, Amount: p.Opening.Amount, ReturnURL: p.Opening.ReturnURL,
		State: p.State, Challenge: p.Challenge, Declined: p.Declined}
}

// Decide lets happen what a visitor chose, and shows the page as it is then. Whoever presses the button of a page that
// is paid already pays nothing, and nothing is told.
func (g *Gateway) Decide(pageRef, outcome string) (View, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.page(pageRef)
	if err != nil {
		return View{}, err
	}
	if p.State == payment.StandingPaid {
		return p.view(), nil
	}
	if p.State != payment.StandingOpen || p.Challenge != (outcome == Confirm || outcome == Refuse) {
		return p.view(), ErrNotOpen
	}
	p.Challenge, p.Declined = false, false
	switch outcome {
	case Success, Confirm, Slow, Doubled, Lost:
		p.State = payment.StandingPaid
	case Declined, Refuse:
		p.Declined = true
	case Secure:
		p.Challenge = true
	default:
		return View{}, fmt.Errorf("testcard: no outcome %q", outcome)
	}
	if err := g.save(p); err != nil {
		return View{}, err
	}
	return p.view(), g.tellPaid(p, outcome)
}

// page reads the page of a page's own ref; the other refs of a page open it for nobody.
func (g *Gateway) page(pageRef string) (page, error) {
	if !strings.HasPrefix(pageRef, "tp_") {
		return page{}, fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	return g.load(pageRef)
}

// tellPaid sends the notice of a page just paid, in the way that was chosen.
func (g *Gateway) tellPaid(p page, outcome string) error {
	after, times := time.Duration(0), 1
	switch {
	case p.State != payment.StandingPaid || outcome == Lost:
		return nil
	case outcome == Slow:
		after = g.Slow
	case outcome == Doubled:
		times = 2
	}
	return g.tell(payment.NoticeCharge, p.Ref, after, times)
}
