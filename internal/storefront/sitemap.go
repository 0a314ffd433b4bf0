package storefront

import (
	"context"
	"fmt"
	"time"
)

// SitemapChunk is the number of pages in one sitemap file. Each stands in it in two languages, a few fixed pages are
// added, and a file may hold 50,000 addresses.
const SitemapChunk = 24_000

// mapped is every public page that comes from a row. Products for adults are on it: their page asks for the age.
const mapped = `
	SELECT 1 AS n, '/' AS path, (SELECT max(updated_at) FROM product) AS last_mod, 0::bigint AS id
	UNION ALL SELECT 1, unnest(ARRAY['/san-pham', '/tinh', '/diem-ban', '/xac-minh']), NULL, 1
	UNION ALL SELECT 2, '/nhom/' || slug, NULL, position FROM category
	UNION ALL SELECT 3, '/tinh/' || slug, NULL, code::bigint FROM geo_province
	UNION ALL SELECT 4, '/diem-ban/' || slug, NULL, id FROM showroom WHERE state = 'open'
	UNION ALL SELECT 5, '/nha-san-xuat/' || slug, updated_at, id FROM producer m WHERE state = 'verified' AND EXISTS (SELECT FROM product_search x WHERE x.producer_id = m.id)
	UNION ALL SELECT 6, '/san-pham/' || p.slug, p.updated_at, p.id FROM product p JOIN product_search x ON x.product_id = p.id`

// SitemapChunks is the number of sitemap files that the shop needs, at least one.
func (s *Service) SitemapChunks(ctx context.Context) (int, error) {
	var n int
	if err := s.DB.Read(ctx).Raw(`SELECT count(*) FROM (` + mapped + `) x`).Scan(&n).Error; err != nil {
		return 0, fmt.Errorf("storefront: sitemap: %w", err)
	}
	return max(1, (n+SitemapChunk-1)/SitemapChunk), nil
}

// Sitemap returns the addresses of one file, counted from 1; none beyond the last.
func (s *Service) Sitemap(ctx context.Context, chunk int) ([]Link, error) {
	var rows []struct {
		Path    string
		LastMod *time.Time
	}
	err := s.DB.Read(ctx).Raw(`SELECT path, last_mod FROM (`+mapped+`) x ORDER BY n, id LIMIT ? OFFSET ?`, SitemapChunk, (max(1, chunk)-1)*SitemapChunk).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("storefront: sitemap: %w", err)
	}
	out := make([]Link, len(rows))
	for i, r := range rows {
		out[i].Path = r.Path
		if r.LastMod != nil {
			out[i].LastMod = *r.LastMod
		}
	}
	return out, nil
}
