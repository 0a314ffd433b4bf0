package order

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

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

// Path is the address of the status page, with its secret.
func Path(l i18n.Locale, code, secret string) string {
	path := "/don-hang/" + code + "?" + SecretParam + "=" + url.QueryEscape(secret)
	if l == i18n.EN {
		return "/en" + path
	}
	return path
}
