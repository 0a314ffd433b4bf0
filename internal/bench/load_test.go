//go:build bench

package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The load comes over real connections on loopback, by a client that allocates next to nothing: the processor time that it
// takes weighs on the yardsticks as on the pages. Allocations, memory and statements are those of the server's process.
const (
	connections = 64
	lasts       = 2500 * time.Millisecond
	warms       = 300 * time.Millisecond
	// paces is how long a yardstick is tried before and after each row that is compared with it: the ratio is of one
	// moment, whatever else the machine does meanwhile.
	paces = 700 * time.Millisecond
)

// row is one line of the table.
type row struct {
	name       string
	rate       float64 // requests a second
	p50, p99   time.Duration
	statements float64 // per request
	allocs     float64 // per request
	resident   float64 // megabytes of the server
	bytes      float64 // per answer
	pace       float64 // requests a second of its yardstick, just before and after
}

// request makes the n-th request: all that is sent. An empty one means that there are no more.
type request func(n int64) []byte

func get(path string) []byte {
	return []byte("GET " + path + " HTTP/1.1\r\nHost: cho.test\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n")
}

// gets asks for the paths in turn.
func gets(paths ...string) request {
	ready := make([][]byte, len(paths))
	for i, p := range paths {
		ready[i] = get(p)
	}
	return func(n int64) []byte { return ready[n%int64(len(ready))] }
}

// fresh asks for the paths in turn past the page cache: no page knows the parameter "x".
func fresh(paths ...string) request {
	asked := make([]string, len(paths))
	for i, p := range paths {
		sep := "?"
		if strings.Contains(p, "?") {
			sep = "&"
		}
		asked[i] = p + sep + "x=1"
	}
	return gets(asked...)
}

// post sends a form, each time from another address: limits hold one visitor's pace, not the market's.
func post(path, form, cookie string, n int64) []byte {
	if cookie != "" {
		cookie = "Cookie: gio=" + cookie + "\r\n"
	}
	return []byte(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: cho.test\r\nX-Forwarded-For: 10.%d.%d.%d\r\n%sContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
		path, n>>16&255, n>>8&255, n&255, cookie, len(form), form))
}

// measure lets 64 connections ask for some seconds, or until the requests run out, and expects the status of each answer.
func measure(t testing.TB, name string, s server, lasts time.Duration, status int, next request) row {
	t.Helper()
	var n, done, size atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex
	var times []time.Duration
	began := time.Now()
	measured, ends := began.Add(warms), began.Add(warms+lasts)
	var before figures
	var last time.Time
	wg.Go(func() {
		time.Sleep(warms)
		before = s.figures(t)
	})
	for range connections {
		wg.Go(func() {
			c, err := net.Dial("tcp", s.address)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReaderSize(c, 64<<10)
			own := make([]time.Duration, 0, 4096)
			for time.Now().Before(ends) {
				b := next(n.Add(1) - 1)
				if b == nil {
					break
				}
				sent := time.Now()
				if _, err := c.Write(b); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				got, length, err := read(r)
				if err != nil || got != status {
					t.Errorf("%s: status %d, want %d, %v: %.80s", name, got, status, err, b)
					return
				}
				if sent.After(measured) {
					own = append(own, time.Since(sent))
					done.Add(1)
					size.Add(length)
				}
			}
			mu.Lock()
			times, last = append(times, own...), time.Now()
			mu.Unlock()
		})
	}
	wg.Wait()
	after := s.figures(t)
	if len(times) == 0 {
		t.Fatalf("%s: nothing was measured", name)
	}
	slices.Sort(times)
	count := float64(done.Load())
	return row{name: name, rate: count / last.Sub(measured).Seconds(), p50: times[len(times)/2], p99: times[len(times)*99/100],
		statements: (after.statements - before.statements) / count, allocs: (after.allocs - before.allocs) / count,
		resident: after.resident / (1 << 20), bytes: float64(size.Load()) / count}
}

// read takes one answer off the connection.
func read(r *bufio.Reader) (status int, length int64, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, 0, fmt.Errorf("no status line: %w", err)
	}
	status, err = strconv.Atoi(string(line[9:12]))
	length, chunked := int64(-1), false
	for err == nil {
		if line, err = r.ReadSlice('\n'); err != nil || len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, err = strconv.ParseInt(string(bytes.TrimSpace(v)), 10, 64)
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	if err != nil || !chunked {
		if err == nil && length > 0 {
			_, err = io.CopyN(io.Discard, r, length)
		}
		return status, max(length, 0), err
	}
	for length = 0; ; {
		if line, err = r.ReadSlice('\n'); err != nil {
			return status, length, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return status, length, err
		}
		if _, err := r.Discard(int(n) + 2); err != nil || n == 0 {
			return status, length, err
		}
		length += n
	}
}

// phones counts the buyers, each with a number of their own: cash is limited by it.
var phones atomic.Int64

// answers reports whether a page says a word.
func answers(t testing.TB, address, path, word string) bool {
	t.Helper()
	r, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, []byte(word))
}
