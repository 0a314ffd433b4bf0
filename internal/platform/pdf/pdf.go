// Package pdf makes documents for print: labels, lists, statements. It carries Be Vietnam Pro (OFL, see font/OFL.txt) and
// embeds of it only the letters that a document uses, so the text can be searched and copied with all its marks.
//
// Lengths are millimetres from the upper left corner of the page, letters are measured in points. Text is never cut:
// it is broken into lines, and where it has a box to stay in it is set smaller until it fits.
package pdf

import (
	"bytes"
	_ "embed" // the fonts
	"fmt"
	"image"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/signintech/gopdf"
	"golang.org/x/text/unicode/norm"
)

// Size is that of a page.
type Size struct{ W, H float64 }

// Usual pages, upright.
var (
	A4 = Size{210, 297}
	A5 = Size{148, 210}
	A6 = Size{105, 148}
)

// About is what the document says of itself.
type About struct {
	Title string
	At    time.Time
}

// Doc is a document being made. The first fault is kept and returned by Bytes.
type Doc struct {
	f   *gopdf.GoPdf
	err error
}

//go:embed font/be-vietnam-pro-400.ttf
var regular []byte

//go:embed font/be-vietnam-pro-600.ttf
var semibold []byte

const (
	plain  = "plain"
	strong = "strong"
)

// New returns a document without a page.
func New(s Size, a About) *Doc {
	d := &Doc{f: &gopdf.GoPdf{}}
	d.f.Start(gopdf.Config{Unit: gopdf.UnitMM, PageSize: gopdf.Rect{W: s.W, H: s.H}})
	d.f.SetInfo(gopdf.PdfInfo{Title: clean(a.Title, nil), CreationDate: a.At})
	d.keep(d.f.AddTTFFontData(plain, regular))
	d.keep(d.f.AddTTFFontData(strong, semibold))
	return d
}

func (d *Doc) keep(err error) {
	if d.err == nil && err != nil {
		d.err = fmt.Errorf("pdf: %w", err)
	}
}

// Page begins a new page.
func (d *Doc) Page() {
	d.f.AddPage()
	d.hair() // the library writes no sound page that holds nothing at all
}

// Pages is how many pages there are.
func (d *Doc) Pages() int { return d.f.GetNumberOfPages() }

// Bytes ends the document and returns the file.
func (d *Doc) Bytes() ([]byte, error) {
	if d.err != nil {
		return nil, d.err
	}
	var b bytes.Buffer
	if _, err := d.f.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	return b.Bytes(), nil
}

// Box is a rectangle on the page.
type Box struct{ X, Y, W, H float64 }

// Align is where in its box text stands.
type Align int

// The alignments.
const (
	Left Align = iota
	Centre
	Right
)

// Style is how text looks.
type Style struct {
	Size  float64 // points
	Bold  bool
	Mute  bool // grey, dark enough to be read from a cheap printer
	Align Align
}

// leading is the distance of lines in sizes: Vietnamese stacks two marks on a capital.
const leading = 1.3

// perPoint is a point in millimetres.
const perPoint = 25.4 / 72

func (d *Doc) use(s Style) {
	name, shade := plain, uint8(0)
	if s.Bold {
		name = strong
	}
	if s.Mute {
		shade = 80
	}
	d.keep(d.f.SetFont(name, "", s.Size))
	d.f.SetTextColor(shade, shade, shade)
}

// clean is the text as it can be written in the current font.
func (d *Doc) clean(text string) string {
	return clean(text, func(r rune) bool {
		ok, err := d.f.IsCurrFontContainGlyph(r)
		d.keep(err)
		return ok
	})
}

// wide is the width of cleaned text in the current font.
func (d *Doc) wide(text string) float64 {
	w, err := d.f.MeasureTextWidth(text)
	d.keep(err)
	return w
}

// Width is that of the text on one line.
func (d *Doc) Width(s Style, text string) float64 {
	d.use(s)
	return d.wide(d.clean(text))
}

// Height is that of the text when it is broken to lines of a width.
func (d *Doc) Height(width float64, s Style, text string) float64 {
	return high(s) * float64(len(d.lines(width, s, text)))
}

