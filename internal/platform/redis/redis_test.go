package redis

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"choocop.vn/ocop/internal/platform/clock"
)

func open(t *testing.T, url string) *Client {
	t.Helper()
	c, err := Open(t.Context(), Config{URL: url, Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestURLsOfAllKinds(t *testing.T) {
	for _, c := range []struct {
		url    string
		addrs  []string
		master string
		db     int
		tls    bool
		many   bool
	}{
		{"redis://u:p@h:1/3", []string{"h:1"}, "", 3, false, false},
		{"rediss://h", []string{"h:6379"}, "", 0, true, false},
		{"redis-sentinel://:p@a:1,b:2/shop/4", []string{"a:1", "b:2"}, "shop", 4, false, false},
		{"redis-cluster://a:1,b?tls=true&pool_size=7", []string{"a:1", "b:6379"}, "", 0, true, true},
		{"redis://[::1]:7", []string{"[::1]:7"}, "", 0, false, false},
	} {
		o, err := options(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if !slices.Equal(o.Addrs, c.addrs) || o.MasterName != c.master || o.DB != c.db || (o.TLSConfig != nil) != c.tls || o.IsClusterMode != c.many {
			t.Errorf("%s: %v %q %d", c.url, o.Addrs, o.MasterName, o.DB)
		}
	}
	for _, bad := range []string{"h:1", "http://h:1", "redis://", "redis://a:1,b:2", "redis-sentinel://a:1", "redis://h/x", "redis://h/1/2", "redis-cluster://h/1", "redis://h?pool_size=0"} {
		if _, err := options(bad); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestProductionNeedsAURL(t *testing.T) {
	if _, err := Open(t.Context(), Config{}); err == nil {
		t.Error("no error")
	}
}

func TestDevelopmentRunsItsOwnServer(t *testing.T) {
	c := open(t, "")
	k := c.Cache("test")
	k.Set(t.Context(), "a", []byte("1"), time.Minute)
	if b, ok := k.Get(t.Context(), "a"); !ok || string(b) != "1" {
		t.Errorf("got %q, %v", b, ok)
	}
	k.Set(t.Context(), "b", []byte("1"), 0)
	if _, ok := k.Get(t.Context(), "b"); ok {
		t.Error("an entry without life must not live for ever")
	}
	k.Drop(t.Context(), "a")
	if _, ok := k.Get(t.Context(), "a"); ok {
		t.Error("dropped")
	}
}

func TestFetchLoadsOnceForAll(t *testing.T) {
	k := open(t, "redis://"+miniredis.RunT(t).Addr()).Cache("test")
	var loads atomic.Int32
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range 20 {
		wg.Go(func() {
			<-start
			b, err := k.Fetch(t.Context(), "k", time.Minute, func(context.Context) ([]byte, error) {
				loads.Add(1)
				time.Sleep(50 * time.Millisecond)
				return []byte("v"), nil
			})
			if err != nil || string(b) != "v" {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	close(start)
	wg.Wait()
	if n := loads.Load(); n != 1 {
		t.Errorf("%d loads", n)
	}
}

func TestFetchReportsFaultsOfLoadOnly(t *testing.T) {
	k := open(t, "").Cache("test")
	fault := errors.New("no database")
	if _, err := k.Fetch(t.Context(), "a", time.Minute, func(context.Context) ([]byte, error) { return nil, fault }); !errors.Is(err, fault) {
		t.Errorf("got %v", err)
	}
	if _, err := k.Fetch(t.Context(), "b", time.Minute, func(context.Context) ([]byte, error) { panic("x") }); err == nil {
		t.Error("a panic is a fault")
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Fetch(gone, "c", time.Minute, func(context.Context) ([]byte, error) { time.Sleep(time.Second); return nil, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestEntriesForTodayEndWithTheDay(t *testing.T) {
	srv := miniredis.RunT(t)
	now := clock.Fixed(time.Date(2026, 11, 22, 23, 59, 0, 0, clock.HCM))
	k := open(t, "redis://"+srv.Addr()).Cache("stars", ForToday(now))
	k.Set(t.Context(), "p", []byte("5"), time.Hour)
	if ttl := srv.TTL("cache:stars:2026-11-22:p"); ttl <= 0 || ttl > time.Minute {
		t.Errorf("life %v", ttl)
	}
	now.Advance(time.Minute)
	if _, ok := k.Get(t.Context(), "p"); ok {
		t.Error("yesterday's stars were shown")
	}
}

func TestRedisGoesAwayAndComesBack(t *testing.T) {
	srv := miniredis.RunT(t)
	c := open(t, "redis://"+srv.Addr())
	k, l := c.Cache("test"), c.Limiter()
	k.Set(t.Context(), "a", []byte("1"), time.Hour)
	srv.Close()
	if _, ok := k.Get(t.Context(), "a"); ok {
		t.Error("nobody answers")
	}
	began := time.Now()
	for range 100 {
		k.Get(t.Context(), "a")
		k.Set(t.Context(), "a", []byte("1"), time.Hour)
		l.Allow(t.Context(), "ip", PerMinute(5))
	}
	if d := time.Since(began); d > 300*time.Millisecond {
		t.Errorf("300 commands without Redis took %v", d)
	}
	if c.Ping(t.Context()) == nil {
		t.Error("health must tell")
	}
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for ok := false; !ok; _, ok = k.Get(t.Context(), "a") {
		if time.Now().After(deadline) {
			t.Fatal("never asked again")
		}
		time.Sleep(20 * time.Millisecond)
		k.Set(t.Context(), "a", []byte("1"), time.Hour)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that accepts and never answers is worse than none: only the timeout ends it.
func TestAHangingRedisCostsOneTimeoutASecond(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	k := open(t, "redis://"+ln.Addr().String()).Cache("test")
	began := time.Now()
	for range 200 {
		if _, ok := k.Get(t.Context(), "a"); ok {
			t.Fatal("nobody answers")
		}
	}
	if d := time.Since(began); d > 900*time.Millisecond {
		t.Errorf("200 misses took %v", d)
	}
}

func TestLimiterCountsWithAndWithoutRedis(t *testing.T) {
	srv := miniredis.RunT(t)
	l := open(t, "redis://"+srv.Addr()).Limiter()
	use := func(key string) (allowed int, retry time.Duration) {
		for range 8 {
			ok, after := l.Allow(t.Context(), key, PerHour(5))
			if ok {
				allowed++
			}
			retry = after
		}
		return
	}
	if n, retry := use("a"); n != 5 || retry <= 0 || retry > 12*time.Minute {
		t.Errorf("shared: %d allowed, retry after %v", n, retry)
	}
	if n, _ := use("b"); n != 5 {
		t.Errorf("another key: %d allowed", n)
	}
	srv.Close()
	if n, retry := use("a"); n != 5 || retry <= 0 || retry > 12*time.Minute {
		t.Errorf("alone: %d allowed, retry after %v", n, retry)
	}
}

func TestLocalLimitRefillsAndStaysSmall(t *testing.T) {
	l := local{tat: map[string]time.Time{}}
	now := time.Unix(1_000_000, 0)
	for i := range 3 {
		if b := l.take(now, "k", Rate{2, time.Minute}); b.OK != (i < 2) || b.OK && b.Left != 1-i || b.OK == (b.Retry > 0) {
			t.Errorf("event %d: %+v", i, b)
		}
	}
	if b := l.take(now.Add(30*time.Second), "k", Rate{2, time.Minute}); !b.OK {
		t.Error("half a period refills half")
	}
	for i := range maxKeys + 10 {
		l.take(now, string(rune(i))+"x", Rate{2, time.Minute})
	}
	if len(l.tat) > maxKeys {
		t.Errorf("%d keys", len(l.tat))
	}
}

func TestSessionsAreKeptAndForgotten(t *testing.T) {
	srv := miniredis.RunT(t)
	s := open(t, "redis://"+srv.Addr()).Sessions()
	if err := s.Commit("t", []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if b, ok, err := s.Find("t"); err != nil || !ok || string(b) != "data" {
		t.Errorf("%q %v %v", b, ok, err)
	}
	if err := s.Delete("t"); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.Find("t"); err != nil || ok {
		t.Errorf("after delete: %v %v", ok, err)
	}
	if s.Commit("t", []byte("x"), time.Now().Add(time.Hour)) != nil || s.Commit("t", nil, time.Now().Add(-time.Hour)) != nil || srv.Exists("session:t") {
		t.Error("an expired session is forgotten")
	}
	srv.Close()
	if _, _, err := s.Find("t"); err == nil {
		t.Error("a session that cannot be read is an error, not a visitor signed out")
	}
}

func TestASessionThatWasEndedIsNoLongerListed(t *testing.T) {
	srv := miniredis.RunT(t)
	r := open(t, "redis://"+srv.Addr()).Register()
	for _, id := range []string{"a", "b", "c"} {
		if err := r.Put(t.Context(), "7", id, []byte("at "+id), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.End(t.Context(), "7", "a", "c", "z"); err != nil || r.End(t.Context(), "7") != nil {
		t.Fatal(err)
	}
	if _, ok, err := r.Get(t.Context(), "7", "a"); ok || err != nil {
		t.Errorf("ended: %v, %v", ok, err)
	}
	if b, ok, err := r.Get(t.Context(), "7", "b"); !ok || err != nil || string(b) != "at b" {
		t.Errorf("%q, %v, %v", b, ok, err)
	}
	if all, err := r.All(t.Context(), "7"); err != nil || len(all) != 1 || all["b"] != "at b" {
		t.Errorf("%v, %v", all, err)
	}
	if all, err := r.All(t.Context(), "8"); err != nil || len(all) != 0 {
		t.Errorf("another's: %v, %v", all, err)
	}
	srv.Close()
	if _, _, err := r.Get(t.Context(), "7", "b"); err == nil {
		t.Error("a list that cannot be read is an error, not a visitor signed out")
	}
}
