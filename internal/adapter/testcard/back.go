package testcard

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
)

// refundTime is how long money takes back to the card; disputeTime how long there is to answer a dispute; keyTime how long a key
// is known, as at Stripe.
const (
	refundTime  = 5 * time.Second
	disputeTime = 7 * 24 * time.Hour
	keyTime     = 24 * time.Hour
)

// payback is money on its way back.
type payback struct {
	Key    string
	Amount money.VND
	Reason string
	At     time.Time
	Failed string // why it did not arrive
}

// transfer is a share that was passed on.
type transfer struct {
	Account  string
	Amount   money.VND
	Reversed map[string]money.VND // by request key
}

// of reads the paid page that a ref belongs to.
func (g *Gateway) of(ref, kind string) (page, error) {
	if !strings.HasPrefix(ref, kind) {
		return page{}, fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	p, err := g.load(ref)
	if err == nil && p.State != payment.StandingPaid {
		err = fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	return p, err
}

// PayBack gives money back, never more than was paid.
func (g *Gateway) PayBack(_ context.Context, b payment.PayBack) (payment.Returned, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(b.MoneyRef, "tm_")
	if err != nil {
		return payment.Returned{}, err
	}
	if ref, known := p.back(b.Key); ref != "" && g.Clock.Now().Before(known.At.Add(keyTime)) {
		if known.Amount != b.Amount {
			return payment.Returned{}, errors.New("testcard: this key gave back another amount")
		}
		return g.returned(ref, known), nil
	}
	ref := "tr_" + p.id() + "_" + g.hash("refund", b.Key, strconv.Itoa(len(p.Returns)))
	left := p.Opening.Amount
	for _, r := range p.Returns {
		if r.Failed == "" {
			left -= r.Amount
		}
	}
	if b.Amount <= 0 || b.Amount > left {
		return payment.Returned{}, fmt.Errorf("testcard: %w: %s of %s left", payment.ErrRefused, b.Amount, left)
	}
	r := payback{Key: b.Key, Amount: b.Amount, Reason: b.Reason, At: g.Clock.Now()}
	if p.Returns == nil {
		p.Returns = map[string]payback{}
	}
	p.Returns[ref] = r
	if err := g.save(p); err != nil {
		return payment.Returned{}, err
	}
	return g.returned(ref, r), g.tell(payment.NoticeRefund, ref, refundTime+time.Second, 1)
}

// back is the last money that went back under a key, or nothing.
func (p page) back(key string) (ref string, last payback) {
	for at, r := range p.Returns {
		if r.Key == key && (ref == "" || r.At.After(last.At)) {
			ref, last = at, r
		}
	}
	return ref, last
}

// FindBack looks for money that went back under a key.
func (g *Gateway) FindBack(_ context.Context, moneyRef, key string) (payment.Returned, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(moneyRef, "tm_")
	if err != nil {
		return payment.Returned{}, err
	}
	ref, r := p.back(key)
	if ref == "" {
		return payment.Returned{}, fmt.Errorf("testcard: find back: %w", payment.ErrUnknownRef)
	}
	return g.returned(ref, r), nil
}

func (g *Gateway) returned(ref string, r payback) payment.Returned {
	out := payment.Returned{Ref: ref, Amount: r.Amount, State: payment.ReturnSent}
	switch {
	case r.Failed != "":
		out.State, out.Why = payment.ReturnFailed, r.Failed
	case !g.Clock.Now().Before(r.At.Add(refundTime)):
		out.State = payment.ReturnDone
	}
	return out
}

// LookBack says how money on its way back stands.
func (g *Gateway) LookBack(_ context.Context, refundRef string) (payment.Returned, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(refundRef, "tr_")
	if err != nil {
		return payment.Returned{}, err
	}
	r, ok := p.Returns[refundRef]
	if !ok {
		return payment.Returned{}, fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	return g.returned(refundRef, r), nil
}

// FailBack lets money that was on its way back not arrive.
func (g *Gateway) FailBack(refundRef, why string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(refundRef, "tr_")
	if err != nil {
		return err
	}
	r, ok := p.Returns[refundRef]
	if !ok {
		return fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	r.Failed = why
	p.Returns[refundRef] = r
	if err := g.save(p); err != nil {
		return err
	}
	return g.tell(payment.NoticeRefund, refundRef, 0, 1)
}

// Dispute lets the buyer's bank ask the money of a page back, or settles what it asked: state is open, answered, won or
// lost.
func (g *Gateway) Dispute(pageRef, state string) (ref string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(pageRef, "tp_")
	if err != nil {
		return "", err
	}
	ref = "td_" + p.id()
	if p.Contest == nil {
		now := g.Clock.Now()
		by := now.Add(disputeTime)
		p.Contest = &payment.Contest{Ref: ref, MoneyRef: "tm_" + p.id(), Amount: p.Opening.Amount, Reason: "product_not_received", OpenedAt: now, AnswerBy: &by}
	}
	p.Contest.State = state
	if err := g.save(p); err != nil {
		return "", err
	}
	return ref, g.tell(payment.NoticeDispute, ref, 0, 1)
}

// LookDispute says how a dispute stands.
func (g *Gateway) LookDispute(_ context.Context, disputeRef string) (payment.Contest, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(disputeRef, "td_")
	if err != nil {
		return payment.Contest{}, err
	}
	if p.Contest == nil {
		return payment.Contest{}, fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	return *p.Contest, nil
}

// Transfer passes a share on, never more than was paid.
func (g *Gateway) Transfer(_ context.Context, t payment.Transfer) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(t.MoneyRef, "tm_")
	if err != nil {
		return "", err
	}
	ref := "tt_" + p.id() + "_" + g.hash("transfer", t.Key)
	if _, ok := p.Transfers[ref]; ok {
		return ref, nil
	}
	left := p.Opening.Amount
	for _, other := range p.Transfers {
		left -= other.Amount
		for _, back := range other.Reversed {
			if t.FromBalance {
				left += back
			}
		}
	}
	if t.Amount <= 0 || t.Amount > left {
		return "", fmt.Errorf("testcard: %w: %s of %s left", payment.ErrRefused, t.Amount, left)
	}
	if p.Transfers == nil {
		p.Transfers = map[string]transfer{}
	}
	p.Transfers[ref] = transfer{Account: t.Account, Amount: t.Amount, Reversed: map[string]money.VND{}}
	return ref, g.save(p)
}

// Reverse takes back a part of a transfer.
func (g *Gateway) Reverse(_ context.Context, key, transferRef string, amount money.VND) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.of(transferRef, "tt_")
	if err != nil {
		return err
	}
	t, ok := p.Transfers[transferRef]
	if !ok {
		return fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	if _, done := t.Reversed[key]; done {
		return nil
	}
	left := t.Amount
	for _, r := range t.Reversed {
		left -= r
	}
	if amount <= 0 || amount > left {
		return fmt.Errorf("testcard: %w: %s of %s left", payment.ErrRefused, amount, left)
	}
	t.Reversed[key] = amount
	return g.save(p)
}
