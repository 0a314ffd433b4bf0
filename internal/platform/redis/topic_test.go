package redis_test

import (
	"context"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/testkit"
)

func TestNewsReachesAllListenersAndComesBackAfterAnOutage(t *testing.T) {
	server := testkit.Redis(t)
	c, err := redis.Open(context.Background(), redis.Config{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ctx, end := context.WithCancel(context.Background())
	defer end()
	heard, missed := make(chan string, 100), make(chan struct{}, 100)
	var topics []*redis.Topic
	for range 2 {
		topics = append(topics, c.Topic(ctx, "news", func(key string) { heard <- key }, func() { missed <- struct{}{} }))
	}
	wait := func(what string) {
		t.Helper()
		for range topics {
			select {
			case <-missed:
			case <-time.After(10 * time.Second):
				t.Fatal(what)
			}
		}
	}
	wait("listening never began")
	tell := func(key string) {
		t.Helper()
		if err := c.Publish(ctx, "news", key); err != nil {
			t.Fatal(err)
		}
		for range topics {
			select {
			case got := <-heard:
				if got != key {
					t.Fatalf("heard %q", got)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("nobody heard " + key)
			}
		}
	}
	tell("7")
	server.Stop()
	for end := time.Now().Add(5 * time.Second); topics[0].There() || topics[1].There(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the outage is not noticed")
		}
	}
	server.Start()
	wait("listening never came back")
	time.Sleep(1100 * time.Millisecond) // the breaker before publishing rests for a second
	tell("8")
}
