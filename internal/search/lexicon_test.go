package search_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/testkit"
)

var vocabulary = strings.Fields("chè trà Shan tuyết lạc đậu phộng dứa dừa thơm khóm sáp Cầu Kè Trà Vinh mật ong rừng ngô bắp nếp Hòa Hoà Bình Phú Quốc nước mắm 38 độ đạm " +
	"giòn men lá gạo Sóc Trăng OCOP-3 số-1 a.b@c.vn hoa_quả 5kg hạt tiêu vừng mè mận roi cá")

// Whatever is asked, memory finds what PostgreSQL finds, in the same tier and with the same fit, also after changes.
func TestMemoryFindsWhatTheDatabaseFinds(test *testing.T) {
	ctx := context.Background()
	d := testkit.DB(test)
	s := search.New(d, clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)))
	r := rand.New(rand.NewPCG(3, 4))
	some := func(n int) string {
		words := make([]string, 1+r.IntN(n))
		for i := range words {
			words[i] = vocabulary[r.IntN(len(vocabulary))]
		}
		return strings.Join(words, " ")
	}
	makers := []int64{testkit.Producer(test, d, testkit.MakerName("HTX "+some(4)), testkit.MakerPlace("xã Cầu Kè", "Trà Vinh")), testkit.Producer(test, d, testkit.MakerName(some(5)))}
	var all []int64
	for range 90 {
		all = append(all, testkit.Product(test, d, testkit.WithName(some(6), some(3)), testkit.WithSummary(some(20), some(5)), testkit.WithProducer(makers[r.IntN(2)])))
	}
	if err := s.RefreshAll(ctx); err != nil {
		test.Fatal(err)
	}
	rapid.Check(test, func(t *rapid.T) {
		if rapid.IntRange(0, 3).Draw(t, "change") == 0 {
			id := rapid.SampledFrom(all).Draw(t, "of")
			statement := rapid.SampledFrom([]string{`UPDATE product SET state = 'archived' WHERE id = $1`, `UPDATE product SET state = 'published' WHERE id = $1`,
				`UPDATE product_text SET name = 'Dừa sáp ' || right(name, 20) WHERE product_id = $1`, `UPDATE variant SET price = price + 1 WHERE product_id = $1`}).Draw(t, "how")
			testkit.Exec(test, d, statement, id)
			if err := d.InTx(ctx, func(tx db.Tx) error { return s.Refresh(ctx, tx, []int64{id}) }); err != nil {
				t.Fatal(err)
			}
		}
		words := rapid.SliceOfN(rapid.SampledFrom(vocabulary), 1, 4).Draw(t, "words")
		for i, w := range words {
			switch rapid.IntRange(0, 3).Draw(t, "typed") {
			case 0:
				words[i] = i18n.Fold(w)
			case 1:
				if i == len(words)-1 {
					letters := []rune(w)
					words[i] = string(letters[:1+len(letters)/2])
				}
			}
		}
		q, err := s.Ask(ctx, strings.Join(words, " "))
		if err != nil {
			t.Fatal(err)
		}
		if q.Empty() {
			return
		}
		want, err := s.HitsOfTheDatabase(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Hits(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		byID := func(a, b search.Hit) int { return int(a.ID - b.ID) }
		slices.SortFunc(want, byID)
		slices.SortFunc(got, byID)
		if !slices.Equal(got, want) {
			t.Fatalf("%q (%s): memory %v, database %v", words, q.Any, got, want)
		}
	})
}

func TestWhatASlipMeantIsRememberedUntilTheGoodsChange(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	s := search.New(d, clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)))
	honey := testkit.Product(t, d, testkit.WithName("Mật ong rừng", ""))
	if err := s.RefreshAll(ctx); err != nil {
		t.Fatal(err)
	}
	q, err := s.Ask(ctx, "mat ogn rung")
	if err != nil {
		t.Fatal(err)
	}
	near := func(want ...int64) (statements int64) {
		t.Helper()
		before := d.Statements()
		hits, err := s.Near(ctx, q, 5)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, h := range hits {
			got = append(got, h.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("near %v, want %v", got, want)
		}
		return d.Statements() - before
	}
	near(honey) // reads the words too
	if n := near(honey); n != 1 {
		t.Errorf("%d statements, want only the question what changed", n)
	}
	other := testkit.Product(t, d, testkit.WithName("Mật ong rừng U Minh", ""))
	if err := d.InTx(ctx, func(tx db.Tx) error { return s.Refresh(ctx, tx, []int64{other}) }); err != nil {
		t.Fatal(err)
	}
	near(honey, other)
}

func TestAWarmServiceAnswersTheFirstQuestionFromMemory(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	s := search.New(d, clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))).Keep(time.Hour)
	id := testkit.Product(t, d, testkit.WithName("Mật ong rừng", ""))
	if err := s.RefreshAll(ctx); err != nil {
		t.Fatal(err)
	}
	q, err := s.Ask(ctx, "mat ong")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Warm(ctx); err != nil {
		t.Fatal(err)
	}
	before := d.Statements()
	if hits, err := s.Hits(ctx, q); err != nil || len(hits) != 1 || hits[0].ID != id || d.Statements() != before {
		t.Errorf("%v %v after %d statements", hits, err, d.Statements()-before)
	}
}
