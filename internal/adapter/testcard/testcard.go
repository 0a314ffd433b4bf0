// Package testcard is a card gateway without cards and without money, for the demo market and the tests. It has the
// states of a real one – paid, declined, a second step at the bank, a notice that is late, doubled or lost – and whoever
// tries it chooses on its page what is to happen; no card number is ever asked for. Production refuses it (config).
//
// It keeps one file per page, replaced in one step, so that it remembers over a kill of the program what a provider would
// remember; notices that were not delivered are files too. Only one process may use a folder at a time.
//
// Refs are a keyed hash of what is paid for and the request key: nobody can guess them, and the same key always finds
// the same page.
package testcard

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
)

// Path is where the market shows a page of the gateway; the ref follows.
const Path = "/thanh-toan-the-thu/"

// Config says where the gateway keeps its books and whom it tells.
type Config struct {
	Folder    string
	BaseURL   string // of the market
	Clock     clock.Clock
	Transport http.RoundTripper // nil: the network
	Slow      time.Duration     // how late a late notice is; 0 means 20 seconds
}

// Gateway fills payment.Gateway and payment.Transferrer.
type Gateway struct {
	Config
	secret []byte
	client *http.Client
	mu     sync.Mutex // guards the files
	posts  sync.WaitGroup
	ctx    context.Context // ends all deliveries
	cancel context.CancelFunc
	resume sync.Once
}

var (
	_ payment.Gateway     = (*Gateway)(nil)
	_ payment.Transferrer = (*Gateway)(nil)
)

// page is everything that is known of one charge.
type page struct {
	Ref       string
	Opening   payment.Opening
	State     payment.StandingState
	Challenge bool // the bank asks the buyer to confirm
	Declined  bool // the last try was
	Returns   map[string]payback
	Transfers map[string]transfer
	Contest   *payment.Contest
	ChangedAt time.Time
}

// New opens the books. Commands beside a running market do that too; only the market itself tells: see Resume.
func New(c Config) (*Gateway, error) {
	if c.Slow == 0 {
		c.Slow = 20 * time.Second
	}
	g := &Gateway{Config: c, client: &http.Client{Timeout: 10 * time.Second, Transport: c.Transport}}
	if err := os.MkdirAll(filepath.Join(c.Folder, "notice"), 0o700); err != nil {
		return nil, fmt.Errorf("testcard: %w", err)
	}
	var err error
	if g.secret, err = g.readSecret(); err != nil {
		return nil, fmt.Errorf("testcard: %w", err)
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g, nil
}

// Stop ends delivering; what is left is delivered after the next Resume.
func (g *Gateway) Stop() {
	g.cancel()
	g.posts.Wait()
}

func (g *Gateway) readSecret() ([]byte, error) {
	name := filepath.Join(g.Folder, "secret")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		b = []byte(ident.Token())
		err = replace(name, b)
	}
	return b, err
}

// Provider is "test".
func (*Gateway) Provider() string { return "test" }

func (g *Gateway) hash(words ...string) string {
	m := hmac.New(sha256.New, g.secret)
	m.Write([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(m.Sum(nil))[:32]
}

var refs = regexp.MustCompile(`^t[pmrdt]_([0-9a-f]{32})(_[0-9a-f]{32})?$`)

// load reads the page that any ref of it belongs to.
func (g *Gateway) load(ref string) (page, error) {
	parts := refs.FindStringSubmatch(ref)
	if parts == nil {
		return page{}, fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	b, err := os.ReadFile(filepath.Join(g.Folder, parts[1]+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return page{}, fmt.Errorf("testcard: %w", payment.ErrUnknownRef)
	}
	if err != nil {
		return page{}, fmt.Errorf("testcard: %w", err)
	}
	var p page
	if err := json.Unmarshal(b, &p); err != nil {
		return page{}, fmt.Errorf("testcard: %w", err)
	}
	if p.State == payment.StandingOpen && !g.Clock.Now().Before(p.Opening.Expires) {
		p.State = payment.StandingClosed
	}
	return p, nil
}

func (g *Gateway) save(p page) error {
	p.ChangedAt = g.Clock.Now()
	b, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return fmt.Errorf("testcard: %w", err)
	}
	if err := replace(filepath.Join(g.Folder, p.id()+".json"), b); err != nil {
		return fmt.Errorf("testcard: %w", err)
	}
	return nil
}

func (p page) id() string { return strings.TrimPrefix(p.Ref, "tp_") }

// replace writes a file whole or not at all.
func replace(name string, b []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(name), "draft-")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name())
	_, err = draft.Write(b)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), name)
}

// Open makes a page.
func (g *Gateway) Open(_ context.Context, o payment.Opening) (payment.CardPage, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ref := "tp_" + g.hash("page", o.Reference, o.Key)
	p, err := g.load(ref)
	switch {
	case errors.Is(err, payment.ErrUnknownRef):
		if o.Amount <= 0 || o.Key == "" {
			return payment.CardPage{}, fmt.Errorf("testcard: open: %w", payment.ErrRefused)
		}
		p = page{Ref: ref, Opening: o, State: payment.StandingOpen}
		err = g.save(p)
	case err == nil && p.Opening.Amount != o.Amount:
		err = errors.New("testcard: this key opened another page")
	}
	if err != nil {
		return payment.CardPage{}, err
	}
	path := Path + ref
	if p.Opening.Locale == "en" {
		path = "/en" + path
	}
	return payment.CardPage{Ref: ref, URL: g.BaseURL + path, Expires: p.Opening.Expires}, nil
}

// Look says how a page stands.
func (g *Gateway) Look(_ context.Context, pageRef string) (payment.Standing, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.page(pageRef)
	return p.standing(), err
}

func (p page) standing() payment.Standing {
	s := payment.Standing{Ref: p.Ref, State: p.State}
	if p.State == payment.StandingPaid {
		s.Amount, s.MoneyRef = p.Opening.Amount, "tm_"+p.id()
	}
	return s
}

// Close makes an open page unpayable.
func (g *Gateway) Close(_ context.Context, pageRef string) (payment.Standing, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p, err := g.page(pageRef)
	if err == nil && p.State == payment.StandingOpen {
		p.State = payment.StandingClosed
		err = g.save(p)
	}
	return p.standing(), err
}
