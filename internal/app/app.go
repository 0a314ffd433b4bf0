// Package app is the composition root: New builds every service by hand from a configuration. The
// command and the flow tests use the same one.
package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/adapter/blob"
	"choocop.vn/ocop/internal/adapter/mail"
	"choocop.vn/ocop/internal/adapter/sms"
	"choocop.vn/ocop/internal/adapter/testcard"
	"choocop.vn/ocop/internal/adapter/vietqr"
	"choocop.vn/ocop/internal/adapter/webhook"
	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/asset"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/promo"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/api"
	"choocop.vn/ocop/internal/web/front"
	"choocop.vn/ocop/internal/web/hook"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/office"
	"choocop.vn/ocop/internal/web/seller"
	"choocop.vn/ocop/internal/web/shop"
	"choocop.vn/ocop/internal/worker"
	"choocop.vn/ocop/static"
	"choocop.vn/ocop/templates"
)

// App is the whole program, built and not yet listening.
type App struct {
	Config    config.Config
	DB        *db.DB
	Redis     *redis.Client
	Clock     clock.Clock
	Geo       *geo.Service
	Partners  *partner.Service
	Accounts  *account.Service
	Media     *media.Service
	Producers *producer.Service
	Catalog   *catalog.Service
	Showrooms *showroom.Service
	Stars     *certification.Service
	Stock     *inventory.Service
	Intake    *intake.Service
	Search    *search.Service
	Carts     *cart.Service
	Orders    *order.Service
	Money     *reconcile.Service
	Shoppers  *shopper.Service
	Store     *storefront.Service
	Views     *kit.Views
	API       *api.API
	Card      payment.Gateway // nil: no cards
	Payments  *payment.Service

	handler  http.Handler
	workers  *job.Workers
	registry *prometheus.Registry
	blobs    *blob.Disk
	texts    notify.Texter
	testCard *testcard.Gateway // the same as Card while that is the test gateway
	bankKeys []string
	secret   []byte
	news     *shop.News
}

// Options are what tests set otherwise.
type Options struct {
	Clock  clock.Clock
	Sender notify.Sender
	Texter notify.Texter
	Tracer db.Tracer
	// Card takes the cards in place of what the configuration says.
	Card payment.Gateway
}

// New builds the program. The database may still be away or empty: see Migrate.
func New(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	a := &App{Config: cfg, Clock: o.Clock, texts: o.Texter}
	if a.Clock == nil {
		a.Clock = clock.System()
	}
	secret, err := linkSecret(cfg)
	if err != nil {
		return nil, err
	}
	a.bankKeys, a.secret = bankSecrets(cfg, secret), secret
	if a.DB, err = db.Open(ctx, db.Config{DSN: cfg.DatabaseURL, ReadDSN: cfg.ReadURL, Tracer: o.Tracer}); err != nil {
		return nil, err
	}
	if a.Redis, err = redis.Open(ctx, redis.Config{URL: cfg.RedisURL, Dev: !cfg.InProduction()}); err != nil {
		a.Close()
		return nil, err
	}
	if a.blobs, err = blob.NewDisk(filepath.Join(cfg.Data, "media")); err != nil {
		a.Close()
		return nil, err
	}
	if err := a.openCards(o); err != nil {
		a.Close()
		return nil, err
	}
	if err := a.services(secret, o.Sender); err != nil {
		a.Close()
		return nil, err
	}
	if err := a.web(); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// linkSecret is the key of order links. Development keeps one in the data folder, so that links
// outlive a restart.
func linkSecret(cfg config.Config) ([]byte, error) {
	text := cfg.Secret
	if text == "" {
		path := filepath.Join(cfg.Data, "secret")
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
				return nil, fmt.Errorf("app: %w", err)
			}
			data = []byte(ident.Token())
			err = os.WriteFile(path, data, 0o600)
		}
		if err != nil {
			return nil, fmt.Errorf("app: secret: %w", err)
		}
		text = string(data)
	}
	sum := sha256.Sum256([]byte("order links\x00" + text))
	return sum[:], nil
}

