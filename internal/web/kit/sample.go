package kit

import "choocop.vn/ocop/internal/platform/i18n"

// Sample is a page in one state, for the page gallery and the tests that look at every page.
type Sample struct {
	Page  string // name of the template, such as "shop/home"
	State string // in words of developers: "empty", "sold out"
	Part  string // the template that is rendered; empty means the whole page
	Model Model
}

// Gallery is an audience that has pages to show; the page gallery shows those of all.
type Gallery interface {
	Samples(l i18n.Locale) ([]Sample, error)
}

// Name is what the sample is called in the gallery and in reports.
func (s Sample) Name() string { return s.Page + ", " + s.State }

// SampleHTML renders a sample.
func (v *Views) SampleHTML(s Sample) ([]byte, error) {
	if s.Part != "" {
		return v.Part(s.Page, s.Part, s.Model)
	}
	return v.HTML(s.Page, s.Model)
}

// SamplePage is the frame of a sample, as NewPage makes it from a request for path.
func (v *Views) SamplePage(l i18n.Locale, path string) Page {
	return Page{Locale: l, Path: path, Demo: v.demo, Site: v.site}
}
