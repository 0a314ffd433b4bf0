package hook_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/testkit"
	"choocop.vn/ocop/internal/web/hook"
)

// signer is a provider whose signature is a word; its messages are their own number.
type signer struct{ payment.Gateway }

func (signer) Provider() string { return "test" }

func (signer) Read(body []byte, signature string) (payment.Notice, error) {
	if signature != "right" {
		return payment.Notice{}, payment.ErrForged
	}
	if len(body) == 0 {
		return payment.Notice{}, errors.New("empty")
	}
	return payment.Notice{ID: string(body), Kind: payment.NoticeCharge}, nil
}

// book remembers what it was given.
type book struct {
	mu    sync.Mutex
	notes map[string]int
	away  bool
}

func (b *book) RecordNotice(_ context.Context, n payment.Notice) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.away {
		return false, errors.New("the database is away")
	}
	b.notes[n.ID]++
	return b.notes[n.ID] == 1, nil
}

func hooks(t *testing.T) (*book, http.Handler) {
	t.Helper()
	client, err := redis.Open(context.Background(), redis.Config{URL: testkit.Redis(t).URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	b := &book{notes: map[string]int{}}
	e := gin.New()
	(&hook.Hooks{Limiter: client.Limiter(), Card: signer{}, Cards: b}).Routes(e)
	return b, e
}

func send(h http.Handler, body, signature, kind string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/hooks/test", strings.NewReader(body))
	r.Header.Set("Test-Signature", signature)
	r.Header.Set("Content-Type", kind)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestATrueMessageIsStoredOnceAndAnsweredAtOnce(t *testing.T) {
	b, h := hooks(t)
	for i, kind := range []string{"application/json", "application/x-www-form-urlencoded", ""} {
		if w := send(h, "a=1&b=2", "right", kind); w.Code != http.StatusOK {
			t.Errorf("time %d as %q: %d %s", i, kind, w.Code, w.Body)
		}
	}
	if b.notes["a=1&b=2"] != 3 {
		t.Errorf("%v", b.notes)
	}
}

func TestAForgedMessageLeavesNothingAndIsSlowed(t *testing.T) {
	b, h := hooks(t)
	slowed := 0
	for range 80 {
		switch w := send(h, "x", "wrong", "application/json"); w.Code {
		case http.StatusBadRequest:
		case http.StatusTooManyRequests:
			slowed++
		default:
			t.Fatal(w.Code, w.Body)
		}
	}
	if slowed < 10 || slowed > 20 {
		t.Errorf("%d of 80 were slowed", slowed)
	}
	if len(b.notes) != 0 {
		t.Errorf("%v", b.notes)
	}
	// Whoever forges from the same address does not shut out the provider.
	if w := send(h, "true", "right", "application/json"); w.Code != http.StatusOK {
		t.Errorf("a true message: %d", w.Code)
	}
}

func TestAMessageThatCannotBeStoredIsAskedForAgain(t *testing.T) {
	b, h := hooks(t)
	b.away = true
	w := send(h, "x", "right", "application/json")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "database") {
		t.Errorf("%d %q %s", w.Code, w.Header(), w.Body)
	}
}

func TestOversizedAndSenselessMessagesAreRefused(t *testing.T) {
	b, h := hooks(t)
	if w := send(h, strings.Repeat("x", 256<<10+1), "right", "application/json"); w.Code != http.StatusRequestEntityTooLarge {
		t.Error(w.Code)
	}
	if w := send(h, strings.Repeat("x", 256<<10), "right", "application/json"); w.Code != http.StatusOK {
		t.Error(w.Code)
	}
	if w := send(h, "", "right", "application/json"); w.Code != http.StatusUnprocessableEntity {
		t.Error(w.Code)
	}
	if len(b.notes) != 1 {
		t.Errorf("%d stored", len(b.notes))
	}
}
