package demo_test

import (
	"context"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/blob"
	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/demo"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/testkit"
)

func services(t *testing.T, d *db.DB) demo.Services {
	t.Helper()
	c := clock.Fixed(time.Date(2026, 11, 22, 9, 0, 0, 0, clock.HCM))
	disk, err := blob.NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p, k := producer.New(d, c), catalog.New(d, c)
	return demo.Services{DB: d, Producers: p, Catalog: k, Media: media.New(d, disk, c), Inventory: inventory.New(d, c),
		Showrooms: showroom.New(d), Intake: intake.New(d, c, geo.New(d), p, k, certification.New(d, c), nil)}
}

func TestSeedLoadsTheMarketOnce(t *testing.T) {
	d := testkit.DB(t)
	s := services(t, d)
	ctx := context.Background()
	accounts := 0
	s.Accounts = func(context.Context) error { accounts++; return nil }
	last := map[string][2]int{}
	begun := time.Now()
	progress := func(stage string, done, total int) { last[stage] = [2]int{done, total} }
	// All pictures take a minute to derive, so this market gets its own for a few goods only.
	pictures := s.Media
	s.Media = nil
	did, err := demo.Seed(ctx, s, progress)
	if err != nil || !did {
		t.Fatal(did, err)
	}
	testkit.Exec(t, d, `WITH a AS (INSERT INTO media_asset (sha256, kind, mime, width, height, bytes, original_key)
			VALUES (sha256('stand-in'), 'drawing', 'image/svg+xml', 1, 1, 1, 'stand-in') RETURNING id)
		INSERT INTO product_picture (product_id, position, asset_id, alt_vi)
		SELECT p.id, 0, a.id, 'Hình vẽ minh hoạ: chỗ trống' FROM product p, a WHERE p.import_key NOT IN ('P0001', 'P0033', 'P0312', 'P0400')`)
	s.Media = pictures
	if did, err := demo.Seed(ctx, s, progress); err != nil || !did {
		t.Fatal(did, err)
	}
	t.Logf("loaded in %v", time.Since(begun))
	for stage, n := range last {
		if n[0] != n[1] || n[1] == 0 {
			t.Errorf("%s ended at %d of %d", stage, n[0], n[1])
		}
	}
	if len(last) != 6 {
		t.Errorf("stages %v, want six", last)
	}
	counts := map[string]int64{
		`SELECT count(*) FROM product WHERE state = 'published' AND is_demo`:                                                                            471,
		`SELECT count(*) FROM product_picture WHERE alt_vi LIKE 'Hình vẽ minh hoạ: %'`:                                                                  471,
		`SELECT count(*) FROM producer_bank_account WHERE is_test AND account_no ~ '^9999[0-9]{9}$'`:                                                    318,
		`SELECT count(*) FROM producer_bank_account WHERE NOT is_test OR holder <> 'TAI KHOAN THU NGHIEM'`:                                              0,
		`SELECT count(*) FROM producer_bank_account a JOIN bank b ON b.bin = a.bank_bin WHERE NOT b.can_transfer`:                                       0,
		`SELECT count(*) FROM showroom WHERE is_demo AND name_vi LIKE 'Điểm bán mẫu %'`:                                                                 8,
		`SELECT count(DISTINCT kind) FROM showroom`:                                                                                                     8,
		`SELECT count(*) FROM showroom s JOIN geo_commune c ON c.code = s.commune_code AND c.province_code = s.province_code`:                           8,
		`SELECT count(*) FROM stock_level l JOIN variant v ON v.id = l.variant_id JOIN product p ON p.id = v.product_id WHERE p.category_code = 'VI.1'`: 0,
		`SELECT count(*) FROM stock_level l WHERE on_hand <> (SELECT sum(delta) FROM stock_movement m WHERE m.level_id = l.id)`:                         0,
	}
	check := func() {
		t.Helper()
		for q, want := range counts {
			var got int64
			if testkit.Scan(t, d, &got, q); got != want {
				t.Errorf("%s = %d, want %d", q, got, want)
			}
		}
	}
	check()
	var few, many, none int64
	testkit.Scan(t, d, &few, `SELECT count(*) FROM stock_level WHERE on_hand BETWEEN 1 AND 5`)
	testkit.Scan(t, d, &many, `SELECT count(*) FROM stock_level WHERE on_hand BETWEEN 20 AND 200`)
	testkit.Scan(t, d, &none, `SELECT count(*) FROM variant v JOIN product p ON p.id = v.product_id
		WHERE p.category_code <> 'VI.1' AND NOT EXISTS (SELECT FROM stock_level l WHERE l.variant_id = v.id AND l.on_hand > 0)`)
	t.Logf("stock: %d none, %d few, %d many", none, few, many)
	if few < 20 || none < 5 || many < 300 || few+many+none != 461 {
		t.Errorf("stock is not varied: %d none, %d few, %d many", none, few, many)
	}

	// The market goes on: what people sold and changed stays, and the second start is quick.
	testkit.Exec(t, d, `UPDATE variant SET price = 1234 WHERE sku = 'P0001'`)
	begun = time.Now()
	if did, err := demo.Seed(ctx, s, nil); err != nil || did {
		t.Errorf("the second run did %v, %v", did, err)
	}
	if took := time.Since(begun); took > 200*time.Millisecond {
		t.Errorf("the second run took %v", took)
	}
	if accounts != 3 {
		t.Errorf("accounts were looked after %d times, want 3", accounts)
	}
	var price int64
	if testkit.Scan(t, d, &price, `SELECT price FROM variant WHERE sku = 'P0001'`); price != 1234 {
		t.Errorf("price is %d, want the changed one", price)
	}

	// A run that was cut short before its end is finished by the next, without delivering twice.
	var before, after int64
	testkit.Scan(t, d, &before, `SELECT sum(on_hand) FROM stock_level`)
	testkit.Exec(t, d, `DELETE FROM demo_seed`)
	testkit.Exec(t, d, `DELETE FROM product_picture WHERE alt_vi <> 'Hình vẽ minh hoạ: chỗ trống'`)
	if did, err := demo.Seed(ctx, s, nil); err != nil || !did {
		t.Fatal(did, err)
	}
	if testkit.Scan(t, d, &after, `SELECT sum(on_hand) FROM stock_level`); before != after {
		t.Errorf("stock %d after finishing, want %d", after, before)
	}
	check()
}
