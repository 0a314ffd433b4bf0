package payment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// ChargeState says how far a card payment has come.
type ChargeState string

// The states of a charge.
const (
	ChargeOpen   ChargeState = "open"
	ChargePaid   ChargeState = "paid"
	ChargeClosed ChargeState = "closed" // nothing of it is wanted, and no page of it can be paid
)

// Charge is one card payment of a whole purchase; its shares are payments.
type Charge struct {
	ID          int64
	Reference   string
	Provider    string
	State       ChargeState
	Amount      money.VND
	Attempt     int
	PageRef     string
	PageURL     string
	PageExpires time.Time
	MoneyRef    string
	Fault       string
	ExpiresAt   time.Time
	Shares      []Payment
}

// Asked are the shares that the present page asks for.
func (c Charge) Asked() []Payment {
	var out []Payment
	for _, p := range c.Shares {
		if c.Attempt > 0 && p.PageAttempt == c.Attempt {
			out = append(out, p)
		}
	}
	return out
}

// Asks reports whether the present page asks for exactly these payments.
func (c Charge) Asks(ids []int64) bool {
	var have []int64
	for _, p := range c.Asked() {
		have = append(have, p.ID)
	}
	want := slices.Clone(ids)
	slices.Sort(have)
	slices.Sort(want)
	return slices.Equal(have, want)
}

// Pending reports whether money is still awaited for a share.
func (c Charge) Pending() bool {
	return slices.ContainsFunc(c.Shares, func(p Payment) bool { return p.State == Pending })
}

// TakesCards reports whether a card provider is set up.
func (s *Service) TakesCards() bool { return s.Gateway != nil }

// CardLimits are the least and the most that the provider takes in one charge; 0 for no such bound.
func (s *Service) CardLimits() (least, most money.VND) {
	if l, ok := s.Gateway.(Limited); ok {
		return l.Limits()
	}
	return 0, 0
}

// ErrAway means that the card provider cannot be asked now.
var ErrAway = errors.New("payment: the card provider does not answer")

// provider is the gateway of a charge. One of another provider, or of one that was taken away, cannot be asked.
func (s *Service) provider(c Charge) (Gateway, error) {
	if s.Gateway == nil || s.Gateway.Provider() != c.Provider {
		return nil, fmt.Errorf("%w: no gateway %q", ErrAway, c.Provider)
	}
	return s.Gateway, nil
}

// ChargeByID returns a charge with its shares; one that does not exist has ID 0.
func (s *Service) ChargeByID(ctx context.Context, id int64) (Charge, error) {
	return s.charge(ctx, s.DB.Primary(ctx), "id = ?", id)
}

// ChargeOf returns the charge of a purchase; one that does not exist has ID 0.
func (s *Service) ChargeOf(ctx context.Context, reference string) (Charge, error) {
	return s.charge(ctx, s.DB.Primary(ctx), "reference = ?", reference)
}

// LockCharge locks a charge and reads its shares. The caller holds the locks of all that the shares pay for.
func (s *Service) LockCharge(ctx context.Context, tx db.Tx, id int64) (Charge, error) {
	if err := lockCharge(ctx, tx, id); err != nil {
		return Charge{}, fmt.Errorf("payment: charge: %w", err)
	}
	return s.charge(ctx, tx.DB, "id = ?", id)
}

// Look asks the provider how the money of a charge stands. A page that the provider does not know can never be paid.
func (s *Service) Look(ctx context.Context, c Charge) (Standing, error) {
	return s.ask(ctx, c, Gateway.Look)
}

// ClosePage makes the page of a charge unpayable, unless it was paid: then its answer says so.
func (s *Service) ClosePage(ctx context.Context, c Charge) (Standing, error) {
	return s.ask(ctx, c, Gateway.Close)
}

