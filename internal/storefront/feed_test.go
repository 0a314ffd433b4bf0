package storefront_test

import (
	"testing"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

func TestFeedTakesTwoStatementsPerThousandProducts(t *testing.T) {
	s := open(t)
	first := testkit.Product(t, s.db, testkit.WithSKU("MAU-1"))
	// Many more like it, and a thousand in between that sell nothing.
	testkit.Exec(t, s.db, `WITH made AS (
			INSERT INTO product (slug, producer_id, category_code, state, province_code, published_at)
			SELECT 'mau-' || n, p.producer_id, p.category_code, 'published', p.province_code, p.published_at FROM product p, generate_series(1, $2) n WHERE p.id = $1
			RETURNING id
		), named AS (INSERT INTO product_text (product_id, locale, name) SELECT id, 'vi', 'Món ' || id FROM made)
		INSERT INTO variant (product_id, sku, unit_vi, unit_en, price) SELECT id, 'MAU.' || id, 'hộp', 'box', 1000 + id FROM made WHERE id - $1 NOT BETWEEN 700 AND 1999`,
		first, 2*storefront.FeedChunk+500)
	read := func() (chunks, items int) {
		f, err := s.OpenFeed(t.Context(), i18n.VI)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for {
			list, more, err := f.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				return chunks, len(seen)
			}
			for _, i := range list {
				seen[i.SKU] = true
			}
			chunks++
		}
	}
	read() // rules and categories are kept from here on
	var chunks, items int
	statements := s.queries.During(func() { chunks, items = read() })
	if chunks != 3 || items != 1+2500-1300 {
		t.Errorf("%d items in %d chunks", items, chunks)
	}
	if len(statements) > 2*(chunks+1)+2 {
		t.Errorf("%d statements for %d chunks", len(statements), chunks)
	}
}
