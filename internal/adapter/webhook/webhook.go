// Package webhook posts events to partners' servers, and lets no address lead into our own network.
//
// The guard stands at the dial, where the name has become an address: a name that was public when the endpoint was taken
// in may lead to 127.0.0.1 or to a cloud's metadata a moment later. No redirect is followed and no proxy is used, since
// either would dial on its own.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"choocop.vn/ocop/internal/partner"
)

// Limits of one letter: how long it may take in all, and how much of the answer is read.
const (
	Timeout   = 10 * time.Second
	maxAnswer = 1 << 10
)

// errPrivate says why an address was not dialled; it names none, since the partner may read it.
var errPrivate = errors.New("the address is not on the public internet")

// Poster posts letters. It fills partner.Poster.
type Poster struct {
	client  *http.Client
	timeout time.Duration
}

// New returns a poster. local lets it reach this machine, for development.
func New(local bool) *Poster {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: guard(local)}
	return &Poster{timeout: Timeout, client: &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: 5 * time.Second, MaxIdleConnsPerHost: 4,
			IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func guard(local bool) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return errPrivate
		}
		if partner.Public(to.Addr()) || local && to.Addr().Unmap().IsLoopback() {
			return nil
		}
		return errPrivate
	}
}

// Post sends the letter and reads the beginning of the answer; a redirect is an answer like any other.
func (p *Poster) Post(ctx context.Context, l partner.Letter) (partner.Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.URL, bytes.NewReader(l.Body))
	if err != nil {
		return partner.Answer{}, errors.New("the address is not valid")
	}
	for name, value := range l.Headers {
		r.Header.Set(name, value)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		return partner.Answer{}, plain(err)
	}
	defer resp.Body.Close()
	// What cannot be read of an answer is left out: its status has come.
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return partner.Answer{Status: resp.StatusCode, Text: strings.TrimSpace(string(text))}, nil
}

// plain says what went wrong in words for the partner's log, without addresses of our network.
func plain(err error) error {
	var name *net.DNSError
	var network net.Error
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return errors.New("no answer in time")
	case errors.As(err, &name):
		return fmt.Errorf("the name %s does not lead anywhere", name.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("the connection was refused")
	case strings.Contains(err.Error(), "tls:"), strings.Contains(err.Error(), "x509:"):
		return errors.New("the server's certificate was not accepted")
	}
	return errors.New("the connection broke")
}
