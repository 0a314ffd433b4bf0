// Package shop is the shoppers' side of the site: finding, trusting, buying and following goods, in
// Vietnamese and under /en in English, without an account and without script where that can be.
package shop

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/front"
	"choocop.vn/ocop/internal/web/kit"
)

// Codes draws QR codes; app fills it from the adapter.
type Codes struct {
	SVG func(text string, sizePx int, title string) ([]byte, error)
	PNG func(text string, sizePx int) ([]byte, error)
}

// Shop holds what the pages need; app fills it.
type Shop struct {
	Views    *kit.Views
	Store    *storefront.Service
	Search   *search.Service
	Geo      *geo.Service
	Media    *media.Service
	Carts    *cart.Service
	Orders   *order.Service
	Accounts *account.Service
	Shoppers *shopper.Service
	Sessions *scs.SessionManager
	Register *redis.Register
	Codes    Codes
	News     *News
	Limiter  *redis.Limiter
	Clock    clock.Clock
	HTTPS    bool
	BaseURL  string
	Operator kit.Operator
	Gallery  bool // show the page gallery: development only
	// TestCards is there only while the test gateway takes the cards.
	TestCards TestCards
	// Galleries are the other audiences whose pages it shows.
	Galleries []kit.Gallery
	// DeviceKey signs the notes of known browsers.
	DeviceKey []byte
}

// right is who may use a route. It is an argument of every route line.
type right int

const (
	anyone right = iota
	// bySecret routes open only with the secret of the record; the domain verb checks it.
	bySecret
	// signedIn routes are for whoever has signed in, and show only what is their own.
	signedIn
)

// Routes is the table of addresses. Each page stands once per language.
func (s *Shop) Routes(e *gin.Engine) {
	limit := func(name string, n int) gin.HandlerFunc {
		return s.Views.Limit(s.Limiter, name, redis.PerMinute(n), kit.Address)
	}
	// Behind one address of a mobile network stand thousands of shoppers: whoever has a basket is counted by it.
	perBasket := func(name string, n int) gin.HandlerFunc {
		return s.Views.Limit(s.Limiter, name, redis.PerMinute(n), basketOrAddress)
	}
	for _, base := range []string{"/", "/en"} {
		g := e.Group(base)
		get := func(r right, path string, h kit.Handler, more ...gin.HandlerFunc) {
			g.GET(path, s.handlers(r, h, more)...)
		}
		post := func(r right, path string, h kit.Handler, more ...gin.HandlerFunc) {
			g.POST(path, s.handlers(r, h, more)...)
		}
		get(anyone, "", s.home)
		get(anyone, "/san-pham", s.list)
		get(anyone, "/san-pham/:slug", s.product)
		get(anyone, "/nhom/:slug", s.category)
		get(anyone, "/tinh", s.provinces)
		get(anyone, "/tinh/:slug", s.province)
		get(anyone, "/nha-san-xuat/:slug", s.producer)
		get(anyone, "/diem-ban", s.showrooms)
		get(anyone, "/diem-ban/:slug", s.showroom)
		get(anyone, "/xac-minh", s.verify)
		get(anyone, "/xac-minh/:code", s.proof)
		get(anyone, "/xac-minh/:code/qr.png", s.proofQR)
		get(anyone, "/feed/google.xml", s.feed, limit("feed", 10))
		get(anyone, "/goi-y", s.suggest, limit("suggest", 240))
		post(anyone, "/tuoi", s.confirmAge)

		get(anyone, "/gio-hang", s.basket, s.ownBasket)
		post(anyone, "/gio-hang", s.addToBasket, perBasket("basket", 120), limit("basket-address", 2000), s.ownBasket)
		post(anyone, "/gio-hang/dong", s.changeLine, perBasket("basket", 120), s.ownBasket)
		get(anyone, "/thanh-toan", s.checkout, s.ownBasket)
		post(anyone, "/thanh-toan", s.placeOrder, perBasket("checkout", 60), limit("checkout-address", 1200), s.ownBasket)
		get(bySecret, "/don-hang/:code", s.order)
		get(bySecret, "/don-hang/:code/qr/:order", s.orderQR)
		get(bySecret, "/don-hang/:code/tin", s.orderNews, limit("news", 1200))
		post(bySecret, "/don-hang/:code/the", s.payByCard, limit("card", 60))
		get(bySecret, "/don-hang/:code/ve", s.backFromCard, limit("card-return", 120))
		post(bySecret, "/don-hang/:code/huy", s.cancelOrder, limit("cancel", 120))

		if s.TestCards != nil {
			get(bySecret, "/thanh-toan-the-thu/:ref", s.testCard)
			post(bySecret, "/thanh-toan-the-thu/:ref", s.decideTestCard, limit("testcard", 120))
		}

		get(anyone, "/dang-nhap", s.signIn, private)
		post(anyone, "/dang-nhap", s.doSignIn, limit("signin", 20), private)
		post(anyone, "/dang-nhap/khoa", s.askPasskey, limit("passkey", 30), private)
		post(anyone, "/dang-nhap/khoa/xong", s.signInByPasskey, limit("signin", 20), private)
		post(anyone, "/dang-xuat", s.signOut)
		get(anyone, "/dang-ky", s.signUp, private)
		post(anyone, "/dang-ky", s.doSignUp, limit("signup", 20), private)
		get(bySecret, "/xac-nhan", s.confirm)
		post(bySecret, "/xac-nhan", s.doConfirm, limit("confirm", 30))
		get(anyone, "/quen-mat-khau", s.forgot, private)
		post(anyone, "/quen-mat-khau", s.doForgot, limit("forgot", 20), private)
		get(bySecret, "/dat-lai-mat-khau", s.reset)
		post(bySecret, "/dat-lai-mat-khau", s.doReset, limit("confirm", 30))
		s.accountRoutes(get, post, limit)
		for path, name := range policies {
			get(anyone, path, s.policy(name))
		}
		if s.Gallery {
			get(anyone, "/_gallery", s.gallery, private)
			get(anyone, "/_gallery/:n", s.gallerySample, private)
		}
	}
	e.GET("/anh/:name", s.Views.Do(s.pictureFile))
	e.GET("/sitemap.xml", s.Views.Do(s.sitemap))
	e.GET("/sitemap/:part", s.Views.Do(s.sitemapPart))
	e.GET("/robots.txt", s.Views.Do(s.robots))
}

