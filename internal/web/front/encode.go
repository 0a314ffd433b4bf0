package front

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
)

// smallest is the size from which compressing saves a packet.
const smallest = 1024

// body is a content that is sent many times: each packed form is made once, when the first reader wants it.
type body struct {
	plain        []byte
	tag          string
	gzip, brotli func() []byte
}

func newBody(plain []byte) *body {
	return &body{plain: plain, tag: tag(plain), gzip: sync.OnceValue(func() []byte { return gzipped(plain) }),
		brotli: sync.OnceValue(func() []byte { return brotlied(plain) })}
}

// send writes the form that the reader understands best, or status 304 to one who has it. Each form has its own strong
// ETag; having any of them is having the content.
func (b *body) send(w http.ResponseWriter, r *http.Request, status int) int {
	h := w.Header()
	content, mark := b.plain, ""
	if len(b.plain) >= smallest {
		switch accept := r.Header.Get("Accept-Encoding"); {
		case takes(accept, "br"):
			content, mark = b.brotli(), "br"
		case takes(accept, "gzip"):
			content, mark = b.gzip(), "gzip"
		}
	}
	etag := `"` + b.tag + `"`
	if mark != "" {
		etag = `"` + b.tag + "-" + mark + `"`
	}
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), b.tag) {
		h.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	if mark != "" {
		h.Set("Content-Encoding", mark)
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content)
	}
	return status
}

// File is a static file with its packed forms, which are nil where packing does not help.
type File struct {
	Data, Gzip, Brotli []byte
	ETag               string // without quotes
}

// Send writes a file as a kept page is sent.
func Send(w http.ResponseWriter, r *http.Request, f File) {
	b := &body{plain: f.Data, tag: f.ETag, gzip: func() []byte { return f.Gzip }, brotli: func() []byte { return f.Brotli }}
	if f.Gzip == nil || f.Brotli == nil {
		r = r.Clone(r.Context())
		r.Header.Del("Accept-Encoding")
	} else {
		w.Header().Add("Vary", "Accept-Encoding")
	}
	b.send(w, r, http.StatusOK)
}

// takes reports whether an Accept-Encoding names the encoding and does not refuse it with q=0.
func takes(accept, encoding string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), encoding) {
			continue
		}
		q = strings.ReplaceAll(q, " ", "")
		return !strings.HasPrefix(q, "q=0") || strings.Trim(q[3:], ".0") != ""
	}
	return false
}

// Levels for what is compressed once and sent many times, and for what is compressed for one reader.
const (
	onceGzip   = 6
	onceBrotli = 5
	eachGzip   = 3
)

func gzipped(plain []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(plain) / 4)
	w, _ := gzip.NewWriterLevel(&out, onceGzip) // the level is valid, and memory does not fail
	_, _ = w.Write(plain)
	_ = w.Close()
	return out.Bytes()
}

// brotlis are used again: each holds tables of a megabyte.
var brotlis = sync.Pool{New: func() any { return brotli.NewWriterLevel(nil, onceBrotli) }}

func brotlied(plain []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(plain) / 4)
	w := brotlis.Get().(*brotli.Writer)
	defer brotlis.Put(w)
	w.Reset(&out)
	_, _ = w.Write(plain)
	_ = w.Close()
	return out.Bytes()
}
