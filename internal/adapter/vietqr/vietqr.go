// Package vietqr writes the bank transfer codes that every Vietnamese banking app scans:
// NAPAS 247 in EMVCo's tag-length-value form. A code only fills in the payer's form. It
// proves nothing; a payment is believed when the bank reports it.
package vietqr

import (
	"fmt"
	"strconv"
	"strings"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// MaxMemo is the longest transfer message every bank keeps whole.
const MaxMemo = 25

// The fixed values of NAPAS's scheme, by tag.
const (
	napasAID  = "A000000727"
	toAccount = "QRIBFTTA"
	dong      = "704" // ISO 4217
)

// Account is where the money goes: a bank by its six-digit BIN and an account there.
type Account struct {
	BIN    string
	Number string
}

// Generator builds transfer codes for the payment domain.
type Generator struct{}

// Payload is Payload for an account given by its parts.
func (Generator) Payload(bin, account string, amount money.VND, memo string) (string, error) {
	return Payload(Account{bin, account}, amount, memo)
}

// Payload is the text of a code that fills in account, amount and message. The message
// loses its marks and every sign that is not a letter, digit or space becomes a space,
// because banks drop them; compare what comes back without spaces. Errors: vietqr.bank,
// vietqr.account, vietqr.amount, vietqr.memo.
func Payload(a Account, amount money.VND, memo string) (string, error) {
	if amount <= 0 {
		return "", apperr.Field("amount", "vietqr.amount")
	}
	if err := a.check(); err != nil {
		return "", err
	}
	memo = Memo(memo)
	if len(memo) > MaxMemo {
		return "", apperr.Field("memo", "vietqr.memo", "max", MaxMemo)
	}
	return build(a, strconv.FormatInt(int64(amount), 10), memo), nil
}

// Static is the text of a code with the account only; the payer types the amount.
// Errors: vietqr.bank, vietqr.account.
func Static(a Account) (string, error) {
	if err := a.check(); err != nil {
		return "", err
	}
	return build(a, "", ""), nil
}

// Memo is the form of a transfer message that survives every bank: ASCII letters, digits
// and single spaces.
func Memo(s string) string {
	clean := strings.Map(func(r rune) rune {
		if alnum(r) {
			return r
		}
		return ' '
	}, i18n.Plain(s))
	return strings.Join(strings.Fields(clean), " ")
}

func alnum(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func (a Account) check() error {
	if len(a.BIN) != 6 || strings.Trim(a.BIN, "0123456789") != "" {
		return apperr.Field("bank", "vietqr.bank")
	}
	notAlnum := func(r rune) bool { return !alnum(r) }
	if n := len(a.Number); n < 1 || n > 19 || strings.ContainsFunc(a.Number, notAlnum) {
		return apperr.Field("account", "vietqr.account")
	}
	return nil
}

func build(a Account, amount, memo string) string {
	var b strings.Builder
	b.WriteString(tlv("00", "01"))
	if amount == "" {
		b.WriteString(tlv("01", "11"))
	} else {
		b.WriteString(tlv("01", "12"))
	}
	b.WriteString(tlv("38", tlv("00", napasAID)+tlv("01", tlv("00", a.BIN)+tlv("01", a.Number))+tlv("02", toAccount)))
	b.WriteString(tlv("53", dong))
	if amount != "" {
		b.WriteString(tlv("54", amount))
	}
	b.WriteString(tlv("58", "VN"))
	if memo != "" {
		b.WriteString(tlv("62", tlv("08", memo)))
	}
	b.WriteString("6304")
	return b.String() + fmt.Sprintf("%04X", crc(b.String()))
}

// tlv writes one field; the length counts bytes. Checked input never reaches 100.
func tlv(tag, value string) string { return fmt.Sprintf("%s%02d%s", tag, len(value), value) }

// crc is CRC-16/CCITT-FALSE: polynomial 1021, start FFFF, nothing reflected or inverted.
// It is taken over the whole text including the checksum's own tag and length, "6304".
func crc(s string) uint16 {
	c := uint16(0xFFFF)
	for i := range len(s) {
		c ^= uint16(s[i]) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
	}
	return c
}
