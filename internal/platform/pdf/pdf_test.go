package pdf_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"
	"time"

	reader "github.com/ledongthuc/pdf"
	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/platform/pdf"
)

var about = pdf.About{Title: "Tem mật ong bạc hà", At: time.Date(2026, 11, 26, 10, 0, 0, 0, time.UTC)}

// read opens a file and returns its letters with their places, page by page.
func read(t *testing.T, d *pdf.Doc) ([]byte, []reader.Content, string) {
	t.Helper()
	file, err := d.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	r, err := reader.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	var pages []reader.Content
	var all strings.Builder
	for i := 1; i <= r.NumPage(); i++ {
		c := r.Page(i).Content()
		pages = append(pages, c)
		for _, l := range c.Text {
			if l.S != "\ufffd" && l.S != "\n" { // the reader's mark for the end of a run
				all.WriteString(l.S)
			}
		}
	}
	return file, pages, all.String()
}

// letters are all of the Vietnamese alphabet with all tones, small and capital, and the signs of prices and dates.
func letters() string {
	var b strings.Builder
	for _, v := range "aăâeêioôơuưy" {
		for _, tone := range []string{"", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"} {
			b.WriteString(norm.NFC.String(string(v) + tone))
		}
	}
	b.WriteString("bcdđghklmnpqrstvxfjwz0123456789.,:;/-–()%&+₫×")
	return b.String() + strings.ToUpper(b.String())
}

func TestTextIsReadBackWithAllItsMarks(t *testing.T) {
	for _, bold := range []bool{false, true} {
		d := pdf.New(pdf.A4, about)
		d.Page()
		d.Text(pdf.Box{X: 10, Y: 10, W: 190}, pdf.Style{Size: 10, Bold: bold}, letters())
		file, _, got := read(t, d)
		if got != letters() {
			t.Errorf("bold %v: wrote %s\nread %s", bold, letters(), got)
		}
		if len(file) > 120_000 {
			t.Errorf("%d bytes: the whole font is in it", len(file))
		}
	}
}

func TestWhatTheFontLacksSpoilsNothing(t *testing.T) {
	d := pdf.New(pdf.A6, about)
	d.Page()
	d.Text(pdf.Box{X: 5, Y: 5, W: 90}, pdf.Style{Size: 10}, "Tra\u0300\u00a0xanh 🍵蜜\u200b\tngon\x00")
	if _, _, got := read(t, d); strings.ReplaceAll(got, " ", "") != "Tràxanh??ngon" {
		t.Errorf("read %q", got)
	}
}

func TestTextStaysInItsBoxAndIsNeverCut(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("Nghiêng ngả rượu nếp cẩm ủ men lá truyền thống ", 8))
	for name, text := range map[string]string{"words": long, "one word": strings.Repeat("Ượ", 60), "short": "Muối", "nothing": ""} {
		for _, align := range []pdf.Align{pdf.Left, pdf.Centre, pdf.Right} {
			d := pdf.New(pdf.A6, about)
			d.Page()
			box := pdf.Box{X: 20, Y: 30, W: 34, H: 11}
			used := d.Text(box, pdf.Style{Size: 9, Bold: true, Align: align}, text)
			_, pages, got := read(t, d)
			if strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(text, " ", "") {
				t.Errorf("%s: read %q", name, got)
			}
			if used > box.H+0.01 {
				t.Errorf("%s: took %.1f of %.1f mm", name, used, box.H)
			}
			for _, l := range pages[0].Text {
				x, y, size := l.X*25.4/72, pdf.A6.H-l.Y*25.4/72, l.FontSize*25.4/72
				if x < box.X-0.01 || y+size*0.25 > box.Y+box.H || y-size < box.Y {
					t.Errorf("%s: %q stands at %.1f, %.1f mm", name, l.S, x, y)
					break
				}
			}
			for at, line := range runs(pages[0]) {
				end := at.x*25.4/72 + d.Width(pdf.Style{Size: at.size, Bold: true}, line)
				if end > box.X+box.W+0.01 {
					t.Errorf("%s: %q ends at %.1f mm", name, line, end)
				}
			}
		}
	}
}

// run is where a line of text begins.
type run struct{ x, y, size float64 }

func runs(c reader.Content) map[run]string {
	out := map[run]string{}
	for _, l := range c.Text {
		if l.S != "\ufffd" && l.S != "\n" {
			out[run{l.X, l.Y, l.FontSize}] += l.S
		}
	}
	return out
}

func TestModulesAreDrawnWhereTheyBelong(t *testing.T) {
	d := pdf.New(pdf.A4, about)
	d.Page()
	d.Modules(pdf.Box{X: 10, Y: 20, W: 30, H: 20}, [][]bool{{true, true, false}, {false, false, true}})
	_, pages, _ := read(t, d)
	var got []string
	for _, r := range pages[0].Rect {
		got = append(got, fmt.Sprintf("%.0f,%.0f–%.0f,%.0f", r.Min.X*25.4/72, pdf.A4.H-r.Min.Y*25.4/72, r.Max.X*25.4/72, pdf.A4.H-r.Max.Y*25.4/72))
	}
	if len(got) != 2 {
		t.Fatalf("%v", got)
	}
	if got[0] != "10,30–30,20" && got[0] != "10,20–30,30" || got[1] != "30,40–40,30" && got[1] != "30,30–40,40" {
		t.Error(got)
	}
}

func TestOnePictureTwiceStandsOnceInTheFile(t *testing.T) {
	img := image.NewPaletted(image.Rect(0, 0, 40, 40), color.Palette{color.White, color.Black})
	for i := range img.Pix {
		img.Pix[i] = uint8(i % 7 % 2)
	}
	d := pdf.New(pdf.A4, about)
	for range 3 {
		d.Page()
		for i := range 24 {
			d.Picture(pdf.Box{X: float64(i), Y: 5, W: 10, H: 10}, img)
		}
	}
	d.Stars(5, 50, 3, 5)
	file, pages, _ := read(t, d)
	if n := bytes.Count(file, []byte("/Subtype /Image")); n != 1 || len(pages) != 3 || d.Pages() != 3 {
		t.Errorf("%d pictures on %d pages", n, len(pages))
	}
}

func TestTheSameDocumentIsTheSameFile(t *testing.T) {
	file := func() []byte {
		d := pdf.New(pdf.A5, about)
		d.Page()
		d.Text(pdf.Box{X: 5, Y: 5, W: 50}, pdf.Style{Size: 10}, "Chè Shan tuyết")
		d.Frame(pdf.Box{X: 5, Y: 5, W: 50, H: 50})
		d.Line(5, 5, 50, 50)
		b, err := d.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(file(), file()) {
		t.Error("two files")
	}
}
