package order

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/platform/i18n"
)

// TellPlaced mails the buyer what was ordered and how to pay.
type TellPlaced struct {
	GroupID int64 `json:"group_id"`
}

// Kind names the job in the queue.
func (TellPlaced) Kind() string { return "order_tell_placed" }

// TellOrder mails the buyer what became of one order: Event is paid, expired, cancelled or shipped.
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

// Mail is what the mails about a purchase see. Order is nil in the mail about the whole purchase.
type Mail struct {
	Locale i18n.Locale
	Group  GroupView
	Order  *OrderView
	Event  string
	Link   string
	Place  string // street, commune, province
}

// ExpireGroup ends the unpaid orders of one purchase.
func (s *Service) ExpireGroup(ctx context.Context, j ExpireGroup) error {
	_, err := s.expireDue(ctx, j.GroupID)
	return err
}

// TellPlaced sends the mail about a purchase, once.
func (s *Service) TellPlaced(ctx context.Context, j TellPlaced) error {
	m, err := s.mail(ctx, j.GroupID)
	if err != nil {
		return err
	}
	m.Event = "placed"
	return s.Notify.Send(ctx, notify.Mail{RequestKey: fmt.Sprintf("order-placed-%d", j.GroupID), Kind: "order_placed", To: m.Group.Contact.Email,
		Locale: m.Locale, SubjectArgs: map[string]any{"code": m.Group.Code}, Data: m})
}

// TellOrder sends the mail about a change of one order, once per order and event.
func (s *Service) TellOrder(ctx context.Context, j TellOrder) error {
	groupID, err := groupOfOrder(ctx, s.DB.Primary(ctx), j.OrderID)
	if err != nil {
		return fmt.Errorf("order: tell: %w", err)
	}
	m, err := s.mail(ctx, groupID)
	if err != nil {
		return err
	}
	m.Event = j.Event
	for i := range m.Group.Orders {
		if m.Group.Orders[i].ID == j.OrderID {
			m.Order = &m.Group.Orders[i]
		}
	}
	if m.Order == nil {
		return fmt.Errorf("order: tell: no order %d", j.OrderID)
	}
	return s.Notify.Send(ctx, notify.Mail{RequestKey: fmt.Sprintf("order-%s-%d", j.Event, j.OrderID), Kind: "order_" + j.Event, Template: "order_event",
		To: m.Group.Contact.Email, Locale: m.Locale, SubjectArgs: map[string]any{"code": m.Order.Code}, Data: m})
}

func (s *Service) mail(ctx context.Context, groupID int64) (Mail, error) {
	g, err := groupBy(ctx, s.DB.Primary(ctx), "id = ?", groupID)
	if err != nil {
		return Mail{}, fmt.Errorf("order: mail: %w", err)
	}
	if g.ID == 0 {
		return Mail{}, fmt.Errorf("order: mail: no purchase %d", groupID)
	}
	v, err := s.view(ctx, g)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Locale: v.Locale, Group: v, Link: s.cfg.BaseURL + Path(v.Locale, v.Code, s.secret(g.RequestKey))}
	m.Place, err = s.PlaceText(ctx, v.Locale, v.Address)
	return m, err
}

// PlaceText writes an address in one line, in the reader's language.
func (s *Service) PlaceText(ctx context.Context, l i18n.Locale, a Address) (string, error) {
	c, err := s.Geo.Commune(ctx, a.CommuneCode)
	if err != nil {
		return "", fmt.Errorf("order: address: %w", err)
	}
	p, err := s.Geo.Province(ctx, a.ProvinceCode)
	if err != nil {
		return "", fmt.Errorf("order: address: %w", err)
	}
	return a.Street + ", " + c.Title(l) + ", " + p.Title(l), nil
}
