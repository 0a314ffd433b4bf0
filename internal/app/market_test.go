package app_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

// noon is the moment at which the tests' clock begins: a Sunday in Vietnam.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, clock.HCM)

// today is its date.
var today = clock.On(noon)

// password opens every account of the tests.
const password = "mat-khau-cua-phep-thu"

// scratch is a folder for what all tests share; it goes with them.
var scratch string

func TestMain(m *testing.M) {
	// A text without a translation is a fault of a page that no status shows.
	var missing atomic.Int64
	i18n.Missing = func(l i18n.Locale, key string) {
		missing.Add(1)
		os.Stderr.WriteString("no text in " + string(l) + ": " + key + "\n")
	}
	// The log of all tests is kept, to be searched for what people typed.
	var log bytes.Buffer
	var err error
	if scratch, err = os.MkdirTemp("", "ocop-flows-"); err != nil {
		panic(err)
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	code := m.Run()
	for _, private := range []string{"Hàng Gai", "0912 345 678", "84912345678", "hoa@vidu.vn", "Nguyễn Thị Hòa", password} {
		if code == 0 && strings.Contains(log.String(), private) {
			os.Stderr.WriteString("the log holds " + private + "\n")
			code = 1
		}
	}
	_ = os.RemoveAll(scratch)
	if code == 0 && missing.Load() > 0 {
		code = 1
	}
	os.Exit(code)
}

// market is the whole program on a database and a Redis of its own, with a clock that stands still.
type market struct {
	*app.App
	clock   *clock.Settable
	mails   *testkit.Mailbox
	texts   *testkit.Textbox
	queries *testkit.Queries
	redis   *testkit.RedisServer
	cards   *testcard.Gateway // where the configuration asks for the test gateway
}

type setup func(*config.Config)

// open starts the program beside other tests.
func open(t *testing.T, changes ...setup) *market {
	t.Helper()
	t.Parallel()
	return start(t, changes...)
}

// start builds the program; the test ends with a look at every invariant.
func start(t *testing.T, changes ...setup) *market {
	t.Helper()
	m := &market{clock: clock.Fixed(noon), mails: &testkit.Mailbox{}, texts: &testkit.Textbox{}, queries: &testkit.Queries{}, redis: testkit.Redis(t)}
	cfg := config.Config{Mode: config.Development, Data: t.TempDir(), BaseURL: "http://cho.test", DatabaseURL: testkit.DSN(t), RedisURL: m.redis.URL(),
		VietQRTTL: 15 * time.Minute, CodesPerDay: 10, CodesPerAddress: 300, Operator: config.Operator{Name: "Đơn vị thử", Email: "thu@cho.example"}}
	for _, c := range changes {
		c(&cfg)
	}
	o := app.Options{Clock: m.clock, Sender: m.mails, Texter: m.texts, Tracer: m.queries}
	if cfg.Card == config.CardTest {
		m.openCards(t, cfg)
		o.Card = m.cards
	}
	a, err := app.New(context.Background(), cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	t.Cleanup(func() { m.examine(t) })
	m.App = a
	return m
}

func (m *market) examine(t *testing.T) {
	t.Helper()
	findings, err := m.Examine(context.Background())
	if err != nil {
		t.Error(err)
	}
	for _, f := range findings {
		if f.Violations != 0 {
			t.Errorf("%s: %d violations", f.Name, f.Violations)
		}
	}
}

// index makes the search rows of everything that was built.
func (m *market) index(t *testing.T) {
	t.Helper()
	if err := m.Search.RefreshAll(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// visitor is somebody new at the door.
func (m *market) visitor(t *testing.T) *testkit.Visitor {
	t.Helper()
	return testkit.NewVisitor(t, m.Handler())
}

// slugOf is a product's part of its address.
func (m *market) slugOf(t *testing.T, product int64) string {
	t.Helper()
	var slug string
	testkit.Scan(t, m.DB, &slug, `SELECT slug FROM product WHERE id = $1`, product)
	return slug
}

// stock is what may still be promised of a product.
func (m *market) stock(t *testing.T, product int64) int64 {
	t.Helper()
	id := testkit.VariantOf(t, m.DB, product)
	left, err := m.Stock.Available(context.Background(), m.DB.Primary(context.Background()), []int64{id})
	if err != nil {
		t.Fatal(err)
	}
	return left[id]
}

// count is the answer to a counting query.
func (m *market) count(t *testing.T, query string) int64 {
	t.Helper()
	var n int64
	testkit.Scan(t, m.DB, &n, query)
	return n
}

// text is a text of the site.
func text(l i18n.Locale, key string, args ...any) string {
	named := map[string]any{}
	for i := 0; i+1 < len(args); i += 2 {
		named[args[i].(string)] = args[i+1]
	}
	return i18n.T(l, key, named)
}

// put lays products into a visitor's basket, each from its page.
func (m *market) put(t *testing.T, v *testkit.Visitor, lang string, products ...int64) *testkit.Answer {
	t.Helper()
	var a *testkit.Answer
	for _, p := range products {
		a = v.Open(lang + "/san-pham/" + m.slugOf(t, p)).Form("form#buy").Submit("").Follow()
		a.Is(200).Whole()
	}
	return a
}

// checkout is the form of checkout, filled in as far as the address and priced.
func (m *market) checkout(t *testing.T, v *testkit.Visitor, lang string) *testkit.Form {
	t.Helper()
	f := v.Open(lang + "/thanh-toan").Form("form[data-checkout]")
	f.Fill("name", "Nguyễn Thị Hòa").Fill("phone", "0912 345 678").Fill("email", "hoa@vidu.vn").Fill("province", "01")
	a := f.Submit("do=update")
	a.Is(200).Whole()
	return a.Form("form[data-checkout]").Fill("commune", "00070").Fill("street", "12 phố Hàng Gai").Fill("consent_terms", "1")
}

// buy places what lies in the basket and opens the status page.
func (m *market) buy(t *testing.T, v *testkit.Visitor, lang, method string) *testkit.Answer {
	t.Helper()
	a := m.checkout(t, v, lang).Fill("method", method).Submit("do=place")
	a.Is(303)
	return a.Follow().Is(200).Whole()
}

// work lets the workers run until a condition holds.
func (m *market) work(t *testing.T, done func() bool) {
	t.Helper()
	runner, err := m.Work(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := runner.Stop(stop); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "the workers finish", done)
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if done() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}

// codeOf is the purchase code in the address of a status page.
func codeOf(a *testkit.Answer) string {
	return a.URL.Path[strings.LastIndex(a.URL.Path, "/")+1:]
}
