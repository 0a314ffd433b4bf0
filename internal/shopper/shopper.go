// Package shopper is what people do with an account of their own: sign up, get back in, prove a phone number or an e-mail,
// keep addresses and wishes, find their purchases, take back a consent, carry their data away, and leave.
//
// Tables: account_proof, shopper_address, wish, account_consent, passkey.
//
// Nothing exists before it is proven: a sign-up becomes an account when the code or link that was sent comes back. Asking
// for one never looks whether there is such an account, so neither page nor time tells; the job that sends the message
// looks, and tells the owner alone. A code holds for fifteen minutes and five tries; codes and links are derived from the
// program's secret, so that a job that runs again sends the same one while the table holds none.
//
// Every record is found with its account in the WHERE: another person's is not found.
package shopper

import (
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/platform/redis"
)

// The bounds of a proof.
const (
	CodeLife = 15 * time.Minute
	LinkLife = 24 * time.Hour // of the link in a mail
	MaxTries = 5
	// AskedPerHour is how many messages one phone number or e-mail gets in an hour, whoever asks for them.
	AskedPerHour = 5
)

// ChallengeLife is how long a device may take to answer with a passkey.
const ChallengeLife = 5 * time.Minute

// The most records of an account.
const (
	MaxAddresses = 20
	MaxWishes    = 200
	MaxPasskeys  = 10
)

// ConsentVersion names the wording of the boxes of the sign-up page; change it with the texts shopper.consent.*.
const ConsentVersion = "2026-11-24"

// Deps are the services that accounts call.
type Deps struct {
	DB       *db.DB
	Clock    clock.Clock
	Jobs     *job.Queue
	Accounts *account.Service
	Geo      *geo.Service
	Carts    *cart.Service
	Orders   *order.Service
	Notify   *notify.Service
}

// Config is what the composition root decides.
type Config struct {
	Secret  []byte // key of codes and links; the same for all copies of the program
	BaseURL string // https://example.vn, for links in mails and as the place where passkeys hold
	Name    string // of the site, as a device shows it beside a passkey
	// Operator is the e-mail to which people turn when somebody else did what they are told of.
	Operator string
	// CodesPerDay is how many messages one phone number or e-mail gets in a day, CodesPerAddress how many are sent in a day for one
	// network address; 0 is no such limit. Limiter counts the latter.
	CodesPerDay, CodesPerAddress int
	Limiter                      *redis.Limiter
}

// Service holds the verbs of this package.
type Service struct {
	Deps
	cfg  Config
	keys *webauthn.WebAuthn // nil without a name
}

// New returns the service. Without a host name in the base URL there are no passkeys: they hold for a name.
func New(d Deps, c Config) *Service {
	return &Service{Deps: d, cfg: c, keys: relyingParty(c)}
}

// PasskeysOpen reports whether passkeys can be used here.
func (s *Service) PasskeysOpen() bool { return s.keys != nil }

// PhoneOpen reports whether codes can be sent to phones.
func (s *Service) PhoneOpen() bool { return s.Notify.Texts() }
