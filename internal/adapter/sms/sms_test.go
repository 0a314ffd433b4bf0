package sms

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAGatewayGetsTheMessageAndTheKey(t *testing.T) {
	status := http.StatusAccepted
	var got map[string]string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer khoa" || r.Method != http.MethodPost {
			t.Errorf("%s with %q", r.Method, r.Header.Get("Authorization"))
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "https://evil.example")
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	s, err := New(srv.URL, "khoa", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Text(t.Context(), "+84912345678", "Mã: 123456"); err != nil || got["to"] != "+84912345678" || got["text"] != "Mã: 123456" {
		t.Errorf("%v, %v", got, err)
	}
	for _, status = range []int{http.StatusFound, http.StatusBadRequest, http.StatusInternalServerError} {
		if err := s.Text(t.Context(), "+84912345678", "x"); err == nil || strings.Contains(err.Error(), "912") {
			t.Errorf("%d: %v", status, err)
		}
	}
	srv.Close()
	if err := s.Text(t.Context(), "+84912345678", "x"); err == nil || strings.Contains(err.Error(), "912") {
		t.Errorf("away: %v", err)
	}
}

func TestOnlyHTTPSLeavesTheMachine(t *testing.T) {
	for _, address := range []string{"http://gateway.example/send", "ftp://x", "gateway.example", "https://"} {
		if _, err := New(address, "", ""); err == nil {
			t.Errorf("%s was taken", address)
		}
	}
	if s, err := New("", "", ""); s != nil || err != nil {
		t.Errorf("%v, %v", s, err)
	}
}

func TestDevelopmentPutsMessagesIntoFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sms")
	s, err := New("", "", dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Text(t.Context(), "+84912345678", "Mã: 123456"); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	b, err := os.ReadFile(filepath.Join(dir, files[0].Name()))
	if err != nil || !strings.Contains(string(b), "123456") {
		t.Errorf("%s, %v", b, err)
	}
}
