package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
	"unicode"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/ident"
)

// MaxDocument is the most bytes of a private paper.
const MaxDocument = 15 << 20

// Document is a private paper: a PDF as it was sent, or a photograph of one, encoded afresh without where it was taken.
// It has no address of its own; the record that holds it says who may open it.
type Document struct {
	ID        int64
	Name      string
	MIME      string
	Bytes     int64
	CreatedAt time.Time

	key string
}

// paperWidth keeps the small print of an A4 page readable.
const paperWidth = 1800

// KeepDocument checks a PDF, JPEG, PNG or WebP file and keeps it for whoever may see the record that will name it. The
// same file twice is two papers: who may open one says nothing of the other. Errors for the person: media.file.empty,
// media.file.too_big, media.document.unknown, media.document.active, media.file.too_many_pixels, media.file.broken.
func (s *Service) KeepDocument(ctx context.Context, u Upload, accountID int64) (Document, error) {
	if len(u.Data) > MaxDocument {
		return Document{}, u.fault("media.file.too_big", "max", MaxDocument>>20)
	}
	if err := u.checkSize(); err != nil {
		return Document{}, err
	}
	d := Document{Name: plainName(u.Name), MIME: "application/pdf", CreatedAt: s.clock.Now()}
	data := u.Data
	if bytes.HasPrefix(data, []byte("%PDF-")) {
		if err := u.checkPDF(); err != nil {
			return Document{}, err
		}
	} else {
		var err error
		if data, err = s.paper(ctx, u); err != nil {
			return Document{}, err
		}
		d.MIME = "image/jpeg"
	}
	d.Bytes, d.key = int64(len(data)), "document/"+ident.Token()
	if err := s.blobs.Put(ctx, d.key, d.MIME, bytes.NewReader(data)); err != nil {
		return Document{}, fmt.Errorf("media: keep document: %w", err)
	}
	if err := s.insertDocument(ctx, &d, accountID); err != nil {
		return Document{}, fmt.Errorf("media: keep document: %w", err)
	}
	return d, nil
}

// paper is a photographed page: upright, bearable in size, and nothing but the picture.
func (s *Service) paper(ctx context.Context, u Upload) ([]byte, error) {
	h, err := u.inspect()
	if err != nil {
		if found, ok := apperr.As(err); ok && found[0].Key == "media.file.unknown" {
			return nil, u.fault("media.document.unknown")
		}
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
	w, high := h.turn.size(h.width, h.height)
	if w > paperWidth {
		w, high = paperWidth, heightFor(paperWidth, w, high)
	}
	sw, sh := h.turn.size(w, high)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, h.turn.apply(resize(img, sw, sh)), &jpeg.Options{Quality: jpegQuality}); err != nil {
		return nil, fmt.Errorf("media: paper: %w", err)
	}
	return b.Bytes(), nil
}

// checkPDF refuses what is no whole PDF and what would do something when it is opened.
func (u Upload) checkPDF() error {
	tail := u.Data[max(0, len(u.Data)-1024):]
	if !bytes.Contains(tail, []byte("%%EOF")) {
		return u.fault("media.file.broken")
	}
	for _, deed := range []string{"/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/RichMedia", "/XFA"} {
		if names(u.Data, deed) {
			return u.fault("media.document.active")
		}
	}
	return nil
}

// names reports whether a PDF holds the name, and not only a longer one that begins with it.
func names(data []byte, name string) bool {
	for {
		i := bytes.Index(data, []byte(name))
		if i < 0 {
			return false
		}
		data = data[i+len(name):]
		if len(data) > 0 && strings.ContainsRune(" \t\r\n\x00\f/<>[](){}%", rune(data[0])) {
			return true
		}
	}
}

// plainName is the last part of what the person calls the file, without what a header or a path could stumble over.
func plainName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(" ._-()", r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(name, ""))
	name = strings.Trim(name, " .")
	if r := []rune(name); len(r) > 120 {
		name = string(r[len(r)-120:])
	}
	if name == "" {
		return "document"
	}
	return name
}

// Documents finds papers by id, in one statement. It asks nobody's right: the caller found the ids in a record of the person's.
func (s *Service) Documents(ctx context.Context, ids []int64) (map[int64]Document, error) {
	if len(ids) == 0 {
		return map[int64]Document{}, nil
	}
	found, err := s.documents(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("media: documents: %w", err)
	}
	return found, nil
}

// OpenDocument opens a paper; the caller closes it, and answers for the right as in [Service.Documents]. It returns a NotFound
// error for an id that was never given.
func (s *Service) OpenDocument(ctx context.Context, id int64) (Document, io.ReadCloser, error) {
	found, err := s.Documents(ctx, []int64{id})
	if err != nil {
		return Document{}, nil, err
	}
	d, ok := found[id]
	if !ok {
		return Document{}, nil, apperr.New(apperr.NotFound, "media.document.missing")
	}
	r, err := s.blobs.Open(ctx, d.key)
	if errors.Is(err, fs.ErrNotExist) {
		return Document{}, nil, apperr.New(apperr.NotFound, "media.document.missing")
	}
	if err != nil {
		return Document{}, nil, fmt.Errorf("media: open document: %w", err)
	}
	return d, r, nil
}
