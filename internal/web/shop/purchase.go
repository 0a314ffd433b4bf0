package shop

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// OrderStep is one stage of an order: State is "done", "now" or "".
type OrderStep struct{ Text, State string }

// OrderCard is one seller's order.
type OrderCard struct {
	Code, Seller, State, Tone, Sub string
	Lines                          []CheckoutLine
	Delivery, Shipping, Total      string
	Notes, History                 []string
	Refunds                        []string
	Steps                          []OrderStep
	CanCancel                      bool
}

// PayStep is the transfer to make now.
type PayStep struct {
	Title, Text, Test, Note, Code string
	QR                            template.HTML
	PNG                           string
	Rows                          []Fact // URL holds what the copy button copies
	Until, UntilISO, UntilText    string
}

// Purchase is the status page of a purchase, opened by its secret link.
type Purchase struct {
	kit.Page
	Code, Secret, Here   string
	Heading, Intro, Said string
	Step                 *PayStep
	Card                 *CardStep
	Orders               []OrderCard
	Facts                []Fact
	News                 string // address that tells of changes, while money is awaited
}

func (s *Shop) order(c *gin.Context) error {
	return s.showOrder(c, http.StatusOK, c.Query("khoa"), nil)
}

func (s *Shop) showOrder(c *gin.Context, status int, secret string, faults apperr.List) error {
	v, err := s.Orders.Find(c.Request.Context(), c.Param("code"), secret)
	if err != nil {
		return err
	}
	commune, err := s.Geo.Commune(c.Request.Context(), v.Address.CommuneCode)
	if err != nil {
		return err
	}
	province, err := s.Geo.Province(c.Request.Context(), v.Address.ProvinceCode)
	if err != nil {
		return err
	}
	m := purchasePage(s.page(c, ""), v, secret, commune, province)
	m.Explain(faults)
	if err := s.payStep(m, v); err != nil {
		return err
	}
	if c.Query("xong") == "huy" {
		m.Said = m.T("order.cancelled_said")
	}
	return s.Views.Render(c, status, "shop/order", m)
}

func purchasePage(p kit.Page, v order.GroupView, secret string, commune geo.Commune, province geo.Province) *Purchase {
	p.Path = "/don-hang/" + v.Code
	m := &Purchase{Page: p, Code: v.Code, Secret: secret}
	m.Query = url.Values{"khoa": {secret}}.Encode()
	m.NoIndex = true
	m.Here = m.In(m.Locale)
	if slices.ContainsFunc(v.Orders, func(o order.OrderView) bool { return o.State == order.AwaitingPayment }) {
		m.News = m.URL("/don-hang/"+v.Code+"/tin") + "?" + url.Values{"khoa": {secret}, "ban": {strconv.FormatInt(v.Stamp, 10)}}.Encode()
		m.Refresh = "15;url=" + m.Here
	}
	m.fill(v, strings.Join([]string{v.Address.Street, commune.Title(m.Locale), province.Title(m.Locale)}, ", "))
	return m
}

func (m *Purchase) fill(v order.GroupView, address string) {
	m.Heading = m.T("order.heading", "code", v.Code)
	m.Title = m.Heading
	m.Intro = m.T("order.intro."+string(v.Method), "n", len(v.Orders), "total", v.Total)
	open := slices.ContainsFunc(v.Orders, func(o order.OrderView) bool {
		return o.State == order.Placed || o.State == order.Packed || o.State == order.Shipped
	})
	switch {
	case v.Method != payment.COD && !v.AwaitsPayment():
		m.Intro = m.T("order.intro.settled")
	case v.Method == payment.COD && !open:
		m.Intro = m.T("order.intro.cod_settled")
	}
	m.Card = m.cardStep(v)
	for _, o := range v.Orders {
		m.Orders = append(m.Orders, m.card(o))
	}
	add := func(key, value string) {
		if value != "" {
			m.Facts = append(m.Facts, Fact{Name: m.T(key), Value: value})
		}
	}
	add("order.placed_at", i18n.FormatDateTime(m.Locale, v.PlacedAt))
	add("checkout.name", v.Contact.Name)
	add("checkout.phone", i18n.FormatPhone(v.Contact.Phone))
	add("checkout.email", v.Contact.Email)
	add("order.address", address)
	add("checkout.note", v.Note)
	if v.Invoice.Wanted() {
		add("order.invoice", strings.Join(nonEmpty(v.Invoice.Company, v.Invoice.TaxCode, v.Invoice.Address), ", "))
	}
	add("checkout.total", v.Total.String())
}

var tones = map[order.State]string{
	order.AwaitingPayment: "warn", order.Placed: "good", order.Packed: "good", order.Shipped: "good", order.Delivered: "good",
	order.Cancelled: "bad", order.Expired: "bad", order.Returned: "bad",
}

// way is the stages of an order that goes well.
var way = []order.State{order.AwaitingPayment, order.Placed, order.Packed, order.Shipped, order.Delivered}

