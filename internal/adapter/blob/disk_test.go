package blob_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"choocop.vn/ocop/internal/adapter/blob"
)

func open(t *testing.T, dir string) *blob.Disk {
	t.Helper()
	d, err := blob.NewDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func TestPutThenOpenGivesTheSameBytes(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "new", "folder"))
	for _, content := range []string{"one", "another, longer"} {
		if err := d.Put(t.Context(), "a/bc/name.jpg", "image/jpeg", strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		r, err := d.Open(t.Context(), "a/bc/name.jpg")
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(r)
		r.Close()
		if string(got) != content {
			t.Errorf("%q, want %q", got, content)
		}
	}
	if ok, err := d.Has(t.Context(), "a/bc/name.jpg"); !ok || err != nil {
		t.Errorf("has: %v, %v", ok, err)
	}
	if ok, err := d.Has(t.Context(), "a/bc"); ok || err != nil {
		t.Errorf("has a folder: %v, %v", ok, err)
	}
}

func TestOpenSaysWhenThereIsNone(t *testing.T) {
	d := open(t, t.TempDir())
	if _, err := d.Open(t.Context(), "a/none.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if ok, err := d.Has(t.Context(), "a/none.jpg"); ok || err != nil {
		t.Errorf("has: %v, %v", ok, err)
	}
}

func TestKeysStayInTheFolder(t *testing.T) {
	base := t.TempDir()
	secret := filepath.Join(base, "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := open(t, filepath.Join(base, "blobs"))
	for _, key := range []string{
		"", ".", "..", "../secret", "a/../../secret", "/etc/passwd", "a//b", "a/./b", "a/", "a\\..\\b", "a\x00b", ".staging/x", "a/.hidden",
	} {
		if err := d.Put(t.Context(), key, "", strings.NewReader("y")); !errors.Is(err, blob.ErrKey) {
			t.Errorf("put %q: %v", key, err)
		}
		if _, err := d.Open(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("open %q: %v", key, err)
		}
		if _, err := d.Has(t.Context(), key); !errors.Is(err, blob.ErrKey) {
			t.Errorf("has %q: %v", key, err)
		}
	}
	if err := os.Symlink(base, filepath.Join(base, "blobs", "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Open(t.Context(), "link/secret"); err == nil {
		t.Error("followed a link out of the folder")
	}
}

// torn gives half of its content and then fails.
type torn struct{ sent bool }

func (r *torn) Read(p []byte) (int, error) {
	if r.sent {
		return 0, errors.New("connection lost")
	}
	r.sent = true
	return copy(p, "half"), nil
}

func TestAFailedPutLeavesTheOldFileAndNoRest(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	if err := d.Put(t.Context(), "a/x", "", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	if err := d.Put(t.Context(), "a/x", "", &torn{}); err == nil {
		t.Fatal("no error")
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "a", "x")); string(got) != "old" {
		t.Errorf("%q", got)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, ".staging")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestReadersNeverSeeHalfAFile(t *testing.T) {
	d := open(t, t.TempDir())
	pages := [2][]byte{bytes.Repeat([]byte("a"), 1<<16), bytes.Repeat([]byte("b"), 1<<16)}
	if err := d.Put(t.Context(), "x", "", bytes.NewReader(pages[0])); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 20 {
				if err := d.Put(t.Context(), "x", "", bytes.NewReader(pages[(w+i)%2])); err != nil {
					t.Error(err)
				}
				r, err := d.Open(t.Context(), "x")
				if err != nil {
					t.Error(err)
					return
				}
				got, _ := io.ReadAll(r)
				r.Close()
				if !bytes.Equal(got, pages[0]) && !bytes.Equal(got, pages[1]) {
					t.Errorf("%d bytes, torn", len(got))
				}
			}
		})
	}
	wg.Wait()
}
