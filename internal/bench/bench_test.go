//go:build bench

package bench

import (
	"context"
	"fmt"
	"slices"
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

const products = 100_000

// fill makes a nation's goods: 15,000 makers, one variant, one certificate and one stock level each, names put together
// from words as real ones are.
var fill = []string{
	`INSERT INTO producer (slug, name, kind, province_code, place_text, old_province)
	 SELECT 'nsx-' || i, (ARRAY['HTX','Công ty TNHH','Hộ kinh doanh','Tổ hợp tác'])[1 + i % 4] || ' ' ||
	   (ARRAY['Chế biến nông sản','Mật ong','Trà','Đặc sản','Nước mắm','Dược liệu','Bánh kẹo'])[1 + i % 7] || ' ' ||
	   (ARRAY['Hòa Bình','Minh Tâm','Sơn Thủy','Đại Lộc','Phú Quý','Thành Công','Hương Quê','Bảo An'])[1 + i / 7 % 8] || ' ' || i,
	   'cooperative', g.code, 'xã số ' || i % 300, ''
	 FROM generate_series(1, 15000) i JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS n FROM geo_province) g ON g.n = i % 34`,
	`INSERT INTO stock_location (kind, producer_id, name) SELECT 'producer', id, name FROM producer`,
	`INSERT INTO product (slug, producer_id, category_code, state, eligibility, province_code, published_at)
	 SELECT 'sp-' || i, m.id, c.code, 'published', 'ocop', m.province_code, timestamptz '2025-01-01' + i * interval '5 minutes'
	 FROM generate_series(1, 100000) i JOIN (SELECT id, province_code, row_number() OVER (ORDER BY id) - 1 AS n FROM producer) m ON m.n = (i * 7919) % 15000
	 JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS n FROM category WHERE set_no IS NOT NULL) c ON c.n = i % 26`,
	`INSERT INTO product_text (product_id, locale, name, summary)
	 SELECT id, 'vi', (ARRAY['Chè','Trà','Cà phê','Mật ong','Nước mắm','Gạo','Bánh','Kẹo lạc','Dừa sáp','Miến dong','Tinh dầu','Muối','Hạt tiêu','Xoài sấy','Rượu','Thổ cẩm','Cam','Bưởi','Nấm hương','Tỏi đen'])[1 + (id * 31) % 20]
	   || ' ' || (ARRAY['Shan tuyết','rừng','Phú Quốc','hữu cơ','thượng hạng','cổ truyền','Tân Cương','nếp nương','Sơn La','Cao Bằng','đinh ngọc','hoa nhãn','ba miền'])[1 + (id * 17) % 13]
	   || ' ' || (ARRAY['đỏ','xanh','vàng','trắng','đặc biệt','loại một','gói quà','gia đình','sấy lạnh','nguyên chất','thơm'])[1 + (id * 13) % 11] || ' ' || id % 997,
	   'Làm từ ' || (ARRAY['lạc','dứa','chè','gạo nếp','mật ong','dừa','gừng','ớt','mía'])[1 + id % 9] || ' của vùng, không chất bảo quản, đóng gói tại xưởng của người làm.' FROM product`,
	`INSERT INTO variant (product_id, sku, unit_vi, unit_en, weight_g, price) SELECT id, 'B' || id, 'gói 200 g', '200 g pack', 230, 10000 + (id * 7877) % 900 * 1000 FROM product`,
	`INSERT INTO stock_level (variant_id, location_id, owner_id, on_hand) SELECT v.id, l.id, p.producer_id, v.id % 12
	 FROM variant v JOIN product p ON p.id = v.product_id JOIN stock_location l ON l.producer_id = p.producer_id`,
	`INSERT INTO certificate (code, stars, level, issuer, decided_year, regime, valid_from, valid_to)
	 SELECT 'OCOP-B' || id, CASE WHEN id % 50 = 0 THEN 5 WHEN id % 4 = 0 THEN 4 ELSE 3 END, 'province', 'UBND tỉnh', 2024, 'thử',
	   date '2023-01-01' + (id % 1400)::int, date '2023-01-01' + (id % 1400)::int + 1095 FROM product WHERE id % 10 < 8`,
	`INSERT INTO certificate_product SELECT c.id, substr(c.code, 7)::bigint FROM certificate c`,
}

type bench struct {
	t    *testing.T
	db   *db.DB
	q    *testkit.Queries
	shop *storefront.Service
	find *search.Service
}

func open(t *testing.T) *bench {
	d, q := testkit.CountedDB(t)
	began := time.Now()
	for _, statement := range fill {
		testkit.Exec(t, d, statement)
	}
	t.Logf("%d products built in %v", products, time.Since(began).Round(time.Millisecond))
	c := clock.Fixed(time.Date(2026, 11, 22, 9, 0, 0, 0, clock.HCM))
	find := search.New(d, c)
	began = time.Now()
	testkit.Exec(t, d, `SET statement_timeout = 0`)
	if err := index(t, d, find); err != nil {
		t.Fatal(err)
	}
	t.Logf("indexed for search in %v", time.Since(began).Round(time.Millisecond))
	testkit.Exec(t, d, `VACUUM ANALYZE`)
	shop := storefront.New(storefront.Sources{DB: d, Clock: c, Geo: geo.New(d), Catalog: catalog.New(d, c), Certificates: certification.New(d, c),
		Showrooms: showroom.New(d), Search: find})
	return &bench{t, d, q, shop, find}
}

// index refreshes in batches, as an import does.
func index(t *testing.T, d *db.DB, find *search.Service) error {
	for from := 1; from <= products; from += 5000 {
		var ids []int64
		for id := from; id < from+5000; id++ {
			ids = append(ids, int64(id))
		}
		if err := d.InTx(context.Background(), func(tx db.Tx) error { return find.Refresh(context.Background(), tx, ids) }); err != nil {
			return fmt.Errorf("from %d: %w", from, err)
		}
	}
	return nil
}

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

func TestShopWithAHundredThousandProducts(t *testing.T) {
	b := open(t)
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
