package order

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// actorCard is the program acting on the card provider's word.
const actorCard = "card"

const (
	// cardGrace is how long goods are held beyond the time to pay while the provider does not say whether it has the money.
	cardGrace = time.Hour
	// askAgain is how long an open charge is left before the sweep asks about it.
	askAgain = 2 * time.Minute
	// lostAfter is how old something must be before the sweep takes its job for lost.
	lostAfter = 10 * time.Minute
)

// errMovedPage means that a charge got another page meanwhile; the caller looks again.
var errMovedPage = errors.New("order: the page to pay on changed meanwhile")

func notPayable() error { return apperr.New(apperr.Conflict, "order.not_payable") }
func cardAway() error   { return apperr.New(apperr.Unavailable, "order.card_away") }

// PayByCard opens, or finds again, the page at the provider on which the purchase's buyer pays all that is still to be paid
// of it. An address is only given out once it is stored, so that every page that can be paid is known here. Conflict
// order.not_payable when nothing is to be paid, also because it was paid just now; Unavailable order.card_away.
func (s *Service) PayByCard(ctx context.Context, code, secret string) (string, error) {
	g, err := s.open(ctx, code, secret)
	if err != nil {
		return "", err
	}
	if payment.Method(g.Method) != payment.Card {
		return "", notPayable()
	}
	for range 4 {
		url, err := s.page(ctx, g, secret)
		if errors.Is(err, errMovedPage) {
			continue
		}
		if errors.Is(err, payment.ErrAway) {
			slog.WarnContext(ctx, "the card provider does not answer", "purchase", g.Code, "error", err)
			return "", cardAway()
		}
		if _, readable := apperr.As(err); err != nil && !readable {
			err = fmt.Errorf("order: pay by card: %w", err)
		}
		return url, err
	}
	return "", cardAway()
}

func (s *Service) page(ctx context.Context, g groupRow, secret string) (string, error) {
	c, err := s.Payments.ChargeOf(ctx, g.Code)
	if err != nil {
		return "", err
	}
	if c.PageRef != "" && c.State == payment.ChargeOpen {
		url, err := s.reuse(ctx, c)
		if url != "" || err != nil {
			return url, err
		}
	}
	seen := c.PageRef
	var wanted []orderRow
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if c, wanted, err = s.lockWanted(ctx, tx, g.Code, c.ID); err != nil {
			return err
		}
		if err := s.enoughForCard(wanted); err != nil {
			return err
		}
		if c.PageRef != seen {
			return errMovedPage
		}
		c, err = s.Payments.BeginPage(ctx, tx, c, paymentIDs(wanted))
		return err
	})
	if err != nil {
		return "", err
	}
	l := i18n.Locale(g.Locale)
	o := payment.Opening{Text: i18n.T(l, "order.card_text", map[string]any{"code": g.Code}), Email: g.ContactEmail, Locale: string(l), Expires: c.ExpiresAt,
		ReturnURL: s.cfg.BaseURL + returnPath(l, g.Code, secret)}
	for _, w := range wanted {
		o.Shares = append(o.Shares, payment.Share{Reference: w.Code, Amount: vnd(w.Total)})
	}
	page, err := s.Payments.OpenPage(ctx, c, o)
	if err != nil {
		return "", err
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		now, wanted, err := s.lockWanted(ctx, tx, g.Code, c.ID)
		if err != nil {
			return err
		}
		if !now.Asks(paymentIDs(wanted)) {
			return errMovedPage
		}
		stored, err := s.Payments.StorePage(ctx, tx, now, c.Attempt, page)
		if err == nil && !stored {
			err = errMovedPage
		}
		return err
	})
	return page.URL, err
}

