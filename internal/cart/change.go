package cart

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// Add puts pieces into the basket, on top of those already there, at most MaxQuantity in all. Without a basket (an
// empty or forgotten token) it makes one; the token returned is the one to keep. Errors on the field "quantity":
// cart.quantity.range, cart.quantity.sold_out; on the whole: cart.refused.contact, cart.refused.gone, cart.full.
func (s *Service) Add(ctx context.Context, token, sku string, quantity int) (string, error) {
	return s.add(ctx, token, sku, quantity, adding{open: true})
}

// AddGated is Add for a visitor who has not said to be of age: what is for adults only is Denied cart.refused.age, with the slug of
// its page.
func (s *Service) AddGated(ctx context.Context, token, sku string, quantity int) (string, error) {
	return s.add(ctx, token, sku, quantity, adding{open: true, gated: true})
}

// adding says whether a missing basket is made, and whether goods for adults are refused.
type adding struct{ open, gated bool }

// AddTo is Add for a basket that must be there: NotFound cart.forgotten for an unknown token.
func (s *Service) AddTo(ctx context.Context, token, sku string, quantity int) error {
	_, err := s.add(ctx, token, sku, quantity, adding{})
	return err
}

// Open makes an empty basket and returns its token.
func (s *Service) Open(ctx context.Context) (string, error) {
	token := ident.Token()
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		_, err := insert(ctx, tx, token, s.clock.Now())
		return err
	})
	return token, fault("open", err)
}

func (s *Service) add(ctx context.Context, token, sku string, quantity int, how adding) (string, error) {
	if quantity < 1 || quantity > MaxQuantity {
		return "", badQuantity()
	}
	o, err := s.catalog.OfferBySKU(ctx, s.db.Primary(ctx), sku, clock.Today(s.clock))
	switch {
	case err != nil:
		return "", fault("add", err)
	case how.gated && o.Rules.AdultsOnly:
		return "", apperr.New(apperr.Denied, "cart.refused.age", "slug", o.Slug)
	case o.Rules.ContactOnly:
		return "", apperr.New(apperr.Conflict, "cart.refused.contact")
	case !o.Sellable:
		return "", apperr.New(apperr.Conflict, "cart.refused.gone")
	}
	left, err := s.stock.Available(ctx, s.db.Primary(ctx), []int64{o.VariantID})
	if err != nil {
		return "", fmt.Errorf("cart: add: %w", err)
	}
	if left[o.VariantID] <= 0 {
		return "", apperr.New(apperr.Conflict, "cart.quantity.sold_out").At("quantity")
	}
	fresh, used := ident.Token(), token
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		cartID, found, err := lockOrOpen(ctx, tx, token, fresh, how.open, s.clock.Now())
		if err != nil {
			return err
		}
		if cartID == 0 {
			return forgotten()
		}
		if used = token; !found {
			used = fresh
		}
		return put(ctx, tx, cartID, o.VariantID, quantity, o.Price, s.clock.Now())
	})
	if err != nil {
		return "", fault("add", err)
	}
	return used, nil
}

// SetQuantity changes how many pieces of a thing are wanted; 0 removes it. The price shown now counts as seen.
func (s *Service) SetQuantity(ctx context.Context, token, sku string, quantity int) error {
	if quantity == 0 {
		return s.Remove(ctx, token, sku)
	}
	if quantity < 0 || quantity > MaxQuantity {
		return badQuantity()
	}
	id, err := s.catalog.VariantBySKU(ctx, s.db.Primary(ctx), sku)
	if err != nil {
		return err
	}
	offers, err := s.catalog.Offers(ctx, s.db.Primary(ctx), []int64{id}, clock.Today(s.clock))
	if err != nil {
		return fmt.Errorf("cart: quantity: %w", err)
	}
	return s.change(ctx, token, func(tx db.Tx, cartID int64) error {
		return setQuantity(ctx, tx, cartID, id, quantity, offers[id].Price)
	})
}

// Remove takes a thing out. One that is not in it is no error: it is gone, as wished.
func (s *Service) Remove(ctx context.Context, token, sku string) error {
	id, err := s.catalog.VariantBySKU(ctx, s.db.Primary(ctx), sku)
	if err != nil {
		return err
	}
	return s.change(ctx, token, func(tx db.Tx, cartID int64) error {
		return remove(ctx, tx, cartID, id)
	})
}

func (s *Service) change(ctx context.Context, token string, fn func(tx db.Tx, cartID int64) error) error {
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		cartID, found, err := lock(ctx, tx, token)
		if err != nil {
			return err
		}
		if !found {
			return apperr.New(apperr.NotFound, "cart.unknown")
		}
		if err := fn(tx, cartID); err != nil {
			return err
		}
		return touch(ctx, tx, cartID, s.clock.Now())
	})
	return fault("change", err)
}

// Take locks baskets for the rest of the transaction, in the order of their ids, takes everything out and returns what
// lay in each, in the order it was added: one statement for any number of baskets. An unknown token has no entry. What
// is added at the same moment stays in the basket.
func (s *Service) Take(ctx context.Context, tx db.Tx, tokens []string) (map[string][]Item, error) {
	out, err := take(ctx, tx, tokens, s.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("cart: take: %w", err)
	}
	return out, nil
}

// SweepOld forgets baskets that nobody touched for KeptFor and returns how many.
func (s *Service) SweepOld(ctx context.Context) (int, error) {
	n, err := sweep(ctx, s.db.Primary(ctx), s.clock.Now().Add(-KeptFor))
	if err != nil {
		return 0, fmt.Errorf("cart: sweep: %w", err)
	}
	return n, nil
}

func forgotten() error { return apperr.New(apperr.NotFound, "cart.forgotten") }

func badQuantity() error {
	return apperr.Field("quantity", "cart.quantity.range", "max", MaxQuantity)
}

func fault(verb string, err error) error {
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("cart: %s: %w", verb, err)
}
