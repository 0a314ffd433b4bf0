package app

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"choocop.vn/ocop/internal/adapter/stripe"
	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/web/shop"
)

// stripePages is where Stripe shows its pages to pay on.
const stripePages = "https://checkout.stripe.com"

// openCards builds the gateway that takes cards, if any does.
func (a *App) openCards(o Options) error {
	cfg := a.Config
	if o.Card != nil {
		a.Card = o.Card
		a.testCard, _ = o.Card.(*testcard.Gateway)
		return nil
	}
	switch cfg.Card {
	case config.CardStripe:
		g, err := stripe.New(stripe.Config{Key: cfg.Stripe.Key, WebhookSecret: cfg.Stripe.WebhookSecret})
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		if cfg.InProduction() && strings.Contains(cfg.Stripe.Key, "_test_") {
			slog.Warn("OCOP_STRIPE_KEY is a test key: goods are sold for money that is not real")
		}
		a.Card = g
	case config.CardTest:
		g, err := testcard.New(testcard.Config{Folder: filepath.Join(cfg.Data, "testcard"), BaseURL: cfg.BaseURL, Clock: a.Clock})
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		a.Card, a.testCard = g, g
	}
	return nil
}

// payPages are the sites to which a form of ours may lead a buyer: browsers hold the redirect after a form against the
// page's own policy.
func payPages(cfg config.Config) []string {
	if cfg.Card == config.CardStripe {
		return []string{stripePages}
	}
	return nil
}

// testCards shows the test gateway to its page, or is nil.
func (a *App) testCards() shop.TestCards {
	if a.testCard == nil {
		return nil
	}
	return testCards{a.testCard}
}

type testCards struct{ gateway *testcard.Gateway }

func (t testCards) Show(ref string) (shop.TestPage, error) {
	v, err := t.gateway.Show(ref)
	return shop.TestPage(v), err
}

func (t testCards) Decide(ref, outcome string) (shop.TestPage, error) {
	v, err := t.gateway.Decide(ref, outcome)
	if errors.Is(err, testcard.ErrNotOpen) {
		err = nil // the page says so
	}
	return shop.TestPage(v), err
}