// high is the height of a line.
func high(s Style) float64 { return s.Size * leading * perPoint }

// Text writes text into the box from its upper edge and returns the height it took. In a box with a height it is set as
// much smaller as it needs to stay inside; a height of 0 lets it grow downwards.
func (d *Doc) Text(b Box, s Style, text string) float64 {
	lines := d.lines(b.W, s, text)
	for b.H > 0 && high(s)*float64(len(lines)) > b.H {
		s.Size *= 0.96
		lines = d.lines(b.W, s, text)
	}
	for i, line := range lines {
		x := b.X
		switch s.Align {
		case Centre:
			x += (b.W - d.wide(line)) / 2
		case Right:
			x += b.W - d.wide(line)
		}
		if line == "" {
			continue
		}
		// The letters stand on a line at four fifths of the height, which leaves room for marks above and below.
		d.f.SetXY(x, b.Y+high(s)*(float64(i)+0.8))
		d.keep(d.f.Text(line))
	}
	return high(s) * float64(len(lines))
}

// lines breaks text between words, and inside a word that is wider than a line.
func (d *Doc) lines(width float64, s Style, text string) []string {
	d.use(s)
	fits := func(t string) bool { return d.wide(t) <= width }
	var out []string
	for para := range strings.Lines(d.clean(text)) {
		line := ""
		for _, word := range strings.Fields(para) {
			if line != "" && fits(line+" "+word) {
				line += " " + word
				continue
			}
			if line != "" {
				out, line = append(out, line), ""
			}
			for _, r := range word {
				if line != "" && !fits(line+string(r)) {
					out, line = append(out, line), ""
				}
				line += string(r)
			}
		}
		out = append(out, line)
	}
	return out
}

// Picture draws a picture over the whole box. The same picture again costs no room in the file.
func (d *Doc) Picture(b Box, img image.Image) {
	d.keep(d.f.ImageFrom(img, b.X, b.Y, &gopdf.Rect{W: b.W, H: b.H}))
}

// Modules draws the dark squares of a QR code, or the bars of a barcode given as one row, over the whole box: as shapes,
// which a printer draws as sharp as it can. The quiet zone around it is the caller's.
func (d *Doc) Modules(b Box, grid [][]bool) {
	d.f.SetFillColor(0, 0, 0)
	for y, row := range grid {
		w, h := b.W/float64(len(row)), b.H/float64(len(grid))
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				d.f.RectFromUpperLeftWithStyle(b.X+float64(from)*w, b.Y+float64(y)*h, float64(x-from)*w, h, "F")
			}
		}
	}
}

// hair prepares a thin grey line.
func (d *Doc) hair() {
	d.f.SetStrokeColor(120, 120, 120)
	d.f.SetLineWidth(0.2)
}

// Line draws a hairline.
func (d *Doc) Line(x1, y1, x2, y2 float64) {
	d.hair()
	d.f.Line(x1, y1, x2, y2)
}

// Frame draws a hairline around the box.
func (d *Doc) Frame(b Box) {
	d.hair()
	d.f.RectFromUpperLeftWithStyle(b.X, b.Y, b.W, b.H, "D")
}

// Stars draws n solid stars of a width each in a row from the left edge: the fonts have none.
func (d *Doc) Stars(x, y, width float64, n int) {
	d.f.SetFillColor(0, 0, 0)
	for i := range n {
		cx, cy, r := x+width*(float64(i)*1.15+0.5), y+width/2, width/2
		points := make([]gopdf.Point, 10)
		for k := range points {
			at := r
			if k%2 == 1 {
				at = r * 0.4
			}
			a := math.Pi * (float64(k)/5 - 0.5)
			points[k] = gopdf.Point{X: cx + at*math.Cos(a), Y: cy + at*math.Sin(a)}
		}
		d.f.Polygon(points, "F")
	}
}

// clean composes letters with their marks, and puts a question mark where the font has no letter: an emblem or a foreign
// script in a name must not spoil a sheet.
func clean(text string, has func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Variation_Selector, r):
			return -1
		case has != nil && !has(r):
			return '?'
		}
		return r
	}, norm.NFC.String(strings.ToValidUTF8(text, "")))
}
