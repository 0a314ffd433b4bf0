package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/redis"
)

// right is who may use a route. It is an argument of every route line.
type right string

const (
	// anyone needs no key; one that is sent must be good.
	anyone right = "anyone"
	// byCart routes open only with the unguessable id of the cart.
	byCart right = "cart"
	// bySecret routes open only with the token of the purchase; the domain verb checks it.
	bySecret right = "secret"
	// byKey routes open only with a key that has the scope of the line.
	byKey right = "key"
)

// route is one line of the table.
type route struct {
	id, method, path string
	tag              string
	status           int // of success; 0 means 200
	fails            []int
	where            places
	// public answers show nobody's data: scripts of every site may read them, and they may be kept for a while.
	public bool
	keep   time.Duration
	scope  partner.Scope
	raw    bool   // the answer is JSON without a type of ours
	rate   string // of Rates: "reads" (0), "carts" or "checkouts"
}

var rates = map[string]func(Rates) redis.Rate{
	"":          func(r Rates) redis.Rate { return r.Reads },
	"carts":     func(r Rates) redis.Rate { return r.Carts },
	"checkouts": func(r Rates) redis.Rate { return r.Checkouts },
}

// register is the table of addresses.
func (a *API) register(e *gin.Engine) error {
	g := e.Group(Base)
	h := huma.NewAPI(huma.Config{OpenAPI: a.outline(), Formats: formats(), DefaultFormat: "application/json"}, adapter(e, g))
	open := func(_ right, path string) { g.OPTIONS(path, preflight) }

	// Goods
	add(a, h, anyone, route{id: "list_products", method: "GET", path: "/products", tag: "products", public: true, keep: shortly, fails: []int{422},
		where: places{"cursor": "query/cursor"}}, a.listProducts)
	open(anyone, "/products")
	add(a, h, anyone, route{id: "get_product", method: "GET", path: "/products/{slug}", tag: "products", public: true, keep: shortly, fails: []int{403, 404, 422}}, a.getProduct)
	open(anyone, "/products/:slug")
	add(a, h, anyone, route{id: "get_certificate", method: "GET", path: "/certificates/{code}", tag: "certificates", public: true, fails: []int{404, 422},
		where: places{"code": "path/code"}}, a.getCertificate)
	open(anyone, "/certificates/:code")
	add(a, h, anyone, route{id: "list_provinces", method: "GET", path: "/provinces", tag: "places", public: true, keep: time.Hour}, a.listProvinces)
	open(anyone, "/provinces")
	add(a, h, anyone, route{id: "list_communes", method: "GET", path: "/provinces/{code}/communes", tag: "places", public: true, keep: time.Hour, fails: []int{404}}, a.listCommunes)
	open(anyone, "/provinces/:code/communes")

	// Buying
	line := places{"sku": "path/sku"}
	add(a, h, anyone, route{id: "open_cart", method: "POST", path: "/carts", tag: "carts", status: http.StatusCreated, rate: "carts"}, a.openCart)
	add(a, h, byCart, route{id: "get_cart", method: "GET", path: "/carts/{id}", tag: "carts", rate: "carts", fails: []int{404}}, a.getCart)
	add(a, h, byCart, route{id: "add_line", method: "POST", path: "/carts/{id}/lines", tag: "carts", rate: "carts", fails: []int{400, 403, 404, 409, 413, 415, 422}}, a.addLine)
	add(a, h, byCart, route{id: "set_line", method: "PATCH", path: "/carts/{id}/lines/{sku}", tag: "carts", rate: "carts", where: line, fails: []int{400, 404, 413, 415, 422}}, a.setLine)
	add(a, h, byCart, route{id: "remove_line", method: "DELETE", path: "/carts/{id}/lines/{sku}", tag: "carts", rate: "carts", where: line, fails: []int{404}}, a.removeLine)
	add(a, h, byCart, route{id: "quote", method: "POST", path: "/carts/{id}/quote", tag: "carts", rate: "carts", where: checkoutPlaces, fails: []int{400, 404, 409, 413, 415, 422}}, a.quote)
	add(a, h, byCart, route{id: "checkout", method: "POST", path: "/carts/{id}/checkout", tag: "orders", status: http.StatusCreated, rate: "checkouts", where: checkoutPlaces, scope: partner.OrdersWrite,
		fails: []int{400, 403, 404, 409, 413, 415, 422}}, a.checkout)
	add(a, h, bySecret, route{id: "get_order", method: "GET", path: "/orders/{code}", tag: "orders", scope: partner.OrdersRead, fails: []int{403, 404, 422}}, a.getOrder)
	add(a, h, bySecret, route{id: "cancel_order", method: "POST", path: "/orders/{code}/cancel", tag: "orders", rate: "carts", scope: partner.OrdersWrite, fails: []int{400, 403, 404, 409, 413, 415, 422}}, a.cancelOrder)

	// What partners are told
	hook := func(r route) route {
		r.tag, r.rate, r.scope = "webhooks", "carts", partner.WebhooksManage
		r.fails = append(r.fails, http.StatusForbidden)
		return r
	}
	const hooks, one = "/webhook-endpoints", "/webhook-endpoints/{id}"
	add(a, h, byKey, hook(route{id: "list_endpoints", method: "GET", path: hooks}), a.listEndpoints)
	add(a, h, byKey, hook(route{id: "add_endpoint", method: "POST", path: hooks, status: http.StatusCreated, fails: []int{400, 409, 413, 415, 422}}), a.addEndpoint)
	add(a, h, byKey, hook(route{id: "get_endpoint", method: "GET", path: one, fails: []int{404}}), a.getEndpoint)
	add(a, h, byKey, hook(route{id: "remove_endpoint", method: "DELETE", path: one, fails: []int{404}}), a.removeEndpoint)
	add(a, h, byKey, hook(route{id: "pause_endpoint", method: "POST", path: one + "/pause", fails: []int{404}}), a.pauseEndpoint)
	add(a, h, byKey, hook(route{id: "resume_endpoint", method: "POST", path: one + "/resume", fails: []int{404}}), a.resumeEndpoint)
	add(a, h, byKey, hook(route{id: "list_deliveries", method: "GET", path: one + "/deliveries", fails: []int{404, 422}}), a.listDeliveries)
	add(a, h, byKey, hook(route{id: "redeliver", method: "POST", path: one + "/deliveries/{event}/redeliver", fails: []int{404, 409}}), a.redeliver)
	add(a, h, byKey, hook(route{id: "redeliver_failed", method: "POST", path: one + "/redeliver-failed", fails: []int{400, 404, 409, 413, 415, 422}}), a.redeliverFailed)

	add(a, h, anyone, route{id: "get_document", method: "GET", path: "/openapi.json", tag: "document", public: true, keep: time.Hour, raw: true}, a.getOpenAPI)
	open(anyone, "/openapi.json")
	return a.publish(h.OpenAPI())
}