// lockWanted locks a purchase with its charge, and returns the orders whose money is still awaited: none is a Conflict.
func (s *Service) lockWanted(ctx context.Context, tx db.Tx, code string, chargeID int64) (payment.Charge, []orderRow, error) {
	orders, err := lockGroup(ctx, tx, code)
	if err != nil {
		return payment.Charge{}, nil, err
	}
	c, err := s.Payments.LockCharge(ctx, tx, chargeID)
	if err != nil {
		return c, nil, err
	}
	now := s.Clock.Now()
	orders = slices.DeleteFunc(orders, func(o orderRow) bool {
		return State(o.State) != AwaitingPayment || o.PayBefore == nil || !now.Before(*o.PayBefore)
	})
	if len(orders) == 0 || c.State != payment.ChargeOpen || c.Fault != "" {
		return c, nil, notPayable()
	}
	return c, orders, nil
}

// enoughForCard says when what is left of a purchase, after orders of it were called off, is less than the provider takes.
func (s *Service) enoughForCard(wanted []orderRow) error {
	sum := vnd(0)
	for _, o := range wanted {
		sum += vnd(o.Total)
	}
	if least, _ := s.Payments.CardLimits(); sum < least {
		return apperr.New(apperr.Conflict, "order.card_too_little", "min", least)
	}
	return nil
}

func paymentIDs(orders []orderRow) []int64 {
	ids := make([]int64, len(orders))
	for i, o := range orders {
		ids[i] = o.PaymentID
	}
	return ids
}

// reuse returns the address of the present page, if it can still be paid and asks for all that is awaited and nothing
// else. A page that will be replaced is closed first; one that turns out to be paid is settled.
func (s *Service) reuse(ctx context.Context, c payment.Charge) (string, error) {
	st, err := s.Payments.Look(ctx, c)
	if err != nil {
		return "", err
	}
	var awaited []int64
	for _, p := range c.Shares {
		if p.State == payment.Pending {
			awaited = append(awaited, p.ID)
		}
	}
	now := s.Clock.Now()
	if st.State == payment.StandingOpen && now.Before(c.PageExpires) && now.Before(c.ExpiresAt) && c.Asks(awaited) {
		return c.PageURL, nil
	}
	if st.State == payment.StandingOpen {
		if st, err = s.Payments.ClosePage(ctx, c); err != nil {
			return "", err
		}
	}
	if st.State == payment.StandingPaid {
		if err := s.settleCharge(ctx, c, st); err != nil {
			return "", err
		}
		return "", notPayable()
	}
	return "", nil
}

// CardReturned is called when the buyer comes back from the provider's page, paid or not: what happened, the provider is
// asked. Unavailable order.card_away; then the notice or the sweep settles.
func (s *Service) CardReturned(ctx context.Context, code, secret string) error {
	g, err := s.open(ctx, code, secret)
	if err != nil {
		return err
	}
	c, err := s.Payments.ChargeOf(ctx, g.Code)
	if err != nil || c.ID == 0 {
		return err
	}
	err = s.SettleCharge(ctx, c.ID)
	if errors.Is(err, payment.ErrAway) {
		return cardAway()
	}
	return err
}

// SettleCharge asks the provider how a charge stands and does what follows: the one verb of the return page, the notice
// and the sweep. Money that is there makes the orders placed that can be, also late ones; the shares of the others go back
// to the card. An amount that is not the one asked settles nothing and waits for a person. Settling again does nothing.
func (s *Service) SettleCharge(ctx context.Context, chargeID int64) error {
	c, err := s.Payments.ChargeByID(ctx, chargeID)
	if err != nil || c.ID == 0 || c.Over() {
		return err
	}
	st, err := s.Payments.Look(ctx, c)
	if err != nil {
		return fmt.Errorf("order: settle charge %d: %w", chargeID, err)
	}
	return s.settleCharge(ctx, c, st)
}

func (s *Service) settleCharge(ctx context.Context, seen payment.Charge, st payment.Standing) error {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		orders, err := lockGroup(ctx, tx, seen.Reference)
		if err != nil {
			return err
		}
		c, err := s.Payments.LockCharge(ctx, tx, seen.ID)
		switch {
		case err != nil || c.Over():
			return err
		case c.PageRef != seen.PageRef: // the answer is about a page that was closed and replaced
			return nil
		case st.State != payment.StandingPaid:
			return s.Payments.RestCharge(ctx, tx, c, st)
		}
		return s.charged(ctx, tx, c, orders, st)
	})
	if err != nil {
		return fmt.Errorf("order: settle charge %d: %w", seen.ID, err)
	}
	return nil
}

