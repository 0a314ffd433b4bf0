package intake

import (
	"context"

	"choocop.vn/ocop/internal/platform/db"
)

// lock keeps two lists apart, so that their rows do not take each other's page addresses.
func lock(ctx context.Context, tx db.Tx) error {
	return tx.WithContext(ctx).Exec(`SELECT pg_advisory_xact_lock(hashtextextended('intake.products', 0))`).Error
}
