package redis

import (
	"context"
	"errors"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// SessionStore keeps sign-in sessions for scs. The store that comes with scs takes a single
// server only; this one works on Sentinel and Cluster too.
type SessionStore struct{ client *Client }

// Sessions returns the session store.
func (c *Client) Sessions() *SessionStore { return &SessionStore{c} }

func sessionKey(token string) string { return "session:" + token }

// FindCtx returns a session's data; found is false when there is none.
func (s *SessionStore) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	b, err := s.client.rdb.Get(ctx, sessionKey(token)).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// CommitCtx stores a session until its expiry.
func (s *SessionStore) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	ttl := time.Until(expiry)
	if ttl < time.Millisecond {
		return s.DeleteCtx(ctx, token)
	}
	return s.client.rdb.Set(ctx, sessionKey(token), data, ttl).Err()
}

// DeleteCtx forgets a session.
func (s *SessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.client.rdb.Del(ctx, sessionKey(token)).Err()
}

// Find is FindCtx without a context, which scs's interface demands and its middleware
// does not call.
func (s *SessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s *SessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s *SessionStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}

// Register lists the live sessions of each owner, so that they can be shown and ended from afar: a session that is not in
// it does not count. It goes with a FLUSHALL, as the sessions do.
type Register struct{ client *Client }

// Register returns the list of live sessions.
func (c *Client) Register() *Register { return &Register{c} }

func registerKey(owner string) string { return "sessions-of:" + owner }

// Put writes what is known of one session of an owner. The whole list is forgotten keep after the last Put.
func (r *Register) Put(ctx context.Context, owner, id string, data []byte, keep time.Duration) error {
	pipe := r.client.rdb.TxPipeline()
	pipe.HSet(ctx, registerKey(owner), id, data)
	pipe.Expire(ctx, registerKey(owner), keep)
	_, err := pipe.Exec(ctx)
	return err
}

// Get returns what is known of a session; found is false when it was ended.
func (r *Register) Get(ctx context.Context, owner, id string) (data []byte, found bool, err error) {
	b, err := r.client.rdb.HGet(ctx, registerKey(owner), id).Bytes()
	if errors.Is(err, goredis.Nil) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// All returns what is known of every session of an owner, by id.
func (r *Register) All(ctx context.Context, owner string) (map[string]string, error) {
	return r.client.rdb.HGetAll(ctx, registerKey(owner)).Result()
}

// End ends sessions.
func (r *Register) End(ctx context.Context, owner string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	return r.client.rdb.HDel(ctx, registerKey(owner), ids...).Err()
}
