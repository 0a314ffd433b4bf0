package reconcile

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// Notice is what a bank tells about money that came into a seller's account.
type Notice struct {
	Source        string // who told: numbers of transactions are unique within it
	TransactionID string
	AccountNo     string
	BankBIN       string // empty where the bank does not say
	Amount        money.VND
	Memo          string
	At            time.Time
}

// Bounds of what a bank may tell.
const (
	MaxMemo        = 1000 // signs
	maxTransaction = 100
	maxAmount      = money.VND(1e15)
)

var (
	accountForm = regexp.MustCompile(`^[0-9A-Za-z]{1,30}$`)
	binForm     = regexp.MustCompile(`^[0-9]{6}$`)
)

// Fault names, in plain English for the sender, the first thing that cannot be right; empty is fine.
func (n Notice) Fault() string {
	switch {
	case n.TransactionID == "" || len(n.TransactionID) > maxTransaction || strings.ContainsFunc(n.TransactionID, unprintable):
		return "transaction_id"
	case !accountForm.MatchString(n.AccountNo):
		return "account_no"
	case n.BankBIN != "" && !binForm.MatchString(n.BankBIN):
		return "bank_bin"
	case n.Amount > maxAmount || n.Amount < -maxAmount:
		return "amount"
	case !utf8.ValidString(n.Memo) || utf8.RuneCountInString(n.Memo) > MaxMemo || strings.ContainsRune(n.Memo, 0):
		return "memo"
	case n.At.Year() < 2020 || n.At.Year() > 2199:
		return "time"
	}
	return ""
}

func unprintable(r rune) bool { return !unicode.IsGraphic(r) || r == utf8.RuneError }

// print is the content in one form, however the message was written.
func (n Notice) print() []byte {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%q %q %q %d %q %d", n.TransactionID, n.AccountNo, n.BankBIN, n.Amount, n.Memo, n.At.UnixMicro())))
	return sum[:]
}

// State is what has become of money that a bank told of.
type State string

// The states of such money.
const (
	Received  State = "received"  // not looked at yet
	Matched   State = "matched"   // it settled a payment by itself
	Unmatched State = "unmatched" // a person must decide, or send something back
	Assigned  State = "assigned"  // a person said which payment it is
	Returned  State = "returned"  // a person sent it, or what was too much, back
	Dismissed State = "dismissed" // a person said that it is none of this market's
)

// transitions is the whole of what may happen. Unmatched to itself: the payment is known now, and something of the
// money must still go back.
var transitions = map[State][]State{
	Received:  {Matched, Unmatched},
	Unmatched: {Unmatched, Assigned, Returned, Dismissed},
	Dismissed: {Unmatched, Assigned, Returned},
}

// Reason is why money waits for a person.
type Reason string

// The reasons.
const (
	NoCode       Reason = "no_code"        // the memo holds nothing like a code
	UnknownCode  Reason = "unknown_code"   // the memo holds a code that no order has
	SeveralCodes Reason = "several_codes"  // the memo may mean several orders
	OtherAccount Reason = "other_account"  // the order is to be paid into another account
	Under        Reason = "under"          // less than the order costs
	Over         Reason = "over"           // more than the order costs
	Double       Reason = "double"         // the order was paid before
	Late         Reason = "late"           // the order is over and its goods are gone: recorded as paid, to be sent back
	CalledOff    Reason = "cancelled"      // the order was cancelled: recorded as paid, to be sent back
	NotATransfer Reason = "not_a_transfer" // the order is not paid by transfer
	OtherContent Reason = "other_content"  // the bank told the same transaction before, otherwise
)

// Reasons lists all of them, in the order in which people should look at them.
func Reasons() []Reason {
	return []Reason{Late, CalledOff, Double, Over, Under, OtherAccount, SeveralCodes, UnknownCode, NoCode, NotATransfer, OtherContent}
}

// Money is a notice with what was decided about it.
type Money struct {
	ID int64
	Notice
	ReceivedAt time.Time
	RepeatOf   int64 // the same transaction, told before with another content
	State      State
	Reason     Reason
	Reference  string // of the payment that the memo seems to mean
	PaymentID  int64  // that it settled; 0 for none
	DecidedBy  string
	DecidedAt  *time.Time
	Note       string
	BankRef    string // of the transfer with which it was sent back
}

// Decision is what becomes of money. Actor is "bank" for the program's own.
type Decision struct {
	State     State
	Reason    Reason
	Reference string
	PaymentID int64
	Actor     string
	Note      string
	BankRef   string
}

// Event is one decision of the past.
type Event struct {
	From, To  State
	Reason    Reason
	Reference string
	Actor     string
	Note      string
	BankRef   string
	At        time.Time
}

// Told says what became of a notice that came in.
type Told string

// What may become of it.
const (
	ToldNew   Told = "stored"
	ToldKnown Told = "known"
	ToldOther Told = "known with another content"
)

