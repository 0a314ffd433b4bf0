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

func (b *breaker) allow() bool {
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
		if !b.allow() {
			cmd.SetErr(errResting)
			return errResting
		}
		err := next(ctx, cmd)
		b.note(ctx, err)
		return err
	}
}

// ProcessPipelineHook guards pipelines and transactions.
func (b *breaker) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		if !b.allow() {
			for _, c := range cmds {
				c.SetErr(errResting)
			}
			return errResting
		}
		err := next(ctx, cmds)
		b.note(ctx, err)
		return err
	}
}
