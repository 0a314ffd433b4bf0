package partner

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// texts goes to PostgreSQL as one array parameter; its elements are words of our own, without quotes or backslashes.
func texts[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, t := range list {
		parts[i] = string(t)
	}
	return `{` + strings.Join(parts, ",") + `}`
}

func split[T ~string](joined string) []T {
	var out []T
	for t := range strings.SplitSeq(joined, ",") {
		out = append(out, T(t))
	}
	return out
}

func insertPartner(ctx context.Context, tx db.Tx, p Partner) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO partner (name, email, locale, state, created_at) VALUES (?, ?, ?, ?, ?) RETURNING id`,
		p.Name, p.Email, string(p.Locale), p.State, p.CreatedAt).Scan(&id).Error
	return id, err
}

func partners(ctx context.Context, g *gorm.DB) ([]Partner, error) {
	var all []Partner
	err := g.WithContext(ctx).Raw(`SELECT id, name, email, locale, state, created_at FROM partner ORDER BY name, id`).Scan(&all).Error
	return all, err
}

func setPartnerState(ctx context.Context, tx db.Tx, id int64, state string) (bool, error) {
	r := tx.WithContext(ctx).Exec(`UPDATE partner SET state = ? WHERE id = ?`, state, id)
	return r.RowsAffected > 0, r.Error
}

func partnerExists(ctx context.Context, g *gorm.DB, id int64) (ok bool, err error) {
	err = g.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM partner WHERE id = ?)`, id).Scan(&ok).Error
	return ok, err
}

