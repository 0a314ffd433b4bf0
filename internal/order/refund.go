package order

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

// RefundLine is a number of pieces of one line.
type RefundLine struct {
	SKU      string
	Quantity int
}

// RefundOrder asks to give back pieces of lines and the shipping, or with Whole all that is left of an order. ByHand lets
// the seller send the money although it came by card, for a card that takes nothing back.
type RefundOrder struct {
	RequestKey string // the same key refunds once
	Lines      []RefundLine
	Shipping   bool
	Whole      bool
	ByHand     bool
	Actor      string
	Reason     string

	retryOf int64 // the failed refund whose place it takes
}

// print is the fingerprint of what was asked, to tell a repeated request from another one under the same key.
func (r RefundOrder) print(code string) []byte {
	lines := slices.Clone(r.Lines)
	slices.SortFunc(lines, func(a, b RefundLine) int { return strings.Compare(a.SKU, b.SKU) })
	b, _ := json.Marshal([]any{code, lines, r.Shipping, r.Whole, r.ByHand}) // plain values always marshal
	sum := sha256.Sum256(b)
	return sum[:]
}

// Refund gives back a part of a paid order. Amounts come from the stored lines less their discounts: the pieces of a line
// add up to it exactly, the last one taking the remainder. Nothing is given back twice, also by two requests at once.
//
// The same key with the same content is the first refund; with another content Conflict order.refund.key_reused. Further
// errors: order.reason.required, order.refund.key, order.refund.nothing, order.refund.unknown_line,
// order.refund.too_much (of a line), order.refund.too_much_shipping, order.refund.not_paid, order.unknown.
func (s *Service) Refund(ctx context.Context, orderCode string, r RefundOrder) (out payment.Refund, err error) {
	if r.Reason = strings.TrimSpace(r.Reason); r.Reason == "" || utf8.RuneCountInString(r.Reason) > maxReason {
		return out, apperr.Field("reason", "order.reason.required", "max", maxReason)
	}
	if !keyForm.MatchString(r.RequestKey) {
		return out, apperr.New(apperr.Invalid, "order.refund.key")
	}
	r.RequestKey = "by-hand-" + r.RequestKey // the program's own keys are of another form
	err = s.within(ctx, "refund", orderCode, func(tx db.Tx, o orderRow) error {
		out, err = s.giveBack(ctx, tx, o, r)
		return err
	})
	if db.Breaks(err, "refund_request_key_key") {
		err = keyReused() // the same key for another order at the same moment
	}
	return out, err
}

func keyReused() error { return apperr.New(apperr.Conflict, "order.refund.key_reused") }

// refundPart is what a refund gives back of a line; of the shipping for Line 0.
type refundPart struct {
	Line     int64
	Quantity int
	Amount   money.VND
}

// giveBack reserves a refund of a locked order and queues what sends it.
func (s *Service) giveBack(ctx context.Context, tx db.Tx, o orderRow, r RefundOrder) (payment.Refund, error) {
	print := r.print(o.Code)
	old, err := s.Payments.RefundByKey(ctx, tx.DB, r.RequestKey)
	if err != nil {
		return old, err
	}
	if old.ID != 0 {
		if !bytes.Equal(old.Print, print) {
			return payment.Refund{}, keyReused()
		}
		return old, nil
	}
	lines, err := refundable(ctx, tx, o.ID)
	if err != nil {
		return old, err
	}
	parts, err := r.parts(o, lines)
	if err != nil {
		return old, err
	}
	sum := vnd(0)
	for _, p := range parts {
		sum += p.Amount
	}
	if sum <= 0 {
		return old, apperr.New(apperr.Conflict, "order.refund.nothing", "code", o.Code)
	}
	out, err := s.Payments.Refund(ctx, tx, payment.RefundRequest{PaymentID: o.PaymentID, RequestKey: r.RequestKey, Print: print, Amount: sum, ByHand: r.ByHand,
		RetryOf: r.retryOf, Reason: r.Reason, Actor: r.Actor})
	if errors.Is(err, apperr.New(apperr.Conflict, "payment.not_captured")) {
		return old, apperr.New(apperr.Conflict, "order.refund.not_paid", "code", o.Code)
	}
	if err != nil {
		return old, err
	}
	if err := insertParts(ctx, tx, out.ID, o.ID, parts); err != nil {
		return old, err
	}
	if err := countParts(ctx, tx, out.ID, o.ID, 1); err != nil {
		return old, err
	}
	err = audit.Record(ctx, tx, audit.Entry{Actor: r.Actor, Action: "order.refund", Subject: "order", SubjectID: o.Code,
		Detail: map[string]any{"refund": out.ID, "amount": out.Amount, "way": out.Way}})
	if err != nil || out.Way != payment.ByProvider {
		return out, err
	}
	return out, s.Jobs.Enqueue(ctx, tx, SendRefund{out.ID})
}

