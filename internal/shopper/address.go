package shopper

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Address is one in the book of an account.
type Address struct {
	ID           int64  `json:"-"`
	Name         string `json:"name"`
	Phone        string `json:"phone"` // E.164
	ProvinceCode string `json:"province_code"`
	CommuneCode  string `json:"commune_code"`
	Street       string `json:"street"`
	Default      bool   `json:"default"`
}

const maxStreet = 200

// check returns all faults of the form: name, phone, province, commune, street. It turns the phone into E.164.
func (s *Service) check(ctx context.Context, a *Address) error {
	var l apperr.List
	a.Name, a.Street = strings.TrimSpace(i18n.NFC(a.Name)), strings.TrimSpace(i18n.NFC(a.Street))
	if bad := account.CheckName(a.Name); bad != nil {
		l = append(l, bad)
	}
	phone, err := i18n.ParsePhone(a.Phone)
	if err := l.Add(err); err != nil {
		return err
	}
	if err == nil {
		a.Phone = phone
	}
	if err := l.Add(s.Geo.Check(ctx, a.ProvinceCode, a.CommuneCode)); err != nil {
		return fault("address", err)
	}
	strange := strings.ContainsFunc(a.Street, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
	if n := utf8.RuneCountInString(a.Street); n == 0 || n > maxStreet || strange {
		l = append(l, apperr.Field("street", "shopper.street.form", "max", maxStreet))
	}
	return l.Err()
}

// Addresses lists the book of an account, the default first.
func (s *Service) Addresses(ctx context.Context, accountID int64) ([]Address, error) {
	out, err := addresses(ctx, s.DB.Primary(ctx), accountID)
	return out, fault("addresses", err)
}

// KeepAddress writes an address into the book, a new one when its ID is 0. The first is the default. Beside the faults of
// the form it returns NotFound shopper.address.unknown and Conflict shopper.address.full.
func (s *Service) KeepAddress(ctx context.Context, accountID int64, a Address) error {
	if err := s.check(ctx, &a); err != nil {
		return err
	}
	return fault("keep address", s.DB.InTx(ctx, func(tx db.Tx) error {
		// The account's row makes two windows wait for each other: one default, and no more than the most.
		if err := s.lock(ctx, tx, accountID); err != nil {
			return err
		}
		n, err := countAddresses(ctx, tx, accountID)
		if err != nil {
			return err
		}
		if a.ID == 0 && n >= MaxAddresses {
			return apperr.New(apperr.Conflict, "shopper.address.full", "max", MaxAddresses)
		}
		if a.Default = a.Default || n == 0; a.Default {
			if err := clearDefault(ctx, tx, accountID); err != nil {
				return err
			}
		}
		found, err := putAddress(ctx, tx, accountID, a, s.Clock.Now())
		if err == nil && !found {
			err = apperr.New(apperr.NotFound, "shopper.address.unknown")
		}
		return err
	}))
}

// DropAddress takes an address out of the book; where it was the default, the newest takes its place.
func (s *Service) DropAddress(ctx context.Context, accountID, id int64) error {
	return fault("drop address", s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.lock(ctx, tx, accountID); err != nil {
			return err
		}
		found, err := dropAddress(ctx, tx, accountID, id)
		if err == nil && !found {
			err = apperr.New(apperr.NotFound, "shopper.address.unknown")
		}
		return err
	}))
}

func (s *Service) lock(ctx context.Context, tx db.Tx, accountID int64) error {
	open, err := account.Lock(ctx, tx, accountID)
	if err == nil && !open {
		err = apperr.New(apperr.NotFound, "account.not_found")
	}
	return err
}

// Wish puts a product on the list of an account; one that is on it already stays. It returns NotFound
// shopper.product.unknown and Conflict shopper.wish.full.
func (s *Service) Wish(ctx context.Context, accountID int64, slug string) error {
	return fault("wish", s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.lock(ctx, tx, accountID); err != nil {
			return err
		}
		product, on, n, err := wishRoom(ctx, tx, accountID, slug)
		switch {
		case err != nil || on:
			return err
		case product == 0:
			return apperr.New(apperr.NotFound, "shopper.product.unknown")
		case n >= MaxWishes:
			return apperr.New(apperr.Conflict, "shopper.wish.full", "max", MaxWishes)
		}
		return insertWish(ctx, tx, accountID, product, s.Clock.Now())
	}))
}

// Unwish takes a product off the list; one that is not on it is no error.
func (s *Service) Unwish(ctx context.Context, accountID int64, slug string) error {
	return fault("unwish", dropWish(ctx, s.DB.Primary(ctx), accountID, slug))
}

// Wishes are the products on the list, newest first.
func (s *Service) Wishes(ctx context.Context, accountID int64) ([]int64, error) {
	ids, err := wishes(ctx, s.DB.Primary(ctx), accountID)
	return ids, fault("wishes", err)
}
