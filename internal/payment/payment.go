// Package payment owns what is to be paid and what was paid: cash on delivery and VietQR transfers straight to
// the seller's account. The platform never holds buyers' money. It does not know what an order is: a payment
// carries an opaque reference, unique, given by whoever asked for the money.
//
// Tables: payment, payment_event (append-only: every change of state with actor and reason).
//
// Promises: a payment is captured in full or not at all; doing a verb twice does it once; a payment that was
// paid never expires and is never cancelled, it can only be given back by the seller, which its owner records.
//
//	expected  cash to come at the door      → collected | failed | cancelled
//	collected the carrier has the cash      → remitted (the seller has it)
//	pending   a transfer is awaited         → paid | expired | cancelled
//	expired   the time for it is over       → paid (the money came late and a person confirmed it)
//	cancelled no longer wanted              → paid (a transfer that was sent all the same, and a person confirmed it)
package payment

import (
	"slices"
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
	Card   Method = "card"
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
	Collected State = "collected"
	Remitted  State = "remitted"
	Failed    State = "failed"
	Cancelled State = "cancelled"
	Expired   State = "expired"
)

// transitions is the whole of what may happen to a payment. Nobody hands over cash that is no longer wanted: only a
// transfer goes from cancelled to paid.
var transitions = map[State][]State{
	Expected:  {Collected, Failed, Cancelled},
	Collected: {Remitted},
	Pending:   {Paid, Expired, Cancelled},
	Expired:   {Paid},
	Cancelled: {Paid},
}

func allowed(m Method, from, to State) bool {
	return slices.Contains(transitions[from], to) && !(m == COD && from == Cancelled)
}

// Captured reports whether the buyer's money has come.
func (s State) Captured() bool { return s == Paid || s == Collected || s == Remitted }

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
