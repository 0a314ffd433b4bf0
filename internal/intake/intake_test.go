package intake_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

var heading = []string{"id", "name_vi", "name_en", "group_code", "subgroup_code", "stars", "producer_name", "producer_type", "province",
	"old_province", "district_or_commune", "year_recognised", "decision_no", "source_url", "description_vi", "description_en",
	"typical_unit", "weight_g", "price_vnd", "price_source", "note"}

// product is a good row with some of its cells changed: product("A1", "stars", "4").
func product(id string, changes ...string) []string {
	cells := map[string]string{"id": id, "name_vi": "Chè " + id, "name_en": "Tea " + id, "group_code": "I", "subgroup_code": "I.5.a",
		"stars": "4", "producer_name": "Hợp tác xã Chè Thử", "producer_type": "htx", "province": "Thái Nguyên", "old_province": "Thái Nguyên",
		"district_or_commune": "xã Tân Cương, thành phố Thái Nguyên", "year_recognised": "2024", "decision_no": "1/QĐ-UBND",
		"source_url": "https://example.vn/che", "description_vi": "Chè búp.", "description_en": "Tea buds.", "typical_unit": "gói 200 g",
		"weight_g": "230", "price_vnd": "150000", "price_source": "seller"}
	for i := 0; i < len(changes); i += 2 {
		cells[changes[i]] = changes[i+1]
	}
	out := make([]string, len(heading))
	for i, h := range heading {
		out[i] = cells[h]
	}
	return out
}

// file joins rows with a separator and line ending, each cell in quotes.
func file(sep, end string, rows ...[]string) string {
	var b strings.Builder
	for _, r := range append([][]string{heading}, rows...) {
		for i, c := range r {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString(`"` + strings.ReplaceAll(c, `"`, `""`) + `"`)
		}
		b.WriteString(end)
	}
	return b.String()
}

