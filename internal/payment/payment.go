// Package payment owns what is to be paid and what was paid: cash on delivery and VietQR transfers straight to
// the seller's account. The platform never holds buyers' money. It does not know what an order is: a payment
// carries an opaque reference, unique, given by whoever asked for the money.
//
// Tables: payment, payment_event (append-only: every change of state with actor and reason).
//
// Promises: a payment is captured in full or not at all; doing a verb twice does it once; a payment that was
// paid never expires and is never cancelled, it can only be given back by the seller, which its owner records.
//
//	expected  cash to come at the door      → paid | cancelled
//	pending   a transfer is awaited         → paid | expired | cancelled
//	expired   the time for it is over       → paid (the money came late and a person confirmed it)
package payment

import (
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
)

// Method is how the buyer pays.
type Method string

// The methods of this market.
const (
	COD    Method = "cod"
	VietQR Method = "vietqr"
)

// Known reports whether the method exists.
func (m Method) Known() bool { return m == COD || m == VietQR }

// State of a payment.
type State string

// The states of a payment.
const (
	Expected  State = "expected"
	Pending   State = "pending"
	Paid      State = "paid"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// transitions is the whole of what may happen to a payment.
var transitions = map[State][]State{
	Expected: {Paid, Cancelled},
	Pending:  {Paid, Expired, Cancelled},
	Expired:  {Paid},
}

// Account is where a transfer goes, as it was when the code was made.
type Account struct {
	BankBIN   string
	AccountNo string
	Holder    string
	IsTest    bool
}

// Request asks for money. Account, Memo and Expires are for VietQR only.
type Request struct {
	Reference string
	Method    Method
	Amount    money.VND
	Account   Account
	Memo      string
	Expires   *time.Time
	Actor     string
}

// Payment is one payment as it stands.
type Payment struct {
	ID        int64
	Reference string
	Method    Method
	State     State
	Amount    money.VND
	Captured  money.VND
	Account   Account
	Memo      string
	Payload   string // the text of the VietQR code, empty for cash
	ExpiresAt *time.Time
	CreatedAt time.Time
}

// PayableAt reports whether the buyer may still be shown the code: it also says no when the time is over and
// the job that writes so has not come by yet.
func (p Payment) PayableAt(now time.Time) bool {
	return p.State == Pending && (p.ExpiresAt == nil || now.Before(*p.ExpiresAt))
}

// Codes makes the text of a transfer code; adapter/vietqr fills it.
type Codes interface {
	Payload(bin, account string, amount money.VND, memo string) (string, error)
}

// Service holds the verbs of this package.
type Service struct {
	codes Codes
	clock clock.Clock
}

// New returns the service.
func New(codes Codes, c clock.Clock) *Service { return &Service{codes: codes, clock: c} }

// Check is an invariant that `ocop doctor` tries: SQL returns the number of its violations.
type Check struct{ Name, SQL string }

// Checks are the invariants of this package.
func Checks() []Check {
	return []Check{
		{"payment.captured_at_most_amount", `SELECT count(*) FROM payment WHERE captured > amount OR captured < 0`},
		{"payment.paid_is_captured", `SELECT count(*) FROM payment WHERE (state = 'paid') <> (captured = amount)`},
		{"payment.state_is_last_event", `SELECT count(*) FROM payment p
			WHERE p.state IS DISTINCT FROM (SELECT e.to_state FROM payment_event e WHERE e.payment_id = p.id ORDER BY e.id DESC LIMIT 1)`},
		{"payment.captured_is_sum_of_events", `SELECT count(*) FROM payment p
			WHERE p.captured <> (SELECT coalesce(sum(e.amount), 0) FROM payment_event e WHERE e.payment_id = p.id)`},
	}
}
