package front

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"

	"choocop.vn/ocop/internal/platform/clock"
)

// site is a small site behind a door: it counts how often it is asked and writes what it saw.
type site struct {
	*Door
	clock  *clock.Settable
	asked  atomic.Int64
	counts sync.Map // route+status → how often the door counted it
}

var text = strings.Repeat("Trà Shan tuyết cổ thụ, ba sao. ", 200)

func open(t *testing.T, answer func(s *site, w http.ResponseWriter, r *http.Request)) *site {
	t.Helper()
	s := &site{clock: clock.Fixed(time.Date(2026, 11, 22, 12, 0, 0, 0, clock.HCM))}
	s.Door = New(Config{Clock: s.clock, For: 3 * time.Second, Bytes: 1 << 20, Gate: "tuoi", Open: "18",
		Shared: func(path string) ([]string, bool) {
			return []string{"q", "trang"}, !strings.HasPrefix(path, "/don-hang")
		},
		Observe: func(route, method string, status int, _ time.Duration) {
			n, _ := s.counts.LoadOrStore(fmt.Sprint(route, " ", method, " ", status), new(atomic.Int64))
			n.(*atomic.Int64).Add(1)
		}}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Set("Cache-Control", "public, max-age=5")
		answer(s, w, r)
	}))
	return s
}

// kept answers with a page for everyone that names what it was asked.
func kept(s *site, w http.ResponseWriter, r *http.Request) {
	Keep(r.Context(), "/route")
	fmt.Fprintf(w, "%d %s?%s %v %s", s.asked.Load(), r.URL.Path, r.URL.RawQuery, r.Header, text)
}

func (s *site) get(address string, header ...string) *httptest.ResponseRecorder {
	return s.ask(http.MethodGet, address, header...)
}

func (s *site) ask(method, address string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, address, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *site) wantAsked(t *testing.T, n int64) {
	t.Helper()
	if got := s.asked.Load(); got != n {
		t.Errorf("the site was asked %d times, want %d", got, n)
	}
}

func TestAPageIsMadeOnceAndThenForgotten(t *testing.T) {
	s := open(t, kept)
	first := s.get("/a")
	s.clock.Advance(2 * time.Second)
	if again := s.get("/a"); again.Body.String() != first.Body.String() || again.Header().Get("Content-Security-Policy") == "" || again.Header().Get("X-Request-Id") == "" {
		t.Error("the kept page differs")
	} else if cc := again.Header().Get("Cache-Control"); cc != "public, max-age=1" {
		t.Errorf("a page with a second left says %q", cc)
	}
	s.wantAsked(t, 1)
	s.clock.Advance(time.Second)
	s.get("/a")
	s.wantAsked(t, 2)
	if n, ok := s.counts.Load("/route GET 200"); !ok || n.(*atomic.Int64).Load() != 1 {
		t.Error("the answer from memory was not counted under its route")
	}
}

func TestAPageOfTheDayEndsAtMidnight(t *testing.T) {
	s := open(t, kept)
	s.clock.Set(time.Date(2026, 11, 22, 23, 59, 58, 0, clock.HCM))
	if cc := s.get("/a").Header().Get("Cache-Control"); cc != "public, max-age=2" {
		t.Errorf("two seconds before midnight: %q", cc)
	}
	s.clock.Advance(1999 * time.Millisecond)
	s.get("/a")
	s.wantAsked(t, 1)
	s.clock.Advance(time.Millisecond)
	s.get("/a")
	s.wantAsked(t, 2)
}

func TestAPageBegunBeforeMidnightIsNotKeptAfterIt(t *testing.T) {
	s := open(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		kept(s, w, r)
		s.clock.Set(time.Date(2026, 11, 23, 0, 0, 1, 0, clock.HCM)) // it took long
	})
	s.clock.Set(time.Date(2026, 11, 22, 23, 59, 59, 0, clock.HCM))
	s.get("/a")
	s.get("/a")
	s.wantAsked(t, 2)
}