func (s *Service) ask(ctx context.Context, c Charge, verb func(Gateway, context.Context, string) (Standing, error)) (Standing, error) {
	if c.PageRef == "" { // an address that was never stored was never given to anyone
		return Standing{State: StandingClosed}, nil
	}
	g, err := s.provider(c)
	if err != nil {
		return Standing{}, err
	}
	st, err := verb(g, ctx, c.PageRef)
	if errors.Is(err, ErrUnknownRef) {
		return Standing{Ref: c.PageRef, State: StandingClosed}, nil
	}
	if err != nil {
		return Standing{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return st, nil
}

// BeginPage prepares a page for these payments of a locked charge. The number of the attempt is part of the provider's
// request key: a page that was asked for and whose answer was lost is asked for under the same number.
func (s *Service) BeginPage(ctx context.Context, tx db.Tx, c Charge, ids []int64) (Charge, error) {
	if c.State != ChargeOpen {
		return Charge{}, apperr.New(apperr.Conflict, "payment.not_payable")
	}
	if c.PageRef == "" && c.Asks(ids) {
		return c, nil
	}
	if err := beginPage(ctx, tx, c.ID, c.Attempt+1, ids, s.clock.Now()); err != nil {
		return Charge{}, fmt.Errorf("payment: begin page: %w", err)
	}
	return s.charge(ctx, tx.DB, "id = ?", c.ID)
}

// OpenPage asks the provider for the page that was begun.
func (s *Service) OpenPage(ctx context.Context, c Charge, o Opening) (CardPage, error) {
	g, err := s.provider(c)
	if err != nil {
		return CardPage{}, err
	}
	o.Key, o.Reference, o.Amount = fmt.Sprintf("charge-%d-%d", c.ID, c.Attempt), c.Reference, 0
	for _, p := range c.Asked() {
		o.Amount += p.Amount
	}
	page, err := g.Open(ctx, o)
	if err != nil {
		return CardPage{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return page, nil
}

// StorePage keeps the page of a locked charge, if it is that of the present attempt: only then its address may be given out.
func (s *Service) StorePage(ctx context.Context, tx db.Tx, c Charge, attempt int, p CardPage) (bool, error) {
	if c.State != ChargeOpen || c.Attempt != attempt || c.PageRef != "" && c.PageRef != p.Ref {
		return false, nil
	}
	if err := storePage(ctx, tx, c.ID, p, s.clock.Now()); err != nil {
		return false, fmt.Errorf("payment: store page: %w", err)
	}
	return true, nil
}

// PayCharge records that the provider has the money of a locked charge, whose shares the caller settles.
func (s *Service) PayCharge(ctx context.Context, tx db.Tx, c Charge, moneyRef string) error {
	return s.setCharge(ctx, tx, c.ID, map[string]any{"state": string(ChargePaid), "money_ref": moneyRef})
}

// FaultCharge keeps a locked charge for a person: nothing of it is settled. Without a fault it goes on as before.
func (s *Service) FaultCharge(ctx context.Context, tx db.Tx, c Charge, fault string) error {
	return s.setCharge(ctx, tx, c.ID, map[string]any{"fault": fault})
}

// SendChargeBack gives all the money of a charge back of which nothing was settled. Asking again is asking once, also days later:
// a person may come back to it when they will.
func (s *Service) SendChargeBack(ctx context.Context, c Charge, st Standing) (Returned, error) {
	return s.payBack(ctx, c, PayBack{Key: fmt.Sprintf("charge-%d", c.ID), MoneyRef: st.MoneyRef, Amount: st.Amount, Reason: "order.charge.differs"}, true)
}

// GaveChargeBack closes a locked charge whose money went back unsettled, and remembers which money that was.
func (s *Service) GaveChargeBack(ctx context.Context, tx db.Tx, c Charge, moneyRef string) error {
	return s.setCharge(ctx, tx, c.ID, map[string]any{"state": string(ChargeClosed), "fault": "", "money_ref": moneyRef})
}

// GivenBack reports whether the money of the charge went back unsettled: the provider's word that it was paid is old news.
func (c Charge) GivenBack() bool { return c.State == ChargeClosed && c.MoneyRef != "" }

// Over reports whether nothing more follows from the provider's word on the charge, unless a person decides.
func (c Charge) Over() bool { return c.State == ChargePaid || c.Fault != "" || c.GivenBack() }

// FaultyCharges lists the charges that wait for a person, the longest waiting first.
func (s *Service) FaultyCharges(ctx context.Context, limit int) ([]Charge, error) {
	all, err := faultyCharges(ctx, s.DB.Primary(ctx), limit)
	if err != nil {
		return nil, fmt.Errorf("payment: faulty charges: %w", err)
	}
	return all, nil
}

// RestCharge records that a locked charge was asked about without money being there. It is closed once nothing of it is
// awaited and the provider says that its page can never be paid.
func (s *Service) RestCharge(ctx context.Context, tx db.Tx, c Charge, st Standing) error {
	set := map[string]any{}
	if st.State == StandingClosed && !c.Pending() && c.State == ChargeOpen {
		set["state"] = string(ChargeClosed)
	}
	return s.setCharge(ctx, tx, c.ID, set)
}

func (s *Service) setCharge(ctx context.Context, tx db.Tx, id int64, set map[string]any) error {
	set["updated_at"] = s.clock.Now()
	if err := setCharge(ctx, tx, id, set); err != nil {
		return fmt.Errorf("payment: charge: %w", err)
	}
	return nil
}

// OpenCharges lists charges about which the provider was not asked since a moment, the longest waiting first.
func (s *Service) OpenCharges(ctx context.Context, since time.Time, limit int) ([]int64, error) {
	ids, err := openCharges(ctx, s.DB.Primary(ctx), since, limit)
	if err != nil {
		return nil, fmt.Errorf("payment: open charges: %w", err)
	}
	return ids, nil
}
