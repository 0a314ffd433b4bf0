package shop

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// Tile is a picture link to a group of goods.
type Tile struct {
	URL, Name, N string
	Picture      Picture
}

// Story is a maker's tale on the home page.
type Story struct {
	Place, Name, Text, URL, More string
	Picture                      Picture
}

// Home is the first page.
type Home struct {
	kit.Page
	Numbers      string
	Tiles        []Tile
	Best, Newest []Ware
	Story        *Story
	Provinces    []Link
	Points       []Point
}

func (s *Shop) home(c *gin.Context) error {
	s.cachable(c)
	data, err := s.Store.Home(c.Request.Context())
	if err != nil {
		return err
	}
	m := homePage(s.page(c, ""), data)
	return s.Views.Render(c, http.StatusOK, "shop/home", m)
}

func homePage(p kit.Page, data storefront.Home) *Home {
	m := &Home{Page: p}
	m.Title = m.T("home.title")
	m.Description = m.T("home.description")
	n := data.Numbers
	m.Numbers = m.T("home.numbers", "products", n.Products, "producers", n.Producers, "provinces", n.Provinces, "certificates", n.Certificates)
	for _, t := range data.Tiles {
		m.Tiles = append(m.Tiles, Tile{URL: m.URL("/nhom/" + t.Slug), Name: m.Pick(t.ShortVI, t.ShortEN), N: count(&m.Page, t.Count),
			Picture: Picture{Src: m.Asset("img/set/" + strconv.Itoa(t.SetNo) + ".svg"), Sizes: tileSizes, Width: 84, Height: 84, Lazy: true}})
	}
	m.Best, m.Newest = wares(&m.Page, data.FiveStar, 4), wares(&m.Page, data.Newest, 0)
	for _, g := range data.Provinces {
		m.Provinces = append(m.Provinces, Link{Text: m.Pick(g.Name, g.NameEN), URL: m.URL("/tinh/" + g.Slug), N: count(&m.Page, g.Count)})
	}
	if st := data.Story; st != nil {
		m.Story = &Story{Place: m.T("home.story_place", "maker", maker(&m.Page, st.ProducerName, st.ProducerKnown), "province", m.Pick(st.ProvinceName, st.ProvinceEN)),
			Name: m.Pick(st.NameVI, st.NameEN), Text: m.Pick(st.TextVI, st.TextEN), URL: m.URL("/san-pham/" + st.Slug),
			More: m.T("home.story_more"), Picture: picture(&m.Page, st.Picture, "20rem", true)}
	}
	m.Points = points(&m.Page, data.Showrooms)
	m.JSONLD = organisation(&m.Page)
	return m
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d.Seconds())) }
