// Package sms hands short messages to a gateway, or in development to a folder, one .txt file each.
package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/platform/ident"
)

const timeout = 15 * time.Second

// New returns the way to send for the address of a gateway: an HTTPS POST of {"to": "+84912345678", "text": "…"} with the
// key as bearer token, answered by 2xx when the message was taken. Every gateway in Vietnam has an API of its own; a few
// lines of proxy bring it to this form. An empty address puts every message into folder, and without a folder there is no
// way: nil.
func New(address, key, folder string) (notify.Texter, error) {
	if address == "" {
		if folder == "" {
			return nil, nil
		}
		return Folder{folder}, nil
	}
	u, err := url.Parse(address)
	local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && local) {
		return nil, errors.New("sms: the gateway's address must look like https://gateway.example/send")
	}
	// A gateway that sends us elsewhere would get the key there too.
	client := &http.Client{Timeout: timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return Gateway{address, key, client}, nil
}

// Gateway sends by a provider.
type Gateway struct {
	address, key string
	client       *http.Client
}

// Text hands over one message. Its errors never say to whom.
func (g Gateway) Text(ctx context.Context, phone, text string) error {
	body, err := json.Marshal(map[string]string{"to": phone, "text": text})
	if err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.address, bytes.NewReader(body))
	if err != nil {
		return errors.New("sms: the gateway's address is not valid")
	}
	r.Header.Set("Content-Type", "application/json")
	if g.key != "" {
		r.Header.Set("Authorization", "Bearer "+g.key)
	}
	answer, err := g.client.Do(r)
	if err != nil {
		return errors.New("sms: the gateway does not answer")
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10))
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("sms: the gateway answered %d", answer.StatusCode)
	}
	return nil
}

// Folder writes messages to files, for development.
type Folder struct{ dir string }

// Text writes one message; the same one again overwrites its file.
func (f Folder) Text(_ context.Context, phone, text string) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	name := fmt.Sprintf("%s-%x.txt", ident.Slug(phone), ident.Hash(text)[:4])
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(phone+"\n\n"+text+"\n"), 0o600); err != nil {
		return fmt.Errorf("sms: %w", err)
	}
	return nil
}
