package stripe_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"choocop.vn/ocop/internal/adapter/stripe"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
)

const secret = "whsec_test"

// against is a gateway before a server of ours that answers as Stripe would.
func against(t *testing.T, answer http.HandlerFunc) (*stripe.Gateway, *atomic.Int64) {
	t.Helper()
	asked := &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer(w, r)
	}))
	t.Cleanup(s.Close)
	g, err := stripe.New(stripe.Config{Key: "sk_test_123", WebhookSecret: secret, URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	return g, asked
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Request-Id", "req_1")
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func TestWithoutSecretsThereIsNoGateway(t *testing.T) {
	for _, c := range []stripe.Config{{}, {Key: "sk_test_1"}, {WebhookSecret: "whsec_1"}} {
		if _, err := stripe.New(c); err == nil {
			t.Errorf("%+v", c)
		}
	}
}

func TestAPageIsReadByItsMoney(t *testing.T) {
	intent := func(status string) string {
		return fmt.Sprintf(`{"id":"pi_1","object":"payment_intent","status":%q,"amount":250000,"amount_received":250000,"currency":"vnd"}`, status)
	}
	for name, c := range map[string]struct {
		status, paid, intent string
		want                 payment.StandingState
		amount               money.VND
	}{
		"waiting":                     {"open", "unpaid", `null`, payment.StandingOpen, 0},
		"declined, may try again":     {"open", "unpaid", intent("requires_payment_method"), payment.StandingOpen, 0},
		"in the bank's own step":      {"open", "unpaid", intent("requires_action"), payment.StandingOpen, 0},
		"paid":                        {"complete", "paid", intent("succeeded"), payment.StandingPaid, 250_000},
		"on its way":                  {"complete", "unpaid", intent("processing"), payment.StandingOpen, 0},
		"refused after all":           {"complete", "unpaid", intent("requires_payment_method"), payment.StandingClosed, 0},
		"too late":                    {"expired", "unpaid", `null`, payment.StandingClosed, 0},
		"given up":                    {"expired", "unpaid", intent("canceled"), payment.StandingClosed, 0},
		"paid in the last moment":     {"expired", "unpaid", intent("succeeded"), payment.StandingPaid, 250_000},
		"in the last moment, not yet": {"expired", "unpaid", intent("processing"), payment.StandingOpen, 0},
	} {
		g, _ := against(t, says(200, fmt.Sprintf(`{"id":"cs_1","object":"checkout.session","currency":"vnd","amount_total":250000,"status":%q,"payment_status":%q,"payment_intent":%s}`,
			c.status, c.paid, c.intent)))
		st, err := g.Look(context.Background(), "cs_1")
		if err != nil || st.State != c.want || st.Amount != c.amount || (st.MoneyRef != "") != (c.want == payment.StandingPaid) || st.Ref != "cs_1" {
			t.Errorf("%s: %+v, %v", name, st, err)
		}
	}
	// Dollars are not đồng, and a page that says paid without money is not believed.
	for _, odd := range []string{`{"id":"cs_1","currency":"usd","status":"complete","payment_status":"paid"}`, `{"id":"cs_1","currency":"vnd","status":"complete","payment_status":"paid"}`} {
		g, _ := against(t, says(200, odd))
		if st, err := g.Look(context.Background(), "cs_1"); err == nil {
			t.Errorf("%s: %+v", odd, st)
		}
	}
}

func TestClosingAPageThatWasPaidMeanwhileSaysSo(t *testing.T) {
	state := `"status":"complete","payment_status":"paid","payment_intent":{"id":"pi_1","status":"succeeded","amount_received":250000}`
	g, asked := against(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			says(400, `{"error":{"type":"invalid_request_error","message":"Only Checkout Sessions with a status in [\"open\"] can be expired."}}`)(w, r)
			return
		}
		says(200, `{"id":"cs_1","currency":"vnd",`+state+`}`)(w, r)
	})
	st, err := g.Close(context.Background(), "cs_1")
	if err != nil || st.State != payment.StandingPaid || st.MoneyRef != "pi_1" || asked.Load() != 2 {
		t.Errorf("%+v, %v, %d requests", st, err, asked.Load())
	}
	state = `"status":"expired","payment_status":"unpaid"`
	if st, err = g.Close(context.Background(), "cs_1"); err != nil || st.State != payment.StandingClosed {
		t.Errorf("closed before: %+v, %v", st, err)
	}
	state = `"status":"open","payment_status":"unpaid"`
	if st, err = g.Close(context.Background(), "cs_1"); err == nil || errors.Is(err, payment.ErrRefused) {
		t.Errorf("still open: %+v, %v", st, err)
	}
}

