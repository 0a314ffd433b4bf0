package stripe

import (
	"context"
	"fmt"
	"time"

	stripego "github.com/stripe/stripe-go/v76"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/money"
)

// PayBack gives money back to the card.
func (g *Gateway) PayBack(ctx context.Context, b payment.PayBack) (payment.Returned, error) {
	ctx, cancel := begin(ctx)
	defer cancel()
	r, err := g.api.Refunds.New(&stripego.RefundParams{
		Params:        keyed(ctx, "refund", b.MoneyRef, b.Key),
		PaymentIntent: stripego.String(b.MoneyRef),
		Amount:        stripego.Int64(int64(b.Amount)),
		Reason:        stripego.String(string(stripego.RefundReasonRequestedByCustomer)),
		Metadata:      map[string]string{"reason": short(b.Reason, 500), "key": short(b.Key, 500)},
	})
	if err != nil {
		return payment.Returned{}, explain("pay back", err)
	}
	return returned(r), nil
}

// FindBack looks through the refunds of a payment for the one that carries a key. Of several, which only hands made, one that went
// through counts before one that failed.
func (g *Gateway) FindBack(ctx context.Context, moneyRef, key string) (payment.Returned, error) {
	if moneyRef == "" || key == "" { // would be any refund
		return payment.Returned{}, fmt.Errorf("stripe: find back: %w", payment.ErrUnknownRef)
	}
	ctx, cancel := begin(ctx)
	defer cancel()
	p := &stripego.RefundListParams{PaymentIntent: stripego.String(moneyRef)}
	p.Context, p.Limit = ctx, stripego.Int64(100)
	var found *payment.Returned
	all := g.api.Refunds.List(p)
	for all.Next() {
		if all.Refund().Metadata["key"] != short(key, 500) {
			continue
		}
		r := returned(all.Refund())
		if found == nil || found.State == payment.ReturnFailed {
			found = &r
		}
	}
	switch err := all.Err(); {
	case err != nil:
		return payment.Returned{}, explain("find back", err)
	case found == nil:
		return payment.Returned{}, fmt.Errorf("stripe: find back: %w", payment.ErrUnknownRef)
	}
	return *found, nil
}

// short keeps to the length that Stripe allows a value.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// LookBack asks how a refund stands.
func (g *Gateway) LookBack(ctx context.Context, refundRef string) (payment.Returned, error) {
	if refundRef == "" {
		return payment.Returned{}, fmt.Errorf("stripe: look back: %w", payment.ErrUnknownRef)
	}
	ctx, cancel := begin(ctx)
	defer cancel()
	r, err := g.api.Refunds.Get(refundRef, &stripego.RefundParams{Params: stripego.Params{Context: ctx}})
	if err != nil {
		return payment.Returned{}, explain("look back", err)
	}
	return returned(r), nil
}

func returned(r *stripego.Refund) payment.Returned {
	out := payment.Returned{Ref: r.ID, Amount: money.VND(r.Amount), State: payment.ReturnSent}
	switch r.Status {
	case stripego.RefundStatusSucceeded:
		out.State = payment.ReturnDone
	case stripego.RefundStatusFailed, stripego.RefundStatusCanceled:
		out.State, out.Why = payment.ReturnFailed, string(r.FailureReason)
		if out.Why == "" {
			out.Why = string(r.Status)
		}
	}
	return out
}

// contests says what Stripe's states of a dispute mean to us. A warning is an inquiry before the dispute itself; closed
// without one, nothing was taken.
var contests = map[stripego.DisputeStatus]string{
	stripego.DisputeStatusNeedsResponse:        "open",
	stripego.DisputeStatusWarningNeedsResponse: "open",
	stripego.DisputeStatusUnderReview:          "answered",
	stripego.DisputeStatusWarningUnderReview:   "answered",
	stripego.DisputeStatusWon:                  "won",
	stripego.DisputeStatusWarningClosed:        "won",
	stripego.DisputeStatusLost:                 "lost",
}

// LookDispute asks how a dispute stands.
func (g *Gateway) LookDispute(ctx context.Context, disputeRef string) (payment.Contest, error) {
	if disputeRef == "" {
		return payment.Contest{}, fmt.Errorf("stripe: look at dispute: %w", payment.ErrUnknownRef)
	}
	ctx, cancel := begin(ctx)
	defer cancel()
	d, err := g.api.Disputes.Get(disputeRef, &stripego.DisputeParams{Params: stripego.Params{Context: ctx}})
	if err != nil {
		return payment.Contest{}, explain("look at dispute", err)
	}
	out := payment.Contest{Ref: d.ID, Amount: money.VND(d.Amount), Reason: string(d.Reason), State: contests[d.Status], OpenedAt: time.Unix(d.Created, 0)}
	if out.State == "" {
		return out, fmt.Errorf("stripe: dispute %s is %q, which we do not know", d.ID, d.Status)
	}
	if d.PaymentIntent != nil {
		out.MoneyRef = d.PaymentIntent.ID
	}
	if d.EvidenceDetails != nil && d.EvidenceDetails.DueBy > 0 {
		by := time.Unix(d.EvidenceDetails.DueBy, 0)
		out.AnswerBy = &by
	}
	return out, nil
}

// Transfer passes a share on. It is bound to the charge it comes from, so that Stripe waits until that money is there, unless it
// comes from the balance: a charge gives no more than it took, also after a part was taken back.
func (g *Gateway) Transfer(ctx context.Context, t payment.Transfer) (string, error) {
	ctx, cancel := begin(ctx)
	defer cancel()
	intent, err := g.api.PaymentIntents.Get(t.MoneyRef, &stripego.PaymentIntentParams{Params: stripego.Params{Context: ctx}})
	if err != nil {
		return "", explain("transfer", err)
	}
	if intent.LatestCharge == nil {
		return "", fmt.Errorf("stripe: transfer: %w: %s has no charge", payment.ErrRefused, t.MoneyRef)
	}
	p := &stripego.TransferParams{
		Params:      keyed(ctx, "transfer", t.MoneyRef, t.Key),
		Amount:      stripego.Int64(int64(t.Amount)),
		Currency:    stripego.String(string(currency)),
		Destination: stripego.String(t.Account),
		Metadata:    map[string]string{"order": t.Reference},
	}
	if !t.FromBalance {
		p.SourceTransaction = stripego.String(intent.LatestCharge.ID)
	}
	if intent.TransferGroup != "" {
		p.TransferGroup = stripego.String(intent.TransferGroup)
	}
	made, err := g.api.Transfers.New(p)
	if err != nil {
		return "", explain("transfer", err)
	}
	return made.ID, nil
}

// Reverse takes back a part of a transfer.
func (g *Gateway) Reverse(ctx context.Context, key, transferRef string, amount money.VND) error {
	ctx, cancel := begin(ctx)
	defer cancel()
	_, err := g.api.TransferReversals.New(&stripego.TransferReversalParams{
		Params: keyed(ctx, "reverse", transferRef, key),
		ID:     stripego.String(transferRef),
		Amount: stripego.Int64(int64(amount)),
	})
	if err != nil {
		return explain("reverse", err)
	}
	return nil
}
