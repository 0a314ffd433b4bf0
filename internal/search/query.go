package search

import (
	"context"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/platform/i18n"
)

// Bounds of a question: longer ones are cut, so that hostile input costs no more than a long honest one.
const (
	maxRunes = 200
	maxWords = 12
)

// Query is a question made ready for [Matched] and [Tier]: texts of tsquery, and the folded words as typed.
// The zero Query asks for nothing.
type Query struct {
	Any   string // folded words or their synonyms, the last as a prefix
	Whole string // folded words or their synonyms, all in the name, as whole words
	Name  string // folded words, all in the name, the last as a prefix
	Maker string // as Any, each in the name or the maker's name
	Exact string // the words with their diacritics, each anywhere; empty when none was typed with one
	// ExactName is Exact within the name.
	ExactName string
	Folded    string // the question without diacritics, one space between words
	Prefix    string // LIKE pattern of names that begin so
}

// Empty reports whether nothing was asked.
func (q Query) Empty() bool { return q.Any == "" }

// Matched is the condition on product_search p that a row fits the question; it needs @any.
const Matched = `p.folded @@ @any::tsquery`

// Tier is the rank of a fitting row of product_search p, higher is better: what is spelled as typed before what is only
// spelled so without diacritics, names over makers over the rest, names that begin so first. It needs the [Query.Args].
const Tier = `(CASE WHEN @exact = '' THEN 0 WHEN p.exact @@ @exact_name::tsquery THEN 64 WHEN p.exact @@ @exact::tsquery THEN 32 ELSE 0 END
	+ CASE WHEN p.folded @@ @name::tsquery THEN 16 WHEN p.folded @@ @whole::tsquery THEN 12 WHEN p.folded @@ @maker::tsquery THEN 8 ELSE 0 END
	+ CASE WHEN p.name_fold LIKE @prefix THEN 2 ELSE 0 END + CASE WHEN p.folded @@ @whole::tsquery THEN 1 ELSE 0 END)`

// Args are the named arguments of [Matched] and [Tier].
func (q Query) Args() map[string]any {
	return map[string]any{"any": q.Any, "whole": q.Whole, "name": q.Name, "maker": q.Maker,
		"exact": q.Exact, "exact_name": q.ExactName, "prefix": q.Prefix}
}

// Ask makes a question ready. It never fails on what was typed: what holds no letter or digit asks for nothing.
func (s *Service) Ask(ctx context.Context, text string) (Query, error) {
	syn, err := s.synonymsOf(ctx)
	if err != nil {
		return Query{}, err
	}
	return ask(text, syn), nil
}

func ask(text string, syn *synonyms) Query {
	text = clean(text)
	folded, spelled := cut(i18n.Fold(text)), cut(exact(text))
	if len(folded) == 0 {
		return Query{}
	}
	q := Query{Folded: strings.Join(folded, " ")}
	q.Prefix = q.Folded + "%" // only letters, digits and spaces: nothing to escape
	parts := syn.parts(folded, spelled)
	q.Any = join(parts, "", true)
	q.Whole = join(parts, ":A", false)
	q.Maker = join(parts, ":AB", true)
	q.Name = join(plain(folded), ":A", true)
	if strings.Join(spelled, " ") != q.Folded && marked(text) {
		q.Exact = join(plain(spelled), "", false)
		q.ExactName = join(plain(spelled), ":A", false)
	}
	return q
}

// clean composes the text, drops what cannot be shown and cuts it to its bound.
func clean(text string) string {
	text = strings.ToValidUTF8(text, " ")
	if r := []rune(text); len(r) > 2*maxRunes { // decomposed text has up to three signs a letter
		text = string(r[:2*maxRunes])
	}
	r := []rune(i18n.NFC(text))
	return string(r[:min(len(r), maxRunes)])
}

// cut returns the words of letters and digits of a text, as vn_words does.
func cut(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return words[:min(len(words), maxWords)]
}

func marked(text string) bool { return i18n.Plain(text) != i18n.NFC(text) }

// tones are the digits with which a typewriter writes them.
var tones = map[rune]byte{'\u0301': '1', '\u0300': '2', '\u0309': '3', '\u0303': '4', '\u0323': '5'}

// exact equals the SQL function vn_exact before the words are cut: diacritics stay, the tone stands as a digit behind
// its word, so that both styles of writing it are the same.
func exact(text string) string {
	var out strings.Builder
	var tone byte
	flush := func() {
		if tone != 0 {
			out.WriteByte(tone)
			tone = 0
		}
	}
	for _, r := range norm.NFD.String(strings.ToLower(norm.NFC.String(text))) {
		if digit, ok := tones[r]; ok {
			flush()
			tone = digit
			continue
		}
		if !unicode.IsLetter(r) && !unicode.Is(unicode.Mn, r) {
			flush()
		}
		out.WriteRune(r)
	}
	flush()
	return norm.NFC.String(out.String())
}

// part is one thing a row must have: words, or any of the phrases that mean the same.
type part struct {
	words  []string
	others [][]string
}

func plain(words []string) []part {
	parts := make([]part, len(words))
	for i, w := range words {
		parts[i] = part{words: []string{w}}
	}
	return parts
}

// join writes a tsquery that wants every part. Words hold only letters and digits, so quotes are all they need.
func join(parts []part, label string, prefix bool) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(" & ")
		}
		last := prefix && i == len(parts)-1
		b.WriteString("((" + phrase(p.words, " & ", label, last) + ")")
		for _, o := range p.others {
			b.WriteString(" | (" + phrase(o, " <-> ", label, false) + ")")
		}
		b.WriteString(")")
	}
	return b.String()
}

func phrase(words []string, between, label string, prefix bool) string {
	out := make([]string, len(words))
	for i, w := range words {
		l := label
		if prefix && i == len(words)-1 {
			l = ":*" + strings.TrimPrefix(label, ":")
		}
		out[i] = "'" + w + "'" + l
	}
	return strings.Join(out, between)
}
