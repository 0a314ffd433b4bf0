package front

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
)

// squeezer compresses one answer on its way out, with gzip: brotli at a price that one reader justifies is no better.
//
// A page that holds something secret beside something that a stranger chose, such as a search word, tells of the secret
// by its compressed length (BREACH). Here the secrets of order links stand in addresses and the cookies are out of
// reach; a stranger cannot make a browser fetch a page of its owner many times either, for the session cookie is
// SameSite=Lax. As a second wall, pages that may not be stored (baskets, orders, accounts) get a comment of random length in the gzip
// header, so that lengths say little; Django does the same. What is compressed once and sent to all (kept pages,
// static files) holds nothing secret.
type squeezer struct {
	http.ResponseWriter
	request *http.Request
	status  int
	decided bool
	zip     *gzip.Writer
}

var gzips = sync.Pool{New: func() any {
	w, _ := gzip.NewWriterLevel(nil, eachGzip) // the level is valid
	return w
}}

// squeeze wraps w; finish must be called when the answer is complete.
func squeeze(w http.ResponseWriter, r *http.Request) *squeezer {
	return &squeezer{ResponseWriter: w, request: r, status: http.StatusOK}
}

// WriteHeader waits for the first bytes, which tell whether compressing is worth it.
func (s *squeezer) WriteHeader(status int) {
	if !s.decided {
		s.status = status
	}
}

// Write compresses where that was decided at the first bytes.
func (s *squeezer) Write(b []byte) (int, error) {
	if !s.decided {
		s.decide(b)
	}
	if s.zip != nil {
		return s.zip.Write(b)
	}
	return s.ResponseWriter.Write(b)
}

// Flush sends what there is, for answers that go on.
func (s *squeezer) Flush() {
	if !s.decided {
		s.decide(nil)
	}
	if s.zip != nil {
		_ = s.zip.Flush()
	}
	_ = http.NewResponseController(s.ResponseWriter).Flush()
}

// Unwrap lets a response controller reach the connection.
func (s *squeezer) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *squeezer) finish() {
	if !s.decided {
		s.decide(nil)
	}
	if s.zip != nil {
		_ = s.zip.Close()
		gzips.Put(s.zip)
		s.zip = nil
	}
}

func (s *squeezer) decide(first []byte) {
	s.decided = true
	h := s.Header()
	if squeezable(h.Get("Content-Type")) && h.Get("Content-Encoding") == "" && s.status != http.StatusNoContent && s.status != http.StatusNotModified {
		addVary(h)
		if len(first) >= smallest && s.request.Method != http.MethodHead && takes(s.request.Header.Get("Accept-Encoding"), "gzip") {
			s.zip = gzips.Get().(*gzip.Writer)
			s.zip.Reset(s.ResponseWriter)
			if strings.Contains(h.Get("Cache-Control"), "no-store") {
				s.zip.Comment = strings.Repeat("x", 1+rand.IntN(100))
			}
			h.Del("Content-Length")
			h.Set("Content-Encoding", "gzip")
			if e := h.Get("ETag"); e != "" && !strings.HasPrefix(e, "W/") {
				h.Set("ETag", "W/"+e) // the same content in another form
			}
		}
	}
	s.ResponseWriter.WriteHeader(s.status)
}

func addVary(h http.Header) {
	for _, v := range h.Values("Vary") {
		if strings.Contains(strings.ToLower(v), "accept-encoding") {
			return
		}
	}
	h.Add("Vary", "Accept-Encoding")
}

// squeezable reports whether a type is text. A stream of events is sent piece by piece and stays as it is.
func squeezable(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	switch kind {
	case "text/event-stream":
		return false
	case "application/json", "application/problem+json", "application/xml", "application/rss+xml", "image/svg+xml", "application/manifest+json", "application/openapi+json":
		return true
	}
	return strings.HasPrefix(kind, "text/")
}
