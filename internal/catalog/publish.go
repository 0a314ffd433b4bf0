package catalog

import (
	"context"
	"fmt"
	"strings"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// Publish shows a draft in the shop; a product that is published stays so. Errors, all that apply at once:
// catalog.publish.name (no Vietnamese name), .variant (nothing to sell), .producer (not verified), .medicine; NotFound
// catalog.product.unknown.
func (s *Service) Publish(ctx context.Context, tx db.Tx, productID int64, actor string) error {
	r, ok, err := readiness(ctx, tx, productID)
	if err != nil {
		return fmt.Errorf("catalog: publish: %w", err)
	}
	if !ok {
		return apperr.New(apperr.NotFound, "catalog.product.unknown")
	}
	if r.State == "published" {
		return nil
	}
	var missing apperr.List
	for _, need := range []struct {
		met bool
		key string
	}{
		{r.Named, "catalog.publish.name"}, {r.HasVariant, "catalog.publish.variant"},
		{r.Verified, "catalog.publish.producer"}, {!r.Medicine, "catalog.publish.medicine"},
	} {
		if !need.met {
			missing = append(missing, apperr.New(apperr.Conflict, need.key))
		}
	}
	if err := missing.Err(); err != nil {
		return err
	}
	return s.setState(ctx, tx, productID, "published", actor)
}

// Withdraw takes a product out of the shop; its page is not found from then on and baskets that hold it say so.
func (s *Service) Withdraw(ctx context.Context, tx db.Tx, productID int64, actor string) error {
	r, ok, err := readiness(ctx, tx, productID)
	if err != nil {
		return fmt.Errorf("catalog: withdraw: %w", err)
	}
	if !ok {
		return apperr.New(apperr.NotFound, "catalog.product.unknown")
	}
	if r.State != "published" {
		return nil
	}
	return s.setState(ctx, tx, productID, "draft", actor)
}

func (s *Service) setState(ctx context.Context, tx db.Tx, productID int64, state, actor string) error {
	if err := setState(ctx, tx, productID, state, s.clock.Now()); err != nil {
		return fmt.Errorf("catalog: state: %w", err)
	}
	return audit.Record(ctx, tx, audit.Entry{Actor: actor, Action: "product." + state, Subject: "product", SubjectID: fmt.Sprint(productID)})
}

// ChangePrice sets the price of a variant in whole đồng including tax, and records who did it. The same price again
// changes nothing. Errors: catalog.price.positive; NotFound catalog.sku.unknown.
func (s *Service) ChangePrice(ctx context.Context, tx db.Tx, sku string, price money.VND, actor string) error {
	if price <= 0 || price > money.Max {
		return apperr.Field("price", "catalog.price.positive")
	}
	sku = strings.ToUpper(strings.TrimSpace(sku))
	found, changed, err := setPrice(ctx, tx, sku, price, actor, s.clock.Now())
	if err != nil {
		return fmt.Errorf("catalog: price: %w", err)
	}
	if !found {
		return apperr.New(apperr.NotFound, "catalog.sku.unknown", "sku", sku)
	}
	if changed {
		return tellPrices(ctx, tx, []repriced{{sku, int64(price)}}, s.clock.Now())
	}
	return nil
}

// Picture is a picture of a product with what it shows, for people who do not see it.
type Picture struct {
	ProductID int64  `json:"product_id"`
	Position  int    `json:"position"` // from 0; the first is the one lists show
	AssetID   int64  `json:"asset_id"`
	AltVI     string `json:"alt_vi"`
	AltEN     string `json:"alt_en"`
}

// Show puts pictures at their positions, replacing what was there.
func (s *Service) Show(ctx context.Context, tx db.Tx, pictures []Picture) error {
	if len(pictures) == 0 {
		return nil
	}
	if err := upsertPictures(ctx, tx, pictures); err != nil {
		return fmt.Errorf("catalog: pictures: %w", err)
	}
	return nil
}
