package shopper

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// Consent is one thing a person agreed to, refused or took back. Code is the purchase it belongs to, if any.
type Consent struct {
	Purpose     string    `json:"purpose"`
	TextVersion string    `json:"text_version"`
	Given       bool      `json:"given"`
	At          time.Time `json:"at"`
	Code        string    `json:"purchase,omitempty"`
}

// Consents are all of an account, with those of its purchases, newest first.
func (s *Service) Consents(ctx context.Context, accountID int64) ([]Consent, error) {
	own, err := consents(ctx, s.DB.Primary(ctx), accountID)
	if err != nil {
		return nil, fault("consents", err)
	}
	bought, err := s.Orders.Consents(ctx, accountID)
	if err != nil {
		return nil, err
	}
	var out []Consent
	for _, c := range own {
		out = append(out, Consent{c.Purpose, c.TextVersion, c.Given, c.At, ""})
	}
	for _, c := range bought {
		out = append(out, Consent{c.Purpose, c.TextVersion, c.Given, c.At, c.Code})
	}
	slices.SortStableFunc(out, func(a, b Consent) int { return b.At.Compare(a.At) })
	return out, nil
}

// Marketing reports whether letters about offers may be sent: the last word counts. A box of a purchase that was not
// ticked asks for nothing, it takes nothing back.
func Marketing(all []Consent) bool {
	for _, c := range all { // newest first
		if c.Purpose == "marketing_email" && (c.Given || c.Code == "") {
			return c.Given
		}
	}
	return false
}

// SetMarketing gives or takes back the consent to letters about offers.
func (s *Service) SetMarketing(ctx context.Context, accountID int64, given bool) error {
	return fault("marketing", s.DB.InTx(ctx, func(tx db.Tx) error {
		open, err := account.Hold(ctx, tx, accountID)
		if err != nil || !open {
			return cmp.Or(err, error(apperr.New(apperr.NotFound, "account.not_found")))
		}
		return insertConsents(ctx, tx, []consentRow{{AccountID: accountID, Purpose: "marketing_email", TextVersion: ConsentVersion, Given: given, At: s.Clock.Now()}})
	}))
}

// Claimable counts the purchases made without signing in that fit the account's proven contacts.
func (s *Service) Claimable(ctx context.Context, a account.Account) (int, error) {
	return s.Orders.Claimable(ctx, a.ProvenPhone(), a.Email)
}

// Claim makes them the account's own, and says how many they were. The contacts are read anew, under a lock: what was
// proven once and given up since claims nothing.
func (s *Service) Claim(ctx context.Context, accountID int64) (n int, err error) {
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.lock(ctx, tx, accountID); err != nil {
			return err
		}
		phone, email, err := contacts(ctx, tx, accountID)
		if err != nil {
			return err
		}
		n, err = s.Orders.Claim(ctx, tx, accountID, phone, email)
		return err
	})
	return n, fault("claim", err)
}

// Export is everything that the market knows about a person, for them to take along.
type Export struct {
	Made      time.Time     `json:"made_at"`
	Account   Person        `json:"account"`
	Addresses []Address     `json:"addresses"`
	Wishes    []string      `json:"wishes"` // addresses of the products
	Consents  []Consent     `json:"consents"`
	Purchases []Bought      `json:"purchases"`
	Basket    []Thing       `json:"basket"`
	Passkeys  []Passkey     `json:"passkeys"`
	Deeds     []Deed        `json:"activity"`
	Messages  []notify.Sent `json:"messages"`
}

// Person is the account itself.
type Person struct {
	Name, Email, Phone string
	Locale             string
	Since              time.Time
	Roles              []account.Role `json:",omitempty"`
}

// Bought is one purchase.
type Bought struct {
	Code     string             `json:"code"`
	PlacedAt time.Time          `json:"placed_at"`
	Contact  order.Contact      `json:"contact"`
	Address  order.Address      `json:"address"`
	Invoice  *order.Invoice     `json:"invoice,omitempty"`
	Note     string             `json:"note,omitempty"`
	Method   string             `json:"payment_method"`
	Total    money.VND          `json:"total"`
	Orders   []BoughtFromSeller `json:"orders"`
}

// BoughtFromSeller is one order of a purchase.
type BoughtFromSeller struct {
	Code   string    `json:"code"`
	Seller string    `json:"seller"`
	State  string    `json:"state"`
	Total  money.VND `json:"total"`
	Lines  []Thing   `json:"lines"`
}

// Thing is a quantity of goods.
type Thing struct {
	Name     string    `json:"name"`
	SKU      string    `json:"sku"`
	Quantity int       `json:"quantity"`
	Price    money.VND `json:"unit_price"`
}

// Deed is one line of the record of what was done with the account.
type Deed struct {
	At     time.Time `json:"at"`
	Action string    `json:"action"`
}

