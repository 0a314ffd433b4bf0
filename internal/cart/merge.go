package cart

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// WithSecret sets the key from which the tokens of accounts' baskets are derived, the same for all copies of the program.
func (s *Service) WithSecret(secret []byte) *Service {
	s.secret = secret
	return s
}

// Merged is the basket of an account. Cut reports that not all of what lay in the other basket could be taken over: more
// than MaxQuantity of one thing, or more than MaxLines things.
type Merged struct {
	Token string
	Cut   bool
}

// Merge makes the basket of an account, which all its devices share, the one to keep, and pours into it what lies in the
// basket of token: pieces of the same thing are summed up, never above MaxQuantity, and the price seen last stands. A
// basket of somebody else's account is left alone. Merging twice, also at the same moment, adds nothing twice.
func (s *Service) Merge(ctx context.Context, token string, accountID int64) (Merged, error) {
	var m Merged
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		m = Merged{}
		own, turn, err := s.lockOwn(ctx, tx, accountID)
		if err != nil {
			return err
		}
		if open, err := account.Hold(ctx, tx, accountID); err != nil || !open {
			return closed(err)
		}
		m.Token = s.ownToken(own, turn)
		guest, found, err := lockGuest(ctx, tx, token)
		if err != nil || !found {
			return err
		}
		if m.Cut, err = pour(ctx, tx, guest, own); err != nil {
			return err
		}
		return touch(ctx, tx, own, s.clock.Now())
	})
	return m, fault("merge", err)
}

func closed(err error) error {
	if err != nil {
		return err
	}
	return apperr.New(apperr.NotFound, "account.not_found")
}

// lockOwn locks the basket of an account, which it makes at the first time. The basket of the account stands in the order
// of locks before the one that is poured into it, so that two windows at once wait for each other.
func (s *Service) lockOwn(ctx context.Context, tx db.Tx, accountID int64) (id int64, turn int, err error) {
	if id, turn, err = ownCart(ctx, tx, accountID); err != nil || id != 0 {
		return id, turn, err
	}
	// A twin may make the basket now: then its row is the one.
	if err := insertOwn(ctx, tx, accountID, ident.Hash(ident.Token()), s.clock.Now()); err != nil {
		return 0, 0, err
	}
	if id, turn, err = ownCart(ctx, tx, accountID); err != nil {
		return 0, 0, err
	}
	return id, turn, setToken(ctx, tx, id, turn, ident.Hash(s.ownToken(id, turn)))
}

// Turn gives the basket of an account a new token in the caller's transaction, so that devices which were signed out from
// afar no longer see it. Those still signed in find it again by Merge.
func (s *Service) Turn(ctx context.Context, tx db.Tx, accountID int64) error {
	id, turn, err := ownCart(ctx, tx, accountID)
	if err != nil || id == 0 {
		return err
	}
	if err := setToken(ctx, tx, id, turn+1, ident.Hash(s.ownToken(id, turn+1))); err != nil {
		return fmt.Errorf("cart: turn: %w", err)
	}
	return nil
}

// Drop takes the basket of an account away for good.
func (s *Service) Drop(ctx context.Context, tx db.Tx, accountID int64) error {
	if err := drop(ctx, tx, accountID); err != nil {
		return fmt.Errorf("cart: drop: %w", err)
	}
	return nil
}

// Own is the token of the account's basket, empty when it has none yet: what a device that is signed in should hold.
func (s *Service) Own(ctx context.Context, accountID int64) (string, error) {
	id, turn, err := peekOwn(ctx, s.db.Primary(ctx), accountID)
	if err != nil {
		return "", fmt.Errorf("cart: own: %w", err)
	}
	if id == 0 {
		return "", nil
	}
	return s.ownToken(id, turn), nil
}

func (s *Service) ownToken(id int64, turn int) string {
	m := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(m, "basket\x00%d\x00%d", id, turn)
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}
