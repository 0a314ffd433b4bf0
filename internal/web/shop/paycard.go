package shop

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/web/kit"
)

// CardStep is the payment by card to make now.
type CardStep struct{ Title, Text, Button, Until string }

func (m *Purchase) cardStep(v order.GroupView) *CardStep {
	due := v.CardDue()
	if due == 0 {
		return nil
	}
	s := &CardStep{Title: m.T("order.card.title", "amount", due), Text: m.T("order.card.how"), Button: m.T("order.card.pay", "amount", due)}
	for _, o := range v.Orders {
		if o.Payable {
			s.Until = m.T("order.card.until", "time", i18n.FormatTime(m.Locale, *o.PayBefore))
		}
	}
	return s
}

// payByCard leads the buyer to the provider's page.
func (s *Shop) payByCard(c *gin.Context) error {
	secret := c.PostForm("khoa")
	url, err := s.Orders.PayByCard(c.Request.Context(), c.Param("code"), secret)
	if faults, known := apperr.As(err); known && faults.Kind() != apperr.NotFound {
		return s.showOrder(c, kit.Status(faults), secret, faults)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, url)
	return nil
}

// backFromCard is where the provider sends the buyer. That somebody came here proves nothing: the provider is asked. While it
// does not answer the order's page shows what is known.
func (s *Shop) backFromCard(c *gin.Context) error {
	secret := c.Query("khoa")
	err := s.Orders.CardReturned(c.Request.Context(), c.Param("code"), secret)
	if faults, known := apperr.As(err); err != nil && (!known || faults.Kind() != apperr.Unavailable) {
		return err
	}
	c.Redirect(http.StatusSeeOther, order.Path(kit.LocaleOf(c), c.Param("code"), secret))
	return nil
}

// afterPlacing is where a buyer goes who has just ordered: who pays by card goes on to the provider's page. While that is
// away the order's page has the button.
func (s *Shop) afterPlacing(c *gin.Context, method payment.Method, done order.Done) string {
	if method == payment.Card {
		if url, err := s.Orders.PayByCard(c.Request.Context(), done.Code, done.Secret); err == nil {
			return url
		}
	}
	return order.Path(kit.LocaleOf(c), done.Code, done.Secret)
}

// refundNotes say what was given back of an order.
func (m *Purchase) refundNotes(o order.OrderView) []string {
	var out []string
	for _, r := range o.Refunds {
		key := "order.refund_is." + string(r.State)
		out = append(out, m.T(key, "amount", r.Amount, "when", i18n.FormatDateTime(m.Locale, r.UpdatedAt)))
	}
	return out
}
