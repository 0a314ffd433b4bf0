package storefront_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

var missing = apperr.New(apperr.NotFound, "storefront.not_found")

func slugOf(t testing.TB, s *shop, table string, id int64) string {
	t.Helper()
	var slug string
	testkit.Scan(t, s.db, &slug, `SELECT slug FROM `+table+` WHERE id = $1`, id)
	return slug
}

func TestStarsAreGoneAtMidnight(t *testing.T) {
	s := open(t)
	today := clock.On(noon)
	id := testkit.Product(t, s.db, testkit.WithName("Chè Shan tuyết", ""), testkit.WithStars(5, today), testkit.WithSummary(strings.Repeat("chè cổ thụ ", 9), ""))
	s.index(t)
	slug := slugOf(t, s, "product", id)
	for _, c := range []struct {
		at    time.Time
		stars int
		state string
	}{
		{today.Time(), 5, storefront.StarsValid},
		{today.AddDays(1).Time().Add(-time.Second), 5, storefront.StarsValid},
		{today.AddDays(1).Time(), 0, storefront.StarsExpired},
	} {
		s.clock.Set(c.at)
		l := s.list(t, storefront.Filter{})
		if got := l.Cards[0]; got.Stars != c.stars || got.StarState != c.state || l.Facets.Stars[0].Count != c.stars/5 {
			t.Errorf("%v: list says %d %s, facet %+v", c.at, got.Stars, got.StarState, l.Facets.Stars)
		}
		if n := s.list(t, storefront.Filter{Stars: []int{5}}).Total; n != c.stars/5 {
			t.Errorf("%v: %d with five stars", c.at, n)
		}
		h, err := s.Home(context.Background())
		if err != nil || len(h.FiveStar) != c.stars/5 || h.Numbers.Certificates != c.stars/5 {
			t.Errorf("%v: home %d %+v %v", c.at, len(h.FiveStar), h.Numbers, err)
		}
		p, err := s.Product(context.Background(), slug, false)
		if err != nil || p.Stars != c.stars || len(p.Records) != 1 || p.Records[0].State != c.state {
			t.Errorf("%v: page %d %+v %v", c.at, p.Stars, p.Records, err)
		}
		proof, err := s.Proof(context.Background(), strings.ToLower(strings.ReplaceAll(p.Records[0].Code, "-", " ")))
		if err != nil || proof.State != c.state || len(proof.Products) != 1 {
			t.Errorf("%v: proof %+v %v", c.at, proof, err)
		}
	}
	s.clock.Set(noon)
	testkit.Exec(t, s.db, `UPDATE certificate SET revoked_on = $1, revoked_why = 'thử'`, today.String())
	if l := s.list(t, storefront.Filter{}); l.Cards[0].Stars != 0 {
		t.Error("a revoked certificate still gives stars")
	}
}

func TestAlcoholIsSeenOnlyByAdults(t *testing.T) {
	s := open(t)
	testkit.Product(t, s.db, testkit.WithName("Chè xanh", ""))
	wine := testkit.Product(t, s.db, testkit.WithName("Rượu nếp", ""), testkit.WithCategory("II.1.a"), testkit.WithSummary("Rượu trắng", ""), testkit.WithStars(5, clock.On(noon)))
	s.index(t)
	for _, f := range []storefront.Filter{{}, {Q: "ruou nep"}, {Q: "ruou nepp"}, {Category: "ruou-trang"}, {Province: "86"}} {
		l := s.list(t, f)
		for _, c := range l.Cards {
			if c.ProductID == wine {
				t.Errorf("%+v shows alcohol", f)
			}
		}
		if l.Hidden != 1 {
			t.Errorf("%+v hides %d", f, l.Hidden)
		}
		for _, c := range l.Facets.Categories {
			if strings.HasPrefix(c.Code, "II") && c.Count > 0 {
				t.Errorf("%+v counts alcohol: %+v", f, c)
			}
		}
		f.Adult = true
		if l := s.list(t, f); l.Hidden != 0 || len(l.Cards) == 0 {
			t.Errorf("%+v: %q, %d hidden", f, names(l.Cards), l.Hidden)
		}
	}
	h, err := s.Home(context.Background())
	if err != nil || len(h.FiveStar) != 0 || len(h.Newest) != 1 {
		t.Errorf("home: %+v %v", h, err)
	}
	slug := slugOf(t, s, "product", wine)
	p, err := s.Product(context.Background(), slug, false)
	if err != nil || !p.Gate || p.SummaryVI != "" || len(p.Variants) != 0 || !p.Rules.NoCOD {
		t.Errorf("the page is open: %+v %v", p, err)
	}
	if p, err = s.Product(context.Background(), slug, true); err != nil || p.Gate || len(p.Variants) != 1 {
		t.Errorf("an adult is kept out: %+v %v", p, err)
	}
}

