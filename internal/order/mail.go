package order

import (
	"context"
	"fmt"
	"time"

	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// Mail is what the mails about a purchase see. Order is nil in the mail about the whole purchase.
type Mail struct {
	Locale i18n.Locale
	Group  GroupView
	Order  *OrderView
	Refund payment.Refund // in mails about one
	Event  string
	Link   string
	Place  string // street, commune, province
	Money  MoneyBack
}

// MoneyBack is money that came and could not be taken.
type MoneyBack struct {
	Code, Why         string
	Came, Asked, Back money.VND
	BankRef           string // empty when it goes back to a card
}

// Reason is the text key of why it could not be taken.
func (m MoneyBack) Reason() string { return "mail.money_back.why." + m.Why }

// MailPart is one order within a mail.
type MailPart struct {
	notify.Model
	Order *OrderView
}

// Parts are the orders that the mail tells of.
func (m Mail) Parts() []MailPart {
	model := notify.Model{Locale: m.Locale}
	if m.Order != nil {
		return []MailPart{{model, m.Order}}
	}
	out := make([]MailPart, len(m.Group.Orders))
	for i := range m.Group.Orders {
		out[i] = MailPart{model, &m.Group.Orders[i]}
	}
	return out
}

// Card reports whether the purchase is paid by card, to which refunds go.
func (m Mail) Card() bool { return m.Group.Method == payment.Card }

// Cash reports whether the purchase is paid at the door.
func (m Mail) Cash() bool { return m.Group.Method == payment.COD }

// Parcel reports whether anything goes to the buyer's address.
func (m Mail) Parcel() bool {
	for _, o := range m.Group.Orders {
		if o.Delivery == ByCarrier {
			return true
		}
	}
	return false
}

// Intro is the text key of what happened.
func (m Mail) Intro() string { return "mail.order_" + m.Event + ".intro" }

// When writes a moment, in the reader's language.
func (p MailPart) When(t *time.Time) string {
	if t == nil {
		return ""
	}
	return i18n.FormatDateTime(p.Locale, *t)
}

// Point names the sales point of a pickup.
func (p MailPart) Point(o *OrderView) string {
	if p.Locale == i18n.EN {
		return o.Showroom.NameEN + ", " + o.Showroom.Street
	}
	return o.Showroom.NameVI + ", " + o.Showroom.Street
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

// TellMoneyBack sends the mail about money that could not be taken, once.
func (s *Service) TellMoneyBack(ctx context.Context, j TellMoneyBack) error {
	m, err := s.mail(ctx, j.GroupID)
	if err != nil {
		return err
	}
	m.Money = MoneyBack{Code: j.Code, Why: j.Why, Came: vnd(j.Came), Asked: vnd(j.Asked), Back: vnd(j.Back), BankRef: j.BankRef}
	return s.Notify.Send(ctx, notify.Mail{RequestKey: "money-back-" + j.Key, Kind: "money_back", To: m.Group.Contact.Email, Locale: m.Locale,
		SubjectArgs: map[string]any{"code": j.Code}, Data: m})
}

// Disputed is what the mail to the operator says about a dispute.
type Disputed struct {
	payment.Dispute
	Seen string // the last moment to answer
}

// TellDispute mails the operator that a buyer's bank asks money back, once.
func (s *Service) TellDispute(ctx context.Context, j TellDispute) error {
	all, err := s.Payments.Disputes(ctx, j.DisputeID)
	if err != nil || len(all) == 0 {
		return err
	}
	d := Disputed{Dispute: all[0]}
	if d.AnswerBy != nil {
		d.Seen = i18n.FormatDateTime(i18n.VI, *d.AnswerBy)
	}
	return s.Notify.Send(ctx, notify.Mail{RequestKey: fmt.Sprintf("dispute-%d", d.ID), Kind: "dispute", To: s.cfg.Operator, Locale: i18n.VI,
		SubjectArgs: map[string]any{"code": d.Reference}, Data: d})
}

// TellOrder sends the mail about a change of one order, once per order and event, and refund.
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
	key := fmt.Sprintf("order-%s-%d", j.Event, j.OrderID)
	if j.RefundID != 0 { // an order may be refunded piece by piece
		if m.Refund, err = s.Payments.RefundByID(ctx, s.DB.Primary(ctx), j.RefundID); err != nil {
			return fmt.Errorf("order: tell: %w", err)
		}
		key = fmt.Sprintf("order-%s-%d-%d", j.Event, j.OrderID, j.RefundID)
	}
	for i := range m.Group.Orders {
		if m.Group.Orders[i].ID == j.OrderID {
			m.Order = &m.Group.Orders[i]
		}
	}
	if m.Order == nil {
		return fmt.Errorf("order: tell: no order %d", j.OrderID)
	}
	return s.Notify.Send(ctx, notify.Mail{RequestKey: key, Kind: "order_" + j.Event, Template: "order_event",
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
