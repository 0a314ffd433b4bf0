package stripe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	stripego "github.com/stripe/stripe-go/v76"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
)

// maxShares keeps below Stripe's fifty entries of metadata.
const maxShares = 40

// Open makes a Checkout session.
func (g *Gateway) Open(ctx context.Context, o payment.Opening) (payment.CardPage, error) {
	ctx, cancel := begin(ctx)
	defer cancel()
	p := &stripego.CheckoutSessionParams{
		Params:             keyed(ctx, "open", o.Reference, o.Key+":"+fingerprint(o)),
		Mode:               stripego.String(string(stripego.CheckoutSessionModePayment)),
		PaymentMethodTypes: stripego.StringSlice([]string{"card"}),
		ClientReferenceID:  stripego.String(o.Reference),
		Locale:             stripego.String(o.Locale),
		SuccessURL:         stripego.String(o.ReturnURL),
		CancelURL:          stripego.String(o.ReturnURL),
		ExpiresAt:          stripego.Int64(o.Expires.Add(grace).Unix()),
		Metadata:           map[string]string{"purchase": o.Reference},
		LineItems: []*stripego.CheckoutSessionLineItemParams{{
			Quantity: stripego.Int64(1),
			PriceData: &stripego.CheckoutSessionLineItemPriceDataParams{
				Currency:    stripego.String(string(currency)),
				UnitAmount:  stripego.Int64(int64(o.Amount)),
				ProductData: &stripego.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripego.String(o.Text)},
			},
		}},
		PaymentIntentData: &stripego.CheckoutSessionPaymentIntentDataParams{
			Description:   stripego.String(o.Text),
			Metadata:      books(o),
			TransferGroup: stripego.String(o.Reference),
		},
	}
	if o.Email != "" {
		p.CustomerEmail = stripego.String(o.Email)
	}
	s, err := g.api.CheckoutSessions.New(p)
	if err != nil {
		return payment.CardPage{}, explain("open", err)
	}
	return payment.CardPage{Ref: s.ID, URL: s.URL, Expires: time.Unix(s.ExpiresAt, 0)}, nil
}

// fingerprint tells openings apart that ask for the same page in another way, such as in another language after the first
// answer was lost. Two pages under one request key do no harm: the address of one was never given to anybody.
func fingerprint(o payment.Opening) string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %d %q %q %q %d %v", o.Text, o.Amount, o.Email, o.Locale, o.ReturnURL, o.Expires.Unix(), o.Shares)
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// books says to whom the money belongs, beside the payment.
func books(o payment.Opening) map[string]string {
	m := map[string]string{"purchase": o.Reference}
	for _, s := range o.Shares[:min(len(o.Shares), maxShares)] {
		m["order "+s.Reference] = strconv.FormatInt(int64(s.Amount), 10)
	}
	return m
}

// Look asks how a session stands.
func (g *Gateway) Look(ctx context.Context, pageRef string) (payment.Standing, error) {
	if pageRef == "" {
		return payment.Standing{}, fmt.Errorf("stripe: look: %w", payment.ErrUnknownRef) // it would list all
	}
	ctx, cancel := begin(ctx)
	defer cancel()
	p := &stripego.CheckoutSessionParams{Params: stripego.Params{Context: ctx}}
	p.AddExpand("payment_intent")
	s, err := g.api.CheckoutSessions.Get(pageRef, p)
	if err != nil {
		return payment.Standing{}, explain("look", err)
	}
	return standing(s)
}

// standing reads a session. The payment intent has the last word about money: a session may be expired or unpaid
// while its last payment is still under way.
func standing(s *stripego.CheckoutSession) (payment.Standing, error) {
	out := payment.Standing{Ref: s.ID, State: payment.StandingOpen}
	if s.Currency != "" && s.Currency != currency {
		return out, fmt.Errorf("stripe: page %s is in %s", s.ID, s.Currency)
	}
	intent := s.PaymentIntent
	switch {
	case intent != nil && intent.Status == stripego.PaymentIntentStatusSucceeded:
		out.State, out.MoneyRef, out.Amount = payment.StandingPaid, intent.ID, money.VND(intent.AmountReceived)
	case intent != nil && intent.Status == stripego.PaymentIntentStatusProcessing:
	case s.Status == stripego.CheckoutSessionStatusExpired:
		out.State = payment.StandingClosed
	case s.Status == stripego.CheckoutSessionStatusComplete && s.PaymentStatus != stripego.CheckoutSessionPaymentStatusPaid:
		out.State = payment.StandingClosed // the only try was refused later
	case s.Status == stripego.CheckoutSessionStatusComplete:
		return out, fmt.Errorf("stripe: page %s is paid and shows no money", s.ID)
	}
	return out, nil
}

// Close makes a session expire. Without a key of ours: Stripe keeps refusals too, and this one may pass a moment later;
// doing it twice does no harm.
func (g *Gateway) Close(ctx context.Context, pageRef string) (payment.Standing, error) {
	if pageRef == "" {
		return payment.Standing{}, fmt.Errorf("stripe: close: %w", payment.ErrUnknownRef)
	}
	expire, cancel := begin(ctx)
	defer cancel()
	_, err := g.api.CheckoutSessions.Expire(pageRef, &stripego.CheckoutSessionExpireParams{Params: stripego.Params{Context: expire}})
	if err != nil {
		// Stripe refuses what is expired or paid already; then it says so when asked.
		if err = explain("close", err); !errors.Is(err, payment.ErrRefused) {
			return payment.Standing{}, err
		}
	}
	st, err := g.Look(ctx, pageRef)
	if err == nil && st.State == payment.StandingOpen {
		return st, fmt.Errorf("stripe: close: a payment of page %s is under way", pageRef)
	}
	return st, err
}
