// Package hook takes the messages of machines outside: card providers and banks. Each message is checked by its
// signature first; one that is false leaves no trace but a count. A true one is stored once, under the sender's own
// number, and answered at once: what follows from it is done by a job. While the database is away the answer is 503, so
// that the sender tries again.
//
// Answers are one line of plain English, for the people who read the sender's log of deliveries.
package hook

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/web/kit"
)

// maxBody is more than any message of ours holds; Stripe's largest are some tens of kilobytes.
const maxBody = 256 << 10

// CardBook stores what a card provider told; app fills it.
type CardBook interface {
	// RecordNotice stores a message and queues what follows, unless it was stored before.
	RecordNotice(ctx context.Context, n payment.Notice) (fresh bool, err error)
}

// Hooks holds what the addresses need; app fills it.
type Hooks struct {
	Limiter *redis.Limiter
	Card    payment.Gateway // nil: no cards
	Cards   CardBook
	Bank    Bank // without a secret: no bank notices
}

// right is who may use a route. It is an argument of every route line.
type right int

// bySignature routes open to whoever signs with the shared secret; the handler checks it first of all.
const bySignature right = iota

// Routes is the table of addresses. Mount it before whatever reads forms: signatures are over the bytes as they came.
func (h *Hooks) Routes(e *gin.Engine) {
	post := func(_ right, path string, answer handler) {
		e.POST(path, h.do(answer))
	}
	if h.Card != nil {
		post(bySignature, "/hooks/"+h.Card.Provider(), h.card)
	}
	if len(h.Bank.Secrets) > 0 {
		post(bySignature, "/hooks/bank", h.bank)
	}
}

// handler takes the body of one message.
type handler func(c *gin.Context, body []byte) error

// errForged is the answer to messages that are not signed by the sender. How often an address may try is limited.
var errForged = errors.New("hook: not signed by the sender")

// do reads the body, runs the handler and answers for its error.
func (h *Hooks) do(run handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-store")
		body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			c.String(http.StatusRequestEntityTooLarge, "too large\n")
			return
		}
		if err != nil {
			c.String(http.StatusBadRequest, "incomplete\n")
			return
		}
		switch err := run(c, body); {
		case err == nil:
		case errors.Is(err, errForged):
			h.refuse(c)
		default:
			slog.ErrorContext(c.Request.Context(), "message not stored", "route", c.FullPath(), "request_id", kit.RequestID(c), "error", err)
			c.Header("Retry-After", "10")
			c.String(http.StatusServiceUnavailable, "not stored, send it again\n")
		}
	}
}

// refuse answers a message with a false signature. True ones are not counted, however many come at once.
func (h *Hooks) refuse(c *gin.Context) {
	if ok, _ := h.Limiter.Allow(c.Request.Context(), "hook:"+kit.Address(c), redis.PerMinute(60)); !ok {
		c.Header("Retry-After", "60")
		c.String(http.StatusTooManyRequests, "too many false signatures\n")
		return
	}
	slog.WarnContext(c.Request.Context(), "message with a false signature", "route", c.FullPath(), "request_id", kit.RequestID(c))
	c.String(http.StatusBadRequest, "the signature is missing, wrong or old\n")
}
