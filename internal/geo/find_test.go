package geo

import (
	"errors"
	"slices"
	"testing"

	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
)

func testGazetteer(t testing.TB) *gazetteer {
	t.Helper()
	set, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	return newGazetteer(set)
}

func TestTheFilesHoldEveryUnit(t *testing.T) {
	set, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	if p, c, fp, fd := len(set.provinces), len(set.communes), len(set.formerProvinces), len(set.formerDistricts); p != 34 || c != 3321 || fp != 63 || fd != 696 {
		t.Fatalf("%d provinces, %d communes, %d former provinces, %d former districts", p, c, fp, fd)
	}
	g := newGazetteer(set)
	kinds := map[string]int{}
	for _, c := range set.communes {
		if g.province[c.ProvinceCode].Code != c.ProvinceCode {
			t.Errorf("commune %s %s is in no province", c.Code, c.Name)
		}
		if !norm.NFC.IsNormalString(c.Name) {
			t.Errorf("commune %s is not composed", c.Code)
		}
		kinds[c.Kind]++
	}
	if kinds["xã"] != 2611 || kinds["phường"] != 697 || kinds["đặc khu"] != 13 {
		t.Errorf("kinds of communes: %v", kinds)
	}
	cities := 0
	for _, p := range g.provinces {
		if n := len(g.communes[p.Code]); n != p.Communes {
			t.Errorf("%s has %d communes, the file says %d", p.Name, n, p.Communes)
		}
		if p.Kind == "thành phố" {
			cities++
		}
		if g.province[p.Slug].Code != p.Code {
			t.Errorf("%s is not found by its slug", p.Name)
		}
	}
	if cities != 7 {
		t.Errorf("%d centrally-run cities", cities)
	}
	for _, f := range set.formerProvinces {
		if g.province[f.ProvinceCode].Code == "" {
			t.Errorf("former %s went nowhere", f.Name)
		}
		if p, ok := g.matchProvince(folded(f.Name)); !ok || p.Code != f.ProvinceCode {
			t.Errorf("former %s is matched with %q, went to %s", f.Name, p.Name, f.ProvinceCode)
		}
	}
	for _, d := range set.formerDistricts {
		if g.province[d.ProvinceCode].Code == "" {
			t.Errorf("former %s went nowhere", d.FullName)
		}
	}
	if p := g.province["75"]; p.Kind != "thành phố" || p.KindBefore != "tỉnh" || p.KindFrom.Format("2006-01-02") != "2026-04-30" {
		t.Errorf("Đồng Nai: %+v", p)
	}
}

func TestListsAreInVietnameseOrder(t *testing.T) {
	g := testGazetteer(t)
	if len(g.provinces) != 34 || g.provinces[0].Name != "An Giang" {
		t.Errorf("first province: %s", g.provinces[0].Name)
	}
	at := func(name string) int {
		return slices.IndexFunc(g.provinces, func(p Province) bool { return p.Name == name })
	}
	if at("Đà Nẵng") < at("Cao Bằng") || at("Đà Nẵng") > at("Gia Lai") {
		t.Error("Đà Nẵng does not stand between Cao Bằng and Gia Lai")
	}
	for code, list := range g.communes {
		if !slices.IsSortedFunc(list, func(a, b Commune) int { return i18n.Compare(a.Name, b.Name) }) {
			t.Errorf("communes of %s are not sorted", code)
		}
	}
}

