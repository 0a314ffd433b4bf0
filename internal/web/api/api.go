// Package api is the market for programs: the JSON routes under /api/v1 that provincial portals and apps sell through, the
// OpenAPI document that describes them and the page made from it.
//
// It has no rules of its own. Every route calls a verb of storefront, geo, cart or order and says in JSON what that said;
// rights, limits, problems (RFC 9457), languages, entity tags and CORS are the same for all and stand in this package once.
//
// No cookie is read or set. A buyer is whoever holds the id of a cart or the token of a purchase; a partner is whoever
// holds a key. Bodies are JSON and nothing else, so that no form of another site can send one.
package api

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// Base is where all routes lie.
const Base = "/api/v1"

// docsPath is the page for readers; it belongs to the site, with its frame and its languages.
const docsPath = Base + "/docs"

// Rates are how many requests a minute one address, or one key, may make.
type Rates struct{ Reads, Carts, Checkouts redis.Rate }

// The rates of the program. Behind one address of a mobile network stand thousands of buyers, and a portal sells for all
// its buyers with one key.
var (
	AnonymousRates = Rates{redis.PerMinute(1200), redis.PerMinute(1200), redis.PerMinute(600)}
	PartnerRates   = Rates{redis.PerMinute(12_000), redis.PerMinute(12_000), redis.PerMinute(3_000)}
)

// API answers the routes; app fills it and calls Open.
type API struct {
	Views    *kit.Views
	Store    *storefront.Service
	Geo      *geo.Service
	Carts    *cart.Service
	Orders   *order.Service
	Partners *partner.Service
	Limiter  *redis.Limiter
	Clock    clock.Clock
	BaseURL  string
	// Anonymous and Partner are the rates in force.
	Anonymous, Partner Rates

	engine *gin.Engine
	docs   map[i18n.Locale]document
}

// Open registers the routes on an engine of their own: what goes wrong here is told in JSON, also before a route is found.
func (a *API) Open(proxies []string, before ...gin.HandlerFunc) error {
	e := gin.New()
	e.ContextWithFallback, e.HandleMethodNotAllowed, e.RedirectTrailingSlash = true, true, false
	if err := e.SetTrustedProxies(proxies); err != nil {
		return err
	}
	e.Use(before...)
	e.Use(a.begin, a.finish, a.recover, a.plain, a.authenticate)
	e.NoRoute(func(c *gin.Context) { a.refuse(c, http.StatusNotFound, "api.problem.no_route") })
	e.NoMethod(func(c *gin.Context) { a.refuse(c, http.StatusMethodNotAllowed, "api.problem.no_method") })
	a.engine = e
	return a.register(e)
}

// Owns reports whether a request is the API's own and not a page's.
func Owns(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") && r.URL.Path != docsPath
}

// ServeHTTP answers one request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.engine.ServeHTTP(w, r) }

// Registered lists the routes as the router knows them, for the test that compares them with the document.
func (a *API) Registered() gin.RoutesInfo { return a.engine.Routes() }

// CrossSite answers a request that a page of another site made a browser send and that would change something.
func (a *API) CrossSite(w http.ResponseWriter, r *http.Request) {
	p := newProblem(readLocale(r), http.StatusForbidden, "api.problem.cross_site", nil)
	p.write(w)
}

// shortly is how long a public answer may be kept that shows prices, stock or stars: a moment, and never past the
// midnight at which certificates lapse.
const shortly = 30 * time.Second
