package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"choocop.vn/ocop/internal/testkit"
)

// build makes the program once for all tests that run it as a process.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "ocop")
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", path, "choocop.vn/ocop/cmd/ocop").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// program is the market as a process of its own.
type program struct {
	t       *testing.T
	env     []string
	address string
	cmd     *exec.Cmd
	log     *bytes.Buffer
}

// installed prepares a program on a database, Redis and port of its own.
func installed(t *testing.T, m *market) *program {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	p := &program{t: t, address: "http://" + addr, env: append(os.Environ(), "DATABASE_URL="+m.Config.DatabaseURL, "REDIS_URL="+m.redis.URL(),
		"OCOP_DATA="+m.Config.Data, "OCOP_ADDR="+addr, "OCOP_TRUSTED_PROXIES=127.0.0.1")}
	t.Cleanup(func() {
		if p.cmd != nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

func (p *program) run(args ...string) *exec.Cmd {
	p.t.Helper()
	path, err := build()
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, path, args...)
	// A command that hangs says where.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Env, cmd.Dir = p.env, p.t.TempDir()
	return cmd
}

// start runs it until it is ready.
func (p *program) start() {
	p.t.Helper()
	p.cmd, p.log = p.run("serve"), &bytes.Buffer{}
	p.cmd.Stderr = p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		r, err := http.Get(p.address + "/readyz")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
	}
	p.t.Fatalf("it does not become ready:\n%s", p.log)
}

// kill ends it without a chance to clean up.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
}

func TestKillingTheServerWhilePlacingLosesNothingConfirmed(t *testing.T) {
	const buyers, rounds = 20, 4
	m := open(t)
	first := testkit.Product(t, m.DB, testkit.WithName("Dừa sáp", "Waxy coconut"), testkit.WithStock(1_000))
	second := testkit.Product(t, m.DB, testkit.WithName("Chè Shan", "Shan tea"), testkit.WithStock(1_000))
	m.index(t)
	p := installed(t, m)

	type receipt struct {
		location string
		values   url.Values
	}
	var confirmed, sent []receipt
	var mu sync.Mutex
	for round := range rounds {
		p.start()
		// Everyone stands before the last button.
		windows, forms := make([]*testkit.Visitor, buyers), make([]url.Values, buyers)
		for i := range buyers {
			v := testkit.VisitorAt(t, p.address)
			v.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", 1+i+round*buyers)) // nobody shares a limit
			for _, product := range []int64{first, second} {
				sku := testkit.SKUOf(t, m.DB, product)
				v.Post("/gio-hang", url.Values{"sku": {sku}, "so-luong": {"1"}}).Is(303)
			}
			form := m.checkout(t, v, "").Fill("phone", fmt.Sprintf("0912 %06d", i+round*buyers)) // nor the limit of cash
			_, forms[i] = form.Fill("method", []string{"cod", "vietqr"}[i%2]).Request("do=place")
			windows[i] = v
		}
		begin, answered := make(chan struct{}), make(chan struct{}, buyers)
		var all sync.WaitGroup
		for i := range buyers {
			all.Go(func() {
				<-begin
				a, err := windows[i].Try("POST", "/thanh-toan", forms[i])
				mu.Lock()
				defer mu.Unlock()
				r := receipt{values: forms[i]}
				if err == nil && a.Status == http.StatusSeeOther {
					r.location = a.Location()
					confirmed = append(confirmed, r)
				}
				sent = append(sent, r)
				answered <- struct{}{}
			})
		}
		close(begin)
		// The first rounds die early, the later ones in the middle.
		for range round * 4 {
			<-answered
		}
		p.kill()
		all.Wait()
	}
	t.Logf("%d of %d were answered before the server died", len(confirmed), len(sent))
	if len(confirmed) == 0 || len(confirmed) == len(sent) {
		t.Fatal("the server did not die in the middle")
	}

	p.start()
	v := testkit.VisitorAt(t, p.address)
	seen := map[string]bool{}
	for _, r := range confirmed {
		a := v.Get(r.location)
		if a.Status != 200 || seen[r.location] {
			t.Errorf("%s was promised and answers %d", r.location, a.Status)
		}
		seen[r.location] = true
	}
	// Whoever saw no answer presses the button again: each has one purchase in the end. The basket lives in the database,
	// so the same browser goes on.
	placed := m.count(t, `SELECT count(*) FROM order_group`)
	if placed < int64(len(confirmed)) {
		t.Errorf("%d purchases for %d answers", placed, len(confirmed))
	}
	if n := m.count(t, `SELECT count(*) FROM orders`); n != 2*placed {
		t.Errorf("%d orders of %d purchases from two sellers", n, placed)
	}
	if gap := m.count(t, `SELECT max(number_seq) - count(*) FROM orders`); gap != 0 {
		t.Errorf("%d numbers are missing", gap)
	}
	out, err := p.run("doctor").CombinedOutput()
	if err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "invariants hold") {
		t.Errorf("doctor says:\n%s", out)
	}
}

func TestStoppingTheServerLetsRequestsFinish(t *testing.T) {
	m := open(t)
	goods(t, m)
	p := installed(t, m)
	p.start()
	// A form whose second half comes after the server was told to stop.
	address, _ := url.Parse(p.address)
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := "sku=DUASAP01&so-luong=1"
	fmt.Fprintf(conn, "POST /gio-hang HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", address.Host, len(body), body[:10])
	time.Sleep(200 * time.Millisecond) // the request is under way
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it takes no new visitors", func() bool {
		c, err := net.DialTimeout("tcp", address.Host, time.Second)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	fmt.Fprint(conn, body[10:])
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusSeeOther {
		t.Errorf("the request under way was answered %d", answer.StatusCode)
	}
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case err := <-done:
		p.cmd = nil
		if err != nil {
			t.Errorf("it ended with %v:\n%s", err, p.log)
		}
	case <-time.After(25 * time.Second):
		t.Error("it does not end")
	}
	if n := m.count(t, `SELECT count(*) FROM cart_line`); n != 1 {
		t.Errorf("%d lines of the request under way", n)
	}
}
