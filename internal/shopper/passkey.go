package shopper

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// Passkey is a key of an account that lies on one of its owner's devices.
type Passkey struct {
	ID      int64      `json:"-"`
	Name    string     `json:"device"`
	Created time.Time  `json:"created_at"`
	Used    *time.Time `json:"used_at"`
}

// relyingParty is nil where passkeys cannot hold: they are bound to a host name, never to a bare address.
func relyingParty(c Config) *webauthn.WebAuthn {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	if _, err := netip.ParseAddr(u.Hostname()); err == nil {
		return nil
	}
	life := webauthn.TimeoutConfig{Timeout: ChallengeLife}
	w, err := webauthn.New(&webauthn.Config{Timeouts: webauthn.TimeoutsConfig{Login: life, Registration: life}, RPID: u.Hostname(), RPDisplayName: c.Name, RPOrigins: []string{c.BaseURL},
		AuthenticatorSelection: protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired}})
	if err != nil {
		return nil
	}
	return w
}

// holder is an account as the library sees it.
type holder struct {
	account account.Account
	id      []byte
	rows    []passkeyRow
	keys    []webauthn.Credential // of the rows, in their order
}

// WebAuthnID is what devices know the account by; it tells nothing.
func (h holder) WebAuthnID() []byte { return h.id }

// WebAuthnName is how a device shows the account.
func (h holder) WebAuthnName() string {
	if h.account.Email != "" {
		return h.account.Email
	}
	return h.account.Phone
}

// WebAuthnDisplayName is the person's name.
func (h holder) WebAuthnDisplayName() string { return h.account.Name }

// WebAuthnCredentials are the keys there are.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

func (s *Service) holder(ctx context.Context, accountID int64) (holder, error) {
	a, err := s.Accounts.ByID(ctx, accountID)
	if err != nil {
		return holder{}, err
	}
	rows, err := passkeys(ctx, s.DB.Primary(ctx), accountID)
	if err != nil {
		return holder{}, fault("passkeys", err)
	}
	m := hmac.New(sha256.New, s.cfg.Secret)
	m.Write([]byte("passkey holder\x00" + strconv.FormatInt(accountID, 10)))
	h := holder{account: a, id: m.Sum(nil), rows: rows}
	for _, r := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(r.Credential), &c); err != nil {
			return holder{}, fmt.Errorf("shopper: passkey %d: %w", r.ID, err)
		}
		h.keys = append(h.keys, c)
	}
	return h, nil
}

// Passkeys lists the keys of an account.
func (s *Service) Passkeys(ctx context.Context, accountID int64) ([]Passkey, error) {
	rows, err := passkeys(ctx, s.DB.Primary(ctx), accountID)
	if err != nil {
		return nil, fault("passkeys", err)
	}
	out := make([]Passkey, len(rows))
	for i, r := range rows {
		out[i] = Passkey{r.ID, r.Name, r.CreatedAt, r.UsedAt}
	}
	return out, nil
}

func noPasskeys() error { return apperr.New(apperr.Unavailable, "shopper.passkey.closed") }

func full() error { return apperr.New(apperr.Conflict, "shopper.passkey.full", "max", MaxPasskeys) }

// refused is the one answer to whatever is wrong with what a device said.
func refused() error { return apperr.New(apperr.Denied, "shopper.passkey.refused") }

// BeginPasskey returns what a browser needs to make a key, as JSON, and what the session must remember until then, for
// somebody who says the password again: a key outlives every session, so a stolen one alone must not add any.
func (s *Service) BeginPasskey(ctx context.Context, accountID int64, password string) (options, remember []byte, err error) {
	if s.keys == nil {
		return nil, nil, noPasskeys()
	}
	if err := s.confirm(ctx, accountID, password, ""); err != nil {
		return nil, nil, err
	}
	h, err := s.holder(ctx, accountID)
	if err != nil {
		return nil, nil, err
	}
	if len(h.keys) >= MaxPasskeys {
		return nil, nil, full()
	}
	var known []protocol.CredentialDescriptor
	for _, k := range h.keys {
		known = append(known, k.Descriptor())
	}
	creation, session, err := s.keys.BeginRegistration(h, webauthn.WithExclusions(known))
	if err != nil {
		return nil, nil, fault("begin passkey", err)
	}
	return s.pair(creation, session)
}

// challenge is what the session remembers of a question to a device.
type challenge struct {
	Asked   time.Time
	Session webauthn.SessionData
}

func (s *Service) pair(options any, session *webauthn.SessionData) (a, b []byte, err error) {
	if a, err = json.Marshal(options); err != nil {
		return nil, nil, fault("passkey", err)
	}
	b, err = json.Marshal(challenge{s.Clock.Now(), *session})
	return a, b, fault("passkey", err)
}

// recall reads what a session remembers; a question that is too old is none.
func (s *Service) recall(remember []byte) (c challenge, ok bool) {
	err := json.Unmarshal(remember, &c)
	return c, err == nil && s.Clock.Now().Before(c.Asked.Add(ChallengeLife))
}