func (m *Purchase) card(o order.OrderView) OrderCard {
	out := OrderCard{Code: o.Code, Seller: o.Seller.Name, State: m.T(o.State.Key()), Tone: tones[o.State], CanCancel: o.CanCancel,
		Sub: m.T("order.sub", "code", o.Code, "number", o.Number), Shipping: o.Shipping.String(), Total: o.Total.String()}
	if !o.Seller.NameKnown {
		out.Seller = m.T("maker.unknown")
	}
	for _, l := range o.Lines {
		line := CheckoutLine{Text: m.T("checkout.line", "count", l.Quantity, "name", l.Name(m.Locale), "unit", l.Unit(m.Locale)), Total: l.Total.String()}
		if l.Stars > 0 {
			line.Says = m.T("order.stars_at_sale", "n", l.Stars, "code", l.CertificateCode)
		}
		out.Lines = append(out.Lines, line)
	}
	out.Delivery = m.T("checkout.by_carrier", "carrier", m.Pick(o.CarrierName, o.CarrierNameEN))
	if o.Delivery == order.ByPickup {
		out.Delivery = m.T("checkout.by_pickup", "point", m.Pick(o.Showroom.NameVI, o.Showroom.NameEN))
	}
	if o.NeedsRefund {
		note := "order.needs_refund"
		if o.Payment.Method == payment.Card {
			note = "order.needs_refund_card"
		}
		out.Notes = append(out.Notes, m.T(note))
	}
	if o.State == order.Expired && !o.NeedsRefund {
		out.Notes = append(out.Notes, m.T("order.expired_note"))
	}
	out.Refunds = m.refundNotes(o)
	for _, e := range o.History {
		line := i18n.FormatDateTime(m.Locale, e.At) + " · " + m.T(e.To.Key())
		if e.Reason != "" {
			line += " · " + m.reason(e.Reason)
		}
		out.History = append(out.History, line)
	}
	if tones[o.State] != "bad" {
		out.Steps = m.steps(o)
	}
	return out
}

// reason is a text of ours when it is a key, else somebody's own words.
func (m *Purchase) reason(r string) string {
	if strings.HasPrefix(r, "order.reason.") {
		return m.T(r)
	}
	return r
}

func (m *Purchase) steps(o order.OrderView) []OrderStep {
	var out []OrderStep
	state := "done"
	for _, w := range way {
		if w == order.AwaitingPayment && o.Payment.Method == payment.COD {
			continue
		}
		if w == o.State {
			state = "now"
		}
		text := m.T("order.step." + string(w))
		if w == order.AwaitingPayment && state == "done" {
			text = m.T("order.step.paid")
		}
		out = append(out, OrderStep{text, state})
		if state == "now" {
			state = ""
		}
	}
	return out
}

// payStep shows the first transfer still to be made: one code at a time, so that none is forgotten.
func (s *Shop) payStep(m *Purchase, v order.GroupView) error {
	total, paid := len(v.Orders), 0
	for _, o := range v.Orders {
		if !o.Payable {
			paid++
		}
	}
	for _, o := range v.Orders {
		if !o.Payable || v.Method != payment.VietQR {
			continue
		}
		svg, err := s.Codes.SVG(o.Payment.Payload, 272, m.T("order.qr_title", "code", o.Code))
		if err != nil {
			return err
		}
		a := o.Payment.Account
		m.Step = &PayStep{Title: m.T("order.pay_now", "amount", o.Total), Text: m.T("order.pay_how"), Code: o.Code, QR: kit.Safe(svg),
			PNG:   m.URL("/don-hang/"+v.Code+"/qr/"+o.Code) + "?" + m.Query,
			Until: m.T("order.pay_until"), UntilISO: o.PayBefore.UTC().Format(time.RFC3339), UntilText: i18n.FormatTime(m.Locale, *o.PayBefore),
			Note: m.T("order.pay_note"),
			Rows: []Fact{
				{Name: m.T("order.bank"), Value: o.BankName},
				{Name: m.T("order.account_no"), Value: a.AccountNo, URL: a.AccountNo},
				{Name: m.T("order.holder"), Value: a.Holder},
				{Name: m.T("order.amount"), Value: o.Total.String(), URL: o.Total.Digits()},
				{Name: m.T("order.memo"), Value: o.Payment.Memo, URL: o.Payment.Memo},
			}}
		if total > 1 {
			m.Step.Title = m.T("order.pay_step", "step", paid+1, "steps", total, "amount", o.Total)
		}
		if a.IsTest {
			m.Step.Test = m.T("order.test_account")
		}
		return nil
	}
	return nil
}

func (s *Shop) orderQR(c *gin.Context) error {
	v, err := s.Orders.Find(c.Request.Context(), c.Param("code"), c.Query("khoa"))
	if err != nil {
		return err
	}
	for _, o := range v.Orders {
		if o.Code == c.Param("order") && o.Payable && o.Payment.Payload != "" {
			png, err := s.Codes.PNG(o.Payment.Payload, 720)
			if err != nil {
				return err
			}
			c.Data(http.StatusOK, "image/png", png)
			return nil
		}
	}
	s.Views.NotFound(c)
	return nil
}

func (s *Shop) cancelOrder(c *gin.Context) error {
	secret := c.PostForm("khoa")
	err := s.Orders.Cancel(c.Request.Context(), c.Param("code"), secret, c.PostForm("don"), clean(c.PostForm("ly-do"), 200))
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return s.showOrder(c, kit.Status(faults), secret, faults)
	}
	if err != nil {
		return err
	}
	q := url.Values{"khoa": {secret}, "xong": {"huy"}}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/don-hang/"+c.Param("code"))+"?"+q.Encode())
	return nil
}
