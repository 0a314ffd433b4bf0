package shop

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/web/kit"
)

// CheckoutForm is what was typed, kept as it was.
type CheckoutForm struct {
	Name, Phone, Email, Province, Commune, Street  string
	Method, Note                                   string
	InvoiceCompany, InvoiceTaxCode, InvoiceAddress string
	Terms, Adult, Marketing                        bool
	Delivery                                       map[int64]order.Choice
	RequestKey                                     string
	Expect                                         money.VND
}

// Open reports whether the optional part holds something.
func (f CheckoutForm) Open() bool {
	return f.Note+f.InvoiceCompany+f.InvoiceTaxCode+f.InvoiceAddress != ""
}

// CheckoutLine is one thing to be bought.
type CheckoutLine struct{ Text, Says, Total string }

// CheckoutOption is one way for a seller's goods to travel.
type CheckoutOption struct {
	Value, Title, Text, Fee string
	Current                 bool
}

// CheckoutSeller is one order to be.
type CheckoutSeller struct {
	Name, From, Field, Err, Total string
	Lines                         []CheckoutLine
	Options                       []CheckoutOption
}

// CheckoutMethod is one way to pay; Why says why it is closed.
type CheckoutMethod struct {
	Value, Title, Text, Why string
	Current                 bool
}

// Checkout is the one page of ordering.
type Checkout struct {
	kit.Page
	F                                CheckoutForm
	RequestKey                       string
	Changed                          []string // what is another than when it was put into the basket
	Provinces, Communes              []Link   // N holds the code
	Sellers                          []CheckoutSeller
	Methods                          []CheckoutMethod
	Goods, Discount, Shipping, Total string
	Expect                           int64
	Complete, AdultsOnly             bool
	Guest                            bool // nobody is signed in
	ButtonText                       string
}

func (s *Shop) checkout(c *gin.Context) error {
	f, err := s.prefilled(c)
	if err != nil {
		return err
	}
	return s.showCheckout(c, http.StatusOK, f, nil)
}

// prefilled is the form as somebody who is signed in need not type it again: who they are and their default address. If
// their session cannot be had they type, as guests do.
func (s *Shop) prefilled(c *gin.Context) (CheckoutForm, error) {
	f := CheckoutForm{RequestKey: ident.Token()}
	a, ok, err := s.who(c)
	if err != nil || !ok {
		return f, nil
	}
	f.Name, f.Phone, f.Email = a.Name, i18n.FormatPhone(a.Phone), a.Email
	book, err := s.Shoppers.Addresses(c.Request.Context(), a.ID)
	if err != nil || len(book) == 0 {
		return f, err
	}
	f.Name, f.Phone, f.Province, f.Commune, f.Street = book[0].Name, i18n.FormatPhone(book[0].Phone), book[0].ProvinceCode, book[0].CommuneCode, book[0].Street
	return f, nil
}

func readCheckout(c *gin.Context) CheckoutForm {
	// Nothing is cut here: the domain says what is too long, and the page keeps what was typed.
	get := func(name string) string { return strings.TrimSpace(strings.ToValidUTF8(c.PostForm(name), "")) }
	f := CheckoutForm{
		Name: get("name"), Phone: get("phone"), Email: get("email"), Province: get("province"), Commune: get("commune"), Street: get("street"),
		Method: get("method"), Note: get("note"),
		InvoiceCompany: get("invoice_company"), InvoiceTaxCode: get("invoice_tax_code"), InvoiceAddress: get("invoice_address"),
		Terms: get("consent_terms") == "1", Adult: get("consent_age") == "1", Marketing: get("consent_marketing") == "1",
		Delivery: map[int64]order.Choice{}, RequestKey: get("request_key"),
	}
	if n, err := strconv.ParseInt(get("expect"), 10, 64); err == nil {
		f.Expect = money.VND(n)
	}
	for name, values := range c.Request.PostForm {
		if id, ok := strings.CutPrefix(name, "pickup_"); ok && len(values) > 0 {
			if producer, err := strconv.ParseInt(id, 10, 64); err == nil {
				f.Delivery[producer] = choice(values[0])
			}
		}
	}
	return f
}

// choice reads "carrier" or "pickup:12".
func choice(s string) order.Choice {
	kind, point, _ := strings.Cut(s, ":")
	id, _ := strconv.ParseInt(point, 10, 64)
	return order.Choice{Kind: kind, ShowroomID: id}
}

