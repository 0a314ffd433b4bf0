package shop

import (
	"encoding/xml"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

const schema = "https://schema.org"

type node = map[string]any

func organisation(p *kit.Page) any {
	return node{"@context": schema, "@type": "Organization", "name": p.T("site.name"), "url": p.Site.BaseURL,
		"logo": p.Site.BaseURL + p.Asset("img/basket.svg"), "email": p.Site.Operator.Email}
}

func breadcrumbs(p *kit.Page, c Crumbs) any {
	var items []node
	for i, l := range c.Items {
		item := node{"@type": "ListItem", "position": i + 1, "name": l.Text}
		if l.URL != "" {
			item["item"] = p.Site.BaseURL + l.URL
		}
		items = append(items, item)
	}
	return node{"@context": schema, "@type": "BreadcrumbList", "itemListElement": items}
}

// productData describes the product for search engines. The official stars are a certification, never
// an aggregateRating: that word means opinions.
func productData(p *kit.Page, m *Product, d storefront.Product, now time.Time) any {
	product := node{"@context": schema, "@type": "Product", "name": m.Name,
		"url": p.Absolute(p.Locale), "category": p.Pick(d.Category.NameVI, d.Category.NameEN)}
	for name, value := range map[string]string{"description": m.Summary, "image": m.Image} {
		if value != "" {
			product[name] = value
		}
	}
	if d.ProducerKnown {
		product["brand"] = node{"@type": "Organization", "name": m.Maker}
	}
	var offers []node
	for _, v := range d.Variants {
		if d.Rules.ContactOnly {
			break
		}
		state := schema + "/OutOfStock"
		if v.InStock {
			state = schema + "/InStock"
		}
		o := node{"@type": "Offer", "sku": v.SKU, "price": int64(v.Price), "priceCurrency": "VND", "availability": state,
			"url": p.Absolute(p.Locale)}
		if d.ProducerKnown {
			o["seller"] = node{"@type": "Organization", "name": m.Maker}
		}
		if v.GTIN != "" {
			o["gtin"] = v.GTIN
		}
		offers = append(offers, o)
	}
	if len(offers) > 0 {
		product["offers"] = offers
	}
	if d.StarState == storefront.StarsValid && len(d.Records) > 0 {
		r := d.Records[0]
		product["hasCertification"] = node{"@type": "Certification", "name": p.T("badge.stars", "n", r.Stars),
			"certificationIdentification": r.Code, "expires": r.ValidTo.String(),
			"issuedBy": node{"@type": "Organization", "name": issuerName(p, r)}, "url": p.Site.BaseURL + p.URL("/xac-minh/"+r.Code)}
	}
	return []any{product, breadcrumbs(p, m.Crumbs)}
}

func issuerName(p *kit.Page, r storefront.Record) string {
	if r.Issuer != "" {
		return r.Issuer
	}
	return p.T("proof.level." + r.Level)
}

type urlSet struct {
	XMLName xml.Name  `xml:"urlset"`
	NS      string    `xml:"xmlns,attr"`
	XHTML   string    `xml:"xmlns:xhtml,attr"`
	URLs    []siteURL `xml:"url"`
}

type siteURL struct {
	Loc     string      `xml:"loc"`
	LastMod string      `xml:"lastmod,omitempty"`
	Alts    []alternate `xml:"xhtml:link"`
}

type alternate struct {
	Rel  string `xml:"rel,attr"`
	Lang string `xml:"hreflang,attr"`
	Href string `xml:"href,attr"`
}

type siteIndex struct {
	XMLName xml.Name `xml:"sitemapindex"`
	NS      string   `xml:"xmlns,attr"`
	Maps    []struct {
		Loc string `xml:"loc"`
	} `xml:"sitemap"`
}

const sitemapNS = "http://www.sitemaps.org/schemas/sitemap/0.9"

// sitemap names the parts: one file may hold 50,000 addresses.
func (s *Shop) sitemap(c *gin.Context) error {
	n, err := s.Store.SitemapChunks(c.Request.Context())
	if err != nil {
		return err
	}
	index := siteIndex{NS: sitemapNS}
	for i := range n {
		index.Maps = append(index.Maps, struct {
			Loc string `xml:"loc"`
		}{fmt.Sprintf("%s/sitemap/%d.xml", s.BaseURL, i+1)})
	}
	return writeXML(c, index)
}

func (s *Shop) sitemapPart(c *gin.Context) error {
	n, err := strconv.Atoi(strings.TrimSuffix(c.Param("part"), ".xml"))
	if err != nil || n < 1 {
		s.Views.NotFound(c)
		return nil
	}
	links, err := s.Store.Sitemap(c.Request.Context(), n)
	if err != nil {
		return err
	}
	if len(links) == 0 {
		s.Views.NotFound(c)
		return nil
	}
	if n == 1 {
		for _, path := range slices.Sorted(maps.Keys(policies)) {
			links = append(links, storefront.Link{Path: path})
		}
	}
	set := urlSet{NS: sitemapNS, XHTML: "http://www.w3.org/1999/xhtml"}
	for _, l := range links {
		vi, en := s.BaseURL+kit.Localised(i18n.VI, l.Path), s.BaseURL+kit.Localised(i18n.EN, l.Path)
		for _, loc := range []string{vi, en} {
			u := siteURL{Loc: loc, Alts: []alternate{{"alternate", "vi", vi}, {"alternate", "en", en}}}
			if !l.LastMod.IsZero() {
				u.LastMod = l.LastMod.In(clock.HCM).Format("2006-01-02")
			}
			set.URLs = append(set.URLs, u)
		}
	}
	return writeXML(c, set)
}

func writeXML(c *gin.Context, v any) error {
	body, err := xml.Marshal(v)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "public, max-age=3600")
	c.Data(http.StatusOK, "application/xml; charset=utf-8", append([]byte(xml.Header), body...))
	return nil
}

