package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"testing"

	"golang.org/x/image/webp"

	"choocop.vn/ocop/internal/platform/apperr"
)

var (
	red  = color.RGBA{200, 40, 30, 255}
	blue = color.RGBA{30, 60, 190, 255}
)

// halves is a picture with a red left half and a blue right half.
func halves(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(blue), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(0, 0, w/2, h), image.NewUniform(red), image.Point{}, draw.Src)
	return m
}

// photograph has the grain that tells a camera from a pencil.
func photograph(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	state := uint32(7)
	for y := range h {
		for x := range w {
			state = state*1664525 + 1013904223
			grain := int(state>>28) - 8
			v := func(f float64) uint8 { return uint8(128 + 90*math.Sin(f) + float64(grain)) }
			m.SetRGBA(x, y, color.RGBA{v(float64(x) / 40), v(float64(y) / 30), v(float64(x+y) / 55), 255})
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withOrientation puts an EXIF block with the given orientation and a place name into a JPEG.
func withOrientation(jpg []byte, order binary.AppendByteOrder, o uint16) []byte {
	tiff := []byte("II*\x00")
	if order == binary.BigEndian {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 1)
	tiff = order.AppendUint16(tiff, 0x0112)
	tiff = order.AppendUint16(tiff, 3)
	tiff = order.AppendUint32(tiff, 1)
	tiff = order.AppendUint16(tiff, o)
	tiff = append(tiff, 0, 0, 0, 0, 0, 0)
	tiff = append(tiff, "GPS 21.0285N 105.8542E"...)
	block := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, jpg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(block)+2))
	return append(append(out, block...), jpg[2:]...)
}

func near(a, b color.Color) bool {
	r1, g1, b1, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	d := func(x, y uint32) bool { return max(x, y)-min(x, y) < 24<<8 }
	return d(r1, r2) && d(g1, g2) && d(b1, b2)
}

func key(t *testing.T, err error) string {
	t.Helper()
	l, ok := apperr.As(err)
	if !ok || len(l) != 1 {
		t.Fatalf("want one error for a person, got %v", err)
	}
	return l[0].Key
}

func TestInspectGoesByContentNotByName(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"anh.jpg", []byte("<?php echo 1;"), "media.file.unknown"},
		{"anh.jpg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "media.file.unknown"},
		{"anh.png", []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00"), "media.file.unknown"},
		{"anh.png", pngOf(t, halves(20, 20))[:20], "media.file.broken"},
	} {
		_, err := Upload{Name: c.name, Data: c.data}.inspect()
		if got := key(t, err); got != c.want {
			t.Errorf("%s: %s, want %s", c.data[:6], got, c.want)
		}
	}
	h, err := Upload{Name: "anh.txt", Data: pngOf(t, halves(20, 10))}.inspect()
	if err != nil || h.mime != "image/png" || h.width != 20 || h.height != 10 {
		t.Errorf("png: %+v, %v", h, err)
	}
}

func TestInspectRefusesAPictureThatWouldBurst(t *testing.T) {
	// A PNG of a few dozen bytes that claims 60 000 by 60 000 pixels.
	bomb := pngOf(t, halves(2, 2))
	binary.BigEndian.PutUint32(bomb[16:], 60_000)
	binary.BigEndian.PutUint32(bomb[20:], 60_000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	_, err := Upload{Name: "bom.png", Data: bomb}.inspect()
	if got := key(t, err); got != "media.file.too_many_pixels" {
		t.Errorf("got %s", got)
	}
}

func TestDecodeRefusesATruncatedFile(t *testing.T) {
	for name, whole := range map[string][]byte{
		"jpeg": jpegOf(t, photograph(200, 200)), "png": pngOf(t, photograph(200, 200)),
	} {
		u := Upload{Name: name, Data: whole[:len(whole)*2/3]}
		h, err := u.inspect()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := u.decode(h); key(t, err) != "media.file.broken" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOrientationShowsThePictureAsTheCameraWasHeld(t *testing.T) {
	// Where the red half of the stored 80 by 40 picture, its left, comes to lie.
	for o, want := range map[uint16]string{
		1: "left", 2: "right", 3: "right", 4: "left", 5: "top", 6: "top", 7: "bottom", 8: "bottom",
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			u := Upload{Data: withOrientation(jpegOf(t, halves(80, 40)), order, o)}
			h, err := u.inspect()
			if err != nil || int(h.turn) != int(o) {
				t.Fatalf("orientation %d %v read as %d, %v", o, order, h.turn, err)
			}
			img, err := u.decode(h)
			if err != nil {
				t.Fatal(err)
			}
			all := scales(img, h.turn)
			m := all[len(all)-1]
			w, hh := m.Rect.Dx(), m.Rect.Dy()
			if upright := o < 5; upright != (w > hh) {
				t.Errorf("orientation %d gives %d by %d", o, w, hh)
			}
			places := map[string]image.Point{
				"left": {w / 8, hh / 2}, "right": {w * 7 / 8, hh / 2}, "top": {w / 2, hh / 8}, "bottom": {w / 2, hh * 7 / 8},
			}
			if !near(m.At(places[want].X, places[want].Y), red) {
				t.Errorf("orientation %d: red is not at the %s", o, want)
			}
		}
	}
}

func TestOrientationSourceDistinguishesMirroredFromTurned(t *testing.T) {
	// The stored corner that shows at the upper left, for a picture 4 wide and 3 high.
	for o, want := range map[orientation][2]int{
		1: {0, 0}, 2: {3, 0}, 3: {3, 2}, 4: {0, 2}, 5: {0, 0}, 6: {0, 2}, 7: {3, 2}, 8: {3, 0},
	} {
		if x, y := o.source(0, 0, 4, 3); [2]int{x, y} != want {
			t.Errorf("orientation %d: %d,%d want %v", o, x, y, want)
		}
	}
}

func FuzzJPEGOrientationNeverPanics(f *testing.F) {
	f.Add(withOrientation([]byte{0xff, 0xd8, 0xff, 0xd9}, binary.LittleEndian, 6))
	f.Add([]byte{0xff, 0xd8, 0xff, 0xe1, 0, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		if o := jpegOrientation(b); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}

func TestDeriveGivesAPhotographAsJPEGWithoutItsMetadata(t *testing.T) {
	u := Upload{Data: withOrientation(jpegOf(t, photograph(1400, 900)), binary.LittleEndian, 6)}
	h, _ := u.inspect()
	img, err := u.decode(h)
	if err != nil {
		t.Fatal(err)
	}
	got, err := derive(img, h.turn, PictureKind)
	if err != nil {
		t.Fatal(err)
	}
	var widths []int
	for _, r := range got {
		if r.format != JPEG {
			t.Errorf("a photograph in %s", r.format)
		}
		if bytes.Contains(r.data, []byte("Exif")) || bytes.Contains(r.data, []byte("GPS")) {
			t.Error("metadata kept")
		}
		c, _, err := image.DecodeConfig(bytes.NewReader(r.data))
		if err != nil || c.Width != r.width || c.Height != r.height {
			t.Errorf("%+v, %v, want %d by %d", c, err, r.width, r.height)
		}
		widths = append(widths, r.width)
	}
	// 1400 by 900 on its side is 900 wide, so there is no 960.
	if want := []int{160, 320, 640, 900}; len(widths) != 4 || widths[3] != want[3] || widths[0] != want[0] {
		t.Errorf("widths %v, want %v", widths, want)
	}
}

func TestDeriveNeverEnlarges(t *testing.T) {
	for own, want := range map[int]int{40: 1, 160: 1, 161: 2, 960: 4, 961: 4, 5000: 4} {
		got := widthsFor(own)
		if len(got) != want || got[len(got)-1] > own {
			t.Errorf("%d wide: %v", own, got)
		}
	}
}

func TestDerivePutsTransparentPicturesOnWhite(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	draw.Draw(m, image.Rect(100, 100, 200, 200), image.NewUniform(red), image.Point{}, draw.Src)
	got, err := derive(m, upright, PictureKind)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got {
		img, _, err := image.Decode(bytes.NewReader(r.data))
		if err != nil {
			t.Fatal(err)
		}
		if !near(img.At(2, 2), color.White) || !near(img.At(r.width/2, r.height/2), red) {
			t.Errorf("%s %d: corner %v, middle %v", r.format, r.width, img.At(2, 2), img.At(r.width/2, r.height/2))
		}
	}
}

func TestWebPThroughAPaletteDecodesToThePicture(t *testing.T) {
	img, err := Rasterise([]byte(flag), 320)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := encodeWebP(&b, img); err != nil {
		t.Fatal(err)
	}
	back, err := webp.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	var worst int
	for i := range img.Rect.Dx() * img.Rect.Dy() {
		x, y := i%img.Rect.Dx(), i/img.Rect.Dx()
		r, _, _, _ := back.At(x, y).RGBA()
		d := int(r>>8) - int(img.RGBAAt(x, y).R)
		worst = max(worst, d, -d)
	}
	if worst > 24 {
		t.Errorf("a pixel is off by %d", worst)
	}
}

// flag uses what our drawings use: a group with a transform, strokes, and dots of no length.
const flag = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 80" fill="none" stroke-linecap="round" stroke-width="6">
<path fill="#e5e8d2" d="M0 0h100v80H0z"/><g transform="translate(100 0) scale(-1 1)"><path d="M10 10h30v30h-30z" fill="#c83c1e" stroke="#2b2a22"/></g>
<path d="M50 70h.1" stroke="#2b2a22"/></svg>`

func TestRasteriseScalesStrokesAndDrawsDots(t *testing.T) {
	img, err := Rasterise([]byte(flag), 400)
	if err != nil {
		t.Fatal(err)
	}
	if img.Rect.Dx() != 400 || img.Rect.Dy() != 320 {
		t.Fatalf("size %v", img.Rect)
	}
	ink := color.RGBA{0x2b, 0x2a, 0x22, 255}
	for name, p := range map[string]image.Point{
		"dot": {200, 280}, "dot's edge, 10 of 12 pixels out": {200, 290}, "outline, mirrored": {360, 100}, "outline's edge": {369, 100},
	} {
		if !near(img.At(p.X, p.Y), ink) {
			t.Errorf("%s: %v", name, img.At(p.X, p.Y))
		}
	}
	if !near(img.At(300, 100), color.RGBA{0xc8, 0x3c, 0x1e, 255}) {
		t.Errorf("fill: %v", img.At(300, 100))
	}
}

func TestRasteriseRefusesWhatItCannotDraw(t *testing.T) {
	for _, svg := range []string{"", "no svg", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>`, `<svg viewBox="0 0 9 9"><path d="M0 0`} {
		if _, err := Rasterise([]byte(svg), 100); err == nil {
			t.Errorf("%q was drawn", svg)
		}
	}
}
