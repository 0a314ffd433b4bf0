package testkit

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// ErrNoAnswer is what a caller sees when the provider does not answer, whether or not it did what was asked.
var ErrNoAnswer = errors.New("testkit: the card provider does not answer")

// Cards is a card provider with state and with faults at will: it may be away, or do what it is asked and lose the
// answer. Its notices go nowhere by themselves: the test delivers them when, how often and in what order it wants.
type Cards struct {
	*testcard.Gateway
	t      testing.TB
	mu     sync.Mutex
	away   bool
	lose   int
	before func(verb string)
	calls  map[string]int
	posted chan Posted
}

// Posted is a notice on its way to the market.
type Posted struct {
	Path      string
	Body      []byte
	Signature string
}

// NewCards opens a provider of the test's own.
func NewCards(t testing.TB, c clock.Clock) *Cards {
	t.Helper()
	f := &Cards{t: t, calls: map[string]int{}, posted: make(chan Posted, 1000)}
	g, err := testcard.New(testcard.Config{Folder: t.TempDir(), BaseURL: "http://cho.test", Clock: c, Transport: postbox{f.posted}, Slow: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Stop)
	f.Gateway = g
	return f
}

// postbox takes the notices of the gateway instead of the network.
type postbox struct{ out chan<- Posted }

func (p postbox) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	p.out <- Posted{Path: r.URL.Path, Body: body, Signature: r.Header.Get(testcard.Header)}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(nil)), Request: r}, nil
}

// Posted is the next notice that the provider sends.
func (f *Cards) Posted() Posted {
	f.t.Helper()
	select {
	case p := <-f.posted:
		return p
	case <-time.After(15 * time.Second):
		f.t.Fatal("testkit: the card provider tells nothing")
		return Posted{}
	}
}

// Notice is the next notice, as Read understands it.
func (f *Cards) Notice() payment.Notice {
	f.t.Helper()
	p := f.Posted()
	n, err := f.Read(p.Body, p.Signature)
	if err != nil {
		f.t.Fatal(err)
	}
	return n
}

// GoAway lets nothing be asked or done until it is called with false.
func (f *Cards) GoAway(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
}

// LoseAnswers lets the next n verbs do what they are asked, and the answer get lost.
func (f *Cards) LoseAnswers(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose = n
}

// Before runs fn at the beginning of each verb, such as to let something else happen meanwhile.
func (f *Cards) Before(fn func(verb string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = fn
}

// Calls is how often a verb reached the provider: "open", "look", "close", "pay back", "find back", "look back", "dispute",
// "transfer", "reverse".
func (f *Cards) Calls(verb string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[verb]
}

// Pay is what a buyer does on the page, such as testcard.Success.
func (f *Cards) Pay(pageRef, outcome string) {
	f.t.Helper()
	if _, err := f.Decide(pageRef, outcome); err != nil {
		f.t.Fatal(err)
	}
}

// ask does a verb with the faults of the moment.
func ask[T any](f *Cards, verb string, do func() (T, error)) (T, error) {
	var nothing T
	f.mu.Lock()
	before, away := f.before, f.away
	f.mu.Unlock()
	if before != nil {
		before(verb)
	}
	if away {
		return nothing, ErrNoAnswer
	}
	out, err := do()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[verb]++
	if err == nil && f.lose > 0 {
		f.lose--
		return nothing, ErrNoAnswer
	}
	return out, err
}

// Open is the provider's verb, with faults.
func (f *Cards) Open(ctx context.Context, o payment.Opening) (payment.CardPage, error) {
	return ask(f, "open", func() (payment.CardPage, error) { return f.Gateway.Open(ctx, o) })
}

// Look is the provider's verb, with faults.
func (f *Cards) Look(ctx context.Context, pageRef string) (payment.Standing, error) {
	return ask(f, "look", func() (payment.Standing, error) { return f.Gateway.Look(ctx, pageRef) })
}

// Close is the provider's verb, with faults.
func (f *Cards) Close(ctx context.Context, pageRef string) (payment.Standing, error) {
	return ask(f, "close", func() (payment.Standing, error) { return f.Gateway.Close(ctx, pageRef) })
}

// PayBack is the provider's verb, with faults.
func (f *Cards) PayBack(ctx context.Context, b payment.PayBack) (payment.Returned, error) {
	return ask(f, "pay back", func() (payment.Returned, error) { return f.Gateway.PayBack(ctx, b) })
}

// FindBack is the provider's verb, with faults.
func (f *Cards) FindBack(ctx context.Context, moneyRef, key string) (payment.Returned, error) {
	return ask(f, "find back", func() (payment.Returned, error) { return f.Gateway.FindBack(ctx, moneyRef, key) })
}

// LookBack is the provider's verb, with faults.
func (f *Cards) LookBack(ctx context.Context, refundRef string) (payment.Returned, error) {
	return ask(f, "look back", func() (payment.Returned, error) { return f.Gateway.LookBack(ctx, refundRef) })
}

// LookDispute is the provider's verb, with faults.
func (f *Cards) LookDispute(ctx context.Context, disputeRef string) (payment.Contest, error) {
	return ask(f, "dispute", func() (payment.Contest, error) { return f.Gateway.LookDispute(ctx, disputeRef) })
}

// Transfer is the provider's verb, with faults.
func (f *Cards) Transfer(ctx context.Context, t payment.Transfer) (string, error) {
	return ask(f, "transfer", func() (string, error) { return f.Gateway.Transfer(ctx, t) })
}

// Reverse is the provider's verb, with faults.
func (f *Cards) Reverse(ctx context.Context, key, transferRef string, amount money.VND) error {
	_, err := ask(f, "reverse", func() (struct{}, error) { return struct{}{}, f.Gateway.Reverse(ctx, key, transferRef, amount) })
	return err
}
