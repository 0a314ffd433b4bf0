// Package asset gives static files addresses that change with their content, so that a
// browser may keep them for ever and still never shows an old one. Files are read,
// rewritten, hashed and compressed once.
package asset

import (
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Set is the static files of the program under one address prefix. Safe for concurrent use.
type Set struct {
	prefix  string
	byName  map[string]*file // by plain and by hashed name
	missing []string
	live    fs.FS // development only: built anew on each question
}

// New reads every file of fsys, served below prefix ("/static"). References between files
// (url(…) and @import in style sheets, import in modules) are rewritten to the hashed
// names, so a changed font changes the sheet's address too. It panics when a file cannot be
// read or files refer to each other in a circle: that is a fault of the build.
func New(fsys fs.FS, prefix string) *Set {
	b := builder{fsys: fsys, done: map[string]*file{}, open: map[string]bool{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) == ".go" {
			return err
		}
		b.names = append(b.names, name)
		return nil
	})
	if err != nil {
		panic("asset: " + err.Error())
	}
	s := &Set{prefix: clean(prefix), byName: map[string]*file{}}
	for _, name := range b.names {
		f := b.file(name)
		s.byName[f.name], s.byName[f.hashed] = f, f
	}
	s.missing = b.missing
	return s
}

// Live is a Set for development: it reads fsys again on every question, so that a saved
// file is seen at the next load.
func Live(fsys fs.FS, prefix string) *Set { return &Set{prefix: clean(prefix), live: fsys} }

func clean(prefix string) string { return "/" + strings.Trim(prefix, "/") }

func (s *Set) now() *Set {
	if s.live == nil {
		return s
	}
	return New(s.live, s.prefix)
}

// URL is the address of a file, such as /static/css/shop.1a2b3c4d.css for css/shop.css. An
// unknown name gets its plain address, which answers not found.
func (s *Set) URL(name string) string {
	name = strings.TrimPrefix(name, "/")
	if f, ok := s.now().byName[name]; ok {
		return s.prefix + "/" + f.hashed
	}
	return s.prefix + "/" + name
}

// Has reports whether there is a file of that name.
func (s *Set) Has(name string) bool {
	_, ok := s.now().byName[name]
	return ok
}

// File is one file as it is sent. Gzip and Brotli are nil when it is better sent as it is. The bytes must not be changed.
type File struct {
	Data, Gzip, Brotli []byte
	Type               string
	ETag               string // without quotes
}

// Lookup finds a file by the path of a request, with the prefix, hashed or plain.
func (s *Set) Lookup(urlPath string) (File, bool) {
	name, ok := strings.CutPrefix(urlPath, s.prefix+"/")
	if !ok {
		return File{}, false
	}
	f, ok := s.now().byName[name]
	if !ok {
		return File{}, false
	}
	out := File{Data: f.data, Gzip: f.gzip, Type: f.contentType, ETag: f.etag}
	if s.live == nil {
		out.Brotli = f.brotli()
	}
	return out, true
}

// Immutable reports whether what is at this path can never change, because the path holds
// the hash of the content. Other paths must be asked for again with their etag.
func (s *Set) Immutable(urlPath string) bool {
	name, ok := strings.CutPrefix(urlPath, s.prefix+"/")
	if !ok || s.live != nil {
		return false
	}
	f, ok := s.byName[name]
	return ok && name == f.hashed
}

// Missing lists references from one file to another that does not exist, as "from -> to".
func (s *Set) Missing() []string { return slices.Clone(s.now().missing) }