func choiceValue(c order.Choice) string {
	if c.Kind == order.ByPickup {
		return fmt.Sprintf("%s:%d", c.Kind, c.ShowroomID)
	}
	return c.Kind
}

func (f CheckoutForm) placement(c *gin.Context) order.Placement {
	return order.Placement{
		RequestKey: f.RequestKey, CartToken: basketToken(c), Locale: kit.LocaleOf(c),
		Contact:  order.Contact{Name: f.Name, Phone: f.Phone, Email: f.Email},
		Address:  order.Address{ProvinceCode: f.Province, CommuneCode: f.Commune, Street: f.Street},
		Delivery: f.Delivery, Method: payment.Method(f.Method), Note: f.Note,
		Invoice:  order.Invoice{Company: f.InvoiceCompany, TaxCode: f.InvoiceTaxCode, Address: f.InvoiceAddress},
		Consents: order.Consents{Terms: f.Terms, Adult: f.Adult, Marketing: f.Marketing}, Expect: f.Expect,
	}
}

func (s *Shop) placeOrder(c *gin.Context) error {
	f := readCheckout(c)
	if c.PostForm("do") == "update" {
		return s.showCheckout(c, http.StatusOK, f, nil)
	}
	p := f.placement(c)
	if a, ok, err := s.who(c); err == nil && ok {
		p.AccountID = a.ID
	}
	done, err := s.Orders.Place(c.Request.Context(), p)
	if faults, known := apperr.As(err); known {
		return s.showCheckout(c, kit.Status(faults), f, faults)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, s.afterPlacing(c, payment.Method(f.Method), done))
	return nil
}

func (s *Shop) showCheckout(c *gin.Context, status int, f CheckoutForm, faults apperr.List) error {
	q, err := s.Orders.Quote(c.Request.Context(), order.QuoteRequest{CartToken: basketToken(c), ProvinceCode: f.Province, Delivery: f.Delivery})
	if err != nil {
		return err
	}
	// The basket says itself what is missing from it; faults must not be lost on the way there.
	if len(q.Sellers) == 0 && len(faults) > 0 {
		return s.showBasket(c, status, "", faults)
	}
	if len(q.Sellers) == 0 || q.Blocked && len(faults) == 0 {
		c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/gio-hang"))
		return nil
	}
	m := &Checkout{Page: s.page(c, ""), F: f}
	if _, ok, err := s.who(c); err != nil || !ok {
		m.Guest = true
	}
	if err := s.places(c, m); err != nil {
		return err
	}
	names, err := s.provinceNames(c, &m.Page)
	if err != nil {
		return err
	}
	m.Explain(faults)
	m.fill(q, names)
	// A key that the domain knows stays: it is what makes a second click the same order.
	if m.RequestKey = f.RequestKey; m.RequestKey == "" || refusedKey(faults) {
		m.RequestKey = ident.Token()
	}
	view, err := s.Carts.View(c.Request.Context(), basketToken(c))
	if err != nil {
		return err
	}
	m.Changed = changes(&m.Page, view, faults)
	s.renewCart(c, true)
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, status, "shop/checkout", m)
}

// refusedKey reports whether the form came with a key that no page of ours has given.
func refusedKey(faults apperr.List) bool {
	return slices.ContainsFunc(faults, func(e *apperr.Error) bool { return e.Key == "order.request_key" })
}

// changes says which prices are not those at which things were put into the basket, and what is no longer there to be
// bought unless the faults say so already.
func changes(p *kit.Page, v cart.View, faults apperr.List) []string {
	stockSaid := slices.ContainsFunc(faults, func(e *apperr.Error) bool { return strings.HasPrefix(e.Key, "order.line.") })
	var out []string
	for _, seller := range v.Sellers {
		for _, l := range seller.Lines {
			name := l.Name(p.Locale)
			if l.PriceChanged() && l.Problem != cart.Gone {
				out = append(out, p.T("checkout.changed", "name", name, "what", p.T("basket.price_changed", "was", l.PriceSeen, "now", l.PriceNow)))
			}
			if l.Problem != cart.None && !stockSaid {
				out = append(out, p.T("checkout.changed", "name", name, "what", p.T("cart.line."+string(l.Problem), "n", l.Available)))
			}
		}
	}
	return out
}