// charged settles the orders whose shares the page asked for, seller by seller: so two purchases lock the stock of the same
// sellers in the same order.
func (s *Service) charged(ctx context.Context, tx db.Tx, c payment.Charge, orders []orderRow, st payment.Standing) error {
	asked := map[int64]bool{}
	sum := vnd(0)
	for _, p := range c.Asked() {
		asked[p.ID] = true
		sum += p.Amount
	}
	if st.Amount != sum {
		slog.ErrorContext(ctx, "a card was charged another amount than was asked; nothing is settled", "charge", c.ID, "purchase", c.Reference,
			"asked", int64(sum), "captured", int64(st.Amount), "money", st.MoneyRef)
		return s.Payments.FaultCharge(ctx, tx, c, fmt.Sprintf("captured %d, asked %d, money %s", st.Amount, sum, st.MoneyRef))
	}
	slices.SortFunc(orders, func(a, b orderRow) int { return cmp.Compare(a.ProducerID, b.ProducerID) })
	for _, o := range orders {
		if !asked[o.PaymentID] {
			continue
		}
		became, err := s.receive(ctx, tx, o, actorCard, st.MoneyRef)
		if err != nil {
			return err
		}
		if became == Placed && s.Payments.Transfers() {
			if err := s.Payments.WantPassOn(ctx, tx, o.PaymentID, fmt.Sprint(o.ProducerID)); err != nil {
				return err
			}
			if err := s.Jobs.Enqueue(ctx, tx, PassOn{o.ID}); err != nil {
				return err
			}
		}
	}
	return s.Payments.PayCharge(ctx, tx, c, st.MoneyRef)
}

// CloseCard makes the page unpayable that still asks for an order which was called off. Other orders of the purchase get
// a page of their own when the buyer pays.
func (s *Service) CloseCard(ctx context.Context, j CloseCard) error {
	c, err := s.Payments.ChargeByID(ctx, j.ChargeID)
	if err != nil || c.ID == 0 || c.State != payment.ChargeOpen {
		return err
	}
	idle := slices.ContainsFunc(c.Asked(), func(p payment.Payment) bool { return p.State != payment.Pending })
	if c.Pending() && !idle {
		return nil
	}
	st, err := s.Payments.ClosePage(ctx, c)
	if err != nil {
		return fmt.Errorf("order: close charge %d: %w", j.ChargeID, err)
	}
	return s.settleCharge(ctx, c, st)
}

// shut closes the page of a card order whose time is over, so that it can expire. It reports false when there was money
// after all, which is settled then. While the provider does not answer, the order waits for up to cardGrace.
func (s *Service) shut(ctx context.Context, chargeID int64) (c payment.Charge, st payment.Standing, over bool, err error) {
	if c, err = s.Payments.ChargeByID(ctx, chargeID); err != nil || c.State == payment.ChargePaid {
		return c, st, false, err
	}
	st, err = s.Payments.ClosePage(ctx, c)
	switch {
	case errors.Is(err, payment.ErrAway) && !s.Clock.Now().Before(c.ExpiresAt.Add(cardGrace)):
		slog.WarnContext(ctx, "card orders end without the provider's word", "charge", c.ID, "error", err)
		return c, payment.Standing{State: payment.StandingOpen}, true, nil
	case err != nil:
		return c, st, false, err
	case st.State == payment.StandingPaid:
		// With a captured amount that is in doubt the order is not paid; it ends when the grace is over.
		if err := s.settleCharge(ctx, c, st); err != nil {
			return c, st, false, err
		}
		if c, err = s.Payments.ChargeByID(ctx, chargeID); err != nil {
			return c, st, false, err
		}
		return c, st, c.Fault != "" && !s.Clock.Now().Before(c.ExpiresAt.Add(cardGrace)), nil
	}
	return c, st, true, nil
}

