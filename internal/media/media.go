// Package media keeps the pictures of the shop: it checks what people upload, derives the sizes and
// formats that pages show, and says where they are. It also keeps private papers, which have no address of their own.
// It owns media_asset, media_rendition and media_document.
//
// Promises: a row in media_asset means that every rendition of it is stored. An asset is known by the
// SHA-256 of the file it came from, so the same file twice is one asset. Originals are kept to derive
// anew one day but are never served: they may carry where and when a photograph was taken. Renditions
// are encoded afresh and carry nothing but the picture; their addresses hold the hash, so a browser
// may keep them for ever.
//
// Formats: JPEG always, and lossless WebP where it is smaller, which it is for drawings. There is no
// encoder for AVIF or lossy WebP in pure Go.
package media

import (
	"context"
	"io"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Limits of an upload.
const (
	MaxBytes  = 25 << 20
	MaxPixels = 50_000_000
)

// Widths are the rendition widths in pixels. A smaller picture is never enlarged: it gets those
// below its own width, and its own.
var Widths = []int{160, 320, 640, 960}

// Blobs stores files by key. Put replaces a file in one step. Open returns an error that is
// fs.ErrNotExist for a key that was never put.
type Blobs interface {
	Put(ctx context.Context, key, contentType string, r io.Reader) error
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	Has(ctx context.Context, key string) (bool, error)
}

// Kind says where an asset came from.
type Kind string

// The kinds of asset.
const (
	PictureKind Kind = "picture" // a file somebody uploaded
	DrawingKind Kind = "drawing" // one of our own SVG illustrations
)

// Upload is a file as it came from a form.
type Upload struct {
	Field string // form field that errors belong beside; empty for the whole form
	Name  string // what the person calls the file; only repeated in errors
	Data  []byte
}

// Asset is one kept picture. Width and Height are in pixels as it is seen, turned upright.
type Asset struct {
	ID     int64
	SHA256 []byte
	Kind   Kind
	MIME   string
	Width  int
	Height int
	Bytes  int64
}

// Service keeps and finds pictures.
type Service struct {
	db    *db.DB
	blobs Blobs
	clock clock.Clock

	same   singleflight.Group  // one derivation per file, however often it is sent at once
	pixels *semaphore.Weighted // decoded pixels in memory at one time
}

// New returns a Service that keeps its files in blobs.
func New(d *db.DB, blobs Blobs, c clock.Clock) *Service {
	return &Service{db: d, blobs: blobs, clock: c, pixels: semaphore.NewWeighted(MaxPixels)}
}
