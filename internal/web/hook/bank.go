package hook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
)

// The headers of a bank's notice. The signature is "v1=" and the HMAC-SHA256, in hex, of the timestamp, a dot and the
// body; several may stand there with commas between. The timestamp is in Unix seconds.
const (
	BankTimestamp = "X-Ocop-Timestamp"
	BankSignature = "X-Ocop-Signature"
)

// bankTolerance is how far the sender's clock may be from ours; an older message may be a replayed one.
const bankTolerance = 5 * time.Minute

// maxBankBody is more than any notice holds.
const maxBankBody = 16 << 10

// bankSource is the one connection that signs with our secrets; numbers of transactions are unique within it.
const bankSource = "bank"

// BankBook stores what a bank told; app fills it.
type BankBook interface {
	Take(ctx context.Context, n reconcile.Notice) (reconcile.Told, error)
}

// Bank is what the address for bank notices needs. Several secrets may be valid while one takes the place of another.
type Bank struct {
	Secrets []string
	Book    BankBook
	Clock   clock.Clock
}

// SignBank is the signature of a body at a time, as the header carries it.
func SignBank(secret string, at time.Time, body []byte) string {
	return "v1=" + hex.EncodeToString(bankMAC(secret, strconv.FormatInt(at.Unix(), 10), body))
}

func bankMAC(secret, timestamp string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(timestamp + "."))
	m.Write(body)
	return m.Sum(nil)
}

// signed reports whether the headers sign the body with one of the secrets, not long ago.
func (b *Bank) signed(h http.Header, body []byte) bool {
	timestamp := h.Get(BankTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || b.Clock.Now().Sub(time.Unix(seconds, 0)).Abs() > bankTolerance {
		return false
	}
	for part := range strings.SplitSeq(h.Get(BankSignature), ",") {
		text, v1 := strings.CutPrefix(strings.TrimSpace(part), "v1=")
		given, err := hex.DecodeString(text)
		if !v1 || err != nil {
			continue
		}
		for _, secret := range b.Secrets {
			if hmac.Equal(given, bankMAC(secret, timestamp, body)) {
				return true
			}
		}
	}
	return false
}

// transfer is the body of a notice. Fields that we do not know may stand beside.
type transfer struct {
	TransactionID string `json:"transaction_id"`
	AccountNo     string `json:"account_no"`
	BankBIN       string `json:"bank_bin"`
	Amount        *int64 `json:"amount"`
	Memo          string `json:"memo"`
	Time          string `json:"time"`
}

// readTransfer reads a notice; fault names what is wrong with it. Amounts are whole đồng: 1.0 and "1" are none.
func readTransfer(body []byte) (n reconcile.Notice, fault string) {
	d := json.NewDecoder(bytes.NewReader(body))
	var t transfer
	if err := d.Decode(&t); err != nil {
		return n, "body"
	}
	if _, err := d.Token(); err != io.EOF {
		return n, "body"
	}
	at, err := time.Parse(time.RFC3339, t.Time)
	if err != nil {
		return n, "time"
	}
	if t.Amount == nil {
		return n, "amount"
	}
	n = reconcile.Notice{Source: bankSource, TransactionID: t.TransactionID, AccountNo: t.AccountNo, BankBIN: t.BankBIN,
		Amount: money.VND(*t.Amount), Memo: t.Memo, At: at.UTC().Truncate(time.Microsecond)}
	return n, n.Fault()
}

// bank takes a notice of money that came into a seller's account. What leaves an account is none of ours.
func (h *Hooks) bank(c *gin.Context, body []byte) error {
	if len(body) > maxBankBody {
		c.String(http.StatusRequestEntityTooLarge, "too large\n")
		return nil
	}
	if !h.Bank.signed(c.Request.Header, body) {
		return errForged
	}
	n, fault := readTransfer(body)
	if fault != "" {
		c.String(http.StatusUnprocessableEntity, "not understood: %s\n", fault)
		return nil
	}
	if n.Amount <= 0 {
		c.String(http.StatusOK, "ignored: not a credit\n")
		return nil
	}
	told, err := h.Bank.Book.Take(c.Request.Context(), n)
	if err != nil {
		return err
	}
	c.String(http.StatusOK, "%s\n", told)
	return nil
}
