package webhook

import (
	"context"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"choocop.vn/ocop/internal/partner"
)

func TestPublicAddressesOnly(t *testing.T) {
	guards := map[bool]func(string) error{}
	for _, local := range []bool{false, true} {
		g := guard(local)
		guards[local] = func(a string) error { return g("tcp", a, nil) }
	}
	for _, address := range []string{"10.0.0.1:443", "172.16.5.4:443", "192.168.1.1:443", "169.254.169.254:80", "0.0.0.0:80", "100.64.0.1:443", "224.0.0.1:80",
		"255.255.255.255:80", "198.18.0.1:80", "[fe80::1%eth0]:443", "[fd00::1]:443", "[::]:80", "[::ffff:10.0.0.1]:443", "[64:ff9b::a00:1]:443", "[2002:a00:1::]:443",
		"[ff02::1]:80", "[::10.0.0.1]:80"} {
		if guards[false](address) == nil || guards[true](address) == nil {
			t.Errorf("%s may be dialled", address)
		}
	}
	for _, address := range []string{"127.0.0.1:80", "127.8.8.8:80", "[::1]:443", "[::ffff:127.0.0.1]:80"} {
		if guards[false](address) == nil || guards[true](address) != nil {
			t.Errorf("%s: this machine is for development alone", address)
		}
	}
	for _, address := range []string{"1.1.1.1:443", "203.162.4.190:443", "[2606:4700::1111]:443"} {
		if err := guards[false](address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestNoNameLeadsInwards(t *testing.T) {
	var asked atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inner.Close()
	_, port, _ := net.SplitHostPort(inner.Listener.Addr().String())
	// localhost stands for every name that resolves to a private address: the guard sees what the name became.
	for _, u := range []string{inner.URL, "http://localhost:" + port + "/", "http://[::1]:" + port + "/", "http://[::ffff:127.0.0.1]:" + port + "/", "http://2130706433:" + port + "/"} {
		if _, err := New(false).Post(context.Background(), partner.Letter{URL: u}); err == nil || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: %v", u, err)
		}
	}
	if asked.Load() != 0 {
		t.Errorf("the inner server was asked %d times", asked.Load())
	}
}

func TestRedirectIsAnAnswerAndNotFollowed(t *testing.T) {
	var asked atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer inner.Close()
	outer := httptest.NewServer(http.RedirectHandler(inner.URL, http.StatusTemporaryRedirect))
	defer outer.Close()
	a, err := New(true).Post(context.Background(), partner.Letter{URL: outer.URL, Body: []byte("{}")})
	if err != nil || a.Status != http.StatusTemporaryRedirect || asked.Load() != 0 {
		t.Errorf("%+v, %v, asked %d", a, err, asked.Load())
	}
}

func TestReceiverReadsWhatWasSignedAndLittleOfItsAnswerIsRead(t *testing.T) {
	secret := []byte("thirty-two bytes of a shared key")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sum := partner.Sign(secret, r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
		if r.Method != http.MethodPost || r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(sum) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		for range 1000 {
			_, _ = io.WriteString(w, strings.Repeat("x", 1024))
		}
	}))
	defer server.Close()
	body := []byte(`{"type":"stock.changed"}`)
	sum := partner.Sign(secret, "evt_1", "1764000000", body)
	a, err := New(true).Post(context.Background(), partner.Letter{URL: server.URL, Body: body, Headers: map[string]string{
		"webhook-id": "evt_1", "webhook-timestamp": "1764000000", "webhook-signature": "v1," + base64.StdEncoding.EncodeToString(sum)}})
	if err != nil || a.Status != http.StatusAccepted || len(a.Text) != 1024 {
		t.Errorf("status %d, %d bytes, %v", a.Status, len(a.Text), err)
	}
}

func TestSlowReceiverIsLeftInTime(t *testing.T) {
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer server.Close()
	defer close(hold)
	p := New(true)
	p.timeout = 50 * time.Millisecond
	if _, err := p.Post(context.Background(), partner.Letter{URL: server.URL}); err == nil || err.Error() != "no answer in time" {
		t.Error(err)
	}
}
