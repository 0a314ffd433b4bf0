package shop

import (
	"html/template"
	"net/url"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// asTemplate is what FacetList writes by hand.
var asTemplate = template.Must(template.New("").Parse(`{{define "item"}}<li><a href="{{.URL}}"{{if .Current}} aria-current="true"{{end}} rel="nofollow"><span>{{.Text}}</span><span class="n num">{{.N}}</span></a>{{if .Items}}<ul>{{range .Items}}{{template "item" .}}{{end}}</ul>{{end}}</li>{{end}}` +
	`{{range .Facets}}<details{{if .Open}} open{{end}}><summary>{{.Title}}</summary><ul{{if .Long}} class="scroll" tabindex="0"{{end}}>{{range .Items}}{{template "item" .}}{{end}}</ul></details>{{end}}`))

func TestFacetsAreWrittenAsATemplateWouldWriteThem(t *testing.T) {
	p := kit.Page{Locale: i18n.EN}
	q := query{url.Values{paramQ: {`<script>"'&+ mật`}, paramStars: {"3", "5"}, paramSort: {"ten"}}}
	nasty := `Chè <b onclick="alert('1')"> & trà`
	m := &List{Facets: []Facet{
		{Title: nasty, Open: true, Items: []FacetItem{
			{Link: Link{Text: nasty, URL: q.toward(&p, paramCategory)(nasty), N: "1,234", Current: true}, Items: []FacetItem{{Link: Link{Text: "Trà", URL: "/san-pham", N: "5"}}}},
			{Link: Link{Text: "Gạo", URL: q.with(&p, paramQ), N: "0"}},
		}},
		{Title: "Tỉnh", Long: true},
	}}
	var want strings.Builder
	if err := asTemplate.Execute(&want, m); err != nil {
		t.Fatal(err)
	}
	// The one difference: a template writes the plus sign as a reference too.
	if got := string(m.FacetList()); got != strings.ReplaceAll(want.String(), "&#43;", "+") {
		t.Errorf("%s\n%s", got, want.String())
	}
}

func TestLinksThatShareAStartLeadWhereOthersDo(t *testing.T) {
	p := kit.Page{Locale: i18n.EN}
	for _, values := range []url.Values{{}, {paramQ: {"a b&c"}}, {paramProvince: {"01"}}, {paramQ: {"é"}, paramStars: {"3", "4"}, paramProvince: {"01"}, paramCategory: {"che"}, paramStock: {"1"}}} {
		q := query{values}
		for _, name := range []string{paramCategory, paramProvince, paramPrice, paramStock} {
			for _, value := range []string{"1", "-100000", "một & hai"} {
				if got, want := q.toward(&p, name)(value), q.with(&p, name, value); got != want {
					t.Errorf("%s, not %s", got, want)
				}
			}
		}
	}
}