// SweepCharges asks the provider about whatever stayed open: charges whose notice was lost, refunds that were not sent or
// not heard of, notices whose job was lost. It returns how many it looked at.
func (s *Service) SweepCharges(ctx context.Context) (int, error) {
	if !s.Payments.TakesCards() {
		return 0, nil
	}
	now := s.Clock.Now()
	charges, err := s.Payments.OpenCharges(ctx, now.Add(-askAgain), sweepSize)
	if err != nil {
		return 0, err
	}
	var faults []error
	for _, id := range charges {
		faults = append(faults, s.SettleCharge(ctx, id))
	}
	refunds, err := s.Payments.RefundsOnTheWay(ctx, now.Add(-lostAfter), sweepSize)
	faults = append(faults, err)
	for _, r := range refunds {
		faults = append(faults, s.askRefund(ctx, r))
	}
	notices, err := s.Payments.NoticesLeft(ctx, now.Add(-lostAfter), sweepSize)
	faults = append(faults, err)
	for _, id := range notices {
		faults = append(faults, s.HandleNotice(ctx, payment.HandleNotice{NoticeID: id}))
	}
	return len(charges) + len(refunds) + len(notices), errors.Join(faults...)
}

// HandleNotice does what a provider's notice asks for: to ask the provider. Late, doubled and unknown ones are harmless.
func (s *Service) HandleNotice(ctx context.Context, j payment.HandleNotice) error {
	n, err := s.Payments.NoticeByID(ctx, j.NoticeID)
	if err != nil || n.ID == 0 || n.Handled {
		return err
	}
	outcome, err := s.hear(ctx, n)
	if err != nil {
		return fmt.Errorf("order: notice %d: %w", n.ID, err)
	}
	return s.Payments.NoticeHandled(ctx, n.ID, outcome)
}

func (s *Service) hear(ctx context.Context, n payment.Stored) (outcome string, err error) {
	const unknown = "about nothing of ours"
	switch n.Kind {
	case payment.NoticeCharge:
		id, err := s.Payments.ChargeOfPage(ctx, n.Ref)
		if err != nil || id == 0 {
			return unknown, err
		}
		return "charge asked about", s.SettleCharge(ctx, id)
	case payment.NoticeRefund:
		r, err := s.Payments.RefundByRef(ctx, s.DB.Primary(ctx), n.Ref)
		if err != nil || r.ID == 0 {
			return unknown, err // should its own answer be on the way, that says the same
		}
		return "refund asked about", s.askRefund(ctx, r)
	case payment.NoticeDispute:
		d, fresh, err := s.Payments.LookDispute(ctx, n.Ref)
		if errors.Is(err, payment.ErrUnknownRef) || err == nil && d.ID == 0 {
			return unknown, nil
		}
		if err == nil && fresh {
			err = s.DB.InTx(ctx, func(tx db.Tx) error { return s.Jobs.Enqueue(ctx, tx, TellDispute{d.ID}) })
		}
		return "dispute " + d.State, err
	}
	return "nothing to be done", nil
}

// PassOn transfers the seller's share of a paid order to the connected account, where the operator has that switched on, or
// what is missing of it after a refund has failed.
func (s *Service) PassOn(ctx context.Context, j PassOn) error {
	o, err := orderByID(ctx, s.DB.Primary(ctx), j.OrderID)
	if err != nil || o.ID == 0 {
		return err
	}
	return s.Payments.PassOn(ctx, o.PaymentID)
}

// SweepTransfers passes on and takes back what a lost job left, and returns how many payments and refunds it looked at.
func (s *Service) SweepTransfers(ctx context.Context) (int, error) {
	if !s.Payments.Transfers() {
		return 0, nil
	}
	before := s.Clock.Now().Add(-lostAfter)
	refunds, err := s.Payments.ToTakeBack(ctx, before, sweepSize)
	faults := []error{err}
	for _, r := range refunds {
		faults = append(faults, s.Payments.TakeBack(ctx, r))
	}
	payments, err := s.Payments.ToPassOn(ctx, before, sweepSize)
	faults = append(faults, err)
	for _, id := range payments {
		if err := s.Payments.PassOn(ctx, id); err != nil {
			faults = append(faults, err, s.Payments.PassOnLater(ctx, id))
		}
	}
	return len(refunds) + len(payments), errors.Join(faults...)
}
