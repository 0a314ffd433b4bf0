package order

import (
	"time"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/showroom"
)

// GroupView is a purchase as its buyer sees it.
type GroupView struct {
	ID       int64
	Code     string
	Locale   i18n.Locale // the language it was ordered in
	PlacedAt time.Time
	Contact  Contact
	Address  Address
	Method   payment.Method
	Note     string
	Invoice  Invoice
	Total    money.VND
	Orders   []OrderView
	Stamp    int64 // grows whenever a state changes; see [Service.Watch]
}

// AwaitsPayment reports whether a transfer is still to be made.
func (v GroupView) AwaitsPayment() bool {
	for _, o := range v.Orders {
		if o.Payable {
			return true
		}
	}
	return false
}

// Refunded is what has left for the buyer.
func (v OrderView) Refunded() money.VND {
	sum := vnd(0)
	for _, r := range v.Refunds {
		if r.State.Gone() {
			sum += r.Amount
		}
	}
	return sum
}

// CardDue is what is still to be paid by card, in one payment for the whole purchase.
func (v GroupView) CardDue() money.VND {
	sum := vnd(0)
	for _, o := range v.Orders {
		if o.Payable && v.Method == payment.Card {
			sum += o.Total
		}
	}
	return sum
}

// LineView is one line of an order, as it was sold.
type LineView struct {
	VariantID       int64
	ProductID       int64
	SKU             string
	NameVI, NameEN  string
	UnitVI, UnitEN  string
	Quantity        int
	UnitPrice       money.VND
	Total           money.VND
	Stars           int // valid on the day of the sale; 0 for none
	CertificateCode string
	DecisionNo      string
}

// Name is the product's name at the sale in the reader's language.
func (l LineView) Name(loc i18n.Locale) string {
	if loc == i18n.EN {
		return l.NameEN
	}
	return l.NameVI
}

// Unit is what one piece was, in the reader's language.
func (l LineView) Unit(loc i18n.Locale) string {
	if loc == i18n.EN {
		return l.UnitEN
	}
	return l.UnitVI
}

// Event is one step of an order's history. Reason is empty, a text key order.reason.*, or a person's own words.
type Event struct {
	From, To State
	Actor    string // "buyer", "staff" or "system"
	Reason   string
	At       time.Time
}

// OrderView is one seller's order.
type OrderView struct {
	ID       int64
	Code     string
	Number   string // "2026-000123", gap-free per year
	Seller   producer.Producer
	State    State // as of now: an unpaid order past its time says expired
	Lines    []LineView
	Goods    money.VND
	Shipping money.VND
	Discount money.VND
	Total    money.VND

	Delivery      string
	CarrierName   string
	CarrierNameEN string
	Showroom      showroom.Showroom // for ByPickup

	Payment   payment.Payment
	Refunds   []payment.Refund // oldest first
	BankName  string           // of a VietQR payment
	PayBefore *time.Time
	// Payable means that the order may be paid now: with the code in Payment.Payload, or by card.
	Payable bool
	// NeedsRefund means that the order is off, or has come back, and the buyer's money is not yet on its way back.
	NeedsRefund bool
	CanCancel   bool
	History     []Event
}
