package storefront_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

// market is a few goods as the real ones are named.
func market(t testing.TB) *shop {
	s := open(t)
	vinhLong := testkit.Producer(t, s.db, testkit.MakerName("Công ty TNHH Chế biến dừa sáp Cầu Kè"), testkit.MakerIn("86"),
		testkit.MakerPlace("xã Thạnh Phú, huyện Cầu Kè", "Trà Vinh"))
	khaiHoan := testkit.Producer(t, s.db, testkit.MakerName("Công ty Cổ phần Thương mại Khải Hoàn"), testkit.MakerIn("91"),
		testkit.MakerPlace("thị trấn Dương Đông, huyện Phú Quốc", "Kiên Giang"))
	thaiNguyen := testkit.Producer(t, s.db, testkit.MakerName("HTX chè Hảo Đạt"), testkit.MakerIn("19"))
	sonLa := testkit.Producer(t, s.db, testkit.MakerName("HTX Bích Thao"), testkit.MakerIn("14"))
	hoaBinh := testkit.Producer(t, s.db, testkit.MakerName("HTX Hòa Bình Xanh"), testkit.MakerIn("25"))
	for _, g := range []struct {
		maker              int64
		vi, en, cat, about string
	}{
		{vinhLong, "Dừa sáp sợi VICOSAP", "Macapuno strings", "I.3.c", "Cơm dừa sáp bào sợi, béo dẻo."},
		{khaiHoan, "Nước mắm Phú Quốc Khải Hoàn 38 độ đạm", "Phú Quốc fish sauce", "I.4.a", "Cá cơm ủ chượp."},
		{thaiNguyen, "Chè Tân Cương đinh ngọc", "Tân Cương tea", "I.5.a", "Búp chè non sao tay."},
		{thaiNguyen, "Trà hoa vàng", "Golden camellia tea", "I.5.b", "Hoa trà sấy lạnh."},
		{sonLa, "Cà phê Sơn La rang xay", "Sơn La ground coffee", "I.6", "Arabica Mai Sơn."},
		{sonLa, "Mật ong rừng", "Wild honey", "I.2.b", "Mật ong hoa nhãn."},
		{hoaBinh, "Lạc đỏ", "Red peanuts", "I.2.a", "Hạt đều."},
		{hoaBinh, "Bánh đậu phộng", "Peanut cake", "I.3.a", "Giòn thơm."},
		{hoaBinh, "Mứt dứa", "Pineapple jam", "I.3.c", "Từ dứa chín."},
		{hoaBinh, "Dừa nướng", "Roasted coconut", "I.3.c", "Giòn."},
		{hoaBinh, "Bánh khảo", "Rice cake", "I.3.a", "Nhân dứa và lạc."},
		{hoaBinh, "Rượu cần", "Jar rice wine", "II.1.b", "Men lá."},
	} {
		testkit.Product(t, s.db, testkit.WithProducer(g.maker), testkit.WithName(g.vi, g.en), testkit.WithCategory(g.cat), testkit.WithSummary(g.about, ""))
	}
	s.index(t)
	return s
}

func TestSearchFindsWhatPeopleType(t *testing.T) {
	s := market(t)
	for q, want := range map[string]string{
		"tra vinh dua sap":               "Dừa sáp sợi VICOSAP",
		"dua sap cau ke":                 "Dừa sáp sợi VICOSAP",
		"vicosap":                        "Dừa sáp sợi VICOSAP",
		"che thai nguyen":                "Chè Tân Cương đinh ngọc",
		"nuoc mam phu quoc":              "Nước mắm Phú Quốc Khải Hoàn 38 độ đạm",
		"NƯỚC MẮM":                       "Nước mắm Phú Quốc Khải Hoàn 38 độ đạm",
		"kien giang":                     "Nước mắm Phú Quốc Khải Hoàn 38 độ đạm",
		"mat ong":                        "Mật ong rừng",
		"mat o":                          "Mật ong rừng",
		"thom":                           "Mứt dứa",
		"dau phong":                      "Bánh đậu phộng",
		"cà phê sơn la":                  "Cà phê Sơn La rang xay",
		norm.NFD.String("cà phê sơn la"): "Cà phê Sơn La rang xay",
		"coffee":                         "Cà phê Sơn La rang xay",
		"Hoà Bình lạc":                   "Lạc đỏ",
		"Hòa Bình lạc":                   "Lạc đỏ",
	} {
		l := s.list(t, storefront.Filter{Q: q})
		if len(l.Cards) == 0 || l.Cards[0].NameVI != want || l.Near {
			t.Errorf("%q finds %q (near: %v), want %q first", q, names(l.Cards), l.Near, want)
		}
	}
}