func TestPagesThatDoNotExist(t *testing.T) {
	s := open(t)
	draft := testkit.Product(t, s.db, testkit.WithState("draft"))
	medicine := testkit.Product(t, s.db, testkit.WithMedicine())
	s.index(t)
	ctx := context.Background()
	for what, err := range map[string]error{
		"product":  second(s.Product(ctx, "khong-co", true)),
		"draft":    second(s.Product(ctx, slugOf(t, s, "product", draft), true)),
		"medicine": second(s.Product(ctx, slugOf(t, s, "product", medicine), true)),
		"producer": second(s.Producer(ctx, "khong-co", storefront.Filter{})),
		"province": second(s.Province(ctx, "khong-co", storefront.Filter{})),
		"code":     second(s.Province(ctx, "86", storefront.Filter{})),
		"showroom": second(s.Showroom(ctx, "khong-co")),
	} {
		if !errors.Is(err, missing) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := s.Proof(ctx, "OCOP-2222-2222"); err == nil {
		t.Error("an unknown code is proven")
	}
	for _, f := range []storefront.Filter{{Category: "khong-co"}, {Province: "khong-co"}} {
		if l := s.list(t, f); l.Total != 0 || len(l.Cards) != 0 {
			t.Errorf("%+v finds %d", f, l.Total)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestIndexFollowsTheCatalogue(t *testing.T) {
	s := open(t)
	id := testkit.Product(t, s.db, testkit.WithName("Miến dong", ""))
	s.index(t)
	ctx := context.Background()
	testkit.Exec(t, s.db, `UPDATE product_text SET name = 'Bún khô' WHERE product_id = $1`, id)
	testkit.Exec(t, s.db, `UPDATE variant SET price = 12000 WHERE product_id = $1`, id)
	if err := s.refresh(ctx, id); err != nil {
		t.Fatal(err)
	}
	if l := s.list(t, storefront.Filter{Q: "bun kho", MaxPrice: 12000}); l.Total != 1 {
		t.Errorf("after a change: %+v", l)
	}
	testkit.Exec(t, s.db, `UPDATE product SET state = 'archived' WHERE id = $1`, id)
	if err := s.refresh(ctx, id); err != nil {
		t.Fatal(err)
	}
	if l := s.list(t, storefront.Filter{}); l.Total != 0 || len(l.Cards) != 0 {
		t.Errorf("after archiving: %+v", l)
	}
}

func TestPagesCostTheSameForManyRows(t *testing.T) {
	s := open(t)
	maker := testkit.Producer(t, s.db)
	today := clock.On(noon)
	add := func(n int) {
		for range n {
			testkit.Product(t, s.db, testkit.WithProducer(maker), testkit.WithStars(5, today), testkit.WithSummary(strings.Repeat("chè cổ thụ ", 9), ""))
		}
		s.index(t)
	}
	makerSlug := slugOf(t, s, "producer", maker)
	ctx := context.Background()
	add(1)
	var first string
	testkit.Scan(t, s.db, &first, `SELECT slug FROM product LIMIT 1`)
	pages := map[string]func() error{
		"list":     func() error { return second(s.List(ctx, storefront.Filter{})) },
		"search":   func() error { return second(s.List(ctx, storefront.Filter{Q: "mon thu"})) },
		"home":     func() error { return second(s.Home(ctx)) },
		"producer": func() error { return second(s.Producer(ctx, makerSlug, storefront.Filter{})) },
		"province": func() error { return second(s.Province(ctx, "vinh-long", storefront.Filter{})) },
		"product":  func() error { return second(s.Product(ctx, first, false)) },
		"sitemap":  func() error { return second(s.Sitemap(ctx, 1)) },
		"suggest":  func() error { return second(s.search.Suggest(ctx, "mon", 8)) },
	}
	count := func() map[string]int {
		out := map[string]int{}
		for name, open := range pages {
			out[name] = len(s.queries.During(func() {
				if err := open(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}))
		}
		return out
	}
	count() // warms what is kept in memory
	one := count()
	add(29)
	count()
	if thirty := count(); fmt.Sprint(one) != fmt.Sprint(thirty) {
		t.Errorf("statements for one row %v, for thirty %v", one, thirty)
	}
	t.Log(one)
}

// A copy of the program that has read the shelf and nothing else: what a page may cost at most, with pictures.
func TestPagesAskLittle(t *testing.T) {
	s := open(t)
	maker := testkit.Producer(t, s.db)
	s.list(t, storefront.Filter{Q: "mon"}) // reads what hardly ever changes, and the words
	for _, n := range []int{1, 29} {
		for range n {
			id := testkit.Product(t, s.db, testkit.WithProducer(maker), testkit.WithStars(5, clock.On(noon)))
			testkit.Exec(t, s.db, `WITH a AS (INSERT INTO media_asset (sha256, kind, mime, width, height, bytes, original_key)
					VALUES (sha256(CAST($1 AS text)::bytea), 'picture', 'image/jpeg', 640, 480, 1, 'x') RETURNING id),
				r AS (INSERT INTO media_rendition (asset_id, format, width, height, key, bytes) SELECT id, 'jpeg', 640, 480, 'rendition/' || id, 1 FROM a)
				INSERT INTO product_picture (product_id, position, asset_id, alt_vi) SELECT CAST($1 AS text)::bigint, 0, id, 'ảnh' FROM a`, fmt.Sprint(id))
		}
		s.index(t)
		sources := s.sources
		sources.Fresh, sources.Pictures = time.Hour, media.New(s.db, nil, s.clock)
		ctx := context.Background()
		var slug string
		testkit.Scan(t, s.db, &slug, `SELECT slug FROM product ORDER BY id LIMIT 1`)
		for name, c := range map[string]struct {
			open        func(*storefront.Service) error
			first, then int
		}{
			"list":    {func(s *storefront.Service) error { return second(s.List(ctx, storefront.Filter{InStock: true})) }, 2, 0},
			"search":  {func(s *storefront.Service) error { return second(s.List(ctx, storefront.Filter{Q: "mon thu"})) }, 3, 1},
			"product": {func(s *storefront.Service) error { return second(s.Product(ctx, slug, false)) }, 6, 1},
			"home":    {func(s *storefront.Service) error { return second(s.Home(ctx)) }, 4, 0},
		} {
			shop := storefront.New(sources)
			if err := second(shop.Provinces(ctx)); err != nil {
				t.Fatal(err)
			}
			for i, most := range []int{c.first, c.then} {
				asked := s.queries.During(func() {
					if err := c.open(shop); err != nil {
						t.Error(err)
					}
				})
				if len(asked) > most {
					t.Errorf("%s of %d, opened %d times before, asks %d statements, want at most %d", name, n, i, len(asked), most)
				}
			}
		}
	}
}

func TestAnExpiredPromiseDoesNotHideStock(t *testing.T) {
	s := open(t)
	id := testkit.Product(t, s.db, testkit.WithStock(3))
	s.index(t)
	testkit.Exec(t, s.db, `ALTER TABLE stock_reservation DROP CONSTRAINT IF EXISTS stock_reservation_order_id_fkey`) // the order itself does not matter
	testkit.Exec(t, s.db, `WITH l AS (UPDATE stock_level SET reserved = 3 RETURNING id)
		INSERT INTO stock_reservation (level_id, order_id, quantity, expires_at) SELECT id, 1, 3, $1 FROM l`, noon.Add(time.Minute))
	if l := s.list(t, storefront.Filter{InStock: true}); l.Total != 0 || l.Facets.InStock != 0 || l.Facets.All != 1 {
		t.Errorf("promised stock is sold: %+v", l)
	}
	s.clock.Advance(2 * time.Minute)
	l := s.list(t, storefront.Filter{InStock: true})
	if l.Total != 1 || !l.Cards[0].InStock || !l.Cards[0].Few || l.Cards[0].ProductID != id {
		t.Errorf("an expired promise still counts: %+v", l)
	}
}
