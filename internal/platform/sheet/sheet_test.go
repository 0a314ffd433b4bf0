package sheet_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/sheet"
)

func TestNoCellIsAFormula(t *testing.T) {
	for _, bad := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=HYPERLINK(\"x\")", "＝1+1", "|calc", "\u00a0=1"} {
		if got := sheet.Text(bad); got != "'"+bad {
			t.Errorf("%q: %q", bad, got)
		}
	}
	for _, good := range []string{"", "Mật ong", "12/QĐ-UBND", "a=b", "0912", " x"} {
		if got := sheet.Text(good); got != good {
			t.Errorf("%q: %q", good, got)
		}
	}
}

func TestATableIsReadBack(t *testing.T) {
	var b bytes.Buffer
	c := sheet.NewCSV(&b)
	if err := c.Row("Tên", "=cmd|' /C calc'!A0", "hai\ndòng, \"nháy\""); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	text, ok := strings.CutPrefix(b.String(), "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if !ok || err != nil || len(rows) != 1 || rows[0][0] != "Tên" || rows[0][1] != "'=cmd|' /C calc'!A0" || rows[0][2] != "hai\ndòng, \"nháy\"" {
		t.Errorf("%q, %v", rows, err)
	}
}
