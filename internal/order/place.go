package order

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/job"
)

// Place orders what lies in the basket: one order per seller, all or nothing. Placing the same request again, also at
// the same moment, returns the first answer.
//
// It returns all faults of the form at once, under the names of its fields: name, phone, email, province, commune,
// street, method (also order.cod_too_many, a Conflict), note, invoice_company, invoice_tax_code, invoice_address, consent_terms, consent_age, pickup_{producer}.
// Conflicts on the whole form: order.cart_empty, order.line.gone, order.line.short, order.price_changed (with the new
// total), order.key_reused (the key belongs to another request).
//
// Everything that needs only reading is read before the transaction, which is shared by purchases that come at the same
// moment: see till.go.
func (s *Service) Place(ctx context.Context, p Placement) (Done, error) {
	p.tidy()
	if !keyForm.MatchString(p.RequestKey) {
		return Done{}, apperr.New(apperr.Invalid, "order.request_key")
	}
	print := p.print()
	faults, err := s.check(ctx, &p)
	if err != nil {
		return Done{}, fmt.Errorf("order: place: %w", err)
	}
	for range 4 {
		code, err := s.pass(ctx, &ticket{Placement: p, print: print, faults: faults})
		if err == nil {
			return Done{Code: code, Secret: s.secret(p.RequestKey)}, nil
		}
		// Whatever is wrong now, the same request may have been answered before.
		if d, ok, err := s.replay(ctx, p.RequestKey, print); ok || err != nil {
			return d, err
		}
		if errors.Is(err, errMoved) || db.Breaks(err, "order_group_code_key") {
			continue
		}
		if _, readable := apperr.As(err); !readable {
			err = fmt.Errorf("order: place: %w", err)
		}
		return Done{}, err
	}
	return Done{}, apperr.New(apperr.Conflict, "order.cart_changed")
}

// replay answers a key that was used before: with the same answer for the same request, else with a conflict.
func (s *Service) replay(ctx context.Context, key string, print []byte) (Done, bool, error) {
	code, old, err := byRequest(ctx, s.DB.Primary(ctx), key)
	switch {
	case err != nil:
		return Done{}, false, fmt.Errorf("order: replay: %w", err)
	case code == "":
		return Done{}, false, nil
	case !bytes.Equal(old, print):
		return Done{}, false, apperr.New(apperr.Conflict, "order.key_reused", "code", code)
	}
	return Done{Code: code, Secret: s.secret(key), Replayed: true}, true, nil
}

// draft is a purchase that is priced and only waits for its rows.
type draft struct {
	plan
	*ticket
	now     time.Time
	code    string
	groupID int64
	ids     []int64 // of the orders, seller by seller
}

// drafts prices the baskets of all tickets. It answers those that cannot be ordered and returns the others, in the order
// of their request keys, so that two transactions meet the same keys in the same order.
func (s *Service) drafts(ctx context.Context, tickets []*ticket) (out []*draft, err error) {
	requests := make([]QuoteRequest, len(tickets))
	for i, t := range tickets {
		requests[i] = QuoteRequest{CartToken: t.CartToken, ProvinceCode: t.Address.ProvinceCode, Locale: t.Locale, Delivery: t.Delivery}
	}
	err = safely(func() error {
		f, err := s.gather(ctx, requests)
		if err != nil {
			return err
		}
		now := s.Clock.Now()
		for i, t := range tickets {
			priced, err := s.plan(ctx, f, requests[i])
			if err == nil {
				err = priced.refuse(t)
			}
			if err != nil {
				t.answer("", err)
				continue
			}
			out = append(out, &draft{plan: priced, ticket: t, now: now, code: ident.Code(4, 4)})
		}
		return nil
	})
	slices.SortFunc(out, func(a, b *draft) int { return strings.Compare(a.RequestKey, b.RequestKey) })
	return out, err
}

// refuse says everything for which the basket cannot be ordered as the form asks.
func (p *plan) refuse(t *ticket) error {
	if len(p.items) == 0 {
		return append(slices.Clone(t.faults), apperr.New(apperr.Conflict, "order.cart_empty"))
	}
	if l := append(slices.Clone(t.faults), p.refusals(t.Placement)...); len(l) > 0 {
		return l
	}
	if p.Total != t.Expect {
		return priceChanged(p.Total)
	}
	return nil
}

// refusals are the faults that only the priced basket shows.
func (p *plan) refusals(f Placement) apperr.List {
	l := slices.Clone(p.gone)
	if len(p.Sellers) > MaxSellers {
		l = append(l, apperr.New(apperr.Conflict, "order.too_many_sellers", "max", MaxSellers))
	}
	l = append(l, p.shorts...)
	if f.Method.Known() {
		if e := p.refuses(f.Method); e != nil {
			l = append(l, e)
		}
	}
	if p.to.Code != "" {
		l = append(l, p.undeliverable()...)
	}
	if p.AdultsOnly && !f.Consents.Adult {
		l = append(l, apperr.Field("consent_age", "order.consent.age_required"))
	}
	return l
}

// writeAll makes the rows of some purchases, all or none, in the order in which rows are locked everywhere. What many
// want at once, the stock and the counter, comes last.
func (s *Service) writeAll(ctx context.Context, drafts []*draft) error {
	var products []int64
	for _, d := range drafts {
		for _, q := range d.Sellers {
			for _, l := range q.Lines {
				products = append(products, l.ProductID)
			}
		}
	}
	stars, err := certification.Valid(ctx, s.DB.Primary(ctx), unique(products), drafts[0].day)
	if err != nil {
		return err
	}
	return safely(func() error {
		return s.DB.InTx(ctx, func(tx db.Tx) error { return s.write(ctx, tx, drafts, stars) })
	})
}

