package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// checkoutPlaces is where the fields of the checkout form stand in the body.
var checkoutPlaces = places{"name": "body/contact/name", "phone": "body/contact/phone", "email": "body/contact/email", "province": "body/address/province_code",
	"commune": "body/address/commune_code", "street": "body/address/line", "method": "body/payment_method", "consent_age": "body/adult",
	"invoice_company": "body/invoice/company", "invoice_tax_code": "body/invoice/tax_code", "invoice_address": "body/invoice/address"}

// Town is an address as far as a fee depends on it.
type Town struct {
	ProvinceCode string `json:"province_code" maxLength:"10" example:"01"`
	CommuneCode  string `json:"commune_code" maxLength:"10" example:"00070"`
}

// Quote is what a cart costs now, delivered.
type Quote struct {
	Total    int64         `json:"total" doc:"@quote.total"`
	Goods    int64         `json:"goods" doc:"@goods"`
	Shipping int64         `json:"shipping"`
	Discount int64         `json:"discount"`
	Currency string        `json:"currency" enum:"VND"`
	Sellers  []SellerQuote `json:"sellers"`
	Methods  []MethodQuote `json:"payment_methods"`
}

// SellerQuote is one seller's part: it will be one order.
type SellerQuote struct {
	Seller   string           `json:"seller" doc:"@seller" example:"HTX Dừa sáp"`
	SellerID int64            `json:"seller_id" doc:"@seller_id"`
	Goods    int64            `json:"goods" doc:"@goods"`
	Shipping int64            `json:"shipping"`
	Discount int64            `json:"discount"`
	Total    int64            `json:"total"`
	Delivery []DeliveryOption `json:"delivery" doc:"@delivery_options"`
}

// DeliveryOption is one way for a seller's goods to travel.
type DeliveryOption struct {
	Kind       string `json:"kind" enum:"carrier,pickup"`
	ShowroomID int64  `json:"showroom_id,omitempty" doc:"@showroom_id"`
	Name       string `json:"name" example:"Bưu điện"`
	Fee        int64  `json:"fee"`
	DaysMin    int    `json:"days_min"`
	DaysMax    int    `json:"days_max"`
	Chosen     bool   `json:"chosen"`
}

// MethodQuote is a way to pay, and why it is closed where it is.
type MethodQuote struct {
	Method  string `json:"method" enum:"cod,vietqr,card"`
	Allowed bool   `json:"allowed"`
	Why     string `json:"why,omitempty" doc:"@method.why"`
}

// DeliveryChoice is how the goods of one seller shall travel.
type DeliveryChoice struct {
	SellerID   int64  `json:"seller_id" doc:"@seller_id"`
	Kind       string `json:"kind" enum:"carrier,pickup"`
	ShowroomID int64  `json:"showroom_id,omitempty" doc:"@showroom_id"`
}

type quoteIn struct {
	CartParam
	Body struct {
		Address  Town             `json:"address"`
		Delivery []DeliveryChoice `json:"delivery,omitempty" maxItems:"20" doc:"@delivery"`
	}
}

type quoteOut struct{ Body Quote }

