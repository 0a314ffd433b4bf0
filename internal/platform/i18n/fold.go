package i18n

import (
	"bytes"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// NFC composes a text to the form everything is stored in. macOS and some keyboards send
// letters and marks apart.
func NFC(s string) string { return norm.NFC.String(s) }

// Plain drops the marks of Vietnamese letters and keeps their case and everything else:
// "Đặc sản Huế" becomes "Dac san Hue".
func Plain(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r == 'đ':
			b.WriteByte('d')
		case r == 'Đ':
			b.WriteByte('D')
		default:
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// typographic is what PostgreSQL's unaccent makes of the signs that word processors put in.
var typographic = strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'", "–", "-", "—", "-", "…", "...", "«", "<<", "»", ">>")

// Fold brings a text to the form used for searching, so that what is typed without marks,
// in either tone style (Hòa, Hoà), decomposed, in capitals or with i for y (Mỹ, Mĩ) finds the
// same names. It equals the SQL function vn_fold for Vietnamese and ASCII text and
// usual punctuation:
// marks dropped, đ to d, lower case, a final y after consonants alone to i, spaces collapsed.
func Fold(s string) string {
	words := strings.Join(strings.Fields(typographic.Replace(strings.ToLower(Plain(s)))), " ")
	if !strings.Contains(words, "y") {
		return words
	}
	b := []byte(words)
	for start := 0; start < len(b); {
		if !wordByte(b[start]) {
			start++
			continue
		}
		end := start
		for end < len(b) && wordByte(b[end]) {
			end++
		}
		if openY(b[start:end]) {
			b[end-1] = 'i'
		}
		start = end
	}
	return string(b)
}

// wordByte counts every byte of a letter beyond ASCII as part of a word, as PostgreSQL does.
func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

// openY is the expression \m([bcdghklmnpqrstvx]{1,2}|qu)y\M of vn_fold: my, ky, ly, thy,
// quy; but not y alone, tay, thuy or yen.
func openY(w []byte) bool {
	n := len(w) - 1
	if n < 1 || n > 2 || w[n] != 'y' {
		return false
	}
	if string(w[:n]) == "qu" {
		return true
	}
	for _, c := range w[:n] {
		if !strings.ContainsRune("bcdghklmnpqrstvx", rune(c)) {
			return false
		}
	}
	return true
}

// A collator keeps buffers, so each goroutine borrows its own.
var collators = sync.Pool{New: func() any { return collate.New(language.Vietnamese) }}

// Compare orders names as a Vietnamese dictionary does: a ă â, d before đ, then by tone.
func Compare(a, b string) int {
	c := collators.Get().(*collate.Collator)
	defer collators.Put(c)
	return c.CompareString(norm.NFC.String(a), norm.NFC.String(b))
}

// SortKeys are keys whose bytes are ordered as [Compare] orders names, for sorting many.
func SortKeys(names []string) [][]byte {
	c := collators.Get().(*collate.Collator)
	defer collators.Put(c)
	var b collate.Buffer
	out := make([][]byte, len(names))
	for i, name := range names {
		out[i] = bytes.Clone(c.KeyFromString(&b, norm.NFC.String(name)))
		b.Reset()
	}
	return out
}
