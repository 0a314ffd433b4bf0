package inventory

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

var errSoon = errors.New("inventory: not there yet")

func (s *Service) Available(ctx context.Context, g *gorm.DB, variantIDs []int64) (map[int64]int64, error) {
	return nil, errSoon
}
func (s *Service) Locations(ctx context.Context, g *gorm.DB, producerIDs []int64) (map[int64]int64, error) {
	return nil, errSoon
}
func (s *Service) EnsureProducerLocation(ctx context.Context, tx db.Tx, producerID int64) (int64, error) {
	return 0, errSoon
}
func (s *Service) Reserve(ctx context.Context, tx db.Tx, orderID int64, wants []Want, expires *time.Time) error {
	return errSoon
}
func (s *Service) ReserveMany(ctx context.Context, tx db.Tx, orders []OrderWant) error {
	return errSoon
}
func (s *Service) Keep(ctx context.Context, tx db.Tx, orderID int64) error    { return errSoon }
func (s *Service) Release(ctx context.Context, tx db.Tx, orderID int64) error { return errSoon }
func (s *Service) Sell(ctx context.Context, tx db.Tx, orderID int64, actor string) error {
	return errSoon
}
func (s *Service) Restock(ctx context.Context, tx db.Tx, orderID int64, actor, reason string) error {
	return errSoon
}
func (s *Service) Receive(ctx context.Context, r Receipt) (Level, error)        { return Level{}, errSoon }
func (s *Service) ReceiveAll(ctx context.Context, tx db.Tx, rs []Receipt) error { return errSoon }
func (s *Service) Adjust(ctx context.Context, a Adjustment) (Level, error)      { return Level{}, errSoon }
func (s *Service) Levels(ctx context.Context, sku string) ([]Level, error)      { return nil, errSoon }
func (s *Service) Tidy(ctx context.Context) (int, error)                        { return 0, errSoon }
func Checks() []Check                                                           { return nil }
