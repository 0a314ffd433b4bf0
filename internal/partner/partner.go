// Package partner owns those who sell or show the market's goods elsewhere (a provincial portal, an app): their API keys
// and what they are told by webhooks.
//
// Tables: partner, partner_key, webhook_endpoint, webhook_notice, webhook_delivery, webhook_attempt.
//
// Promises:
//   - A key is shown once and never stored; the table holds its SHA-256. Revoking it takes effect at once in this program
//     and within [keyMemory] in its other copies.
//   - An event exists if and only if the transaction that caused it does ([Emit]), and only if somebody listens.
//   - Every event reaches every endpoint that wanted it at least once, or the delivery log says why not. The same event
//     carries the same webhook-id each time, so a receiver can tell a repetition. No order of events is promised.
//   - Events of an order go only to the partner through whose key it was placed.
//   - Payloads hold codes, states and amounts, no personal data.
//   - An endpoint's secret is stored sealed, because it has to sign; it is shown once.
//
// The package stands below all business, so that every domain may call Emit in its own transaction, as with audit.
package partner

import (
	"context"
	"net/url"
	"slices"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Scope is one thing a key may do.
type Scope string

// The scopes. Reading the catalogue and filling a basket need none.
const (
	OrdersRead     Scope = "orders:read"
	OrdersWrite    Scope = "orders:write"
	WebhooksManage Scope = "webhooks:manage"
)

// Scopes are all scopes there are.
var Scopes = []Scope{OrdersRead, OrdersWrite, WebhooksManage}

// Kinds of events.
const (
	OrderPlaced        = "order.placed"
	OrderPaid          = "order.paid"
	OrderPacked        = "order.packed"
	OrderShipped       = "order.shipped"
	OrderDelivered     = "order.delivered"
	OrderCancelled     = "order.cancelled"
	OrderExpired       = "order.expired"
	OrderRefunded      = "order.refunded"
	StockChanged       = "stock.changed"
	PriceChanged       = "price.changed"
	CertificateChanged = "certificate.changed"
)

// Kinds are all kinds there are.
var Kinds = []string{OrderPlaced, OrderPaid, OrderPacked, OrderShipped, OrderDelivered, OrderCancelled, OrderExpired, OrderRefunded,
	StockChanged, PriceChanged, CertificateChanged}

// States of a partner.
const (
	Active    = "active"
	Suspended = "suspended"
)

// Partner is who holds keys and endpoints.
type Partner struct {
	ID        int64
	Name      string
	Email     string
	Locale    i18n.Locale
	State     string
	CreatedAt time.Time
}

// Key is an API key without its secret part.
type Key struct {
	ID         int64
	PartnerID  int64
	Prefix     string // how people tell keys apart: ocop_7K4M92QX
	Label      string
	Scopes     []Scope
	CreatedAt  time.Time
	ExpiresAt  *time.Time
	LastUsedAt *time.Time // to the minute
	RevokedAt  *time.Time
}

// May reports whether the key has the scope.
func (k Key) May(s Scope) bool { return slices.Contains(k.Scopes, s) }

// Need is nil if the key has the scope, else Denied partner.scope.missing.
func (k Key) Need(s Scope) error {
	if k.May(s) {
		return nil
	}
	return apperr.New(apperr.Denied, "partner.scope.missing", "scope", string(s))
}

// States of an endpoint.
const (
	EndpointActive = "active"
	EndpointPaused = "paused"
)

// Why an endpoint is paused.
const (
	PausedAsked   = "asked"   // by the partner or by staff
	PausedFailing = "failing" // too many failures over too long a time
	PausedGone    = "gone"    // it answered 410 Gone
)

// Endpoint is an address of a partner that wants events.
type Endpoint struct {
	Code         string // hook_…, its name for the partner
	PartnerID    int64
	URL          string
	Kinds        []string
	State        string
	PausedWhy    string // one of the Paused constants while paused
	Failures     int    // in a row
	FailingSince *time.Time
	CreatedAt    time.Time
}

// Host is the name of the server behind the endpoint.
func (e Endpoint) Host() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// States of a delivery.
const (
	DeliveryWaiting = "waiting"
	DeliveryDone    = "done"
	DeliveryFailed  = "failed" // given up; see Redeliver
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	EventID    string
	Endpoint   string // its code
	Kind       string
	Subject    string
	State      string
	Attempts   int // since it was last asked for
	CreatedAt  time.Time
	NextAt     *time.Time
	LastAt     *time.Time
	LastStatus *int   // nil where no answer came
	LastAnswer string // the beginning of the answer, or what went wrong
	DoneAt     *time.Time

	id int64
}

// Attempt is one line of the delivery log.
type Attempt struct {
	At     time.Time
	Took   time.Duration
	Status *int
	Answer string
}

// Letter is a signed event, ready to be posted.
type Letter struct {
	URL     string
	Headers map[string]string
	Body    []byte
}

// Answer is what a receiver said: its status and the beginning of its words.
type Answer struct {
	Status int
	Text   string
}

// Poster carries a letter to a partner's server; adapter/webhook fills it. An error means that no answer came.
type Poster interface {
	Post(ctx context.Context, l Letter) (Answer, error)
}

// Config is what the composition root decides.
type Config struct {
	Secret []byte // 32 bytes, the same for all copies of the program: seals the secrets of endpoints
	Local  bool   // development: http to this machine is allowed
}

// Service holds the verbs of this package.
type Service struct {
	db     *db.DB
	clock  clock.Clock
	poster Poster
	cfg    Config
	keys   *memory
}

// New returns the service.
func New(d *db.DB, c clock.Clock, p Poster, cfg Config) *Service {
	return &Service{db: d, clock: c, poster: p, cfg: cfg, keys: newMemory()}
}