func TestSearchReplacesWordsByTheirSynonyms(t *testing.T) {
	s := market(t)
	for q, want := range map[string][]string{
		"chè":       {"Chè Tân Cương đinh ngọc", "Trà hoa vàng"},
		"đậu phộng": {"Bánh đậu phộng", "Lạc đỏ"},
		"khóm":      {"Mứt dứa"},
	} {
		if got := names(s.list(t, storefront.Filter{Q: q}).Cards); !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
	if got := names(s.list(t, storefront.Filter{Q: "lắc"}).Cards); slices.Contains(got, "Bánh đậu phộng") {
		t.Errorf("another word with the same letters was replaced: %q", got)
	}
	if got := names(s.list(t, storefront.Filter{Q: "Trà Vinh"}).Cards); slices.Contains(got, "Chè Tân Cương đinh ngọc") {
		t.Errorf("a word of a province was replaced: %q", got)
	}
}

func TestSearchPutsWhatIsSpelledAsTypedFirst(t *testing.T) {
	s := market(t)
	for q, first := range map[string]string{"dứa": "Mứt dứa", "dừa": "Dừa"} {
		got := names(s.list(t, storefront.Filter{Q: q}).Cards)
		if len(got) < 3 || !strings.HasPrefix(got[0], first) {
			t.Errorf("%q: %q", q, got)
		}
	}
	got := names(s.list(t, storefront.Filter{Q: "dua"}).Cards)
	if got[len(got)-1] != "Bánh khảo" {
		t.Errorf("a description stands before a name: %q", got)
	}
}

func TestSearchForgivesASlip(t *testing.T) {
	s := market(t)
	for q, want := range map[string]string{"mat ogn rung": "Mật ong rừng", "vicosapp": "Dừa sáp sợi VICOSAP", "nuoc mam phu qoc": "Nước mắm Phú Quốc Khải Hoàn 38 độ đạm"} {
		l := s.list(t, storefront.Filter{Q: q})
		if !l.Near || len(l.Cards) == 0 || l.Cards[0].NameVI != want {
			t.Errorf("%q: near %v, %q", q, l.Near, names(l.Cards))
		}
	}
	if l := s.list(t, storefront.Filter{Q: "xyzzy qwrt"}); len(l.Cards) != 0 || l.Total != 0 {
		t.Errorf("nonsense finds %q", names(l.Cards))
	}
}

func TestSearchSurvivesHostileQuestions(t *testing.T) {
	s := market(t)
	for _, q := range []string{"'", `\`, "' & | ! :* <->", "a' OR 1=1 --", "%_%", "\x00", "\xff\xfe", strings.Repeat("dừa ", 5000), strings.Repeat("đ", 100_000),
		"((((", "🥥", "@any", "?", "{}", "<script>", "dừa:*A"} {
		s.list(t, storefront.Filter{Q: q})
		if _, err := s.search.Suggest(context.Background(), q, 8); err != nil {
			t.Errorf("suggest %q: %v", q, err)
		}
	}
}

func TestSuggestOffersGoodsMakersAndPlaces(t *testing.T) {
	s := market(t)
	for q, want := range map[string]string{"dua s": "Dừa sáp sợi VICOSAP", "khai ho": "Công ty Cổ phần Thương mại Khải Hoàn", "tra vi": "Trà Vinh", "vinh lo": "Vĩnh Long", "chè": "Chè", "mật": "Mật ong rừng"} {
		got, err := s.search.Suggest(context.Background(), q, 8)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(got, func(x search.Suggestion) bool { return x.NameVI == want }) {
			t.Errorf("%q suggests %+v, want %q among them", q, got, want)
		}
	}
	got, err := s.search.Suggest(context.Background(), "ruou can", 8)
	if err != nil || slices.ContainsFunc(got, func(x search.Suggestion) bool { return x.Kind == "product" }) {
		t.Errorf("alcohol is suggested: %+v %v", got, err)
	}
}
