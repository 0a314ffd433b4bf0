package asset

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

type file struct {
	name        string // css/shop.css
	hashed      string // css/shop.1a2b3c4d.css
	data        []byte
	gzip        []byte        // nil when compressing does not help
	brotli      func() []byte // made for the first reader who wants it, for it takes long
	contentType string
	etag        string
}

type builder struct {
	fsys    fs.FS
	names   []string
	done    map[string]*file
	open    map[string]bool // being built: meeting one again is a circle
	missing []string
}

func (b *builder) file(name string) *file {
	if f, ok := b.done[name]; ok {
		return f
	}
	if b.open[name] {
		panic(fmt.Sprintf("asset: %s refers to itself in a circle", name))
	}
	b.open[name] = true
	data, err := fs.ReadFile(b.fsys, name)
	if err != nil {
		panic("asset: " + err.Error())
	}
	data = b.rewrite(name, data)
	sum := sha256.Sum256(data)
	ext := path.Ext(name)
	f := &file{
		name:        name,
		hashed:      strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:4]) + ext,
		data:        data,
		gzip:        compress(ext, data),
		contentType: contentType(ext),
		etag:        hex.EncodeToString(sum[:12]),
	}
	f.brotli = sync.OnceValue(func() []byte {
		if f.gzip == nil {
			return nil
		}
		var out bytes.Buffer
		w := brotli.NewWriterLevel(&out, brotli.BestCompression)
		_, _ = w.Write(data) // memory does not fail
		_ = w.Close()
		return out.Bytes()
	})
	b.done[name] = f
	return f
}

// contentTypes are fixed here because the machine's own table differs from host to host.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".ico": "image/x-icon",
	".woff2": "font/woff2", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".txt": "text/plain; charset=utf-8", ".wav": "audio/wav", ".mp3": "audio/mpeg",
}

func contentType(ext string) string {
	if t, ok := contentTypes[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return "application/octet-stream"
}

// compress returns nil for files that are compressed already or gain less than a tenth.
func compress(ext string, data []byte) []byte {
	switch ext {
	case ".png", ".jpg", ".webp", ".woff2", ".mp3":
		return nil
	}
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	w.Write(data)                                           // memory does not fail
	w.Close()
	if out.Len() > len(data)*9/10 {
		return nil
	}
	return out.Bytes()
}

// A reference is the one group that matches; what is around it stays as written.
var (
	cssRefs = regexp.MustCompile(`url\(\s*(?:"([^"]+)"|'([^']+)'|([^"')\s]+))\s*\)|@import\s+(?:"([^"]+)"|'([^']+)')`)
	jsRefs  = regexp.MustCompile(`(?m)(?:^\s*import\s*|\bfrom\s*|\bimport\s*\(\s*)(?:"(\.{1,2}/[^"]+)"|'(\.{1,2}/[^']+)')`)
)

// rewrite replaces relative references by hashed ones. They stay relative, so the files
// work under any prefix.
func (b *builder) rewrite(name string, data []byte) []byte {
	var refs *regexp.Regexp
	switch path.Ext(name) {
	case ".css":
		refs = cssRefs
	case ".js", ".mjs":
		refs = jsRefs
	default:
		return data
	}
	var out []byte
	last := 0
	for _, m := range refs.FindAllSubmatchIndex(data, -1) {
		from, to := matched(m)
		ref := string(data[from:to])
		if !relative(ref) {
			continue
		}
		out = append(append(out, data[last:from]...), b.resolve(name, ref)...)
		last = to
	}
	return append(out, data[last:]...)
}

// matched is the span of the one group that matched.
func matched(m []int) (from, to int) {
	for i := 2; i < len(m); i += 2 {
		if m[i] >= 0 {
			return m[i], m[i+1]
		}
	}
	return m[1], m[1]
}

// relative leaves out absolute paths, fragments and addresses with a scheme (https:, data:).
func relative(ref string) bool {
	first, _, _ := strings.Cut(ref, "/")
	return ref != "" && ref[0] != '/' && ref[0] != '#' && !strings.Contains(first, ":")
}

func (b *builder) resolve(from, ref string) string {
	plain, tail := ref, ""
	if i := strings.IndexAny(ref, "?#"); i >= 0 {
		plain, tail = ref[:i], ref[i:]
	}
	target := path.Join(path.Dir(from), plain)
	if !slices.Contains(b.names, target) {
		b.missing = append(b.missing, from+" -> "+ref)
		return ref
	}
	hashed := path.Base(b.file(target).hashed)
	return strings.TrimSuffix(plain, path.Base(plain)) + hashed + tail
}
