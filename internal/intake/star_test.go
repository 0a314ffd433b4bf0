package intake_test

import (
	"testing"

	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/testkit"
)

func TestCertificatesSayWhatTheListSupports(t *testing.T) {
	five := []string{"stars", "5", "decision_no", "", "year_recognised", "2024"}
	for _, c := range []struct {
		name    string
		changes []string
		want    string // level, regime, issuer, decided_on, valid_from, valid_to; empty for no certificate
	}{
		{"ministry round by number", []string{"stars", "5", "decision_no", "2890/QĐ-BNN-VPĐP", "year_recognised", "2021"},
			"2890/QĐ-BNN-VPĐP|ministry|QĐ 1048/QĐ-TTg|Bộ Nông nghiệp và Phát triển nông thôn|2021-06-30|2021-06-30|2024-06-30"},
		{"number with its day in brackets", []string{"stars", "5", "decision_no", "377/QĐ (Bộ NN&PTNT, 17/01/2025)", "year_recognised", "2025"},
			"377/QĐ|ministry|QĐ 148/QĐ-TTg|Bộ Nông nghiệp và Phát triển nông thôn|2025-01-17|2025-01-17|2028-01-17"},
		{"new ministry", []string{"stars", "5", "decision_no", "2361/QĐ-BNNMT", "year_recognised", "2025"},
			"2361/QĐ-BNNMT|ministry|QĐ 148/QĐ-TTg|Bộ Nông nghiệp và Môi trường|2025-06-26|2025-06-26|2028-06-26"},
		{"five stars, year only", five, "|ministry|QĐ 148/QĐ-TTg|Bộ Nông nghiệp và Phát triển nông thôn|-|2024-01-01|2027-01-01"},
		{"four stars, year only", nil, "1/QĐ-UBND|province|QĐ 148/QĐ-TTg|UBND tỉnh Thái Nguyên|-|2024-01-01|2027-01-01"},
		{"four stars, merged province", []string{"province", "Vĩnh Long", "old_province", "Trà Vinh", "year_recognised", "2022"},
			"1/QĐ-UBND|province|QĐ 1048/QĐ-TTg|UBND tỉnh Trà Vinh|-|2022-01-01|2025-01-01"},
		{"four stars in the year of the mergers", []string{"province", "Vĩnh Long", "old_province", "Trà Vinh", "year_recognised", "2025"},
			"1/QĐ-UBND|province|QĐ 1489/QĐ-TTg|UBND cấp tỉnh|-|2025-01-01|2028-01-01"},
		{"four stars after the mergers", []string{"province", "Vĩnh Long", "old_province", "Trà Vinh", "year_recognised", "2026"},
			"1/QĐ-UBND|province|QĐ 26/2026/QĐ-TTg|UBND tỉnh Vĩnh Long|-|2026-01-01|2029-01-01"},
		{"a city of today that was a province", []string{"province", "Đồng Nai", "old_province", "Đồng Nai", "year_recognised", "2024"},
			"1/QĐ-UBND|province|QĐ 148/QĐ-TTg|UBND tỉnh Đồng Nai|-|2024-01-01|2027-01-01"},
		{"three stars before 2023", []string{"stars", "3", "year_recognised", "2021"},
			"1/QĐ-UBND|province|QĐ 1048/QĐ-TTg|UBND tỉnh Thái Nguyên|-|2021-01-01|2024-01-01"},
		{"three stars of a district", []string{"stars", "3", "year_recognised", "2024", "district_or_commune", "xã Phú Cần, huyện Tiểu Cần"},
			"1/QĐ-UBND|district|QĐ 148/QĐ-TTg|UBND huyện Tiểu Cần|-|2024-01-01|2027-01-01"},
		{"three stars of an unnamed district", []string{"stars", "3", "year_recognised", "2023", "district_or_commune", ""},
			"1/QĐ-UBND|district|QĐ 148/QĐ-TTg|UBND cấp huyện|-|2023-01-01|2026-01-01"},
		{"three stars in 2025", []string{"stars", "3", "year_recognised", "2025"},
			"1/QĐ-UBND|province|QĐ 1489/QĐ-TTg|UBND tỉnh Thái Nguyên|-|2025-01-01|2028-01-01"},
		{"council vote", []string{"note", "Hội đồng tỉnh phân hạng"}, ""},
		{"proposal", []string{"note", "đề nghị công nhận"}, ""},
		{"potential five stars", []string{"note", "tiềm năng 5 sao"}, ""},
		{"no year", []string{"year_recognised", ""}, ""},
		{"two stars", []string{"stars", "2"}, ""},
		{"no stars", []string{"stars", ""}, ""},
	} {
		m := open(t)
		if r := m.load(t, file(",", "\n", product("A1", c.changes...)), intake.Options{}); r.Added != 1 || len(r.Bad) > 0 {
			t.Errorf("%s: %+v", c.name, r)
			continue
		}
		var got, class string
		testkit.Scan(t, m.db, &got, `SELECT coalesce(min(concat_ws('|', decision_no, level, regime, issuer, coalesce(decided_on::text, '-'), valid_from, valid_to)), '') FROM certificate`)
		testkit.Scan(t, m.db, &class, `SELECT eligibility FROM product`)
		if got != c.want || (class == "ocop") != (c.want != "") {
			t.Errorf("%s:\n got %s, %s\nwant %s", c.name, got, class, c.want)
		}
	}
}

func TestADecisionThatAlsoNamesFourStarsIsTheProvinces(t *testing.T) {
	m := open(t)
	m.load(t, file(",", "\n", product("A1", "stars", "3"), product("A2", "stars", "4"), product("A3", "stars", "3", "decision_no", "9/QĐ-UBND")), intake.Options{})
	for key, want := range map[string]string{"A1:1/QĐ-UBND:2024": "province", "A3:9/QĐ-UBND:2024": "district"} {
		var level string
		if testkit.Scan(t, m.db, &level, `SELECT level FROM certificate WHERE import_key = $1`, key); level != want {
			t.Errorf("%s: %s, want %s", key, level, want)
		}
	}
}

func TestUnknownMakersHaveOnePlaceholderPerProvince(t *testing.T) {
	m := open(t)
	m.load(t, file(",", "\n", product("A1", "producer_name", ""), product("A2", "producer_name", ""), product("A3", "producer_name", "", "province", "Lào Cai")), intake.Options{})
	if n := m.count(t, `SELECT count(*) FROM producer WHERE NOT name_known AND place_text = ''`); n != 2 {
		t.Errorf("%d placeholders, want 2", n)
	}
	if n := m.count(t, `SELECT count(*) FROM producer p JOIN producer_text e ON e.producer_id = p.id AND e.locale = 'en'
		WHERE p.name = 'Chưa rõ tên nhà sản xuất (Lào Cai)' AND e.name = 'Producer name not known (Lao Cai)'`); n != 1 {
		t.Error("the placeholder is not named by its province")
	}
}
