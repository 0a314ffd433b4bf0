package media_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/blob"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

// counting counts what is written, and refuses once told to.
type counting struct {
	*blob.Disk
	puts  atomic.Int64
	fails atomic.Bool
}

func (c *counting) Put(ctx context.Context, key, contentType string, r io.Reader) error {
	if c.fails.Load() {
		return errors.New("disk full")
	}
	c.puts.Add(1)
	return c.Disk.Put(ctx, key, contentType, r)
}

func setUp(t *testing.T) (*media.Service, *counting, *db.DB) {
	t.Helper()
	disk, err := blob.NewDisk(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	d, c := testkit.DB(t), &counting{Disk: disk}
	return media.New(d, c, clock.Fixed(time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC))), c, d
}

func stripes(t *testing.T, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(x / 20 * 40), 120, uint8(y / 20 * 30), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func count(t *testing.T, d *db.DB, table string) (n int) {
	t.Helper()
	if err := d.Primary(t.Context()).Table(table).Select("count(*)").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKeepingTheSameFileTwiceIsOneAssetAndNoNewWork(t *testing.T) {
	s, blobs, d := setUp(t)
	data := stripes(t, 700, 500)
	first, err := s.Keep(t.Context(), media.Upload{Name: "a.png", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if first.Width != 700 || first.Height != 500 || first.MIME != "image/png" || first.Kind != media.PictureKind {
		t.Errorf("%+v", first)
	}
	written := blobs.puts.Load()
	second, err := s.Keep(t.Context(), media.Upload{Name: "other name.png", Data: data})
	if err != nil || second.ID != first.ID {
		t.Errorf("second %+v, %v; first %+v", second, err, first)
	}
	if now := blobs.puts.Load(); now != written || count(t, d, "media_asset") != 1 {
		t.Errorf("%d files written again", now-written)
	}
}

func TestManySendingOneFileAtOnceGetOneAsset(t *testing.T) {
	s, blobs, d := setUp(t)
	// A second server shares database and folder but not the first one's memory.
	other := media.New(d, blobs, clock.System())
	data := stripes(t, 400, 400)
	var ids [16]int64
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			<-start
			server := s
			if i%2 == 1 {
				server = other
			}
			a, err := server.Keep(context.Background(), media.Upload{Name: "a.png", Data: data})
			if err != nil {
				t.Error(err)
			}
			ids[i] = a.ID
		})
	}
	close(start)
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == 0 {
			t.Fatalf("ids %v", ids)
		}
	}
	if n := count(t, d, "media_asset"); n != 1 {
		t.Errorf("%d assets", n)
	}
}

func TestAFullDiskLeavesNoAssetAndTheNextTryWorks(t *testing.T) {
	s, blobs, d := setUp(t)
	up := media.Upload{Name: "a.png", Data: stripes(t, 200, 100)}
	blobs.fails.Store(true)
	if _, err := s.Keep(t.Context(), up); err == nil {
		t.Fatal("kept on a full disk")
	} else if _, ok := apperr.As(err); ok {
		t.Errorf("a fault was told as the person's mistake: %v", err)
	}
	if n := count(t, d, "media_asset"); n != 0 {
		t.Errorf("%d assets", n)
	}
	blobs.fails.Store(false)
	if _, err := s.Keep(t.Context(), up); err != nil {
		t.Error(err)
	}
}

func TestKeepRefusesBadFilesBesideTheirField(t *testing.T) {
	s, blobs, _ := setUp(t)
	whole := stripes(t, 300, 300)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "media.file.empty"},
		{make([]byte, media.MaxBytes+1), "media.file.too_big"},
		{[]byte("%PDF-1.7 not a picture"), "media.file.unknown"},
		{[]byte(drawing), "media.file.unknown"},
		{whole[:len(whole)/2], "media.file.broken"},
	} {
		_, err := s.Keep(t.Context(), media.Upload{Field: "photo", Name: "x.png", Data: c.data})
		l, ok := apperr.As(err)
		if !ok || len(l) != 1 || l[0].Key != c.want || l[0].Field != "photo" || l[0].Args["name"] != "x.png" {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if n := blobs.puts.Load(); n != 0 {
		t.Errorf("%d files written", n)
	}
}

const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" fill="none"><path fill="#e5e8d2" d="M0 0h400v400H0z"/>
<path d="M100 100C180 60 260 60 300 140C340 260 200 360 120 300Z" fill="#4f7d5a" stroke="#2b2a22" stroke-width="6"/></svg>`

func TestPicturesGivesWhatATemplateNeedsInOneStatement(t *testing.T) {
	s, _, _ := setUp(t)
	d, err := s.KeepDrawing(t.Context(), []byte(drawing))
	if err != nil {
		t.Fatal(err)
	}
	small, err := s.Keep(t.Context(), media.Upload{Name: "a.png", Data: stripes(t, 100, 50)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Pictures(t.Context(), []int64{d.ID, small.ID, 999})
	if err != nil || len(got) != 2 {
		t.Fatalf("%v, %v", got, err)
	}
	p := got[d.ID]
	if p.Width != 960 || p.Height != 960 || len(p.Sources) != 1 || p.Sources[0].Type != "image/webp" {
		t.Errorf("%+v", p)
	}
	for _, set := range []string{p.SrcSet, p.Sources[0].SrcSet} {
		if strings.Count(set, ", ") != 3 || !strings.HasSuffix(set, " 960w") || !strings.HasPrefix(set, media.Path) {
			t.Errorf("srcset %q", set)
		}
	}
	if !strings.HasSuffix(p.Src, "-640.jpg") || !strings.HasSuffix(p.URL(200), "-320.jpg") || !strings.HasSuffix(p.URL(5000), "-960.jpg") {
		t.Errorf("src %q, %q, %q", p.Src, p.URL(200), p.URL(5000))
	}
	if q := got[small.ID]; !strings.HasSuffix(q.Src, "-100.jpg") {
		t.Errorf("small src %q", q.Src)
	}
}

func TestOpenServesEveryAddressPicturesGives(t *testing.T) {
	s, _, _ := setUp(t)
	a, err := s.KeepDrawing(t.Context(), []byte(drawing))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Pictures(t.Context(), []int64{a.ID})
	if err != nil {
		t.Fatal(err)
	}
	p := got[a.ID]
	for _, part := range strings.Split(p.SrcSet+", "+p.Sources[0].SrcSet, ", ") {
		address, width, _ := strings.Cut(part, " ")
		r, mime, err := s.Open(t.Context(), strings.TrimPrefix(address, media.Path))
		if err != nil {
			t.Fatal(err)
		}
		c, format, err := image.DecodeConfig(r)
		r.Close()
		if err != nil || "image/"+format != mime || width != "160w" && c.Width == 160 {
			t.Errorf("%s: %+v %s as %s, %v", address, c, format, mime, err)
		}
	}
}

func TestOpenKnowsNoOtherName(t *testing.T) {
	s, _, _ := setUp(t)
	for _, name := range []string{
		"", "..", "0123456789abcdef-320.webp", "0123456789abcdef-320.svg", "../../original/ab",
		"0123456789abcdef-320.webp/../x", "0123456789ABCDEF-320.jpg", "0123456789abcdef-0320.jpg",
	} {
		_, _, err := s.Open(t.Context(), name)
		if l, ok := apperr.As(err); !ok || l[0].Kind != apperr.NotFound {
			t.Errorf("%q: %v", name, err)
		}
	}
}
