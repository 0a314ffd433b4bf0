package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Channel is how somebody can be reached.
type Channel string

// The channels.
const (
	ByPhone Channel = "phone"
	ByEmail Channel = "email"
)

// Contact is a phone number in E.164 or an e-mail in small letters.
type Contact struct {
	Channel Channel
	Value   string
}

// pair is the contact as the two columns of the table.
func (c Contact) pair() (email, phone *string) {
	if c.Channel == ByPhone {
		return nil, &c.Value
	}
	return &c.Value, nil
}

// ParseContact reads what was typed as a phone number or an e-mail. Its fault belongs to the field "email".
func ParseContact(typed string) (Contact, *apperr.Error) {
	typed = strings.TrimSpace(typed)
	if !strings.Contains(typed, "@") {
		if phone, err := i18n.ParsePhone(typed); err == nil {
			return Contact{ByPhone, phone}, nil
		}
		return Contact{}, apperr.Field("email", "account.contact.form")
	}
	if email := normalEmail(typed); validEmail(email) {
		return Contact{ByEmail, email}, nil
	}
	return Contact{}, apperr.Field("email", "account.email.form")
}

// Shopper is an account whose contact was proven just now. Hash is from HashPassword.
type Shopper struct {
	Contact Contact
	Name    string
	Hash    string
	Locale  string
}

// Open makes the account of a shopper. It returns Conflict account.contact.taken when somebody else was quicker.
func (s *Service) Open(ctx context.Context, tx db.Tx, n Shopper, at time.Time) (int64, error) {
	id, err := insertProven(ctx, tx, n.Contact, n.Name, n.Hash, n.Locale, at)
	if err != nil {
		return 0, taken(err)
	}
	return id, record(ctx, tx, "shopper", "account.open", id, map[string]any{"channel": string(n.Contact.Channel)})
}

// SetContact gives the account a proven phone number or e-mail in place of the one it had, with the errors of Open.
func (s *Service) SetContact(ctx context.Context, tx db.Tx, id int64, c Contact, at time.Time) error {
	if err := setContact(ctx, tx, id, c, at); err != nil {
		return taken(err)
	}
	return record(ctx, tx, "shopper", "account.set_contact", id, map[string]any{"channel": string(c.Channel)})
}

func taken(err error) error {
	if db.Breaks(err, "account_email_key") || db.Breaks(err, "account_phone_key") {
		return apperr.New(apperr.Conflict, "account.contact.taken")
	}
	return fmt.Errorf("account: contact: %w", err)
}

// HashPassword checks a new password and returns its hash. identifier is what it must not be.
func (s *Service) HashPassword(ctx context.Context, password, identifier string) (string, error) {
	if err := checkPassword(password, identifier); err != nil {
		return "", err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return "", fmt.Errorf("account: hash: %w", err)
	}
	return hash, nil
}

// ResetPassword puts a hash of HashPassword in place, for somebody who has proven the account's contact, and ends every
// session that began before.
func (s *Service) ResetPassword(ctx context.Context, tx db.Tx, id int64, hash string) error {
	if err := setHash(ctx, tx, id, hash); err != nil {
		return fmt.Errorf("account: reset: %w", err)
	}
	return record(ctx, tx, "shopper", "account.reset_password", id, nil)
}

// Matches compares a password with a hash that is not an account's yet.
func (s *Service) Matches(ctx context.Context, password, hash string) (bool, error) {
	if len(password) > maxPassword || hash == "" {
		password, hash = "", dummy
	}
	return s.matches(ctx, password, hash)
}

// Rename changes how the account is addressed; field error name.
func (s *Service) Rename(ctx context.Context, id int64, name string) error {
	name = strings.TrimSpace(i18n.NFC(name))
	if err := CheckName(name); err != nil {
		return err
	}
	return s.change(ctx, id, "shopper", "account.rename", nil, func(tx db.Tx) (bool, error) { return true, setName(ctx, tx, id, name) })
}

// SetLocale changes the language in which pages without one in their address, and mails, speak to the account. What is
// no language of this site changes nothing.
func (s *Service) SetLocale(ctx context.Context, id int64, l i18n.Locale, actor string) error {
	if l != i18n.VI && l != i18n.EN {
		return nil
	}
	return s.change(ctx, id, actor, "account.set_locale", map[string]any{"locale": string(l)}, func(tx db.Tx) (bool, error) { return setLocale(ctx, tx, id, string(l)) })
}

// IDOf is the open account with this proven contact, in the caller's transaction; 0 for none.
func IDOf(ctx context.Context, tx db.Tx, c Contact) (int64, error) {
	a, _, err := byContact(ctx, tx.DB, c)
	if err != nil || a.Closed {
		return 0, err
	}
	return a.ID, nil
}

// Hold keeps the account from being closed for the rest of the transaction; false when it is closed or not there.
func Hold(ctx context.Context, tx db.Tx, id int64) (bool, error) { return hold(ctx, tx, id) }

// Lock takes the account for the rest of the transaction, in which nothing else may begin to belong to it; false when
// it is closed or not there.
func Lock(ctx context.Context, tx db.Tx, id int64) (bool, error) { return lock(ctx, tx, id) }

// Anonymise closes a locked account: its identifiers are free again, and nothing in it says who it was.
func (s *Service) Anonymise(ctx context.Context, tx db.Tx, id int64, detail map[string]any, at time.Time) error {
	if err := anonymise(ctx, tx, id, at); err != nil {
		return fmt.Errorf("account: anonymise: %w", err)
	}
	return record(ctx, tx, "shopper", "account.anonymise", id, detail)
}