func TestFindAnswersWhatAPlaceIsNow(t *testing.T) {
	g := testGazetteer(t)
	for _, test := range []struct {
		q         string
		level     Level
		name, now string
		closeness Closeness
	}{
		{"Vĩnh Long", LevelProvince, "Vĩnh Long", "Vĩnh Long", Exact},
		{"vinh long", LevelProvince, "Vĩnh Long", "Vĩnh Long", Exact}, // as English writes it,
		{"tra vinh", LevelFormerProvince, "Trà Vinh", "Vĩnh Long", Folded},
		{"Trà Vinh", LevelFormerProvince, "Trà Vinh", "Vĩnh Long", Exact},
		{"  TRÀ   VINH ", LevelFormerProvince, "Trà Vinh", "Vĩnh Long", Exact},
		{norm.NFD.String("Trà Vinh"), LevelFormerProvince, "Trà Vinh", "Vĩnh Long", Exact},
		{"tỉnh trà vinh", LevelFormerProvince, "Trà Vinh", "Vĩnh Long", Exact},
		{"phường trà vinh", LevelCommune, "Trà Vinh", "Vĩnh Long", Exact},
		{"tra vnih", LevelFormerProvince, "Trà Vinh", "Vĩnh Long", Mistyped},
		{"Hòa Bình", LevelFormerProvince, "Hòa Bình", "Phú Thọ", Exact},
		{"Hoà Bình", LevelFormerProvince, "Hòa Bình", "Phú Thọ", Exact},
		{"Thanh Hoá", LevelProvince, "Thanh Hóa", "Thanh Hóa", Exact},
		{norm.NFD.String("Khánh Hoà"), LevelProvince, "Khánh Hòa", "Khánh Hòa", Exact},
		{"dac lac", LevelProvince, "Đắk Lắk", "Đắk Lắk", Folded},
		{"Đắc Lắc", LevelProvince, "Đắk Lắk", "Đắk Lắk", Exact},
		{"tp hcm", LevelProvince, "Hồ Chí Minh", "Hồ Chí Minh", Exact},
		{"Sài Gòn", LevelProvince, "Hồ Chí Minh", "Hồ Chí Minh", Exact},
		{"Thừa Thiên Huế", LevelProvince, "Huế", "Huế", Exact},
		{"Bà Rịa-Vũng Tàu", LevelFormerProvince, "Bà Rịa - Vũng Tàu", "Hồ Chí Minh", Exact},
		{"huyen cau ke", LevelFormerDistrict, "Cầu Kè", "Vĩnh Long", Folded},
		{"h. cau ke", LevelFormerDistrict, "Cầu Kè", "Vĩnh Long", Folded},
		{"Cầu Kè, Trà Vinh", LevelCommune, "Cầu Kè", "Vĩnh Long", Exact},
		{"cau ke tra vinh", LevelCommune, "Cầu Kè", "Vĩnh Long", Folded},
		{"huyện Cầu Kè, tỉnh Trà Vinh, Việt Nam", LevelFormerDistrict, "Cầu Kè", "Vĩnh Long", Exact},
		{"phu quoc", LevelCommune, "Phú Quốc", "An Giang", Folded},
		{"quan ba", LevelCommune, "Quản Bạ", "Tuyên Quang", Folded},
		{"Mĩ Tho", LevelCommune, "Mỹ Tho", "Đồng Tháp", Folded},
		{"buon ma th", LevelCommune, "Buôn Ma Thuột", "Đắk Lắk", Prefix},
	} {
		found := g.find(test.q, 5)
		if len(found) == 0 {
			t.Errorf("%q: nothing found", test.q)
			continue
		}
		m := found[0]
		if m.Level != test.level || m.Name != test.name || m.Province.Name != test.now || m.Closeness != test.closeness {
			t.Errorf("%q: got level %d %s, now %s, closeness %d", test.q, m.Level, m.Name, m.Province.Name, m.Closeness)
		}
	}
	for _, q := range []string{"", " ", ",", "?!", "zzzzzz", "xqj kkw", "%_'; drop"} {
		if found := g.find(q, 5); len(found) != 0 {
			t.Errorf("%q finds %v", q, found[0].Name)
		}
	}
	if found := g.find("vinh", 3); len(found) != 3 {
		t.Errorf("limit 3 gives %d", len(found))
	}
}

func TestFormerUnitsSayWhatTheyAreNow(t *testing.T) {
	g := testGazetteer(t)
	for q, want := range map[string]string{
		"tra vinh":     "Tỉnh Trà Vinh (cũ) nay thuộc tỉnh Vĩnh Long.",
		"huyen cau ke": "Huyện Cầu Kè (cũ) nay thuộc tỉnh Vĩnh Long.",
		"binh duong":   "Tỉnh Bình Dương (cũ) nay thuộc thành phố Hồ Chí Minh.",
		"vinh long":    "",
	} {
		if got := g.find(q, 1)[0].Now(i18n.VI); got != want {
			t.Errorf("%q: %q", q, got)
		}
	}
	if got := g.find("tra vinh", 1)[0].Now(i18n.EN); got != "Trà Vinh Province (former) is now part of Vinh Long Province." {
		t.Errorf("English: %q", got)
	}
}

