package order

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// errMoved means that the basket is not the one that was priced; the caller prices it again.
var errMoved = errors.New("order: the basket changed while it was priced")

// Place orders what lies in the basket: one order per seller, all or nothing. Placing the same request again, also at
// the same moment, returns the first answer.
//
// It returns all faults of the form at once, under the names of its fields: name, phone, email, province, commune,
// street, method (also order.cod_too_many, a Conflict), note, invoice_company, invoice_tax_code, invoice_address, consent_terms, consent_age, pickup_{producer}.
// Conflicts on the whole form: order.cart_empty, order.line.gone, order.line.short, order.price_changed (with the new
// total), order.key_reused (the key belongs to another request).
//
// Everything that needs only reading is read before the transaction, so that rows stay locked for a few statements.
func (s *Service) Place(ctx context.Context, p Placement) (Done, error) {
	p.tidy()
	if !keyForm.MatchString(p.RequestKey) {
		return Done{}, apperr.New(apperr.Invalid, "order.request_key")
	}
	print := p.print()
	if d, ok, err := s.replay(ctx, p.RequestKey, print); ok || err != nil {
		return d, err
	}
	faults, err := s.check(ctx, &p)
	if err != nil {
		return Done{}, fmt.Errorf("order: place: %w", err)
	}
	for range 4 {
		d, err := s.place(ctx, p, print, faults)
		switch {
		case errors.Is(err, errMoved), db.Breaks(err, "order_group_code_key"):
			continue
		case db.Breaks(err, "order_group_request_key"):
			d, _, err = s.replay(ctx, p.RequestKey, print)
		}
		if _, readable := apperr.As(err); err != nil && !readable {
			err = fmt.Errorf("order: place: %w", err)
		}
		return d, err
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
	Placement
	print     []byte
	now       time.Time
	code      string
	stars     map[int64]certification.Star
	locations map[int64]int64
}

func (s *Service) place(ctx context.Context, p Placement, print []byte, faults apperr.List) (Done, error) {
	items, err := s.Carts.Items(ctx, p.CartToken)
	if err != nil {
		return Done{}, err
	}
	if len(items) == 0 {
		// A twin of this request may have emptied the basket since the first look.
		if d, ok, err := s.replay(ctx, p.RequestKey, print); ok || err != nil {
			return d, err
		}
		return Done{}, append(slices.Clone(faults), apperr.New(apperr.Conflict, "order.cart_empty"))
	}
	priced, err := s.plan(ctx, items, QuoteRequest{CartToken: p.CartToken, ProvinceCode: p.Address.ProvinceCode, Locale: p.Locale, Delivery: p.Delivery})
	if err != nil {
		return Done{}, err
	}
	if l := append(slices.Clone(faults), priced.refusals(p)...); len(l) > 0 {
		return Done{}, l
	}
	if priced.Total != p.Expect {
		return Done{}, priceChanged(priced.Total)
	}
	d := draft{plan: priced, Placement: p, print: print, now: s.Clock.Now(), code: ident.Code(4, 4)}
	if err := s.complete(ctx, &d); err != nil {
		return Done{}, err
	}
	replayed := false
	err = s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		replayed, err = s.write(ctx, tx, d)
		return err
	})
	if err != nil {
		return Done{}, d.named(err)
	}
	if replayed {
		d, _, err := s.replay(ctx, p.RequestKey, print)
		return d, err
	}
	return Done{Code: d.code, Secret: s.secret(p.RequestKey)}, nil
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

// complete reads what the rows will hold beside the price: the stars that count today and where the goods leave from.
func (s *Service) complete(ctx context.Context, d *draft) error {
	var sellers, products []int64
	for _, q := range d.Sellers {
		sellers = append(sellers, q.ProducerID)
		for _, l := range q.Lines {
			products = append(products, l.ProductID)
		}
	}
	var err error
	if d.stars, err = certification.Valid(ctx, s.DB.Primary(ctx), products, d.day); err != nil {
		return err
	}
	d.locations, err = s.Stock.Locations(ctx, s.DB.Primary(ctx), sellers)
	return err
}