func TestRefundsAndDisputesAreRead(t *testing.T) {
	ctx := context.Background()
	for status, want := range map[string]payment.ReturnState{"pending": payment.ReturnSent, "requires_action": payment.ReturnSent, "succeeded": payment.ReturnDone,
		"failed": payment.ReturnFailed, "canceled": payment.ReturnFailed} {
		g, _ := against(t, says(200, fmt.Sprintf(`{"id":"re_1","amount":45000,"status":%q,"failure_reason":"expired_or_canceled_card"}`, status)))
		for _, ask := range []func() (payment.Returned, error){
			func() (payment.Returned, error) { return g.LookBack(ctx, "re_1") },
			func() (payment.Returned, error) {
				return g.PayBack(ctx, payment.PayBack{Key: "k", MoneyRef: "pi_1", Amount: 45_000})
			},
		} {
			r, err := ask()
			if err != nil || r.State != want || r.Amount != 45_000 || r.Ref != "re_1" || (r.Why != "") != (want == payment.ReturnFailed) {
				t.Errorf("%s: %+v, %v", status, r, err)
			}
		}
	}
	for status, want := range map[string]string{"needs_response": "open", "warning_needs_response": "open", "under_review": "answered", "warning_under_review": "answered",
		"won": "won", "warning_closed": "won", "lost": "lost"} {
		g, _ := against(t, says(200, fmt.Sprintf(`{"id":"du_1","amount":250000,"status":%q,"reason":"product_not_received","payment_intent":"pi_1","created":1795000000,
			"evidence_details":{"due_by":1795600000}}`, status)))
		d, err := g.LookDispute(ctx, "du_1")
		if err != nil || d.State != want || d.MoneyRef != "pi_1" || d.Amount != 250_000 || d.Reason != "product_not_received" ||
			d.OpenedAt.Unix() != 1_795_000_000 || d.AnswerBy == nil || d.AnswerBy.Unix() != 1_795_600_000 {
			t.Errorf("%s: %+v, %v", status, d, err)
		}
	}
	g, _ := against(t, says(200, `{"id":"du_1","status":"prevented"}`))
	if _, err := g.LookDispute(ctx, "du_1"); err == nil {
		t.Error("a state that nobody knows is passed on")
	}
}

func TestErrorsSayWhetherTryingAgainHelps(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	fault := func(kind, code string) string {
		return fmt.Sprintf(`{"error":{"type":%q,"code":%q,"message":"The address hoa@vidu.vn is not valid","param":"customer_email"}}`, kind, code)
	}
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"unknown":              {404, fault("invalid_request_error", "resource_missing"), payment.ErrUnknownRef},
		"too small":            {400, fault("invalid_request_error", "amount_too_small"), payment.ErrRefused},
		"given back already":   {400, fault("invalid_request_error", "charge_already_refunded"), payment.ErrRefused},
		"declined":             {402, fault("card_error", "card_declined"), payment.ErrRefused},
		"no money left there":  {400, fault("invalid_request_error", "balance_insufficient"), nil},
		"wrong key":            {401, fault("invalid_request_error", ""), nil},
		"too often":            {429, fault("invalid_request_error", "rate_limit"), nil},
		"same key, other form": {400, fault("idempotency_error", ""), nil},
		"their fault":          {500, fault("api_error", ""), nil},
		"no JSON":              {502, "<html>bad gateway</html>", nil},
	} {
		g, _ := against(t, says(c.status, c.body))
		_, err := g.Open(context.Background(), opening)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || c.want == nil && (errors.Is(err, payment.ErrRefused) || errors.Is(err, payment.ErrUnknownRef)) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(fmt.Sprint(err), "hoa@vidu.vn") {
			t.Errorf("%s: the error repeats what was typed: %v", name, err)
		}
	}
	if strings.Contains(log.String(), "hoa@vidu.vn") {
		t.Errorf("the log repeats what was typed:\n%s", &log)
	}
	g, asked := against(t, says(200, `{}`))
	for _, empty := range []func() error{
		func() error { _, err := g.Look(context.Background(), ""); return err },
		func() error { _, err := g.Close(context.Background(), ""); return err },
		func() error { _, err := g.LookBack(context.Background(), ""); return err },
		func() error { _, err := g.LookDispute(context.Background(), ""); return err },
	} {
		if err := empty(); !errors.Is(err, payment.ErrUnknownRef) {
			t.Error(err)
		}
	}
	if asked.Load() != 0 {
		t.Error("Stripe was asked for nothing")
	}
}

func TestALostAnswerIsAskedForAgainWithTheSameKey(t *testing.T) {
	var keys []string
	g, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		if len(keys) == 1 {
			panic(http.ErrAbortHandler) // accepted, and the wire is cut before the answer
		}
		says(200, `{"id":"cs_1","url":"https://checkout.stripe.com/c/pay/cs_1","expires_at":1795001860}`)(w, r)
	})
	p, err := g.Open(context.Background(), opening)
	if err != nil || p.Ref != "cs_1" || p.URL != "https://checkout.stripe.com/c/pay/cs_1" || p.Expires.Unix() != 1_795_001_860 {
		t.Fatalf("%+v, %v", p, err)
	}
	if len(keys) != 2 || keys[0] != keys[1] || !strings.HasPrefix(keys[0], "open:CHO-7K4M:CHO-7K4M/1:") {
		t.Errorf("keys %q", keys)
	}
}

