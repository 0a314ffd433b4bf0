// Package ident makes the names of things: codes people read aloud over the phone,
// secret tokens, and the words in a page's address.
package ident

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"choocop.vn/ocop/internal/platform/i18n"
)

// Alphabet has no letter that looks like another sign: no 0 and O, no 1, I and L.
const Alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// Code returns a random code in groups joined by dashes: Code(4, 4) gives 7K4M-92QX.
// Eight signs hold about 39 bits: enough to be unguessable behind a rate limit, not
// enough to be a secret.
func Code(groups ...int) string {
	var b strings.Builder
	for i, n := range groups {
		if i > 0 {
			b.WriteByte('-')
		}
		for range n {
			b.WriteByte(letter())
		}
	}
	return b.String()
}

// letter draws again instead of taking a remainder, so that every letter is equally likely.
func letter() byte {
	var one [1]byte
	for {
		rand.Read(one[:])
		if n := int(one[0] & 31); n < len(Alphabet) {
			return Alphabet[n]
		}
	}
}

// Normalise brings a typed code to the form used for comparing: capitals, without spaces,
// dashes or any other separator. Compare with Normalise of the stored code.
func Normalise(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z':
			return r
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		}
		return -1
	}, code)
}

// Token returns 32 random bytes as URL-safe text, for sessions and links in mails.
// Store only its Hash.
func Token() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Hash is the SHA-256 of a token. A token has full entropy, so no salt or slow hash is needed.
func Hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// Slug turns a name into address words: "Mật ong Mỹ Đức" becomes mat-ong-my-duc. Marks are
// dropped but letters stay as written, because i and y are both common in names. It is
// empty when the name holds no letter or digit.
func Slug(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(i18n.Plain(s)) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
			continue
		}
		gap = true
	}
	return b.String()
}
