// Package cart owns the baskets of shoppers. A basket is found by an opaque token that only the shopper's cookie holds;
// the table keeps its hash. An account has one basket, whose token is derived, so that all its devices hold the same.
//
// Tables: cart, cart_line. It promises that a line holds 1 to 999 pieces, that a price which changed and stock which
// ran out since the shopper added a thing are said and never slipped in, and that looking changes nothing. Nothing is
// reserved here: stock is promised when the order is placed.
package cart

import (
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// MaxQuantity is the most pieces of one thing in a basket; MaxLines the most different things.
const (
	MaxQuantity = 999
	MaxLines    = 100
)

// KeptFor is how long an untouched basket is kept.
const KeptFor = 90 * 24 * time.Hour

// Problem says why a line cannot be bought as it stands; it is also the last part of a text key cart.line.*.
type Problem string

// The problems of a line.
const (
	None    Problem = ""
	Gone    Problem = "gone"     // no longer sold here
	SoldOut Problem = "sold_out" // nothing left
	Short   Problem = "short"    // fewer left than wanted: see Available
)

// Line is one thing in a basket, as it is now.
type Line struct {
	catalog.Offer
	Quantity  int
	PriceSeen money.VND // when the shopper added it
	PriceNow  money.VND
	Available int64
	Problem   Problem
}

// PriceChanged reports whether the price is another than the shopper saw.
func (l Line) PriceChanged() bool { return l.PriceSeen != l.PriceNow }

// Total is what the line costs now; a thing that is gone costs nothing.
func (l Line) Total() money.VND {
	if l.Problem == Gone {
		return 0
	}
	return l.PriceNow * money.VND(l.Quantity)
}

// SellerPart is what a basket holds of one seller: it will be one order and one parcel.
type SellerPart struct {
	ProducerID   int64
	Name         string
	ProvinceCode string
	Lines        []Line
	Goods        money.VND
}

// View is a basket as it is now, sellers in the order of their first line.
type View struct {
	Sellers []SellerPart
	Goods   money.VND
	Count   int // pieces
	// Adults reports that something in it is for adults only.
	Adults bool
	// Blocked reports that a line must be changed or removed before the basket can be ordered.
	Blocked bool
}

// Empty reports whether nothing is in it.
func (v View) Empty() bool { return len(v.Sellers) == 0 }

// Item is a bare line, for checkout.
type Item struct {
	VariantID int64
	Quantity  int
}

// Service holds the verbs of this package.
type Service struct {
	db      *db.DB
	clock   clock.Clock
	catalog *catalog.Service
	stock   *inventory.Service
	secret  []byte
}

// New returns the service.
func New(d *db.DB, c clock.Clock, goods *catalog.Service, stock *inventory.Service) *Service {
	return &Service{db: d, clock: c, catalog: goods, stock: stock}
}

// Sweep is the job that forgets old baskets.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "cart_sweep" }