// actorBank is the program acting on a bank's word.
const actorBank = "bank"

// record stores a notice once per transaction. The same transaction with another content is stored beside the first,
// for a person to look at; it settles nothing by itself. The id is that of the new row, 0 for ToldKnown.
func (s *Service) record(ctx context.Context, tx db.Tx, n Notice) (int64, Told, error) {
	now := s.Clock.Now()
	id, err := insertMoney(ctx, tx, n, now)
	if err != nil {
		return 0, "", fmt.Errorf("reconcile: record money: %w", err)
	}
	if id != 0 {
		return id, ToldNew, nil
	}
	if id, err = insertRepeat(ctx, tx, n, now); err != nil {
		return 0, "", fmt.Errorf("reconcile: record money: %w", err)
	}
	if id == 0 {
		return 0, ToldKnown, nil
	}
	e := moneyEventRow{NoticeID: id, FromState: string(Received), ToState: string(Unmatched), Reason: string(OtherContent), Actor: actorBank, At: now}
	if err := insertMoneyEvent(ctx, tx, e); err != nil {
		return 0, "", fmt.Errorf("reconcile: record money: %w", err)
	}
	return id, ToldOther, nil
}

// lock locks a notice within the accounts of a scope. NotFound money.unknown.
func (s *Service) lock(ctx context.Context, tx db.Tx, id int64, within AccountScope) (Money, error) {
	r, err := lockMoney(ctx, tx, id, within)
	if err != nil {
		return Money{}, fmt.Errorf("reconcile: lock money: %w", err)
	}
	if r.ID == 0 {
		return Money{}, apperr.New(apperr.NotFound, "money.unknown")
	}
	return r.money(), nil
}

// decide writes what becomes of a notice whose lock the caller holds, with its history. Conflict money.decided.
func (s *Service) decide(ctx context.Context, tx db.Tx, m Money, d Decision) error {
	if !slices.Contains(transitions[m.State], d.State) {
		return apperr.New(apperr.Conflict, "money.decided")
	}
	now := s.Clock.Now()
	if err := setMoney(ctx, tx, m.ID, d, now); err != nil {
		return fmt.Errorf("reconcile: decide money: %w", err)
	}
	e := moneyEventRow{NoticeID: m.ID, FromState: string(m.State), ToState: string(d.State), Reason: string(d.Reason), Reference: d.Reference,
		PaymentID: idOrNull(d.PaymentID), Actor: d.Actor, Note: d.Note, BankRef: d.BankRef, At: now}
	if err := insertMoneyEvent(ctx, tx, e); err != nil {
		return fmt.Errorf("reconcile: decide money: %w", err)
	}
	return nil
}

// ScopedAccount is a receiving account of somebody. Sole says that its number belongs to no other bank or person here,
// so that a notice without a bank means it.
type ScopedAccount struct {
	BankBIN   string `json:"bin"`
	AccountNo string `json:"no"`
	Sole      bool   `json:"sole"`
}

// AccountScope bounds what somebody may see: everything, or what came into some accounts.
type AccountScope struct {
	All      bool
	Accounts []ScopedAccount
}

// Everywhere is the scope of the program itself and of administrators.
var Everywhere = AccountScope{All: true}

// Holds reports whether an account lies within the scope.
func (s AccountScope) Holds(a payment.Account) bool {
	return s.All || slices.ContainsFunc(s.Accounts, func(o ScopedAccount) bool { return o.BankBIN == a.BankBIN && o.AccountNo == a.AccountNo })
}

// Filter chooses from the list, newest first. States empty means all; Text is part of a transaction number, a
// reference, an account or a memo. Before is the id after which to go on.
type Filter struct {
	States []State
	Reason Reason
	Text   string
	Before int64
	Limit  int
}

// Parts is how many transfers wait for one order because they are less than it costs, and their sum.
type Parts struct {
	N     int
	Total money.VND
}

// byID is one notice within a scope, and what was decided about it. NotFound money.unknown.
func (s *Service) byID(ctx context.Context, id int64, within AccountScope) (Money, []Event, error) {
	g := s.DB.Primary(ctx)
	r, err := moneyByID(ctx, g, id, within)
	if err != nil {
		return Money{}, nil, fmt.Errorf("reconcile: money: %w", err)
	}
	if r.ID == 0 {
		return Money{}, nil, apperr.New(apperr.NotFound, "money.unknown")
	}
	rows, err := moneyEvents(ctx, g, id)
	if err != nil {
		return Money{}, nil, fmt.Errorf("reconcile: money: %w", err)
	}
	events := make([]Event, len(rows))
	for i, e := range rows {
		events[i] = Event{From: State(e.FromState), To: State(e.ToState), Reason: Reason(e.Reason), Reference: e.Reference,
			Actor: e.Actor, Note: e.Note, BankRef: e.BankRef, At: e.At}
	}
	return r.money(), events, nil
}
