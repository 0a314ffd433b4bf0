package catalog

import (
	"context"
	"time"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/db"
)

// repriced is a variant with its new price.
type repriced struct {
	SKU   string
	Price int64
}

// tellPrices tells partners of new prices, in one statement.
func tellPrices(ctx context.Context, tx db.Tx, changed []repriced, at time.Time) error {
	events := make([]partner.Event, len(changed))
	for i, c := range changed {
		events[i] = partner.Event{Kind: partner.PriceChanged, Subject: c.SKU, At: at,
			Payload: map[string]any{"sku": c.SKU, "price": c.Price, "currency": "VND"}}
	}
	return partner.EmitAll(ctx, tx, events)
}
