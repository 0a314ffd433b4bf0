package shop

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// Producer is the page of a maker.
type Producer struct {
	kit.Page
	Crumbs                      Crumbs
	Name, Note, Story           string
	Facts                       []Fact
	CountText, HiddenText, Here string
	Wares                       []Ware
}

func (s *Shop) producer(c *gin.Context) error {
	s.cachable(c)
	f, _ := readFilter(c)
	data, err := s.Store.Producer(c.Request.Context(), c.Param("slug"), storefront.Filter{Adult: adult(c), Size: 96, Page: f.Page})
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/producer", producerPage(s.page(c, ""), data))
}

func producerPage(p kit.Page, d storefront.ProducerPage) *Producer {
	m := &Producer{Page: p}
	m.Query = ""
	m.Name = maker(&m.Page, m.Pick(d.Name, d.NameEN), d.NameKnown)
	province := m.Pick(d.ProvinceName, d.ProvinceEN)
	m.Title, m.Description = m.Name, m.T("producer.description", "name", m.Name, "province", province)
	m.Crumbs = crumbs(&m.Page, d.Crumbs)
	if d.Kind != "" {
		m.Facts = append(m.Facts, Fact{Name: m.T("producer.kind"), Value: m.T("producer.kind." + d.Kind)})
	}
	m.Facts = append(m.Facts, Fact{Name: m.T("producer.place"), Value: strings.Join(nonEmpty(m.Pick(d.CommuneName, d.CommuneEN), province), ", ")})
	if written := strings.Join(nonEmpty(d.PlaceText, d.OldProvince), ", "); written != "" {
		m.Facts = append(m.Facts, Fact{Name: m.T("label.origin_papers"), Value: written})
	}
	if !d.NameKnown {
		m.Note = m.T("producer.unknown_note")
	}
	m.Story = m.Pick(d.StoryVI, d.StoryEN)
	m.CountText = m.T("producer.goods", "n", d.Listing.Total)
	if d.Listing.Hidden > 0 {
		m.HiddenText, m.Here = m.T("age.hidden", "n", d.Listing.Hidden), m.In(m.Locale)
	}
	m.Wares = wares(&m.Page, d.Listing.Cards, 4)
	m.JSONLD = breadcrumbs(&m.Page, m.Crumbs)
	return m
}

// Region is a third of the country with its provinces.
type Region struct {
	Title string
	Items []Link
}

// Provinces is the list of the 34 provinces.
type Provinces struct {
	kit.Page
	Regions []Region
}

func (s *Shop) provinces(c *gin.Context) error {
	s.cachable(c)
	all, err := s.Geo.Provinces(c.Request.Context())
	if err != nil {
		return err
	}
	counted, err := s.Store.Provinces(c.Request.Context())
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/provinces", provincesPage(s.page(c, ""), all, counted))
}

func provincesPage(p kit.Page, all []geo.Province, counted []storefront.ProvinceFacet) *Provinces {
	n := map[string]int{}
	for _, g := range counted {
		n[g.Code] = g.Count
	}
	m := &Provinces{Page: p}
	m.Title, m.Description = m.T("provinces.title"), m.T("provinces.text")
	for _, region := range []string{"north", "central", "south"} {
		r := Region{Title: m.T("region." + region)}
		for _, g := range all {
			if g.Region == region {
				r.Items = append(r.Items, Link{Text: provinceName(&m.Page, g), URL: m.URL("/tinh/" + g.Slug), N: count(&m.Page, n[g.Code])})
			}
		}
		m.Regions = append(m.Regions, r)
	}
	return m
}

// Province is the page of one province.
type Province struct {
	kit.Page
	Crumbs                           Crumbs
	Heading, Former, AllURL, AllText string
	HiddenText, Here                 string
	Wares                            []Ware
	Makers                           []Link
	Points                           []Point
}

func (s *Shop) province(c *gin.Context) error {
	s.cachable(c)
	data, err := s.Store.Province(c.Request.Context(), c.Param("slug"), storefront.Filter{Adult: adult(c), Size: 12, Page: 1})
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/province", provincePage(s.page(c, ""), data))
}

