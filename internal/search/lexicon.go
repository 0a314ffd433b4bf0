package search

import (
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// A segment holds the words of some products as product_words has them, so that a question is answered without reading
// rows: a broad one would read a quarter of the table. It never changes once made.
//
// A posting says that a word stands in a product, and how often in names, makers, places and descriptions. That is all that
// matching and ranking ask of the text vectors, except the order of the words of a name, which is kept for phrases.
type segment struct {
	ids   []int64  // ascending; a product's place in it is its number here
	folds []string // name_fold
	sums  []uint64 // of the row as read, to tell whether it changed

	words  []string // ascending
	starts []uint32 // of the postings of each word, and their end
	docs   []uint32
	counts []uint16 // four bits each, A in the highest

	nameStarts []uint32 // of the words of each name, and their end
	names      []uint32 // numbers of words, in their order
}

// entry of a text vector's weight in counts.
const (
	inName  = 12
	inMaker = 8
	inPlace = 4
	inText  = 0
)

// wordRow is a row of product_words; a gone one has no words.
type wordRow struct {
	ProductID int64
	NameFold  string
	Words     string
}

var seed = maphash.MakeSeed()

func (r *wordRow) sum() uint64 { return maphash.String(seed, r.NameFold+"|"+r.Words) }

// binder makes a segment of rows that come in the order of their ids.
type binder struct {
	seg    segment
	number map[string]uint32
	words  []string
	lex    []uint32 // word of each posting, product after product
	ends   []uint32 // of the postings of each product
}

func newBinder() *binder { return &binder{number: map[string]uint32{}} }

func (b *binder) add(r *wordRow) {
	s := &b.seg
	s.ids, s.folds, s.sums = append(s.ids, r.ProductID), append(s.folds, r.NameFold), append(s.sums, r.sum())
	s.nameStarts = append(s.nameStarts, uint32(len(s.names)))
	type at struct {
		pos int
		lex uint32
	}
	var name []at
	text := r.Words
	for len(text) > 0 { // 'word':1A,7B 'other':3
		text = strings.TrimLeft(text, " ")
		if text == "" || text[0] != '\'' {
			break
		}
		end := strings.Index(text[1:], "'")
		if end < 0 {
			break
		}
		word := text[1 : 1+end]
		n, ok := b.number[word]
		if !ok {
			word = strings.Clone(word)
			n = uint32(len(b.words))
			b.number[word], b.words = n, append(b.words, word)
		}
		text = strings.TrimPrefix(text[end+2:], ":")
		list, rest, _ := strings.Cut(text, " ")
		text = rest
		var count [4]uint16
		for list != "" {
			var one string
			one, list, _ = strings.Cut(list, ",")
			weight := 0
			switch one[len(one)-1] {
			case 'A':
				weight = 3
			case 'B':
				weight = 2
			case 'C':
				weight = 1
			}
			count[weight] = min(count[weight]+1, 15)
			if weight == 3 {
				pos, _ := strconv.Atoi(one[:len(one)-1])
				name = append(name, at{pos, n})
			}
		}
		b.lex = append(b.lex, n)
		s.counts = append(s.counts, count[3]<<inName|count[2]<<inMaker|count[1]<<inPlace|count[0]<<inText)
	}
	slices.SortFunc(name, func(x, y at) int { return x.pos - y.pos })
	for _, w := range name {
		s.names = append(s.names, w.lex)
	}
	b.ends = append(b.ends, uint32(len(b.lex)))
}

// bind sorts the postings by their words.
func (b *binder) bind() *segment {
	s := &b.seg
	order := make([]uint32, len(b.words))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, func(x, y uint32) int { return strings.Compare(b.words[x], b.words[y]) })
	to := make([]uint32, len(order))
	s.words = make([]string, len(order))
	for i, n := range order {
		to[n], s.words[i] = uint32(i), b.words[n]
	}
	s.starts = make([]uint32, len(order)+1)
	for _, n := range b.lex {
		s.starts[to[n]+1]++
	}
	for i := range order {
		s.starts[i+1] += s.starts[i]
	}
	next := slices.Clone(s.starts)
	s.docs = make([]uint32, len(b.lex))
	counts := make([]uint16, len(b.lex))
	i := uint32(0)
	for doc, end := range b.ends {
		for ; i < end; i++ {
			at := &next[to[b.lex[i]]]
			s.docs[*at], counts[*at] = uint32(doc), s.counts[i]
			*at++
		}
	}
	s.counts = counts
	for i, n := range s.names {
		s.names[i] = to[n]
	}
	s.names = slices.Clip(s.names)
	s.nameStarts = append(s.nameStarts, uint32(len(s.names)))
	return s
}

// set is a set of products by their numbers.
type set []uint64

func (s *segment) none() set { return make(set, (len(s.ids)+63)/64) }

func (x set) has(doc uint32) bool { return x[doc/64]>>(doc%64)&1 == 1 }

func (x set) or(y set) set {
	for i := range x {
		x[i] |= y[i]
	}
	return x
}

func (x set) and(y set) set {
	for i := range x {
		x[i] &= y[i]
	}
	return x
}

// find is the number of a word.
func (s *segment) find(word string) (int, bool) { return slices.BinarySearch(s.words, word) }

// among adds the products that have a word in a place of the mask.
func (s *segment) among(out set, word int, mask uint16) {
	for i := s.starts[word]; i < s.starts[word+1]; i++ {
		if s.counts[i]&mask != 0 {
			out[s.docs[i]/64] |= 1 << (s.docs[i] % 64)
		}
	}
}

