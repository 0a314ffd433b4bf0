package storefront

import (
	"context"

	"choocop.vn/ocop/internal/media"
)

// pictures finds assets; a service without pictures has none.
func (s *Service) pictures(ctx context.Context, assets []int64) (map[int64]media.Picture, error) {
	if s.Pictures == nil || len(assets) == 0 {
		return nil, nil
	}
	return s.Pictures.Pictures(ctx, assets)
}
