package shop

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/front"
	"choocop.vn/ocop/internal/web/kit"
)

// Names of the parameters of a list's address.
const (
	paramQ        = "q"
	paramCategory = "nhom"
	paramStars    = "sao"
	paramProvince = "tinh"
	paramFrom     = "gia-tu"
	paramTo       = "gia-den"
	paramPrice    = "gia" // "100000-300000", either side may be empty
	paramStock    = "con-hang"
	paramSort     = "sap-xep"
	paramPage     = "trang"
	// paramPack is the variant shown on a product's page.
	paramPack = "quy-cach"
)

// listParams are all that a list reads.
var listParams = []string{paramQ, paramCategory, paramStars, paramProvince, paramFrom, paramTo, paramPrice, paramStock, paramSort, paramPage}

// Chip is a choice made, with the address that drops it.
type Chip struct{ Text, URL string }

// Pager leads to the pages beside this one.
type Pager struct{ Prev, Next, Text string }

// Hidden is a parameter kept by a form.
type Hidden struct{ Name, Value string }

// List is a list of goods with its filters.
type List struct {
	kit.Page
	Crumbs                    Crumbs
	Heading, Intro, CountText string
	Near                      bool
	HiddenText, Here          string
	Chips                     []Chip
	ClearURL                  string
	Facets                    []Facet
	PriceFrom, PriceTo        string
	PriceKeep                 []Hidden
	Sorts                     []Link
	Wares                     []Ware
	Pager                     *Pager
}

// query is a list's address as parameters; the category has a page of its own only when alone.
type query struct{ url.Values }

func readFilter(c *gin.Context) (storefront.Filter, query) {
	q := query{url.Values{}}
	in := c.Request.URL.Query()
	for _, name := range []string{paramQ, paramCategory, paramProvince, paramStock, paramSort} {
		if v := clean(in.Get(name), 200); v != "" {
			q.Set(name, v)
		}
	}
	f := storefront.Filter{Q: clean(q.Get(paramQ), 200), Category: q.Get(paramCategory), Province: q.Get(paramProvince),
		InStock: q.Get(paramStock) == "1", Adult: adult(c)}
	if f.Q == "" {
		q.Del(paramQ)
	}
	if !f.InStock {
		q.Del(paramStock)
	}
	for _, v := range in[paramStars] {
		if n, err := strconv.Atoi(v); err == nil && n >= 3 && n <= 5 && !slices.Contains(f.Stars, n) {
			f.Stars = append(f.Stars, n)
			q.Add(paramStars, v)
		}
	}
	low, high, _ := strings.Cut(in.Get(paramPrice), "-")
	f.MinPrice, f.MaxPrice = price(low), price(high)
	if in.Has(paramFrom) || in.Has(paramTo) {
		f.MinPrice, f.MaxPrice = price(in.Get(paramFrom)), price(in.Get(paramTo))
	}
	if f.MaxPrice > 0 && f.MaxPrice < f.MinPrice {
		f.MinPrice, f.MaxPrice = f.MaxPrice, f.MinPrice
	}
	if f.MinPrice > 0 || f.MaxPrice > 0 {
		q.Set(paramPrice, priceRange(f.MinPrice, f.MaxPrice))
	}
	f.Sort = storefront.Sort(q.Get(paramSort))
	if !slices.Contains(storefront.Sorts, f.Sort) {
		f.Sort = ""
		q.Del(paramSort)
	}
	f.Page, _ = strconv.Atoi(in.Get(paramPage))
	f.Page = min(max(f.Page, 1), 1000)
	return f, q
}

// clean keeps what can be searched: NFC, no control characters, at most max letters.
func clean(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return ' '
		}
		return r
	}, i18n.NFC(strings.ToValidUTF8(s, " ")))
	if r := []rune(s); len(r) > max {
		s = string(r[:max])
	}
	return strings.TrimSpace(s)
}

func price(s string) money.VND {
	v, err := money.Parse(s)
	if err != nil || v < 0 || v > 1_000_000_000_000 {
		return 0
	}
	return v
}

func priceRange(from, to money.VND) string {
	part := func(v money.VND) string {
		if v == 0 {
			return ""
		}
		return strconv.FormatInt(int64(v), 10)
	}
	return part(from) + "-" + part(to)
}

// with is the address of the list with one parameter set, or dropped when the value is empty. It
// always leads to the first page.
func (q query) with(p *kit.Page, name string, values ...string) string {
	v := url.Values{}
	for k, old := range q.Values {
		v[k] = old
	}
	v.Del(name)
	for _, value := range values {
		if value != "" {
			v.Add(name, value)
		}
	}
	return listURL(p, v)
}

func listURL(p *kit.Page, v url.Values) string {
	if len(v) == 0 {
		return p.URL("/san-pham")
	}
	return p.URL("/san-pham") + "?" + v.Encode()
}

func (s *Shop) list(c *gin.Context) error {
	f, q := readFilter(c)
	return s.showList(c, f, q)
}

// category is the page of one group: the same list, under an address of its own.
func (s *Shop) category(c *gin.Context) error {
	f, q := readFilter(c)
	f.Category = c.Param("slug")
	q.Set(paramCategory, f.Category)
	return s.showList(c, f, q)
}

