package kit

import (
	"fmt"
	"html/template"
	"strings"
	"sync"
	"testing"
)

type thing struct{ Name, URL string }

func TestAPartIsWrittenOncePerValueAndEscapedLikeAnyOther(t *testing.T) {
	p := &parts{set: template.Must(template.New("").Parse(`{{define "thing"}}<a href="{{.URL}}">{{.Name}}</a>{{end}}`))}
	page := template.Must(template.New("page").Funcs(template.FuncMap{"once": p.html}).Parse(
		`{{define "thing"}}<a href="{{.URL}}">{{.Name}}</a>{{end}}{{range .}}{{once "thing" .}}|{{template "thing" .}}{{"\n"}}{{end}}`))
	nasty := []thing{{"Chè <b>", "/a?x=1&y=2"}, {"Chè", "javascript:alert(1)"}, {"Chè <b>", "/a?x=1&y=2"}, {`"><script>`, `/"onclick="`}}
	var b strings.Builder
	if err := page.Execute(&b, nasty); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if once, plain, _ := strings.Cut(strings.TrimSpace(line), "|"); once != plain || once == "" {
			t.Errorf("%s\n%s", once, plain)
		}
	}
	if len(p.now) != 3 {
		t.Errorf("%d parts kept, want 3", len(p.now))
	}
}

func TestPartsAreForgottenWhenThereAreTooMany(t *testing.T) {
	p := &parts{set: template.Must(template.New("").Parse(`{{define "thing"}}{{.Name}}{{end}}`))}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 3 * partsMost {
				name := fmt.Sprint(w, i)
				if got, err := p.html("thing", thing{Name: name}); err != nil || string(got) != name {
					t.Error(got, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(p.now) + len(p.old); n > 2*partsMost {
		t.Errorf("%d parts kept", n)
	}
}
