package testkit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

func TestTheCardProviderLosesAnswersAndGoesAway(t *testing.T) {
	ctx := context.Background()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, clock.HCM)
	cards := testkit.NewCards(t, clock.Fixed(noon))
	opening := payment.Opening{Key: "1", Reference: "7K4M-92QX", Amount: 250_000, Expires: noon.Add(time.Hour)}
	cards.LoseAnswers(1)
	if _, err := cards.Open(ctx, opening); !errors.Is(err, testkit.ErrNoAnswer) {
		t.Fatal(err)
	}
	page, err := cards.Open(ctx, opening)
	if err != nil || cards.Calls("open") != 2 {
		t.Fatal(err)
	}
	cards.Pay(page.Ref, testcard.Doubled)
	if a, b := cards.Notice(), cards.Notice(); a != b || a.Ref != page.Ref {
		t.Errorf("%+v, %+v", a, b)
	}
	cards.GoAway(true)
	if _, err := cards.Look(ctx, page.Ref); !errors.Is(err, testkit.ErrNoAnswer) {
		t.Error(err)
	}
	cards.GoAway(false)
	s, err := cards.Look(ctx, page.Ref)
	if err != nil || s.State != payment.StandingPaid {
		t.Errorf("%+v, %v", s, err)
	}
	cards.LoseAnswers(1)
	back := payment.PayBack{Key: "r", MoneyRef: s.MoneyRef, Amount: 250_000}
	if _, err := cards.PayBack(ctx, back); !errors.Is(err, testkit.ErrNoAnswer) {
		t.Error(err)
	}
	if r, err := cards.PayBack(ctx, back); err != nil || r.Amount != 250_000 {
		t.Errorf("asked again: %+v, %v", r, err)
	}
}
