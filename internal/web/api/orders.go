package api

import (
	"context"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
)

// OrderStatus, PaymentStatus and RefundStatus are the states of the domain; the document lists them all by itself.
type (
	OrderStatus   order.State
	PaymentStatus payment.State
	RefundStatus  payment.RefundState
)

// Schema lists the states of an order.
func (OrderStatus) Schema(huma.Registry) *huma.Schema { return oneOf(order.States()) }

// Schema lists the states of a payment.
func (PaymentStatus) Schema(huma.Registry) *huma.Schema { return oneOf(payment.States()) }

// Schema lists the states of a refund.
func (RefundStatus) Schema(huma.Registry) *huma.Schema { return oneOf(payment.RefundStates()) }

func oneOf[S ~string](states []S) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, state := range states {
		s.Enum = append(s.Enum, string(state))
	}
	return s
}

// Purchase is what one checkout bought: an order per seller.
type Purchase struct {
	GroupCode string  `json:"group_code" doc:"@group_code" example:"7K4M-92QX"`
	Total     int64   `json:"total"`
	Currency  string  `json:"currency" enum:"VND"`
	PlacedAt  string  `json:"placed_at" format:"date-time"`
	Token     string  `json:"token,omitempty" doc:"@token"`
	Orders    []Order `json:"orders"`
}

// Order is one seller's part of a purchase.
type Order struct {
	Code      string      `json:"code" example:"7K4M-92QX-A"`
	Number    string      `json:"number" doc:"@order.number" example:"2026-000123"`
	Seller    string      `json:"seller" doc:"@seller"`
	Status    OrderStatus `json:"status" doc:"@order.status"`
	Goods     int64       `json:"goods" doc:"@goods"`
	Shipping  int64       `json:"shipping"`
	Discount  int64       `json:"discount"`
	Total     int64       `json:"total"`
	Lines     []OrderLine `json:"lines"`
	Delivery  string      `json:"delivery" enum:"carrier,pickup"`
	CanCancel bool        `json:"can_cancel"`
	Payment   Payment     `json:"payment"`
}

// OrderLine is one line of an order, as it was sold.
type OrderLine struct {
	SKU         string  `json:"sku" example:"DUASAP01"`
	Name        string  `json:"name"`
	Quantity    int     `json:"quantity"`
	Price       int64   `json:"price"`
	Total       int64   `json:"total"`
	Stars       *int    `json:"stars" doc:"@line.stars"`
	Certificate *string `json:"certificate" doc:"@line.certificate"`
}

// Payment is what is to be paid for an order.
type Payment struct {
	Method    string        `json:"method" enum:"cod,vietqr,card"`
	Status    PaymentStatus `json:"status" doc:"@payment.status" example:"pending"`
	Amount    int64         `json:"amount"`
	PayBefore *string       `json:"pay_before" format:"date-time" doc:"@pay_before"`
	VietQR    *VietQR       `json:"vietqr,omitempty" doc:"@vietqr"`
	Redirect  string        `json:"redirect_url,omitempty" doc:"@redirect_url"`
	// Refunds are what went back or is on its way.
	Refunds []Refund `json:"refunds,omitempty" nullable:"false"`
}

// Refund is money that goes back to the buyer.
type Refund struct {
	Amount int64        `json:"amount"`
	Status RefundStatus `json:"status" doc:"@refund.status"`
	At     string       `json:"at" format:"date-time"`
}

// VietQR is a transfer to make.
type VietQR struct {
	Payload   string `json:"payload" doc:"@vietqr.payload"`
	AccountNo string `json:"account_no"`
	BankBIN   string `json:"bank_bin" doc:"@vietqr.bank_bin" example:"970436"`
	BankName  string `json:"bank_name"`
	Holder    string `json:"holder"`
	Memo      string `json:"memo" doc:"@vietqr.memo"`
}

func purchase(l i18n.Locale, v order.GroupView) Purchase {
	out := Purchase{GroupCode: v.Code, Total: int64(v.Total), Currency: currency, PlacedAt: moment(v.PlacedAt), Orders: make([]Order, len(v.Orders))}
	for i, o := range v.Orders {
		out.Orders[i] = orderOf(l, o)
	}
	return out
}