func (a *API) quote(ctx context.Context, in *quoteIn) (*quoteOut, error) {
	if err := a.Carts.Know(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := a.Geo.Check(ctx, in.Body.Address.ProvinceCode, in.Body.Address.CommuneCode); err != nil {
		return nil, err
	}
	l := callerOf(ctx).locale
	q, err := a.Orders.Quote(ctx, order.QuoteRequest{CartToken: in.ID, ProvinceCode: in.Body.Address.ProvinceCode, Locale: l, Delivery: choices(in.Body.Delivery)})
	switch {
	case err != nil:
		return nil, err
	case len(q.Sellers) == 0 && !q.Blocked:
		return nil, apperr.New(apperr.Conflict, "order.cart_empty")
	case q.Blocked:
		return nil, a.moved(ctx, in.ID, apperr.New(apperr.Conflict, "api.problem.blocked"))
	}
	for _, s := range q.Sellers {
		if _, ok := s.Option(); !ok {
			return nil, apperr.New(apperr.Conflict, "order.delivery.none", "seller", s.Name)
		}
	}
	return &quoteOut{quoted(l, q)}, nil
}

func quoted(l i18n.Locale, q order.Quote) Quote {
	out := Quote{Total: int64(q.Total), Goods: int64(q.Goods), Shipping: int64(q.Shipping), Discount: int64(q.Discount), Currency: currency,
		Sellers: make([]SellerQuote, len(q.Sellers)), Methods: make([]MethodQuote, len(q.Methods))}
	for i, s := range q.Sellers {
		out.Sellers[i] = SellerQuote{Seller: s.Name, SellerID: s.ProducerID, Goods: int64(s.Goods), Shipping: int64(s.Shipping), Discount: int64(s.Discount),
			Total: int64(s.Total), Delivery: make([]DeliveryOption, len(s.Options))}
		for j, o := range s.Options {
			name := pick(l, o.CarrierName, o.CarrierNameEN)
			if o.Kind == order.ByPickup {
				name = pick(l, o.Showroom.NameVI, o.Showroom.NameEN)
			}
			out.Sellers[i].Delivery[j] = DeliveryOption{Kind: o.Kind, ShowroomID: o.ShowroomID, Name: name, Fee: int64(o.Fee), DaysMin: o.DaysMin, DaysMax: o.DaysMax, Chosen: j == s.Chosen}
		}
	}
	for i, m := range q.Methods {
		out.Methods[i] = MethodQuote{Method: string(m.Method), Allowed: m.Allowed}
		if !m.Allowed {
			out.Methods[i].Why = i18n.T(l, m.WhyKey, m.WhyArgs)
		}
	}
	return out
}

func choices(list []DeliveryChoice) map[int64]order.Choice {
	out := make(map[int64]order.Choice, len(list))
	for _, c := range list {
		out[c.SellerID] = order.Choice{Kind: c.Kind, ShowroomID: c.ShowroomID}
	}
	return out
}

// Checkout is what a buyer orders with.
type Checkout struct {
	Contact struct {
		Name  string `json:"name" maxLength:"400" example:"Nguyễn Thị Hòa"`
		Phone string `json:"phone" maxLength:"60" example:"0912 345 678"`
		Email string `json:"email,omitempty" maxLength:"300" example:"hoa@vidu.vn"`
	} `json:"contact"`
	Address struct {
		Town
		Line string `json:"line" maxLength:"1000" doc:"@address.line" example:"12 phố Hàng Gai"`
	} `json:"address"`
	PaymentMethod string           `json:"payment_method" enum:"cod,vietqr,card"`
	ExpectedTotal int64            `json:"expected_total" minimum:"0" maximum:"1000000000000000" doc:"@expected_total" example:"330000"`
	Delivery      []DeliveryChoice `json:"delivery,omitempty" maxItems:"20" doc:"@delivery"`
	Adult         bool             `json:"adult,omitempty" doc:"@adult"`
	Note          string           `json:"note,omitempty" maxLength:"2000"`
	Invoice       *struct {
		Company string `json:"company" maxLength:"800"`
		TaxCode string `json:"tax_code" maxLength:"20"`
		Address string `json:"address" maxLength:"800"`
	} `json:"invoice,omitempty" doc:"@invoice"`
}

type checkoutIn struct {
	CartParam
	IdempotencyKey string `header:"Idempotency-Key" required:"true" minLength:"1" maxLength:"255" pattern:"^[!-~]+$" doc:"@idempotency_key" example:"0197-4f1c-portal-000123"`
	Body           Checkout
}

type checkoutOut struct {
	Replayed bool `header:"Idempotency-Replayed" doc:"@replayed"`
	Body     Purchase
}

// requestKey is the key of the order: that of the buyer, bound to the cart. Whoever holds a cart is its buyer, so the keys
// of two buyers never meet, also when one partner orders for both.
func requestKey(cartID, key string) string {
	sum := sha256.Sum256([]byte("api checkout\x00" + cartID + "\x00" + key))
	return "api-" + base64.RawURLEncoding.EncodeToString(sum[:])
}

func (in *checkoutIn) placement(l i18n.Locale, partnerID int64) order.Placement {
	b := in.Body
	p := order.Placement{RequestKey: requestKey(in.ID, in.IdempotencyKey), CartToken: in.ID, PartnerID: partnerID, Locale: l,
		Contact:  order.Contact{Name: b.Contact.Name, Phone: b.Contact.Phone, Email: b.Contact.Email},
		Address:  order.Address{ProvinceCode: b.Address.ProvinceCode, CommuneCode: b.Address.CommuneCode, Street: b.Address.Line},
		Delivery: choices(b.Delivery), Method: payment.Method(b.PaymentMethod), Note: b.Note,
		// Calling this route is the buyer's agreement to the terms: the document says so.
		Consents: order.Consents{Terms: true, Adult: b.Adult}, Expect: money.VND(b.ExpectedTotal)}
	if b.Invoice != nil {
		p.Invoice = order.Invoice{Company: b.Invoice.Company, TaxCode: b.Invoice.TaxCode, Address: b.Invoice.Address}
	}
	return p
}

func (a *API) checkout(ctx context.Context, in *checkoutIn) (*checkoutOut, error) {
	if err := a.Carts.Know(ctx, in.ID); err != nil {
		return nil, err
	}
	who := callerOf(ctx)
	done, err := a.Orders.Place(ctx, in.placement(who.locale, who.partner.ID))
	if faults, known := apperr.As(err); known {
		return nil, a.moved(ctx, in.ID, faults)
	}
	if err != nil {
		return nil, err
	}
	v, err := a.Orders.Find(ctx, done.Code, done.Secret)
	if err != nil {
		return nil, err
	}
	out := &checkoutOut{Replayed: done.Replayed, Body: purchase(who.locale, v)}
	out.Body.Token = done.Secret
	return out, a.offerCard(ctx, v, done.Secret, &out.Body)
}

// offerCard names the page on which a purchase by card is paid, one for all its orders. The provider may be away: then the
// order stands without it, and the same request sent again asks for the page again.
func (a *API) offerCard(ctx context.Context, v order.GroupView, secret string, p *Purchase) error {
	if v.Method != payment.Card || !v.AwaitsPayment() {
		return nil
	}
	url, err := a.Orders.PayByCard(ctx, v.Code, secret)
	if _, known := apperr.As(err); known {
		return nil
	}
	for i, o := range v.Orders {
		if o.Payable {
			p.Orders[i].Payment.Redirect = url
		}
	}
	return err
}

// moved is an error that comes from prices or stock which are no longer what the buyer saw.
type moved struct {
	error
	total *int64
	lines []ConflictLine
}

// Unwrap is what happened.
func (m *moved) Unwrap() error { return m.error }

// moved names the lines behind a conflict. Where no line is another than the buyer saw, it names them all with what they
// cost now: the total that the buyer expected was wrong.
func (a *API) moved(ctx context.Context, cartID string, err error) error {
	faults, _ := apperr.As(err)
	m := &moved{error: err}
	touched := false
	for _, e := range faults {
		if total, ok := e.Args["total"].(money.VND); ok && e.Key == "order.price_changed" {
			n := int64(total)
			m.total = &n
		}
		touched = touched || e.Key == "order.price_changed" || e.Key == "api.problem.blocked" || strings.HasPrefix(e.Key, "order.line.")
	}
	if !touched || faults.Kind() != apperr.Conflict {
		return err
	}
	v, err := a.Carts.View(ctx, cartID)
	if err != nil {
		return err
	}
	l := callerOf(ctx).locale
	for _, seller := range v.Sellers {
		for _, line := range seller.Lines {
			m.lines = append(m.lines, conflictLine(l, line))
		}
	}
	same := func(c ConflictLine) bool { return c.Problem == "none" }
	if slices.ContainsFunc(m.lines, func(c ConflictLine) bool { return !same(c) }) {
		m.lines = slices.DeleteFunc(m.lines, same)
	}
	return m
}

func conflictLine(l i18n.Locale, line cart.Line) ConflictLine {
	c := ConflictLine{SKU: line.SKU, Name: line.Name(l), Quantity: line.Quantity, Available: line.Available, Price: int64(line.PriceNow), PriceSeen: int64(line.PriceSeen)}
	switch {
	case line.Problem != cart.None:
		c.Problem = string(line.Problem)
	case line.PriceChanged():
		c.Problem = "price_changed"
	default:
		c.Problem = "none"
	}
	return c
}
