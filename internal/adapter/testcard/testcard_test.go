package testcard_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

var (
	ctx  = context.Background()
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, clock.HCM)
)

// desk is a gateway and a market that takes its notices.
type desk struct {
	*testcard.Gateway
	t      *testing.T
	clock  *clock.Settable
	config testcard.Config
	mu     sync.Mutex
	told   []payment.Notice
	deaf   int // how many notices are not taken
}

func open(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, clock: clock.Fixed(noon)}
	market := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.deaf > 0 {
			d.deaf--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		n, err := d.Read(body, r.Header.Get(testcard.Header))
		if err != nil || r.URL.Path != "/hooks/test" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		d.told = append(d.told, n)
	}))
	d.config = testcard.Config{Folder: t.TempDir(), BaseURL: market.URL, Clock: d.clock, Slow: 300 * time.Millisecond}
	d.begin()
	t.Cleanup(func() {
		d.Stop()
		market.Close()
	})
	return d
}

func (d *desk) begin() {
	d.t.Helper()
	g, err := testcard.New(d.config)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.Gateway = g
	d.mu.Unlock()
	if err := g.Resume(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) notices() []payment.Notice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.told
}

// hears waits for so many notices, and that no more come.
func (d *desk) hears(n int) []payment.Notice {
	d.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); len(d.notices()) < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("%d notices instead of %d", len(d.notices()), n)
		}
	}
	time.Sleep(30 * time.Millisecond)
	if got := d.notices(); len(got) != n {
		d.t.Fatalf("%d notices instead of %d", len(got), n)
	}
	return d.notices()
}

func (d *desk) page(key string) string {
	d.t.Helper()
	p, err := d.Open(ctx, payment.Opening{Key: key, Reference: "CHO-" + key, Text: "Chợ OCOP", Amount: 250_000, Locale: "vi", ReturnURL: "https://cho.example/ve", Expires: noon.Add(30 * time.Minute)})
	if err != nil {
		d.t.Fatal(err)
	}
	return p.Ref
}

func (d *desk) stands(ref string, want payment.StandingState) payment.Standing {
	d.t.Helper()
	s, err := d.Look(ctx, ref)
	if err != nil || s.State != want || s.Ref != ref {
		d.t.Fatalf("%+v, %v instead of %s", s, err, want)
	}
	if want == payment.StandingPaid && (s.Amount != 250_000 || s.MoneyRef == "") || want != payment.StandingPaid && (s.Amount != 0 || s.MoneyRef != "") {
		d.t.Errorf("%+v", s)
	}
	return s
}

func (d *desk) decide(ref, outcome string) testcard.View {
	d.t.Helper()
	v, err := d.Decide(ref, outcome)
	if err != nil {
		d.t.Fatalf("%s: %v", outcome, err)
	}
	return v
}

func TestAPageIsPaidAsItsVisitorChooses(t *testing.T) {
	for _, c := range []struct {
		outcomes []string
		paid     bool
		notices  int
	}{
		{[]string{"success"}, true, 1},
		{[]string{"declined"}, false, 0},
		{[]string{"declined", "declined", "success"}, true, 1},
		{[]string{"secure"}, false, 0},
		{[]string{"secure", "confirm"}, true, 1},
		{[]string{"secure", "refuse"}, false, 0},
		{[]string{"secure", "refuse", "success"}, true, 1},
		{[]string{"doubled"}, true, 2},
		{[]string{"lost"}, true, 0},
		{[]string{"success", "success", "declined"}, true, 1}, // pressed again
	} {
		t.Run(fmt.Sprint(c.outcomes), func(t *testing.T) {
			t.Parallel()
			d := open(t)
			ref := d.page("1")
			d.stands(ref, payment.StandingOpen)
			for _, o := range c.outcomes {
				v := d.decide(ref, o)
				if refused := o == "declined" || o == "refuse"; v.Declined != (refused && v.State == payment.StandingOpen) {
					t.Errorf("after %s: %+v", o, v)
				}
			}
			want := payment.StandingOpen
			if c.paid {
				want = payment.StandingPaid
			}
			d.stands(ref, want)
			for _, n := range d.hears(c.notices) {
				if n.Kind != payment.NoticeCharge || n.Ref != ref || !n.At.Equal(noon) || n.ID != d.notices()[0].ID {
					t.Errorf("%+v", n)
				}
			}
		})
	}
}

func TestALateNoticeComesAfterTheMoney(t *testing.T) {
	t.Parallel()
	d := open(t)
	ref := d.page("1")
	d.decide(ref, "slow")
	d.stands(ref, payment.StandingPaid)
	d.hears(0)
	d.hears(1)
}

