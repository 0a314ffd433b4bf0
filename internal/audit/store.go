package audit

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

func insert(ctx context.Context, tx db.Tx, e Entry, detail []byte) error {
	return tx.WithContext(ctx).Exec(`
		INSERT INTO audit_event (account_id, actor, action, subject, subject_id, detail)
		VALUES (?, ?, ?, ?, ?, ?::jsonb)`,
		e.AccountID, e.Actor, e.Action, e.Subject, e.SubjectID, string(detail)).Error
}

type row struct {
	ID                                int64
	At                                time.Time
	AccountID                         *int64
	Actor, Action, Subject, SubjectID string
	Detail                            []byte
}

func list(ctx context.Context, g *gorm.DB, subject, subjectID string, limit int) ([]row, error) {
	var rows []row
	err := g.WithContext(ctx).Raw(`
		SELECT id, at, account_id, actor, action, subject, subject_id, detail
		FROM audit_event WHERE subject = ? AND subject_id = ? ORDER BY id DESC LIMIT ?`,
		subject, subjectID, limit).Scan(&rows).Error
	return rows, err
}