func (s *Service) write(ctx context.Context, tx db.Tx, drafts []*draft, stars map[int64]certification.Star) error {
	if err := s.takeBaskets(ctx, tx, drafts); err != nil {
		return err
	}
	if err := drawIDs(ctx, tx, drafts); err != nil {
		return err
	}
	if err := s.insertGroups(ctx, tx, drafts); err != nil {
		return err
	}
	payments, err := s.openPayments(ctx, tx, drafts)
	if err != nil {
		return err
	}
	if err := s.follow(ctx, tx, drafts); err != nil {
		return err
	}
	var wants []inventory.OrderWant
	for _, d := range drafts {
		wants = append(wants, d.wants(s.heldUntil(d))...)
	}
	if err := s.Stock.ReserveNew(ctx, tx, wants); err != nil {
		return err
	}
	return s.insertOrders(ctx, tx, drafts, payments, stars)
}

// takeBaskets empties the baskets, if they still hold what was priced.
func (s *Service) takeBaskets(ctx context.Context, tx db.Tx, drafts []*draft) error {
	tokens := make([]string, len(drafts))
	for i, d := range drafts {
		tokens[i] = d.CartToken
	}
	taken, err := s.Carts.Take(ctx, tx, tokens)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if !slices.Equal(taken[d.CartToken], d.items) {
			return errMoved
		}
	}
	return nil
}

// openPayments records what is to be paid, by the code of the order.
func (s *Service) openPayments(ctx context.Context, tx db.Tx, drafts []*draft) (map[string]payment.Payment, error) {
	var requests []payment.Request
	for _, d := range drafts {
		requests = append(requests, d.requests(s.payBefore(d))...)
	}
	opened, err := s.Payments.OpenMany(ctx, tx, requests)
	if err != nil {
		return nil, err
	}
	out := make(map[string]payment.Payment, len(opened))
	for _, p := range opened {
		out[p.Reference] = p
	}
	return out, nil
}

// payBefore is until when a transfer or card is awaited; cash has no such end.
func (s *Service) payBefore(d *draft) *time.Time {
	var t time.Time
	switch d.Method {
	case payment.VietQR:
		t = d.now.Add(s.cfg.VietQRTTL)
	case payment.Card:
		t = d.now.Add(s.cfg.CardTTL)
	default:
		return nil
	}
	return &t
}

// heldUntil is until when the goods are promised unless somebody says otherwise. Those of a card order may have to wait
// for the provider's word.
func (s *Service) heldUntil(d *draft) *time.Time {
	t := s.payBefore(d)
	if d.Method == payment.Card {
		*t = t.Add(cardGrace)
	}
	return t
}

// follow queues what comes after: the mails, and the end of the time to pay.
func (s *Service) follow(ctx context.Context, tx db.Tx, drafts []*draft) error {
	var jobs []job.Timed
	for _, d := range drafts {
		if d.Contact.Email != "" {
			jobs = append(jobs, job.Timed{Args: TellPlaced{d.groupID}})
		}
		if end := s.payBefore(d); end != nil {
			jobs = append(jobs, job.Timed{Args: ExpireGroup{d.groupID}, At: *end})
		}
	}
	if err := s.Jobs.EnqueueAll(ctx, tx, jobs); err != nil {
		return err
	}
	return s.tellPlacedToPartners(ctx, tx, drafts)
}

// state is the one in which the orders of the purchase begin.
func (d *draft) state() State {
	if d.Method != payment.COD {
		return AwaitingPayment
	}
	return Placed
}

func (d *draft) wants(expires *time.Time) []inventory.OrderWant {
	out := make([]inventory.OrderWant, len(d.Sellers))
	for i, q := range d.Sellers {
		out[i] = inventory.OrderWant{OrderID: d.ids[i], Expires: expires}
		for _, l := range q.Lines {
			out[i].Wants = append(out[i].Wants, inventory.Want{VariantID: l.VariantID, LocationID: d.shelves[l.VariantID].LocationID, Quantity: int64(l.Quantity)})
		}
	}
	return out
}

func (d *draft) requests(expires *time.Time) []payment.Request {
	out := make([]payment.Request, len(d.Sellers))
	for i, q := range d.Sellers {
		code := orderCode(d.code, i)
		out[i] = payment.Request{Reference: code, Method: d.Method, Amount: q.Total, Actor: actorBuyer}
		switch d.Method {
		case payment.Card:
			out[i].Charge, out[i].Expires = d.code, expires
		case payment.VietQR:
			a := d.accounts[q.ProducerID]
			out[i].Account = payment.Account{BankBIN: a.BankBIN, AccountNo: a.AccountNo, Holder: a.Holder, IsTest: a.IsTest}
			out[i].Memo, out[i].Expires = memo(code), expires
		}
	}
	return out
}

// named turns the shortages that the stock found under its lock into words: it knows ids, the buyer knows names.
func (d *draft) named(err error) error {
	l, ok := apperr.As(err)
	if !ok {
		return err
	}
	var out apperr.List
	for _, e := range l {
		id, isShort := e.Args["variant_id"].(int64)
		left, _ := e.Args["available"].(int64)
		if e.Key != "inventory.short" || !isShort {
			out = append(out, e)
			continue
		}
		for _, q := range d.Sellers {
			for _, line := range q.Lines {
				if line.VariantID == id {
					out = append(out, shortage(line.Offer.Name(d.Locale), line.SKU, left))
				}
			}
		}
	}
	return out
}

func shortage(name, sku string, left int64) *apperr.Error {
	if left <= 0 {
		return apperr.New(apperr.Conflict, "order.line.sold_out", "name", name, "sku", sku)
	}
	return apperr.New(apperr.Conflict, "order.line.short", "name", name, "sku", sku, "n", left)
}
