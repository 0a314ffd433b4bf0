package browsertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/testkit"
)

// patience is how long a page may take to do what it should, on a busy machine.
const patience = 30 * time.Second

// browser is the one Chromium of the package; each tab has cookies of its own.
var browser context.Context

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	profile, err := os.MkdirTemp("", "chromium-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(profile)
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, end := chromedp.NewExecAllocator(context.Background(), flags...)
	defer end()
	ctx, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium does not start: run `make test`, or `sh deploy/dev/need.sh chromium`:", err)
		return 1
	}
	browser = ctx
	return m.Run()
}

// market is the whole program with a few goods, listening.
type market struct {
	*app.App
	url         string
	mails       *testkit.Mailbox
	nectar, tea int64
}

// open starts the program at a bare address.
func open(t *testing.T) *market {
	t.Helper()
	return openAt(t, "127.0.0.1")
}

// openAt starts the program under a name of this machine.
func openAt(t *testing.T, host string) *market {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	m := &market{url: "http://" + net.JoinHostPort(host, port), mails: &testkit.Mailbox{}}
	m.App, err = app.New(context.Background(), config.Config{Mode: config.Development, Data: t.TempDir(), BaseURL: m.url, DatabaseURL: testkit.DSN(t),
		RedisURL: testkit.Redis(t).URL(), VietQRTTL: 15 * time.Minute, Demo: true,
		Operator: config.Operator{Name: "Đơn vị thử", Email: "thu@cho.example"}}, app.Options{Sender: m.mails})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: m.Handler(), ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		m.Close()
	})
	south := testkit.Producer(t, m.DB, testkit.MakerName("Công ty TNHH Trà Vinh Farm"))
	north := testkit.Producer(t, m.DB, testkit.MakerName("Hợp tác xã chè Tân Cương"), testkit.MakerIn("19"))
	m.nectar = testkit.Product(t, m.DB, testkit.WithProducer(south), testkit.WithName("Mật hoa dừa", "Coconut blossom nectar"), testkit.WithStock(20))
	m.tea = testkit.Product(t, m.DB, testkit.WithProducer(north), testkit.WithName("Chè Tân Cương", "Tân Cương tea"), testkit.WithStock(20))
	if err := m.Search.RefreshAll(context.Background()); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *market) productPath(t *testing.T, id int64) string {
	t.Helper()
	var slug string
	testkit.Scan(t, m.DB, &slug, `SELECT slug FROM product WHERE id = $1`, id)
	return "/san-pham/" + slug
}

func (m *market) purchases(t *testing.T) int {
	t.Helper()
	var n int
	testkit.Scan(t, m.DB, &n, `SELECT count(*) FROM order_group`)
	return n
}

// tab is a window of somebody new at the market.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	complain []string
	refused  []string // paths below which refusals are part of the test
}

// tab opens a window; errors in its console fail the test.
func (m *market) tab(t *testing.T) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	b := &tab{t: t, ctx: ctx, url: m.url}
	messages := chromedp.Console(ctx)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.Type == chromedp.ConsoleError || message.IsException() {
				b.mu.Lock()
				if !b.expected(message.Text, message.URL) {
					b.complain = append(b.complain, message.Text+" "+message.URL)
				}
				b.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-read
		for _, c := range b.complaints() {
			t.Errorf("the console says: %s", c)
		}
	})
	b.look("light", 1280, 900)
	return b
}

// refusal is how the console tells of an answer from 400 to 499.
const refusal = "Failed to load resource: the server responded with a status of 4"

// mayBeRefused says that this tab asks for what it will not get, at a path or below it, in either language. Its console
// tells of that in its own time, even after the test has looked.
func (b *tab) mayBeRefused(path string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = append(b.refused, b.url+path, b.url+"/en"+path)
}

func (b *tab) expected(text, url string) bool {
	return strings.HasPrefix(text, refusal) && slices.ContainsFunc(b.refused, func(p string) bool { return url == p || strings.HasPrefix(url, p+"/") })
}

// complaints takes what the console has said since the last time.
func (b *tab) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.complain
	b.complain = nil
	return out
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		at, _ := chromedp.Run(b.ctx, chromedp.Location())
		b.t.Fatalf("%v, on %s", err, at)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.url + path))
}

// look sets the reader's colours and the size of the window. Nothing moves, so that nothing is measured half-way.
func (b *tab) look(scheme string, width, height int64) {
	b.t.Helper()
	how := chromedp.EmulateViewport(width, height)
	if width < 1000 {
		how = chromedp.EmulateViewport(width, height, chromedp.EmulateMobile)
	}
	b.do(how)
	_, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
	if err != nil {
		b.t.Fatal(err)
	}
}

// always runs a script in every page that the tab will open. The page's security policy does not hold it.
func (b *tab) always(script string) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
		b.t.Fatal(err)
	}
}

// eval is the value of an expression in the page, waited for where it is a promise.
func eval[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// until waits for a condition in the page, whatever page that is by then.
func (b *tab) until(condition string) {
	b.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		// A page that is just leaving has no answer.
		ok, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && ok {
			return
		}
	}
	at, _ := chromedp.Run(b.ctx, chromedp.Location())
	b.t.Fatalf("in vain: %s, on %s", condition, at)
}

// at waits until the tab shows a path.
func (b *tab) at(prefix string) {
	b.t.Helper()
	b.until(fmt.Sprintf("document.readyState === 'complete' && location.pathname.startsWith(%q)", prefix))
}

// settled waits until the checkout has its prices.
func (b *tab) settled() {
	b.t.Helper()
	b.do(chromedp.Sleep(120 * time.Millisecond))
	b.until("!document.querySelector('form[data-checkout]').hasAttribute('aria-busy')")
}

// tabTo goes by the Tab key to an element, and wants to see on the way where the focus is.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	var way []string
	for range 120 {
		b.do(chromedp.KeyEvent(kb.Tab))
		here := eval[string](b, fmt.Sprintf(`(() => {
			const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
			if (e === document.body) return "body";
			const seen = box.width > 0 && box.height > 0 && style.visibility !== "hidden" && style.outlineStyle !== "none";
			return (seen ? "" : "unseen ") + (e.matches(%q) ? "here" : e.tagName + " " + (e.id || e.name || e.textContent.trim()));
		})()`, selector))
		if strings.HasPrefix(here, "unseen") {
			b.t.Errorf("the focus cannot be seen on %s", here)
		}
		if strings.HasSuffix(here, "here") {
			return
		}
		way = append(way, here)
	}
	b.t.Fatalf("the Tab key does not lead to %s, only to: %s", selector, strings.Join(way, "; "))
}

func (b *tab) press(keys string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// enter presses the Enter key as one event: chromedp's own two would make a key press out of a key that
// the page has taken.
func (b *tab) enter() {
	b.t.Helper()
	down := input.DispatchKeyEventParams{Type: kb.KeyDown, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13, Text: "\r", UnmodifiedText: "\r"}
	up := down
	up.Type, up.Text, up.UnmodifiedText = kb.KeyUp, "", ""
	for _, k := range []input.DispatchKeyEventParams{down, up} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, k); err != nil {
			b.t.Fatal(err)
		}
	}
}
