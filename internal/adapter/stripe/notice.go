package stripe

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76/webhook"

	"choocop.vn/ocop/internal/payment"
)

// tolerance is how old a signature may be; Stripe signs each delivery anew.
const tolerance = 5 * time.Minute

// Read checks the signature of a delivery and says where to look. The version of the API in which an event is written is
// not asked for: nothing but the number of an object is taken from it, and that stands in the same place in all.
func (g *Gateway) Read(body []byte, signature string) (payment.Notice, error) {
	e, err := webhook.ConstructEventWithOptions(body, signature, g.secret, webhook.ConstructEventOptions{Tolerance: tolerance, IgnoreAPIVersionMismatch: true})
	for _, forged := range []error{webhook.ErrNotSigned, webhook.ErrInvalidHeader, webhook.ErrNoValidSignature, webhook.ErrTooOld} {
		if errors.Is(err, forged) {
			return payment.Notice{}, payment.ErrForged
		}
	}
	if err != nil {
		return payment.Notice{}, errors.New("stripe: a signed delivery is no event")
	}
	if e.ID == "" || e.Data == nil {
		return payment.Notice{}, errors.New("stripe: a signed delivery has no number or no object")
	}
	var about object
	if err := json.Unmarshal(e.Data.Raw, &about); err != nil {
		return payment.Notice{}, fmt.Errorf("stripe: event %s has no object", e.ID)
	}
	n := payment.Notice{ID: e.ID, At: time.Unix(e.Created, 0)}
	n.Kind, n.Ref = about.means(string(e.Type))
	if e.Account != "" {
		n.Kind = payment.NoticeOther // about a seller's connected account, whose money is not ours
	}
	return n, nil
}

// object is the little that is read of what an event is about.
type object struct {
	ID      string
	Object  string
	Refunds struct{ Data []struct{ ID string } }
}

// means says what an event is about by what its object is. A payment intent does not tell its page; the session's own
// events do.
func (o object) means(event string) (payment.NoticeKind, string) {
	switch o.Object {
	case "checkout.session":
		return payment.NoticeCharge, o.ID
	case "refund":
		return payment.NoticeRefund, o.ID
	case "dispute":
		return payment.NoticeDispute, o.ID
	case "charge":
		// The newest refund stands first. Newer versions of the API leave the list out, and tell by events of the refund.
		if strings.HasPrefix(event, "charge.refund") && len(o.Refunds.Data) > 0 {
			return payment.NoticeRefund, o.Refunds.Data[0].ID
		}
	}
	return payment.NoticeOther, o.ID
}
