// Package stripe takes card payments through Stripe Checkout: the buyer types the card on Stripe's own page, so no card
// number ever reaches this program. One session with one line stands for a whole purchase; the shares of its orders are
// written beside it, for people who read Stripe's books, and can be passed on to connected accounts.
//
// VND has no decimals at Stripe: unit_amount 250000 is 250.000 ₫, and nothing is multiplied by 100
// (docs.stripe.com/currencies, zero-decimal currencies).
//
// Each write carries an idempotency key. Stripe answers the same key with the first answer for at least a day, but
// only to the very same parameters; so nothing that is sent depends on the moment of sending, and what may change between
// two tries to open a page is part of its key.
package stripe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	stripego "github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/client"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
)

const (
	attempt = 10 * time.Second // one try to reach Stripe
	verb    = 25 * time.Second // all tries of one verb
	retries = 2

	// Stripe lets a page expire 30 minutes to 24 hours after it was made. The domain's own time is shorter, and it
	// closes the page when that is over; this bound holds should the program not run then.
	grace = 31 * time.Minute

	currency = stripego.CurrencyVND
)

// Config is what Stripe hands out.
type Config struct {
	Key           string // sk_… or rk_…
	WebhookSecret string // whsec_…
	URL           string // empty: Stripe itself
	Transport     http.RoundTripper
}

// Gateway fills payment.Gateway, payment.Transferrer and payment.Limited.
type Gateway struct {
	api    *client.API
	secret string
}

var (
	_ payment.Gateway     = (*Gateway)(nil)
	_ payment.Transferrer = (*Gateway)(nil)
	_ payment.Limited     = (*Gateway)(nil)
)

// New returns the gateway; it does not call Stripe.
func New(c Config) (*Gateway, error) {
	// With an empty secret everybody could sign.
	if c.Key == "" || c.WebhookSecret == "" {
		return nil, errors.New("stripe: the key and the webhook secret are needed")
	}
	b := &stripego.BackendConfig{
		HTTPClient:        &http.Client{Timeout: attempt, Transport: c.Transport},
		LeveledLogger:     quiet{},
		MaxNetworkRetries: stripego.Int64(retries),
		EnableTelemetry:   stripego.Bool(false),
	}
	if c.URL != "" {
		b.URL = stripego.String(c.URL)
	}
	// A backend of its own: the library's global one would share keys and log to the standard error.
	backend := stripego.GetBackendWithConfig(stripego.APIBackend, b)
	return &Gateway{api: client.New(c.Key, &stripego.Backends{API: backend, Connect: backend, Uploads: backend}), secret: c.WebhookSecret}, nil
}

// Provider is "stripe".
func (*Gateway) Provider() string { return "stripe" }

// Limits are the least and the most that one charge may be. Stripe wants half a dollar, or the like in the currency
// that it settles in; 15.000 ₫ is above all of these by some reserve for the exchange rate. An amount has eight digits at most
// (docs.stripe.com/currencies, minimum and maximum charge amounts).
func (*Gateway) Limits() (least, most money.VND) { return 15_000, 99_999_999 }

// begin bounds the time of one verb.
func begin(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, verb)
}

// keyed are the parameters of a write. Stripe knows one space of keys for all verbs and for all programs that use the
// account, so verb and object are part of the key.
func keyed(ctx context.Context, verb, object, key string) stripego.Params {
	p := stripego.Params{Context: ctx}
	p.SetIdempotencyKey(verb + ":" + object + ":" + key)
	return p
}

// Never passing again, although Stripe calls these invalid requests.
var passing = map[stripego.ErrorCode]bool{
	stripego.ErrorCodeBalanceInsufficient:   true, // the next payments fill it
	stripego.ErrorCodeLockTimeout:           true,
	stripego.ErrorCodeRateLimit:             true,
	stripego.ErrorCodeIdempotencyKeyInUse:   true,
	stripego.ErrorCodePlatformAPIKeyExpired: true,
	stripego.ErrorCodeAPIKeyExpired:         true,
}

// explain turns Stripe's error into one of ours. Of its text nothing is kept: it may repeat what a buyer typed.
func explain(what string, err error) error {
	e, ok := errors.AsType[*stripego.Error](err)
	if !ok {
		return fmt.Errorf("stripe: %s: %w", what, err)
	}
	told := fmt.Sprintf("%s, code %q, parameter %q, status %d, request %s", e.Type, e.Code, e.Param, e.HTTPStatusCode, e.RequestID)
	if e.DeclineCode != "" {
		told += fmt.Sprintf(", declined: %q", e.DeclineCode)
	}
	switch {
	case e.Code == stripego.ErrorCodeResourceMissing:
		return fmt.Errorf("stripe: %s: %w (%s)", what, payment.ErrUnknownRef, told)
	case final(e):
		return fmt.Errorf("stripe: %s: %w (%s)", what, payment.ErrRefused, told)
	}
	return fmt.Errorf("stripe: %s: %s", what, told)
}

// final reports whether asking again would be answered the same.
func final(e *stripego.Error) bool {
	if passing[e.Code] || e.Type != stripego.ErrorTypeCard && e.Type != stripego.ErrorTypeInvalidRequest {
		return false
	}
	switch e.HTTPStatusCode {
	case http.StatusBadRequest, http.StatusPaymentRequired, http.StatusNotFound:
		return true
	}
	return false // wrong key, too many requests: somebody mends it
}

// quiet hands the library's warnings to our log, without what it would print into them.
type quiet struct{}

func (quiet) Debugf(string, ...any) {}
func (quiet) Infof(string, ...any)  {}

func (quiet) Warnf(format string, _ ...any)  { slog.Warn("stripe", "said", format) }
func (quiet) Errorf(format string, _ ...any) { slog.Warn("stripe", "said", format) }
