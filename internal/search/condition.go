package search

import (
	"slices"
	"strings"
)

// node is a condition on the words of a product: the text of a tsquery, as [Query] writes it, understood.
type node struct {
	kind   kind
	parts  []*node
	word   string
	prefix bool
	mask   uint16 // the places in which the word counts, as bits of segment.counts
}

type kind int

const (
	isWord kind = iota
	isAnd
	isOr
	isPhrase
)

// asked is a Query with its conditions understood.
type asked struct {
	any, name, begun, maker, exact, exactName *node
	loose                                     []string
	folded                                    string
}

func (q Query) understood() *asked {
	a := &asked{any: parse(q.Any), name: parse(q.Name), begun: parse(q.Begun), maker: parse(q.Maker), folded: q.Folded,
		loose: slices.Compact(slices.Sorted(slices.Values(strings.Fields(q.Folded))))}
	if q.Exact != "" {
		a.exact, a.exactName = parse(q.Exact), parse(q.ExactName)
	}
	return a
}

// parse reads a tsquery of this package's own writing: quoted words with labels, & | <-> and brackets.
func parse(text string) *node {
	r := reader{text}
	return r.either()
}

type reader struct{ text string }

// takes reads a sign if it comes next.
func (r *reader) takes(sign string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(r.text, " "), sign)
	if ok {
		r.text = rest
	}
	return ok
}

func (r *reader) either() *node { return r.chain("|", isOr, r.both) }
func (r *reader) both() *node   { return r.chain("&", isAnd, r.phrase) }
func (r *reader) phrase() *node { return r.chain("<->", isPhrase, r.one) }

func (r *reader) chain(sign string, k kind, part func() *node) *node {
	parts := []*node{part()}
	for r.takes(sign) {
		parts = append(parts, part())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return &node{kind: k, parts: parts}
}

func (r *reader) one() *node {
	if r.takes("(") {
		n := r.either()
		r.takes(")")
		return n
	}
	n := &node{}
	r.takes("'")
	n.word, r.text, _ = strings.Cut(r.text, "'")
	if r.takes(":") {
		end := len(r.text) - len(strings.TrimLeft(r.text, "*ABCD"))
		for _, label := range r.text[:end] {
			switch label {
			case '*':
				n.prefix = true
			case 'A':
				n.mask |= 15 << inName
			case 'B':
				n.mask |= 15 << inMaker
			}
		}
		r.text = r.text[end:]
	}
	if n.mask == 0 {
		n.mask = 1<<16 - 1
	}
	return n
}
