package app_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/testkit"
)

func withBank(c *config.Config) { c.BankSecret = testkit.BankSecret }

// bank is the sellers' bank.
func (m *market) bank() *testkit.Bank {
	return &testkit.Bank{Handler: m.Handler(), Clock: m.clock, Secret: testkit.BankSecret}
}

// transfer is the notice of a transfer made as the page asks.
func (m *market) transfer(t *testing.T, s shown, id string) reconcile.Notice {
	t.Helper()
	var amount int64
	testkit.Scan(t, m.DB, &amount, `SELECT amount FROM payment WHERE reference = $1`, s.code)
	return reconcile.Notice{TransactionID: id, AccountNo: s.account, Amount: money.VND(amount), Memo: "MBVCB.1." + s.memo + ".CT tu 0011", At: m.clock.Now()}
}

// working runs the jobs until the test ends.
func (m *market) working(t *testing.T) {
	t.Helper()
	r, err := m.Work(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = r.Stop(ctx)
	})
}

// stream opens the stream of a page and returns its lines as they come.
func stream(t *testing.T, url string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	h := answer.Header
	if answer.StatusCode != 200 || !strings.HasPrefix(h.Get("Content-Type"), "text/event-stream") || h.Get("X-Accel-Buffering") != "no" || h.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", answer.StatusCode, h)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer answer.Body.Close()
		for s := bufio.NewScanner(answer.Body); s.Scan(); {
			if s.Text() != "" {
				lines <- s.Text()
			}
		}
	}()
	return lines
}

// hears waits for an event and returns how long it took.
func hears(t *testing.T, lines <-chan string, most time.Duration) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		select {
		case l, open := <-lines:
			if l == "event: doi" {
				return time.Since(begin)
			}
			if !open {
				t.Fatal("the stream ended without an event")
			}
		case <-time.After(most - time.Since(begin)):
			t.Fatalf("nothing was heard in %s", most)
		}
	}
}

func TestAPageHearsOfItsMoneyAtOnce(t *testing.T) {
	m := open(t, withBank)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	page := m.buy(t, v, "", "vietqr")
	asks := pays(t, m, page)
	if refresh := page.Find("noscript").Text() + page.Find("noscript").Children().AttrOr("content", ""); !strings.Contains(refresh, "15;url=/don-hang/") {
		t.Errorf("without script the page does not ask again: %q", refresh)
	}
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	m.working(t)
	address := server.URL + page.Find("main").AttrOr("data-news", "?")
	lines := stream(t, address)
	other := stream(t, address) // the same purchase on another phone
	m.bank().Deliver(t, m.transfer(t, asks, "FT1"))
	t.Logf("heard after %s and %s", hears(t, lines, 10*time.Second), hears(t, other, 10*time.Second))
	paid := v.Open(page.URL.String()).Says(text(i18n.VI, "order.state.placed"))
	if paid.Find("[data-news], noscript").Length() != 0 || paid.Find("section[aria-labelledby=pay-now]").Length() != 0 {
		t.Error("the paid page still waits")
	}
	// A page that is still open from before is told at once; one that shows what is has nothing to wait for.
	hears(t, stream(t, address), 5*time.Second)
	if a := v.Get("/don-hang/" + codeOf(page) + "/tin?khoa=" + page.URL.Query().Get("khoa")); a.Status != http.StatusNoContent {
		t.Errorf("nothing to wait for: %d", a.Status)
	}
	if a := v.Get(strings.TrimPrefix(address, server.URL) + "&hoi=1"); a.Status != 200 || !strings.Contains(a.Body, `"cho":false`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	v.Get("/don-hang/" + codeOf(page) + "/tin?khoa=x").Is(404)
}

func TestAPageHearsOfItsMoneyWithoutRedis(t *testing.T) {
	m := open(t, withBank)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	page := m.buy(t, v, "", "vietqr")
	asks := pays(t, m, page)
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	m.redis.Stop()
	m.working(t)
	var all []<-chan string
	for range 20 {
		all = append(all, stream(t, server.URL+page.Find("main").AttrOr("data-news", "?")))
	}
	time.Sleep(500 * time.Millisecond)
	asked := m.queries.During(func() {
		m.bank().Deliver(t, m.transfer(t, asks, "FT1"))
		for _, lines := range all {
			hears(t, lines, 15*time.Second)
		}
	})
	looks := 0
	for _, q := range asked {
		if strings.Contains(q, "max(h.id) AS stamp") {
			looks++
		}
	}
	if looks > 6 {
		t.Errorf("%d looks for twenty pages", looks)
	}
}

func TestStreamsEndWithTheServerAndHaveBounds(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	page := m.buy(t, v, "", "vietqr")
	server := &http.Server{Handler: m.Handler(), ReadTimeout: time.Second, WriteTimeout: time.Second}
	server.RegisterOnShutdown(m.EndStreams)
	running := httptest.NewUnstartedServer(nil)
	running.Config = server
	running.Start()
	address := running.URL + page.Find("main").AttrOr("data-news", "?")
	var all []<-chan string
	for range 200 {
		all = append(all, stream(t, address))
	}
	if a, err := http.Get(address); err != nil || a.StatusCode != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %v %v", a, err)
	}
	// The server's bounds are for pages: after a second and a half the streams are still open.
	time.Sleep(1500 * time.Millisecond)
	for i, lines := range all[:3] {
		if l := <-lines; l != "retry: 3000" {
			t.Errorf("stream %d: %q", i, l)
		}
		select {
		case l, open := <-lines:
			t.Errorf("stream %d: %q %v", i, l, open)
		default:
		}
	}
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
	for i, lines := range all {
		for l := range lines {
			if strings.HasPrefix(l, "event") {
				t.Errorf("stream %d: %q", i, l)
			}
		}
	}
}

func TestTheWholeWayFromABankToTheList(t *testing.T) {
	m := open(t, withBank)
	coconut, tea := goods(t, m)
	v := m.visitor(t)
	var notices []reconcile.Notice
	var pages []*testkit.Answer
	for i := range 3 {
		m.put(t, v, "", coconut, tea)
		page := m.buy(t, v, "", "vietqr")
		n := m.transfer(t, pays(t, m, page), fmt.Sprint("FT", i))
		if i == 2 {
			n.Amount -= 500
		}
		notices, pages = append(notices, n), append(pages, page)
	}
	m.bank().Deliver(t, notices...)
	m.work(t, func() bool { return m.count(t, `SELECT count(*) FROM bank_notice WHERE state = 'received'`) == 0 })
	for i, page := range pages {
		again := v.Open(page.URL.String())
		if paid := strings.Contains(again.Body, "Lần 2/2"); paid != (i < 2) {
			t.Errorf("purchase %d: paid %v", i, paid)
		}
	}
	if n := m.count(t, `SELECT count(*) FROM bank_notice WHERE state = 'unmatched' AND reason = 'under'`); n != 1 {
		t.Errorf("%d on the list", n)
	}
}
