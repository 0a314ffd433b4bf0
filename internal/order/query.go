package order

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/showroom"
)

// Find returns the purchase with this code to whoever holds its secret. Anything else is NotFound order.unknown, so
// that codes cannot be tried out. It reads in a fixed number of statements.
func (s *Service) Find(ctx context.Context, code, secret string) (GroupView, error) {
	g, err := s.open(ctx, code, secret)
	if err != nil {
		return GroupView{}, err
	}
	return s.view(ctx, g)
}

// FindPlacedBy returns the purchase with this code to the partner through whose key it was placed, without its secret.
// Anything else is NotFound order.unknown.
func (s *Service) FindPlacedBy(ctx context.Context, code string, partnerID int64) (GroupView, error) {
	var g groupRow
	err := s.DB.Primary(ctx).Table("order_group").Where("code = ? AND partner_id = ?", canonical(code), partnerID).Limit(1).Scan(&g).Error
	switch {
	case err != nil:
		return GroupView{}, fmt.Errorf("order: find: %w", err)
	case g.ID == 0:
		return GroupView{}, unknown()
	}
	return s.view(ctx, g)
}

// open finds the purchase and compares the secret in constant time, also when there is no such purchase.
func (s *Service) open(ctx context.Context, code, secret string) (groupRow, error) {
	g, err := groupBy(ctx, s.DB.Primary(ctx), "code = ?", canonical(code))
	if err != nil {
		return groupRow{}, fmt.Errorf("order: find: %w", err)
	}
	want := g.SecretHash
	if g.ID == 0 {
		want = make([]byte, 32)
	}
	if subtle.ConstantTimeCompare(ident.Hash(secret), want) != 1 {
		return groupRow{}, unknown()
	}
	return g, nil
}

func (s *Service) view(ctx context.Context, g groupRow) (GroupView, error) {
	v := GroupView{ID: g.ID, Code: g.Code, Locale: i18n.Locale(g.Locale), PlacedAt: g.PlacedAt,
		Contact: Contact{g.ContactName, g.ContactPhone, g.ContactEmail}, Address: Address{g.ProvinceCode, g.CommuneCode, g.Street},
		Method: payment.Method(g.Method), Note: g.Note, Invoice: Invoice{g.InvoiceCompany, g.InvoiceTaxCode, g.InvoiceAddress}, Total: money.VND(g.Total)}
	orders, err := ordersOf(ctx, s.DB.Primary(ctx), g.ID)
	if err != nil {
		return GroupView{}, fmt.Errorf("order: view: %w", err)
	}
	p, err := s.parts(ctx, g.ID, orders)
	if err != nil {
		return GroupView{}, fmt.Errorf("order: view: %w", err)
	}
	v.Stamp = p.stamp
	for _, o := range orders {
		v.Orders = append(v.Orders, s.orderView(o, p))
	}
	return v, nil
}

// parts are the rows around the orders of one purchase.
type parts struct {
	sellers  map[int64]producer.Producer
	points   map[int64]showroom.Showroom
	payments map[int64]payment.Payment
	refunds  map[int64][]payment.Refund
	banks    map[string]string
	carriers map[string]carrierName
	lines    map[int64][]LineView
	history  map[int64][]Event
	stamp    int64
}

func (s *Service) parts(ctx context.Context, groupID int64, orders []orderRow) (p parts, err error) {
	g := s.DB.Primary(ctx)
	var sellers, points, payments []int64
	for _, o := range orders {
		sellers, payments = append(sellers, o.ProducerID), append(payments, o.PaymentID)
		if o.ShowroomID != nil {
			points = append(points, *o.ShowroomID)
		}
	}
	if p.sellers, err = s.Producers.ByIDs(ctx, g, sellers); err != nil {
		return p, err
	}
	if p.points, err = s.Showrooms.ByIDs(ctx, g, points); err != nil {
		return p, err
	}
	if p.payments, err = s.Payments.ByIDs(ctx, g, payments); err != nil {
		return p, err
	}
	if p.refunds, err = s.Payments.Refunds(ctx, g, payments); err != nil {
		return p, err
	}
	banks, err := s.Producers.Banks(ctx)
	if err != nil {
		return p, err
	}
	p.banks = make(map[string]string, len(banks))
	for _, b := range banks {
		p.banks[b.BIN] = b.ShortName
	}
	if p.carriers, err = carrierNames(ctx, g); err != nil {
		return p, err
	}
	lines, err := linesOf(ctx, g, groupID)
	if err != nil {
		return p, err
	}
	p.lines = map[int64][]LineView{}
	for _, l := range lines {
		p.lines[l.OrderID] = append(p.lines[l.OrderID], l.view())
	}
	history, err := historyOf(ctx, g, groupID)
	p.history = map[int64][]Event{}
	for _, h := range history {
		p.history[h.OrderID] = append(p.history[h.OrderID], h.view())
		p.stamp = max(p.stamp, h.ID)
	}
	return p, err
}

