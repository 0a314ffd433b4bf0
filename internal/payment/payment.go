// Package payment owns what is to be paid, what was paid and what is given back: cash on delivery, VietQR transfers
// straight to the seller's account, and cards through a licensed provider (Gateway). The platform never holds buyers'
// money. It does not know what an order is: a payment carries an opaque reference, unique, given by whoever asked for
// the money. One card charge pays a whole purchase; its shares are payments.
//
// Tables: payment, payment_event, charge, refund, refund_history, dispute, provider_notice, payee, transfer,
// transfer_reversal.
//
// Promises: a payment is captured in full or not at all; doing a verb twice does it once; a payment that was
// paid never expires and is never cancelled, it can only be given back. What is given back, with what is on its way, is
// never more than what was captured. The provider is believed when it is asked, never because somebody came back.
//
//	expected  cash to come at the door      → collected | failed | cancelled
//	collected the carrier has the cash      → remitted (the seller has it)
//	pending   a transfer or card is awaited → paid | expired | cancelled
//	expired   the time for it is over       → paid (the money came late)
//	cancelled no longer wanted              → paid (money that was sent all the same)
package payment

import (
	"slices"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/job"
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
func (m Method) Known() bool { return m == COD || m == VietQR || m == Card }

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

// States are all states of a payment.
func States() []State {
	return []State{Expected, Pending, Paid, Collected, Remitted, Failed, Cancelled, Expired}
}

// transitions is the whole of what may happen to a payment. Nobody hands over cash that is no longer wanted: only a
// transfer or a card goes from cancelled to paid.
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

// Request asks for money. Account and Memo are for VietQR, Expires for all that is not cash. Charge names the card charge
// that the payment is a share of: requests with one name share one.
type Request struct {
	Charge    string
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
	Refunded  money.VND // given back, or on its way
	Account   Account
	Memo      string
	Payload   string // the text of the VietQR code, empty for cash
	ExpiresAt *time.Time
	CreatedAt time.Time
	// ChargeID and PageAttempt are of a card's share: the charge, and the last of its pages that asked for the share.
	ChargeID    int64
	PageAttempt int
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

// Options are what cards need. Without a Gateway no card is taken.
type Options struct {
	DB      *db.DB
	Jobs    *job.Queue
	Gateway Gateway
	// PassOnShares transfers sellers' shares to their connected accounts, where the gateway can.
	PassOnShares bool
}

// Service holds the verbs of this package.
type Service struct {
	Options
	codes Codes
	clock clock.Clock
}

// New returns the service.
func New(codes Codes, c clock.Clock, o Options) *Service {
	return &Service{Options: o, codes: codes, clock: c}
}
