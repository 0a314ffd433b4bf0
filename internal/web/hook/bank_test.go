package hook_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/testkit"
	"choocop.vn/ocop/internal/web/hook"
)

// ledger keeps what came in.
type ledger struct {
	all  []reconcile.Notice
	away bool
}

func (l *ledger) Take(_ context.Context, n reconcile.Notice) (reconcile.Told, error) {
	if l.away {
		return "", errors.New("the database is away")
	}
	l.all = append(l.all, n)
	return reconcile.ToldNew, nil
}

const oldSecret = "the secret that is on its way out, soon"

func bank(t *testing.T) (*ledger, *testkit.Bank, *clock.Settable) {
	t.Helper()
	client, err := redis.Open(context.Background(), redis.Config{URL: testkit.Redis(t).URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	l, c := &ledger{}, clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	e := gin.New()
	(&hook.Hooks{Limiter: client.Limiter(), Bank: hook.Bank{Secrets: []string{testkit.BankSecret, oldSecret}, Book: l, Clock: c}}).Routes(e)
	return l, &testkit.Bank{Handler: e, Clock: c, Secret: testkit.BankSecret}, c
}

const fine = `{"transaction_id":"FT26328001","account_no":"0011001234567","bank_bin":"970436","amount":250000,"memo":"OCOP K7M492QXA","time":"2026-11-22T10:00:00+07:00","note":{"a":[1.5]}}`

func TestASignedBankNoticeIsStored(t *testing.T) {
	l, b, _ := bank(t)
	for _, secret := range []string{testkit.BankSecret, oldSecret} {
		b.Secret = secret
		if status, said := b.Send([]byte(fine)); status != http.StatusOK || said != "stored\n" {
			t.Fatalf("%d %s", status, said)
		}
	}
	want := reconcile.Notice{Source: "bank", TransactionID: "FT26328001", AccountNo: "0011001234567", BankBIN: "970436", Amount: 250_000, Memo: "OCOP K7M492QXA",
		At: time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)}
	if len(l.all) != 2 || l.all[0] != want {
		t.Fatalf("%+v", l.all)
	}
}

func TestForgedOldAndReplayedNoticesLeaveNothing(t *testing.T) {
	l, b, c := bank(t)
	now := c.Now()
	good := hook.SignBank(testkit.BankSecret, now, []byte(fine))
	for name, try := range map[string]struct {
		body      string
		at        time.Time
		signature string
	}{
		"no signature":         {fine, now, ""},
		"secret of another":    {fine, now, hook.SignBank("another secret, as long as ours are", now, []byte(fine))},
		"body changed":         {strings.Replace(fine, "250000", "950000", 1), now, good},
		"time changed":         {fine, now.Add(time.Second), good},
		"too old":              {fine, now.Add(-5*time.Minute - time.Second), hook.SignBank(testkit.BankSecret, now.Add(-5*time.Minute-time.Second), []byte(fine))},
		"of the future":        {fine, now.Add(5*time.Minute + time.Second), hook.SignBank(testkit.BankSecret, now.Add(5*time.Minute+time.Second), []byte(fine))},
		"no version":           {fine, now, strings.TrimPrefix(good, "v1=")},
		"half a signature":     {fine, now, good[:40]},
		"empty signature":      {fine, now, "v1="},
		"signature of nothing": {fine, now, hook.SignBank(testkit.BankSecret, now, nil)},
	} {
		if status, _ := b.SendSigned([]byte(try.body), try.at, try.signature); status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, status)
		}
	}
	c.Advance(6 * time.Minute)
	if status, _ := b.SendSigned([]byte(fine), now, good); status != http.StatusBadRequest {
		t.Errorf("replayed after six minutes: %d", status)
	}
	if len(l.all) != 0 {
		t.Errorf("%+v", l.all)
	}
	// Of several signatures one is enough.
	at := c.Now()
	if status, _ := b.SendSigned([]byte(fine), at, "v0=00, v1=zz, "+hook.SignBank(oldSecret, at, []byte(fine))); status != http.StatusOK {
		t.Error(status)
	}
}

func TestNoticesAreReadStrictly(t *testing.T) {
	l, b, _ := bank(t)
	change := func(from, to string) string { return strings.Replace(fine, from, to, 1) }
	for _, body := range []string{
		"", "[]", "null", "{}", fine + "x", fine + fine, change("250000", "250000.5"), change("250000", "2.5e5"), change("250000", `"250000"`), change("250000", "null"),
		change("250000", "9223372036854775808"), change("250000", "9000000000000000"), change(`"FT26328001"`, `""`), change(`"FT26328001"`, "7"),
		change("FT26328001", strings.Repeat("x", 101)), change("FT26328001", `a\u0000b`), change("FT26328001", `a\nb`), change("0011001234567", "0011 00"), change("0011001234567", ""),
		change("970436", "9704"), change("OCOP K7M492QXA", strings.Repeat("x", 1001)), change("OCOP K7M492QXA", `\u0000`), change("2026-11-22T10:00:00+07:00", "22/11/2026"),
		change("2026-11-22T10:00:00+07:00", "0001-01-01T00:00:00Z"),
	} {
		if status, said := b.Send([]byte(body)); status != http.StatusUnprocessableEntity || !strings.HasPrefix(said, "not understood") {
			t.Errorf("%.80q: %d %s", body, status, said)
		}
	}
	if status, _ := b.Send([]byte(change("OCOP K7M492QXA", strings.Repeat("x", 17<<10)))); status != http.StatusRequestEntityTooLarge {
		t.Error(status)
	}
	for _, amount := range []string{"0", "-250000"} {
		if status, said := b.Send([]byte(change("250000", amount))); status != http.StatusOK || said != "ignored: not a credit\n" {
			t.Errorf("%s: %d %s", amount, status, said)
		}
	}
	if len(l.all) != 0 {
		t.Errorf("%+v", l.all)
	}
	for _, body := range []string{change(`"bank_bin":"970436",`, ""), change("OCOP K7M492QXA", ""), change("OCOP K7M492QXA", "đơn hàng của mẹ")} {
		if status, said := b.Send([]byte(body)); status != http.StatusOK {
			t.Errorf("%s: %d %s", body, status, said)
		}
	}
	l.away = true
	if status, said := b.Send([]byte(fine)); status != http.StatusServiceUnavailable || strings.Contains(said, "database") {
		t.Errorf("%d %s", status, said)
	}
}

func TestWithoutASecretThereIsNoAddress(t *testing.T) {
	e := gin.New()
	(&hook.Hooks{}).Routes(e)
	b := &testkit.Bank{Handler: e, Clock: clock.System(), Secret: ""}
	if status, _ := b.Send([]byte(fine)); status != http.StatusNotFound {
		t.Error(status)
	}
}