func TestTheSameKeyAlwaysSendsTheSame(t *testing.T) {
	var bodies, keys []string
	g, _ := against(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies, keys = append(bodies, string(b)), append(keys, r.Header.Get("Idempotency-Key"))
		says(200, `{"id":"cs_1"}`)(w, r)
	})
	for range 2 {
		if _, err := g.Open(context.Background(), opening); err != nil {
			t.Fatal(err)
		}
		time.Sleep(1100 * time.Millisecond) // the next second of the clock
	}
	if bodies[0] != bodies[1] || keys[0] != keys[1] {
		t.Errorf("Stripe would open two pages or refuse the key:\n%s %s\n%s %s", keys[0], bodies[0], keys[1], bodies[1])
	}
	for _, change := range []func(*payment.Opening){
		func(o *payment.Opening) { o.Locale = "en" }, func(o *payment.Opening) { o.Text = "OCOP" }, func(o *payment.Opening) { o.ReturnURL += "&x=1" },
		func(o *payment.Opening) { o.Email = "" }, func(o *payment.Opening) { o.Expires = o.Expires.Add(time.Second) }, func(o *payment.Opening) { o.Amount-- },
		func(o *payment.Opening) { o.Shares = o.Shares[:1] }, func(o *payment.Opening) { o.Reference = "OTHER" }, func(o *payment.Opening) { o.Key = "2" },
	} {
		other := opening
		change(&other)
		if _, err := g.Open(context.Background(), other); err != nil {
			t.Fatal(err)
		}
		if n := len(keys) - 1; bodies[n] != bodies[0] && keys[n] == keys[0] {
			t.Errorf("Stripe would refuse the key of\n%s", bodies[n])
		}
	}
}

// event is a delivery of Stripe.
func event(kind, object string) []byte {
	return fmt.Appendf(nil, `{"id":"evt_1","object":"event","type":%q,"created":1795000000,"api_version":"2099-01-01","data":{"object":%s}}`, kind, object)
}

func signed(body []byte, secret string, at time.Time) string {
	return webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret, Timestamp: at}).Header
}