func (a *App) services(secret []byte, sender notify.Sender) error {
	queue, err := job.NewQueue()
	if err != nil {
		return err
	}
	if sender == nil {
		if sender, err = mail.New(a.Config.SMTPURL, a.Config.MailFrom, filepath.Join(a.Config.Data, "mail")); err != nil {
			return err
		}
	}
	d, c := a.DB, a.Clock
	a.Geo = geo.New(d)
	seal, local := sha256.Sum256(append([]byte("partner webhooks\x00"), secret...)), !a.Config.InProduction()
	a.Partners = partner.New(d, c, webhook.New(local), partner.Config{Secret: seal[:], Local: local})
	a.Accounts = account.New(d)
	a.Media = media.New(d, a.blobs, c)
	a.Producers = producer.New(d, c)
	a.Catalog = catalog.New(d, c)
	a.Showrooms = showroom.New(d)
	a.Stars = certification.New(d, c)
	a.Stock = inventory.New(d, c)
	a.Search = search.New(d, c).Keep(time.Second)
	a.Intake = intake.New(d, c, a.Geo, a.Producers, a.Catalog, a.Stars, a.Search)
	a.Payments = payment.New(vietqr.Generator{}, c, payment.Options{DB: d, Jobs: queue, Gateway: a.Card, PassOnShares: a.Config.CardTransfers})
	a.Carts = cart.New(d, c, a.Catalog, a.Stock).WithSecret(secret)
	notes, err := notify.New(d, c, sender, templates.Files, notify.Site{Name: "Chợ OCOP", URL: a.Config.BaseURL, Operator: a.Config.Operator.Name, Address: a.Config.Operator.Address, Email: a.Config.Operator.Email})
	if err != nil {
		return err
	}
	texter, err := a.texter()
	if err != nil {
		return err
	}
	if texter != nil {
		notes.WithTexter(texter)
	}
	a.Orders = order.New(order.Deps{DB: d, Clock: c, Jobs: queue, Geo: a.Geo, Producers: a.Producers, Catalog: a.Catalog, Showrooms: a.Showrooms,
		Stock: a.Stock, Promo: promo.New(c), Payments: a.Payments, Carts: a.Carts, Notify: notes},
		order.Config{Secret: secret, VietQRTTL: a.Config.VietQRTTL, Operator: a.Config.Operator.Email, BaseURL: a.Config.BaseURL})
	a.Money = reconcile.New(reconcile.Deps{DB: d, Clock: c, Jobs: queue, Producers: a.Producers, Payments: a.Payments, Orders: a.Orders})
	a.Store = storefront.New(storefront.Sources{DB: d, Clock: c, Geo: a.Geo, Catalog: a.Catalog, Certificates: a.Stars, Showrooms: a.Showrooms, Search: a.Search, Pictures: a.Media,
		Fresh: time.Second})
	a.Shoppers = shopper.New(shopper.Deps{DB: d, Clock: c, Jobs: queue, Accounts: a.Accounts, Geo: a.Geo, Carts: a.Carts, Orders: a.Orders, Notify: notes},
		shopper.Config{Secret: secret, BaseURL: a.Config.BaseURL, Name: "Chợ OCOP", Operator: a.Config.Operator.Email,
			CodesPerDay: a.Config.CodesPerDay, CodesPerAddress: a.Config.CodesPerAddress, Limiter: a.Redis.Limiter()})
	a.workers = job.NewWorkers()
	worker.Register(a.workers, worker.Deps{Money: a.Money, Redis: a.Redis, Orders: a.Orders, Shoppers: a.Shoppers, Carts: a.Carts, Stock: a.Stock, Search: a.Search, Stars: a.Stars, Partners: a.Partners, Notify: notes})
	return nil
}

// texter is the way to send short messages: the gateway, or in development a folder. Production without a gateway has none.
func (a *App) texter() (notify.Texter, error) {
	if a.texts != nil {
		return a.texts, nil
	}
	folder := filepath.Join(a.Config.Data, "sms")
	if a.Config.InProduction() {
		folder = ""
	}
	return sms.New(a.Config.SMSURL, a.Config.SMSKey, folder)
}