// add registers one line of the table.
func add[I, O any](a *API, h huma.API, r right, line route, fn func(context.Context, *I) (*O, error)) {
	op := huma.Operation{OperationID: line.id, Method: line.method, Path: line.path, Tags: []string{line.tag}, DefaultStatus: line.status,
		Summary: "@op." + line.id, Description: "@op." + line.id + "_text", MaxBodyBytes: maxBody, Errors: append(line.fails, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable),
		Metadata: map[string]any{"right": r}}
	op.Security = []map[string][]string{{keyScheme: {}}}
	if r != byKey {
		op.Security = append(op.Security, map[string][]string{})
	}
	op.Middlewares = huma.Middlewares{a.limited(rateName(line.rate), rates[line.rate])}
	if line.scope != "" {
		op.Middlewares = append(op.Middlewares, a.entitled(line.scope, r == byKey))
	}
	if line.public {
		op.Middlewares = append(op.Middlewares, a.cached(line.keep), crossOrigin)
	} else if line.method == http.MethodGet {
		op.Middlewares = append(op.Middlewares, private)
	}
	if line.method == http.MethodPost || line.method == http.MethodPatch {
		op.Middlewares = append(op.Middlewares, jsonOnly)
	}
	if line.raw {
		op.Responses = map[string]*huma.Response{"200": {Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}}}
	}
	huma.Register(h, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, in)
		if err != nil {
			return nil, problem(ctx, err, line.where)
		}
		return out, nil
	})
}

func rateName(name string) string {
	if name == "" {
		return "reads"
	}
	return name
}

// private lets the buyer's own program keep an answer as long as it asks each time whether it still holds.
func private(c huma.Context, next func(huma.Context)) {
	c.SetHeader("Cache-Control", "private, no-cache")
	next(c)
}

// jsonOnly refuses every other kind of body, also where a body may be left out: a browser sends JSON to another site only
// after asking, and it is told no.
func jsonOnly(c huma.Context, next func(huma.Context)) {
	g := humagin.Unwrap(c)
	if g.Request.ContentLength != 0 && !isJSON(c.Header("Content-Type")) {
		refused(c, http.StatusUnsupportedMediaType, "").(*Problem).write(g.Writer)
		return
	}
	next(c)
}
