package search

import (
	"context"
	"slices"
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

// Query is a question made ready for [Matched], [Tier] and [Rank]: texts of tsquery, and the folded words as typed.
// The zero Query asks for nothing.
type Query struct {
	Any   string // every word or a synonym, anywhere; the last may be the beginning of a word in a name or maker
	Name  string // every word in the name, whole
	Begun string // every word in the name, the last as a beginning
	Named string // every word in the maker's name, the last as a beginning
	Maker string // every word or a synonym in the name or the maker's name
	Loose string // any of the words
	Exact string // every word with its diacritics, anywhere; empty when none was typed with one
	// ExactName is Exact within the name.
	ExactName string
	Folded    string // the question without diacritics, one space between words
	Prefix    string // LIKE pattern of names that begin so
}

// Empty reports whether nothing was asked.
func (q Query) Empty() bool { return q.Any == "" }

// Matched is the condition on product_words w that a row fits the question. It needs the [Query.Args].
const Matched = `w.words @@ CAST(@any AS tsquery)`

// Tier is the rank of a fitting row of product_words w, higher is better: what is spelled as typed before what is only
// spelled so without diacritics, names over makers over the rest, names that begin so first.
const Tier = `(CASE WHEN @exact = '' THEN 0 WHEN w.words @@ CAST(@exact_name AS tsquery) THEN 64 WHEN w.words @@ CAST(@exact AS tsquery) THEN 32 ELSE 0 END
	+ CASE WHEN w.words @@ CAST(@name AS tsquery) THEN 16 WHEN w.words @@ CAST(@begun AS tsquery) THEN 12 WHEN w.words @@ CAST(@maker AS tsquery) THEN 8 ELSE 0 END
	+ CASE WHEN w.name_fold LIKE @prefix THEN 2 ELSE 0 END)`

// Rank tells rows of one tier apart: the more of the words stand in the name, the better. It is rounded, so that stock and
// stars decide between rows that fit alike.
const Rank = `round(CAST(ts_rank('{0.05, 0.1, 0.2, 1}', w.words, CAST(@loose AS tsquery)) AS numeric), 1)`

// Hit is a product that fits a question. A higher tier comes first, in one tier the better fit; see [Tier] and [Rank].
type Hit struct {
	ID        int64 `gorm:"column:product_id"`
	Tier, Fit int32
}

// The largest numbers of a Hit.
const (
	MaxTier = 127
	MaxFit  = 127
)

// Args are the named arguments of the three.
func (q Query) Args() map[string]any {
	return map[string]any{"any": q.Any, "name": q.Name, "begun": q.Begun, "maker": q.Maker, "loose": q.Loose,
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
	words := pair(folded, spelled, cut(strings.ToLower(i18n.Plain(text))))
	parts := syn.parts(words)
	q.Any = all(parts, part.anywhere)
	q.Maker = all(parts, part.inNameOrMaker)
	q.Name = all(words, func(w word) string { return w.lexeme("A") })
	q.Begun = all(words, func(w word) string { return w.lexeme(w.mayGoOn("A")) })
	q.Named = all(words, func(w word) string { return w.lexeme(w.mayGoOn("B")) })
	q.Loose = "'" + strings.Join(folded, "' | '") + "'"
	if slices.ContainsFunc(words, word.marked) {
		q.Exact = all(words, func(w word) string { return "'" + w.spelled + "'" })
		q.ExactName = all(words, func(w word) string { return "'" + w.spelled + "':A" })
	}
	return q
}

// word is one word of a question, folded and as typed. They are the same for a word without diacritics.
type word struct {
	folded, spelled string
	last            bool
}

func (w word) marked() bool { return w.folded != w.spelled }

// lexeme is the folded word with a label of weights, empty for all.
func (w word) lexeme(label string) string {
	if label == "" {
		return "'" + w.folded + "'"
	}
	return "'" + w.folded + "':" + label
}

// mayGoOn makes a label also mean a beginning, for the word that may still be typed.
func (w word) mayGoOn(label string) string {
	if w.last {
		return "*" + label
	}
	return label
}

// pair puts the folded and the spelled words together. A word counts as spelled with diacritics when it differs from its
// plain letters; y for i is no diacritic.
func pair(folded, spelled, plain []string) []word {
	words := make([]word, len(folded))
	for i, f := range folded {
		words[i] = word{folded: f, spelled: f, last: i == len(folded)-1}
		if len(spelled) == len(folded) && spelled[i] != plain[i] {
			words[i].spelled = spelled[i]
		}
	}
	return words
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

// part is one thing a row must have: words, or one of the phrases that mean the same, as they are spelled.
type part struct {
	words  []word
	others [][]string
}

// anywhere asks for words with diacritics in names in any spelling, elsewhere as they are spelled: who types chè does not
// mean every maker with "chế biến" in its name.
func (p part) anywhere() string {
	own := all(p.words, func(w word) string {
		switch {
		case w.marked():
			return "(" + w.lexeme(w.mayGoOn("A")) + " | '" + w.spelled + "')"
		case w.last:
			return "(" + w.lexeme("*AB") + " | " + w.lexeme("") + ")"
		}
		return w.lexeme("")
	})
	return p.or(own)
}

func (p part) inNameOrMaker() string {
	return p.or(all(p.words, func(w word) string {
		if w.marked() {
			return "(" + w.lexeme(w.mayGoOn("A")) + " | '" + w.spelled + "':AB)"
		}
		return w.lexeme(w.mayGoOn("AB"))
	}))
}

// or adds the synonyms. They count in names only: places (Trà Vinh) and descriptions (giòn thơm) use such words otherwise.
func (p part) or(own string) string {
	var b strings.Builder
	b.WriteString("((" + own + ")")
	for _, o := range p.others {
		b.WriteString(" | ('" + strings.Join(o, "':A <-> '") + "':A)")
	}
	b.WriteString(")")
	return b.String()
}

// all writes a tsquery that wants each of the things. Words hold only letters and digits, so quotes are all they need.
func all[T any](things []T, write func(T) string) string {
	out := make([]string, len(things))
	for i, t := range things {
		out[i] = write(t)
	}
	return strings.Join(out, " & ")
}
