// Package order owns checkout, purchases and their orders: what was bought, from whom, for how much, how it travels
// and what became of it.
//
// Tables: order_group, orders, order_line, order_adjustment, order_history, order_counter, order_refund, consent, carrier,
// shipping_rate.
//
// A purchase (order group) has one order per seller. Promises:
//   - Placing is one transaction: basket emptied, payments opened, mail queued, stock promised, numbers drawn, or nothing.
//     Purchases that come at the same moment share it, and none fails for another's fault (till.go).
//   - The same request key gives the same order and the same link, whatever the number of clicks. The link's secret is
//     derived from the key, so it can be answered again although the table keeps only its hash.
//   - Nobody pays another total than the page said: Expect must match to the đồng.
//   - Order numbers have no gap within a year; the counter is the last row locked.
//   - Rows are locked in the order: order, cart, phone number (cash only), request key, stock level, payment, counter; of
//     one kind in the order of their keys. A payment that is being opened is nobody else's yet, so placing opens it
//     before it locks the stock, and holds what many want, levels and counter, for the last two statements only.
//   - A paid order never expires; an unpaid one stops being payable at PayBefore, also before the job has said so.
//
// States (the table is transitions):
//
//	awaiting_payment → placed | expired | cancelled     (VietQR and cards begin here)
//	placed           → packed | cancelled               (cash on delivery begins here)
//	packed           → shipped
//	shipped          → delivered | returned             (returned: the parcel was not taken and came back)
//	expired          → placed                           (only when the money came late)
//
// Money that comes for an order that stays cancelled or expired is recorded too, its history says it is owed back, and a
// refund is due: by the provider for a card, by the seller's hand else. A card order never expires while its page can be
// paid, unless the provider does not answer for an hour.
package order

import (
	"slices"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/promo"
	"choocop.vn/ocop/internal/showroom"
)

// State of an order.
type State string

// The states of an order.
const (
	AwaitingPayment State = "awaiting_payment"
	Placed          State = "placed"
	Packed          State = "packed"
	Shipped         State = "shipped"
	Delivered       State = "delivered"
	Returned        State = "returned"
	Cancelled       State = "cancelled"
	Expired         State = "expired"
)

// States are all states of an order.
func States() []State {
	return []State{AwaitingPayment, Placed, Packed, Shipped, Delivered, Returned, Cancelled, Expired}
}

// transitions is the whole of what may happen to an order. Expired to placed is open to money that came late only.
var transitions = map[State][]State{
	AwaitingPayment: {Placed, Expired, Cancelled},
	Placed:          {Packed, Cancelled},
	Packed:          {Shipped},
	Shipped:         {Delivered, Returned},
	Expired:         {Placed},
}

func allowed(from, to State) bool { return slices.Contains(transitions[from], to) }

// off reports whether the order has ended without a sale.
func (s State) off() bool { return s == Cancelled || s == Expired }

// Key is the text key of the state's name for the buyer.
func (s State) Key() string { return "order.state." + string(s) }

// Kinds of delivery.
const (
	ByCarrier = "carrier"
	ByPickup  = "pickup"
)

// Choice is how the goods of one seller shall travel.
type Choice struct {
	Kind       string // ByCarrier or ByPickup
	ShowroomID int64  // for ByPickup
}

// Contact is who buys. Email may be empty.
type Contact struct{ Name, Phone, Email string }

// Address is where the parcel goes.
type Address struct{ ProvinceCode, CommuneCode, Street string }

// Invoice asks for an invoice in these names; all empty asks for none.
type Invoice struct{ Company, TaxCode, Address string }

// Wanted reports whether an invoice is asked for.
func (i Invoice) Wanted() bool { return i != Invoice{} }

// Consents are the boxes that the buyer ticked.
type Consents struct{ Terms, Adult, Marketing bool }

// ConsentVersion names the wording of the consent boxes; it is stored with each consent. Change it with the texts
// order.consent.*.
const ConsentVersion = "2026-11-22"

