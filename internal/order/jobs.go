package order

import "context"

// TellPlaced mails the buyer what was ordered and how to pay.
type TellPlaced struct {
	GroupID int64 `json:"group_id"`
}

// Kind names the job in the queue.
func (TellPlaced) Kind() string { return "order_tell_placed" }

// TellOrder mails the buyer what became of one order: Event is paid, refund_due, expired, cancelled or shipped.
type TellOrder struct {
	OrderID int64  `json:"order_id"`
	Event   string `json:"event"`
}

// Kind names the job in the queue.
func (TellOrder) Kind() string { return "order_tell" }

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

// ExpireGroup ends the unpaid orders of one purchase.
func (s *Service) ExpireGroup(ctx context.Context, j ExpireGroup) error {
	_, err := s.expireDue(ctx, j.GroupID)
	return err
}
