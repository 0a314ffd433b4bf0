package testkit

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/web/hook"
)

// BankSecret is what the fake bank signs with.
const BankSecret = "a-secret-between-the-tests-and-their-bank"

// Bank sends signed notices as a bank does: at any time, twice, in any order.
type Bank struct {
	Handler http.Handler
	Clock   clock.Clock
	Secret  string
}

// Notice is the body of a notice.
func (b *Bank) Notice(n reconcile.Notice) []byte {
	body, err := json.Marshal(map[string]any{"transaction_id": n.TransactionID, "account_no": n.AccountNo, "bank_bin": n.BankBIN,
		"amount": int64(n.Amount), "memo": n.Memo, "time": n.At.Format(time.RFC3339), "balance": 12_345_678})
	if err != nil {
		panic("testkit: " + err.Error()) // plain values always marshal
	}
	return body
}

// Send signs a body and posts it; the answer is its status and its line.
func (b *Bank) Send(body []byte) (int, string) {
	at := b.Clock.Now()
	return b.SendSigned(body, at, hook.SignBank(b.Secret, at, body))
}

// SendSigned posts a body with a time and a signature of one's own.
func (b *Bank) SendSigned(body []byte, at time.Time, signature string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, "/hooks/bank", bytes.NewReader(body))
	r.Header.Set(hook.BankTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(hook.BankSignature, signature)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	b.Handler.ServeHTTP(w, r)
	answer, _ := io.ReadAll(w.Body)
	return w.Code, string(answer)
}

// Deliver sends all notices twice, in an order of chance, and fails the test unless each is taken.
func (b *Bank) Deliver(t testing.TB, notices ...reconcile.Notice) {
	t.Helper()
	all := append(append([]reconcile.Notice(nil), notices...), notices...)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, n := range all {
		if status, said := b.Send(b.Notice(n)); status != http.StatusOK {
			t.Errorf("notice %s: %d %s", n.TransactionID, status, said)
		}
	}
}
