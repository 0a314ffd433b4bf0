package storefront_test

import (
	"context"
	"testing"
	"time"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

// noon is the moment at which the tests' clock begins.
var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, clock.HCM)

type shop struct {
	*storefront.Service
	db      *db.DB
	queries *testkit.Queries
	clock   *clock.Settable
	search  *search.Service
	sources storefront.Sources
}

func open(t testing.TB) *shop {
	t.Helper()
	d, q := testkit.CountedDB(t)
	c := clock.Fixed(noon)
	found := search.New(d, c)
	sources := storefront.Sources{DB: d, Clock: c, Geo: geo.New(d), Catalog: catalog.New(d, c), Certificates: certification.New(d, c),
		Showrooms: showroom.New(d), Search: found}
	return &shop{storefront.New(sources), d, q, c, found, sources}
}

// index makes the search rows of everything that was built.
func (s *shop) index(t testing.TB) {
	t.Helper()
	if err := s.search.RefreshAll(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) list(t testing.TB, f storefront.Filter) storefront.Listing {
	t.Helper()
	l, err := s.List(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func names(cards []storefront.Card) []string {
	out := make([]string, len(cards))
	for i, c := range cards {
		out[i] = c.NameVI
	}
	return out
}

func ids(cards []storefront.Card) []int64 {
	out := make([]int64, len(cards))
	for i, c := range cards {
		out[i] = c.ProductID
	}
	return out
}

func (s *shop) refresh(ctx context.Context, ids ...int64) error {
	return s.db.InTx(ctx, func(tx db.Tx) error { return s.search.Refresh(ctx, tx, ids) })
}
