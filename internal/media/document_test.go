package media_test

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"io"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/testkit"
)

const pdf = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

func TestAPaperIsKeptPrivatelyAndWithoutWhatItCouldDo(t *testing.T) {
	s, blobs, d := setUp(t)
	ctx := context.Background()
	var who int64
	testkit.Scan(t, d, &who, `INSERT INTO account (email, email_proven_at, name, password_hash) VALUES ('a@b.vn', now(), 'A', 'x') RETURNING id`)
	keep := func(name string, data []byte) (media.Document, error) {
		return s.KeepDocument(ctx, media.Upload{Field: "file", Name: name, Data: data}, who)
	}
	a, err := keep(`C:\giay to\..\Quyết định 12.pdf`, []byte(pdf))
	if err != nil || a.Name != "Quyết định 12.pdf" || a.MIME != "application/pdf" {
		t.Fatalf("%+v, %v", a, err)
	}
	b, err := keep("Quyết định 12.pdf", []byte(pdf))
	if err != nil || b.ID == a.ID {
		t.Fatalf("the same file of somebody else is the same paper: %+v, %v", b, err)
	}
	got, r, err := s.OpenDocument(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := io.ReadAll(r)
	r.Close()
	if string(data) != pdf || got.Bytes != int64(len(pdf)) {
		t.Errorf("%+v, %q", got, data)
	}
	photo, err := keep("\r\nx: \"anh\".png", stripes(t, 2400, 1200))
	if err != nil || photo.MIME != "image/jpeg" || strings.ContainsAny(photo.Name, "\r\n\":/") {
		t.Fatalf("%+v, %v", photo, err)
	}
	_, r, err = s.OpenDocument(ctx, photo.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if c, err := jpeg.DecodeConfig(r); err != nil || c.Width != 1800 || c.Height != 900 {
		t.Errorf("%+v, %v", c, err)
	}
	if blobs.puts.Load() != 3 {
		t.Errorf("%d files", blobs.puts.Load())
	}
	if _, _, err := s.OpenDocument(ctx, 999); !errors.Is(err, apperr.New(apperr.NotFound, "media.document.missing")) {
		t.Error(err)
	}
	for name, bad := range map[string]struct {
		key  string
		data []byte
	}{
		"a page":       {"media.document.unknown", []byte("<html><script>alert(1)</script>")},
		"a drawing":    {"media.document.unknown", []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)},
		"two in one":   {"media.document.unknown", append([]byte("GIF89a"), pdf...)},
		"half":         {"media.file.broken", []byte("%PDF-1.4\n1 0 obj")},
		"with script":  {"media.document.active", []byte(strings.Replace(pdf, "/Catalog", "/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>", 1))},
		"with program": {"media.document.active", []byte(strings.Replace(pdf, "/Catalog", "/Catalog/AA<</S/Launch/F(x.exe)>>", 1))},
		"empty":        {"media.file.empty", nil},
		"large":        {"media.file.too_big", bytes.Repeat([]byte("%PDF-"), media.MaxDocument/5+1)},
	} {
		if _, err := keep(name, bad.data); !errors.Is(err, apperr.Field("file", bad.key)) {
			t.Errorf("%s: %v, want %s", name, err, bad.key)
		}
	}
}
