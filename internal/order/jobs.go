package order

import (
	"context"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/db"
)

// TellPlaced mails the buyer what was ordered and how to pay.
type TellPlaced struct {
	GroupID int64 `json:"group_id"`
}

// Kind names the job in the queue.
func (TellPlaced) Kind() string { return "order_tell_placed" }

// TellOrder mails the buyer what became of one order: Event is paid, refund_due, expired, cancelled, shipped, returned, or,
// with the refund, refunded or refund_failed.
type TellOrder struct {
	OrderID  int64  `json:"order_id"`
	Event    string `json:"event"`
	RefundID int64  `json:"refund_id,omitempty"`
}

// Kind names the job in the queue.
func (TellOrder) Kind() string { return "order_tell" }

// TellMoneyBack mails the buyer that money came which could not be taken, why, and how it goes back. Key is sent once. Why is
// card_differs, or a reason for which transfers stay unmatched. Asked is what should have come; BankRef is of a transfer back.
type TellMoneyBack struct {
	Key     string `json:"key"`
	GroupID int64  `json:"group_id"`
	Code    string `json:"code"`
	Why     string `json:"why"`
	Came    int64  `json:"came"`
	Asked   int64  `json:"asked"`
	Back    int64  `json:"back"`
	BankRef string `json:"bank_ref,omitempty"`
}

// Kind names the job in the queue.
func (TellMoneyBack) Kind() string { return "order_tell_money_back" }

// ExpireGroup ends the unpaid orders of a purchase when their time is over.
type ExpireGroup struct {
	GroupID int64 `json:"group_id"`
}

// Kind names the job in the queue.
func (ExpireGroup) Kind() string { return "order_expire_group" }

// SweepUnpaidJob does the same for all purchases, now and then.
type SweepUnpaidJob struct{}

// Kind names the job in the queue.
func (SweepUnpaidJob) Kind() string { return "order_sweep_unpaid" }

// CloseCard closes the provider's page of an order that was called off.
type CloseCard struct {
	ChargeID int64 `json:"charge_id"`
}

// Kind names the job in the queue.
func (CloseCard) Kind() string { return "order_close_card" }

// SendRefund gives a refund back to the card.
type SendRefund struct {
	RefundID int64 `json:"refund_id"`
}

// Kind names the job in the queue.
func (SendRefund) Kind() string { return "order_send_refund" }

// PassOn transfers a seller's share of a paid order.
type PassOn struct {
	OrderID int64 `json:"order_id"`
}

// Kind names the job in the queue.
func (PassOn) Kind() string { return "order_pass_on" }

// SweepTransfersJob passes on and takes back what a lost job left, now and then.
type SweepTransfersJob struct{}

// Kind names the job in the queue.
func (SweepTransfersJob) Kind() string { return "order_sweep_transfers" }

// TakeBack reverses the part of a transfer that was refunded.
type TakeBack struct {
	RefundID int64 `json:"refund_id"`
}

// Kind names the job in the queue.
func (TakeBack) Kind() string { return "order_take_back" }

// TellDispute mails the operator that a buyer's bank asks money back.
type TellDispute struct {
	DisputeID int64 `json:"dispute_id"`
}

// Kind names the job in the queue.
func (TellDispute) Kind() string { return "order_tell_dispute" }

// SweepChargesJob asks the card provider about what stayed open, now and then.
type SweepChargesJob struct{}

// Kind names the job in the queue.
func (SweepChargesJob) Kind() string { return "order_sweep_charges" }

// ExpireGroup ends the unpaid orders of one purchase.
func (s *Service) ExpireGroup(ctx context.Context, j ExpireGroup) error {
	_, err := s.expireDue(ctx, j.GroupID)
	return err
}

// kinds are what the partner who placed an order is told when it comes to a state. Only a payment makes an order placed
// that was not.
var kinds = map[State]string{
	Placed: partner.OrderPaid, Packed: partner.OrderPacked, Shipped: partner.OrderShipped, Delivered: partner.OrderDelivered,
	Cancelled: partner.OrderCancelled, Expired: partner.OrderExpired,
}

// tidings is what a partner is told of an order; the rest it may read with the purchase's token.
type tidings struct {
	Code      string `json:"code"`
	GroupCode string `json:"group_code"`
	State     State  `json:"state"`
	Goods     int64  `json:"goods_total"`
	Shipping  int64  `json:"shipping_total"`
	Discount  int64  `json:"discount_total"`
	Total     int64  `json:"total"`
	Currency  string `json:"currency"`
}

const currency = "VND"

// tellPartner tells the partner who placed an order what became of it; an order of our own shop tells nobody and costs
// nothing.
func (s *Service) tellPartner(ctx context.Context, tx db.Tx, o orderRow, is State, kind string) error {
	if o.PartnerID == 0 || kind == "" {
		return nil
	}
	return partner.Emit(ctx, tx, partner.Event{Kind: kind, Subject: o.Code, PartnerID: o.PartnerID, At: s.Clock.Now(), Payload: tidings{
		o.Code, o.GroupCode, is, o.GoodsTotal, o.ShippingTotal, o.DiscountTotal, o.Total, currency}})
}

// tellPlacedToPartners does it for the orders that partners place now, in one statement for all, or in none.
func (s *Service) tellPlacedToPartners(ctx context.Context, tx db.Tx, drafts []*draft) error {
	var events []partner.Event
	for _, d := range drafts {
		if d.PartnerID == 0 {
			continue
		}
		for i, q := range d.Sellers {
			code := orderCode(d.code, i)
			events = append(events, partner.Event{Kind: partner.OrderPlaced, Subject: code, PartnerID: d.PartnerID, At: d.now, Payload: tidings{
				code, d.code, d.state(), int64(q.Goods), int64(q.Shipping), int64(q.Discount), int64(q.Total), currency}})
		}
	}
	return partner.EmitAll(ctx, tx, events)
}

// Announce tells whoever looks at a purchase that something about it has changed. It is enqueued with the change.
type Announce struct {
	GroupID int64 `json:"group_id"`
}

// Kind names the job in the queue.
func (Announce) Kind() string { return "order_announce" }

// NewsTopic is where purchases that have changed are announced, by their number.
const NewsTopic = "order-news"
