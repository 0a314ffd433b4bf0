package shop

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/web/kit"
)

// BasketLine is one thing in the basket.
type BasketLine struct {
	URL, Name, Unit, SKU, Price, Total string
	Quantity                           int
	Picture                            Picture
	Says                               []string // what changed since it was added
	Err                                string
	Gone                               bool
}

// BasketSeller is what the basket holds of one seller.
type BasketSeller struct {
	Name, From, Goods string
	Lines             []BasketLine
}

// Basket is the page of the basket.
type Basket struct {
	kit.Page
	Said       string
	Sellers    []BasketSeller
	Goods      string
	Blocked    bool
	Adults     bool
	SellerNote string
}

func (s *Shop) basket(c *gin.Context) error { return s.showBasket(c, http.StatusOK, "", nil) }

// showBasket renders the basket; faults of one line stand beside its field.
func (s *Shop) showBasket(c *gin.Context, status int, sku string, faults apperr.List) error {
	view, err := s.Carts.View(c.Request.Context(), basketToken(c))
	if err != nil {
		return err
	}
	pictures, err := s.Media.Pictures(c.Request.Context(), assets(view))
	if err != nil {
		return err
	}
	p := s.page(c, "")
	p.Path = "/gio-hang"
	names, err := s.provinceNames(c, &p)
	if err != nil {
		return err
	}
	s.renewCart(c, !view.Empty())
	m := basketPage(p, view, pictures, names)
	m.Explain(faults)
	for i := range m.Sellers {
		for j := range m.Sellers[i].Lines {
			if l := &m.Sellers[i].Lines[j]; l.SKU == sku {
				l.Err = m.Err("quantity")
			}
		}
	}
	switch c.Query("xong") {
	case "them":
		m.Said = m.T("basket.added")
	case "bo":
		m.Said = m.T("basket.removed")
	case "gop":
		m.Said = m.T("basket.merged_cut", "max", cart.MaxQuantity, "lines", cart.MaxLines)
	}
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, status, "shop/basket", m)
}

func (s *Shop) provinceNames(c *gin.Context, p *kit.Page) (map[string]string, error) {
	all, err := s.Geo.Provinces(c.Request.Context())
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(all))
	for _, g := range all {
		names[g.Code] = provinceName(p, g)
	}
	return names, nil
}

func assets(v cart.View) []int64 {
	var ids []int64
	for _, seller := range v.Sellers {
		for _, l := range seller.Lines {
			if l.AssetID != 0 {
				ids = append(ids, l.AssetID)
			}
		}
	}
	return ids
}

func smallPicture(p *kit.Page, pictures map[int64]media.Picture, id int64) Picture {
	out := Picture{Src: p.Asset("img/basket.svg"), Sizes: lineSizes, Width: 72, Height: 72, Lazy: true}
	if in, ok := pictures[id]; ok {
		out.Src = in.URL(160)
		for _, src := range in.Sources {
			out.Sources.add(src.Type, src.SrcSet)
		}
	}
	return out
}

func basketPage(p kit.Page, v cart.View, pictures map[int64]media.Picture, provinces map[string]string) *Basket {
	m := &Basket{Page: p, Goods: v.Goods.String(), Blocked: v.Blocked, Adults: v.Adults}
	m.Title, m.NoIndex, m.Query, m.CartCount = m.T("basket.title"), true, "", v.Count
	if n := len(v.Sellers); n > 1 {
		m.SellerNote = m.T("basket.sellers", "n", n)
	}
	for _, seller := range v.Sellers {
		out := BasketSeller{Name: seller.Name, From: m.T("basket.from", "province", provinces[seller.ProvinceCode]), Goods: seller.Goods.String()}
		for _, l := range seller.Lines {
			out.Lines = append(out.Lines, basketLine(&m.Page, l, pictures))
		}
		m.Sellers = append(m.Sellers, out)
	}
	return m
}

func basketLine(p *kit.Page, l cart.Line, pictures map[int64]media.Picture) BasketLine {
	out := BasketLine{URL: p.URL("/san-pham/" + l.Slug), Name: l.Name(p.Locale), Unit: l.Unit(p.Locale), SKU: l.SKU,
		Price: l.PriceNow.String(), Total: l.Total().String(), Quantity: l.Quantity, Gone: l.Problem == cart.Gone,
		Picture: smallPicture(p, pictures, l.AssetID)}
	if l.PriceChanged() && !out.Gone {
		out.Says = append(out.Says, p.T("basket.price_changed", "was", l.PriceSeen, "now", l.PriceNow))
	}
	if l.Problem != cart.None {
		out.Says = append(out.Says, p.T("cart.line."+string(l.Problem), "n", l.Available))
	}
	return out
}

func (s *Shop) addToBasket(c *gin.Context) error {
	sku, add := clean(c.PostForm("sku"), 60), s.Carts.AddGated
	if adult(c) {
		add = s.Carts.Add
	}
	n, err := quantity(c.PostForm("so-luong"))
	token := ""
	if err == nil {
		token, err = add(c.Request.Context(), basketToken(c), sku, n)
	}
	if faults, known := apperr.As(err); known {
		if faults.Kind() == apperr.Denied {
			return s.askAge(c, http.StatusForbidden, fmt.Sprint("/san-pham/", faults[0].Args["slug"]))
		}
		return s.refuseAdding(c, sku, faults)
	}
	if err != nil {
		return err
	}
	s.keepCart(c, token)
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/gio-hang")+"?xong=them")
	return nil
}

func (s *Shop) keepCart(c *gin.Context, token string) {
	s.setCookie(c, cartCookie, token, cart.KeptFor)
}

// renewCart lets a basket in use live on: its cookie counts anew from today.
func (s *Shop) renewCart(c *gin.Context, holds bool) {
	if token := basketToken(c); holds && token != "" {
		s.keepCart(c, token)
	}
}

// refuseAdding shows the product again with what was typed and why it cannot be.
func (s *Shop) refuseAdding(c *gin.Context, sku string, faults apperr.List) error {
	data, err := s.Store.Product(c.Request.Context(), c.PostForm("trang"), adult(c))
	switch {
	case err != nil:
		return faults
	case data.Gate:
		return s.askAge(c, http.StatusForbidden, "/san-pham/"+data.Slug)
	}
	p := s.page(c, "")
	p.Path = "/san-pham/" + data.Slug
	m := productPage(p, data, sku, s.Clock.Now())
	m.Quantity = clean(c.PostForm("so-luong"), 12)
	m.Explain(faults)
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, kit.Status(faults), "shop/product", m)
}

func (s *Shop) changeLine(c *gin.Context) error {
	sku, token := strings.TrimSpace(c.PostForm("sku")), basketToken(c)
	said := ""
	var err error
	if c.PostForm("bo") != "" {
		said = "?xong=bo"
		err = s.Carts.Remove(c.Request.Context(), token, sku)
	} else {
		var n int
		if n, err = quantity(c.PostForm("so-luong")); err == nil {
			err = s.Carts.SetQuantity(c.Request.Context(), token, sku, n)
		}
	}
	if faults, known := apperr.As(err); known {
		return s.showBasket(c, kit.Status(faults), sku, faults)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/gio-hang")+said)
	return nil
}

// quantity reads a number of pieces as people write it.
func quantity(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 1 || n > cart.MaxQuantity {
		return 0, apperr.Field("quantity", "cart.quantity.range", "max", cart.MaxQuantity)
	}
	return n, nil
}