// refundableLine is a line as it was paid, and what of it was given back.
type refundableLine struct {
	ID               int64
	SKU              string `gorm:"column:sku"`
	Quantity         int
	Net              int64 // the line's total less its discounts
	RefundedQuantity int
	Refunded         int64
}

// amount is what the next n pieces bring: the rounded portion of all pieces given back by then, less what was given back.
func (l refundableLine) amount(n int) money.VND {
	upTo := vnd(l.Net)
	if all := l.RefundedQuantity + n; all < l.Quantity {
		upTo = upTo.Portion(int64(all), int64(l.Quantity))
	}
	return max(0, upTo-vnd(l.Refunded))
}

// parts turns a request into amounts.
func (r RefundOrder) parts(o orderRow, lines []refundableLine) ([]refundPart, error) {
	wanted := map[string]int{}
	for _, w := range r.Lines {
		if w.Quantity <= 0 {
			return nil, apperr.New(apperr.Invalid, "order.refund.unknown_line", "sku", w.SKU)
		}
		wanted[w.SKU] += w.Quantity
	}
	var parts []refundPart
	for _, l := range lines {
		n, left := wanted[l.SKU], l.Quantity-l.RefundedQuantity
		if delete(wanted, l.SKU); r.Whole {
			n = left
		}
		if n > left {
			return nil, apperr.New(apperr.Conflict, "order.refund.too_much", "what", l.SKU, "left", left)
		}
		if n > 0 {
			parts = append(parts, refundPart{l.ID, n, l.amount(n)})
		}
	}
	for sku := range wanted {
		return nil, apperr.New(apperr.Invalid, "order.refund.unknown_line", "sku", sku)
	}
	left := vnd(o.ShippingTotal - o.RefundedShipping)
	if r.Shipping && left == 0 {
		return nil, apperr.New(apperr.Conflict, "order.refund.too_much_shipping", "left", left)
	}
	if (r.Shipping || r.Whole) && left > 0 {
		parts = append(parts, refundPart{Amount: left})
	}
	return parts, nil
}

// owe writes into the history of an order that is off that the buyer's money must go back, and sees to it: by the provider
// for a card, by the seller's hand else.
func (s *Service) owe(ctx context.Context, tx db.Tx, o orderRow, is State) error {
	err := insertHistory(ctx, tx, historyRow{OrderID: o.ID, FromState: string(is), ToState: string(is), Actor: actorSystem, Reason: reasonRefundDue, At: s.Clock.Now()})
	if err != nil {
		return err
	}
	return s.giveRest(ctx, tx, o, RefundOrder{RequestKey: fmt.Sprintf("off-%d", o.ID), Whole: true, Actor: actorSystem, Reason: reasonRefundDue})
}

// giveRest refunds unless everything was given back before.
func (s *Service) giveRest(ctx context.Context, tx db.Tx, o orderRow, r RefundOrder) error {
	_, err := s.giveBack(ctx, tx, o, r)
	if errors.Is(err, apperr.New(apperr.Conflict, "order.refund.nothing")) {
		return nil
	}
	return err
}

// SendRefund asks the provider to give a refund back. An answer that is lost is asked for again under the same key.
func (s *Service) SendRefund(ctx context.Context, j SendRefund) error {
	r, err := s.Payments.RefundByID(ctx, s.DB.Primary(ctx), j.RefundID)
	if err != nil || r.ID == 0 || r.State != payment.RefundDue || r.Way != payment.ByProvider {
		return err
	}
	all, err := s.Payments.ByIDs(ctx, s.DB.Primary(ctx), []int64{r.PaymentID})
	if err != nil {
		return err
	}
	c, err := s.Payments.ChargeByID(ctx, all[r.PaymentID].ChargeID)
	if err != nil {
		return err
	}
	back, err := s.Payments.SendBack(ctx, c, r)
	if errors.Is(err, payment.ErrRefused) {
		slog.ErrorContext(ctx, "the card provider refuses a refund", "refund", r.ID, "error", err)
		back, err = payment.Returned{State: payment.ReturnFailed, Amount: r.Amount, Why: "refused"}, nil
	}
	if err != nil {
		return fmt.Errorf("order: send refund %d: %w", r.ID, err)
	}
	return s.refunded(ctx, r, back)
}

// askRefund asks the provider about a refund on the way; one that was not sent is sent.
func (s *Service) askRefund(ctx context.Context, r payment.Refund) error {
	if r.State == payment.RefundDue || r.ProviderRef == "" {
		return s.SendRefund(ctx, SendRefund{r.ID})
	}
	back, err := s.Payments.LookBack(ctx, r.ProviderRef)
	if err != nil {
		return fmt.Errorf("order: ask about refund %d: %w", r.ID, err)
	}
	return s.refunded(ctx, r, back)
}

var returnStates = map[payment.ReturnState]payment.RefundState{
	payment.ReturnSent: payment.RefundSent, payment.ReturnDone: payment.RefundDone, payment.ReturnFailed: payment.RefundFailed,
}

