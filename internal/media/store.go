package media

import (
	"context"
	"time"

	"choocop.vn/ocop/internal/platform/db"
)

type assetRow struct {
	ID          int64
	Sha256      []byte
	Kind        Kind
	Mime        string
	Width       int
	Height      int
	Bytes       int64
	OriginalKey string
	CreatedAt   time.Time
}

func (r assetRow) asset() Asset {
	return Asset{ID: r.ID, SHA256: r.Sha256, Kind: r.Kind, MIME: r.Mime, Width: r.Width, Height: r.Height, Bytes: r.Bytes}
}

type renditionRow struct {
	AssetID int64
	Format  Format
	Width   int
	Height  int
	Key     string
	Bytes   int64
}

func (renditionRow) TableName() string { return "media_rendition" }

// shownRow is a rendition as pages show it, with the size of its asset.
type shownRow struct {
	AssetID     int64
	Format      Format
	Width       int
	Key         string
	AssetWidth  int
	AssetHeight int
}

const selectByHash = `SELECT id, sha256, kind, mime, width, height, bytes FROM media_asset WHERE sha256 = ?`

// byHash asks the primary: a replica may not know yet what was kept a moment ago.
func (s *Service) byHash(ctx context.Context, sum []byte) (Asset, bool, error) {
	var rows []assetRow
	if err := s.db.Primary(ctx).Raw(selectByHash, sum).Scan(&rows).Error; err != nil || len(rows) == 0 {
		return Asset{}, false, err
	}
	return rows[0].asset(), true, nil
}

// insert writes the asset with its renditions, or finds the one that another process wrote first:
// its renditions are the same, for they come from the same bytes.
func (s *Service) insert(ctx context.Context, a Asset, original string, rows []renditionRow) (Asset, error) {
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		q := tx.WithContext(ctx)
		var ids []int64
		// The hash is not the first value: gorm spreads a slice that follows a parenthesis.
		err := q.Raw(`INSERT INTO media_asset (kind, sha256, mime, width, height, bytes, original_key, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING RETURNING id`,
			a.Kind, a.SHA256, a.MIME, a.Width, a.Height, a.Bytes, original, s.clock.Now()).Scan(&ids).Error
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			var first assetRow
			if err := q.Raw(selectByHash, a.SHA256).Scan(&first).Error; err != nil {
				return err
			}
			a = first.asset()
			return nil
		}
		a.ID = ids[0]
		for i := range rows {
			rows[i].AssetID = a.ID
		}
		return q.Create(&rows).Error
	})
	if err != nil {
		return Asset{}, err
	}
	return a, nil
}

func (s *Service) renditions(ctx context.Context, ids []int64) ([]shownRow, error) {
	var rows []shownRow
	err := s.db.Read(ctx).Raw(`SELECT r.asset_id, r.format, r.width, r.key,
			a.width AS asset_width, a.height AS asset_height
		FROM media_rendition r JOIN media_asset a ON a.id = r.asset_id
		WHERE r.asset_id IN ? ORDER BY r.asset_id, r.format, r.width`, ids).Scan(&rows).Error
	return rows, err
}
