package stripe_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/stripe"
	"choocop.vn/ocop/internal/payment"
)

// sent is one request as it went out.
type sent struct {
	method, path, key, auth string
	form                    url.Values
}

// recorder keeps what goes to the stand-in, and what it complains about.
type recorder struct {
	t     *testing.T
	calls []sent
}

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		req.Body = io.NopCloser(bytes.NewReader(body))
	}
	form, err := url.ParseQuery(string(body))
	if req.Method == http.MethodGet {
		form = req.URL.Query()
	}
	if err != nil {
		r.t.Error(err)
	}
	r.calls = append(r.calls, sent{req.Method, req.URL.Path, req.Header.Get("Idempotency-Key"), req.Header.Get("Authorization"), form})
	answer, err := http.DefaultTransport.RoundTrip(req)
	if err == nil && answer.StatusCode != http.StatusOK {
		told, _ := io.ReadAll(answer.Body)
		answer.Body = io.NopCloser(bytes.NewReader(told))
		r.t.Errorf("%s %s: %s", req.Method, req.URL.Path, told)
	}
	return answer, err
}

// standIn starts Stripe's own stand-in, which holds each request against the description of the API. A test without it
// fails; it is never skipped.
func standIn(t *testing.T) (address string) {
	t.Helper()
	binary, err := filepath.Abs("../../../.cache/bin/stripe-mock")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		if binary, err = exec.LookPath("stripe-mock"); err != nil {
			t.Fatal("stripe-mock is not installed: run `sh deploy/dev/need.sh stripemock`; `make test` does it by itself")
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, binary, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, at, ok := strings.Cut(lines.Text(), "Listening for HTTP at address: "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return "http://" + at
		}
	}
	t.Fatal("stripe-mock does not start")
	return ""
}

// opening is a purchase of two orders.
var opening = payment.Opening{Key: "CHO-7K4M/1", Reference: "CHO-7K4M", Text: "Chợ OCOP, đơn CHO-7K4M", Amount: 250_000, Email: "hoa@vidu.vn", Locale: "vi",
	ReturnURL: "https://cho.example/don-hang/CHO-7K4M?khoa=x", Expires: time.Unix(1_795_000_000, 0),
	Shares: []payment.Share{{Reference: "A1B2", Amount: 100_000}, {Reference: "C3D4", Amount: 150_000}}}

func TestEveryRequestIsWhatStripeTakes(t *testing.T) {
	ctx := context.Background()
	r := &recorder{t: t}
	g, err := stripe.New(stripe.Config{Key: "sk_test_123", WebhookSecret: "whsec_x", URL: standIn(t), Transport: r})
	if err != nil {
		t.Fatal(err)
	}
	english := opening
	english.Locale, english.Email = "en", ""
	page := map[string]string{
		"mode": "payment", "payment_method_types[0]": "card", "client_reference_id": "CHO-7K4M", "locale": "vi", "customer_email": "hoa@vidu.vn",
		"success_url": opening.ReturnURL, "cancel_url": opening.ReturnURL, "expires_at": "1795001860", "metadata[purchase]": "CHO-7K4M",
		"line_items[0][quantity]": "1", "line_items[0][price_data][currency]": "vnd", "line_items[0][price_data][unit_amount]": "250000",
		"line_items[0][price_data][product_data][name]": "Chợ OCOP, đơn CHO-7K4M",
		"payment_intent_data[description]":              "Chợ OCOP, đơn CHO-7K4M", "payment_intent_data[transfer_group]": "CHO-7K4M",
		"payment_intent_data[metadata][purchase]": "CHO-7K4M", "payment_intent_data[metadata][order A1B2]": "100000", "payment_intent_data[metadata][order C3D4]": "150000",
	}
	pageEN := maps.Clone(page)
	pageEN["locale"] = "en"
	delete(pageEN, "customer_email")

	for _, c := range []struct {
		name   string
		do     func() error
		method string
		path   string
		key    string // of the last request
		form   map[string]string
	}{
		{"open", func() error { _, err := g.Open(ctx, opening); return err }, "POST", "/v1/checkout/sessions", "open:CHO-7K4M:CHO-7K4M/1:*", page},
		{"open in English without a mail address", func() error { _, err := g.Open(ctx, english); return err }, "POST", "/v1/checkout/sessions", "open:CHO-7K4M:CHO-7K4M/1:*", pageEN},
		{"look", func() error { g.Look(ctx, "cs_test_1"); return nil }, "GET", "/v1/checkout/sessions/cs_test_1", "", map[string]string{"expand[0]": "payment_intent"}},
		{"pay back", func() error {
			_, err := g.PayBack(ctx, payment.PayBack{Key: "r1", MoneyRef: "pi_1", Amount: 45_000, Reason: "hết hàng"})
			return err
		}, "POST", "/v1/refunds", "refund:pi_1:r1", map[string]string{"payment_intent": "pi_1", "amount": "45000", "reason": "requested_by_customer", "metadata[reason]": "hết hàng", "metadata[key]": "r1"}},
		{"find back", func() error {
			if _, err := g.FindBack(ctx, "pi_1", "refund-7"); !errors.Is(err, payment.ErrUnknownRef) {
				return err
			}
			return nil
		}, "GET", "/v1/refunds", "", map[string]string{"payment_intent": "pi_1", "limit": "100"}},
		{"look back", func() error { _, err := g.LookBack(ctx, "re_1"); return err }, "GET", "/v1/refunds/re_1", "", nil},
		{"look at a dispute", func() error { _, err := g.LookDispute(ctx, "du_1"); return err }, "GET", "/v1/disputes/du_1", "", nil},
		{"reverse", func() error { return g.Reverse(ctx, "v1", "tr_1", 45_000) }, "POST", "/v1/transfers/tr_1/reversals", "reverse:tr_1:v1", map[string]string{"amount": "45000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r.t, r.calls = t, nil
			if err := c.do(); err != nil {
				t.Fatal(err)
			}
			if len(r.calls) != 1 {
				t.Fatalf("%d requests", len(r.calls))
			}
			r.calls[0].is(t, c.method, c.path, c.key, c.form)
		})
	}
	r.t = t

	r.calls = nil
	_, _ = g.Close(ctx, "cs_test_1") // the stand-in's page is of no use to Look
	if len(r.calls) != 2 {
		t.Fatalf("closing takes %d requests", len(r.calls))
	}
	if r.calls[0].key == "" {
		t.Error("a try to close that is repeated by the library has no key")
	}
	r.calls[0].is(t, "POST", "/v1/checkout/sessions/cs_test_1/expire", r.calls[0].key, nil)
}

