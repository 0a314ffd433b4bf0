package geo

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/platform/i18n"
)

// folded is the key a name is found by: without diacritics, its words apart by one space. "TP.HCM" and "tp hcm",
// "Bà Rịa-Vũng Tàu" and "Bà Rịa - Vũng Tàu" are the same.
func folded(s string) string { return i18n.Fold(words(s)) }

// words puts one space between the words of s and drops everything that is no letter, mark or digit.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
	}), " ")
}

// spelled keeps the diacritics of s and forgets only which vowel carries the tone, so that Hòa equals Hoà and a decomposed
// text equals a composed one, but Hòa differs from Hóa and from Hoa.
func spelled(s string) string {
	var out strings.Builder
	for i, word := range strings.Fields(norm.NFD.String(strings.ToLower(words(s)))) {
		if i > 0 {
			out.WriteByte(' ')
		}
		var tone rune
		for _, r := range word {
			switch r {
			case '\u0300', '\u0301', '\u0303', '\u0309', '\u0323': // huyền, sắc, ngã, hỏi, nặng
				tone = r
			default:
				out.WriteRune(r)
			}
		}
		if tone != 0 {
			out.WriteRune(tone)
		}
	}
	return out.String()
}

// kindWords are the kinds of unit as they stand before a name, folded, the longer before the shorter they begin with.
var kindWords = []string{"thanh pho", "dac khu", "thi tran", "thi xa", "phuong", "huyen", "tinh", "quan", "xa"}

// shortKinds are the usual abbreviations of the first word: TP. Huế, TX. Mường Lay, Q. 1, P. Bến Nghé, H. Cầu Kè.
var shortKinds = map[string]string{
	"tp": "thanh pho", "tx": "thi xa", "tt": "thi tran", "q": "quan", "h": "huyen", "p": "phuong", "x": "xa", "t": "tinh",
}

// expand writes out an abbreviated kind at the beginning of a folded text.
func expand(key string) string {
	first, rest, ok := strings.Cut(key, " ")
	if long := shortKinds[first]; ok && long != "" {
		return long + " " + rest
	}
	return key
}

// bare takes the kind off the beginning of a folded text, where a name is left after it.
func bare(key string) string {
	for _, kind := range kindWords {
		if name, ok := strings.CutPrefix(key, kind+" "); ok {
			return name
		}
	}
	return key
}

// slips counts the letters to insert, drop, replace or swap with their neighbour to make b of a, and gives up above max.
func slips(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			best = min(best, row[j])
		}
		if best > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
