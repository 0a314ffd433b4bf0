// Package search finds products by what people type: without diacritics, in either tone style, by the beginning of a
// word, with another word for the same thing (chè, trà), by maker, commune and former province, and with a slip of the
// keyboard.
//
// It owns product_search and product_words, one row each per published product, and product_stale, which says what to read
// again; it reads search_synonym. The rows are made from the catalogue
// by [Service.Refresh], which whoever changes a product calls in the same transaction. Whether stars count today is never
// stored here: the storefront compares the dates when it asks.
//
// Questions are answered from memory, see lexicon.go: every copy of the program keeps all words and follows the changes. The
// database answers the same until they are read, and in the tests; suggestions and slips are always asked of it.
//
// Each word of a text stands in the full-text vector twice, without diacritics (vn_fold) and with them (vn_exact), in the
// 'simple' configuration, since Vietnamese has no endings to stem. Weights: A the name, B the maker, C places, category
// and codes, D the summary.
package search

import (
	"context"
	"sync"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Service answers searches and keeps the index. It is safe for concurrent use.
type Service struct {
	db    *db.DB
	clock clock.Clock

	mu       sync.Mutex
	synonyms *synonyms
	readAt   time.Time

	shelf shelf
}

// New returns a service over a database.
func New(d *db.DB, c clock.Clock) *Service { return &Service{db: d, clock: c} }

// SuggestionKind says what a suggestion leads to.
type SuggestionKind string

// The kinds of suggestion, in the order in which they are offered.
const (
	SuggestCategory SuggestionKind = "category"
	SuggestProduct  SuggestionKind = "product"
	SuggestProducer SuggestionKind = "producer"
	SuggestProvince SuggestionKind = "province"
	SuggestFormer   SuggestionKind = "former_province"
	SuggestCommune  SuggestionKind = "commune"
)

// Suggestion is one line under the search box.
type Suggestion struct {
	Kind   SuggestionKind
	Slug   string // of the page it leads to; of the province of today for a former one or a commune
	NameVI string
	NameEN string
	// Note explains: the maker of a product, the province of a producer or commune, the province of today of a former one.
	Note string
}

// Refresh brings the index rows of these products up to date within the caller's transaction: published ones are
// written, others removed. It is one statement for any number of ids.
func (s *Service) Refresh(ctx context.Context, tx db.Tx, ids []int64) error {
	return refresh(tx.WithContext(ctx), ids)
}

// RefreshAll makes the whole index anew, in one transaction, so that readers see the old rows until it is done.
func (s *Service) RefreshAll(ctx context.Context) error {
	return s.db.InTx(ctx, func(tx db.Tx) error { return refresh(tx.WithContext(ctx), nil) })
}

// Suggest returns up to limit things whose names begin with or contain what was typed so far. Products for adults are
// left out: a suggestion cannot ask for the age.
func (s *Service) Suggest(ctx context.Context, q string, limit int) ([]Suggestion, error) {
	return s.suggest(ctx, s.db.Read(ctx), q, limit)
}