func (s sent) is(t *testing.T, method, path, key string, form map[string]string) {
	t.Helper()
	given := s.key
	if begin, rest := strings.CutSuffix(key, "*"); rest && strings.HasPrefix(given, begin) && len(given) > len(begin) {
		given = key
	}
	if s.method != method || s.path != path || given != key {
		t.Errorf("%s %s with key %q", s.method, s.path, s.key)
	}
	if s.auth != "Bearer sk_test_123" {
		t.Errorf("authorization %q", s.auth)
	}
	for _, name := range slices.Sorted(maps.Keys(form)) {
		if got := s.form[name]; len(got) != 1 || got[0] != form[name] {
			t.Errorf("%s is %q and should be %q", name, got, form[name])
		}
	}
	for name := range s.form {
		if _, known := form[name]; !known {
			t.Errorf("%s=%q is sent besides", name, s.form[name])
		}
	}
}

func TestATransferIsBoundToTheChargeItComesFrom(t *testing.T) {
	r := &recorder{t: t}
	mock := standIn(t)
	// The payment itself is told by us, so that it has a charge and a group; the transfer goes to the stand-in.
	g, _ := against(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Method == http.MethodGet {
			io.WriteString(w, `{"id":"pi_1","object":"payment_intent","latest_charge":"ch_9","transfer_group":"CHO-7K4M"}`)
			return
		}
		out, _ := http.NewRequest(req.Method, mock+req.URL.Path, req.Body)
		out.Header = req.Header
		answer, err := r.RoundTrip(out)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	})
	ref, err := g.Transfer(context.Background(), payment.Transfer{Key: "t1", MoneyRef: "pi_1", Reference: "A1B2", Account: "acct_1", Amount: 100_000})
	if err != nil || !strings.HasPrefix(ref, "tr_") {
		t.Fatalf("%q, %v", ref, err)
	}
	r.calls[0].is(t, "POST", "/v1/transfers", "transfer:pi_1:t1", map[string]string{"amount": "100000", "currency": "vnd", "destination": "acct_1",
		"source_transaction": "ch_9", "transfer_group": "CHO-7K4M", "metadata[order]": "A1B2"})
	// What was taken back lies in the balance, and goes again from there.
	again := payment.Transfer{Key: "t1-2", MoneyRef: "pi_1", Reference: "A1B2", Account: "acct_1", Amount: 40_000, FromBalance: true}
	if ref, err := g.Transfer(context.Background(), again); err != nil || !strings.HasPrefix(ref, "tr_") {
		t.Fatalf("%q, %v", ref, err)
	}
	r.calls[1].is(t, "POST", "/v1/transfers", "transfer:pi_1:t1-2", map[string]string{"amount": "40000", "currency": "vnd", "destination": "acct_1",
		"transfer_group": "CHO-7K4M", "metadata[order]": "A1B2"})
}