// Export gathers what Export holds.
func (s *Service) Export(ctx context.Context, accountID int64) (Export, error) {
	a, err := s.Accounts.ByID(ctx, accountID)
	if err != nil {
		return Export{}, err
	}
	x := Export{Made: s.Clock.Now(), Account: Person{a.Name, a.Email, a.Phone, a.Locale, a.Since, a.Roles}}
	g := s.DB.Primary(ctx)
	if x.Addresses, err = addresses(ctx, g, accountID); err != nil {
		return Export{}, fault("export", err)
	}
	if x.Wishes, err = wishSlugs(ctx, g, accountID); err != nil {
		return Export{}, fault("export", err)
	}
	if x.Consents, err = s.Consents(ctx, accountID); err != nil {
		return Export{}, err
	}
	if x.Passkeys, err = s.Passkeys(ctx, accountID); err != nil {
		return Export{}, err
	}
	if x.Deeds, err = deeds(ctx, g, accountID); err != nil {
		return Export{}, fault("export", err)
	}
	if x.Messages, err = s.messages(ctx, a); err != nil {
		return Export{}, fault("export", err)
	}
	if x.Basket, err = s.basket(ctx, accountID); err != nil {
		return Export{}, err
	}
	bought, err := s.Orders.Own(ctx, accountID)
	for _, v := range bought {
		x.Purchases = append(x.Purchases, boughtOf(v))
	}
	return x, err
}

// messages are the mails that went to a person: to the e-mail of the account, and to those on its purchases that are nobody else's.
func (s *Service) messages(ctx context.Context, a account.Account) ([]notify.Sent, error) {
	var addresses []string
	err := s.DB.InTx(ctx, func(tx db.Tx) (err error) {
		addresses, err = s.Orders.ContactEmails(ctx, tx, a.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	if a.Email != "" && !slices.Contains(addresses, a.Email) {
		addresses = append(addresses, a.Email)
	}
	return s.Notify.SentTo(ctx, addresses)
}

func (s *Service) basket(ctx context.Context, accountID int64) ([]Thing, error) {
	token, err := s.Carts.Own(ctx, accountID)
	if err != nil || token == "" {
		return nil, err
	}
	v, err := s.Carts.View(ctx, token)
	var out []Thing
	for _, seller := range v.Sellers {
		for _, l := range seller.Lines {
			out = append(out, Thing{l.NameVI, l.SKU, l.Quantity, l.PriceNow})
		}
	}
	return out, err
}

func boughtOf(v order.GroupView) Bought {
	b := Bought{Code: v.Code, PlacedAt: v.PlacedAt, Contact: v.Contact, Address: v.Address, Note: v.Note, Method: string(v.Method), Total: v.Total}
	if v.Invoice.Wanted() {
		b.Invoice = &v.Invoice
	}
	for _, o := range v.Orders {
		part := BoughtFromSeller{Code: o.Code, Seller: o.Seller.Name, State: string(o.State), Total: o.Total}
		for _, l := range o.Lines {
			part.Lines = append(part.Lines, Thing{l.NameVI, l.SKU, l.Quantity, l.UnitPrice})
		}
		b.Orders = append(b.Orders, part)
	}
	return b
}

// Reasons are why people leave, as the page offers them; only the word is kept, in the audit.
func Reasons() []string { return []string{"unused", "privacy", "service", "other"} }

// Leave closes an account for good, after its owner has said the password again. Addresses, wishes, passkeys, waiting
// proofs, the basket and the words of mails go at once, and nothing in the account says who it was. Purchases keep their
// contact as long as the law wants contracts kept (table retention_rule); SweepLeft takes it out then. It is refused while something of a purchase is still to be paid, delivered or paid back (Conflict shopper.leave.open), since
// the seller needs the contact until then, and for people who work here (Conflict shopper.leave.staff).
func (s *Service) Leave(ctx context.Context, accountID int64, password, reason string) error {
	a, err := s.Accounts.ByID(ctx, accountID)
	if err != nil {
		return err
	}
	if a.Staff() {
		return apperr.New(apperr.Conflict, "shopper.leave.staff")
	}
	if err := s.Accounts.Confirm(ctx, accountID, password); err != nil {
		return err
	}
	if !slices.Contains(Reasons(), reason) {
		reason = ""
	}
	return fault("leave", s.DB.InTx(ctx, func(tx db.Tx) error { return s.leave(ctx, tx, a, reason) }))
}

func (s *Service) leave(ctx context.Context, tx db.Tx, a account.Account, reason string) error {
	// The basket stands before the account in the order of locks, as where a purchase is placed.
	if err := s.Carts.Drop(ctx, tx, a.ID); err != nil {
		return err
	}
	if err := s.lock(ctx, tx, a.ID); err != nil {
		return err
	}
	n, err := s.Orders.Unfinished(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	if n > 0 {
		return apperr.New(apperr.Conflict, "shopper.leave.open", "n", n)
	}
	emails, err := s.Orders.ContactEmails(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	addresses := slices.DeleteFunc(append(emails, a.Email, a.Phone), func(s string) bool { return s == "" })
	if err := s.Notify.Forget(ctx, tx, addresses); err != nil {
		return err
	}
	if err := forget(ctx, tx, a.ID, addresses); err != nil {
		return err
	}
	return s.Accounts.Anonymise(ctx, tx, a.ID, map[string]any{"reason": reason}, s.Clock.Now())
}

// SweepLeft takes the contact out of purchases of accounts that were left, once the law no longer wants it kept, and
// returns how many.
func (s *Service) SweepLeft(ctx context.Context) (int, error) {
	today := clock.Today(s.Clock)
	years, err := yearsKept(ctx, s.DB.Primary(ctx), today)
	if err != nil {
		return 0, fault("sweep left", err)
	}
	if years == 0 {
		return 0, errors.New("shopper: no rule says how long the contact of a purchase is kept")
	}
	return s.Orders.AnonymiseLeft(ctx, s.Clock.Now().AddDate(-years, 0, 0))
}