func (m *market) load(t testing.TB, text string, o intake.Options) intake.Report {
	t.Helper()
	report, err := m.in.Products(context.Background(), strings.NewReader(text), intake.CSV, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestProductsReadsTheFilesThatSpreadsheetsWrite(t *testing.T) {
	rows := [][]string{product("A1"), product("A2", "name_vi", "Chè \"đặc biệt\", loại 1;\nhai dòng")}
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(file("\t", "\r\n", rows...))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"comma": file(",", "\n", rows...), "semicolon": file(";", "\r\n", rows...), "tab": file("\t", "\r\n", rows...),
		"bom": "\ufeff" + file(",", "\r\n", rows...), "decomposed": norm.NFD.String(file(",", "\n", rows...)),
		"utf-16": utf16, "blank lines": "\n\n" + file(",", "\n\n", rows...),
	} {
		m := open(t)
		r := m.load(t, text, intake.Options{})
		if r.Added != 2 || len(r.Bad) > 0 || len(r.Notes) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if n := m.count(t, `SELECT count(*) FROM product_text WHERE name = 'Chè "đặc biệt", loại 1; hai dòng' AND locale = 'vi'`); n != 1 {
			t.Errorf("%s: the name is not as written", name)
		}
	}
}

func xlsx(t testing.TB, rows ...[]string) []byte {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, r := range append([][]string{heading}, rows...) {
		cells := make([]any, len(r))
		for j, c := range r {
			cells[j] = c
		}
		if i > 0 { // numbers as a spreadsheet holds them
			cells[slices.Index(heading, "price_vnd")] = 1.5e5
			cells[slices.Index(heading, "weight_g")] = 230.0
			cells[slices.Index(heading, "year_recognised")] = 2024
		}
		if err := f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &cells); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestProductsReadsXLSXAsItReadsCSV(t *testing.T) {
	m := open(t)
	ctx := context.Background()
	data := xlsx(t, product("A1"), product("A2"))
	r, err := m.in.Products(ctx, bytes.NewReader(data), intake.XLSX, intake.Options{})
	if err != nil || r.Added != 2 || len(r.Bad) > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r := m.load(t, file(",", "\n", product("A1"), product("A2")), intake.Options{}); r.Unchanged != 2 {
		t.Errorf("the same list as CSV: %+v", r)
	}
}

func TestProductsRefusesWhatIsNoList(t *testing.T) {
	m := open(t)
	for key, in := range map[string]struct {
		text   string
		format intake.Format
	}{
		"intake.file.empty": {" \n\r\n", intake.CSV}, "intake.file.not_text": {"id,name\xff\xfe\x00", intake.CSV},
		"intake.file.not_xlsx": {"PK\x03\x04 no", intake.XLSX}, "intake.file.too_big": {strings.Repeat("x", intake.MaxBytes+1), intake.CSV},
	} {
		_, err := m.in.Products(context.Background(), strings.NewReader(in.text), in.format, intake.Options{})
		if list, ok := apperr.As(err); !ok || list[0].Key != key || list[0].Field != "file" || !i18n.Has(i18n.VI, key) {
			t.Errorf("%s: %v", key, err)
		}
	}
	r := m.load(t, "id,name_vi,id,màu\nA1,Chè,A1,xanh\n", intake.Options{})
	var got []string
	for _, p := range r.Bad {
		got = append(got, p.Column+" "+p.Key)
	}
	for _, want := range []string{"id intake.column.twice", "price_vnd intake.column.missing", "province intake.column.missing"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not told: %v", want, got)
		}
	}
	if r.Added != 0 || !slices.ContainsFunc(r.Notes, func(p intake.Problem) bool { return p.Column == "màu" && p.Key == "intake.column.unknown" }) {
		t.Errorf("%+v", r)
	}
}

func TestProductsTellsEveryBadRowAndLoadsTheGoodOnes(t *testing.T) {
	m := open(t)
	testkit.Product(t, m.db, testkit.WithSKU("TAKEN"))
	bad := []struct {
		column, key string
		row         []string
	}{
		{"id", "intake.cell.required", product("")},
		{"id", "intake.id.malformed", product("A B")},
		{"id", "intake.id.twice", product("good")},
		{"id", "intake.id.taken", product("TAKEN")},
		{"name_vi", "intake.cell.required", product("B1", "name_vi", "  ")},
		{"name_vi", "intake.cell.too_long", product("B2", "name_vi", strings.Repeat("ộ", 201))},
		{"group_code", "intake.group.unknown", product("B3", "group_code", "IX")},
		{"subgroup_code", "intake.group.unknown", product("B4", "subgroup_code", "I.9")},
		{"subgroup_code", "intake.group.elsewhere", product("B5", "subgroup_code", "II.1.a")},
		{"stars", "intake.cell.range", product("B6", "stars", "6")},
		{"stars", "intake.cell.range", product("B7", "stars", "bốn")},
		{"province", "geo.province.no_match", product("B8", "province", "Atlantis")},
		{"year_recognised", "intake.cell.range", product("B9", "year_recognised", "2027")},
		{"typical_unit", "intake.cell.required", product("C1", "typical_unit", "")},
		{"weight_g", "intake.cell.range", product("C2", "weight_g", "-5")},
		{"price_vnd", "money.empty", product("C3", "price_vnd", "")},
		{"price_vnd", "money.invalid", product("C4", "price_vnd", "rẻ")},
		{"price_vnd", "catalog.price.positive", product("C5", "price_vnd", "0")},
		{"price_source", "intake.price.source", product("C6", "price_source", "đoán")},
		{"producer_type", "intake.producer.kind", product("C7", "producer_type", "tập đoàn")},
		{"source_url", "intake.url.malformed", product("C8", "source_url", "javascript:alert(1)")},
		{"", "intake.row.too_wide", append(product("C9"), "thừa")},
	}
	rows := [][]string{product("GOOD")}
	for _, b := range bad {
		rows = append(rows, b.row)
	}
	rows = append(rows, product("LAST", "price_vnd", "1.250.000 ₫"))
	for _, dry := range []bool{true, false} {
		r := m.load(t, file(",", "\n", rows...), intake.Options{DryRun: dry})
		if r.Rows != len(rows) || r.Added != 2 || len(r.Bad) != len(bad) {
			t.Errorf("%d rows, %d added, %d bad", r.Rows, r.Added, len(r.Bad))
		}
		for i, p := range r.Bad {
			if i < len(bad) && (p.Line != i+3 || p.Column != bad[i].column || p.Key != bad[i].key) {
				t.Errorf("%d: %+v, want %+v", i, p, bad[i])
			}
			for _, l := range i18n.Locales {
				if s := p.Text(l); !i18n.Has(l, p.Key) || strings.Contains(s, "{") || !strings.Contains(s, fmt.Sprint(p.Line)) {
					t.Errorf("%s: %q", l, s)
				}
			}
		}
		want := 1 // the product that was there before
		if !dry {
			want = 3
		}
		if n := m.count(t, `SELECT count(*) FROM product`); n != want {
			t.Errorf("dry run %v: %d products, want %d", dry, n, want)
		}
	}
	if n := m.count(t, `SELECT price FROM variant WHERE sku = 'LAST'`); n != 1_250_000 {
		t.Errorf("price %d", n)
	}
}

func TestProductsGoesOnAfterBrokenQuotes(t *testing.T) {
	m := open(t)
	lines := strings.SplitAfter(file(",", "\n", product("A1"), product("A2"), product("A3")), "\n")
	lines[2] = "A2,Chè \"bị\" hỏng,x\n"
	r := m.load(t, strings.Join(lines, ""), intake.Options{})
	if r.Added != 2 || len(r.Bad) != 1 || r.Bad[0].Line != 3 || r.Bad[0].Key != "intake.row.quotes" {
		t.Errorf("%+v", r)
	}
}

// everything is a print of all rows, so that a test sees any change at all.
const everything = `SELECT md5(string_agg(x, '|' ORDER BY x)) FROM (
	SELECT p::text AS x FROM product p UNION ALL SELECT t::text FROM product_text t UNION ALL SELECT v::text FROM variant v
	UNION ALL SELECT f::text FROM label_fact f UNION ALL SELECT m::text FROM producer m UNION ALL SELECT n::text FROM producer_text n
	UNION ALL SELECT c::text FROM certificate c UNION ALL SELECT k::text FROM certificate_product k UNION ALL SELECT h::text FROM price_change h) all_rows`

func TestProductsTwiceChangesNothing(t *testing.T) {
	m := open(t)
	loadReal(t, m, intake.Options{})
	var before, after string
	testkit.Scan(t, m.db, &before, everything)
	m.clock.Advance(1e15)
	m.index.refreshed = nil
	r := loadReal(t, m, intake.Options{})
	if r.Unchanged != 471 || r.Added != 0 || r.Changed != 0 || len(m.index.refreshed) != 0 {
		t.Errorf("%+v, %d refreshed", r, len(m.index.refreshed))
	}
	if testkit.Scan(t, m.db, &after, everything); before != after {
		t.Error("the second run wrote something")
	}
}

func TestProductsTakesOverWhatChanged(t *testing.T) {
	m := open(t)
	m.load(t, file(",", "\n", product("A1"), product("A2"), product("A3")), intake.Options{Actor: "an"})
	m.index.refreshed = nil
	m.clock.Advance(1e12)
	changed := file(",", "\n", product("A1", "price_vnd", "160000"), product("A2"), product("A3", "description_vi", "Chè mới.", "name_en", ""))
	r := m.load(t, changed, intake.Options{Actor: "binh"})
	if r.Changed != 2 || r.Unchanged != 1 || len(m.index.refreshed) != 2 {
		t.Errorf("%+v, refreshed %v", r, m.index.refreshed)
	}
	if n := m.count(t, `SELECT count(*) FROM price_change c JOIN variant v ON v.id = c.variant_id WHERE v.sku = 'A1' AND c.price = 160000 AND c.actor = 'binh'`); n != 1 {
		t.Error("the new price left no row")
	}
	if n := m.count(t, `SELECT count(*) FROM price_change`); n != 4 {
		t.Errorf("%d rows in price_change, want 4", n)
	}
	if n := m.count(t, `SELECT count(*) FROM product_text WHERE locale = 'en' AND name = 'Tea A3'`); n != 1 {
		t.Error("a blank erased a name")
	}
	if n := m.count(t, `SELECT count(*) FROM product WHERE updated_at > created_at`); n != 2 {
		t.Errorf("%d products are dated anew, want 2", n)
	}
}

func TestProductsKeepsWhatOfficersDid(t *testing.T) {
	m := open(t)
	m.load(t, file(",", "\n", product("A1")), intake.Options{})
	testkit.Exec(t, m.db, `UPDATE certificate SET revoked_on = '2026-01-01', revoked_why = 'thử'`)
	testkit.Exec(t, m.db, `UPDATE product SET state = 'archived'`)
	m.load(t, file(",", "\n", product("A1", "price_vnd", "99000")), intake.Options{})
	if m.count(t, `SELECT count(*) FROM certificate WHERE revoked_on IS NOT NULL`) != 1 || m.count(t, `SELECT count(*) FROM product WHERE state = 'archived'`) != 1 {
		t.Error("a list undid a revocation or a withdrawal")
	}
}

func TestProductsGivesNamesakesTheirOwnAddresses(t *testing.T) {
	m := open(t)
	m.load(t, file(",", "\n", product("A1", "name_vi", "Mật ong"), product("A2", "name_vi", "Mật ong"), product("A3", "name_vi", "蜂蜜"),
		product("A4", "producer_name", "HTX Trùng Tên"), product("A5", "producer_name", "HTX Trùng Tên", "province", "Lào Cai")), intake.Options{})
	for _, slug := range []string{"mat-ong", "mat-ong-a2", "san-pham-a3"} {
		if m.count(t, `SELECT count(*) FROM product WHERE slug = $1`, slug) != 1 {
			t.Errorf("no product at %s", slug)
		}
	}
	if m.count(t, `SELECT count(*) FROM producer WHERE slug LIKE 'htx-trung-ten%'`) != 2 {
		t.Error("two makers of one name in two provinces are one")
	}
}