func TestAnyCookieLeadsPastTheCacheButTheAgeHasAPageOfItsOwn(t *testing.T) {
	s := open(t, kept)
	s.get("/a")
	for _, c := range []string{"gio=secret", "phien=x", "tuoi=18; gio=secret", "tuoi=17", "unknown=1", "nonsense", "tuoi=18; tuoi=19"} {
		before := s.asked.Load()
		for range 2 {
			if body := s.get("/a", "Cookie", c).Body.String(); !strings.Contains(body, "Cookie") {
				t.Errorf("%s: not the visitor's own page", c)
			}
		}
		s.wantAsked(t, before+2)
	}
	before := s.asked.Load()
	grown := s.get("/a", "Cookie", "tuoi=18").Body.String()
	if again := s.get("/a", "Cookie", "tuoi=18").Body.String(); again != grown || !strings.Contains(grown, "tuoi=18") {
		t.Error("adults share no page")
	}
	s.wantAsked(t, before+1)
	if strings.Contains(s.get("/a").Body.String(), "tuoi=18") {
		t.Error("a child got the page of adults")
	}
	if s.get("/a", "Authorization", "Bearer x"); s.asked.Load() != before+2 {
		t.Error("a request with a key was answered from memory")
	}
}

func TestNothingOfTheVisitorReachesASharedPage(t *testing.T) {
	s := open(t, kept)
	body := s.get("/a?q=1&utm_source=zalo&fbclid=abc", "User-Agent", "Spy", "Accept-Language", "fr", "Referer", "http://x", "X-Forwarded-For", "1.2.3.4").Body.String()
	for _, own := range []string{"Spy", "fr", "http://x", "zalo", "abc"} {
		if strings.Contains(strings.TrimSuffix(body, text), own) {
			t.Errorf("the page knows %q: %.200s", own, body)
		}
	}
	s.wantAsked(t, 1)
}

func TestWhatIsNotForEveryoneIsNotKept(t *testing.T) {
	for name, answer := range map[string]func(s *site, w http.ResponseWriter, r *http.Request){
		"no word": func(_ *site, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) },
		"a cookie": func(s *site, w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Set-Cookie", "gio=1")
			kept(s, w, r)
		},
		"no-store": func(s *site, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "no-store")
			kept(s, w, r)
		},
		"redirect": func(_ *site, w http.ResponseWriter, r *http.Request) {
			Keep(r.Context(), "/")
			http.Redirect(w, r, "/b", http.StatusSeeOther)
		},
		"fault": func(s *site, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			kept(s, w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, answer)
			for range 3 {
				s.get("/a")
			}
			s.wantAsked(t, 3)
		})
	}
}

func TestAFloodOnAnExpiredPageMakesItOnce(t *testing.T) {
	s := open(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond)
		kept(s, w, r)
	})
	s.get("/a")
	s.clock.Advance(time.Minute)
	var wg sync.WaitGroup
	var bad atomic.Int64
	for range 200 {
		wg.Go(func() {
			if w := s.get("/a", "Accept-Encoding", "gzip"); w.Code != 200 || w.Body.Len() < 100 {
				bad.Add(1)
			}
		})
	}
	wg.Wait()
	s.wantAsked(t, 2)
	if bad.Load() != 0 {
		t.Errorf("%d bad answers", bad.Load())
	}
}

func TestAFloodOnAPageThatIsNotKeptDoesNotQueueUp(t *testing.T) {
	s := open(t, func(_ *site, w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		fmt.Fprint(w, text)
	})
	began := time.Now()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { s.get("/a") })
	}
	wg.Wait()
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("took %v", took)
	}
	s.wantAsked(t, 50)
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	broken := true
	s := open(t, func(s *site, w http.ResponseWriter, r *http.Request) {
		if broken {
			panic(http.ErrAbortHandler)
		}
		kept(s, w, r)
	})
	func() {
		defer func() { _ = recover() }()
		s.get("/a")
	}()
	broken = false
	if s.get("/a").Code != 200 {
		t.Error("no answer after a panic")
	}
}

func TestQueriesAreSortedAndStrangersLeadPast(t *testing.T) {
	s := open(t, kept)
	for _, q := range []string{"?q=che&trang=2", "?trang=2&q=che", "?utm_campaign=tet&trang=2&q=che&zarsrc=30", "?trang=2&q=che&fbclid=" + strings.Repeat("x", 300)} {
		s.get("/a" + q)
	}
	s.wantAsked(t, 1)
	for i := range 100 {
		s.get(fmt.Sprintf("/a?x=%d", i))
	}
	s.get("/a?q=" + strings.Repeat("x", longest))
	s.get("/a?q=%zz")
	s.get("/don-hang/1")
	s.wantAsked(t, 104)
	if n := len(s.pages.byKey); n != 1 {
		t.Errorf("%d pages kept, want 1", n)
	}
	if s.ask(http.MethodPost, "/a"); s.asked.Load() != 105 {
		t.Error("a form was answered from memory")
	}
}

