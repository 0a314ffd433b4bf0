package testcard

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/ident"
)

const (
	// Header carries the signature, in the form that Stripe made usual: t=TIME,v1=HMAC.
	Header    = "Test-Signature"
	tolerance = 5 * time.Minute
	maxTries  = 8
)

// message is a notice as it goes over the wire, and as it lies in its file until it is delivered.
type message struct {
	ID    string
	Kind  payment.NoticeKind
	Ref   string
	At    time.Time
	Due   time.Time // by the machine's clock
	Tries int
	Times int // how often it is delivered
}

// tell writes a notice down and delivers it after a while, as often as wanted.
func (g *Gateway) tell(kind payment.NoticeKind, ref string, after time.Duration, times int) error {
	m := message{ID: "tn_" + ident.Token(), Kind: kind, Ref: ref, At: g.Clock.Now(), Due: time.Now().Add(after), Times: times}
	if err := g.keep(m); err != nil {
		return err
	}
	g.posts.Go(func() { g.deliver(m) })
	return nil
}

func (g *Gateway) keep(m message) error {
	b, err := json.Marshal(m)
	if err == nil {
		err = replace(g.file(m), b)
	}
	if err != nil {
		return fmt.Errorf("testcard: notice: %w", err)
	}
	return nil
}

func (g *Gateway) file(m message) string { return filepath.Join(g.Folder, "notice", m.ID+".json") }

// Resume goes on with what an earlier process did not deliver; a second time it does nothing.
func (g *Gateway) Resume() (err error) {
	g.resume.Do(func() { err = g.deliverLeft() })
	return err
}

func (g *Gateway) deliverLeft() error {
	names, err := filepath.Glob(filepath.Join(g.Folder, "notice", "tn_*.json"))
	if err != nil {
		return fmt.Errorf("testcard: %w", err)
	}
	for _, name := range names {
		var m message
		b, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(b, &m)
		}
		if err != nil {
			return fmt.Errorf("testcard: notice: %w", err)
		}
		g.posts.Go(func() { g.deliver(m) })
	}
	return nil
}

// deliver posts a notice until it is taken, with growing pauses, and gives up as providers do in the end.
func (g *Gateway) deliver(m message) {
	for m.Times > 0 && m.Tries < maxTries {
		select {
		case <-g.ctx.Done():
			return
		case <-time.After(time.Until(m.Due)):
		}
		m.Tries++
		err := g.post(m)
		if err == nil {
			m.Times--
		} else if g.ctx.Err() == nil {
			slog.Warn("test card notice not taken", "try", m.Tries, "error", err)
			m.Due = time.Now().Add(time.Second << (m.Tries - 1))
		}
	}
	if g.ctx.Err() == nil || m.Times == 0 {
		_ = os.Remove(g.file(m))
	}
}

func (g *Gateway) post(m message) error {
	body, err := json.Marshal(map[string]any{"id": m.ID, "kind": m.Kind, "ref": m.Ref, "at": m.At.Unix()})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(g.ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.BaseURL+"/hooks/test", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(Header, g.Sign(body, g.Clock.Now()))
	a, err := g.client.Do(r)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(a.Body, 1<<10))
	if a.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d", a.StatusCode)
	}
	return nil
}

// Sign is the signature of a message at a time.
func (g *Gateway) Sign(body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(g.sum(stamp, body))
}

func (g *Gateway) sum(stamp string, body []byte) []byte {
	m := hmac.New(sha256.New, g.secret)
	m.Write([]byte("notice\x00" + stamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// Read checks the signature of a message and says what it is about.
func (g *Gateway) Read(body []byte, signature string) (payment.Notice, error) {
	stamp, sum, ok := strings.Cut(strings.TrimPrefix(signature, "t="), ",v1=")
	given, err := hex.DecodeString(sum)
	if !ok || err != nil || !hmac.Equal(given, g.sum(stamp, body)) {
		return payment.Notice{}, payment.ErrForged
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || g.Clock.Now().Sub(time.Unix(at, 0)).Abs() > tolerance {
		return payment.Notice{}, payment.ErrForged
	}
	var m struct {
		ID, Ref string
		Kind    payment.NoticeKind
		At      int64
	}
	if err := json.Unmarshal(body, &m); err != nil || m.ID == "" {
		return payment.Notice{}, errors.New("testcard: a signed message is no notice")
	}
	return payment.Notice{ID: m.ID, Kind: m.Kind, Ref: m.Ref, At: time.Unix(m.At, 0)}, nil
}
