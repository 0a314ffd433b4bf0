package search_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/testkit"
)

// A word with two meanings is replaced when it is typed, but never drags its other meaning into somebody else's question.
func TestSynonymsWithTwoMeaningsWorkOneWay(t *testing.T) {
	ctx := context.Background()
	d := testkit.DB(t)
	hungThom := testkit.Producer(t, d, testkit.MakerName("HTX Hùng Thơm"))
	for _, name := range []string{"Mứt dứa", "Khóm Cầu Đúc", "Trái thơm sấy dẻo", "Gạo thơm Sóc Trăng", "Dừa sáp", "Lạc đỏ", "Trà lạc tiên", "Đậu phộng rang",
		"Na dai Chi Lăng", "Chè Nà Hang", "Mãng cầu xiêm", "Mận Mộc Châu", "Roi đỏ", "Tiêu sọ Phú Quốc", "Men tiêu hóa nấm sữa", "Hồ tiêu Chư Sê",
		"Mè đen", "Dầu vừng", "Chả cá mè", "Ngò gai sấy", "Rau mùi già", "Nước dừa nước", "Bắp nếp tím", "Ngô ngọt", "Trà bắp cải", "Ngọc trai", "Quả bồ kết"} {
		testkit.Product(t, d, testkit.WithName(name, name), testkit.WithCategory("V.1"))
	}
	testkit.Product(t, d, testkit.WithName("Bánh phồng Hùng Thơm", "Puffed cake"), testkit.WithProducer(hungThom), testkit.WithCategory("V.1"))
	s := search.New(d, clock.Fixed(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)))
	if err := s.RefreshAll(ctx); err != nil {
		t.Fatal(err)
	}
	find := func(text string) (names []string) {
		q, err := s.Ask(ctx, text)
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(ctx).Raw(`SELECT p.name_vi FROM product_search p JOIN product_words w USING (product_id) WHERE `+search.Matched+` ORDER BY p.product_id`, q.Args()).Scan(&names).Error
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	pineapple := []string{"Khóm Cầu Đúc", "Mứt dứa", "Trái thơm sấy dẻo"}
	for q, want := range map[string][]string{
		"khom":      pineapple,
		"khóm":      pineapple,
		"trái thơm": pineapple,
		"dua":       {"Dừa sáp", "Khóm Cầu Đúc", "Mứt dứa", "Nước dừa nước", "Trái thơm sấy dẻo"},
		"thơm":      {"Bánh phồng Hùng Thơm", "Gạo thơm Sóc Trăng", "Khóm Cầu Đúc", "Mứt dứa", "Trái thơm sấy dẻo"},
		"đậu phộng": {"Lạc đỏ", "Đậu phộng rang"},
		"mãng cầu":  {"Mãng cầu xiêm", "Na dai Chi Lăng"},
		"hồ tiêu":   {"Hồ tiêu Chư Sê", "Tiêu sọ Phú Quốc"},
		"vừng":      {"Dầu vừng", "Mè đen"},
		"rau mui":   {"Rau mùi già"},
		"dua nuoc":  {"Nước dừa nước"},
		"ngô":       {"Bắp nếp tím", "Ngò gai sấy", "Ngô ngọt", "Ngọc trai"},
		"man":       {"Mãng cầu xiêm", "Mận Mộc Châu"},
		"trai":      {"Ngọc trai", "Trái thơm sấy dẻo"},
		"qua":       {"Quả bồ kết"},
	} {
		got := find(q)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q finds %q, want %q", q, got, want)
		}
	}
}