func TestMatchProvinceTakesEveryUsualName(t *testing.T) {
	g := testGazetteer(t)
	for name, code := range map[string]string{
		"TP. Hồ Chí Minh": "79", "TP.HCM": "79", "TPHCM": "79", "Ho Chi Minh City": "79", "sai gon": "79", "Thành phố Hồ Chí Minh": "79",
		"Hanoi": "01", "Hà Nội": "01", "TP Hà Nội": "01", "Thừa Thiên Huế": "46", "Thành phố Huế": "46", "Hue City": "46",
		"tỉnh Trà Vinh": "86", "Ben Tre": "86", "T. Bến Tre": "86", "Ben Tre Province": "86", "Kontum": "51", "Đăk Nông": "68",
		"Hoà Bình": "25", "thanh-hoa": "38", "Thanh Hoá": "38", "BR-VT": "79", "bà rịa – vũng tàu": "79",
	} {
		if p, ok := g.matchProvince(folded(name)); !ok || p.Code != code {
			t.Errorf("%q: %q %v", name, p.Code, ok)
		}
	}
	for _, name := range []string{"", "tinh", "thanh", "thanh pho", "Trà", "Cầu Kè", "06", "Lào", "a b"} {
		if p, ok := g.matchProvince(folded(name)); ok {
			t.Errorf("%q is taken for %s", name, p.Name)
		}
	}
}

func TestCheckRefusesAForeignCommune(t *testing.T) {
	g := testGazetteer(t)
	for _, test := range []struct{ province, commune, field, key string }{
		{"01", "00004", "", ""},
		{"", "00004", "province", "geo.province.required"},
		{"02", "00004", "province", "geo.province.unknown"},
		{"ha-noi", "00004", "province", "geo.province.unknown"},
		{"01", "", "commune", "geo.commune.required"},
		{"01", "99999", "commune", "geo.commune.unknown"},
		{"86", "00004", "commune", "geo.commune.not_in_province"},
	} {
		err := g.check(test.province, test.commune)
		if test.key == "" {
			if err != nil {
				t.Errorf("%s/%s: %v", test.province, test.commune, err)
			}
			continue
		}
		var e *apperr.Error
		if !errors.As(err, &e) || e.Field != test.field || e.Key != test.key {
			t.Errorf("%s/%s: %v", test.province, test.commune, err)
		}
	}
}

func TestTitlesFollowTheLanguage(t *testing.T) {
	g := testGazetteer(t)
	for _, test := range []struct{ got, want string }{
		{g.province["86"].Title(i18n.VI), "Tỉnh Vĩnh Long"},
		{g.province["86"].Title(i18n.EN), "Vinh Long Province"},
		{g.province["79"].Title(i18n.VI), "Thành phố Hồ Chí Minh"},
		{g.province["79"].Title(i18n.EN), "Ho Chi Minh City"},
		{g.commune["00004"].Title(i18n.VI), "Phường Ba Đình"},
		{g.commune["00004"].Title(i18n.EN), "Ba Đình Ward"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}

func FuzzFindNeverPanics(f *testing.F) {
	g := testGazetteer(f)
	for _, q := range []string{"tra vinh", "Cầu Kè, Trà Vinh", "tp", "q 1", "\xff\xfe", "đđđ,,,đ", "a\u0301\u0301"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		if found := g.find(q, 4); len(found) > 4 {
			t.Errorf("%d found", len(found))
		}
	})
}

func BenchmarkFind(b *testing.B) {
	g := testGazetteer(b)
	for _, q := range []string{"tra vinh", "tra vnih xx"} {
		b.Run(q, func(b *testing.B) {
			for b.Loop() {
				g.find(q, 8)
			}
		})
	}
}
