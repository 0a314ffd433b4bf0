package media

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"

	"github.com/HugoSmits86/nativewebp"
	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// jpegQuality keeps grain and lettering on packs clean; 82 is where files stop shrinking much.
const jpegQuality = 82

// Format is the file format of a rendition.
type Format string

// The formats renditions come in.
const (
	WebP Format = "webp"
	JPEG Format = "jpeg"
)

func (f Format) mime() string { return "image/" + string(f) }

func (f Format) extension() string {
	if f == JPEG {
		return "jpg"
	}
	return string(f)
}

// rendered is one derived file.
type rendered struct {
	format        Format
	width, height int
	data          []byte
}

// derive makes all renditions of a picture. WebP comes in every width or in none, since a browser
// that takes it looks no further; it comes when all its files together are smaller than the JPEGs.
func derive(img image.Image, turn orientation, kind Kind) ([]rendered, error) {
	var jpegs, webps []rendered
	var jpegBytes, webpBytes int
	wanted := true
	for _, scaled := range scales(img, turn) {
		j, err := encode(JPEG, scaled)
		if err != nil {
			return nil, err
		}
		jpegs, jpegBytes = append(jpegs, j), jpegBytes+len(j.data)
		if !wanted {
			continue
		}
		w, err := encode(WebP, scaled)
		if err != nil {
			// The JPEGs are enough to show the picture.
			slog.Warn("media: picture left without WebP", "err", err)
			wanted = false
			continue
		}
		webps, webpBytes = append(webps, w), webpBytes+len(w.data)
		// The smallest size tells a photograph; sparing the large ones saves seconds.
		wanted = kind == DrawingKind || webpBytes < jpegBytes
	}
	if wanted && webpBytes < jpegBytes {
		return append(jpegs, webps...), nil
	}
	return jpegs, nil
}

// scales returns the picture upright, on white, in each width it gets, smallest first.
func scales(img image.Image, turn orientation) []*image.RGBA {
	w, h := turn.size(img.Bounds().Dx(), img.Bounds().Dy())
	widths := widthsFor(w)
	top := widths[len(widths)-1]
	// The original is read once, at the largest size; turning that is cheap, and each smaller size
	// comes from the one above it.
	sw, sh := turn.size(top, heightFor(top, w, h))
	out := make([]*image.RGBA, len(widths))
	out[len(out)-1] = turn.apply(resize(img, sw, sh))
	for i := len(out) - 2; i >= 0; i-- {
		out[i] = resize(out[i+1], widths[i], heightFor(widths[i], w, h))
	}
	return out
}

func widthsFor(own int) []int {
	var out []int
	for _, w := range Widths {
		if w < own {
			out = append(out, w)
		}
	}
	if largest := Widths[len(Widths)-1]; own <= largest {
		out = append(out, own)
	}
	return out
}

func heightFor(width, w, h int) int { return max(1, (h*width+w/2)/w) }

// resize scales src to w by h on a white ground.
func resize(src image.Image, w, h int) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
	if b := src.Bounds(); b.Dx() == w && b.Dy() == h {
		draw.Draw(dst, dst.Rect, src, b.Min, draw.Over)
	} else {
		draw.CatmullRom.Scale(dst, dst.Rect, src, b, draw.Over, nil)
	}
	return dst
}

func encode(f Format, img *image.RGBA) (rendered, error) {
	var b bytes.Buffer
	var err error
	switch f {
	case JPEG:
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: jpegQuality})
	case WebP:
		err = encodeWebP(&b, img)
	}
	if err != nil {
		return rendered{}, fmt.Errorf("encode %s: %w", f, err)
	}
	return rendered{format: f, width: img.Rect.Dx(), height: img.Rect.Dy(), data: b.Bytes()}, nil
}

// paletteLoss is the largest mean squared error per channel at which a palette still looks the same.
const paletteLoss = 6

// encodeWebP writes lossless WebP, through a palette when the picture has few enough colours
// for nobody to see the difference: that makes drawings several times smaller.
func encodeWebP(b *bytes.Buffer, img *image.RGBA) error {
	var wanted image.Image = img
	at := func(i int) uint32 { return rgb(img.Pix[i*4:]) }
	// The encoder does not pack the pixels of a palette of 16 or fewer, as the format demands.
	if p, palette, loss := quantise(img, 256); loss <= paletteLoss && len(palette) > 16 {
		wanted = p
		at = func(i int) uint32 { return palette[p.Pix[i]] }
	}
	if err := nativewebp.Encode(b, wanted, nil); err != nil {
		return err
	}
	return readBack(b.Bytes(), img.Rect.Size(), at)
}

// readBack decodes what was just encoded and compares it with the colour wanted at each pixel: the
// encoder is young, and a picture that browsers cannot show is worse than none.
func readBack(data []byte, size image.Point, at func(i int) uint32) error {
	decoded, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	got, ok := decoded.(*image.NRGBA)
	if !ok || got.Rect.Size() != size || len(got.Pix) != size.X*size.Y*4 {
		return fmt.Errorf("read back: %T of another size", decoded)
	}
	for i := range size.X * size.Y {
		if rgb(got.Pix[i*4:]) != at(i) {
			return fmt.Errorf("read back: another colour at pixel %d", i)
		}
	}
	return nil
}

// quantise maps the picture to its n most used colours, without dithering, and says the
// palette as 0xrrggbb and the mean squared error per channel. In drawings a few flat colours fill nearly everything and the rest are
// the blends along outlines, so frequency is a good measure. Near-equal colours count as one, the
// commonest standing for all.
func quantise(img *image.RGBA, n int) (*image.Paletted, []uint32, float64) {
	counts := map[uint32]int{}
	for i := 0; i < len(img.Pix); i += 4 {
		counts[rgb(img.Pix[i:])]++
	}
	exact := make([]paint, 0, len(counts))
	for c, k := range counts {
		exact = append(exact, paint{c, k, k})
	}
	sortPaints(exact)
	palette := pickPalette(exact, n)

	index := make(map[uint32]uint8, len(exact))
	var loss float64
	for _, e := range exact {
		i, d := nearest(palette, e.colour)
		index[e.colour] = uint8(i)
		loss += float64(d) * float64(e.count)
	}
	colours := make(color.Palette, len(palette))
	for i, p := range palette {
		colours[i] = color.RGBA{uint8(p >> 16), uint8(p >> 8), uint8(p), 255}
	}
	out := image.NewPaletted(img.Rect, colours)
	for i := 0; i < len(img.Pix); i += 4 {
		out.Pix[i/4] = index[rgb(img.Pix[i:])]
	}
	return out, palette, loss / float64(len(out.Pix)*3)
}
