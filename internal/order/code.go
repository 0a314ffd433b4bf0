package order

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
)

// partLetters mark the orders of one purchase: K7M4-92QX-A, K7M4-92QX-B. Letters only, none that looks like a digit.
const partLetters = "ABCDEFGHJKMNPQRSTUVWXYZ"

// orderCode is the code of the n-th order of a purchase.
func orderCode(group string, n int) string { return group + "-" + partLetters[n:n+1] }

// canonical brings a typed code to the form in the tables: k7m492qx a → K7M4-92QX-A.
func canonical(code string) string {
	c := ident.Normalise(code)
	switch len(c) {
	case 8:
		return c[:4] + "-" + c[4:]
	case 9:
		return c[:4] + "-" + c[4:8] + "-" + c[8:]
	}
	return c
}

// memo is what the buyer's transfer says, so that the seller can match it.
func memo(orderCode string) string { return "OCOP " + ident.Normalise(orderCode) }

// secret opens the status page. It is derived from the request key, so that a repeated request and a mail can give it
// again while the table holds only its hash.
func (s *Service) secret(requestKey string) string {
	m := hmac.New(sha256.New, s.cfg.Secret)
	m.Write([]byte("order link\x00" + requestKey))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// SecretParam is the query parameter of the status page that carries the secret.
const SecretParam = "khoa"

// returnPath is where the card provider sends the buyer back to.
func returnPath(l i18n.Locale, code, secret string) string {
	path := "/don-hang/" + code + "/ve?" + SecretParam + "=" + url.QueryEscape(secret)
	if l == i18n.EN {
		return "/en" + path
	}
	return path
}

// Path is the address of the status page, with its secret.
func Path(l i18n.Locale, code, secret string) string {
	path := "/don-hang/" + code + "?" + SecretParam + "=" + url.QueryEscape(secret)
	if l == i18n.EN {
		return "/en" + path
	}
	return path
}

// Mention is a place in a transfer's memo that may be a code: Group as order_group.code has it, and Code, that of an
// order, where a letter follows that may be its part; else empty.
type Mention struct{ Group, Code string }

const (
	groupSigns = 8
	memoWord   = "OCOP"
)

// Mentions are all places in a memo that have the form of a code, wherever a bank has put spaces, points, its own
// numbers or small letters. Which of them exist, the tables must say. claims reports whether the memo gives itself out
// to hold a code: behind the word OCOP, or as a word of its own.
func Mentions(said string) (found []Mention, claims bool) {
	said = i18n.Plain(said)
	text := ident.Normalise(said)
	seen := map[Mention]bool{}
	for i := 0; i+groupSigns <= len(text); i++ {
		part := text[i : i+groupSigns]
		if !signsOf(part, ident.Alphabet) {
			continue
		}
		m := Mention{Group: canonical(part)}
		if rest := text[i+groupSigns:]; rest != "" && strings.Contains(partLetters, rest[:1]) {
			m.Code = canonical(part + rest[:1])
		}
		if !seen[m] {
			seen[m] = true
			found = append(found, m)
		}
		claims = claims || strings.HasSuffix(text[:i], memoWord)
	}
	return found, claims || len(found) > 0 && wordsClaim(said)
}

// wordsClaim reports whether a word of the memo looks like a code: as long as one, with letters and digits. A buyer's
// name or a bank's number is neither.
func wordsClaim(said string) bool {
	for _, w := range strings.FieldsFunc(strings.ToUpper(said), func(r rune) bool { return !strings.ContainsRune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", r) }) {
		if n := len(w); n < groupSigns || n > groupSigns+1 || !signsOf(w, ident.Alphabet) {
			continue
		}
		if strings.ContainsAny(w, "23456789") && strings.Trim(w, "23456789") != "" {
			return true
		}
	}
	return false
}

func signsOf(s, alphabet string) bool {
	for i := range len(s) {
		if strings.IndexByte(alphabet, s[i]) < 0 {
			return false
		}
	}
	return true
}