// places fills the lists of provinces and of the chosen province's communes.
func (s *Shop) places(c *gin.Context, m *Checkout) error {
	provinces, err := s.Geo.Provinces(c.Request.Context())
	if err != nil {
		return err
	}
	if !m.offerProvinces(provinces) {
		return nil
	}
	communes, err := s.Geo.Communes(c.Request.Context(), m.F.Province)
	if err != nil {
		return err
	}
	m.offerCommunes(communes)
	return nil
}

// offerProvinces reports whether one of them is chosen.
func (m *Checkout) offerProvinces(provinces []geo.Province) bool {
	known := false
	for _, g := range provinces {
		known = known || g.Code == m.F.Province
		m.Provinces = append(m.Provinces, Link{Text: provinceName(&m.Page, g), N: g.Code, Current: g.Code == m.F.Province})
	}
	return known
}

func (m *Checkout) offerCommunes(communes []geo.Commune) {
	for _, g := range communes {
		m.Communes = append(m.Communes, Link{Text: g.Title(m.Locale), N: g.Code, Current: g.Code == m.F.Commune})
	}
}

func (m *Checkout) fill(q order.Quote, provinces map[string]string) {
	m.Title, m.NoIndex, m.Query = m.T("checkout.title"), true, ""
	m.AdultsOnly, m.Complete, m.Expect = q.AdultsOnly, q.Complete, int64(q.Total)
	later := m.T("checkout.after_province")
	m.Goods, m.Shipping, m.Total = q.Goods.String(), later, later
	if q.Discount > 0 {
		m.Discount = q.Discount.String()
	}
	if q.Complete {
		m.Shipping, m.Total = q.Shipping.String(), q.Total.String()
		m.ButtonText = m.T("checkout.place", "total", q.Total)
	}
	for _, seller := range q.Sellers {
		m.Sellers = append(m.Sellers, m.seller(seller, provinces))
	}
	for _, w := range q.Methods {
		method := CheckoutMethod{Value: string(w.Method), Title: m.T("checkout.method." + string(w.Method)),
			Text: m.T("checkout.method."+string(w.Method)+"_text", "n", len(q.Sellers)), Current: m.F.Method == string(w.Method)}
		if !w.Allowed {
			method.Why, method.Current = m.T(w.WhyKey, flat(w.WhyArgs)...), false
		}
		m.Methods = append(m.Methods, method)
	}
}

func flat(args map[string]any) []any {
	var out []any
	for k, v := range args {
		out = append(out, k, v)
	}
	return out
}

func (m *Checkout) seller(q order.SellerQuote, provinces map[string]string) CheckoutSeller {
	out := CheckoutSeller{Name: q.Name, From: m.T("basket.from", "province", provinces[q.ProvinceCode]),
		Field: fmt.Sprintf("pickup_%d", q.ProducerID), Total: m.T("checkout.after_province")}
	out.Err = m.Err(out.Field)
	for _, l := range q.Lines {
		line := CheckoutLine{Text: m.T("checkout.line", "count", l.Quantity, "name", l.Name(m.Locale), "unit", l.Unit(m.Locale)), Total: l.Total.String()}
		out.Lines = append(out.Lines, line)
	}
	for i, o := range q.Options {
		view := CheckoutOption{Value: choiceValue(o.Choice), Current: i == q.Chosen, Fee: m.T("checkout.after_province")}
		if o.Known {
			view.Fee = o.Fee.String()
			if o.Fee == 0 {
				view.Fee = m.T("checkout.free")
			}
			view.Text = m.T("checkout.days", "min", o.DaysMin, "max", o.DaysMax)
			if o.DaysMin == o.DaysMax {
				view.Text = m.T("checkout.day_one", "n", o.DaysMin)
			}
		}
		view.Title = m.T("checkout.by_carrier", "carrier", m.Pick(o.CarrierName, o.CarrierNameEN))
		if o.Kind == order.ByPickup {
			view.Title = m.T("checkout.by_pickup", "point", m.Pick(o.Showroom.NameVI, o.Showroom.NameEN))
			view.Text = strings.Join(nonEmpty(o.Showroom.Street, view.Text), " · ")
		}
		out.Options = append(out.Options, view)
	}
	if o, ok := q.Option(); ok && o.Known {
		out.Total = q.Total.String()
	}
	return out
}
