package partner

import (
	"context"
	"crypto/subtle"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
)

// keyMemory is how long a key that was found good is believed without asking again.
const keyMemory = 5 * time.Second

// keyHead begins every key, so that scanners for leaked secrets can know one.
const keyHead = "ocop_"

// Add takes in a partner. Faults: partner.name.required, partner.email.invalid; Conflict partner.name.taken.
func (s *Service) Add(ctx context.Context, name, email string, l i18n.Locale, actor string) (Partner, error) {
	p := Partner{Name: strings.TrimSpace(i18n.NFC(name)), Email: strings.TrimSpace(email), Locale: l, State: Active, CreatedAt: s.clock.Now()}
	if p.Locale != i18n.EN {
		p.Locale = i18n.VI
	}
	var faults apperr.List
	if p.Name == "" || utf8.RuneCountInString(p.Name) > 200 {
		faults = append(faults, apperr.Field("name", "partner.name.required"))
	}
	if a, err := mail.ParseAddress(p.Email); err != nil || a.Address != p.Email {
		faults = append(faults, apperr.Field("email", "partner.email.invalid"))
	}
	if err := faults.Err(); err != nil {
		return Partner{}, err
	}
	err := s.db.InTx(ctx, func(tx db.Tx) (err error) {
		if p.ID, err = insertPartner(ctx, tx, p); err != nil {
			return err
		}
		return record(ctx, tx, actor, "partner.add", "partner", fmt.Sprint(p.ID), nil)
	})
	if db.Breaks(err, "partner_name_key") {
		return Partner{}, apperr.New(apperr.Conflict, "partner.name.taken", "name", p.Name).At("name")
	}
	return p, wrap("add", err)
}

// List returns all partners by name.
func (s *Service) List(ctx context.Context) ([]Partner, error) {
	all, err := partners(ctx, s.db.Primary(ctx))
	return all, wrap("list", err)
}

// Suspend refuses all keys of a partner and tells it nothing more; Restore takes it back. NotFound partner.unknown.
func (s *Service) Suspend(ctx context.Context, partnerID int64, actor string) error {
	return s.turn(ctx, partnerID, Suspended, actor)
}

// Restore undoes Suspend.
func (s *Service) Restore(ctx context.Context, partnerID int64, actor string) error {
	return s.turn(ctx, partnerID, Active, actor)
}

func (s *Service) turn(ctx context.Context, id int64, state, actor string) error {
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if ok, err := setPartnerState(ctx, tx, id, state); err != nil || !ok {
			return orUnknown(err, "partner.unknown")
		}
		return record(ctx, tx, actor, "partner."+state, "partner", fmt.Sprint(id), nil)
	})
	s.keys.forget()
	return wrap("state", err)
}

// KeyRequest is what a new key shall be.
type KeyRequest struct {
	PartnerID int64
	Label     string
	Scopes    []Scope
	Expires   *time.Time // nil means never
}

// IssueKey makes a key and returns its text, which is never shown again. Faults: partner.scopes.unknown,
// partner.key.past; NotFound partner.unknown.
func (s *Service) IssueKey(ctx context.Context, r KeyRequest, actor string) (Key, string, error) {
	scopes := slices.Compact(slices.Sorted(slices.Values(r.Scopes)))
	for _, sc := range scopes {
		if !slices.Contains(Scopes, sc) {
			return Key{}, "", apperr.Field("scopes", "partner.scopes.unknown", "scope", string(sc))
		}
	}
	now := s.clock.Now()
	switch {
	case len(scopes) == 0:
		return Key{}, "", apperr.Field("scopes", "partner.scopes.unknown", "scope", "")
	case r.Expires != nil && !r.Expires.After(now):
		return Key{}, "", apperr.Field("expires", "partner.key.past")
	}
	k := Key{PartnerID: r.PartnerID, Prefix: keyHead + ident.Code(8), Label: strings.TrimSpace(r.Label), Scopes: scopes, CreatedAt: now, ExpiresAt: r.Expires}
	text := k.Prefix + "_" + ident.Token()
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if ok, err := partnerExists(ctx, tx.DB, r.PartnerID); err != nil || !ok {
			return orUnknown(err, "partner.unknown")
		}
		var err error
		if k.ID, err = insertKey(ctx, tx, k, ident.Hash(text)); err != nil {
			return err
		}
		return record(ctx, tx, actor, "partner_key.issue", "partner_key", k.Prefix, map[string]any{"partner": k.PartnerID, "scopes": k.Scopes})
	})
	if err != nil {
		return Key{}, "", wrap("issue key", err)
	}
	return k, text, nil
}

