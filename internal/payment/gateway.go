package payment

import (
	"context"
	"errors"
	"time"

	"choocop.vn/ocop/internal/platform/money"
)

// Gateway is a licensed provider that takes card payments and gives money back; adapter/stripe and adapter/testcard
// fill it. No verb is called within a transaction. Each write carries a Key: the same key does the thing once, however
// often it is asked and whether or not the answer arrived. What the provider says when asked is believed; what a
// browser or an unsigned message says is not.
type Gateway interface {
	// Provider is the name stored with each charge: "stripe" or "test".
	Provider() string
	// Open makes the page on which the buyer pays.
	Open(ctx context.Context, o Opening) (CardPage, error)
	// Look says how the money of a page stands. An unknown page is ErrUnknownRef.
	Look(ctx context.Context, pageRef string) (Standing, error)
	// Close makes a page that is not paid unpayable, and says how it stands then: it may have been paid meanwhile.
	Close(ctx context.Context, pageRef string) (Standing, error)
	// PayBack gives a part of the money back to the card.
	PayBack(ctx context.Context, p PayBack) (Returned, error)
	// FindBack looks for money that was given back of MoneyRef under a key, should the answer have been lost and the provider have
	// forgotten the key since. Nothing found is ErrUnknownRef.
	FindBack(ctx context.Context, moneyRef, key string) (Returned, error)
	// LookBack says how money on its way back stands.
	LookBack(ctx context.Context, refundRef string) (Returned, error)
	// LookDispute says how a dispute stands.
	LookDispute(ctx context.Context, disputeRef string) (Contest, error)
	// Read checks the signature of a message from the provider and says what it is about. A false, missing or old
	// signature is ErrForged.
	Read(body []byte, signature string) (Notice, error)
}

// Transferrer passes the sellers' shares on to their connected accounts, for providers that can.
type Transferrer interface {
	Transfer(ctx context.Context, t Transfer) (ref string, err error)
	// Reverse takes back a part of a transfer whose payment is refunded.
	Reverse(ctx context.Context, key, transferRef string, amount money.VND) error
}

// Limited is a provider that takes no less and no more than so much in one charge.
type Limited interface {
	Limits() (least, most money.VND)
}

// Errors of a gateway that callers tell apart; any other may pass when tried again.
var (
	// ErrUnknownRef: the provider does not know what was asked for.
	ErrUnknownRef = errors.New("payment: unknown to the provider")
	// ErrForged: the message does not come from the provider.
	ErrForged = errors.New("payment: not signed by the provider")
	// ErrRefused: the provider will never do this, such as giving back more than it has.
	ErrRefused = errors.New("payment: refused by the provider")
)

// Opening asks for a page to pay on.
type Opening struct {
	Key       string // request key
	Reference string // the purchase's code, for people who read the provider's books
	Text      string // what is paid for, in the buyer's language
	Amount    money.VND
	Email     string // may be empty
	Locale    string // "vi" or "en"
	ReturnURL string // where the buyer comes back to, paid or not
	Expires   time.Time
	Shares    []Share
}

// Share is one order's part of a charge.
type Share struct {
	Reference string // the order's code
	Amount    money.VND
	Payee     string // connected account, may be empty
}

// CardPage is a page at the provider.
type CardPage struct {
	Ref     string
	URL     string
	Expires time.Time
}

// StandingState says how a charge stands at the provider.
type StandingState string

// How a charge may stand.
const (
	StandingOpen   StandingState = "open"   // may still be paid on this page
	StandingPaid   StandingState = "paid"   // the money is there
	StandingClosed StandingState = "closed" // can never be paid on this page
)

// Standing is a provider's answer about a page.
type Standing struct {
	Ref      string
	State    StandingState
	Amount   money.VND // captured, when paid
	MoneyRef string    // what to give back against, when paid
}

// PayBack asks to give money back.
type PayBack struct {
	Key      string
	MoneyRef string
	Amount   money.VND
	Reason   string // for the provider's books
}

// ReturnState says how money on its way back stands.
type ReturnState string

// How money on its way back may stand.
const (
	ReturnSent   ReturnState = "sent" // accepted, not yet with the buyer
	ReturnDone   ReturnState = "done"
	ReturnFailed ReturnState = "failed"
)

// Returned is a provider's answer about money on its way back.
type Returned struct {
	Ref    string
	State  ReturnState
	Amount money.VND
	Why    string // when failed
}

// Contest is a provider's answer about a dispute.
type Contest struct {
	Ref      string
	MoneyRef string
	Amount   money.VND
	Reason   string
	State    string // open, answered, won or lost
	AnswerBy *time.Time
	OpenedAt time.Time
}

// Transfer passes a seller's share on.
type Transfer struct {
	Key       string
	MoneyRef  string
	Reference string // the order's code
	Account   string
	Amount    money.VND
	// FromBalance takes the money out of what the operator has at the provider, where a part that was taken back lies now, and not
	// out of the charge.
	FromBalance bool
}

// NoticeKind says what a provider's message is about.
type NoticeKind string

// What a message may be about.
const (
	NoticeCharge  NoticeKind = "charge"  // Ref is a page
	NoticeRefund  NoticeKind = "refund"  // Ref is a refund
	NoticeDispute NoticeKind = "dispute" // Ref is a dispute
	NoticeOther   NoticeKind = "other"   // nothing to be done
)

// Notice is a provider's message: where to look, not what to believe.
type Notice struct {
	ID   string // the provider's, unique
	Kind NoticeKind
	Ref  string
	At   time.Time
}
