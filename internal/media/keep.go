package media

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"

	"choocop.vn/ocop/internal/platform/apperr"
)

// Keep checks an uploaded JPEG, PNG or WebP file, derives its renditions and returns the asset. The
// same bytes again give the same asset without new work. Errors for the person: media.file.empty,
// media.file.too_big, media.file.unknown, media.file.too_many_pixels, media.file.broken.
func (s *Service) Keep(ctx context.Context, u Upload) (Asset, error) {
	if err := u.checkSize(); err != nil {
		return Asset{}, err
	}
	return s.once(ctx, u.Data, func(a *Asset) ([]rendered, error) {
		h, err := u.inspect()
		if err != nil {
			return nil, err
		}
		if err := s.pixels.Acquire(ctx, h.pixels()); err != nil {
			return nil, err
		}
		defer s.pixels.Release(h.pixels())
		img, err := u.decode(h)
		if err != nil {
			return nil, err
		}
		a.Kind, a.MIME = PictureKind, h.mime
		a.Width, a.Height = h.turn.size(h.width, h.height)
		return derive(img, h.turn, PictureKind)
	})
}

// KeepDrawing rasterises one of our own SVG illustrations and derives its renditions. It is not for
// uploads: the reader of SVG is not hardened against files made to harm.
func (s *Service) KeepDrawing(ctx context.Context, svg []byte) (Asset, error) {
	return s.once(ctx, svg, func(a *Asset) ([]rendered, error) {
		img, err := Rasterise(svg, Widths[len(Widths)-1])
		if err != nil {
			return nil, err
		}
		a.Kind, a.MIME = DrawingKind, "image/svg+xml"
		a.Width, a.Height = img.Rect.Dx(), img.Rect.Dy()
		return derive(img, upright, DrawingKind)
	})
}

// once returns the asset of these bytes, or makes it. The files are stored before the rows, so a row
// never points at nothing; a crash between leaves files that the next try writes again.
func (s *Service) once(ctx context.Context, data []byte, derive func(*Asset) ([]rendered, error)) (Asset, error) {
	sum := sha256.Sum256(data)
	name := hex.EncodeToString(sum[:])
	v, err, _ := s.same.Do(name, func() (any, error) {
		if a, ok, err := s.byHash(ctx, sum[:]); err != nil || ok {
			return a, err
		}
		a := Asset{SHA256: sum[:], Bytes: int64(len(data))}
		pictures, err := derive(&a)
		if err != nil {
			return Asset{}, err
		}
		original := originalKey(name)
		if err := s.keepOriginal(ctx, original, a.MIME, data); err != nil {
			return Asset{}, fmt.Errorf("store original: %w", err)
		}
		rows, err := s.store(ctx, name, pictures)
		if err != nil {
			return Asset{}, err
		}
		return s.insert(ctx, a, original, rows)
	})
	if err != nil {
		if _, ours := apperr.As(err); ours {
			return Asset{}, err
		}
		return Asset{}, fmt.Errorf("media: keep: %w", err)
	}
	return v.(Asset), nil
}

// keepOriginal spares writing again what a try before this one, or another database, left there.
func (s *Service) keepOriginal(ctx context.Context, key, mime string, data []byte) error {
	if have, err := s.blobs.Has(ctx, key); err != nil || have {
		return err
	}
	return s.blobs.Put(ctx, key, mime, bytes.NewReader(data))
}

func (s *Service) store(ctx context.Context, sum string, pictures []rendered) ([]renditionRow, error) {
	rows := make([]renditionRow, 0, len(pictures))
	for _, p := range pictures {
		key := renditionKey(fileName(sum, p.width, p.format))
		if err := s.blobs.Put(ctx, key, p.format.mime(), bytes.NewReader(p.data)); err != nil {
			return nil, fmt.Errorf("store rendition: %w", err)
		}
		rows = append(rows, renditionRow{
			Format: p.format, Width: p.width, Height: p.height, Key: key, Bytes: int64(len(p.data)),
		})
	}
	return rows, nil
}

// header is what a file says of itself before it is decoded.
type header struct {
	format        string // as image.Decode names it
	mime          string
	width, height int // as stored, before turning
	turn          orientation
}

func (h header) pixels() int64 { return int64(h.width) * int64(h.height) }

func (u Upload) decode(h header) (image.Image, error) {
	img, format, err := image.Decode(bytes.NewReader(u.Data))
	if err != nil || format != h.format {
		return nil, u.fault("media.file.broken")
	}
	return img, nil
}