// Keys lists the keys of a partner, the newest first.
func (s *Service) Keys(ctx context.Context, partnerID int64) ([]Key, error) {
	all, err := keysOf(ctx, s.db.Primary(ctx), partnerID)
	return all, wrap("keys", err)
}

// RevokeKey ends a key for good; doing it again changes nothing. NotFound partner.key.unknown.
func (s *Service) RevokeKey(ctx context.Context, prefix, actor string) error {
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if ok, err := revokeKey(ctx, tx, prefix, s.clock.Now()); err != nil || !ok {
			return orUnknown(err, "partner.key.unknown")
		}
		return record(ctx, tx, actor, "partner_key.revoke", "partner_key", prefix, nil)
	})
	s.keys.forget()
	return wrap("revoke key", err)
}

// Authenticate says whose key it is, in one statement, or in none while it is remembered. Denied partner.key.refused for
// one that is unknown, revoked or expired, or whose partner is suspended.
func (s *Service) Authenticate(ctx context.Context, text string) (Partner, Key, error) {
	now := s.clock.Now()
	prefix, ok := prefixOf(text)
	if !ok {
		return Partner{}, Key{}, refused()
	}
	hash := ident.Hash(text)
	h, known := s.keys.get([32]byte(hash), now)
	if !known {
		var err error
		round := s.keys.round()
		if h, err = useKey(ctx, s.db.Primary(ctx), prefix, hash, now); err != nil {
			return Partner{}, Key{}, wrap("authenticate", err)
		}
		if subtle.ConstantTimeCompare(h.hash, hash) != 1 {
			return Partner{}, Key{}, refused()
		}
		s.keys.put(round, [32]byte(hash), h, now.Add(keyMemory))
	}
	if h.key.RevokedAt != nil || h.key.ExpiresAt != nil && !h.key.ExpiresAt.After(now) || h.partner.State != Active {
		return Partner{}, Key{}, refused()
	}
	return h.partner, h.key, nil
}

func refused() error { return apperr.New(apperr.Denied, "partner.key.refused") }

// prefixOf is the part of a key that people see: ocop_ and eight signs.
func prefixOf(text string) (string, bool) {
	const n = len(keyHead) + 8
	if len(text) < n+2 || len(text) > 100 || !strings.HasPrefix(text, keyHead) || text[n] != '_' {
		return "", false
	}
	return text[:n], true
}

// holder is a key with its partner and hash.
type holder struct {
	partner Partner
	key     Key
	hash    []byte
}

// memory keeps a few good keys for seconds, so that a busy partner costs one statement in a while, not one a request.
type memory struct {
	mu    sync.Mutex
	known map[[32]byte]remembered
	// turn counts how often all was forgotten: what was read before a revocation must not be kept after it.
	turn int
}

type remembered struct {
	holder
	until time.Time
}

// memorySize bounds the memory; past it everything is forgotten, which costs one statement per key.
const memorySize = 1000

func newMemory() *memory { return &memory{known: map[[32]byte]remembered{}} }

func (m *memory) get(hash [32]byte, now time.Time) (holder, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.known[hash]
	return r.holder, ok && now.Before(r.until)
}

func (m *memory) round() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.turn
}

func (m *memory) put(round int, hash [32]byte, h holder, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if round != m.turn {
		return
	}
	if len(m.known) >= memorySize {
		clear(m.known)
	}
	m.known[hash] = remembered{h, until}
}

func (m *memory) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
	m.turn++
}

func record(ctx context.Context, tx db.Tx, actor, action, subject, id string, detail map[string]any) error {
	return audit.Record(ctx, tx, audit.Entry{Actor: actor, Action: action, Subject: subject, SubjectID: id, Detail: detail})
}

// orUnknown is the fault itself or, without one, that there is no such record.
func orUnknown(err error, key string) error {
	if err != nil {
		return err
	}
	return apperr.New(apperr.NotFound, key)
}

// wrap names the verb in a fault and leaves what people may read as it is.
func wrap(verb string, err error) error {
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("partner: %s: %w", verb, err)
}
