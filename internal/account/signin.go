package account

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/alexedwards/argon2id"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// cost follows OWASP's first choice for argon2id with some room above: 64 MiB, one pass, two lanes.
// It is fixed, not taken from the number of cores, so that a dummy costs what a real hash costs.
var cost = &argon2id.Params{Memory: 64 * 1024, Iterations: 1, Parallelism: 2, SaltLength: 16, KeyLength: 32}

// dummy is the hash of no known password, made with cost. An unknown e-mail is checked against it, so
// that the time of the answer does not tell whether the e-mail exists.
const dummy = "$argon2id$v=19$m=65536,t=1,p=2$c2FsdHNhbHRzYWx0c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// SignIn returns the open account with this e-mail or phone number and password. Everything else is one error,
// Denied account.wrong_credentials, after the same hashes and statements.
func (s *Service) SignIn(ctx context.Context, identifier, password string) (Account, error) {
	wrong := apperr.New(apperr.Denied, "account.wrong_credentials")
	if len(password) > maxPassword {
		return Account{}, wrong
	}
	contact, bad := ParseContact(identifier)
	if bad != nil {
		contact = Contact{ByEmail, ""} // nobody's
	}
	a, hash, err := byContact(ctx, s.db.Primary(ctx), contact)
	if err != nil {
		return Account{}, fmt.Errorf("account: sign in: %w", err)
	}
	if hash == "" {
		hash = dummy
	}
	match, err := s.matches(ctx, password, hash)
	if err != nil {
		return Account{}, fmt.Errorf("account: sign in: %w", err)
	}
	ok := match && a.ID != 0 && !a.Closed
	action := "account.sign_in"
	if !ok {
		action = "account.sign_in_refused"
	}
	err = s.db.InTx(ctx, func(tx db.Tx) error { return record(ctx, tx, "sign-in", action, a.ID, nil) })
	if err != nil {
		return Account{}, fmt.Errorf("account: sign in: %w", err)
	}
	if !ok {
		return Account{}, wrong
	}
	return a, nil
}

// Confirm asks for the password of an account again before something grave. A wrong one is a fault of the field
// "password", account.password.wrong.
func (s *Service) Confirm(ctx context.Context, id int64, password string) error {
	hash, err := hashOf(ctx, s.db.Primary(ctx), id)
	if err != nil {
		return fmt.Errorf("account: confirm: %w", err)
	}
	if hash == "" {
		hash = dummy
	}
	match := false
	if len(password) <= maxPassword {
		if match, err = s.matches(ctx, password, hash); err != nil {
			return fmt.Errorf("account: confirm: %w", err)
		}
	}
	if !match {
		return apperr.Field("password", "account.password.wrong")
	}
	return nil
}

func (s *Service) matches(ctx context.Context, password, hash string) (bool, error) {
	if err := s.enter(ctx); err != nil {
		return false, err
	}
	defer s.leave()
	s.hashes.Add(1)
	return argon2id.ComparePasswordAndHash(password, hash)
}

func (s *Service) hash(ctx context.Context, password string) (string, error) {
	if err := s.enter(ctx); err != nil {
		return "", err
	}
	defer s.leave()
	s.hashes.Add(1)
	return argon2id.CreateHash(password, cost)
}

func (s *Service) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) leave() { <-s.slots }

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// record notes a deed; one on no account at all, such as a guess, has id 0.
func record(ctx context.Context, tx db.Tx, actor, action string, id int64, detail map[string]any) error {
	var who *int64
	if id != 0 {
		who = &id
	}
	return audit.Record(ctx, tx, audit.Entry{
		AccountID: who, Actor: actor, Action: action, Subject: "account", SubjectID: strconv.FormatInt(id, 10), Detail: detail,
	})
}
