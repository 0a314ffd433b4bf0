package redis

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
)

// Cache keeps pieces that can be made again. Every failure of Redis is a miss, never an
// error.
type Cache struct {
	client *Client
	name   string
	today  clock.Clock // nil when entries do not depend on the day
}

// Option changes a Cache.
type Option func(*Cache)

// ForToday makes entries end with Vietnam's day, because what they show (stars, offers)
// depends on the date.
func ForToday(c clock.Clock) Option { return func(k *Cache) { k.today = c } }

// Cache returns the cache with this name; names keep the keys of different uses apart.
func (c *Client) Cache(name string, opts ...Option) *Cache {
	k := &Cache{client: c, name: name}
	for _, o := range opts {
		o(k)
	}
	return k
}

// place is the entry's full key and life. The day is part of the key, so that an entry
// made before midnight and stored after it is not taken for the new day's.
func (k *Cache) place(key string, ttl time.Duration) (string, time.Duration) {
	if k.today == nil {
		return "cache:" + k.name + ":" + key, ttl
	}
	day := clock.Today(k.today).String()
	return "cache:" + k.name + ":" + day + ":" + key, min(ttl, clock.UntilMidnight(k.today))
}

// Get returns an entry, or false when there is none or Redis does not answer.
func (k *Cache) Get(ctx context.Context, key string) ([]byte, bool) {
	full, _ := k.place(key, 0)
	return k.get(ctx, full)
}

func (k *Cache) get(ctx context.Context, full string) ([]byte, bool) {
	b, err := k.client.rdb.Get(ctx, full).Bytes()
	return b, err == nil
}

// Set stores an entry for at most ttl, which must be positive. It may be lost.
func (k *Cache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) {
	full, ttl := k.place(key, ttl)
	k.set(ctx, full, value, ttl)
}

// set refuses a life Redis would read as "for ever".
func (k *Cache) set(ctx context.Context, full string, value []byte, ttl time.Duration) {
	if ttl < time.Millisecond {
		return
	}
	k.client.rdb.Set(ctx, full, value, ttl) // lost is as good as expired
}

// Drop forgets an entry. When Redis does not answer the entry lives on until its time ends.
func (k *Cache) Drop(ctx context.Context, key string) {
	full, _ := k.place(key, 0)
	k.client.rdb.Del(ctx, full)
}

// Fetch returns an entry, or makes it with load and stores it. Callers in this process
// asking for the same entry at the same time share one load, which a caller who leaves does
// not stop. Its only errors are those of load and of ctx.
func (k *Cache) Fetch(ctx context.Context, key string, ttl time.Duration, load func(context.Context) ([]byte, error)) ([]byte, error) {
	full, ttl := k.place(key, ttl)
	if b, ok := k.get(ctx, full); ok {
		return b, nil
	}
	made := k.client.flights.DoChan(full, func() (v any, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("redis: load of %s cache panicked: %v", k.name, p)
			}
		}()
		ctx := context.WithoutCancel(ctx)
		b, err := load(ctx)
		if err != nil {
			return nil, err
		}
		k.set(ctx, full, b, ttl)
		return b, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-made:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.([]byte), nil
	}
}