// Placement is everything a checkout form says.
type Placement struct {
	RequestKey string // made with the page; the same key places once
	CartToken  string
	AccountID  int64 `json:",omitempty"` // whose purchase it is; 0 for a guest's
	PartnerID  int64 `json:",omitempty"` // through whose key it is placed; 0 in our own shop
	Locale     i18n.Locale
	Contact    Contact
	Address    Address
	Delivery   map[int64]Choice // by producer; a seller left out takes the first way of the quote, a parcel where one is possible
	Method     payment.Method
	Note       string
	Invoice    Invoice
	Consents   Consents
	Expect     money.VND // the total that the button said
}

// Done is the answer to Place: the page /don-hang/{Code} opens with Secret.
type Done struct {
	Code     string
	Secret   string
	Replayed bool
}

// QuoteRequest asks what a basket would cost. ProvinceCode may still be empty: then carriers' fees are not known.
type QuoteRequest struct {
	CartToken    string
	ProvinceCode string
	Locale       i18n.Locale
	Delivery     map[int64]Choice
}

// Option is one way in which the goods of a seller may travel.
type Option struct {
	Choice
	CarrierCode   string
	CarrierName   string
	CarrierNameEN string
	Showroom      showroom.Showroom // for ByPickup
	Known         bool              // false: the fee depends on a province not chosen yet
	Fee           money.VND         // nothing at a sales point of the seller's province, else the carrier's for the distance
	DaysMin       int
	DaysMax       int
	ChargeableG   int
}

// QuoteLine is one priced line of a basket.
type QuoteLine struct {
	catalog.Offer
	Quantity    int
	UnitPrice   money.VND
	Adjustments []promo.Adjustment
	Total       money.VND // before adjustments
}

// SellerQuote is what one seller's part would cost.
type SellerQuote struct {
	ProducerID   int64
	Name         string
	ProvinceCode string
	Lines        []QuoteLine
	Options      []Option
	Chosen       int // index in Options, -1 where none fits
	WeightG      int64
	Goods        money.VND
	Discount     money.VND
	Shipping     money.VND
	Total        money.VND
}

// Option is the chosen one, if any.
func (q SellerQuote) Option() (Option, bool) {
	if q.Chosen < 0 || q.Chosen >= len(q.Options) {
		return Option{}, false
	}
	return q.Options[q.Chosen], true
}

// MethodQuote is one way to pay and, where it is not open, why: a text key with its arguments.
type MethodQuote struct {
	Method  payment.Method
	Allowed bool
	WhyKey  string
	WhyArgs map[string]any
}

// Quote is what a basket costs now. Complete means that every fee is known and the total may stand on the button.
type Quote struct {
	Sellers    []SellerQuote
	Methods    []MethodQuote
	Goods      money.VND
	Discount   money.VND
	Shipping   money.VND
	Total      money.VND
	AdultsOnly bool
	Complete   bool
	// Blocked means that a line of the basket cannot be bought as it stands: back to the basket.
	Blocked bool
}

// Config is what the composition root decides.
type Config struct {
	Secret    []byte        // key of the links; the same for all copies of the program
	VietQRTTL time.Duration // how long an unpaid transfer holds its goods; 0 means 15 minutes
	CardTTL   time.Duration // the same for a card; 0 means 30 minutes, the shortest life of a page at Stripe
	Operator  string        // e-mail of who runs the market, for what only a person can answer
	BaseURL   string        // https://example.vn, for links in mails
}

// Deps are the services that checkout calls.
type Deps struct {
	DB        *db.DB
	Clock     clock.Clock
	Jobs      *job.Queue
	Geo       *geo.Service
	Producers *producer.Service
	Catalog   *catalog.Service
	Showrooms *showroom.Service
	Stock     *inventory.Service
	Promo     *promo.Service
	Payments  *payment.Service
	Carts     *cart.Service
	Notify    *notify.Service
}

// Service holds the verbs of this package.
type Service struct {
	Deps
	cfg   Config
	rates kept
	queue queue
}

// New returns the service.
func New(d Deps, c Config) *Service {
	if c.VietQRTTL <= 0 {
		c.VietQRTTL = 15 * time.Minute
	}
	if c.CardTTL <= 0 {
		c.CardTTL = 30 * time.Minute
	}
	return &Service{Deps: d, cfg: c}
}
