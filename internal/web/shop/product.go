package shop

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/front"
	"choocop.vn/ocop/internal/web/kit"
)

// Star is the box about the official stars of a product.
type Star struct {
	Badge     Badge
	Text, URL string
}

// Size is a variant to choose.
type Size struct {
	SKU, Unit, Price string
	Current          bool
}

// Product is the page of one product.
type Product struct {
	kit.Page
	Slug                                               string
	Crumbs                                             Crumbs
	Picture                                            Picture
	Pictures                                           []Thumb // all but the first
	Name, Maker, MakerURL, Place, ProvinceURL, Summary string
	Commune, Story                                     string
	Star                                               *Star
	Price, PriceNote, Unit                             string
	Contact, NotSold                                   string
	Variants                                           []Size
	Quantity                                           string
	StockTone, StockText                               string
	CanBuy                                             bool
	DeliveryText                                       string
	Warnings                                           []string
	Facts                                              []Fact
	History                                            []Past
	Source, SourceHost                                 string
	Points                                             []Point
	More, Similar                                      []Ware
}

// Thumb is a small picture that leads to the large one.
type Thumb struct {
	URL     string
	Name    string
	Picture Picture
}

// Age asks a reader's age before goods for adults are shown.
type Age struct {
	kit.Page
	Back string
}

func (s *Shop) product(c *gin.Context) error {
	s.cachable(c)
	data, err := s.Store.Product(c.Request.Context(), c.Param("slug"), adult(c))
	if err != nil {
		return err
	}
	if data.Gate {
		return s.askAge(c, http.StatusOK, "/san-pham/"+data.Slug)
	}
	return s.Views.Render(c, http.StatusOK, "shop/product", productPage(s.page(c, ""), data, c.Query(paramPack), s.Clock.Now()))
}

// askAge asks in place of a page; the answer leads back to path.
func (s *Shop) askAge(c *gin.Context, status int, path string) error {
	p := s.page(c, "")
	p.Path = path
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, status, "shop/age", agePage(p))
}

func agePage(p kit.Page) *Age {
	m := &Age{Page: p}
	m.Title, m.NoIndex, m.Back = m.T("age.title"), true, m.In(m.Locale)
	return m
}

// ageKept is how long the answer about the age is remembered.
const ageKept = 30 * 24 * time.Hour

func (s *Shop) confirmAge(c *gin.Context) error {
	s.setCookie(c, AgeCookie, "18", ageKept)
	c.Redirect(http.StatusSeeOther, localPath(c.PostForm("ve")))
	return nil
}

// localPath is an address of this site to go back to, or the first page: never another site.
func localPath(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return path
}

// chosen is the variant that the address names, else the first in stock.
func chosen(variants []storefront.Sale, sku string) int {
	for i, v := range variants {
		if v.SKU == sku {
			return i
		}
	}
	for i, v := range variants {
		if v.InStock {
			return i
		}
	}
	return 0
}

func productPage(p kit.Page, d storefront.Product, sku string, now time.Time) *Product {
	m := &Product{Page: p, Slug: d.Slug, Quantity: "1"}
	pg := &m.Page
	m.Query = ""
	m.Name, m.Summary = m.Pick(d.NameVI, d.NameEN), m.Pick(d.SummaryVI, d.SummaryEN)
	m.Title, m.Description = m.Name, m.Summary
	m.Crumbs = crumbs(pg, d.Crumbs)
	m.Picture = picture(pg, d.Picture, fullSizes, false)
	m.Image = pictureURL(pg, d.Picture)
	m.Maker = maker(pg, d.ProducerName, d.ProducerKnown)
	if d.ProducerKnown {
		m.MakerURL = m.URL("/nha-san-xuat/" + d.ProducerSlug)
	}
	m.Place, m.ProvinceURL = m.Pick(d.ProvinceName, d.ProvinceEN), m.URL("/tinh/"+d.ProvinceSlug)
	if d.Producer.ProvinceCode == d.ProvinceCode {
		m.Commune = m.Pick(d.Producer.CommuneName, d.Producer.CommuneEN)
	}
	m.Story = m.Pick(d.StoryVI, d.StoryEN)
	for i, in := range d.Pictures {
		if i > 0 {
			m.Pictures = append(m.Pictures, Thumb{Name: m.T("product.picture", "n", i+1), URL: cmp.Or(in.URL(1600), in.Src), Picture: picture(pg, in, lineSizes, true)})
		}
	}
	m.star(d)
	m.sizes(d, sku)
	m.warnings(d)
	m.facts(d)
	if len(d.Records) > 1 {
		m.History = history(pg, d.Records[1:])
	}
	if u, err := url.Parse(d.SourceURL); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		m.Source, m.SourceHost = d.SourceURL, u.Host
	}
	m.Points = points(pg, d.Showrooms)
	m.More, m.Similar = wares(pg, d.More, 0), wares(pg, d.Similar, 0)
	m.JSONLD = productData(pg, m, d, now)
	return m
}

