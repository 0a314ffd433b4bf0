package partner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/testkit"
)

var sealing = ident.Hash("a key of tests")

type world struct {
	*partner.Service
	d     *db.DB
	clock *clock.Settable
	who   partner.Partner
}

// open returns a service with one partner, whose letters go to p.
func open(t *testing.T, d *db.DB, p partner.Poster) world {
	t.Helper()
	// In the past, so that rows can grow old for the database's own clock too.
	c := clock.Fixed(time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC))
	w := world{Service: partner.New(d, c, p, partner.Config{Secret: sealing, Local: true}), d: d, clock: c}
	var err error
	if w.who, err = w.Add(context.Background(), "Cổng tỉnh", "cong@tinh.example", i18n.VI, "test"); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w world) key(t *testing.T, expires *time.Time, scopes ...partner.Scope) (partner.Key, string) {
	t.Helper()
	k, text, err := w.IssueKey(context.Background(), partner.KeyRequest{PartnerID: w.who.ID, Label: "máy chủ", Scopes: scopes, Expires: expires}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return k, text
}

var errRefused = apperr.New(apperr.Denied, "partner.key.refused")

func TestKeyIsStoredAsHashOnly(t *testing.T) {
	d := testkit.DB(t)
	w := open(t, d, nil)
	k, text := w.key(t, nil, partner.OrdersWrite)
	var whole string
	testkit.Scan(t, d, &whole, `SELECT partner_key::text || (SELECT coalesce(string_agg(a::text, ' '), '') FROM audit_event a) FROM partner_key`)
	secret := strings.TrimPrefix(text, k.Prefix+"_")
	if len(secret) < 40 || strings.Contains(whole, secret) || !strings.Contains(whole, k.Prefix) {
		t.Errorf("the table holds %s", whole)
	}
	who, got, err := w.Authenticate(context.Background(), text)
	if err != nil || who.ID != w.who.ID || who.Email != w.who.Email || got.Prefix != k.Prefix {
		t.Errorf("Authenticate = %+v, %+v, %v", who, got, err)
	}
}

func TestScopeOfAnotherKindIsRefused(t *testing.T) {
	w := open(t, testkit.DB(t), nil)
	_, text := w.key(t, nil, partner.OrdersRead)
	_, k, err := w.Authenticate(context.Background(), text)
	if err != nil || k.Need(partner.OrdersRead) != nil {
		t.Fatal(err)
	}
	if err := k.Need(partner.OrdersWrite); !errors.Is(err, apperr.New(apperr.Denied, "partner.scope.missing")) {
		t.Errorf("Need = %v", err)
	}
	if _, _, err := w.IssueKey(context.Background(), partner.KeyRequest{PartnerID: w.who.ID, Scopes: []partner.Scope{"orders:*"}}, "test"); err == nil {
		t.Error("an unknown scope was granted")
	}
}

func TestRevokedExpiredAndForeignKeysAreRefused(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	w := open(t, d, nil)
	twin := partner.New(d, w.clock, nil, partner.Config{Secret: sealing}) // another copy of the program
	k, text := w.key(t, nil, partner.OrdersRead)
	for _, s := range []*partner.Service{w.Service, twin} {
		if _, _, err := s.Authenticate(ctx, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.RevokeKey(ctx, k.Prefix, "test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Authenticate(ctx, text); !errors.Is(err, errRefused) {
		t.Errorf("right after revoking: %v", err)
	}
	w.clock.Advance(6 * time.Second)
	if _, _, err := twin.Authenticate(ctx, text); !errors.Is(err, errRefused) {
		t.Errorf("in the other copy, six seconds later: %v", err)
	}

	end := w.clock.Now().Add(2 * time.Second)
	_, short := w.key(t, &end, partner.OrdersRead)
	if _, _, err := w.Authenticate(ctx, short); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(2 * time.Second)
	if _, _, err := w.Authenticate(ctx, short); !errors.Is(err, errRefused) {
		t.Errorf("expired while remembered: %v", err)
	}

	k, text = w.key(t, nil, partner.OrdersRead)
	for _, bad := range []string{"", "ocop_", text[:len(text)-1] + "~", text + "x", k.Prefix + "_" + ident.Token(), "x" + text, strings.ToLower(text)} {
		if _, _, err := w.Authenticate(ctx, bad); !errors.Is(err, errRefused) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	var used *time.Time
	testkit.Scan(t, d, &used, `SELECT last_used_at FROM partner_key WHERE prefix = '`+k.Prefix+`'`)
	if used != nil {
		t.Error("a wrong key counted as a use of the right one")
	}
	if err := w.Suspend(ctx, w.who.ID, "test"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Authenticate(ctx, text); !errors.Is(err, errRefused) {
		t.Errorf("suspended partner: %v", err)
	}
}

func TestAuthenticateIsOneStatementAndNoneWhileRemembered(t *testing.T) {
	ctx := context.Background()
	d, q := testkit.CountedDB(t)
	w := open(t, d, nil)
	k, text := w.key(t, nil, partner.OrdersRead)
	use := func() int {
		return len(q.During(func() {
			if _, _, err := w.Authenticate(ctx, text); err != nil {
				t.Fatal(err)
			}
		}))
	}
	if first, second := use(), use(); first != 1 || second != 0 {
		t.Errorf("%d statements, then %d", first, second)
	}
	seen := func() time.Time {
		keys, err := w.Keys(ctx, w.who.ID)
		if err != nil || len(keys) != 1 || keys[0].Prefix != k.Prefix || keys[0].LastUsedAt == nil {
			t.Fatalf("%+v, %v", keys, err)
		}
		return *keys[0].LastUsedAt
	}
	first := seen()
	w.clock.Advance(30 * time.Second)
	use()
	if !seen().Equal(first) {
		t.Error("the use was written twice within a minute")
	}
	w.clock.Advance(30 * time.Second)
	if use(); !seen().After(first) {
		t.Error("a minute later the use was not written")
	}
}
