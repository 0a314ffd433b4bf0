package redis

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// pause is how long nobody asks after a failure.
const pause = time.Second

var errResting = errors.New("redis: not asked, it failed a moment ago")

// breaker stands before every command. After a failure it refuses at once for a pause;
// then one command is let through to try while the others are still refused, so a server
// that hangs costs one caller a second one timeout.
type breaker struct {
	retryAt atomic.Int64 // Unix nanoseconds; 0 while the server answers
}

// admitted marks the context of a command that was let through. Opening a connection runs
// commands of its own under it, which must not be refused as if they were new.
type admitted struct{}

func (b *breaker) allow(ctx context.Context) bool {
	if ctx.Value(admitted{}) != nil {
		return true
	}
	at := b.retryAt.Load()
	if at == 0 {
		return true
	}
	now := time.Now()
	return now.UnixNano() >= at && b.retryAt.CompareAndSwap(at, now.Add(pause).UnixNano())
}

// note learns from an answer. A refusal by the server is an answer; a caller who gave up
// says nothing about the server.
func (b *breaker) note(ctx context.Context, err error) {
	var reply goredis.Error
	switch {
	case err == nil, errors.As(err, &reply):
		if b.retryAt.Load() != 0 {
			b.retryAt.Store(0)
		}
	case ctx.Err() != nil:
	default:
		b.retryAt.Store(time.Now().Add(pause).UnixNano())
	}
}

// DialHook leaves connecting as it is.
func (b *breaker) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook guards single commands.
func (b *breaker) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		if !b.allow(ctx) {
			cmd.SetErr(errResting)
			return errResting
		}
		err := next(context.WithValue(ctx, admitted{}, true), cmd)
		b.note(ctx, err)
		return err
	}
}

// ProcessPipelineHook guards pipelines and transactions.
func (b *breaker) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if !b.allow(ctx) {
			for _, c := range cmds {
				c.SetErr(errResting)
			}
			return errResting
		}
		err := next(context.WithValue(ctx, admitted{}, true), cmds)
		b.note(ctx, err)
		return err
	}
}
