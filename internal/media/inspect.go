package media

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/jpeg" // formats people may upload
	_ "image/png"

	"choocop.vn/ocop/internal/platform/apperr"
)

var mimes = map[string]string{"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}

func (u Upload) fault(key string, args ...any) error {
	return apperr.Field(u.Field, key, append([]any{"name", u.Name}, args...)...)
}

func (u Upload) checkSize() error {
	switch {
	case len(u.Data) == 0:
		return u.fault("media.file.empty")
	case len(u.Data) > MaxBytes:
		return u.fault("media.file.too_big", "max", MaxBytes>>20)
	}
	return nil
}

// inspect reads only the head of the file: what its bytes say it is, whatever its name, and how big
// it would grow. A few kilobytes can claim to be gigabytes of pixels; those are never decoded.
func (u Upload) inspect() (header, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(u.Data))
	if err == image.ErrFormat {
		return header{}, u.fault("media.file.unknown")
	}
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return header{}, u.fault("media.file.broken")
	}
	if int64(c.Width)*int64(c.Height) > MaxPixels {
		return header{}, u.fault("media.file.too_many_pixels", "max", MaxPixels/1_000_000)
	}
	h := header{format: format, mime: mimes[format], width: c.Width, height: c.Height, turn: upright}
	if format == "jpeg" {
		h.turn = jpegOrientation(u.Data)
	}
	return h, nil
}

// orientation is the EXIF number 1 to 8 that says how a camera was held.
type orientation int

const upright orientation = 1

// size is the width and height of a w by h picture once it is turned upright.
func (o orientation) size(w, h int) (int, int) {
	if o >= 5 {
		return h, w
	}
	return w, h
}

// source is the place in the stored picture of size w by h that shows at (x, y) of the upright one.
func (o orientation) source(x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}

// apply turns a picture upright.
func (o orientation) apply(src *image.RGBA) *image.RGBA {
	if o == upright {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dw, dh := o.size(w, h)
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range dh {
		for x := range dw {
			sx, sy := o.source(x, y, w, h)
			copy(dst.Pix[y*dst.Stride+x*4:][:4], src.Pix[sy*src.Stride+sx*4:][:4])
		}
	}
	return dst
}

// jpegOrientation reads tag 0x0112 of the EXIF block, which stands before the picture data.
// Anything it does not understand counts as upright.
func jpegOrientation(b []byte) orientation {
	for i := 2; i+4 <= len(b) && b[i] == 0xff; {
		marker, size := b[i+1], int(binary.BigEndian.Uint16(b[i+2:]))
		if marker == 0xff { // fill byte
			i++
			continue
		}
		if marker == 0xda || size < 2 || i+2+size > len(b) {
			break
		}
		body := b[i+4 : i+2+size]
		if rest, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); marker == 0xe1 && ok {
			return exifOrientation(rest)
		}
		i += 2 + size
	}
	return upright
}

func exifOrientation(tiff []byte) orientation {
	if len(tiff) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return upright
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == 0x0112 {
			if o := orientation(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			break
		}
		entries = entries[12:]
	}
	return upright
}