func insertKey(ctx context.Context, tx db.Tx, k Key, hash []byte) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO partner_key (partner_id, prefix, hash, label, scopes, created_at, expires_at)
		VALUES (?, ?, ?, ?, CAST(? AS text[]), ?, ?) RETURNING id`,
		k.PartnerID, k.Prefix, hash, k.Label, texts(k.Scopes), k.CreatedAt, k.ExpiresAt).Scan(&id).Error
	return id, err
}

type keyRow struct {
	ID         int64
	PartnerID  int64
	Prefix     string
	Label      string
	Scopes     string
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	LastUsedAt *time.Time
	RevokedAt  *time.Time
}

func (r keyRow) key() Key {
	return Key{ID: r.ID, PartnerID: r.PartnerID, Prefix: r.Prefix, Label: r.Label, Scopes: split[Scope](r.Scopes), CreatedAt: r.CreatedAt,
		ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt, RevokedAt: r.RevokedAt}
}

const keyColumns = `k.id, k.partner_id, k.prefix, k.label, array_to_string(k.scopes, ',') AS scopes, k.created_at, k.expires_at, k.last_used_at, k.revoked_at`

func keysOf(ctx context.Context, g *gorm.DB, partnerID int64) ([]Key, error) {
	var rows []keyRow
	err := g.WithContext(ctx).Raw(`SELECT `+keyColumns+` FROM partner_key k WHERE k.partner_id = ? ORDER BY k.id DESC`, partnerID).Scan(&rows).Error
	out := make([]Key, len(rows))
	for i, r := range rows {
		out[i] = r.key()
	}
	return out, err
}

func revokeKey(ctx context.Context, tx db.Tx, prefix string, now time.Time) (bool, error) {
	r := tx.WithContext(ctx).Exec(`UPDATE partner_key SET revoked_at = coalesce(revoked_at, ?) WHERE prefix = ?`, now, prefix)
	return r.RowsAffected > 0, r.Error
}

// useKey finds a key by its visible part and notes its use, at most once a minute and only if it was really this key. The
// holder's hash is empty where there is none.
func useKey(ctx context.Context, g *gorm.DB, prefix string, hash []byte, now time.Time) (holder, error) {
	var r struct {
		Key    keyRow `gorm:"embedded"`
		Hash   []byte
		Name   string
		Email  string
		Locale string
		State  string
		Since  time.Time
	}
	err := g.WithContext(ctx).Raw(`WITH used AS (
			UPDATE partner_key SET last_used_at = @now
			WHERE prefix = @prefix AND hash = @hash AND revoked_at IS NULL AND (last_used_at IS NULL OR last_used_at <= @before)
		)
		SELECT `+keyColumns+`, k.hash, p.name, p.email, p.locale, p.state, p.created_at AS since
		FROM partner_key k JOIN partner p ON p.id = k.partner_id WHERE k.prefix = @prefix`,
		map[string]any{"prefix": prefix, "hash": hash, "now": now, "before": now.Add(-time.Minute)}).Scan(&r).Error
	h := holder{key: r.Key.key(), hash: r.Hash}
	h.partner = Partner{ID: r.Key.PartnerID, Name: r.Name, Email: r.Email, Locale: i18n.Locale(r.Locale), State: r.State, CreatedAt: r.Since}
	return h, err
}

// lockPartner locks a partner and counts its endpoints.
func lockPartner(ctx context.Context, tx db.Tx, id int64) (endpoints int, ok bool, err error) {
	var found []int64
	if err := tx.WithContext(ctx).Raw(`SELECT id FROM partner WHERE id = ? FOR UPDATE`, id).Scan(&found).Error; err != nil || len(found) == 0 {
		return 0, false, err
	}
	err = tx.WithContext(ctx).Raw(`SELECT count(*) FROM webhook_endpoint WHERE partner_id = ? AND state <> 'removed'`, id).Scan(&endpoints).Error
	return endpoints, true, err
}

func insertEndpoint(ctx context.Context, tx db.Tx, e Endpoint, sealed []byte) error {
	return tx.WithContext(ctx).Exec(`INSERT INTO webhook_endpoint (code, partner_id, url, secret_sealed, kinds, state, created_at)
		VALUES (?, ?, ?, ?, CAST(? AS text[]), ?, ?)`, e.Code, e.PartnerID, e.URL, sealed, texts(e.Kinds), e.State, e.CreatedAt).Error
}

func endpointsOf(ctx context.Context, g *gorm.DB, partnerID int64, code string) ([]Endpoint, error) {
	var rows []struct {
		Code         string
		PartnerID    int64
		URL          string `gorm:"column:url"`
		Kinds        string
		State        string
		PausedWhy    string
		Failures     int
		FailingSince *time.Time
		CreatedAt    time.Time
	}
	err := g.WithContext(ctx).Raw(`SELECT code, partner_id, url, array_to_string(kinds, ',') AS kinds, state, paused_why, failures, failing_since, created_at
		FROM webhook_endpoint WHERE partner_id = @partner AND state <> 'removed' AND (@code = '' OR code = @code) ORDER BY id DESC`,
		map[string]any{"partner": partnerID, "code": code}).Scan(&rows).Error
	out := make([]Endpoint, len(rows))
	for i, r := range rows {
		out[i] = Endpoint{Code: r.Code, PartnerID: r.PartnerID, URL: r.URL, Kinds: split[string](r.Kinds), State: r.State, PausedWhy: r.PausedWhy,
			Failures: r.Failures, FailingSince: r.FailingSince, CreatedAt: r.CreatedAt}
	}
	return out, err
}

func removeEndpoint(ctx context.Context, tx db.Tx, partnerID int64, code string) (bool, error) {
	r := tx.WithContext(ctx).Exec(`UPDATE webhook_endpoint SET state = 'removed', paused_why = '' WHERE partner_id = ? AND code = ? AND state <> 'removed'`, partnerID, code)
	return r.RowsAffected > 0, r.Error
}

func pauseEndpoint(ctx context.Context, tx db.Tx, partnerID int64, code string) (bool, error) {
	r := tx.WithContext(ctx).Exec(`UPDATE webhook_endpoint SET state = 'paused', paused_why = CASE state WHEN 'paused' THEN paused_why ELSE 'asked' END
		WHERE partner_id = ? AND code = ? AND state <> 'removed'`, partnerID, code)
	return r.RowsAffected > 0, r.Error
}

// resumeEndpoint makes what waits due at once; the failures before count no more.
func resumeEndpoint(ctx context.Context, tx db.Tx, partnerID int64, code string, now time.Time) (bool, error) {
	g := tx.WithContext(ctx)
	r := g.Exec(`UPDATE webhook_endpoint SET state = 'active', paused_why = '', failures = 0, failing_since = NULL, busy_until = NULL
		WHERE partner_id = ? AND code = ? AND state <> 'removed'`, partnerID, code)
	if r.Error != nil || r.RowsAffected == 0 {
		return false, r.Error
	}
	err := g.Exec(`UPDATE webhook_delivery SET next_at = ? WHERE state = 'waiting' AND next_at > ?
		AND endpoint_id = (SELECT id FROM webhook_endpoint WHERE code = ?)`, now, now, code).Error
	return true, err
}

// insertEvents writes the events that an active endpoint wants, with their deliveries, and reports whether there was one.
func insertEvents(ctx context.Context, tx db.Tx, events []byte) (bool, error) {
	r := tx.WithContext(ctx).Exec(`WITH told AS (
			SELECT v.*, e.id AS endpoint_id
			FROM jsonb_to_recordset(CAST(? AS jsonb)) AS v (id text, kind text, subject text, partner_id bigint, at timestamptz, payload jsonb)
			JOIN webhook_endpoint e ON e.state = 'active' AND v.kind = ANY (e.kinds) AND (v.partner_id IS NULL OR v.partner_id = e.partner_id)
			JOIN partner p ON p.id = e.partner_id AND p.state = 'active'
		), made AS (
			INSERT INTO webhook_notice (id, kind, subject, payload, partner_id, created_at)
			SELECT DISTINCT ON (id) id, kind, subject, payload, partner_id, at FROM told
		)
		INSERT INTO webhook_delivery (event_id, endpoint_id, next_at) SELECT id, endpoint_id, at FROM told ORDER BY at, id`, string(events))
	return r.RowsAffected > 0, r.Error
}

func heard(ctx context.Context, g *gorm.DB, kind string) (ok bool, err error) {
	err = g.WithContext(ctx).Raw(`SELECT EXISTS (SELECT FROM webhook_endpoint e JOIN partner p ON p.id = e.partner_id
		WHERE e.state = 'active' AND p.state = 'active' AND ? = ANY (e.kinds))`, kind).Scan(&ok).Error
	return ok, err
}