// fits are the products that fit a condition.
func (s *segment) fits(n *node) set {
	switch n.kind {
	case isAnd:
		out := s.fits(n.parts[0])
		for _, p := range n.parts[1:] {
			out = out.and(s.fits(p))
		}
		return out
	case isOr:
		out := s.fits(n.parts[0])
		for _, p := range n.parts[1:] {
			out = out.or(s.fits(p))
		}
		return out
	case isPhrase:
		return s.phrase(n)
	}
	out := s.none()
	at, ok := s.find(n.word)
	switch {
	case n.prefix:
		end := at + sort.Search(len(s.words)-at, func(i int) bool { return !strings.HasPrefix(s.words[at+i], n.word) })
		for ; at < end; at++ {
			s.among(out, at, n.mask)
		}
	case ok:
		s.among(out, at, n.mask)
	}
	return out
}

// phrase are the products whose names have words one behind the other.
func (s *segment) phrase(n *node) set {
	words := make([]uint32, len(n.parts))
	for i, p := range n.parts {
		at, ok := s.find(p.word)
		if !ok {
			return s.none()
		}
		words[i] = uint32(at)
	}
	out := s.none()
	s.among(out, int(words[0]), n.parts[0].mask)
	for i, w := range out {
		for ; w != 0; w &= w - 1 {
			doc := i*64 + bits.TrailingZeros64(w)
			if !holds(s.names[s.nameStarts[doc]:s.nameStarts[doc+1]], words) {
				out[i] &^= 1 << (doc % 64)
			}
		}
	}
	return out
}

func holds(name, words []uint32) bool {
	for i := 0; i+len(words) <= len(name); i++ {
		if slices.Equal(name[i:i+len(words)], words) {
			return true
		}
	}
	return false
}

// scores are reused: a broad question needs as many as there are products.
var scores = sync.Pool{New: func() any { return new([]float32) }}

// hits adds the products of the segment that fit, but for the dead, with what [Tier] and [Rank] say of them.
func (s *segment) hits(out []Hit, q *asked, dead set) []Hit {
	any := s.fits(q.any)
	for i := range dead {
		any[i] &^= dead[i]
	}
	var exactName, exact set
	if q.exact != nil {
		exactName, exact = s.fits(q.exactName), s.fits(q.exact)
	}
	name, begun, maker := s.fits(q.name), s.fits(q.begun), s.fits(q.maker)
	pooled := scores.Get().(*[]float32)
	defer scores.Put(pooled)
	if len(*pooled) < len(s.ids) {
		*pooled = make([]float32, len(s.ids))
	}
	score := (*pooled)[:len(s.ids)]
	for _, word := range q.loose {
		if at, ok := s.find(word); ok {
			for i := s.starts[at]; i < s.starts[at+1]; i++ {
				if doc := s.docs[i]; any.has(doc) {
					score[doc] += worth(s.counts[i])
				}
			}
		}
	}
	n := 0
	for _, w := range any {
		n += bits.OnesCount64(w)
	}
	out = slices.Grow(out, n)
	fits := map[float32]int32{}
	for i, w := range any {
		for ; w != 0; w &= w - 1 {
			doc := uint32(i*64 + bits.TrailingZeros64(w))
			h := Hit{ID: s.ids[doc]}
			switch {
			case q.exact == nil:
			case exactName.has(doc):
				h.Tier = 64
			case exact.has(doc):
				h.Tier = 32
			}
			switch {
			case name.has(doc):
				h.Tier += 16
			case begun.has(doc):
				h.Tier += 12
			case maker.has(doc):
				h.Tier += 8
			}
			if strings.HasPrefix(s.folds[doc], q.folded) {
				h.Tier += 2
			}
			fit, ok := fits[score[doc]]
			if !ok {
				fit = rounded(score[doc] / float32(len(q.loose)))
				fits[score[doc]] = fit
			}
			h.Fit, score[doc] = fit, 0
			out = append(out, h)
		}
	}
	return out
}

// some adds products that fit a condition, but for the dead, until there are most.
func (s *segment) some(out []int64, n *node, dead set, most int) []int64 {
	fit := s.fits(n)
	for i := range dead {
		fit[i] &^= dead[i]
	}
	for i, w := range fit {
		for ; w != 0 && len(out) < most; w &= w - 1 {
			out = append(out, s.ids[i*64+bits.TrailingZeros64(w)])
		}
	}
	return out
}

// worth is what ts_rank gives for one word: each time it stands somewhere counts less than the time before. Names stand
// first in the text vector, so the best place is the first.
func worth(counts uint16) float32 {
	var sum float32
	j := float32(1)
	for _, p := range [...]struct {
		at     int
		weight float32
	}{{inName, 1}, {inMaker, 0.2}, {inPlace, 0.1}, {inText, 0.05}} {
		for range counts >> p.at & 15 {
			sum += p.weight / (j * j)
			j++
		}
	}
	return float32(float64(sum) / 1.64493406685)
}

// rounded is ten times a rank as [Rank] rounds it: of six digits, as PostgreSQL makes a number of a float.
func rounded(rank float32) int32 {
	six, _ := strconv.ParseFloat(strconv.FormatFloat(float64(rank), 'g', 6, 64), 64)
	return int32(math.Floor(six*10 + 0.5 + 1e-9))
}
