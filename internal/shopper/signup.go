package shopper

import (
	"cmp"
	"context"
	"strings"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// SignUp is what the sign-up page says.
type SignUp struct {
	Identifier string // phone number or e-mail, as typed
	Name       string
	Password   string
	Locale     i18n.Locale
	Terms      bool
	Marketing  bool
	From       string // network address of the visitor
}

// SignUp asks for a proof of the identifier; the handle is for the page that takes the code. Faults of the fields email,
// name, password, terms; TooMany shopper.proof.too_many. Whether there is such an account changes nothing here.
func (s *Service) SignUp(ctx context.Context, f SignUp) (handle string, err error) {
	f.Name = strings.TrimSpace(i18n.NFC(f.Name))
	var l apperr.List
	contact, bad := account.ParseContact(f.Identifier)
	if bad != nil {
		l = append(l, bad)
	}
	if bad := account.CheckName(f.Name); bad != nil {
		l = append(l, bad)
	}
	hash, err := s.Accounts.HashPassword(ctx, f.Password, contact.Value)
	if err := l.Add(err); err != nil {
		return "", err
	}
	if !f.Terms {
		l = append(l, apperr.Field("terms", "shopper.terms.required"))
	}
	if len(l) > 0 {
		return "", l
	}
	return s.ask(ctx, proofRow{Purpose: string(ForSignUp), Channel: string(contact.Channel), Identifier: contact.Value, Name: f.Name,
		PasswordHash: hash, Locale: string(f.Locale), Marketing: f.Marketing}, f.From)
}

// FinishSignUp makes the account when the code is right. Whoever comes by the link of a mail, perhaps with another
// browser, also says the password of the sign-up: else somebody could sign up with another's e-mail and a password of
// their own, and only wait for the owner to press the link.
func (s *Service) FinishSignUp(ctx context.Context, a Answer, password string) (account.Account, error) {
	if a.Link != "" {
		p, err := s.find(ctx, s.DB.Primary(ctx), a, false)
		if err != nil {
			return account.Account{}, fault("sign up", err)
		}
		same, err := s.Accounts.Matches(ctx, password, p.PasswordHash)
		if err != nil {
			return account.Account{}, fault("sign up", err)
		}
		if p.ID != 0 && !same {
			return account.Account{}, apperr.Field("password", "account.password.wrong")
		}
	}
	var id int64
	err := s.redeem(ctx, ForSignUp, a, func(tx db.Tx, p proofRow) (err error) {
		now := s.Clock.Now()
		id, err = s.Accounts.Open(ctx, tx, account.Shopper{Contact: p.pending().Contact, Name: p.Name, Hash: p.PasswordHash, Locale: p.Locale}, now)
		if err != nil {
			return err
		}
		return insertConsents(ctx, tx, []consentRow{
			{AccountID: id, Purpose: "terms", TextVersion: ConsentVersion, Given: true, At: now},
			{AccountID: id, Purpose: "marketing_email", TextVersion: ConsentVersion, Given: p.Marketing, At: now},
		})
	})
	if err != nil {
		return account.Account{}, err
	}
	return s.Accounts.ByID(ctx, id)
}

// AskReset asks for a proof of the contact of a forgotten password, for a visitor from a network address. Where there is no such
// account nothing is sent.
func (s *Service) AskReset(ctx context.Context, identifier, from string, l i18n.Locale) (handle string, err error) {
	contact, bad := account.ParseContact(identifier)
	if bad != nil {
		return "", bad
	}
	return s.ask(ctx, proofRow{Purpose: string(ForReset), Channel: string(contact.Channel), Identifier: contact.Value, Locale: string(l)}, from)
}

// Reset puts a new password in place of a forgotten one, and ends all sessions of the account, which it returns.
func (s *Service) Reset(ctx context.Context, a Answer, password string) (id int64, err error) {
	p, err := s.find(ctx, s.DB.Primary(ctx), a, false)
	if err != nil {
		return 0, fault("reset", err)
	}
	hash, err := s.Accounts.HashPassword(ctx, password, p.Identifier)
	if err != nil {
		return 0, err
	}
	err = s.redeem(ctx, ForReset, a, func(tx db.Tx, p proofRow) error {
		if id, err = account.IDOf(ctx, tx, p.pending().Contact); err != nil {
			return err
		}
		if id == 0 {
			return apperr.New(apperr.Conflict, "shopper.code.expired")
		}
		if err := s.Accounts.ResetPassword(ctx, tx, id, hash); err != nil {
			return err
		}
		return s.Carts.Turn(ctx, tx, id)
	})
	return id, err
}

// AskContact asks for a proof of a phone number or e-mail that shall stand in the account in place of the one it has, of
// somebody who says the password again: whoever holds the contact can set a new password, so a stolen session alone must
// not move it. Faults of the fields contact and contact_password.
func (s *Service) AskContact(ctx context.Context, accountID int64, password, identifier, from string, l i18n.Locale) (handle string, err error) {
	contact, bad := account.ParseContact(identifier)
	if bad != nil {
		return "", bad.At("contact")
	}
	if err := s.confirm(ctx, accountID, password, "contact_password"); err != nil {
		return "", err
	}
	return s.ask(ctx, proofRow{Purpose: string(ForContact), Channel: string(contact.Channel), Identifier: contact.Value, Locale: string(l), AccountID: &accountID}, from)
}

// ProveContact takes the contact into the account that asked for it; a proof of another account is a stale one. It also
// returns Conflict account.contact.taken. Whoever could be reached before is told there: at the contact that was replaced, or,
// when none was, at the other.
func (s *Service) ProveContact(ctx context.Context, accountID int64, a Answer) error {
	a.Link = "" // only the browser that is signed in
	return s.redeem(ctx, ForContact, a, func(tx db.Tx, p proofRow) error {
		if p.AccountID == nil || *p.AccountID != accountID {
			return apperr.New(apperr.Conflict, "shopper.code.expired")
		}
		if err := s.lock(ctx, tx, accountID); err != nil {
			return err
		}
		phone, email, err := contacts(ctx, tx, accountID)
		if err != nil {
			return err
		}
		told := cmp.Or(email, phone)
		if p.Channel == string(account.ByPhone) {
			told = cmp.Or(phone, email)
		}
		if err := s.Accounts.SetContact(ctx, tx, accountID, p.pending().Contact, s.Clock.Now()); err != nil || told == "" || told == p.Identifier {
			return err
		}
		if err := setToldTo(ctx, tx, p.ID, told); err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, TellContact{p.ID})
	})
}

// confirm asks for the password again before something grave; a wrong one is a fault of the field.
func (s *Service) confirm(ctx context.Context, accountID int64, password, field string) error {
	err := s.Accounts.Confirm(ctx, accountID, password)
	if l, known := apperr.As(err); known {
		return l[0].At(field)
	}
	return err
}

// ChangePassword replaces the password of somebody who says the old one. All older sessions end with it, and other
// devices lose sight of the basket.
func (s *Service) ChangePassword(ctx context.Context, accountID int64, old, password string) error {
	if err := s.Accounts.Confirm(ctx, accountID, old); err != nil {
		return err
	}
	if err := s.Accounts.SetPassword(ctx, accountID, password, "shopper"); err != nil {
		l, ok := apperr.As(err)
		if !ok {
			return err
		}
		return l[0].At("new_password")
	}
	return s.Turn(ctx, accountID)
}

// Turn takes the basket out of sight of devices that are no longer signed in.
func (s *Service) Turn(ctx context.Context, accountID int64) error {
	return fault("turn", s.DB.InTx(ctx, func(tx db.Tx) error { return s.Carts.Turn(ctx, tx, accountID) }))
}
