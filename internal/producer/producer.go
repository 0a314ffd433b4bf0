// Package producer owns the makers of the goods (chủ thể): companies, cooperatives, cooperative groups and households,
// with the place they work in and the bank account that buyers pay to.
//
// Tables: producer, producer_text, producer_bank_account and the list of banks. It promises that a producer has at most
// one account in use, that an account which was paid to is closed and never rewritten, and that the address of a
// producer's page stays the same for ever.
//
// The source of some goods names no maker. Such goods belong to one placeholder per province, whose NameKnown is false:
// the pages then say that the maker is not known instead of inventing one.
package producer

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Kinds of producers, as the programme names them.
const (
	Company          = "company"           // công ty, doanh nghiệp
	Cooperative      = "cooperative"       // hợp tác xã
	CooperativeGroup = "cooperative_group" // tổ hợp tác
	Household        = "household"         // hộ, cơ sở sản xuất
)

// Producer is one maker of goods.
type Producer struct {
	ID           int64
	Slug         string
	Name         string // in Vietnamese, as on its papers
	NameEN       string // empty where it has no name in English
	NameKnown    bool   // false for the placeholder of a province
	Kind         string // one of the kinds, or empty where not known
	ProvinceCode string
	CommuneCode  string // empty where only PlaceText is known
	PlaceText    string // the place as written on the paper it was read from, mostly with names of before July 2025
	OldProvince  string // the former province on that paper
	StoryVI      string
	StoryEN      string
	Phone        string // E.164, may be empty
	Email        string
	TaxCode      string
	State        string // only "verified" producers sell
	IsDemo       bool
}

// LocalName is the name for a reader of this language.
func (p Producer) LocalName(l i18n.Locale) string {
	if l == i18n.EN && p.NameEN != "" {
		return p.NameEN
	}
	return p.Name
}

// Story is the producer's own story in this language, or in Vietnamese where there is no other.
func (p Producer) Story(l i18n.Locale) string {
	if l == i18n.EN && p.StoryEN != "" {
		return p.StoryEN
	}
	return p.StoryVI
}

// Verified reports whether the producer may sell.
func (p Producer) Verified() bool { return p.State == "verified" }

// Bank is a member of the transfer network.
type Bank struct {
	BIN         string
	ShortName   string
	Name        string
	CanTransfer bool // its customers can pay by VietQR, and it can be paid to
}

// BankAccount is where buyers of a producer's goods pay to.
type BankAccount struct {
	ID         int64
	ProducerID int64
	BankBIN    string
	BankName   string // short name
	AccountNo  string
	Holder     string
	// IsTest marks an account of the demo market; every page that shows it says so.
	IsTest bool
}

// Service answers for producers.
type Service struct {
	db    *db.DB
	clock clock.Clock
}

// New returns the service.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }

// ByIDs returns the producers with these ids; ids without a row are left out.
func (s *Service) ByIDs(ctx context.Context, g *gorm.DB, ids []int64) (map[int64]Producer, error) {
	return byIDs(ctx, g, ids)
}

// Take returns one producer, whatever its state, or a NotFound error.
func (s *Service) Take(ctx context.Context, id int64) (Producer, error) {
	found, err := byIDs(ctx, s.db.Primary(ctx), []int64{id})
	if err != nil {
		return Producer{}, err
	}
	p, ok := found[id]
	if !ok {
		return p, apperr.New(apperr.NotFound, "producer.producer.unknown")
	}
	return p, nil
}

// Several returns the producers with these ids, whatever their state; ids without a row are left out.
func (s *Service) Several(ctx context.Context, ids []int64) (map[int64]Producer, error) {
	return byIDs(ctx, s.db.Primary(ctx), ids)
}

// BySlug returns the producer of a page address, or a NotFound error.
func (s *Service) BySlug(ctx context.Context, slug string) (Producer, error) {
	p, ok, err := bySlug(ctx, s.db.Read(ctx), slug)
	if err == nil && !ok {
		err = apperr.New(apperr.NotFound, "producer.producer.unknown")
	}
	return p, err
}

// BankAccounts returns the account in use of each of these producers; producers without one are left out.
func (s *Service) BankAccounts(ctx context.Context, g *gorm.DB, ids []int64) (map[int64]BankAccount, error) {
	return bankAccounts(ctx, g, ids)
}

// Receiving is an account into which buyers pay or paid. Sole says that its number belongs to no other bank or producer,
// so that the number alone means this account.
type Receiving struct {
	BankBIN   string `gorm:"column:bank_bin"`
	AccountNo string
	Sole      bool
}

// Receiving returns all accounts that these producers have, or had.
func (s *Service) Receiving(ctx context.Context, ids []int64) ([]Receiving, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := receiving(ctx, s.db.Primary(ctx), ids)
	if err != nil {
		return nil, fmt.Errorf("producer: receiving: %w", err)
	}
	return rows, nil
}

// Banks returns all banks by short name.
func (s *Service) Banks(ctx context.Context) ([]Bank, error) { return banks(ctx, s.db.Read(ctx)) }
