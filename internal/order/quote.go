package order

import (
	"context"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/promo"
)

// MaxSellers is the most sellers of one purchase: each is an order, a parcel and perhaps a transfer of its own.
const MaxSellers = 20

// Cash at the door needs no money to order, and yet holds stock. So one phone number may have MaxOpenCash purchases in
// cash that nobody has shipped yet, counting those of the last CashWindow.
const (
	MaxOpenCash = 5
	CashWindow  = 24 * time.Hour
)

// Quote says what the basket would cost now, with every open way to deliver and to pay. It changes nothing and takes
// a fixed number of statements. An empty or unknown basket gives an empty quote.
func (s *Service) Quote(ctx context.Context, r QuoteRequest) (Quote, error) {
	f, err := s.gather(ctx, []QuoteRequest{r})
	if err != nil {
		return Quote{}, fmt.Errorf("order: quote: %w", err)
	}
	p, err := s.plan(ctx, f, r)
	return p.Quote, err
}

// plan is a quote with what placing needs beyond it.
type plan struct {
	Quote
	facts
	items  []cart.Item
	codMax money.VND
	cards  bool // a card provider is set up
	// What the provider takes in one charge; 0 for no bound.
	cardLeast, cardMost money.VND
	to                  geo.Province
	locale              i18n.Locale
	gone                apperr.List // lines that are no longer sold
	shorts              apperr.List // lines of which fewer are left
}

// plan prices one basket from facts that were read before.
func (s *Service) plan(ctx context.Context, f facts, r QuoteRequest) (plan, error) {
	p := plan{facts: f, items: f.items[r.CartToken], locale: r.Locale, to: f.places[r.ProvinceCode], codMax: f.tariff.codMax(), cards: s.Payments.TakesCards()}
	p.cardLeast, p.cardMost = s.Payments.CardLimits()
	if len(p.items) == 0 {
		return p, nil
	}
	if err := s.price(ctx, &p); err != nil {
		return plan{}, fmt.Errorf("order: quote: %w", err)
	}
	p.deliver(r)
	p.sum()
	p.methods()
	return p, nil
}

// price turns items into priced lines by seller.
func (s *Service) price(ctx context.Context, p *plan) error {
	wanted := make([]promo.Line, 0, len(p.items))
	for _, it := range p.items {
		o, left := p.offers[it.VariantID], p.shelves[it.VariantID].Available
		switch {
		case !o.Sellable || o.Rules.ContactOnly:
			p.gone = append(p.gone, apperr.New(apperr.Conflict, "order.line.gone", "name", o.Name(p.locale), "sku", o.SKU))
			continue
		case left < int64(it.Quantity):
			p.shorts = append(p.shorts, shortage(o.Name(p.locale), o.SKU, left))
		}
		wanted = append(wanted, promo.Line{VariantID: o.VariantID, ProductID: o.ProductID, ProducerID: o.ProducerID,
			Quantity: it.Quantity, UnitPrice: o.Price})
	}
	p.Blocked = len(p.gone)+len(p.shorts) > 0
	priced, err := s.Promo.Price(ctx, wanted)
	if err != nil {
		return err
	}
	at := map[int64]int{}
	for _, l := range priced {
		o := p.offers[l.VariantID]
		i, ok := at[o.ProducerID]
		if !ok {
			i = len(p.Sellers)
			at[o.ProducerID] = i
			p.Sellers = append(p.Sellers, SellerQuote{ProducerID: o.ProducerID, Name: o.ProducerName, ProvinceCode: o.SellerProvince, Chosen: -1})
		}
		q := &p.Sellers[i]
		q.Lines = append(q.Lines, QuoteLine{Offer: o, Quantity: l.Quantity, UnitPrice: l.UnitPrice, Adjustments: l.Adjustments, Total: l.Full()})
		q.Goods += l.Full()
		q.Discount += l.Off()
		p.AdultsOnly = p.AdultsOnly || o.Rules.AdultsOnly
	}
	return nil
}