func provincePage(p kit.Page, d storefront.ProvincePage) *Province {
	m := &Province{Page: p}
	m.Query = ""
	name := provinceName(&m.Page, d.Province)
	m.Heading = m.T("list.from_province", "province", name)
	m.Title, m.Description = m.Heading, m.T("province.description", "province", name)
	m.Crumbs = crumbs(&m.Page, d.Crumbs)
	if len(d.Former) > 0 {
		m.Former = m.T("province.former", "names", strings.Join(d.Former, ", "))
	}
	m.AllURL, m.AllText = m.URL("/san-pham")+"?"+paramProvince+"="+d.Slug, m.T("province.all", "n", d.Listing.Total)
	if d.Listing.Hidden > 0 {
		m.HiddenText, m.Here = m.T("age.hidden", "n", d.Listing.Hidden), m.In(m.Locale)
	}
	m.Wares = wares(&m.Page, d.Listing.Cards, 4)
	for _, r := range d.Producers {
		if r.NameKnown {
			m.Makers = append(m.Makers, Link{Text: r.Name, URL: m.URL("/nha-san-xuat/" + r.Slug)})
		}
	}
	m.Points = points(&m.Page, d.Showrooms)
	m.JSONLD = breadcrumbs(&m.Page, m.Crumbs)
	return m
}

// Showrooms is the list of sales points.
type Showrooms struct {
	kit.Page
	Points []Point
}

func (s *Shop) showrooms(c *gin.Context) error {
	s.cachable(c)
	data, err := s.Store.Showrooms(c.Request.Context(), "")
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/showrooms", showroomsPage(s.page(c, ""), data))
}

func showroomsPage(p kit.Page, data []storefront.Showroom) *Showrooms {
	m := &Showrooms{Page: p}
	m.Title, m.Description = m.T("showrooms.title"), m.T("showrooms.text")
	m.Points = points(&m.Page, data)
	return m
}

// Showroom is the page of one sales point.
type Showroom struct {
	kit.Page
	Crumbs                          Crumbs
	Name, Note, GoodsURL, GoodsText string
	Facts, Hours                    []Fact
}

func (s *Shop) showroom(c *gin.Context) error {
	s.cachable(c)
	data, err := s.Store.Showroom(c.Request.Context(), c.Param("slug"))
	if err != nil {
		return err
	}
	return s.Views.Render(c, http.StatusOK, "shop/showroom", showroomPage(s.page(c, ""), data))
}

var weekdays = [7]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}

func showroomPage(p kit.Page, d storefront.ShowroomPage) *Showroom {
	m := &Showroom{Page: p}
	m.Query = ""
	m.Name = m.Pick(d.NameVI, d.NameEN)
	m.Title, m.Description = m.Name, m.T("showroom.description", "name", m.Name, "province", m.Pick(d.ProvinceName, d.ProvinceNameEN))
	m.Crumbs = crumbs(&m.Page, d.Crumbs)
	if d.Demo {
		m.Note = m.T("showroom.demo")
	}
	add := func(key, value string) {
		if value != "" {
			m.Facts = append(m.Facts, Fact{Name: m.T(key), Value: value})
		}
	}
	add("showroom.kind", m.T(d.Showroom.Kind.Key()))
	add("showroom.address", place(&m.Page, d.Showroom))
	add("showroom.operator", d.Operator)
	add("showroom.phone", d.Phone)
	if !d.SupportedSince.IsZero() {
		add("showroom.since", day(&m.Page, d.SupportedSince))
	}
	pickup := "showroom.pickup_no"
	if d.OffersPickup {
		pickup = "showroom.pickup_yes"
	}
	add("showroom.pickup", m.T(pickup))
	for i, h := range d.Showroom.Hours {
		text := m.T("showroom.closed")
		if h != nil && h.From != "" {
			text = h.From + "–" + h.To
		}
		m.Hours = append(m.Hours, Fact{Name: m.T("weekday." + weekdays[i]), Value: text})
	}
	m.GoodsURL, m.GoodsText = m.URL("/tinh/"+d.ProvinceSlug), m.T("showroom.goods", "province", m.Pick(d.ProvinceName, d.ProvinceNameEN))
	return m
}