func (s *Shop) showList(c *gin.Context, f storefront.Filter, q query) error {
	if f.Q == "" {
		s.cachable(c)
	} else {
		// What somebody searches for stays out of the memory of browsers and proxies; ours knows nobody.
		front.Keep(c.Request.Context(), c.FullPath())
		c.Header("Cache-Control", "private, no-cache")
	}
	data, err := s.Store.List(c.Request.Context(), f)
	if err != nil {
		return err
	}
	if f.Category != "" && data.Category == nil && c.Param("slug") != "" {
		s.Views.NotFound(c)
		return nil
	}
	m := listPage(s.page(c, ""), f, q, data)
	// Filtered lists are endless; search engines keep the plain pages of groups and provinces.
	plain := len(q.Values) == 0 || len(q.Values) == 1 && q.Has(paramCategory)
	m.NoIndex, m.Preview = !plain || f.Page > 1, true
	if plain && data.Category != nil {
		m.Canonical = "/nhom/" + data.Category.Slug
	}
	return s.Views.Render(c, http.StatusOK, "shop/list", m)
}

func listPage(p kit.Page, f storefront.Filter, q query, data storefront.Listing) *List {
	m := &List{Page: p, Near: data.Near, ClearURL: p.URL("/san-pham")}
	pg := &m.Page
	m.Search = f.Q
	m.Heading = m.T("list.all")
	steps := []storefront.Crumb{{TextVI: i18n.T(i18n.VI, "site.market", nil), TextEN: i18n.T(i18n.EN, "site.market", nil), Path: "/"}}
	switch {
	case f.Q != "":
		m.Heading = m.T("list.found", "q", f.Q)
	case data.Category != nil && data.Province != nil:
		m.Heading = m.T("list.category_in", "category", m.Pick(data.Category.NameVI, data.Category.NameEN), "province", provinceName(pg, *data.Province))
	case data.Category != nil:
		m.Heading = m.Pick(data.Category.NameVI, data.Category.NameEN)
	case data.Province != nil:
		m.Heading = m.T("list.from_province", "province", provinceName(pg, *data.Province))
	}
	m.Title = m.Heading
	m.Description = m.T("list.description", "heading", m.Heading)
	m.Crumbs = crumbs(pg, append(steps, storefront.Crumb{TextVI: m.Heading, TextEN: m.Heading}))
	total := count(pg, data.Total)
	switch {
	case data.MoreThan:
		m.CountText = m.T("list.count_more", "count", total)
	default:
		m.CountText = m.T("list.count", "n", data.Total)
	}
	if data.Near {
		m.CountText = m.T("list.count_none")
	}
	m.hide(data.Hidden)
	m.chips(f, q, data)
	m.facets(f, q, data)
	m.PriceFrom, m.PriceTo = digits(f.MinPrice), digits(f.MaxPrice)
	for name, values := range q.Values {
		if name != paramPrice {
			for _, v := range values {
				m.PriceKeep = append(m.PriceKeep, Hidden{name, v})
			}
		}
	}
	slices.SortFunc(m.PriceKeep, func(a, b Hidden) int { return strings.Compare(a.Name+a.Value, b.Name+b.Value) })
	for _, sort := range storefront.Sorts {
		key := string(sort)
		if key == "" {
			key = "mac-dinh"
			if f.Q != "" {
				key = "lien-quan"
			}
		}
		m.Sorts = append(m.Sorts, Link{Text: m.T("sort." + key), URL: q.with(pg, paramSort, string(sort)), Current: sort == f.Sort})
	}
	m.Wares = wares(pg, data.Cards, 4)
	if data.Pages > 1 {
		m.Pager = &Pager{Text: m.T("list.page", "page", data.Page, "pages", data.Pages)}
		if data.Page > 1 {
			m.Pager.Prev = q.with(pg, paramPage, strconv.Itoa(data.Page-1))
		}
		if data.Page < data.Pages {
			m.Pager.Next = q.with(pg, paramPage, strconv.Itoa(data.Page+1))
		}
	}
	m.JSONLD = breadcrumbs(pg, m.Crumbs)
	return m
}

// hide says how many goods for adults are left out, with the way to see them.
func (m *List) hide(n int) {
	if n > 0 {
		m.HiddenText = m.T("age.hidden", "n", n)
		m.Here = m.In(m.Locale)
	}
}

func digits(v money.VND) string {
	if v == 0 {
		return ""
	}
	return v.Digits()
}

func (m *List) chips(f storefront.Filter, q query, data storefront.Listing) {
	p := &m.Page
	drop := func(name, text string, keep ...string) {
		m.Chips = append(m.Chips, Chip{Text: text, URL: q.with(p, name, keep...)})
	}
	if f.Q != "" {
		drop(paramQ, "“"+f.Q+"”")
	}
	if data.Category != nil {
		drop(paramCategory, m.Pick(data.Category.ShortVI, data.Category.ShortEN))
	}
	if data.Province != nil {
		drop(paramProvince, provinceName(p, *data.Province))
	}
	for _, n := range f.Stars {
		var keep []string
		for _, other := range f.Stars {
			if other != n {
				keep = append(keep, strconv.Itoa(other))
			}
		}
		drop(paramStars, m.T("badge.stars", "n", n), keep...)
	}
	if f.MinPrice > 0 || f.MaxPrice > 0 {
		drop(paramPrice, priceText(p, f.MinPrice, f.MaxPrice))
	}
	if f.InStock {
		drop(paramStock, m.T("list.in_stock"))
	}
}

func priceText(p *kit.Page, from, to money.VND) string {
	switch {
	case to == 0:
		return p.T("list.price_from", "price", from.String())
	case from == 0:
		return p.T("list.price_to", "price", to.String())
	}
	return p.T("list.price_between", "from", from.String(), "to", to.String())
}
