package notify

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

type messageRow struct {
	ID         int64
	RequestKey string
	Recipient  string
	Locale     string
	Subject    string
	TextBody   string
	HTMLBody   string `gorm:"column:html_body"`
	SentAt     *time.Time
}

func (m messageRow) letter() Letter {
	return Letter{ID: m.RequestKey, To: m.Recipient, Subject: m.Subject, Text: m.TextBody, HTML: m.HTMLBody, Locale: i18n.Locale(m.Locale)}
}

// keep stores the letter unless its key is known, and returns what is stored: the first letter of a key wins.
func keep(ctx context.Context, g *gorm.DB, kind string, l Letter, now time.Time) (messageRow, error) {
	err := g.WithContext(ctx).Exec(`INSERT INTO message (request_key, kind, recipient, locale, subject, text_body, html_body, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request_key) DO NOTHING`,
		l.ID, kind, l.To, string(l.Locale), l.Subject, l.Text, l.HTML, now).Error
	if err != nil {
		return messageRow{}, err
	}
	var m messageRow
	err = g.WithContext(ctx).Raw(`SELECT id, request_key, recipient, locale, subject, text_body, html_body, sent_at
		FROM message WHERE request_key = ?`, l.ID).Scan(&m).Error
	return m, err
}

func markSent(ctx context.Context, g *gorm.DB, id int64, now time.Time) error {
	return g.WithContext(ctx).Exec(`UPDATE message SET sent_at = ? WHERE id = ? AND sent_at IS NULL`, now, id).Error
}

func sentTo(ctx context.Context, g *gorm.DB, addresses []string) (rows []Sent, err error) {
	err = g.WithContext(ctx).Raw(`SELECT kind, subject, recipient AS "to", coalesce(sent_at, created_at) AS at FROM message WHERE lower(recipient) IN ? ORDER BY id`,
		addresses).Scan(&rows).Error
	return rows, err
}

func forget(ctx context.Context, tx db.Tx, addresses []string, now time.Time) error {
	return tx.WithContext(ctx).Exec(`UPDATE message SET recipient = '', subject = '', text_body = '', html_body = '', sent_at = coalesce(sent_at, ?)
		WHERE lower(recipient) IN ?`, now, addresses).Error
}
