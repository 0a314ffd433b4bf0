package media

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"

	"choocop.vn/ocop/internal/platform/apperr"
)

// Path is where pages ask for pictures; what follows it is a name for Open.
const Path = "/anh/"

// Picture is what a template needs to show an asset: Width and Height keep its box, Src and SrcSet
// go on <img>, and each of Sources into a <source> before it.
type Picture struct {
	ID            int64
	Width, Height int
	Src           string // JPEG of middling size, for readers that know no srcset
	SrcSet        string // JPEG in every width
	Sources       []Source

	jpegs []shownRow // narrowest first
}

// Source is one better format of a picture.
type Source struct {
	Type   string // image/webp
	SrcSet string
}

// URL is the address of the narrowest JPEG at least width pixels wide, or of the widest there is:
// for mails, feeds and previews elsewhere.
func (p Picture) URL(width int) string {
	for _, r := range p.jpegs {
		if r.Width >= width {
			return r.url()
		}
	}
	if n := len(p.jpegs); n > 0 {
		return p.jpegs[n-1].url()
	}
	return ""
}

// Pictures finds the given assets in one statement. Unknown ids are simply absent.
func (s *Service) Pictures(ctx context.Context, ids []int64) (map[int64]Picture, error) {
	if len(ids) == 0 {
		return map[int64]Picture{}, nil
	}
	rows, err := s.renditions(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("media: pictures: %w", err)
	}
	out := make(map[int64]Picture, len(ids))
	for len(rows) > 0 { // one asset after another, each ordered by format and width
		n := 1
		for n < len(rows) && rows[n].AssetID == rows[0].AssetID {
			n++
		}
		p := picture(rows[:n])
		out[p.ID] = p
		rows = rows[n:]
	}
	return out, nil
}

// fallbackWidth suits a phone's full width and a card on a wide screen.
const fallbackWidth = 640

func picture(rows []shownRow) Picture {
	p := Picture{ID: rows[0].AssetID, Width: rows[0].AssetWidth, Height: rows[0].AssetHeight}
	var webps []shownRow
	for _, r := range rows {
		if r.Format == JPEG {
			p.jpegs = append(p.jpegs, r)
		} else {
			webps = append(webps, r)
		}
	}
	p.Src, p.SrcSet = p.URL(fallbackWidth), srcset(p.jpegs)
	if len(webps) > 0 {
		p.Sources = []Source{{Type: WebP.mime(), SrcSet: srcset(webps)}}
	}
	return p
}

func srcset(rows []shownRow) string {
	parts := make([]string, len(rows))
	for i, r := range rows {
		parts[i] = fmt.Sprintf("%s %dw", r.url(), r.Width)
	}
	return strings.Join(parts, ", ")
}

// A rendition's name holds 64 bits of the hash: enough that two files never meet by chance. Should
// somebody force it, the key is unique in the table.
const hashLetters = 16

func fileName(sum string, width int, f Format) string {
	return fmt.Sprintf("%s-%d.%s", sum[:hashLetters], width, f.extension())
}

func renditionKey(name string) string { return "rendition/" + name[:2] + "/" + name }

func originalKey(sum string) string { return "original/" + sum[:2] + "/" + sum }

func (r shownRow) url() string { return Path + r.Key[strings.LastIndexByte(r.Key, '/')+1:] }

var namePattern = regexp.MustCompile(`^[0-9a-f]{16}-[1-9][0-9]{0,3}\.(webp|jpg)$`)

// Open opens a rendition by the last part of its address and says its content type. Content under
// one name never changes. It returns a NotFound error for any other name. The caller closes it.
func (s *Service) Open(ctx context.Context, name string) (io.ReadCloser, string, error) {
	m := namePattern.FindStringSubmatch(name)
	if m == nil {
		return nil, "", apperr.New(apperr.NotFound, "media.picture.unknown")
	}
	r, err := s.blobs.Open(ctx, renditionKey(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", apperr.New(apperr.NotFound, "media.picture.unknown")
	}
	if err != nil {
		return nil, "", fmt.Errorf("media: open %s: %w", name, err)
	}
	if m[1] == "webp" {
		return r, WebP.mime(), nil
	}
	return r, JPEG.mime(), nil
}
