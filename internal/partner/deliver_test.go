package partner_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

// receiver is a partner's server; answer decides what it says to the nth letter, from 1.
type receiver struct {
	mu     sync.Mutex
	got    []partner.Letter
	answer func(n int) (int, error)
}

func (r *receiver) Post(_ context.Context, l partner.Letter) (partner.Answer, error) {
	r.mu.Lock()
	r.got = append(r.got, l)
	n := len(r.got)
	r.mu.Unlock()
	status, err := r.answer(n)
	return partner.Answer{Status: status, Text: "lời đáp"}, err
}

func always(status int) func(int) (int, error) { return func(int) (int, error) { return status, nil } }

func (w world) endpoint(t *testing.T, kinds ...string) (partner.Endpoint, string) {
	t.Helper()
	e, secret, err := w.AddEndpoint(context.Background(), partner.EndpointRequest{PartnerID: w.who.ID, URL: "https://cong.example/ocop", Kinds: kinds}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return e, secret
}

func (w world) emit(t *testing.T, subjects ...string) {
	t.Helper()
	for _, s := range subjects {
		err := w.d.InTx(context.Background(), func(tx db.Tx) error {
			return partner.Emit(context.Background(), tx, partner.Event{Kind: partner.StockChanged, Subject: s, At: w.clock.Now(), Payload: map[string]any{"sku": s, "available": 3}})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// round lets one round of deliveries happen and returns how many letters went out.
func (w world) round(t *testing.T) int {
	t.Helper()
	n, err := w.Deliver(context.Background(), partner.DeliverJob{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (w world) only(t *testing.T, e partner.Endpoint) (partner.Delivery, []partner.Attempt) {
	t.Helper()
	list, _, err := w.Deliveries(context.Background(), w.who.ID, e.Code, partner.DeliveryFilter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d deliveries, %v", len(list), err)
	}
	d, tried, err := w.Delivery(context.Background(), w.who.ID, e.Code, list[0].EventID)
	if err != nil {
		t.Fatal(err)
	}
	return d, tried
}

func TestEventExistsIfAndOnlyIfItsTransactionDoes(t *testing.T) {
	ctx := context.Background()
	d, q := testkit.CountedDB(t)
	w := open(t, d, nil)
	emit := func(fate error) {
		err := d.InTx(ctx, func(tx db.Tx) error {
			e := partner.Event{Kind: partner.StockChanged, Subject: "CHE-1", At: w.clock.Now(), Payload: map[string]any{}}
			if err := partner.Emit(ctx, tx, e); err != nil {
				return err
			}
			return fate
		})
		if !errors.Is(err, fate) {
			t.Fatal(err)
		}
	}
	count := func() (n int) {
		testkit.Scan(t, d, &n, `SELECT (SELECT count(*) FROM webhook_notice) + (SELECT count(*) FROM webhook_delivery) + (SELECT count(*) FROM river_job)`)
		return n
	}
	seen := q.During(func() { emit(nil) })
	seen = slices.DeleteFunc(seen, func(s string) bool { s = strings.ToLower(s); return strings.HasPrefix(s, "begin") || s == "commit" })
	if len(seen) != 1 || count() != 0 {
		t.Errorf("with nobody listening: %d statements, %d rows: %q", len(seen), count(), seen)
	}
	w.endpoint(t, partner.PriceChanged)
	if emit(nil); count() != 0 {
		t.Errorf("an endpoint that wants another kind: %d rows", count())
	}
	w.endpoint(t)
	if emit(errors.New("the deed failed")); count() != 0 {
		t.Errorf("rolled back: %d rows", count())
	}
	if emit(nil); count() != 3 {
		t.Errorf("committed: %d rows, want event, delivery and job", count())
	}
}

func TestLetterIsSignedAsAReceiverVerifies(t *testing.T) {
	d := testkit.DB(t)
	r := &receiver{answer: always(204)}
	w := open(t, d, r)
	e, secret := w.endpoint(t)
	w.emit(t, "CHE-1")
	if n := w.round(t); n != 1 || len(r.got) != 1 {
		t.Fatalf("%d letters", n)
	}
	l := r.got[0]
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 {
		t.Fatal(err)
	}
	sum := partner.Sign(key, l.Headers["webhook-id"], l.Headers["webhook-timestamp"], l.Body)
	if l.Headers["webhook-signature"] != "v1,"+base64.StdEncoding.EncodeToString(sum) || l.URL != e.URL {
		t.Errorf("headers %v", l.Headers)
	}
	if !bytes.Contains(l.Body, []byte(`"type":"stock.changed"`)) || !bytes.Contains(l.Body, []byte(`"sku": "CHE-1"`)) && !bytes.Contains(l.Body, []byte(`"sku":"CHE-1"`)) {
		t.Errorf("body %s", l.Body)
	}
	var sealed []byte
	testkit.Scan(t, d, &sealed, `SELECT secret_sealed FROM webhook_endpoint`)
	if bytes.Contains(sealed, key) || len(sealed) < 60 {
		t.Error("the secret stands in the table as it is")
	}
	if n := w.round(t); n != 0 {
		t.Errorf("a second round sent %d", n)
	}
}

func TestSecretSealedUnderAnotherKeySendsNothing(t *testing.T) {
	d := testkit.DB(t)
	r := &receiver{answer: always(200)}
	w := open(t, d, r)
	w.endpoint(t)
	w.emit(t, "CHE-1")
	other := partner.New(d, w.clock, r, partner.Config{Secret: bytes.Repeat([]byte{7}, 32)})
	if _, err := other.Deliver(context.Background(), partner.DeliverJob{}); err == nil || len(r.got) != 0 {
		t.Errorf("%d letters, %v", len(r.got), err)
	}
}

func TestFailedDeliveryIsTriedAgainWithBackoffAndGivenUpAfterThreeDays(t *testing.T) {
	d := testkit.DB(t)
	r := &receiver{answer: func(n int) (int, error) {
		if n%2 == 0 {
			return 0, errors.New("no answer in time")
		}
		return 500, nil
	}}
	w := open(t, d, r)
	e, _ := w.endpoint(t)
	w.emit(t, "CHE-1")
	began := w.clock.Now()
	var gaps []time.Duration
	last := began
	for range 40 {
		w.round(t)
		got, _ := w.only(t, e)
		if got.NextAt == nil {
			break
		}
		if w.clock.Set(got.NextAt.Add(-time.Second)); w.round(t) != 0 {
			t.Fatal("tried before its time")
		}
		gaps = append(gaps, got.NextAt.Sub(last))
		last = *got.NextAt
		w.clock.Set(last)
		// The endpoint is paused on the way; whoever resumes it lets the rest be tried.
		testkit.Exec(t, d, `UPDATE webhook_endpoint SET state = 'active', paused_why = ''`)
	}
	got, tried := w.only(t, e)
	if got.State != partner.DeliveryFailed || len(tried) != 11 || len(r.got) != 11 || last.Sub(began) < 70*time.Hour || last.Sub(began) > 76*time.Hour {
		t.Fatalf("%s after %d attempts in %s", got.State, len(tried), last.Sub(began))
	}
	if !slices.IsSorted(gaps) || gaps[0] != 10*time.Second {
		t.Errorf("gaps %v", gaps)
	}
	if *tried[0].Status != 500 || tried[0].Answer != "lời đáp" || tried[1].Status != nil || tried[1].Answer != "no answer in time" {
		t.Errorf("log %+v", tried[:2])
	}
	ids := map[string]bool{}
	for _, l := range r.got {
		ids[l.Headers["webhook-id"]] = true
	}
	if len(ids) != 1 {
		t.Errorf("one event carried %d ids", len(ids))
	}
	if err := w.Resume(context.Background(), w.who.ID, e.Code, "test"); err != nil {
		t.Fatal(err)
	}
	if n, err := w.RedeliverFailed(context.Background(), w.who.ID, e.Code, began, "test"); n != 1 || err != nil {
		t.Fatalf("redelivered %d, %v", n, err)
	}
	r.answer = always(200)
	w.clock.Advance(time.Minute)
	if w.round(t); len(r.got) != 12 {
		t.Errorf("%d letters", len(r.got))
	}
}

func TestReceiverThatRecoversGetsTheLetterOnceAndAgainOnlyOnWish(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	r := &receiver{answer: func(n int) (int, error) {
		if n == 1 {
			return 500, nil
		}
		return 200, nil
	}}
	w := open(t, d, r)
	e, _ := w.endpoint(t)
	w.emit(t, "CHE-1")
	w.round(t)
	w.clock.Advance(10 * time.Second)
	w.round(t)
	for range 3 {
		w.clock.Advance(time.Hour)
		w.round(t)
	}
	got, tried := w.only(t, e)
	if got.State != partner.DeliveryDone || len(tried) != 2 || *got.LastStatus != 200 {
		t.Fatalf("%+v after %d attempts", got, len(tried))
	}
	if err := w.Redeliver(ctx, w.who.ID, e.Code, got.EventID, "test"); err != nil {
		t.Fatal(err)
	}
	w.round(t)
	got, tried = w.only(t, e)
	if got.State != partner.DeliveryDone || len(tried) != 3 || r.got[2].Headers["webhook-id"] != r.got[0].Headers["webhook-id"] {
		t.Fatalf("%+v after %d attempts", got, len(tried))
	}
	stranger, err := w.Add(ctx, "Người lạ", "la@vidu.example", "vi", "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{w.Redeliver(ctx, stranger.ID, e.Code, got.EventID, "test"), w.RemoveEndpoint(ctx, stranger.ID, e.Code, "test"),
		w.Resume(ctx, stranger.ID, e.Code, "test")} {
		if !errors.Is(err, apperr.New(apperr.NotFound, "partner.endpoint.unknown")) {
			t.Errorf("a stranger: %v", err)
		}
	}
	if err := d.InTx(ctx, func(tx db.Tx) error { return tx.Exec(`UPDATE webhook_attempt SET status = 200`).Error }); !db.Breaks(err, "webhook_attempt_append_only") {
		t.Errorf("the log was rewritten: %v", err)
	}
}

func TestSlowReceiverHoldsUpOnlyItself(t *testing.T) {
	d := testkit.DB(t)
	release := make(chan struct{})
	quick := make(chan string, 9)
	w := open(t, d, post(func(l partner.Letter) (partner.Answer, error) {
		if strings.Contains(l.URL, "slow") {
			<-release
		} else {
			quick <- l.URL
		}
		return partner.Answer{Status: 200}, nil
	}))
	for _, u := range []string{"https://slow.example/", "https://quick.example/"} {
		if _, _, err := w.AddEndpoint(context.Background(), partner.EndpointRequest{PartnerID: w.who.ID, URL: u}, "test"); err != nil {
			t.Fatal(err)
		}
	}
	w.emit(t, "CHE-1")
	done := make(chan int)
	go func() { n, _ := w.Deliver(context.Background(), partner.DeliverJob{}); done <- n }()
	<-quick
	w.emit(t, "CHE-2") // another round, while the first one still waits for the slow server
	for len(quick) == 0 {
		if _, err := w.Deliver(context.Background(), partner.DeliverJob{}); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	if n := <-done; n < 2 {
		t.Errorf("the first round sent %d", n)
	}
}

type post func(partner.Letter) (partner.Answer, error)

func (p post) Post(_ context.Context, l partner.Letter) (partner.Answer, error) { return p(l) }

func TestTwoRoundsAtATimeSendEachLetterOnce(t *testing.T) {
	d := testkit.DB(t)
	r := &receiver{answer: always(200)}
	w := open(t, d, r)
	w.endpoint(t)
	for range 30 {
		w.emit(t, "CHE-1")
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { w.round(t) })
	}
	wg.Wait()
	w.round(t)
	ids := map[string]int{}
	for _, l := range r.got {
		ids[l.Headers["webhook-id"]]++
	}
	if len(ids) != 30 || len(r.got) != 30 {
		t.Errorf("%d letters of %d events", len(r.got), len(ids))
	}
}

func TestEndpointThatKeepsFailingIsPausedAndResumedOnWish(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	r := &receiver{answer: always(503)}
	w := open(t, d, r)
	e, _ := w.endpoint(t)
	state := func() partner.Endpoint {
		now, err := w.Endpoint(ctx, w.who.ID, e.Code)
		if err != nil {
			t.Fatal(err)
		}
		return now
	}
	for range 20 { // a busy minute alone pauses nobody
		w.emit(t, "CHE-1")
		w.round(t)
		w.clock.Advance(6 * time.Second)
	}
	if state().State != partner.EndpointActive || state().Failures < 8 {
		t.Fatalf("after two minutes: %+v", state())
	}
	w.clock.Advance(24 * time.Hour)
	w.round(t)
	if now := state(); now.State != partner.EndpointPaused || now.PausedWhy != partner.PausedFailing {
		t.Fatalf("after a day: %+v", now)
	}
	var mails int
	testkit.Scan(t, d, &mails, `SELECT count(*) FROM river_job WHERE kind = 'webhook_tell_paused'`)
	n, ok, err := w.PauseNotice(ctx, partner.TellPaused{Endpoint: e.Code})
	if mails != 1 || err != nil || !ok || n.Partner.Email != w.who.Email || n.Why() != "mail.webhook_paused.failing" {
		t.Errorf("%d mails, %+v, %v", mails, n, err)
	}
	sent := len(r.got)
	w.emit(t, "KHONG-AI-NGHE")
	w.clock.Advance(time.Hour)
	if w.round(t); len(r.got) != sent {
		t.Error("a paused endpoint was written to")
	}
	if err := w.Redeliver(ctx, w.who.ID, e.Code, "evt_x", "test"); !errors.Is(err, apperr.New(apperr.Conflict, "partner.endpoint.paused")) {
		t.Errorf("redelivery to a paused endpoint: %v", err)
	}
	r.answer = always(200)
	if err := w.Resume(ctx, w.who.ID, e.Code, "test"); err != nil {
		t.Fatal(err)
	}
	w.round(t)
	list, _, err := w.Deliveries(ctx, w.who.ID, e.Code, partner.DeliveryFilter{State: partner.DeliveryDone})
	if err != nil || len(list) != 20 || state().Failures != 0 {
		t.Errorf("%d of 20 came after all; %+v, %v", len(list), state(), err)
	}
	r.answer = always(410)
	w.emit(t, "CHE-1")
	w.round(t)
	if now := state(); now.PausedWhy != partner.PausedGone {
		t.Errorf("after 410: %+v", now)
	}
}

func TestDeliveryLogComesInPagesAndIsSweptAfterThirtyDays(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	w := open(t, d, &receiver{answer: always(200)})
	e, _ := w.endpoint(t)
	w.emit(t, "A", "B", "C", "D", "E")
	w.round(t)
	var subjects []string
	for cursor, more := "", true; more; more = cursor != "" {
		list, next, err := w.Deliveries(ctx, w.who.ID, e.Code, partner.DeliveryFilter{Cursor: cursor, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range list {
			subjects = append(subjects, l.Subject)
		}
		cursor = next
	}
	if !slices.Equal(subjects, []string{"E", "D", "C", "B", "A"}) {
		t.Errorf("pages hold %v", subjects)
	}
	w.clock.Advance(29 * 24 * time.Hour)
	w.emit(t, "F")
	if n, err := w.Sweep(ctx); n != 0 || err != nil {
		t.Errorf("swept %d early, %v", n, err)
	}
	w.clock.Advance(2 * 24 * time.Hour)
	if n, err := w.Sweep(ctx); n != 5 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	w.only(t, e)
}

func TestAddressesThatLeadInwardsAreRefused(t *testing.T) {
	d := testkit.DB(t)
	w := open(t, d, nil)
	live := partner.New(d, w.clock, nil, partner.Config{Secret: sealing})
	for address, key := range map[string]string{
		"http://cong.example/": "partner.url.https", "ftp://cong.example/": "partner.url.invalid", "https://": "partner.url.invalid", "": "partner.url.invalid",
		"https://user:pw@cong.example/": "partner.url.invalid", "https://localhost/": "partner.url.private", "https://127.0.0.1/": "partner.url.private",
		"https://[::1]/": "partner.url.private", "https://10.1.2.3/": "partner.url.private", "https://169.254.169.254/latest": "partner.url.private",
		"https://[::ffff:192.168.1.1]/": "partner.url.private", "https://db/": "partner.url.invalid", "http://localhost:9000/": "partner.url.https",
		"https://x.localhost./": "partner.url.private",
	} {
		_, _, err := live.AddEndpoint(context.Background(), partner.EndpointRequest{PartnerID: w.who.ID, URL: address}, "test")
		if l, ok := apperr.As(err); !ok || l[0].Key != key {
			t.Errorf("%s: %v, want %s", address, err, key)
		}
	}
	if _, _, err := w.AddEndpoint(context.Background(), partner.EndpointRequest{PartnerID: w.who.ID, URL: "http://localhost:9000/"}, "test"); err != nil {
		t.Errorf("in development: %v", err)
	}
}