func TestPagesPastTheirTimeLeaveMemoryByThemselves(t *testing.T) {
	was := sweepEvery
	sweepEvery = time.Millisecond
	t.Cleanup(func() { sweepEvery = was })
	s := open(t, kept)
	for i := range 20 {
		s.get(fmt.Sprintf("/a?q=%d", i))
	}
	s.clock.Set(s.clock.Now().Add(2 * time.Second))
	s.get("/a?q=0") // asked for, so it stands in front of those of its age
	s.get("/a?q=young")
	time.Sleep(20 * time.Millisecond)
	s.wantAsked(t, 21)
	s.clock.Set(s.clock.Now().Add(1500 * time.Millisecond))
	for left := -1; left != 1; time.Sleep(time.Millisecond) {
		s.pages.mu.Lock()
		left = len(s.pages.byKey)
		s.pages.mu.Unlock()
	}
	s.get("/a?q=young")
	s.wantAsked(t, 21)
	s.clock.Set(s.clock.Now().Add(time.Minute))
	for left := -1; left != 0; time.Sleep(time.Millisecond) {
		s.pages.mu.Lock()
		if left = len(s.pages.byKey); left == 0 && s.pages.bytes != 0 {
			t.Error(s.pages.bytes)
		}
		s.pages.mu.Unlock()
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := open(t, kept)
	for i := range 2000 {
		s.get(fmt.Sprintf("/a?q=%d", i))
	}
	if s.pages.bytes > s.pages.most || len(s.pages.byKey) > 150 || len(s.pages.byKey) != s.pages.recent.Len() {
		t.Errorf("%d pages of %d bytes", len(s.pages.byKey), s.pages.bytes)
	}
	s.get("/a?q=1999")
	s.wantAsked(t, 2000)
}

func TestEachReaderGetsTheFormItUnderstands(t *testing.T) {
	s := open(t, kept)
	plain := s.get("/a").Body.String()
	for accept, want := range map[string]string{"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0, gzip;q=0.5": "gzip",
		"BR": "br", "gzip;q=0, br;q=0.0": "", "*": "", "zstd": ""} {
		w := s.get("/a", "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("%q gets %q, want %q", accept, got, want)
		}
		if v := w.Header().Get("Vary"); v != "Accept-Encoding, Cookie" {
			t.Errorf("Vary %q", v)
		}
		if got := unpacked(t, w); got != plain {
			t.Errorf("%q: another page", accept)
		}
		if w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%q: Content-Length %s of %d", accept, w.Header().Get("Content-Length"), w.Body.Len())
		}
	}
	s.wantAsked(t, 1)
}