func (a *App) web() error {
	cfg := a.Config
	https := strings.HasPrefix(cfg.BaseURL, "https://")
	assets, pages := asset.New(static.Files, "/static"), fs.FS(templates.Files)
	live := cfg.Live && isDir("templates") && isDir("static")
	if live {
		assets, pages = asset.Live(os.DirFS("static"), "/static"), os.DirFS("templates")
	}
	operator := kit.Operator(cfg.Operator)
	views, err := kit.NewViews(kit.ViewConfig{Files: pages, Live: live, Demo: cfg.Demo, CartCount: shop.CountBasket(a.Carts),
		Site: &kit.Site{BaseURL: cfg.BaseURL, Operator: operator, Asset: assets.URL}})
	if err != nil {
		return err
	}
	a.Views = views
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	sessions := scs.New()
	sessions.Store = a.Redis.Sessions()
	sessions.Lifetime = shop.SessionLife
	sessions.Cookie.Name, sessions.Cookie.Secure, sessions.Cookie.SameSite = "phien", https, http.SameSiteLaxMode
	sessions.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) {
		slog.ErrorContext(r.Context(), "sessions", "error", err)
		// The handler may have answered already: nothing of that answer counts without a session.
		w.Header().Del("Location")
		e.ServeHTTP(w, r.WithContext(shop.WithoutSession(r.Context())))
	}

	e.ContextWithFallback = true
	e.HandleMethodNotAllowed = true
	if err := e.SetTrustedProxies(cfg.Proxies); err != nil {
		return fmt.Errorf("app: OCOP_TRUSTED_PROXIES: %w", err)
	}
	a.registry = prometheus.NewRegistry()
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "ocop_sql_statements_total", Help: "Statements sent to PostgreSQL."},
			func() float64 { return float64(a.DB.Statements()) }))
	observe := a.observer()
	always := []gin.HandlerFunc{otelgin.Middleware("ocop"), kit.Trace(observe), kit.Headers(https, payPages(cfg)...)}
	e.Use(always...)
	e.Use(views.Recover())
	(&hook.Hooks{Limiter: a.Redis.Limiter(), Card: a.Card, Cards: a.Payments, Bank: hook.Bank{Secrets: a.bankKeys, Book: a.Money, Clock: a.Clock}}).Routes(e)
	e.Use(views.Body(1<<20), refuseWithoutSessions(views))
	a.machines(e, assets)
	a.API = &api.API{Views: views, Store: a.Store, Geo: a.Geo, Carts: a.Carts, Orders: a.Orders, Partners: a.Partners, Limiter: a.Redis.Limiter(), Clock: a.Clock,
		BaseURL: cfg.BaseURL, Anonymous: api.AnonymousRates, Partner: api.PartnerRates}
	a.news = a.newsOfOrders()
	stall := &seller.Seller{Views: views, Producers: a.Producers, Money: a.Money, Stars: a.Stars, Media: a.Media, Clock: a.Clock, HTTPS: https}
	desk := &office.Office{Views: views, Accounts: a.Accounts, Geo: a.Geo, Money: a.Money, Orders: a.Orders, Stars: a.Stars, Papers: a.Media, Clock: a.Clock}
	site := &shop.Shop{Views: views, News: a.news, Store: a.Store, Search: a.Search, Geo: a.Geo, Media: a.Media, Carts: a.Carts, Orders: a.Orders,
		Accounts: a.Accounts, Shoppers: a.Shoppers, Sessions: sessions, Register: a.Redis.Register(),
		Codes: shop.Codes{SVG: vietqr.QR, PNG: vietqr.PNG}, Limiter: a.Redis.Limiter(),
		Clock: a.Clock, HTTPS: https, DeviceKey: a.secret, BaseURL: cfg.BaseURL, Operator: operator, Gallery: !cfg.InProduction(), TestCards: a.testCards(),
		Galleries: []kit.Gallery{a.API, desk, stall}}
	site.Routes(e)
	desk.Who = site.Who
	desk.Routes(e)
	stall.Who = site.Who
	stall.Routes(e)
	if err := a.API.Open(cfg.Proxies, always...); err != nil {
		return fmt.Errorf("app: api: %w", err)
	}
	a.API.PageRoutes(e)
	e.NoRoute(views.NotFound)
	e.NoMethod(views.NotFound)

	withSession := sessions.LoadAndSave(e)
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(cfg.BaseURL); err != nil {
		return fmt.Errorf("app: OCOP_BASE_URL: %w", err)
	}
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api.Owns(r) {
			a.API.CrossSite(w, r)
			return
		}
		http.Error(w, "Yêu cầu đến từ một trang khác nên không được nhận. / The request came from another site and was not accepted.", http.StatusForbidden)
	}))
	inner := guard.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			// The server leaves the body out by itself; link checkers get what a reader would get.
			get := *r
			get.Method = http.MethodGet
			r = &get
		}
		if api.Owns(r) {
			a.API.ServeHTTP(w, r)
			return
		}
		if shop.NeedsSession(r) {
			withSession.ServeHTTP(w, r.WithContext(shop.WithSession(r.Context())))
			return
		}
		e.ServeHTTP(w, r)
	}))
	keep := cfg.PageCache
	if live {
		keep = 0
	}
	a.handler = front.New(front.Config{Clock: a.Clock, For: keep, Bytes: pageBytes, Shared: shop.Shared, InTurn: api.Owns, Gate: shop.AgeCookie, Open: shop.OfAge, Observe: observe}, inner)
	return nil
}

// pageBytes is the memory that kept pages may take.
const pageBytes = 24 << 20