func (s *Service) orderView(o orderRow, p parts) OrderView {
	now := s.Clock.Now()
	pay := p.payments[o.PaymentID]
	v := OrderView{ID: o.ID, Code: o.Code, Number: fmt.Sprintf("%d-%06d", o.NumberYear, o.NumberSeq), Seller: p.sellers[o.ProducerID],
		State: State(o.State), Lines: p.lines[o.ID], Goods: money.VND(o.GoodsTotal), Shipping: money.VND(o.ShippingTotal),
		Discount: money.VND(o.DiscountTotal), Total: money.VND(o.Total), Delivery: o.Delivery,
		Payment: pay, BankName: p.banks[pay.Account.BankBIN], PayBefore: o.PayBefore, History: p.history[o.ID]}
	if o.CarrierCode != nil {
		v.CarrierName, v.CarrierNameEN = p.carriers[*o.CarrierCode].Name, p.carriers[*o.CarrierCode].NameEN
	}
	if o.ShowroomID != nil {
		v.Showroom = p.points[*o.ShowroomID]
	}
	if v.State == AwaitingPayment && o.PayBefore != nil && !now.Before(*o.PayBefore) {
		v.State = Expired // the job will write it; a page must not show a code that is over
	}
	v.Payable = v.State == AwaitingPayment && pay.PayableAt(now)
	if !v.Payable {
		v.Payment.Payload = ""
	}
	v.Refunds = p.refunds[o.PaymentID]
	owed := pay.Captured
	if v.State == Returned {
		owed -= v.Shipping // stays with the carrier, who made the way
	}
	v.NeedsRefund = (v.State.off() || v.State == Returned) && owed > v.Refunded()
	v.CanCancel = v.State == AwaitingPayment || v.State == Placed
	return v
}

func (l lineRow) view() LineView {
	v := LineView{VariantID: l.VariantID, ProductID: l.ProductID, SKU: l.SKU, NameVI: l.NameVI, NameEN: l.NameEN, UnitVI: l.UnitVI, UnitEN: l.UnitEN,
		Quantity: l.Quantity, UnitPrice: money.VND(l.UnitPrice), Total: money.VND(l.LineTotal)}
	if l.Stars != nil {
		v.Stars, v.CertificateCode = *l.Stars, *l.CertificateCode
	}
	if l.DecisionNo != nil {
		v.DecisionNo = *l.DecisionNo
	}
	return v
}

// view hides who of the staff acted and why in their own words: that is for the audit, not for the buyer.
func (h historyRow) view() Event {
	e := Event{From: State(h.FromState), To: State(h.ToState), Actor: h.Actor, Reason: h.Reason, At: h.At}
	if e.Actor != actorBuyer && e.Actor != actorSystem {
		e.Actor, e.Reason = "staff", ""
	}
	if e.Actor == actorBuyer && strings.HasPrefix(e.Reason, "order.reason.") {
		e.Reason = "" // typed by the buyer to look like one of our texts
	}
	return e
}

// Purchase is one line of the list of an account's purchases.
type Purchase struct {
	ID       int64
	Code     string
	PlacedAt time.Time
	Total    money.VND
	Method   payment.Method
	States   []State  // of its orders, in their order
	NamesVI  []string // of the goods, at most four
	NamesEN  []string
	Pieces   int
}

// Purchases lists the purchases of an account, newest first, those before the one with id before (0: from the newest).
// It is one statement for any number of them.
func (s *Service) Purchases(ctx context.Context, accountID, before int64, limit int) ([]Purchase, error) {
	rows, err := purchasesOf(ctx, s.DB.Primary(ctx), accountID, before, limit)
	if err != nil {
		return nil, fmt.Errorf("order: purchases: %w", err)
	}
	now := s.Clock.Now()
	out := make([]Purchase, len(rows))
	for i, r := range rows {
		out[i] = r.view(now)
	}
	return out, nil
}

// Owned returns the secret of a purchase to the account that it belongs to; anything else is NotFound order.unknown.
func (s *Service) Owned(ctx context.Context, accountID int64, code string) (string, error) {
	g, err := groupBy(ctx, s.DB.Primary(ctx).Where("account_id = ?", accountID), "code = ?", canonical(code))
	if err != nil {
		return "", fmt.Errorf("order: owned: %w", err)
	}
	if g.ID == 0 {
		return "", unknown()
	}
	return s.secret(g.RequestKey), nil
}

// Claimable counts the purchases of guests with exactly one of these proven contacts; empty ones fit nothing.
func (s *Service) Claimable(ctx context.Context, phone, email string) (int, error) {
	if phone == "" && email == "" {
		return 0, nil
	}
	n, err := claimable(ctx, s.DB.Primary(ctx), phone, email)
	if err != nil {
		return 0, fmt.Errorf("order: claimable: %w", err)
	}
	return n, nil
}

