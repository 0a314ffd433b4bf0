package account

import (
	"context"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// The bounds of a password: the first in characters, the second in bytes, against costly nonsense.
const (
	MinPassword = 10
	maxPassword = 1024
)

// Registration is an account to be made. Actor says who makes it, for the audit.
type Registration struct {
	Email    string
	Name     string
	Phone    string // E.164 or empty
	Password string
	Locale   string // empty means vi
	Roles    []Role
	Demo     bool
	Actor    string
}

func (n Registration) check() error {
	var l apperr.List
	if !validEmail(n.Email) {
		l = append(l, apperr.Field("email", "account.email.form"))
	}
	if err := CheckName(n.Name); err != nil {
		l = append(l, err)
	}
	if err := checkPassword(n.Password, n.Email); err != nil {
		l = append(l, err)
	}
	for _, r := range n.Roles {
		if err := r.check(); err != nil {
			l = append(l, err)
			break
		}
	}
	return l.Err()
}

func validEmail(email string) bool {
	a, err := mail.ParseAddress(email)
	return err == nil && a.Address == email && len(email) <= 254
}

// CheckName refuses a name that is empty, too long, or holds signs that nobody types.
func CheckName(name string) *apperr.Error {
	length := utf8.RuneCountInString(name)
	strange := strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
	if length == 0 || length > 120 || strange {
		return apperr.Field("name", "account.name.missing")
	}
	return nil
}

func checkPassword(password, email string) *apperr.Error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return apperr.Field("password", "account.password.short", "min", MinPassword)
	case len(password) > maxPassword:
		return apperr.Field("password", "account.password.long")
	case strings.EqualFold(strings.TrimSpace(password), email):
		return apperr.Field("password", "account.password.is_email")
	}
	return nil
}

func (r Role) check() *apperr.Error {
	allowed, known := scopes[r.Name]
	if !known {
		return apperr.Field("role", "account.role.unknown")
	}
	if !slices.Contains(allowed, r.Scope) || (r.Scope == Everywhere) != (r.ScopeID == "") {
		return apperr.Field("role", "account.role.scope")
	}
	return nil
}

// Register makes an account. It returns field errors for what cannot be accepted, among them
// account.email.taken.
func (s *Service) Register(ctx context.Context, n Registration) (Account, error) {
	n.Email, n.Name = normalEmail(n.Email), strings.TrimSpace(n.Name)
	if n.Locale == "" {
		n.Locale = "vi"
	}
	if err := n.check(); err != nil {
		return Account{}, err
	}
	hash, err := s.hash(ctx, n.Password)
	if err != nil {
		return Account{}, fmt.Errorf("account: register: %w", err)
	}
	a := Account{Email: n.Email, Name: n.Name, Phone: n.Phone, Locale: n.Locale, Demo: n.Demo}
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		var err error
		if a.ID, err = insert(ctx, tx, a, hash); err != nil {
			return err
		}
		if err := insertRoles(ctx, tx, a.ID, n.Roles); err != nil {
			return err
		}
		return record(ctx, tx, n.Actor, "account.register", a.ID, map[string]any{"roles": names(n.Roles), "demo": n.Demo})
	})
	if db.Breaks(err, "account_email_key") {
		return Account{}, apperr.Field("email", "account.email.taken")
	}
	if unknown := elsewhere(err); unknown != nil {
		return Account{}, unknown
	}
	if err != nil {
		return Account{}, fmt.Errorf("account: register: %w", err)
	}
	return s.ByID(ctx, a.ID)
}

// ByID returns the account, closed ones too, or NotFound account.not_found.
func (s *Service) ByID(ctx context.Context, id int64) (Account, error) {
	a, err := byID(ctx, s.db.Primary(ctx), id)
	if err != nil {
		return Account{}, fmt.Errorf("account: by id: %w", err)
	}
	if a.ID == 0 {
		return Account{}, apperr.New(apperr.NotFound, "account.not_found")
	}
	return a, nil
}

// ByEmail returns the account with this e-mail, or NotFound account.not_found.
func (s *Service) ByEmail(ctx context.Context, email string) (Account, error) {
	return s.ByContact(ctx, Contact{ByEmail, normalEmail(email)})
}

// ByContact returns the account with this proven contact, or NotFound account.not_found.
func (s *Service) ByContact(ctx context.Context, c Contact) (Account, error) {
	a, _, err := byContact(ctx, s.db.Primary(ctx), c)
	if err != nil {
		return Account{}, fmt.Errorf("account: by contact: %w", err)
	}
	if a.ID == 0 {
		return Account{}, apperr.New(apperr.NotFound, "account.not_found")
	}
	return a, nil
}

// SetPassword replaces the password and ends every session that began before.
func (s *Service) SetPassword(ctx context.Context, id int64, password, actor string) error {
	a, err := s.ByID(ctx, id)
	if err != nil {
		return err
	}
	if err := checkPassword(password, a.Email); err != nil {
		return err
	}
	hash, err := s.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("account: set password: %w", err)
	}
	return s.change(ctx, id, actor, "account.set_password", nil, func(tx db.Tx) (bool, error) {
		return true, setHash(ctx, tx, id, hash)
	})
}

// elsewhere is the fault of a role whose province or commune is not on the map.
func elsewhere(err error) error {
	if db.Breaks(err, "account_role_province") || db.Breaks(err, "account_role_commune") {
		return apperr.Field("role", "account.role.place")
	}
	return nil
}

// Grant gives the account a role; one it already has changes nothing. Field errors for role: account.role.unknown,
// account.role.scope, account.role.place.
func (s *Service) Grant(ctx context.Context, id int64, r Role, actor string) error {
	if err := r.check(); err != nil {
		return err
	}
	err := s.change(ctx, id, actor, "account.grant", r.detail(), func(tx db.Tx) (bool, error) { return grant(ctx, tx, id, r) })
	if unknown := elsewhere(err); unknown != nil {
		return unknown
	}
	return err
}

// Revoke takes a role away; one it does not have changes nothing.
func (s *Service) Revoke(ctx context.Context, id int64, r Role, actor string) error {
	return s.change(ctx, id, actor, "account.revoke", r.detail(), func(tx db.Tx) (bool, error) { return revoke(ctx, tx, id, r) })
}

// change runs do on an existing account and records it when it changed something.
func (s *Service) change(ctx context.Context, id int64, actor, action string, detail map[string]any, do func(db.Tx) (bool, error)) error {
	if _, err := s.ByID(ctx, id); err != nil {
		return err
	}
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		changed, err := do(tx)
		if err != nil || !changed {
			return err
		}
		return record(ctx, tx, actor, action, id, detail)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

func (r Role) detail() map[string]any {
	return map[string]any{"role": string(r.Name), "scope": string(r.Scope), "scope_id": r.ScopeID}
}

func names(roles []Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = string(r.Name)
	}
	return out
}
