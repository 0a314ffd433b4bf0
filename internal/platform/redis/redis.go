// Package redis is the program's fast, forgetful memory: cached pieces, rate limits,
// sessions. Everything in it may vanish at any moment; losing it may slow pages and sign
// people out, but never loses money, goods or an order. When the server does not answer,
// a breaker in front of every command keeps it from slowing each page.
package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"golang.org/x/sync/singleflight"
)

// timeout bounds every dial, read, write and wait for a connection: a cache that answers
// later than this is slower than doing without.
const timeout = 200 * time.Millisecond

// Config says where Redis is.
//
//	redis://user:password@host:6379/0        one server; rediss:// with TLS
//	redis-sentinel://host:port,host:port/master/0
//	redis-cluster://host:port,host:port
//
// Query settings: pool_size, tls=true (Sentinel, Cluster), sentinel_password. An empty URL
// means a server inside this process, in development only.
type Config struct {
	URL string
	Dev bool
}

// Client is the connection to Redis. Safe for concurrent use.
type Client struct {
	rdb     goredis.UniversalClient
	flights singleflight.Group
	stop    func()
}

// Open prepares the client. A server that does not answer is no error, since the program
// works without; a URL that cannot be understood is, and so is none in production.
func Open(ctx context.Context, cfg Config) (*Client, error) {
	stop := func() {}
	raw := cfg.URL
	if raw == "" {
		if !cfg.Dev {
			return nil, errors.New("redis: no URL configured")
		}
		addr, end, err := inProcess()
		if err != nil {
			return nil, fmt.Errorf("redis: start in process: %w", err)
		}
		raw, stop = "redis://"+addr, end
	}
	opts, err := options(raw)
	if err != nil {
		stop()
		return nil, err
	}
	c := &Client{rdb: goredis.NewUniversalClient(opts), stop: stop}
	c.rdb.AddHook(&breaker{})
	if err := c.Ping(ctx); err != nil {
		slog.WarnContext(ctx, "redis does not answer; continuing without", "err", err)
	}
	return c, nil
}

// inProcess starts a small server for development. It does not know time by itself, so
// its clock is moved along with the real one.
func inProcess() (addr string, stop func(), err error) {
	srv := miniredis.NewMiniRedis()
	if err := srv.Start(); err != nil {
		return "", nil, err
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				srv.FastForward(time.Second)
			}
		}
	}()
	return srv.Addr(), func() { close(done); srv.Close() }, nil
}

// Raw is the client for libraries that bring their own commands. Its failures are errors;
// the breaker stands before it too.
func (c *Client) Raw() goredis.UniversalClient { return c.rdb }

// Ping asks whether the server answers.
func (c *Client) Ping(ctx context.Context) error { return c.rdb.Ping(ctx).Err() }

// Close ends all connections, and the in-process server if there is one.
func (c *Client) Close() error {
	err := c.rdb.Close()
	c.stop()
	return err
}

func options(raw string) (*goredis.UniversalOptions, error) {
	u, hosts, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	q := u.Query()
	o := base()
	o.Addrs = hosts
	o.Username = u.User.Username()
	o.Password, _ = u.User.Password()
	secure := u.Scheme == "rediss" || q.Get("tls") == "true"
	if secure {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if len(hosts) == 1 {
			o.TLSConfig.ServerName = u.Hostname()
		}
	}
	if s := q.Get("pool_size"); s != "" {
		if o.PoolSize, err = strconv.Atoi(s); err != nil || o.PoolSize < 1 {
			return nil, errors.New("redis: pool_size is not a positive number")
		}
	}
	place := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	switch u.Scheme {
	case "redis", "rediss":
		if len(hosts) != 1 {
			return nil, errors.New("redis: several hosts need redis-sentinel or redis-cluster")
		}
	case "redis-sentinel":
		if len(place) == 0 {
			return nil, errors.New("redis: the sentinel URL names no master")
		}
		o.MasterName, place = place[0], place[1:]
		o.SentinelPassword = q.Get("sentinel_password")
	case "redis-cluster":
		o.IsClusterMode = true
	default:
		return nil, fmt.Errorf("redis: unknown scheme %q", u.Scheme)
	}
	return o, number(o, place)
}

// base holds the settings that do not depend on the place. Libraries' defaults retry for
// seconds; here one more try is all a page can wait for.
func base() *goredis.UniversalOptions {
	return &goredis.UniversalOptions{
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, PoolTimeout: timeout,
		DialerRetries: 1, MaxRetries: 1, MinRetryBackoff: time.Millisecond, MaxRetryBackoff: 10 * time.Millisecond,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func number(o *goredis.UniversalOptions, place []string) error {
	if len(place) == 0 {
		return nil
	}
	n, err := strconv.Atoi(place[0])
	if err != nil || n < 0 || len(place) > 1 || o.IsClusterMode && n != 0 {
		return errors.New("redis: the URL's path is not a database number")
	}
	o.DB = n
	return nil
}

// parseURL takes the list of hosts out first, because a URL may have only one. Its errors
// never repeat the URL, which holds a password.
func parseURL(raw string) (*url.URL, []string, error) {
	bad := errors.New("redis: the URL cannot be understood")
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, nil, bad
	}
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	user, list := "", authority
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		user, list = authority[:i+1], authority[i+1:]
	}
	hosts := strings.Split(list, ",")
	for i, h := range hosts {
		if h == "" {
			return nil, nil, bad
		}
		if !strings.Contains(h[strings.LastIndexByte(h, ']')+1:], ":") {
			hosts[i] = h + ":6379"
		}
	}
	u, err := url.Parse(scheme + "://" + user + hosts[0] + tail)
	if err != nil {
		return nil, nil, bad
	}
	return u, hosts, nil
}