func (m *Product) star(d storefront.Product) {
	if len(d.Records) == 0 {
		m.Star = &Star{Badge: Badge{State: "none"}, Text: m.T("badge.none")}
		return
	}
	r := d.Records[0]
	st := &Star{Badge: recordBadge(&m.Page, r), URL: m.URL("/xac-minh/" + r.Code)}
	text := decision(&m.Page, r)
	switch r.State {
	case storefront.ProofValid:
		st.Text = m.T("proof.until", "decision", text, "day", day(&m.Page, r.ValidTo))
	case storefront.ProofRevoked:
		st.Text = m.T("proof.was_revoked", "decision", text, "day", day(&m.Page, *r.RevokedOn))
	case storefront.ProofFuture:
		st.Text = m.T("proof.from", "decision", text, "day", day(&m.Page, r.ValidFrom))
	default:
		st.Text = m.T("proof.ended", "n", r.Stars, "decision", text, "day", day(&m.Page, r.ValidTo))
	}
	if r.YearOnly {
		st.Text += " " + m.T("proof.year_only_why")
	}
	m.Star = st
}

func (m *Product) sizes(d storefront.Product, sku string) {
	if len(d.Variants) == 0 {
		m.NotSold = m.T("product.not_sold")
		return
	}
	current := chosen(d.Variants, sku)
	for i, v := range d.Variants {
		m.Variants = append(m.Variants, Size{SKU: v.SKU, Unit: m.Pick(v.UnitVI, v.UnitEN), Price: v.Price.String(), Current: i == current})
	}
	v := d.Variants[current]
	m.Price, m.Unit = v.Price.String(), m.Pick(v.UnitVI, v.UnitEN)
	notes := []string{m.T("price.per", "unit", m.Unit), m.T("price.tax_included")}
	if per := unitPrice(&m.Page, v); per != "" {
		notes = append(notes, per)
	}
	m.PriceNote = strings.Join(notes, " · ")
	m.CanBuy = v.InStock
	switch {
	case !v.InStock:
		m.StockTone, m.StockText = "bad", m.T("stock.out")
	case v.Few:
		m.StockTone, m.StockText = "warn", m.T("stock.few", "n", v.Available)
	default:
		m.StockTone, m.StockText = "good", m.T("stock.in", "province", m.Place)
	}
	m.DeliveryText = m.T("product.delivery")
	if d.Rules.NoParcel {
		m.DeliveryText = m.T("product.pickup_only")
	}
	if d.Rules.ContactOnly {
		m.Contact, m.CanBuy = m.T("product.contact"), false
	}
}

func (m *Product) warnings(d storefront.Product) {
	if d.Rules.AdultsOnly {
		m.Warnings = append(m.Warnings, m.T("product.alcohol"))
	}
	if d.Rules.NotAMedicine {
		m.Warnings = append(m.Warnings, m.T("product.not_a_medicine"))
	}
}

func (m *Product) facts(d storefront.Product) {
	add := func(key, value string) {
		if value != "" {
			m.Facts = append(m.Facts, Fact{Name: m.T(key), Value: value})
		}
	}
	add("label.name", m.Name)
	add("label.maker", m.Maker)
	origin := strings.Join(nonEmpty(d.PlaceText, d.OldProvince), ", ")
	add("label.origin", m.T("label.origin_now", "province", strings.Join(nonEmpty(m.Commune, m.Place), ", ")))
	if origin != "" {
		add("label.origin_papers", origin)
	}
	add("label.category", m.Pick(d.Category.NameVI, d.Category.NameEN))
	for _, f := range d.Facts {
		add("catalog.fact."+f.Key, m.Pick(f.ValueVI, f.ValueEN))
	}
	for _, v := range d.Variants {
		if v.GTIN != "" {
			add("label.gtin", v.GTIN)
		}
	}
	add("label.eligibility", m.T("eligibility."+d.Eligibility))
}

func nonEmpty(in ...string) []string {
	var out []string
	for _, s := range in {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// suggest answers the search box while typing: ready links, so that a plain GET works too.
func (s *Shop) suggest(c *gin.Context) error {
	found, err := s.Search.Suggest(c.Request.Context(), clean(c.Query(paramQ), 100), 8)
	if err != nil {
		return err
	}
	m, err := suggestions(s.page(c, ""), found)
	if err != nil {
		return err
	}
	front.Keep(c.Request.Context(), c.FullPath())
	c.Header("Cache-Control", "public, max-age=60")
	return s.Views.RenderPart(c, "shop/suggest", m)
}

func suggestions(p kit.Page, found []search.Suggestion) (*Suggestions, error) {
	m := &Suggestions{Page: p}
	for _, f := range found {
		path, ok := suggestionPaths[string(f.Kind)]
		if !ok {
			return nil, fmt.Errorf("shop: unknown suggestion %q", f.Kind)
		}
		note := f.Note
		if note == "" || f.Kind == "former_province" {
			note = m.T("suggest."+string(f.Kind), "note", f.Note)
		}
		m.Items = append(m.Items, Link{Text: m.Pick(f.NameVI, f.NameEN), URL: m.URL(path + f.Slug), N: note})
	}
	return m, nil
}

// Suggestions are the lines under the search box.
type Suggestions struct {
	kit.Page
	Items []Link
}

var suggestionPaths = map[string]string{
	"category": "/nhom/", "product": "/san-pham/", "producer": "/nha-san-xuat/", "province": "/tinh/", "former_province": "/tinh/", "commune": "/tinh/",
}

// pictureFile serves a picture; its name holds its content's hash, so it may be kept for ever.
func (s *Shop) pictureFile(c *gin.Context) error {
	f, kind, err := s.Media.Open(c.Request.Context(), c.Param("name"))
	if err != nil {
		if _, known := apperr.As(err); known {
			c.Status(http.StatusNotFound)
			return nil
		}
		return err
	}
	defer f.Close()
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.DataFromReader(http.StatusOK, -1, kind, f, nil)
	return nil
}