// write makes the rows, in the order in which rows are locked everywhere. It reports true when the same request was
// placed meanwhile: then it has written nothing.
func (s *Service) write(ctx context.Context, tx db.Tx, d draft) (replayed bool, err error) {
	cartID, items, err := s.Carts.Take(ctx, tx, d.CartToken)
	if err != nil {
		return false, err
	}
	if code, _, err := byRequest(ctx, tx.DB, d.RequestKey); err != nil || code != "" {
		return code != "", err
	}
	if !slices.Equal(items, d.items) {
		return false, errMoved
	}
	if d.Method == payment.COD {
		open, err := openCash(ctx, tx, d.Contact.Phone, d.now.Add(-CashWindow))
		if err != nil {
			return false, err
		}
		if open >= MaxOpenCash {
			return false, apperr.New(apperr.Conflict, "order.cod_too_many", "max", MaxOpenCash).At("method")
		}
	}
	ids, err := nextOrderIDs(ctx, tx, len(d.Sellers))
	if err != nil {
		return false, err
	}
	if err := s.Stock.ReserveMany(ctx, tx, d.wants(ids, s.payBefore(d))); err != nil {
		return false, err
	}
	payments, err := s.Payments.OpenMany(ctx, tx, d.requests(s.payBefore(d)))
	if err != nil {
		return false, err
	}
	groupID, err := insertGroup(ctx, tx, d, ident.Hash(s.secret(d.RequestKey)))
	if err != nil {
		return false, err
	}
	if err := insertConsents(ctx, tx, groupID, d); err != nil {
		return false, err
	}
	if err := s.follow(ctx, tx, groupID, d); err != nil {
		return false, err
	}
	if err := s.Carts.Empty(ctx, tx, cartID); err != nil {
		return false, err
	}
	return false, insertOrders(ctx, tx, groupID, d, ids, payments, s.payBefore(d))
}

// payBefore is until when the goods are held for a transfer; cash holds them without end.
func (s *Service) payBefore(d draft) *time.Time {
	if d.Method != payment.VietQR {
		return nil
	}
	t := d.now.Add(s.cfg.VietQRTTL)
	return &t
}

// follow queues what comes after: the mail, and the end of the time to pay.
func (s *Service) follow(ctx context.Context, tx db.Tx, groupID int64, d draft) error {
	if d.Contact.Email != "" {
		if err := s.Jobs.Enqueue(ctx, tx, TellPlaced{groupID}); err != nil {
			return err
		}
	}
	if end := s.payBefore(d); end != nil {
		return s.Jobs.EnqueueAt(ctx, tx, ExpireGroup{groupID}, *end)
	}
	return nil
}

func (d draft) wants(ids []int64, expires *time.Time) []inventory.OrderWant {
	out := make([]inventory.OrderWant, len(d.Sellers))
	for i, q := range d.Sellers {
		out[i] = inventory.OrderWant{OrderID: ids[i], Expires: expires}
		for _, l := range q.Lines {
			out[i].Wants = append(out[i].Wants, inventory.Want{VariantID: l.VariantID, LocationID: d.locations[q.ProducerID], Quantity: int64(l.Quantity)})
		}
	}
	return out
}

func (d draft) requests(expires *time.Time) []payment.Request {
	out := make([]payment.Request, len(d.Sellers))
	for i, q := range d.Sellers {
		code := orderCode(d.code, i)
		out[i] = payment.Request{Reference: code, Method: d.Method, Amount: q.Total, Actor: actorBuyer}
		if d.Method == payment.VietQR {
			a := d.accounts[q.ProducerID]
			out[i].Account = payment.Account{BankBIN: a.BankBIN, AccountNo: a.AccountNo, Holder: a.Holder, IsTest: a.IsTest}
			out[i].Memo, out[i].Expires = memo(code), expires
		}
	}
	return out
}

// named turns the shortages that the stock found under its lock into words: it knows ids, the buyer knows names.
func (d draft) named(err error) error {
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