func unpacked(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var r io.Reader = bytes.NewReader(w.Body.Bytes())
	switch w.Header().Get("Content-Encoding") {
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	case "br":
		r = brotli.NewReader(r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhoHasThePageIsToldSo(t *testing.T) {
	s := open(t, kept)
	tags := map[string]bool{}
	for _, accept := range []string{"", "gzip", "br"} {
		first := s.get("/a", "Accept-Encoding", accept)
		etag := first.Header().Get("ETag")
		if tags[etag] || !strings.HasPrefix(etag, `"`) {
			t.Errorf("tag %s of form %q is not its own", etag, accept)
		}
		tags[etag] = true
		w := s.get("/a", "Accept-Encoding", accept, "If-None-Match", etag)
		if w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != etag || w.Header().Get("Vary") == "" || w.Header().Get("Content-Length") != "" {
			t.Errorf("%q: %d, %d bytes, %v", accept, w.Code, w.Body.Len(), w.Header())
		}
	}
	if w := s.get("/a", "If-None-Match", `"other"`); w.Code != 200 {
		t.Errorf("another tag: %d", w.Code)
	}
}

func TestHeadIsGetWithoutABody(t *testing.T) {
	s := open(t, kept)
	get, head := s.get("/a", "Accept-Encoding", "gzip"), s.ask(http.MethodHead, "/a", "Accept-Encoding", "gzip")
	for _, name := range []string{"ETag", "Content-Length", "Content-Encoding", "Content-Type", "Cache-Control", "Vary"} {
		if get.Header().Get(name) != head.Header().Get(name) {
			t.Errorf("%s: %q and %q", name, get.Header().Get(name), head.Header().Get(name))
		}
	}
	if head.Body.Len() != 0 || head.Code != 200 {
		t.Errorf("%d bytes", head.Body.Len())
	}
	s.wantAsked(t, 1)
}

func TestPagesOfOnePersonAreSqueezedWithAVeiledLength(t *testing.T) {
	s := open(t, func(_ *site, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("ETag", `"1"`)
		fmt.Fprint(w, text)
	})
	lengths := map[int]bool{}
	for range 30 {
		w := s.get("/don-hang/1", "Accept-Encoding", "br, gzip")
		if w.Header().Get("Content-Encoding") != "gzip" || unpacked(t, w) != text || w.Header().Get("ETag") != `W/"1"` || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Fatalf("%v", w.Header())
		}
		lengths[w.Body.Len()] = true
	}
	if len(lengths) < 5 {
		t.Errorf("the length is always the same: %v", lengths)
	}
}

func TestOnlyTextOfSomeLengthIsSqueezed(t *testing.T) {
	for kind, want := range map[string]string{"text/html": "gzip", "application/json": "gzip", "application/problem+json": "gzip", "image/svg+xml": "gzip", "application/xml": "gzip",
		"image/png": "", "text/event-stream": "", "application/octet-stream": "", "font/woff2": ""} {
		s := open(t, func(_ *site, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = io.WriteString(w, text)
		})
		if got := s.get("/don-hang/1", "Accept-Encoding", "gzip").Header().Get("Content-Encoding"); got != want {
			t.Errorf("%s: %q", kind, got)
		}
	}
	short := open(t, func(_ *site, w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ngắn") })
	if w := short.get("/don-hang/1", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" || w.Header().Get("Vary") != "Accept-Encoding" || w.Body.String() != "ngắn" {
		t.Errorf("%v", w.Header())
	}
}

func TestAStreamArrivesPieceByPiece(t *testing.T) {
	server := httptest.NewServer(open(t, func(_ *site, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: 1\n\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	r, err := http.Get(server.URL + "/don-hang/1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b := make([]byte, 9)
	if _, err := io.ReadFull(r.Body, b); err != nil || string(b) != "data: 1\n\n" {
		t.Errorf("%q %v", b, err)
	}
}

func TestOnlyAsManyPagesAreRenderedAtOnceAsThereIsRoomFor(t *testing.T) {
	var now, most atomic.Int64
	hold := make(chan struct{})
	d := New(Config{Clock: clock.System(), Shared: func(path string) ([]string, bool) { return nil, path == "/page" }, InTurn: func(r *http.Request) bool { return r.URL.Path == "/brief" }, Observe: func(string, string, int, time.Duration) {}},
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n := now.Add(1); r.URL.Path != "/other" {
				for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
				}
				<-hold
			}
			now.Add(-1)
			w.Header().Set("X-Page", "yes")
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte("page"))
		}))
	var wg sync.WaitGroup
	for i := range 4 * cap(d.room) {
		wg.Go(func() {
			a := httptest.NewRecorder()
			d.ServeHTTP(a, httptest.NewRequest(http.MethodGet, []string{"/page", "/brief"}[i%2], nil))
			if a.Code != http.StatusTeapot || a.Body.String() != "page" || a.Header().Get("X-Page") != "yes" {
				t.Errorf("%d %q %v", a.Code, a.Body, a.Header())
			}
		})
	}
	for len(d.room) < cap(d.room) {
		runtime.Gosched()
	}
	a := httptest.NewRecorder() // what is no page of the shop does not wait
	if d.ServeHTTP(a, httptest.NewRequest(http.MethodGet, "/other", nil)); a.Code != http.StatusTeapot {
		t.Error(a.Code)
	}
	gone, leave := context.WithCancel(context.Background())
	leave()
	a = httptest.NewRecorder() // who goes away gives up waiting
	if d.ServeHTTP(a, httptest.NewRequest(http.MethodGet, "/page", nil).WithContext(gone)); a.Body.Len() > 0 {
		t.Error(a.Body)
	}
	close(hold)
	wg.Wait()
	if n := most.Load(); n > int64(cap(d.room)) {
		t.Errorf("%d at once, room for %d", n, cap(d.room))
	}
	if len(d.room) != 0 {
		t.Error("a turn was not given back")
	}
}
