package shop

import (
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// Facet is a way to narrow the list.
type Facet struct {
	Title      string
	Open, Long bool
	Items      []FacetItem
}

// FacetItem is one choice; groups have the choices below them.
type FacetItem struct {
	Link
	Items []FacetItem
}

// toward is with for a parameter that many links give different values: what stands around the value is written once.
// No value is empty.
func (q query) toward(p *kit.Page, name string) func(value string) string {
	before, after := url.Values{}, url.Values{}
	for k, values := range q.Values {
		if k < name {
			before[k] = values
		} else if k > name {
			after[k] = values
		}
	}
	start, end := p.URL("/san-pham")+"?", after.Encode()
	if len(before) > 0 {
		start += before.Encode() + "&"
	}
	start += url.QueryEscape(name) + "="
	if end != "" {
		end = "&" + end
	}
	return func(value string) string { return start + url.QueryEscape(value) + end }
}

// FacetList writes the facets. They have about a hundred links, for which the template took a third of the time of the
// whole page; so they are written by hand. Every text and address is escaped here, and addresses are the program's own.
func (m *List) FacetList() template.HTML {
	var b strings.Builder
	b.Grow(16 << 10)
	for _, f := range m.Facets {
		b.WriteString("<details")
		if f.Open {
			b.WriteString(" open")
		}
		b.WriteString("><summary>")
		b.WriteString(template.HTMLEscapeString(f.Title))
		b.WriteString("</summary><ul")
		if f.Long {
			b.WriteString(` class="scroll" tabindex="0"`)
		}
		b.WriteString(">")
		for _, item := range f.Items {
			item.write(&b)
		}
		b.WriteString("</ul></details>")
	}
	return template.HTML(b.String())
}

func (i FacetItem) write(b *strings.Builder) {
	b.WriteString(`<li><a href="`)
	b.WriteString(template.HTMLEscapeString(i.URL))
	b.WriteString(`"`)
	if i.Current {
		b.WriteString(` aria-current="true"`)
	}
	b.WriteString(` rel="nofollow"><span>`)
	b.WriteString(template.HTMLEscapeString(i.Text))
	b.WriteString(`</span><span class="n num">`)
	b.WriteString(template.HTMLEscapeString(i.N))
	b.WriteString(`</span></a>`)
	if len(i.Items) > 0 {
		b.WriteString("<ul>")
		for _, below := range i.Items {
			below.write(b)
		}
		b.WriteString("</ul>")
	}
	b.WriteString("</li>")
}

func (m *List) facets(f storefront.Filter, q query, data storefront.Listing) {
	p := &m.Page
	toggles := func(name string) func(bool, string) string {
		without, with := q.with(p, name), q.toward(p, name)
		return func(selected bool, value string) string {
			if selected {
				return without
			}
			return with(value)
		}
	}
	toggle := toggles(paramCategory)
	groups := Facet{Title: m.T("list.facet.group"), Open: true}
	for _, g := range data.Facets.Categories {
		item := FacetItem{Link: Link{Text: m.Pick(g.ShortVI, g.ShortEN), URL: toggle(g.Selected, g.Slug), N: count(p, g.Count), Current: g.Selected}}
		if g.Depth == 0 {
			groups.Items = append(groups.Items, item)
		} else if last := len(groups.Items) - 1; last >= 0 && underOpen(data.Facets.Categories, g) {
			groups.Items[last].Items = append(groups.Items[last].Items, item)
		}
	}
	stars := Facet{Title: m.T("list.facet.stars"), Open: true}
	for _, g := range data.Facets.Stars {
		var values []string
		for _, n := range f.Stars {
			if n != g.Stars {
				values = append(values, strconv.Itoa(n))
			}
		}
		if !g.Selected {
			values = append(values, strconv.Itoa(g.Stars))
		}
		stars.Items = append(stars.Items, FacetItem{Link: Link{Text: m.T("badge.stars", "n", g.Stars), URL: q.with(p, paramStars, values...), N: count(p, g.Count), Current: g.Selected}})
	}
	stock := Facet{Title: m.T("list.facet.stock"), Open: true, Items: []FacetItem{{Link: Link{Text: m.T("list.in_stock"),
		URL: toggles(paramStock)(f.InStock, "1"), N: count(p, data.Facets.InStock), Current: f.InStock}}}}
	toggle = toggles(paramProvince)
	provinces := Facet{Title: m.T("list.facet.province"), Open: data.Province != nil, Long: len(data.Facets.Provinces) > 8}
	for _, g := range data.Facets.Provinces {
		provinces.Items = append(provinces.Items, FacetItem{Link: Link{Text: m.Pick(g.Name, g.NameEN), URL: toggle(g.Selected, g.Slug), N: count(p, g.Count), Current: g.Selected}})
	}
	toggle = toggles(paramPrice)
	prices := Facet{Title: m.T("list.facet.price"), Open: f.MinPrice > 0 || f.MaxPrice > 0}
	for _, g := range data.Facets.Prices {
		prices.Items = append(prices.Items, FacetItem{Link: Link{Text: priceText(p, g.Min, g.Max), URL: toggle(g.Selected, priceRange(g.Min, g.Max)), N: count(p, g.Count), Current: g.Selected}})
	}
	m.Facets = []Facet{groups, stars, stock, provinces, prices}
}

// underOpen reports whether a lower group lies below one that is chosen or on the way to it.
func underOpen(all []storefront.CategoryFacet, g storefront.CategoryFacet) bool {
	for _, up := range all {
		if up.Code == g.ParentCode {
			return up.Open || up.Selected
		}
	}
	return false
}
