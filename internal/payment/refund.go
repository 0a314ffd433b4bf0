package payment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// Way says how money goes back to the buyer.
type Way string

// The ways back.
const (
	ByProvider Way = "provider" // to the card, through the gateway
	ByHand     Way = "hand"     // the seller sends it, and says with which bank reference
)

// RefundState says how far money on its way back has come.
type RefundState string

// The states of a refund.
const (
	RefundDue    RefundState = "due"
	RefundSent   RefundState = "sent" // accepted by the provider
	RefundDone   RefundState = "done"
	RefundFailed RefundState = "failed" // the amount counts no longer
)

// RefundStates are all states of a refund.
func RefundStates() []RefundState {
	return []RefundState{RefundDue, RefundSent, RefundDone, RefundFailed}
}

// refundSteps is the whole of what may happen to a refund. A provider may take back its word: done → failed.
var refundSteps = map[RefundState][]RefundState{
	RefundDue:  {RefundSent, RefundDone, RefundFailed},
	RefundSent: {RefundDone, RefundFailed},
	RefundDone: {RefundFailed},
}

// Gone reports whether the money has left for the buyer.
func (s RefundState) Gone() bool { return s == RefundSent || s == RefundDone }

// Refund is money on its way back.
type Refund struct {
	ID          int64
	PaymentID   int64
	RequestKey  string
	Print       []byte // what was asked under the key
	Amount      money.VND
	Way         Way
	State       RefundState
	ProviderRef string
	BankRef     string
	Reason      string
	Actor       string
	Reversal    string // of the seller's transfer: "", "due" or "done"
	RetryOf     int64  // the failed refund whose place it takes
	Left        bool   // failed, and a person said that nothing more is owed
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// RefundRequest asks to give a part of a payment back. ByHand forces that way for a card that takes nothing back.
type RefundRequest struct {
	PaymentID  int64
	RequestKey string
	Print      []byte
	Amount     money.VND
	ByHand     bool
	RetryOf    int64 // a failed refund whose place it takes, or 0
	Reason     string
	Actor      string
}

// Refund sets a part of a captured payment aside for the buyer: from now on it cannot be refunded again. Conflict
// payment.not_captured; payment.refund_too_much says what is left.
func (s *Service) Refund(ctx context.Context, tx db.Tx, q RefundRequest) (Refund, error) {
	p, err := lock(ctx, tx, q.PaymentID)
	if err != nil {
		return Refund{}, fmt.Errorf("payment: refund: %w", err)
	}
	if !State(p.State).Captured() {
		return Refund{}, apperr.New(apperr.Conflict, "payment.not_captured")
	}
	if left := money.VND(p.Captured - p.Refunded); q.Amount <= 0 || q.Amount > left {
		return Refund{}, apperr.New(apperr.Conflict, "payment.refund_too_much", "left", left)
	}
	now := s.clock.Now()
	r := refundRow{PaymentID: q.PaymentID, RequestKey: q.RequestKey, RequestPrint: q.Print, Amount: int64(q.Amount), Way: string(ByHand), State: string(RefundDue),
		Reason: q.Reason, Actor: q.Actor, CreatedAt: now, UpdatedAt: now}
	if r.RequestPrint == nil {
		r.RequestPrint = []byte{}
	}
	if Method(p.Method) == Card && !q.ByHand {
		r.Way = string(ByProvider)
	}
	if q.RetryOf != 0 {
		r.RetryOf = &q.RetryOf
	}
	// Who sends it by hand pays with the share that was passed on, which so stays where it is.
	if Way(r.Way) == ByProvider {
		passed, err := passedOn(ctx, tx, q.PaymentID)
		if err != nil {
			return Refund{}, fmt.Errorf("payment: refund: %w", err)
		}
		if passed {
			r.Reversal = reversalDue
		}
	}
	if err := addRefunded(ctx, tx, q.PaymentID, r.Amount, now); err != nil {
		return Refund{}, fmt.Errorf("payment: refund: %w", err)
	}
	if err := insertRefund(ctx, tx, &r); err != nil {
		return Refund{}, fmt.Errorf("payment: refund: %w", err)
	}
	return r.refund(), s.tellRefund(ctx, tx, r.ID, "", RefundDue, q.Actor, q.Reason)
}

func (s *Service) tellRefund(ctx context.Context, tx db.Tx, id int64, from, to RefundState, actor, reason string) error {
	err := insertRefundHistory(ctx, tx, refundHistoryRow{RefundID: id, FromState: string(from), ToState: string(to), Actor: actor, Reason: reason, At: s.clock.Now()})
	if err != nil {
		return fmt.Errorf("payment: refund: %w", err)
	}
	return nil
}

// AdvanceRefund records what became of a refund, and reports whether that is news. ref is the provider's for its way and
// the bank's by hand. The amount of one that failed is free again. What comes late or again changes nothing.
func (s *Service) AdvanceRefund(ctx context.Context, tx db.Tx, id int64, to RefundState, ref, actor, reason string) (Refund, bool, error) {
	r, err := lockRefund(ctx, tx, id)
	if err != nil {
		return Refund{}, false, fmt.Errorf("payment: refund: %w", err)
	}
	from := RefundState(r.State)
	if !slices.Contains(refundSteps[from], to) || Way(r.Way) == ByHand && (to == RefundSent || from == RefundDone) {
		return r.refund(), false, nil
	}
	now := s.clock.Now()
	set := map[string]any{"state": string(to), "updated_at": now}
	switch {
	case ref == "":
	case Way(r.Way) == ByHand:
		set["bank_ref"], r.BankRef = ref, ref
	default:
		set["provider_ref"], r.ProviderRef = ref, &ref
	}
	if err := setRefund(ctx, tx, id, set); err != nil {
		return Refund{}, false, fmt.Errorf("payment: refund: %w", err)
	}
	if to == RefundFailed {
		if err := addRefunded(ctx, tx, r.PaymentID, -r.Amount, now); err != nil {
			return Refund{}, false, fmt.Errorf("payment: refund: %w", err)
		}
		if err := passOnAgain(ctx, tx, r.PaymentID, now); err != nil {
			return Refund{}, false, fmt.Errorf("payment: refund: %w", err)
		}
	}
	r.State = string(to)
	return r.refund(), true, s.tellRefund(ctx, tx, id, from, to, actor, reason)
}

// LeaveRefund records that nothing more is owed for a refund that failed, and reports whether that is news.
func (s *Service) LeaveRefund(ctx context.Context, tx db.Tx, id int64, actor, reason string) (bool, error) {
	r, err := lockRefund(ctx, tx, id)
	if err != nil {
		return false, fmt.Errorf("payment: refund: %w", err)
	}
	if RefundState(r.State) != RefundFailed || r.LeftAt != nil {
		return false, nil
	}
	if err := setRefund(ctx, tx, id, map[string]any{"left_at": s.clock.Now()}); err != nil {
		return false, fmt.Errorf("payment: refund: %w", err)
	}
	return true, s.tellRefund(ctx, tx, id, RefundFailed, RefundFailed, actor, reason)
}

// keyHolds is how long after a refund was made its key is trusted to be known. Providers keep keys for a day from the first
// time that they see them.
const keyHolds = 20 * time.Hour

// SendBack asks the provider to give a refund back, under a key that is the refund's own: asking again is asking once. When the
// provider may have forgotten the key, it is asked first whether it gave the money back already.
func (s *Service) SendBack(ctx context.Context, c Charge, r Refund) (Returned, error) {
	b := PayBack{Key: fmt.Sprintf("refund-%d", r.ID), MoneyRef: c.MoneyRef, Amount: r.Amount, Reason: r.Reason}
	return s.payBack(ctx, c, b, s.clock.Now().Sub(r.CreatedAt) >= keyHolds)
}

func (s *Service) payBack(ctx context.Context, c Charge, b PayBack, old bool) (Returned, error) {
	g, err := s.provider(c)
	if err != nil {
		return Returned{}, err
	}
	if old {
		found, err := g.FindBack(ctx, b.MoneyRef, b.Key)
		if !errors.Is(err, ErrUnknownRef) {
			return found, err
		}
	}
	return g.PayBack(ctx, b)
}

// LookBack asks the provider how a refund stands.
func (s *Service) LookBack(ctx context.Context, ref string) (Returned, error) {
	if s.Gateway == nil {
		return Returned{}, ErrAway
	}
	return s.Gateway.LookBack(ctx, ref)
}

// RefundByID returns a refund; one that does not exist has ID 0.
func (s *Service) RefundByID(ctx context.Context, g *gorm.DB, id int64) (Refund, error) {
	return oneRefund(ctx, g, "id = ?", id)
}

// RefundByKey returns the refund that was asked for under a request key; ID 0 for none.
func (s *Service) RefundByKey(ctx context.Context, g *gorm.DB, key string) (Refund, error) {
	return oneRefund(ctx, g, "request_key = ?", key)
}

// RefundRetrying returns the refund that took the place of one that failed; ID 0 for none.
func (s *Service) RefundRetrying(ctx context.Context, g *gorm.DB, id int64) (Refund, error) {
	return oneRefund(ctx, g, "retry_of = ?", id)
}

// RefundByRef returns the refund that the provider calls so; ID 0 for none.
func (s *Service) RefundByRef(ctx context.Context, g *gorm.DB, ref string) (Refund, error) {
	return oneRefund(ctx, g, "provider_ref = ?", ref)
}

// Refunds returns the refunds of payments, oldest first.
func (s *Service) Refunds(ctx context.Context, g *gorm.DB, paymentIDs []int64) (map[int64][]Refund, error) {
	rows, err := refundsOf(ctx, g, paymentIDs)
	if err != nil {
		return nil, fmt.Errorf("payment: refunds: %w", err)
	}
	out := map[int64][]Refund{}
	for _, r := range rows {
		out[r.PaymentID] = append(out[r.PaymentID], r.refund())
	}
	return out, nil
}

// RefundsOnTheWay lists refunds through the provider that are due, or sent and not heard of, since a moment.
func (s *Service) RefundsOnTheWay(ctx context.Context, since time.Time, limit int) ([]Refund, error) {
	rows, err := refundsUnder(ctx, s.DB.Primary(ctx), ByProvider, []RefundState{RefundDue, RefundSent}, since, limit)
	return refundList(rows), err
}

// RefundsByHand lists refunds that sellers have still to send, oldest first.
func (s *Service) RefundsByHand(ctx context.Context, limit int) ([]Refund, error) {
	rows, err := refundsUnder(ctx, s.DB.Primary(ctx), ByHand, []RefundState{RefundDue}, s.clock.Now(), limit)
	return refundList(rows), err
}

func refundList(rows []refundRow) []Refund {
	out := make([]Refund, len(rows))
	for i, r := range rows {
		out[i] = r.refund()
	}
	return out
}