// refunded records what the provider says of a refund.
func (s *Service) refunded(ctx context.Context, r payment.Refund, back payment.Returned) error {
	to, known := returnStates[back.State]
	if !known || back.Amount != r.Amount {
		return fmt.Errorf("order: refund %d of %d is %q of %d at the provider", r.ID, r.Amount, back.State, back.Amount)
	}
	return s.DB.InTx(ctx, func(tx db.Tx) error {
		o, ok, err := lockOrder(ctx, tx, "payment_id = ?", r.PaymentID)
		if err != nil || !ok {
			return err
		}
		now, news, err := s.Payments.AdvanceRefund(ctx, tx, r.ID, to, back.Ref, actorCard, back.Why)
		if err != nil || !news {
			return err
		}
		return s.afterRefund(ctx, tx, o, now)
	})
}

// afterRefund does what follows from the new state of a refund.
func (s *Service) afterRefund(ctx context.Context, tx db.Tx, o orderRow, r payment.Refund) error {
	event := "refunded"
	if r.State == payment.RefundFailed {
		event = "refund_failed"
		if err := countParts(ctx, tx, r.ID, o.ID, -1); err != nil {
			return err
		}
		if s.Payments.Transfers() { // the seller gets again what was taken back for it
			if err := s.Jobs.Enqueue(ctx, tx, PassOn{o.ID}); err != nil {
				return err
			}
		}
	}
	if r.State.Gone() && r.Reversal != "" {
		if err := s.Jobs.Enqueue(ctx, tx, TakeBack{r.ID}); err != nil {
			return err
		}
	}
	if r.State.Gone() {
		if err := s.tellPartner(ctx, tx, o, State(o.State), partner.OrderRefunded); err != nil {
			return err
		}
	}
	return s.Jobs.Enqueue(ctx, tx, TellOrder{OrderID: o.ID, Event: event, RefundID: r.ID})
}

// TakeBack reverses the part of a seller's transfer that a refund gave to the buyer.
func (s *Service) TakeBack(ctx context.Context, j TakeBack) error {
	r, err := s.Payments.RefundByID(ctx, s.DB.Primary(ctx), j.RefundID)
	if err != nil || r.ID == 0 {
		return err
	}
	return s.Payments.TakeBack(ctx, r)
}

// ConfirmOwed is ConfirmRefund for all that a payment still owes its buyer by hand.
func (s *Service) ConfirmOwed(ctx context.Context, paymentID int64, bankRef, actor string) error {
	all, err := s.Payments.Refunds(ctx, s.DB.Primary(ctx), []int64{paymentID})
	if err != nil {
		return fmt.Errorf("order: confirm owed: %w", err)
	}
	for _, r := range all[paymentID] {
		if r.Way != payment.ByHand || r.State != payment.RefundDue {
			continue
		}
		if err := s.ConfirmRefund(ctx, r.ID, bankRef, actor); err != nil {
			return err
		}
	}
	return nil
}

// ConfirmRefund records that the seller has sent a refund, with the bank's reference. Confirming twice does it once.
// NotFound order.refund.unknown; Conflict order.refund.not_by_hand; Invalid order.refund.bank_ref.
func (s *Service) ConfirmRefund(ctx context.Context, refundID int64, bankRef, actor string) error {
	if bankRef = strings.TrimSpace(bankRef); bankRef == "" || utf8.RuneCountInString(bankRef) > maxReason {
		return apperr.Field("bank_ref", "order.refund.bank_ref", "max", maxReason)
	}
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		r, err := s.Payments.RefundByID(ctx, tx.DB, refundID)
		if err != nil {
			return err
		}
		if r.ID == 0 {
			return apperr.New(apperr.NotFound, "order.refund.unknown")
		}
		if r.Way != payment.ByHand {
			return apperr.New(apperr.Conflict, "order.refund.not_by_hand")
		}
		o, _, err := lockOrder(ctx, tx, "payment_id = ?", r.PaymentID)
		if err != nil {
			return err
		}
		_, err = s.sentByHand(ctx, tx, o, r, bankRef, Decider{Actor: actor})
		return err
	})
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("order: confirm refund: %w", err)
}

// DueRefund is money that a seller has still to send, and for which order.
type DueRefund struct {
	payment.Refund
	OrderCode string
}

// RefundsByHand lists what sellers have still to send back, the longest waiting first.
func (s *Service) RefundsByHand(ctx context.Context, limit int) ([]DueRefund, error) {
	all, err := s.Payments.RefundsByHand(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("order: refunds by hand: %w", err)
	}
	ids := make([]int64, len(all))
	for i, r := range all {
		ids[i] = r.PaymentID
	}
	payments, err := s.Payments.ByIDs(ctx, s.DB.Primary(ctx), ids)
	if err != nil {
		return nil, err
	}
	out := make([]DueRefund, len(all))
	for i, r := range all {
		out[i] = DueRefund{r, payments[r.PaymentID].Reference}
	}
	return out, nil
}