func (s *Shop) robots(c *gin.Context) error {
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	for _, base := range []string{"", "/en"} {
		// Some read "$" as a letter and nothing more; the page about payment stays open for all.
		fmt.Fprintf(&b, "Allow: %s/thanh-toan-the-nao\n", base)
		for _, path := range []string{"/gio-hang", "/thanh-toan$", "/thanh-toan?", "/don-hang/", "/tai-khoan", "/dang-nhap", "/goi-y", "/san-pham?"} {
			fmt.Fprintf(&b, "Disallow: %s%s\n", base, path)
		}
	}
	fmt.Fprintf(&b, "Sitemap: %s/sitemap.xml\n", s.BaseURL)
	c.Header("Cache-Control", "public, max-age=3600")
	c.String(http.StatusOK, "%s", b.String())
	return nil
}

// Policy is a page of terms.
type Policy struct {
	kit.Page
	Body     template.HTML
	Operator kit.Operator
	Updated  string
}

// policies are the addresses of the pages that the law asks for (see domain rules §7).
var policies = map[string]string{
	"/giao-hang": "delivery", "/doi-tra": "returns", "/khieu-nai": "complaints", "/bao-ve-du-lieu": "privacy", "/dieu-khoan": "terms",
	"/thanh-toan-the-nao": "payment", "/cach-xep-thu-tu": "ranking", "/bao-hang-gia": "report",
}

// PolicyDate is the day from which the present texts hold; consents record it as their version.
var PolicyDate = clock.NewDate(2026, time.November, 22)

func (s *Shop) policy(name string) kit.Handler {
	return func(c *gin.Context) error {
		s.cachable(c)
		m, err := s.policyPage(s.page(c, ""), name)
		if err != nil {
			return err
		}
		return s.Views.Render(c, http.StatusOK, "shop/policy", m)
	}
}

func (s *Shop) policyPage(p kit.Page, name string) (*Policy, error) {
	m := &Policy{Page: p, Operator: s.Operator}
	m.Title, m.Query = m.T("policy."+name), ""
	m.Description = m.T("policy."+name) + " · " + m.T("site.name")
	for _, field := range []*string{&m.Operator.Address, &m.Operator.TaxCode, &m.Operator.Phone} {
		if *field == "" {
			*field = m.T("foot.undeclared")
		}
	}
	m.Updated = day(&m.Page, PolicyDate)
	body, err := s.Views.Part("shop/policy", "policy/"+name+"/"+m.Lang(), m)
	m.Body = kit.Safe(body)
	return m, err
}