// KeepPasskey takes the key that the browser made into the account under the name of its device.
func (s *Service) KeepPasskey(ctx context.Context, accountID int64, remember, answer []byte, device string) error {
	if s.keys == nil {
		return noPasskeys()
	}
	h, err := s.holder(ctx, accountID)
	if err != nil {
		return err
	}
	asked, ok := s.recall(remember)
	parsed, bad := protocol.ParseCredentialCreationResponseBytes(answer)
	if !ok || bad != nil {
		return refused()
	}
	c, err := s.keys.CreateCredential(h, asked.Session, parsed)
	if err != nil {
		return refused()
	}
	kept, err := json.Marshal(c)
	if err != nil {
		return fault("keep passkey", err)
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		if err := s.lock(ctx, tx, accountID); err != nil {
			return err
		}
		// Several windows may each have begun while there was room.
		if have, err := passkeys(ctx, tx.DB, accountID); err != nil || len(have) >= MaxPasskeys {
			return cmp.Or(err, full())
		}
		r := passkeyRow{AccountID: accountID, CredentialID: c.ID, Credential: string(kept), Name: device, CreatedAt: s.Clock.Now()}
		if err := insertPasskey(ctx, tx, r); err != nil {
			return err
		}
		return s.note(ctx, tx, accountID, "account.passkey_add")
	})
	if db.Breaks(err, "passkey_credential_id_key") {
		return refused()
	}
	return fault("keep passkey", err)
}

// DropPasskey takes a key out of the account.
func (s *Service) DropPasskey(ctx context.Context, accountID, id int64) error {
	return fault("drop passkey", s.DB.InTx(ctx, func(tx db.Tx) error {
		found, err := dropPasskey(ctx, tx, accountID, id)
		if err != nil {
			return err
		}
		if !found {
			return apperr.New(apperr.NotFound, "shopper.passkey.unknown")
		}
		return s.note(ctx, tx, accountID, "account.passkey_drop")
	}))
}

// AskPasskey returns what a browser needs to sign in by a key on its device, whoever's it is, and what the session must
// remember until then.
func (s *Service) AskPasskey() (options, remember []byte, err error) {
	if s.keys == nil {
		return nil, nil, noPasskeys()
	}
	assertion, session, err := s.keys.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, nil, fault("ask passkey", err)
	}
	return s.pair(assertion, session)
}

// SignInByPasskey returns the open account whose key signed the challenge. A challenge from before the key's last use is
// refused, so that an answer counts once even when it comes twice at the same time. A key whose counter did not go on may
// have been copied: it is refused too, as shopper.passkey.copied, and the audit says so.
func (s *Service) SignInByPasskey(ctx context.Context, remember, answer []byte) (account.Account, error) {
	if s.keys == nil {
		return account.Account{}, noPasskeys()
	}
	asked, ok := s.recall(remember)
	parsed, bad := protocol.ParseCredentialRequestResponseBytes(answer)
	if !ok || bad != nil {
		return account.Account{}, refused()
	}
	var row passkeyRow
	var who holder
	var broken error
	credential, err := s.keys.ValidateDiscoverableLogin(func(rawID, handle []byte) (webauthn.User, error) {
		if row, broken = passkeyBy(ctx, s.DB.Primary(ctx), rawID); broken != nil || row.ID == 0 {
			return nil, errors.New("unknown key")
		}
		if who, broken = s.holder(ctx, row.AccountID); broken != nil {
			return nil, broken
		}
		// The key and its last use must be of one reading.
		at := slices.IndexFunc(who.rows, func(r passkeyRow) bool { return r.ID == row.ID })
		if at < 0 || !hmac.Equal(handle, who.id) {
			return nil, errors.New("another's handle")
		}
		row = who.rows[at]
		return who, nil
	}, asked.Session, parsed)
	if broken != nil {
		return account.Account{}, fault("passkey", broken)
	}
	if err != nil || who.account.Closed || row.UsedAt != nil && !row.UsedAt.Before(asked.Asked) {
		return account.Account{}, refused()
	}
	if credential.Authenticator.CloneWarning {
		err := s.DB.InTx(ctx, func(tx db.Tx) error { return s.note(ctx, tx, row.AccountID, "account.passkey_copied") })
		if err == nil {
			err = apperr.New(apperr.Denied, "shopper.passkey.copied")
		}
		return account.Account{}, fault("passkey", err)
	}
	kept, err := json.Marshal(credential)
	if err != nil {
		return account.Account{}, fault("passkey", err)
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		first, err := usePasskey(ctx, tx, row.ID, string(kept), asked.Asked, s.Clock.Now())
		if err != nil {
			return err
		}
		if !first {
			return refused()
		}
		return s.note(ctx, tx, row.AccountID, "account.sign_in_passkey")
	})
	if err != nil {
		return account.Account{}, fault("passkey", err)
	}
	return who.account, nil
}

func (s *Service) note(ctx context.Context, tx db.Tx, id int64, action string) error {
	return audit.Record(ctx, tx, audit.Entry{AccountID: &id, Actor: "shopper", Action: action, Subject: "account", SubjectID: strconv.FormatInt(id, 10)})
}

// same compares secrets in constant time.
func same(a, b string) bool { return hmac.Equal([]byte(a), []byte(strings.TrimSpace(b))) }
