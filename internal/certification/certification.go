// Package certification owns the official OCOP stars: which decision gave which product three, four or five stars, until
// when it counts, and the public proof of it.
//
// Tables: certificate, certificate_product; for partners certificate_told. It promises that whether stars count is computed for a day in
// Asia/Ho_Chi_Minh from the dates of the record and never stored, that they are gone on the day after the last valid day
// and from the day of a revocation on, that no record is ever removed, and that sellers cannot write here.
//
// One and two stars bring no certificate (QĐ 26/2026/QĐ-TTg), so they do not exist here; neither do proposals and council
// votes before the decision. Where only the year of a decision is known the record says so, and it ends on the earliest
// day that the year allows.
package certification

import (
	"context"
	"strconv"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Months is how long a certificate counts from its decision (QĐ 1048/2019, 148/2023 and 26/2026 alike).
const Months = 36

// Levels that recognise stars.
const (
	District = "district"
	Province = "province"
	Ministry = "ministry"
)

// States of a certificate on a day.
const (
	StateValid   = "valid"
	StateExpired = "expired"
	StateRevoked = "revoked"
	StateNotYet  = "not_yet"
)

// Star is the best certificate of a product that counts on a day.
type Star struct {
	CertificateID int64
	Code          string
	Stars         int
	DecisionNo    string // empty where only the year is known
	Issuer        string
	DecidedOn     *clock.Date
	DecidedYear   int
	ValidTo       clock.Date // last day, inclusive
	YearOnly      bool
}

// Record is one certificate as history and proof show it.
type Record struct {
	ID          int64
	Code        string
	Stars       int
	DecisionNo  string
	Level       string
	Issuer      string
	DecidedOn   *clock.Date
	DecidedYear int
	YearOnly    bool // the day of the decision is not known; the dates are the earliest the year allows
	Regime      string
	ValidFrom   clock.Date
	ValidTo     clock.Date
	RevokedOn   *clock.Date
	RevokedWhy  string
	SourceURL   string
	Note        string
}

// Decision is the decision's number, or its year where no more is known.
func (r Record) Decision() string {
	if r.DecisionNo == "" {
		return strconv.Itoa(r.DecidedYear)
	}
	return r.DecisionNo
}

// StateOn is the state of the certificate on a day: one of the State constants.
func (r Record) StateOn(on clock.Date) string {
	switch {
	case r.RevokedOn != nil && !on.Before(*r.RevokedOn):
		return StateRevoked
	case on.Before(r.ValidFrom):
		return StateNotYet
	case on.After(r.ValidTo):
		return StateExpired
	}
	return StateValid
}

// Proof is what anyone may see of a certificate.
type Proof struct {
	Record
	State    string // today
	On       clock.Date
	Products []ProofProduct
}

// ProofProduct is a product that a certificate names.
type ProofProduct struct {
	ID           int64
	Slug         string
	NameVI       string
	NameEN       string
	ProducerName string
	ProducerSlug string
	ProvinceCode string
	SetNo        int
	AssetID      int64
	Published    bool
}

// Service answers for certificates.
type Service struct {
	db    *db.DB
	clock clock.Clock
}

// New returns the service.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }

// Valid returns the best certificate of each product that counts on a day: most stars first, then the longest validity.
// Products without one are left out. One statement, inside a transaction or outside.
func Valid(ctx context.Context, g *gorm.DB, productIDs []int64, on clock.Date) (map[int64]Star, error) {
	return valid(ctx, g, productIDs, on)
}

// Last returns each product's certificate that ended last before a day, for products that Valid leaves out: what a page
// needs to say "chứng nhận đã hết hạn".
func Last(ctx context.Context, g *gorm.DB, productIDs []int64, on clock.Date) (map[int64]Record, error) {
	return last(ctx, g, productIDs, on)
}

// History returns all certificates of a product, the newest first.
func (s *Service) History(ctx context.Context, g *gorm.DB, productID int64) ([]Record, error) {
	return history(ctx, g, productID)
}

// Rank is the official rank of a score of 0 to 100 (QĐ 26/2026: 90, 70, 50; the lower bound belongs to the higher rank).
// It is 0 below 50 points: one and two stars bring no recognition and are never shown.
func Rank(score float64) int {
	switch {
	case score >= 90:
		return 5
	case score >= 70:
		return 4
	case score >= 50:
		return 3
	}
	return 0
}

// ValidTo is the last day on which a decision of this day counts, inclusive.
func ValidTo(decided clock.Date) clock.Date { return decided.AddMonths(Months) }

// YearOnly is the validity of a decision of which only the year is known: the earliest that the year allows.
func YearOnly(year int) (from, to clock.Date) {
	from = clock.NewDate(year, 1, 1)
	return from, ValidTo(from)
}