// Claim makes the purchases that Claimable counts those of an account. The caller vouches that its owner has proven both
// contacts.
func (s *Service) Claim(ctx context.Context, tx db.Tx, accountID int64, phone, email string) (int, error) {
	if phone == "" && email == "" {
		return 0, nil
	}
	n, err := claim(ctx, tx, accountID, phone, email)
	if err != nil {
		return 0, fmt.Errorf("order: claim: %w", err)
	}
	return n, nil
}

// Unfinished counts the purchases of an account of which something is still to be paid, delivered or paid back.
func (s *Service) Unfinished(ctx context.Context, tx db.Tx, accountID int64) (int, error) {
	n, err := unfinished(ctx, tx, accountID)
	if err != nil {
		return 0, fmt.Errorf("order: unfinished: %w", err)
	}
	return n, nil
}

// ContactEmails are the e-mails on an account's purchases, in small letters, but for those that are another person's too:
// anybody can type the e-mail of another into a purchase.
func (s *Service) ContactEmails(ctx context.Context, tx db.Tx, accountID int64) ([]string, error) {
	emails, err := contactEmails(ctx, tx, accountID)
	if err != nil {
		return nil, fmt.Errorf("order: contact e-mails: %w", err)
	}
	return emails, nil
}

// AnonymiseLeft takes out of the purchases of accounts that were left, if placed before a moment, who bought and where it
// went, and returns how many. Codes, lines, amounts, the province and the names on an invoice are the books and stay.
func (s *Service) AnonymiseLeft(ctx context.Context, before time.Time) (int, error) {
	n, err := anonymiseLeft(ctx, s.DB.Primary(ctx), before, s.Clock.Now())
	if err != nil {
		return 0, fmt.Errorf("order: anonymise: %w", err)
	}
	return n, nil
}

// Own returns all purchases of an account with everything in them, oldest first, for its owner to take along.
func (s *Service) Own(ctx context.Context, accountID int64) ([]GroupView, error) {
	groups, err := groupsOf(ctx, s.DB.Primary(ctx), accountID)
	if err != nil {
		return nil, fmt.Errorf("order: own: %w", err)
	}
	out := make([]GroupView, 0, len(groups))
	for _, g := range groups {
		v, err := s.view(ctx, g)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// ConsentGiven is one box of a purchase.
type ConsentGiven struct {
	Code, Purpose, TextVersion string
	Given                      bool
	At                         time.Time
}

// Consents are the boxes of all purchases of an account, oldest first.
func (s *Service) Consents(ctx context.Context, accountID int64) ([]ConsentGiven, error) {
	out, err := consentsOf(ctx, s.DB.Primary(ctx), accountID)
	if err != nil {
		return nil, fmt.Errorf("order: consents: %w", err)
	}
	return out, nil
}

// DueOf are all orders of the purchases with these codes, in the form of the tables.
func (s *Service) DueOf(ctx context.Context, groups []string) ([]Due, error) {
	return s.dues(ctx, ordersOfGroups, groups)
}

// DueByCodes are the orders with these codes, in the form of the tables.
func (s *Service) DueByCodes(ctx context.Context, codes []string) ([]Due, error) {
	return s.dues(ctx, ordersByCodes, codes)
}

func (s *Service) dues(ctx context.Context, find func(context.Context, *gorm.DB, []string) ([]orderRow, error), codes []string) ([]Due, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	rows, err := find(ctx, s.DB.Primary(ctx), unique(codes))
	if err != nil {
		return nil, fmt.Errorf("order: due: %w", err)
	}
	out := make([]Due, len(rows))
	for i, r := range rows {
		out[i] = r.due()
	}
	return out, nil
}

// Watch says whether a purchase waits for money, until when, and its stamp: a number that grows whenever a state changes.
type Watch struct {
	GroupID int64
	Stamp   int64
	Waits   bool
	Until   time.Time
}

// Watch is for whoever holds the purchase's secret; anything else is NotFound order.unknown.
func (s *Service) Watch(ctx context.Context, code, secret string) (Watch, error) {
	g, err := s.open(ctx, code, secret)
	if err != nil {
		return Watch{}, err
	}
	w, err := watch(ctx, s.DB.Primary(ctx), g.ID, s.Clock.Now())
	if err != nil {
		return Watch{}, fmt.Errorf("order: watch: %w", err)
	}
	return w, nil
}

// Stamps are the stamps of many purchases, in one statement.
func (s *Service) Stamps(ctx context.Context, groups []int64) (map[int64]int64, error) {
	out, err := stamps(ctx, s.DB.Primary(ctx), groups)
	if err != nil {
		return nil, fmt.Errorf("order: stamps: %w", err)
	}
	return out, nil
}
