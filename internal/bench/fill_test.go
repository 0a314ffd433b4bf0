//go:build bench

package bench

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/testkit"
)

// fill makes a nation's goods: a maker for every seven products, one variant, one certificate and one stock level each, names put together
// from words as real ones are.
var fill = []string{
	`INSERT INTO producer (slug, name, kind, province_code, place_text, old_province)
	 SELECT 'nsx-' || i, (ARRAY['HTX','Công ty TNHH','Hộ kinh doanh','Tổ hợp tác'])[1 + i % 4] || ' ' ||
	   (ARRAY['Chế biến nông sản','Mật ong','Trà','Đặc sản','Nước mắm','Dược liệu','Bánh kẹo'])[1 + i % 7] || ' ' ||
	   (ARRAY['Hòa Bình','Minh Tâm','Sơn Thủy','Đại Lộc','Phú Quý','Thành Công','Hương Quê','Bảo An'])[1 + i / 7 % 8] || ' ' || i,
	   'cooperative', g.code, 'xã số ' || i % 300, ''
	 FROM generate_series(1, {makers}) i JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS n FROM geo_province) g ON g.n = i % 34`,
	`INSERT INTO stock_location (kind, producer_id, name) SELECT 'producer', id, name FROM producer`,
	`INSERT INTO product (slug, producer_id, category_code, state, eligibility, province_code, published_at)
	 SELECT 'sp-' || i, m.id, c.code, 'published', 'ocop', m.province_code, timestamptz '2025-01-01' + i * interval '5 minutes'
	 FROM generate_series(1, {products}) i JOIN (SELECT id, province_code, row_number() OVER (ORDER BY id) - 1 AS n FROM producer) m ON m.n = (i * 7919) % {makers}
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

// load fills an empty market with so many products.
func load(t testing.TB, d *db.DB, find *search.Service, products int) {
	t.Helper()
	began := time.Now()
	sizes := strings.NewReplacer("{products}", strconv.Itoa(products), "{makers}", strconv.Itoa(products*15/100))
	for _, statement := range fill {
		testkit.Exec(t, d, sizes.Replace(statement))
	}
	for from := 1; from <= products; from += 5000 { // in batches, as an import does
		var ids []int64
		for id := from; id < from+5000; id++ {
			ids = append(ids, int64(id))
		}
		if err := d.InTx(context.Background(), func(tx db.Tx) error { return find.Refresh(context.Background(), tx, ids) }); err != nil {
			t.Fatal(fmt.Errorf("from %d: %w", from, err))
		}
	}
	for _, statement := range yardTables {
		testkit.Exec(t, d, statement)
	}
	// Only what holds rows: plans made for a table known to be empty stay until it is analyzed again, and a new market's orders
	// would be looked up row by row for the first minute.
	testkit.Exec(t, d, `VACUUM ANALYZE geo_province, geo_commune, category, producer, product, product_text, variant, stock_location, stock_level,
		certificate, certificate_product, product_search, product_words, y_level`)
	t.Logf("%d products loaded and indexed in %v", products, time.Since(began).Round(time.Millisecond))
}
