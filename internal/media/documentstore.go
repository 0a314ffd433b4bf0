package media

import (
	"context"
	"time"
)

func (s *Service) insertDocument(ctx context.Context, d *Document, accountID int64) error {
	return s.db.Primary(ctx).Raw(`INSERT INTO media_document (key, name, mime, bytes, account_id, created_at) VALUES (?, ?, ?, ?, ?, ?) RETURNING id`,
		d.key, d.Name, d.MIME, d.Bytes, accountID, d.CreatedAt).Scan(&d.ID).Error
}

type documentRow struct {
	ID        int64
	Key       string
	Name      string
	MIME      string `gorm:"column:mime"`
	Bytes     int64
	CreatedAt time.Time
}

func (s *Service) documents(ctx context.Context, ids []int64) (map[int64]Document, error) {
	var rows []documentRow
	err := s.db.Primary(ctx).Raw(`SELECT id, key, name, mime, bytes, created_at FROM media_document WHERE id IN ?`, ids).Scan(&rows).Error
	out := make(map[int64]Document, len(rows))
	for _, r := range rows {
		out[r.ID] = Document{ID: r.ID, Name: r.Name, MIME: r.MIME, Bytes: r.Bytes, CreatedAt: r.CreatedAt, key: r.Key}
	}
	return out, err
}
