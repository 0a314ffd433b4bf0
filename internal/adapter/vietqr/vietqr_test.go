package vietqr

import (
	"bytes"
	"encoding/xml"
	"image/png"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/money"
)

const (
	dynamicVector = "00020101021238570010A00000072701270006970436011300110012345670208QRIBFTTA530370454062500005802VN62170813OCOP DH0001236304FB53"
	staticVector  = "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F"
)

func TestKnownCodes(t *testing.T) {
	if got := crc("123456789"); got != 0x29B1 {
		t.Errorf("checksum %04X", got)
	}
	if got, err := (Generator{}).Payload("970436", "0011001234567", 250000, "OCOP DH000123"); err != nil || got != dynamicVector {
		t.Errorf("dynamic: %s, %v", got, err)
	}
	if got, err := Static(Account{"970416", "257678859"}); err != nil || got != staticVector {
		t.Errorf("static: %s, %v", got, err)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Transfer{
			Account: Account{rapid.StringMatching(`[0-9]{6}`).Draw(t, "bin"), rapid.StringMatching(`[0-9A-Za-z]{1,19}`).Draw(t, "account")},
			Amount:  money.VND(rapid.Int64Min(1).Draw(t, "amount")),
			Memo:    rapid.StringMatching(`([0-9A-Za-z]{1,8}( [0-9A-Za-z]{1,7}){0,2})?`).Draw(t, "memo"),
		}
		p, err := Payload(want.Account, want.Amount, want.Memo)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(p); err != nil || got != want {
			t.Fatalf("read %v, %v; want %v", got, err, want)
		}
		i := rapid.IntRange(0, len(p)-1).Draw(t, "at")
		broken := []byte(p)
		broken[i] ^= 1 << rapid.IntRange(0, 6).Draw(t, "bit")
		if got, err := Parse(string(broken)); err == nil {
			t.Fatalf("a flipped bit at %d was read as %v", i, got)
		}
	})
}

func TestMessagesAreMadeFitForBanks(t *testing.T) {
	for in, want := range map[string]string{"Đơn hàng 7K4M-92QX": "Don hang 7K4M 92QX", "  a\n b ": "a b", "": "", "₫💚": ""} {
		if got := Memo(in); got != want {
			t.Errorf("Memo(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrongInputIsRefusedWithItsField(t *testing.T) {
	ok := Account{"970436", "123"}
	for _, c := range []struct {
		a      Account
		amount money.VND
		memo   string
		key    string
	}{
		{Account{"97043", "123"}, 1, "", "vietqr.bank"}, {Account{"97043a", "123"}, 1, "", "vietqr.bank"},
		{Account{"970436", ""}, 1, "", "vietqr.account"}, {Account{"970436", strings.Repeat("1", 20)}, 1, "", "vietqr.account"},
		{Account{"970436", "12 3"}, 1, "", "vietqr.account"}, {Account{"970436", "12é"}, 1, "", "vietqr.account"},
		{ok, 0, "", "vietqr.amount"}, {ok, -1, "", "vietqr.amount"}, {ok, 1, strings.Repeat("a", 26), "vietqr.memo"},
	} {
		_, err := Payload(c.a, c.amount, c.memo)
		if l, is := apperr.As(err); !is || l[0].Key != c.key {
			t.Errorf("%v %d %q: %v, want %s", c.a, c.amount, c.memo, err, c.key)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(dynamicVector)
	f.Add(staticVector)
	f.Add("63040000")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Parse(s)
		if err != nil {
			return
		}
		if got.Account.check() != nil || got.Amount < 0 {
			t.Errorf("%q read as %v", s, got)
		}
	})
}

// TestSVGShowsTheCode draws the path's runs back onto a grid and compares them with the code.
func TestSVGShowsTheCode(t *testing.T) {
	svg := SVG(dynamicVector, 240)
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	s := string(svg)
	if strings.Contains(s, "style=") || strings.Count(s, "<path") != 1 || !strings.Contains(s, "<title>VietQR</title>") || !strings.Contains(s, `width="240"`) {
		t.Errorf("svg: %.300s", s)
	}
	grid, _ := modules(dynamicVector)
	drawn := map[[2]int]bool{}
	for _, m := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1`).FindAllStringSubmatch(s, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		for i := range n {
			drawn[[2]int{x + i - quiet, y - quiet}] = true
		}
	}
	for y, row := range grid {
		for x, dark := range row {
			if drawn[[2]int{x, y}] != dark {
				t.Fatalf("module %d,%d", x, y)
			}
			delete(drawn, [2]int{x, y})
		}
	}
	if len(drawn) != 0 {
		t.Errorf("%d modules outside the code", len(drawn))
	}
	if len(grid)%4 != 1 || len(grid) < 21 {
		t.Errorf("%d modules a side is no code without margin", len(grid))
	}
}

func TestTitlesAreEscapedAndPicturesHaveTheirSize(t *testing.T) {
	b, err := QR("https://example.vn/xac-minh/7K4M", 100, `<b>"&`)
	if err != nil || bytes.Contains(b, []byte("<b>")) {
		t.Errorf("%s, %v", b, err)
	}
	p, err := PNG(dynamicVector, 300)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := png.DecodeConfig(bytes.NewReader(p)); err != nil || c.Width != 300 || c.Height != 300 {
		t.Errorf("%v, %v", c, err)
	}
	if SVG(strings.Repeat("x", 5000), 10) != nil {
		t.Error("too long for any code")
	}
}