func orderOf(l i18n.Locale, o order.OrderView) Order {
	out := Order{Code: o.Code, Number: o.Number, Seller: o.Seller.Name, Status: OrderStatus(o.State), Goods: int64(o.Goods), Shipping: int64(o.Shipping),
		Discount: int64(o.Discount), Total: int64(o.Total), Lines: make([]OrderLine, len(o.Lines)), Delivery: o.Delivery, CanCancel: o.CanCancel,
		Payment: Payment{Method: string(o.Payment.Method), Status: PaymentStatus(o.Payment.State), Amount: int64(o.Payment.Amount)}}
	for i, line := range o.Lines {
		out.Lines[i] = OrderLine{SKU: line.SKU, Name: line.Name(l), Quantity: line.Quantity, Price: int64(line.UnitPrice), Total: int64(line.Total)}
		if line.Stars > 0 {
			out.Lines[i].Stars, out.Lines[i].Certificate = &line.Stars, &line.CertificateCode
		}
	}
	for _, r := range o.Refunds {
		out.Payment.Refunds = append(out.Payment.Refunds, Refund{int64(r.Amount), RefundStatus(r.State), moment(r.UpdatedAt)})
	}
	if o.PayBefore != nil && o.Payable {
		until := moment(*o.PayBefore)
		out.Payment.PayBefore = &until
	}
	if o.Payable && o.Payment.Payload != "" {
		a := o.Payment.Account
		out.Payment.VietQR = &VietQR{Payload: o.Payment.Payload, AccountNo: a.AccountNo, BankBIN: a.BankBIN, BankName: o.BankName, Holder: a.Holder, Memo: o.Payment.Memo}
	}
	return out
}

// OrderParam names a purchase or an order and opens it.
type OrderParam struct {
	Code  string `path:"code" maxLength:"40" doc:"@order.code" example:"7K4M-92QX"`
	Token string `query:"token" maxLength:"100" doc:"@token"`
}

type orderOut struct{ Body Purchase }

// split parts the code of one seller's order from that of its purchase.
func split(code string) (group, one string) {
	c := ident.Normalise(code)
	if len(c) == 9 {
		return c[:8], c
	}
	return c, ""
}

func (a *API) getOrder(ctx context.Context, in *OrderParam) (*orderOut, error) {
	group, one := split(in.Code)
	v, err := a.find(ctx, group, in.Token)
	if err != nil {
		return nil, err
	}
	if v.Orders = only(v.Orders, one); len(v.Orders) == 0 {
		return nil, apperr.New(apperr.NotFound, "order.unknown")
	}
	return &orderOut{purchase(callerOf(ctx).locale, v)}, nil
}

// find opens a purchase by its token, or without one by the key through which it was placed: what a webhook tells a
// partner of is a code alone.
func (a *API) find(ctx context.Context, group, token string) (order.GroupView, error) {
	if who := callerOf(ctx); token == "" && who.partner.ID != 0 {
		return a.Orders.FindPlacedBy(ctx, group, who.partner.ID)
	}
	return a.Orders.Find(ctx, group, token)
}

// only is the one order that is asked for, or all.
func only(orders []order.OrderView, one string) []order.OrderView {
	if one == "" {
		return orders
	}
	for _, o := range orders {
		if ident.Normalise(o.Code) == one {
			return []order.OrderView{o}
		}
	}
	return nil
}

type cancelIn struct {
	OrderParam
	Body *struct {
		Token  string `json:"token,omitempty" maxLength:"100" doc:"@token_body"`
		Reason string `json:"reason,omitempty" maxLength:"2000" doc:"@reason"`
	}
}

// cancelOrder calls off one order, or every order of a purchase that can still be called off; when none can it says why.
func (a *API) cancelOrder(ctx context.Context, in *cancelIn) (*orderOut, error) {
	token, reason := in.Token, ""
	if in.Body != nil {
		if token == "" {
			token = in.Body.Token
		}
		reason = in.Body.Reason
	}
	group, one := split(in.Code)
	v, err := a.Orders.Find(ctx, group, token)
	if err != nil {
		return nil, err
	}
	wanted := only(v.Orders, one)
	if len(wanted) == 0 {
		return nil, apperr.New(apperr.NotFound, "order.unknown")
	}
	open := 0
	for _, o := range wanted {
		if o.CanCancel {
			open++
		}
	}
	for _, o := range wanted {
		// One that is over answers for itself: cancelled again is done, on its way is too late.
		if !o.CanCancel && open > 0 {
			continue
		}
		if err := a.Orders.Cancel(ctx, group, token, o.Code, strings.TrimSpace(reason)); err != nil {
			return nil, err
		}
	}
	return a.getOrder(ctx, &OrderParam{Code: in.Code, Token: token})
}