// deliver finds the ways of each seller's goods and takes the chosen one, else the first.
func (p *plan) deliver(r QuoteRequest) {
	for i := range p.Sellers {
		q := &p.Sellers[i]
		q.Options = ways(*q, p.tariff, p.places[q.ProvinceCode], p.to, p.points)
		q.choose(r.Delivery[q.ProducerID])
	}
}

// choose takes the option that the buyer named. Without a choice it is the first; a choice that is not open leaves
// none, so that placing can say so beside its field.
func (q *SellerQuote) choose(c Choice) {
	q.Chosen = -1
	if c.Kind == "" && len(q.Options) > 0 {
		q.Chosen = 0
	}
	if c.Kind == ByCarrier {
		c.ShowroomID = 0
	}
	for i, o := range q.Options {
		if o.Choice == c {
			q.Chosen = i
		}
	}
	if o, ok := q.Option(); ok {
		q.WeightG, q.Shipping = int64(o.ChargeableG), o.Fee
	}
	q.Total = q.Goods + q.Shipping - q.Discount
}

func (p *plan) sum() {
	p.Complete = len(p.Sellers) > 0 && !p.Blocked
	for _, q := range p.Sellers {
		p.Goods += q.Goods
		p.Shipping += q.Shipping
		p.Discount += q.Discount
		p.Total += q.Total
		o, ok := q.Option()
		p.Complete = p.Complete && ok && o.Known
	}
}

// methods says which ways to pay are open. The same rules refuse them in Place.
func (p *plan) methods() {
	for _, m := range []payment.Method{payment.VietQR, payment.Card, payment.COD} {
		mq := MethodQuote{Method: m, Allowed: true}
		if e := p.refuses(m); e != nil {
			mq.Allowed, mq.WhyKey, mq.WhyArgs = false, e.Key, e.Args
		}
		p.Methods = append(p.Methods, mq)
	}
}

// refuses says why a method is not open for this purchase, or nil. Alcohol is never paid in cash at the door: the law
// on preventing the harm of alcohol (44/2019/QH14) asks for payment without cash in online trade.
func (p *plan) refuses(m payment.Method) *apperr.Error {
	if m == payment.Card {
		return p.refusesCard()
	}
	for _, q := range p.Sellers {
		switch m {
		case payment.COD:
			if slices.ContainsFunc(q.Lines, func(l QuoteLine) bool { return l.Rules.NoCOD }) {
				return apperr.Field("method", "order.no_cod_for_alcohol")
			}
			if q.Total > p.codMax {
				return apperr.Field("method", "order.cod_too_much", "max", p.codMax, "seller", q.Name)
			}
		case payment.VietQR:
			if _, ok := p.accounts[q.ProducerID]; !ok {
				return apperr.Field("method", "order.seller_without_account", "seller", q.Name)
			}
		}
	}
	return nil
}

// refusesCard is refuses for cards, whose one charge pays the whole purchase. What has no total yet is not judged by it.
func (p *plan) refusesCard() *apperr.Error {
	switch {
	case !p.cards:
		return apperr.Field("method", "order.card_not_open")
	case p.Total > 0 && p.Total < p.cardLeast:
		return apperr.Field("method", "order.card_too_little", "min", p.cardLeast)
	case p.cardMost > 0 && p.Total > p.cardMost:
		return apperr.Field("method", "order.card_too_much", "max", p.cardMost)
	}
	return nil
}

// pickupField is the name of the form field that chooses a seller's delivery.
func pickupField(producerID int64) string { return fmt.Sprintf("pickup_%d", producerID) }

// undeliverable lists the sellers whose choice is not open.
func (p *plan) undeliverable() apperr.List {
	var l apperr.List
	for _, q := range p.Sellers {
		if _, ok := q.Option(); ok {
			continue
		}
		key := "order.delivery.not_open"
		if len(q.Options) == 0 {
			key = "order.delivery.none"
		}
		l = append(l, apperr.Field(pickupField(q.ProducerID), key, "seller", q.Name))
	}
	return l
}