func TestANoticeThatIsNotTakenComesAgain(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.deaf = 1
	d.decide(d.page("1"), "success")
	d.hears(1)
}

func TestAKilledGatewayRemembersPagesAndNotices(t *testing.T) {
	t.Parallel()
	d := open(t)
	ref := d.page("1")
	other := d.page("2")
	d.decide(ref, "slow")
	d.Stop()
	d.begin()
	d.stands(ref, payment.StandingPaid)
	d.stands(other, payment.StandingOpen)
	d.hears(1)
	if left, _ := filepath.Glob(filepath.Join(d.config.Folder, "notice", "*")); len(left) != 0 {
		t.Errorf("delivered and still there: %q", left)
	}
	if d.page("1") != ref {
		t.Error("the same key opens another page")
	}
}

func TestThePagesOfTwoKeysAndFoldersCannotBeGuessed(t *testing.T) {
	t.Parallel()
	d, e := open(t), open(t)
	if d.page("1") == d.page("2") || d.page("1") == e.page("1") {
		t.Error("refs meet")
	}
	p, err := d.Open(ctx, payment.Opening{Key: "en", Amount: 1_000, Locale: "en", Expires: noon.Add(time.Hour)})
	if err != nil || !strings.HasPrefix(p.URL, d.config.BaseURL+"/en/thanh-toan-the-thu/tp_") {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := d.Open(ctx, payment.Opening{Key: "en", Amount: 2_000, Expires: noon.Add(time.Hour)}); err == nil {
		t.Error("one key opened pages of two amounts")
	}
	if _, err := d.Open(ctx, payment.Opening{Key: "0", Expires: noon.Add(time.Hour)}); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("a page for nothing: %v", err)
	}
	for _, ref := range []string{"", "tp_", "../secret", "tp_../../secret", "tp_" + strings.Repeat("0", 32), "tm_" + strings.TrimPrefix(d.page("1"), "tp_"), d.page("1") + "x"} {
		if _, err := d.Look(ctx, ref); !errors.Is(err, payment.ErrUnknownRef) {
			t.Errorf("%q: %v", ref, err)
		}
		if _, err := d.Show(ref); !errors.Is(err, payment.ErrUnknownRef) {
			t.Errorf("%q: %v", ref, err)
		}
		if _, err := d.Decide(ref, "success"); !errors.Is(err, payment.ErrUnknownRef) {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestAClosedPageTakesNoMoney(t *testing.T) {
	t.Parallel()
	d := open(t)
	closed, late, paid := d.page("1"), d.page("2"), d.page("3")
	if s, err := d.Close(ctx, closed); err != nil || s.State != payment.StandingClosed {
		t.Errorf("%+v, %v", s, err)
	}
	d.decide(paid, "lost")
	if s, err := d.Close(ctx, paid); err != nil || s.State != payment.StandingPaid || s.Amount != 250_000 {
		t.Errorf("paid before it was closed: %+v, %v", s, err)
	}
	if _, err := d.Decide(late, "confirm"); !errors.Is(err, testcard.ErrNotOpen) {
		t.Errorf("confirmed what nobody asked: %v", err)
	}
	d.clock.Advance(30 * time.Minute)
	for _, ref := range []string{closed, late} {
		if _, err := d.Decide(ref, "success"); !errors.Is(err, testcard.ErrNotOpen) {
			t.Errorf("%v", err)
		}
		d.stands(ref, payment.StandingClosed)
	}
	if _, err := d.Decide(d.pageUntil("4", noon.Add(time.Hour)), "gift"); err == nil {
		t.Error("an outcome that nobody knows")
	}
}

func (d *desk) pageUntil(key string, expires time.Time) string {
	p, err := d.Open(ctx, payment.Opening{Key: key, Reference: "CHO-" + key, Amount: 250_000, Expires: expires})
	if err != nil {
		d.t.Fatal(err)
	}
	return p.Ref
}

func TestMoneyGoesBackOnceAndNeverMoreThanCame(t *testing.T) {
	t.Parallel()
	d := open(t)
	unpaid, ref := d.page("1"), d.page("2")
	d.decide(ref, "lost")
	moneyRef := d.stands(ref, payment.StandingPaid).MoneyRef
	back := func(key, moneyRef string, amount money.VND) (payment.Returned, error) {
		return d.PayBack(ctx, payment.PayBack{Key: key, MoneyRef: moneyRef, Amount: amount, Reason: "hết hàng"})
	}
	first, err := back("a", moneyRef, 100_000)
	if err != nil || first.State != payment.ReturnSent || first.Amount != 100_000 {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := back("a", moneyRef, 100_000); err != nil || again.Ref != first.Ref {
		t.Errorf("%+v, %v", again, err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	passed := 0
	for i := range 8 {
		wg.Go(func() {
			_, err := back(fmt.Sprint("race", i), moneyRef, 100_000)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				passed++
			} else if !errors.Is(err, payment.ErrRefused) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if passed != 1 {
		t.Errorf("%d of 8 refunds of 100.000 passed with 150.000 left", passed)
	}
	for _, amount := range []money.VND{0, -1, 50_001} {
		if _, err := back(fmt.Sprint("odd", amount), moneyRef, amount); !errors.Is(err, payment.ErrRefused) {
			t.Errorf("%s: %v", amount, err)
		}
	}
	if _, err := back("b", "tm_"+strings.TrimPrefix(unpaid, "tp_"), 1); !errors.Is(err, payment.ErrUnknownRef) {
		t.Errorf("money that never came: %v", err)
	}
	d.clock.Advance(5 * time.Second)
	if r, err := d.LookBack(ctx, first.Ref); err != nil || r.State != payment.ReturnDone || r.Amount != 100_000 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestADisputeIsToldAndSettled(t *testing.T) {
	t.Parallel()
	d := open(t)
	ref := d.page("1")
	if _, err := d.Dispute(ref, "open"); !errors.Is(err, payment.ErrUnknownRef) {
		t.Errorf("of a page that is not paid: %v", err)
	}
	d.decide(ref, "lost")
	for i, state := range []string{"open", "answered", "lost"} {
		dispute, err := d.Dispute(ref, state)
		if err != nil {
			t.Fatal(err)
		}
		c, err := d.LookDispute(ctx, dispute)
		if err != nil || c.State != state || c.Amount != 250_000 || c.MoneyRef != d.stands(ref, payment.StandingPaid).MoneyRef || !c.OpenedAt.Equal(noon) || c.AnswerBy == nil {
			t.Errorf("%+v, %v", c, err)
		}
		if n := d.hears(i + 1)[i]; n.Kind != payment.NoticeDispute || n.Ref != dispute {
			t.Errorf("%+v", n)
		}
	}
}

func TestSharesArePassedOnOnceAndTakenBack(t *testing.T) {
	t.Parallel()
	d := open(t)
	ref := d.page("1")
	d.decide(ref, "lost")
	share := payment.Transfer{Key: "t1", MoneyRef: d.stands(ref, payment.StandingPaid).MoneyRef, Reference: "A1", Account: "seller", Amount: 200_000}
	first, err := d.Transfer(ctx, share)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := d.Transfer(ctx, share); err != nil || again != first {
		t.Errorf("%q, %v", again, err)
	}
	share.Key = "t2"
	if _, err := d.Transfer(ctx, share); !errors.Is(err, payment.ErrRefused) {
		t.Errorf("more than was paid: %v", err)
	}
	for _, c := range []struct {
		key    string
		amount money.VND
		want   error
	}{{"r1", 150_000, nil}, {"r1", 150_000, nil}, {"r2", 100_000, payment.ErrRefused}, {"r2", 50_000, nil}} {
		if err := d.Reverse(ctx, c.key, first, c.amount); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestOnlyItsOwnSignatureCounts(t *testing.T) {
	t.Parallel()
	d, other := open(t), open(t)
	body := []byte(`{"id":"tn_1","kind":"charge","ref":"tp_1","at":1}`)
	good := d.Sign(body, noon)
	if _, err := d.Read(body, good); err != nil {
		t.Error(err)
	}
	for name, signature := range map[string]string{"missing": "", "nonsense": "v1", "another gateway's": other.Sign(body, noon), "of another body": d.Sign([]byte("x"), noon),
		"old": d.Sign(body, noon.Add(-6*time.Minute)), "of the future": d.Sign(body, noon.Add(6*time.Minute)), "with another time": strings.Replace(good, "t=1", "t=2", 1),
		"cut": good[:len(good)-2], "empty": "t=,v1="} {
		if n, err := d.Read(body, signature); !errors.Is(err, payment.ErrForged) {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
	for _, odd := range []string{"", "x", "{}", "[]"} {
		if _, err := d.Read([]byte(odd), d.Sign([]byte(odd), noon)); err == nil || errors.Is(err, payment.ErrForged) {
			t.Errorf("%q: %v", odd, err)
		}
	}
}

func TestItsFolderIsForItselfAlone(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.page("1")
	_ = filepath.WalkDir(d.config.Folder, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			t.Error(err)
			return nil
		}
		if i, _ := e.Info(); !e.IsDir() && i.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, i.Mode())
		}
		return nil
	})
}
