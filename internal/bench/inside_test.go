//go:build bench

package bench

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// BenchmarkInside asks the handlers past the page cache and without a network: for profiles of what a page costs.
//
//	go test -tags bench -run '^$' -bench Inside -cpuprofile cpu.out ./internal/bench/
func BenchmarkInside(b *testing.B) {
	w := open(b, 20_000)
	lists, searches := paths()
	for _, c := range []struct {
		name  string
		h     http.Handler
		paths []string
		fresh string
	}{{"yardstick", w.bare, []string{"/list"}, ""}, {"list", w.Handler(), lists, "&x=1"}, {"search", w.Handler(), searches, "&x=1"}, {"home", w.Handler(), []string{"/"}, "?x=1"}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := httptest.NewRequest(http.MethodGet, c.paths[i%len(c.paths)]+c.fresh, nil)
				r.RemoteAddr = "127.0.0.1:1"
				a := httptest.NewRecorder()
				if c.h.ServeHTTP(a, r); a.Code != http.StatusOK {
					b.Fatal(a.Code, a.Body)
				}
			}
		})
	}
}