// refuseWithoutSessions says in the reader's language that signing in has to wait.
func refuseWithoutSessions(v *kit.Views) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !shop.MissesSession(c.Request) {
			return
		}
		c.Header("Retry-After", "10")
		v.Fail(c, apperr.New(apperr.Unavailable, "signin.away"))
	}
}

func isDir(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.IsDir()
}

func (a *App) observer() func(string, string, int, time.Duration) {
	seen := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "ocop_http_seconds", Help: "Time to answer, by route.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5}}, []string{"route", "method", "status"})
	a.registry.MustRegister(seen)
	return func(route, method string, status int, d time.Duration) {
		seen.WithLabelValues(route, method, fmt.Sprint(status/100)+"xx").Observe(d.Seconds())
	}
}

// machines are the addresses for programs: files, health, figures.
func (a *App) machines(e *gin.Engine, assets *asset.Set) {
	e.GET("/static/*path", func(c *gin.Context) {
		f, ok := assets.Lookup(c.Request.URL.Path)
		if !ok {
			c.Status(http.StatusNotFound)
			return
		}
		c.Header("Content-Type", f.Type)
		c.Header("Cache-Control", "no-cache")
		if assets.Immutable(c.Request.URL.Path) {
			c.Header("Cache-Control", "public, max-age=31536000, immutable")
		}
		front.Send(c.Writer, c.Request, front.File{Data: f.Data, Gzip: f.Gzip, Brotli: f.Brotli, ETag: f.ETag})
	})
	e.GET("/healthz", func(c *gin.Context) { c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c *gin.Context) {
		if err := a.Ready(c); err != nil {
			c.String(http.StatusServiceUnavailable, "%v\n", err)
			return
		}
		c.String(http.StatusOK, "ready\n")
	})
	metrics := promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{})
	e.GET("/metrics", func(c *gin.Context) {
		// Figures are for the operator: from this machine only, unless they have an address of their own.
		if a.Config.InProduction() && a.Config.MetricsAddr == "" && !local(c.ClientIP()) {
			c.Status(http.StatusNotFound)
			return
		}
		metrics.ServeHTTP(c.Writer, c.Request)
	})
}

func local(ip string) bool { return ip == "127.0.0.1" || ip == "::1" }

// Ready reports what keeps the program from serving well: database, schema, Redis.
func (a *App) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := a.DB.Ping(ctx); err != nil {
		return errors.New("database: does not answer")
	}
	if err := db.Migrated(ctx, a.DB); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	if err := a.Redis.Ping(ctx); err != nil {
		return errors.New("redis: does not answer")
	}
	return nil
}

// Handler answers all requests.
func (a *App) Handler() http.Handler { return a.handler }

// Metrics answers with the figures of the program, for a listener of its own.
func (a *App) Metrics() http.Handler { return promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}) }

// Migrate brings the schema and the units of the country up to date.
func (a *App) Migrate(ctx context.Context) error {
	if err := db.Migrate(ctx, a.DB); err != nil {
		return err
	}
	if err := a.DB.InTx(ctx, func(tx db.Tx) error { return geo.Load(ctx, tx) }); err != nil {
		return err
	}
	a.Geo.Invalidate()
	return nil
}

// Warm reads what lists and searches keep in memory, some seconds of work in a large market. Without it the first visitors
// wait for that, and their searches go to the database.
func (a *App) Warm(ctx context.Context) error {
	return errors.Join(a.Store.Warm(ctx), a.Search.Warm(ctx))
}

// Work starts the job workers; stop the runner before Close.
func (a *App) Work(ctx context.Context) (*job.Runner, error) {
	if a.testCard != nil {
		if err := a.testCard.Resume(); err != nil {
			return nil, err
		}
	}
	return job.Run(ctx, a.DB, a.workers, 4)
}

// Close gives everything back.
func (a *App) Close() {
	a.EndStreams()
	if a.testCard != nil {
		a.testCard.Stop()
	}
	if a.blobs != nil {
		_ = a.blobs.Close()
	}
	if a.Redis != nil {
		_ = a.Redis.Close()
	}
	if a.DB != nil {
		a.DB.Close()
	}
}

// newsOfOrders tells open pages of purchases that have changed.
func (a *App) newsOfOrders() *shop.News {
	return shop.NewNews(shop.NewsSource{Stamps: a.Orders.Stamps, Listen: func(ctx context.Context, hear func(string), missed func()) func() bool {
		return a.Redis.Topic(ctx, order.NewsTopic, hear, missed).There
	}})
}

// EndStreams ends the answers that would otherwise stay open for minutes. The server calls it when it stops.
func (a *App) EndStreams() {
	if a.news != nil {
		a.news.Close()
	}
}
