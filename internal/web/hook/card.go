package hook

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/payment"
)

// cardSignature is the header in which each provider signs.
var cardSignature = map[string]string{"stripe": "Stripe-Signature", "test": "Test-Signature"}

// card takes a message of the card provider. It is answered the same whether it is new, known or about nothing of ours.
func (h *Hooks) card(c *gin.Context, body []byte) error {
	n, err := h.Card.Read(body, c.GetHeader(cardSignature[h.Card.Provider()]))
	if errors.Is(err, payment.ErrForged) {
		return errForged
	}
	if err != nil {
		// Signed, and yet not to be understood: sending it again would not help.
		c.String(http.StatusUnprocessableEntity, "not understood\n")
		return nil
	}
	fresh, err := h.Cards.RecordNotice(c.Request.Context(), n)
	if err != nil {
		return err
	}
	if !fresh {
		c.String(http.StatusOK, "known\n")
		return nil
	}
	c.String(http.StatusOK, "stored\n")
	return nil
}
