package catalog_test

import (
	"encoding/csv"
	"os"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

func TestParseUnitReadsWhatSellersWrite(t *testing.T) {
	for _, c := range []struct {
		vi, en, netVI, netEN string
		milli                int64
		unit                 string
	}{
		{"chai 500 ml", "500 ml bottle", "500 ml", "500 ml", 500_000, "ml"},
		{"chai 1 lít", "1 litre bottle", "1 l", "1 l", 1_000_000, "ml"},
		{"túi 2 kg", "2 kg bag", "2 kg", "2 kg", 2_000_000, "g"},
		{"con 1,8 kg", "1.8 kg piece", "1,8 kg", "1.8 kg", 1_800_000, "g"},
		{"bình sứ 500 ml", "500 ml porcelain flask", "500 ml", "500 ml", 500_000, "ml"},
		{"chục 10 chiếc", "10 pieces", "10 chiếc", "10 pieces", 10_000, "piece"},
		{"lốc 6 hũ 70 ml", "multipack of 6 jars, 70 ml each", "420 ml", "420 ml", 420_000, "ml"},
		{"thùng 24 chai 450 ml", "case of 24 bottles, 450 ml each", "10,8 l", "10.8 l", 10_800_000, "ml"},
		{"hộp 20 túi", "box of 20 bags", "20 túi", "20 bags", 20_000, "piece"},
		{"hộp 30 viên", "box of 30 tablets", "30 viên", "30 tablets", 30_000, "piece"},
		{"bộ 22 món", "set of 22 pieces", "22 món", "22 pieces", 22_000, "piece"},
		{"chiếc", "piece", "1 chiếc", "1 piece", 1000, "piece"},
		{"đôi", "pair", "2 chiếc", "2 pieces", 2000, "piece"},
		{"chiếc 1,8 x 2 m", "piece, 1.8 × 2 m", "1 chiếc", "1 piece", 1000, "piece"},
		{"bức 40 x 60 cm", "picture, 40 × 60 cm", "1 chiếc", "1 piece", 1000, "piece"},
		{"vé 1 khách", "ticket for 1 guest", "", "", 0, ""},
		{"hộp 3 vị", "box of 3 flavours", "", "", 0, ""},
		{"bộ", "set", "", "", 0, ""},
		{"Gói 500g", "500 g pack", "500 g", "500 g", 500_000, "g"},
		{"  chai   500 ml ", "500 ml bottle", "500 ml", "500 ml", 500_000, "ml"},
		{norm.NFD.String("hộp 100 g"), "100 g box", "100 g", "100 g", 100_000, "g"},
		{"xách 3 thứ lạ", "xách 3 thứ lạ", "3 chiếc", "3 pieces", 3000, "piece"},
		{"", "", "", "", 0, ""},
		{"500 ml", "500 ml", "", "", 0, ""},
	} {
		u := catalog.ParseUnit(c.vi)
		if u.EN != c.en || u.Net.Milli != c.milli || u.Net.Unit != c.unit || u.NetText(i18n.VI) != c.netVI || u.NetText(i18n.EN) != c.netEN {
			t.Errorf("%q: %+v, net %q / %q; want %+v", c.vi, u, u.NetText(i18n.VI), u.NetText(i18n.EN), c)
		}
	}
}

func TestParseUnitKnowsEveryUnitOfTheRealList(t *testing.T) {
	f, err := os.Open("../demo/data/ocop_products.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := -1
	for i, h := range rows[0] {
		if h == "typical_unit" {
			at = i
		}
	}
	for _, r := range rows[1:] {
		if u := catalog.ParseUnit(r[at]); i18n.Plain(u.EN) != u.EN {
			t.Errorf("%q stays Vietnamese in English: %q", r[at], u.EN)
		}
	}
}

func TestParseUnitSurvivesAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := catalog.ParseUnit(rapid.String().Draw(t, "unit"))
		if u.Net.Milli < 0 || (u.Net.Milli == 0) != (u.Net.Unit == "") {
			t.Fatalf("net %+v", u.Net)
		}
	})
}

func TestPerUnitComparesPacks(t *testing.T) {
	for _, c := range []struct {
		price money.VND
		unit  string
		want  string
	}{
		{95_000, "chai 500 ml", "19.000\u00a0₫/100 ml"},
		{60_000, "túi 2 kg", "30.000\u00a0₫/kg"},
		{150_000, "thùng 24 chai 500 ml", "12.500\u00a0₫/lít"},
		{100_000, "chục 10 chiếc", "10.000\u00a0₫/chiếc"},
		{100_000, "hũ 150 g", "66.667\u00a0₫/100 g"},
		{100_000, "hộp 100 g", ""}, {100_000, "hộp 1 kg", ""}, {100_000, "chiếc", ""}, {100_000, "bộ", ""},
	} {
		u, ok := catalog.PerUnit(c.price, catalog.ParseUnit(c.unit).Net)
		if got := u.Text(i18n.VI); ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%v for %s: %q, %v; want %q", c.price, c.unit, got, ok, c.want)
		}
	}
}

func TestCheckGTIN(t *testing.T) {
	for s, want := range map[string]bool{"8938501234568": true, "8938501234567": false, "96385074": true, "036000291452": true,
		"18938501234565": true, "": false, "893850123456x": false, "123": false, "٣٣٣٣٣٣٣٣": false} {
		if catalog.CheckGTIN(s) != want {
			t.Errorf("CheckGTIN(%q) = %v", s, !want)
		}
	}
}

func TestCheckGTINSeesEverySingleSlip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`[0-9]{12}`).Draw(t, "body")
		good := ""
		for d := byte('0'); d <= '9'; d++ {
			if catalog.CheckGTIN(body + string(d)) {
				if good != "" {
					t.Fatalf("two check digits for %s", body)
				}
				good = body + string(d)
			}
		}
		i := rapid.IntRange(0, 12).Draw(t, "place")
		d := byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
		if wrong := good[:i] + string(d) + good[i+1:]; wrong != good && catalog.CheckGTIN(wrong) {
			t.Fatalf("%s passes for %s", wrong, good)
		}
	})
}

func TestLabelKeysDifferByKindOfGoodsAndHaveNames(t *testing.T) {
	seen := map[string]int{}
	for set := 0; set <= 26; set++ {
		keys := catalog.LabelKeys(set)
		seen[strings.Join(keys, ",")]++
		for _, k := range keys {
			for _, l := range i18n.Locales {
				if !i18n.Has(l, "catalog.fact."+k) {
					t.Errorf("%s has no name for %s", l, k)
				}
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d kinds of label, want food, liquor, health food, cosmetics, oils, handicrafts, living things, services", len(seen))
	}
}
