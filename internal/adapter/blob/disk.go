// Package blob keeps files by key: in a folder on disk, which may be a volume shared by several
// servers. It fills the interface that media declares.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"choocop.vn/ocop/internal/platform/ident"
)

// Disk keeps files under one folder. A file appears whole or not at all: it is written beside its
// place, brought to the disk, and renamed. Keys cannot leave the folder, not even through links.
type Disk struct{ root *os.Root }

// staging holds files being written; no key can name it, since parts of keys never start with a dot.
const staging = ".staging"

// NewDisk opens the folder, and makes it if need be.
func NewDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	if err := root.Mkdir(staging, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return &Disk{root: root}, nil
}

// ErrKey says that a key is not a clean relative path such as "a/bc/name.jpg".
var ErrKey = errors.New("blob: bad key")

func check(key string) error {
	if !fs.ValidPath(key) || key == "." || strings.HasPrefix(key, ".") || strings.Contains(key, "/.") ||
		strings.ContainsAny(key, "\\\x00:") {
		return fmt.Errorf("%w: %q", ErrKey, key)
	}
	return nil
}

// Put stores what r holds under key, replacing what was there in one step. The content type is
// not kept: on disk the key's ending says it.
func (d *Disk) Put(ctx context.Context, key, _ string, r io.Reader) error {
	if err := check(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := d.root.MkdirAll(path.Dir(key), 0o750); err != nil {
		return fmt.Errorf("blob: %w", err)
	}
	temp := staging + "/" + ident.Token()
	if err := d.write(temp, r); err != nil {
		_ = d.root.Remove(temp) // it may not exist; the first error is the one that matters
		return fmt.Errorf("blob: write %s: %w", key, err)
	}
	if err := d.root.Rename(temp, key); err != nil {
		_ = d.root.Remove(temp)
		return fmt.Errorf("blob: %w", err)
	}
	return nil
}

func (d *Disk) write(name string, r io.Reader) error {
	f, err := d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Open opens the file under key. The error is fs.ErrNotExist when there is none. The reader is an
// *os.File, so that a server may seek in it.
func (d *Disk) Open(_ context.Context, key string) (io.ReadCloser, error) {
	if err := check(key); err != nil {
		return nil, err
	}
	f, err := d.root.Open(key)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	return f, nil
}

// Has says whether there is a file under key.
func (d *Disk) Has(_ context.Context, key string) (bool, error) {
	if err := check(key); err != nil {
		return false, err
	}
	info, err := d.root.Stat(key)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("blob: %w", err)
	}
	return info.Mode().IsRegular(), nil
}

// Close lets go of the folder.
func (d *Disk) Close() error { return d.root.Close() }
