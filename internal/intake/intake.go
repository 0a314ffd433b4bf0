// Package intake takes lists of goods in: it reads the rows of a CSV or XLSX file and enters producers, products,
// variants and certificates from them.
//
// It exists because such a list is about three domains at once (producer, catalog, certification) and none of them may
// call the others upward; it stands above them and owns no table. `ocop import products` and the demo market use this one
// path.
//
// It promises that good rows are loaded and every bad one is reported with its line, column and a sentence; that running
// the same file twice changes nothing, not even a timestamp; that a row is loaded whole or not at all; and that the
// number of statements grows with the batches of a file and not with its rows.
package intake

import (
	"context"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/producer"
)

// Limits of a file.
const (
	MaxBytes = 64 << 20
	MaxRows  = 200_000
)

// Indexer brings the search index up to date for changed products, in the transaction that changed them.
type Indexer interface {
	Refresh(ctx context.Context, tx db.Tx, productIDs []int64) error
}

// Format is the kind of a file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Options of one run.
type Options struct {
	DryRun   bool                  // read, check and count, write nothing
	Progress func(done, total int) // told after each batch; may be nil
	Actor    string                // who loads the list, for the record of prices
	Demo     bool                  // mark what is added as belonging to the demo market
}

// Problem is what is wrong with one cell, row or column.
type Problem struct {
	Line   int    // line in the file as an editor or spreadsheet counts it; 0 for the file as a whole
	Column string // name of the column; empty for the whole row
	Value  string // what stands there, shortened
	Key    string // text key of the sentence
	Args   map[string]any
}

// Sentence is the problem for a reader of this language.
func (p Problem) Sentence(l i18n.Locale) string { return i18n.T(l, p.Key, p.Args) }

// Report is what a run did, or with DryRun would do. Added, Changed and Unchanged count the products of good rows.
type Report struct {
	Rows      int
	Added     int
	Changed   int
	Unchanged int
	Bad       []Problem // what kept a row out
	Notes     []Problem // worth knowing: columns that are unknown and were passed over
}

// Service loads lists.
type Service struct {
	db           *db.DB
	clock        clock.Clock
	geo          *geo.Service
	producers    *producer.Service
	catalog      *catalog.Service
	certificates *certification.Service
	index        Indexer
}

// New returns the service. Without an index (nil) none is refreshed.
func New(d *db.DB, c clock.Clock, g *geo.Service, p *producer.Service, k *catalog.Service, s *certification.Service, index Indexer) *Service {
	return &Service{db: d, clock: c, geo: g, producers: p, catalog: k, certificates: s, index: index}
}