func (s *Shop) handlers(r right, h kit.Handler, more []gin.HandlerFunc) []gin.HandlerFunc {
	if r == signedIn {
		more = append(more, private, s.Views.Do(s.requireSignIn))
	}
	if r == bySecret {
		more = append(more, private)
	}
	return append(more, s.Views.Do(h))
}

// basketOrAddress is the key of limits on buying. Repricing the open checkout is free.
func basketOrAddress(c *gin.Context) string {
	if c.Request.Method == http.MethodPost && c.PostForm("do") == "update" {
		return ""
	}
	if token := basketToken(c); token != "" {
		return hex.EncodeToString(ident.Hash(token))
	}
	return kit.Address(c)
}

// private keeps pages with a person's data out of every cache and referrer.
func private(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	// The address holds the secret: no other site may see it. Our own forms keep their origin.
	c.Header("Referrer-Policy", "same-origin")
	c.Header("X-Robots-Tag", "noindex")
}

// Names of the cookies.
const (
	cartCookie = "gio"
	// AgeCookie holds OfAge for a reader who said to be 18 or older.
	AgeCookie = "tuoi"
	OfAge     = "18"
)

func (s *Shop) setCookie(c *gin.Context, name, value string, age time.Duration) {
	http.SetCookie(c.Writer, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: s.HTTPS, SameSite: http.SameSiteLaxMode})
}

func cookie(c *gin.Context, name string) string {
	v, err := c.Cookie(name)
	if err != nil {
		return ""
	}
	return v
}

// adult reports whether the reader has said to be 18 or older.
func adult(c *gin.Context) bool { return cookie(c, AgeCookie) == OfAge }

// CountBasket is the number of pieces in the visitor's basket, for the header of every page.
func CountBasket(carts *cart.Service) func(*gin.Context) int {
	return func(c *gin.Context) int {
		token := basketToken(c)
		if token == "" {
			return 0
		}
		n, err := carts.Count(c.Request.Context(), token)
		if err != nil {
			return 0
		}
		return n
	}
}

func (s *Shop) page(c *gin.Context, title string) kit.Page { return s.Views.NewPage(c, title) }

// browsersKeep is how long a browser may show a page again without asking: prices and stock on it are that old at most.
const browsersKeep = 5 * time.Second

// cachable lets the front door keep a page that is the same for everyone who asks for its address, and browsers and
// proxies that of a visitor without a basket, for a moment, never past the midnight at which certificates lapse. Handlers
// call it before they read anything, so that what was true of one day is not kept by the clock of the next; an error
// page takes it back.
func (s *Shop) cachable(c *gin.Context) {
	front.Keep(c.Request.Context(), c.FullPath())
	if cookie(c, cartCookie) != "" || cookie(c, AgeCookie) != "" {
		c.Header("Cache-Control", "private, no-cache")
		return
	}
	keep := min(browsersKeep, clock.UntilMidnight(s.Clock))
	c.Header("Cache-Control", "public, max-age="+seconds(keep))
	c.Header("Vary", "Cookie")
}

// Shared names the parameters of a page that is the same for everyone who asks for its address, by its path. The front
// door keeps no other pages; each of these says for itself, by cachable, whether this answer may be kept.
func Shared(path string) (params []string, ok bool) {
	if path == "/en" || strings.HasPrefix(path, "/en/") {
		path = path[len("/en"):]
	}
	first, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "", "tinh", "diem-ban":
		return nil, true
	case "san-pham":
		if rest != "" {
			return []string{paramPack}, true
		}
		return listParams, true
	case "nhom", "nha-san-xuat":
		return listParams, true
	case "goi-y":
		return []string{paramQ}, true
	}
	_, ok = policies[path]
	return nil, ok
}
