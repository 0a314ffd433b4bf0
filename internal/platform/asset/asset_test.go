package asset

import (
	"bytes"
	"compress/gzip"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/andybalholm/brotli"
)

func tree() fstest.MapFS {
	f := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"css/shop.css": f(`@import "base.css"; a{background:url("../img/a.svg#x")} b{src:url(../font/f.woff2)} c{background:url(data:image/png;base64,AA)} d{background:url(/abs.png)}` + strings.Repeat("/* long */", 50)),
		"css/base.css": f(`body{margin:0}`), "img/a.svg": f(`<svg/>`), "font/f.woff2": f("font"),
		"js/till.js": f("import { x } from \"./kit.js\";\nimport './kit.js'\nconst m = await import('./kit.js'); const s = './kit.js'"),
		"js/kit.js":  f("export const x = 1"), "embed.go": f("package static"),
	}
}

func get(t *testing.T, s *Set, url string) string {
	t.Helper()
	f, ok := s.Lookup(url)
	if !ok {
		t.Fatalf("%s not found", url)
	}
	return string(f.Data)
}

func TestAddressesCarryTheContent(t *testing.T) {
	s := New(tree(), "/static/")
	url := s.URL("css/shop.css")
	if !regexp.MustCompile(`^/static/css/shop\.[0-9a-f]{8}\.css$`).MatchString(url) {
		t.Fatalf("address %q", url)
	}
	changed := tree()
	changed["font/f.woff2"] = &fstest.MapFile{Data: []byte("new font")}
	if New(changed, "static").URL("css/shop.css") == url {
		t.Error("a changed font must change the sheet's address")
	}
	if !s.Immutable(url) || s.Immutable("/static/css/shop.css") || s.URL("css/none.css") != "/static/css/none.css" {
		t.Error("only hashed addresses are for ever")
	}
	if _, ok := s.Lookup("/static/embed.go"); ok {
		t.Error("Go files are not served")
	}
	if _, ok := s.Lookup("/static/../go.mod"); ok {
		t.Error("nothing outside is served")
	}
}

func TestReferencesAreRewrittenAndStayRelative(t *testing.T) {
	s := New(tree(), "static")
	css := get(t, s, s.URL("css/shop.css"))
	rel := func(name string) string { return strings.TrimPrefix(s.URL(name), "/static/") }
	for _, want := range []string{
		`@import "` + strings.TrimPrefix(rel("css/base.css"), "css/") + `"`, `url("../` + rel("img/a.svg") + `#x")`,
		`url(../` + rel("font/f.woff2") + `)`, `url(data:image/png;base64,AA)`, `url(/abs.png)`,
	} {
		if !strings.Contains(css, want) {
			t.Errorf("no %s in %.300s", want, css)
		}
	}
	kit := "./" + strings.TrimPrefix(rel("js/kit.js"), "js/")
	if js := get(t, s, "/static/js/till.js"); strings.Count(js, kit) != 3 || !strings.Contains(js, "s = './kit.js'") {
		t.Errorf("script: %s", js)
	}
	if len(s.Missing()) != 0 {
		t.Errorf("missing: %v", s.Missing())
	}
	broken := tree()
	broken["css/base.css"] = &fstest.MapFile{Data: []byte("a{background:url(gone.png)}")}
	if m := New(broken, "static").Missing(); len(m) != 1 || m[0] != "css/base.css -> gone.png" {
		t.Errorf("missing: %v", m)
	}
}

func TestFilesAreCompressedOnce(t *testing.T) {
	s := New(tree(), "static")
	f, _ := s.Lookup(s.URL("css/shop.css"))
	r, err := gzip.NewReader(bytes.NewReader(f.Gzip))
	if err != nil {
		t.Fatal(err)
	}
	plain, _ := io.ReadAll(r)
	unbrotlied, _ := io.ReadAll(brotli.NewReader(bytes.NewReader(f.Brotli)))
	if !bytes.Equal(plain, f.Data) || !bytes.Equal(unbrotlied, f.Data) || f.Type != "text/css; charset=utf-8" || len(f.ETag) != 24 {
		t.Errorf("type %q, etag %q", f.Type, f.ETag)
	}
	if f, _ := s.Lookup(s.URL("font/f.woff2")); f.Gzip != nil || f.Brotli != nil || f.Type != "font/woff2" {
		t.Error("fonts are compressed already")
	}
}

func TestLiveSeesSavedFiles(t *testing.T) {
	fsys := tree()
	s := Live(fsys, "static")
	url := s.URL("js/kit.js")
	fsys["js/kit.js"] = &fstest.MapFile{Data: []byte("export const x = 2")}
	if s.URL("js/kit.js") == url || s.Immutable(s.URL("js/kit.js")) {
		t.Error("the saved file was not seen")
	}
}

func TestCirclesStopTheProgram(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	New(fstest.MapFS{"a.css": {Data: []byte(`@import "b.css"`)}, "b.css": {Data: []byte(`@import "a.css"`)}}, "static")
}
