package redis

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

const (
	topicSilence = 20 * time.Second // after so much silence the server is asked whether it is there
	topicRest    = 2 * time.Second  // the longest rest between two tries to listen again
)

// Topic carries news between the copies of the program: short keys, told to whoever listens now and then forgotten. All
// listeners of a process share one subscription. News may be lost; whoever must not miss any looks from time to time.
type Topic struct {
	client *Client
	name   string
	hear   func(key string)
	missed func()

	mu    sync.Mutex
	there bool
}

// Topic listens in the background until ctx ends: hear is told each key; missed is told whenever news may have been lost,
// because listening has begun, or begun again.
func (c *Client) Topic(ctx context.Context, name string, hear func(key string), missed func()) *Topic {
	t := &Topic{client: c, name: name, hear: hear, missed: missed}
	go t.listen(ctx)
	return t
}

// Publish tells a key to all listeners.
func (c *Client) Publish(ctx context.Context, name, key string) error {
	return c.rdb.Publish(ctx, name, key).Err()
}

// There reports whether news arrives at present.
func (t *Topic) There() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.there
}

func (t *Topic) set(there bool) {
	t.mu.Lock()
	before := t.there
	t.there = there
	t.mu.Unlock()
	if there && !before {
		t.missed()
	}
}

func (t *Topic) listen(ctx context.Context) {
	rest := topicRest / 16
	for ctx.Err() == nil {
		if heard := t.attend(ctx); heard {
			rest = topicRest / 16
		}
		t.set(false)
		select {
		case <-ctx.Done():
		case <-time.After(rest):
		}
		rest = min(2*rest, topicRest)
	}
}

// attend listens on one connection until it breaks, and reports whether it ever stood.
func (t *Topic) attend(ctx context.Context) (stood bool) {
	sub := t.client.rdb.Subscribe(ctx, t.name)
	defer sub.Close()
	asked := false
	for {
		m, err := sub.ReceiveTimeout(ctx, topicSilence)
		if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() && stood && !asked {
			asked = true
			if err = sub.Ping(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			if ctx.Err() == nil && stood {
				slog.WarnContext(ctx, "news no longer arrives; looking for it in the database", "topic", t.name)
			}
			return stood
		}
		asked = false
		switch m := m.(type) {
		case *goredis.Subscription:
			stood = true
			t.set(true)
		case *goredis.Message:
			t.hear(m.Payload)
		}
	}
}
