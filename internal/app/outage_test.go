package app_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func (m *market) register(t *testing.T, roles ...account.Role) string {
	t.Helper()
	email := strings.ToLower(string(roles[0].Name)) + "@vidu.vn"
	if _, err := m.Accounts.Register(t.Context(), account.Registration{Email: email, Name: "Người thử", Password: password, Roles: roles, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	return email
}

func TestWithoutRedisTheShopSellsAndIsWholeWhenItIsBack(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	email := m.register(t, account.Role{Name: account.Admin})
	v := m.visitor(t)
	m.put(t, v, "", coconut)
	staff := m.visitor(t)
	signIn(staff, "", email, password).Is(303)
	staff.Open("/tai-khoan")
	m.visitor(t).Get("/readyz").Is(200)

	m.redis.Stop()
	for _, lang := range []string{"", "/en"} {
		for _, path := range []string{"/", "/san-pham", "/san-pham?q=dua", "/san-pham/" + m.slugOf(t, tea), "/tinh", "/diem-ban", "/gio-hang", "/dieu-khoan"} {
			began := time.Now()
			v.Open(lang + path)
			if d := time.Since(began); d > 3*time.Second {
				t.Errorf("%s took %s without Redis", path, d)
			}
		}
		m.put(t, v, lang, tea)
		m.buy(t, v, lang, "cod")
		m.put(t, v, lang, tea)
		pays(t, m, m.buy(t, v, lang, "vietqr"))
		// Signing in is what does not work, and says so in words.
		a := signIn(m.visitor(t), lang, email, password)
		if a.Status != http.StatusServiceUnavailable || a.Text("main") == "" {
			t.Errorf("%s signing in without Redis: %d %q", lang, a.Status, a.Body)
		} else {
			a.Whole().Says(text(localeOf(lang), "signin.away"))
		}
	}
	anon := m.visitor(t)
	anon.Get("/readyz").Is(503)
	anon.Get("/healthz").Is(200)

	m.redis.Start()
	eventually(t, "Redis is noticed again", func() bool { return anon.Get("/readyz").Status == 200 })
	signIn(staff, "", email, password).Is(303)
	staff.Open("/tai-khoan")
	m.put(t, v, "", coconut)
	m.buy(t, v, "", "cod")
}

// wire is a TCP proxy that can be cut and mended.
type wire struct {
	l      net.Listener
	to     string
	mu     sync.Mutex
	down   bool
	active map[net.Conn]bool
}

// tap stands before a PostgreSQL and returns the address that leads through it.
func tap(t *testing.T, dsn string) (*wire, string) {
	t.Helper()
	w := &wire{active: map[net.Conn]bool{}}
	var err error
	if w.l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	network, address, detour := testkit.Detour(t, dsn, w.l.Addr())
	w.to = address
	t.Cleanup(func() { w.l.Close(); w.cut() })
	go func() {
		for {
			in, err := w.l.Accept()
			if err != nil {
				return
			}
			go w.carry(in, network)
		}
	}()
	return w, detour
}

func (w *wire) carry(in net.Conn, network string) {
	defer in.Close()
	out, err := net.Dial(network, w.to)
	if err != nil {
		return
	}
	defer out.Close()
	w.mu.Lock()
	if w.down {
		w.mu.Unlock()
		return
	}
	w.active[in], w.active[out] = true, true
	w.mu.Unlock()
	go func() { _, _ = io.Copy(out, in); out.Close(); in.Close() }()
	_, _ = io.Copy(in, out)
	w.mu.Lock()
	delete(w.active, in)
	delete(w.active, out)
	w.mu.Unlock()
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = true
	for c := range w.active {
		c.Close()
	}
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = false
}

func TestWithoutPostgreSQLPagesSaySoAndComeBackByThemselves(t *testing.T) {
	var line *wire
	m := open(t, func(c *config.Config) { line, c.DatabaseURL = tap(t, c.DatabaseURL) })
	coconut, tea := goods(t, m)
	v, fresh := m.visitor(t), m.visitor(t)
	m.put(t, v, "", coconut, tea)
	form := m.checkout(t, v, "").Fill("method", "cod")
	fresh.Get("/readyz").Is(200)

	for round := range 2 {
		line.cut()
		for _, lang := range []string{"", "/en"} {
			l := localeOf(lang)
			for _, path := range []string{"/san-pham?q=moi" + string(rune('a'+round)), "/san-pham/" + m.Config.Mode, "/gio-hang", "/thanh-toan", "/don-hang/7K4M-92QX?khoa=x", "/xac-minh/OCOP-7K4M-92QX", "/tinh/vinh-long"} {
				for _, who := range []interface {
					Get(string) *testkit.Answer
				}{v, fresh} {
					if who == fresh && (path == "/gio-hang" || path == "/thanh-toan") {
						continue // without a basket nothing is asked
					}
					began := time.Now()
					a := who.Get(lang + path)
					if a.Status != 503 {
						t.Errorf("%s%s answers %d:\n%s", lang, path, a.Status, a.Text("main"))
						continue
					}
					a.Whole().Says(text(l, "error.away.title"))
					if a.Header.Get("Retry-After") == "" || a.Header.Get("Cache-Control") != "no-store" {
						t.Errorf("%s: Retry-After %q, Cache-Control %q", path, a.Header.Get("Retry-After"), a.Header.Get("Cache-Control"))
					}
					if d := time.Since(began); d > 5*time.Second {
						t.Errorf("%s took %s", path, d)
					}
				}
			}
		}
		form.Submit("do=place").Is(503)
		fresh.Get("/readyz").Is(503)
		fresh.Get("/healthz").Is(200)
		fresh.Get("/robots.txt").Is(200)

		line.mend()
		eventually(t, "the database is noticed again", func() bool { return fresh.Get("/readyz").Status == 200 })
		v.Open("/gio-hang").Says("Dừa sáp Trà Vinh")
		fresh.Open("/san-pham")
	}
	// The form that failed goes through unchanged.
	form.Submit("do=place").Follow().Is(200).Says(text(i18n.VI, "order.state.placed"))
	if n := m.count(t, `SELECT count(*) FROM order_group`); n != 1 {
		t.Errorf("%d purchases", n)
	}
}