func TestOnlyStripesOwnSignatureCounts(t *testing.T) {
	g, _ := against(t, says(500, ""))
	body := event("checkout.session.completed", `{"id":"cs_1","object":"checkout.session"}`)
	now := time.Now()
	good := signed(body, secret, now)
	_, sum, _ := strings.Cut(good, "v1=")
	stamp := fmt.Sprintf("t=%d", now.Unix())
	for name, c := range map[string]struct {
		signature string
		body      []byte
		forged    bool
	}{
		"right":                            {good, body, false},
		"two, the second right":            {stamp + ",v1=" + strings.Repeat("ab", 32) + ",v1=" + sum, body, false},
		"almost too old":                   {signed(body, secret, now.Add(-4*time.Minute)), body, false},
		"missing":                          {"", body, true},
		"nonsense":                         {"v1", body, true},
		"another secret":                   {signed(body, "whsec_other", now), body, true},
		"empty secret":                     {signed(body, "", now), body, true},
		"old":                              {signed(body, secret, now.Add(-6*time.Minute)), body, true},
		"old, with a new time written in":  {stamp + ",v1=" + strings.TrimPrefix(signed(body, secret, now.Add(-time.Hour)), fmt.Sprintf("t=%d,v1=", now.Add(-time.Hour).Unix())), body, true},
		"two, both wrong":                  {stamp + ",v1=" + strings.Repeat("ab", 32) + ",v1=" + strings.Repeat("cd", 32), body, true},
		"under another scheme":             {stamp + ",v0=" + sum, body, true},
		"of another body":                  {good, append([]byte(" "), body...), true},
		"of an empty body":                 {good, nil, true},
		"without a time":                   {"v1=" + sum, body, true},
		"with a time that is not a number": {"t=x,v1=" + sum, body, true},
	} {
		n, err := g.Read(c.body, c.signature)
		if errors.Is(err, payment.ErrForged) != c.forged || !c.forged && err != nil {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
}

func TestADeliverySaysWhereToLook(t *testing.T) {
	g, _ := against(t, says(500, ""))
	read := func(body []byte) (payment.Notice, error) { return g.Read(body, signed(body, secret, time.Now())) }
	for _, c := range []struct {
		kind, object string
		want         payment.NoticeKind
		ref          string
	}{
		{"checkout.session.completed", `{"id":"cs_1","object":"checkout.session"}`, payment.NoticeCharge, "cs_1"},
		{"checkout.session.async_payment_succeeded", `{"id":"cs_1","object":"checkout.session"}`, payment.NoticeCharge, "cs_1"},
		{"checkout.session.async_payment_failed", `{"id":"cs_1","object":"checkout.session"}`, payment.NoticeCharge, "cs_1"},
		{"checkout.session.expired", `{"id":"cs_1","object":"checkout.session"}`, payment.NoticeCharge, "cs_1"},
		{"payment_intent.succeeded", `{"id":"pi_1","object":"payment_intent"}`, payment.NoticeOther, "pi_1"},
		{"charge.refunded", `{"id":"ch_1","object":"charge","refunds":{"data":[{"id":"re_2"},{"id":"re_1"}]}}`, payment.NoticeRefund, "re_2"},
		{"charge.refunded", `{"id":"ch_1","object":"charge"}`, payment.NoticeOther, "ch_1"},
		{"charge.succeeded", `{"id":"ch_1","object":"charge","refunds":{"data":[]}}`, payment.NoticeOther, "ch_1"},
		{"charge.refund.updated", `{"id":"re_1","object":"refund"}`, payment.NoticeRefund, "re_1"},
		{"refund.updated", `{"id":"re_1","object":"refund"}`, payment.NoticeRefund, "re_1"},
		{"charge.dispute.created", `{"id":"du_1","object":"dispute"}`, payment.NoticeDispute, "du_1"},
		{"charge.dispute.closed", `{"id":"du_1","object":"dispute"}`, payment.NoticeDispute, "du_1"},
		{"product.created", `{"id":"prod_1","object":"product"}`, payment.NoticeOther, "prod_1"},
	} {
		n, err := read(event(c.kind, c.object))
		if err != nil || n.Kind != c.want || n.Ref != c.ref || n.ID != "evt_1" || n.At.Unix() != 1_795_000_000 {
			t.Errorf("%s %s: %+v, %v", c.kind, c.object, n, err)
		}
	}
	// A connected account's page is none of ours.
	n, err := read([]byte(`{"id":"evt_2","account":"acct_1","type":"checkout.session.completed","data":{"object":{"id":"cs_1","object":"checkout.session"}}}`))
	if err != nil || n.Kind != payment.NoticeOther {
		t.Errorf("%+v, %v", n, err)
	}
	for _, odd := range []string{``, `x`, `[]`, `{}`, `{"id":"evt_1"}`, `{"id":"evt_1","data":{}}`, `{"id":"","data":{"object":{}}}`, `{"id":"evt_1","data":{"object":[]}}`} {
		if n, err := read([]byte(odd)); err == nil || errors.Is(err, payment.ErrForged) {
			t.Errorf("%q: %+v, %v", odd, n, err)
		}
	}
}

func TestARefundIsFoundByItsKeyOnAnyPage(t *testing.T) {
	pages := map[string]string{
		"": `{"object":"list","has_more":true,"data":[{"id":"re_9","object":"refund","amount":1,"status":"succeeded","metadata":{"key":"refund-70"}},
			{"id":"re_8","object":"refund","amount":45000,"status":"failed","failure_reason":"unknown","metadata":{"key":"refund-7"}}]}`,
		"re_8": `{"object":"list","has_more":false,"data":[{"id":"re_7","object":"refund","amount":45000,"status":"succeeded","metadata":{"key":"refund-7"}},
			{"id":"re_6","object":"refund","amount":5,"status":"pending","metadata":{}}]}`,
	}
	g, asked := against(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/v1/refunds" || r.URL.Query().Get("payment_intent") != "pi_1" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		says(200, pages[r.URL.Query().Get("starting_after")])(w, r)
	})
	for key, want := range map[string]payment.Returned{"refund-7": {Ref: "re_7", State: payment.ReturnDone, Amount: 45_000}, "refund-70": {Ref: "re_9", State: payment.ReturnDone, Amount: 1}} {
		if got, err := g.FindBack(context.Background(), "pi_1", key); err != nil || got != want {
			t.Errorf("%s: %+v, %v", key, got, err)
		}
	}
	if got, err := g.FindBack(context.Background(), "pi_1", ""); !errors.Is(err, payment.ErrUnknownRef) {
		t.Errorf("a refund without a key was taken for ours: %+v, %v", got, err)
	}
	if asked.Load() < 4 {
		t.Errorf("%d requests", asked.Load())
	}
	broken, _ := against(t, says(401, `{"error":{"type":"invalid_request_error"}}`))
	if _, err := broken.FindBack(context.Background(), "pi_1", "refund-7"); err == nil || errors.Is(err, payment.ErrUnknownRef) {
		t.Errorf("no answer counts as none found: %v", err)
	}
}
