// Package inventory owns what lies where: the append-only ledger of movements, the levels it adds up
// to, and the promises of stock to orders.
//
// Tables: stock_location, stock_lot, stock_level, stock_movement, stock_reservation; for partners stock_told, stock_told_mark.
//
// Promises, for any number of callers at once:
//   - on_hand of a level is the sum of its movements; a movement and its change of the level are one transaction.
//   - reserved of a level is the sum of its open reservations, and never more than on_hand (held by the database).
//   - Stock is never promised twice: levels are locked FOR UPDATE before they are counted, all of one call
//     in one statement in the order (variant, location, lot, owner), so opposite baskets cannot deadlock.
//   - A reservation past its time stops counting at that moment. Queries leave it out, and whoever would run short
//     because of it closes it; the job Tidy only keeps the table small.
//   - Whoever changes a reservation holds the lock of its level.
//   - No expired lot is promised or sold; the nearest expiry leaves first (FEFO).
package inventory

import (
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Service holds the verbs of this package.
type Service struct {
	db    *db.DB
	clock clock.Clock
}

// New returns the service.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }

// Want is a number of pieces of one variant to leave from one place.
type Want struct{ VariantID, LocationID, Quantity int64 }

// OrderWant is what one order wants promised. Expires nil means the promise has no end of its own.
type OrderWant struct {
	OrderID int64
	Wants   []Want
	Expires *time.Time
}

// Receipt is goods that came in. The variant is given by SKU or VariantID. Without LocationID they go to
// the own place of the variant's producer, without OwnerID they belong to that producer.
type Receipt struct {
	SKU        string
	VariantID  int64
	LocationID int64
	LotID      *int64
	OwnerID    int64
	Quantity   int64
	Actor      string
	Cause      string // what brought them, for instance "import", "harvest"; empty means "receipt"
	CauseID    string
	RequestKey string // the same key posts once; empty posts each time
}

// Adjustment corrects a level by Delta pieces after a count, a breakage or a find. Reason is compulsory.
type Adjustment struct {
	SKU        string
	VariantID  int64
	LocationID int64
	LotID      *int64
	OwnerID    int64
	Delta      int64
	Reason     string
	Actor      string
	RequestKey string // as in Receipt
}

// Level is the stock of one variant at one place, of one lot and owner.
type Level struct {
	ID           int64
	VariantID    int64
	SKU          string
	LocationID   int64
	LocationKind string // producer, showroom, booth, transit
	LocationName string
	LotID        *int64
	LotCode      string
	LotExpiresOn clock.Date // last day it may be sold; zero means none
	OwnerID      int64
	OnHand       int64
	Reserved     int64 // sum of open reservations that still count
}

// Available is what may still be promised.
func (l Level) Available() int64 { return l.OnHand - l.Reserved }

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }
