//go:build bench

package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/storefront"
)

// median runs fn often enough to know its usual time.
func (b *bench) median(name string, fn func() error) time.Duration {
	b.t.Helper()
	var times []time.Duration
	for range 9 {
		began := time.Now()
		if err := fn(); err != nil {
			b.t.Fatalf("%s: %v", name, err)
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	b.t.Logf("%-34s %8.1f ms", name, float64(times[4].Microseconds())/1000)
	return times[4]
}

// bench times questions to the services themselves.
type bench struct {
	t    testing.TB
	db   *db.DB
	shop *storefront.Service
	find *search.Service
}

func (b *bench) list(name string, f storefront.Filter) time.Duration {
	return b.median(name, func() error {
		_, err := b.shop.List(context.Background(), f)
		return err
	})
}

func (b *bench) sql(name, statement string) time.Duration {
	return b.median(name, func() error {
		rows, err := b.db.Pool().Query(context.Background(), statement)
		if err != nil {
			return err
		}
		for rows.Next() {
		}
		rows.Close()
		return rows.Err()
	})
}

func (b *bench) suggest(q string) time.Duration {
	return b.median("suggest "+q, func() error {
		_, err := b.find.Suggest(context.Background(), q, 8)
		return err
	})
}

// atMost asserts a ratio to a yardstick of the same run.
func (b *bench) atMost(name string, took, yardstick time.Duration, times float64) {
	b.t.Helper()
	ratio := float64(took) / float64(yardstick)
	b.t.Logf("%-34s %8.2f of its yardstick, allowed %.2f", name, ratio, times)
	if ratio > times {
		b.t.Errorf("%s takes %.2f times its yardstick, allowed %.2f", name, ratio, times)
	}
}

// againstSQL compares lists and searches with plain statements that answer a part of the same questions.
func (b *bench) againstSQL() {
	newest := b.sql("yardstick: newest 24", `SELECT * FROM product WHERE state = 'published' ORDER BY published_at DESC LIMIT 24`)
	scan := b.sql("yardstick: count by category", `SELECT p.category_code, count(*) FROM product p JOIN variant v ON v.product_id = p.id JOIN stock_level l ON l.variant_id = v.id
		LEFT JOIN certificate_product cp ON cp.product_id = p.id LEFT JOIN certificate c ON c.id = cp.certificate_id WHERE p.state = 'published' GROUP BY 1`)
	ilike := b.sql("yardstick: ILIKE over names", `SELECT product_id FROM product_text WHERE unaccent(name) ILIKE '%mat ong rung%' OR unaccent(summary) ILIKE '%mat ong rung%' ORDER BY 1 LIMIT 24`)

	all := b.list("list, everything, with facets", storefront.Filter{})
	b.list("list, page 9", storefront.Filter{Page: 9})
	byName := b.list("list, by name", storefront.Filter{Sort: storefront.SortName})
	tea := b.list("list, tea in one province", storefront.Filter{Category: "che", Province: "86"})
	best := b.list("list, five stars in stock", storefront.Filter{Stars: []int{5}, InStock: true})
	rare := b.list("search mat ong rung", storefront.Filter{Q: "mat ong rung"})
	b.list("search cà phê sơn la", storefront.Filter{Q: "cà phê sơn la"})
	broad := b.list("search che", storefront.Filter{Q: "che"})
	b.list("search with a slip: mat ogn rung", storefront.Filter{Q: "mat ogn rugn"})
	var suggest time.Duration
	for _, q := range []string{"c", "che", "mat o", "dua sap", "htx mat", "tra vinh"} {
		suggest = max(suggest, b.suggest(q))
	}
	b.median("home", func() error { _, err := b.shop.Home(context.Background()); return err })
	b.median("product page", func() error { _, err := b.shop.Product(context.Background(), "sp-777", false); return err })
	b.median("24 cards", func() error {
		ids := make([]int64, 24)
		for i := range ids {
			ids[i] = int64(i*4000 + 1)
		}
		_, err := b.shop.Cards(context.Background(), ids)
		return err
	})
	b.t.Logf("list against the newest 24 alone: %.0f times", float64(all)/float64(newest))
	b.atMost("list with facets against a count", all, scan, 3.2)
	b.atMost("list by name against a count", byName, scan, 3.2)
	b.atMost("list of a province against a count", tea, scan, 1.2)
	b.atMost("list of the best against a count", best, scan, 2.6)
	b.atMost("search against ILIKE", rare, ilike, 0.4)
	b.atMost("broad search against ILIKE", broad, ilike, 1.7)
	b.atMost("suggestions against ILIKE", suggest, ilike, 0.12)
}
