package partner

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"choocop.vn/ocop/internal/platform/db"
)

// waits are the pauses after each failed attempt: eleven attempts in about three days. Then the delivery is given up and
// waits for Redeliver.
var waits = []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour,
	12 * time.Hour, 12 * time.Hour, 16 * time.Hour, 24 * time.Hour}

// An endpoint is paused by itself after so many failures in a row over at least so long a time: a busy one must not be
// paused by a short fault, nor an idle one by few events.
const (
	pauseAfter = 8
	pauseOver  = 24 * time.Hour
)

// How one round works: as many endpoints at once, as many letters at once to each of them, as long in all. The claim on
// an endpoint outlasts the round, including a last letter that takes its whole time.
const (
	roundEndpoints = 8
	roundLetters   = 4
	roundBatch     = 20
	roundBudget    = 25 * time.Second
	claim          = time.Minute
	// breath is how long an endpoint that failed is left alone.
	breath = 5 * time.Second
)

// statusGone is HTTP's 410: the receiver wants no more.
const statusGone = 410

// Deliver sends what is due and returns how many letters it sent. Rows are the queue: any number of rounds may run at a
// time, in any number of programs; each claims endpoints for itself, so one slow receiver holds up only itself. A program
// that dies between the receiver's answer and our note of it sends that letter once more, under the same webhook-id.
func (s *Service) Deliver(ctx context.Context, _ DeliverJob) (int, error) {
	mine, err := claimEndpoints(ctx, s.db.Primary(ctx), s.clock.Now(), s.clock.Now().Add(claim), roundEndpoints)
	if err != nil {
		return 0, wrap("deliver", err)
	}
	ctx, cancel := context.WithTimeout(ctx, roundBudget)
	defer cancel()
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		total int
		all   []error
	)
	for _, e := range mine {
		wg.Go(func() {
			n, err := s.serve(ctx, e)
			mu.Lock()
			defer mu.Unlock()
			total += n
			all = append(all, err)
		})
	}
	wg.Wait()
	return total, wrap("deliver", errors.Join(all...))
}

// serve sends to one endpoint until nothing is due, something failed, or the time is over, and gives the claim back.
func (s *Service) serve(ctx context.Context, e claimed) (sent int, err error) {
	free := time.Duration(0)
	defer func() {
		// Not the round's context: its time may be what ended this.
		err = errors.Join(err, release(context.WithoutCancel(ctx), s.db.Primary(ctx), e.ID, s.clock.Now().Add(free)))
	}()
	secret, err := s.unseal(e.SecretSealed, e.Code)
	if err != nil {
		free = time.Hour // nothing can be sent until an operator has looked
		return 0, err
	}
	for ctx.Err() == nil {
		batch, err := due(ctx, s.db.Primary(ctx), e.ID, s.clock.Now(), roundBatch)
		if err != nil || len(batch) == 0 {
			return sent, err
		}
		n, ok, err := s.send(ctx, e, secret, batch)
		sent += n
		if err != nil {
			return sent, err
		}
		if !ok {
			free = breath
			return sent, nil
		}
	}
	return sent, nil
}

// send posts a batch, a few letters at a time, and stops taking new ones after the first failure.
func (s *Service) send(ctx context.Context, e claimed, secret []byte, batch []dueRow) (sent int, ok bool, err error) {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next int
		all  []error
	)
	ok = true
	take := func() (dueRow, bool) {
		mu.Lock()
		defer mu.Unlock()
		if !ok || len(all) > 0 || next == len(batch) || ctx.Err() != nil {
			return dueRow{}, false
		}
		next++
		return batch[next-1], true
	}
	for range min(roundLetters, len(batch)) {
		wg.Go(func() {
			for d, more := take(); more; d, more = take() {
				good, err := s.try(ctx, e, secret, d)
				mu.Lock()
				sent++
				ok = ok && good
				if err != nil {
					all = append(all, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return sent, ok, errors.Join(all...)
}

// try posts one letter and writes down what came of it.
func (s *Service) try(ctx context.Context, e claimed, secret []byte, d dueRow) (good bool, err error) {
	began := s.clock.Now()
	l, err := letter(e.URL, secret, d, began)
	if err != nil {
		return false, err
	}
	// The poster has a time limit of its own; a letter under way when the round ends is waited for.
	answer, fault := s.poster.Post(context.WithoutCancel(ctx), l)
	now := s.clock.Now()
	r := result{Endpoint: e.ID, Delivery: d.ID, Attempts: d.Attempts, At: now, Took: max(0, now.Sub(began)), Answer: brief(answer.Text)}
	if fault != nil {
		r.Answer = brief(fault.Error())
	} else {
		r.Status = &answer.Status
	}
	switch {
	case fault == nil && answer.Status >= 200 && answer.Status < 300:
		r.Done = true
	case d.Attempts < len(waits):
		at := now.Add(waits[d.Attempts])
		r.Next = &at
	}
	gone := fault == nil && answer.Status == statusGone
	return r.Done, s.db.InTx(context.WithoutCancel(ctx), func(tx db.Tx) error {
		why, err := note(ctx, tx, r, gone)
		if err != nil || why == "" {
			return err
		}
		if err := record(ctx, tx, "system", "webhook_endpoint.pause", "webhook_endpoint", e.Code, map[string]any{"why": why}); err != nil {
			return err
		}
		q, err := queue()
		if err != nil {
			return err
		}
		return q.Enqueue(ctx, tx, TellPaused{e.Code, now})
	})
}

// letter writes what is posted, signed as Standard Webhooks has it: HMAC-SHA256 over id.timestamp.body.
func letter(address string, secret []byte, d dueRow, now time.Time) (Letter, error) {
	body, err := json.Marshal(map[string]any{"type": d.Kind, "timestamp": d.CreatedAt.UTC(), "data": json.RawMessage(d.Payload)})
	if err != nil {
		return Letter{}, fmt.Errorf("letter %s: %w", d.EventID, err)
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	return Letter{URL: address, Body: body, Headers: map[string]string{
		"Content-Type": "application/json", "User-Agent": "ChoOCOP-Webhooks/1", "webhook-id": d.EventID, "webhook-timestamp": stamp,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(Sign(secret, d.EventID, stamp, body)),
	}}, nil
}

// Sign is the signature of a letter; secret is the decoded part behind whsec_.
func Sign(secret []byte, id, stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(id + "." + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// brief keeps what a table may hold of a stranger's words.
func brief(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if utf8.RuneCountInString(s) <= 200 {
		return s
	}
	return string([]rune(s)[:200])
}

// Notice is what a partner is told when an endpoint was paused.
type Notice struct {
	Partner  Partner
	Endpoint Endpoint
}

// Why is the text key of the reason.
func (n Notice) Why() string {
	if n.Endpoint.PausedWhy == PausedGone {
		return "mail.webhook_paused.gone"
	}
	return "mail.webhook_paused.failing"
}

// PauseNotice is what TellPaused mails; it is not ok when the endpoint is at work again.
func (s *Service) PauseNotice(ctx context.Context, j TellPaused) (Notice, bool, error) {
	n, ok, err := pauseNotice(ctx, s.db.Primary(ctx), j.Endpoint)
	return n, ok, wrap("pause notice", err)
}
