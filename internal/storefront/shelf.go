package storefront

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/search"
)

// A shelf is what lists know of every published product, in memory: filters, facets and orders are worked out there, and
// the database is asked only for the cards of a page. It never changes once made; changes make another shelf, which takes
// over what they leave alone.
//
// Products stand in the order of their ids; a slot is a product's place in that order.
type shelf struct {
	goods      []good
	packed     []uint32 // one per good, what most filters need of it; see pack
	categories []group  // by the number that goods hold
	provinces  []string

	newest, cheap, dear, byName, byMaker, byCategory []int32 // slots

	// rankNewest and rankName are the inverse of their orders.
	rankNewest, rankName []int32

	nextDue int64 // the earliest due of all goods, 0 for none

	day atomic.Pointer[day] // the last day asked for
}

// good is a published product.
type good struct {
	id, producer int64
	price        money.VND
	published    int64 // microseconds since 1970
	name         string
	awards       []award
	due          int64  // second since 1970 at which its stock may change by time alone, 0 for none
	touched      uint32 // number of the reading that last found it changed
	category     uint8
	province     uint8
	stocked      bool
}

// award is a certificate's time, days since 1970; to is the last day before a revocation.
type award struct {
	from, to int32
	stars    uint8
}

// group is a leaf of the grouping, as products hold it.
type group struct {
	code string
	set  int
}

// day is what a shelf is on one day.
type day struct {
	*shelf
	date   clock.Date
	packed []uint32
	best   []int32 // slots: in stock, more stars, newest

	whole [2]struct { // the whole shop, with the goods for adults and without
		once  sync.Once
		tally tally
	}
	answers answers
}

// Where what stands in a packed good. The last seven bits, stars, stock and price, are counted as one number.
const (
	atProvince = 8
	atMiddle   = 16
	atStocked  = 2
	atBucket   = 3
	middles    = 1 << 7
)

func pack(g *good) uint32 {
	middle := uint32(bucket(g.price)) << atBucket
	if g.stocked {
		middle |= 1 << atStocked
	}
	return uint32(g.category) | uint32(g.province)<<atProvince | middle<<atMiddle
}

// bucket tells the ranges of prices apart, and their ends, which belong to both: range i are buckets 2i to 2i+2.
func bucket(p money.VND) int {
	for i, r := range prices[1:] {
		switch {
		case p < r.Min:
			return 2*i + 1
		case p == r.Min:
			return 2*i + 2
		}
	}
	return 2*len(prices) - 1
}

// starsOn are the stars that count on a day, 0 to 5; record says that there was a decision by then.
func (g *good) starsOn(d int32) (stars int, record bool) {
	for _, a := range g.awards {
		if a.from > d {
			continue
		}
		record = true
		if a.to >= d {
			stars = max(stars, int(a.stars))
		}
	}
	return stars, record
}

// epoch is the number of a day since 1970.
func epoch(d clock.Date) int32 {
	return int32(time.Date(d.Y, d.M, d.D, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// starsOf reads the stars of a packed good of a day.
func starsOf(middle uint32) int {
	if n := int(middle & 3); n > 0 {
		return n + 2
	}
	return 0
}

// on is the shelf as it is on a day. Only the last day is kept: it changes at midnight.
func (s *shelf) on(date clock.Date) *day {
	if d := s.day.Load(); d != nil && d.date == date {
		return d
	}
	d := &day{shelf: s, date: date, packed: slices.Clone(s.packed)}
	n := epoch(date)
	var sizes [8]int
	class := func(p uint32) uint32 { return 7 - (p >> atMiddle & 7) } // stock, then stars
	for i := range s.goods {
		if len(s.goods[i].awards) > 0 {
			if stars, _ := s.goods[i].starsOn(n); stars > 2 {
				d.packed[i] |= uint32(stars-2) << atMiddle
			}
		}
		sizes[class(d.packed[i])]++
	}
	var starts [8]int
	for i := 1; i < 8; i++ {
		starts[i] = starts[i-1] + sizes[i-1]
	}
	d.best = make([]int32, len(s.goods))
	for _, slot := range s.newest {
		c := class(d.packed[slot])
		d.best[starts[c]] = slot
		starts[c]++
	}
	s.day.Store(d)
	return d
}

// find is the slot of a product.
func (s *shelf) find(id int64) (int32, bool) {
	i, ok := slices.BinarySearchFunc(s.goods, id, func(g good, id int64) int { return cmp.Compare(g.id, id) })
	return int32(i), ok
}

// The orders of a shelf.

func (s *shelf) compareNewest(a, b int32) int {
	return cmp.Or(cmp.Compare(s.goods[b].published, s.goods[a].published), cmp.Compare(b, a))
}

func (s *shelf) compareCheap(a, b int32) int {
	return cmp.Or(cmp.Compare(s.goods[a].price, s.goods[b].price), cmp.Compare(b, a))
}

func (s *shelf) compareDear(a, b int32) int {
	return cmp.Or(cmp.Compare(s.goods[b].price, s.goods[a].price), cmp.Compare(b, a))
}

func (s *shelf) compareName(a, b int32) int {
	return cmp.Or(i18n.Compare(s.goods[a].name, s.goods[b].name), cmp.Compare(b, a))
}

func (s *shelf) compareMaker(a, b int32) int {
	return cmp.Or(cmp.Compare(s.goods[a].producer, s.goods[b].producer), cmp.Compare(b, a))
}

func (s *shelf) compareCategory(a, b int32) int {
	return cmp.Or(cmp.Compare(s.goods[a].category, s.goods[b].category), s.compareNewest(a, b))
}

// ofMaker are the slots of a producer, newest id first.
func (s *shelf) ofMaker(producer int64) []int32 {
	return between(s.byMaker, func(slot int32) int { return cmp.Compare(s.goods[slot].producer, producer) })
}

// ofCategory are the slots of a leaf, newest first.
func (s *shelf) ofCategory(number uint8) []int32 {
	return between(s.byCategory, func(slot int32) int { return cmp.Compare(s.goods[slot].category, number) })
}

// between are the slots of an order for which at is 0.
func between(order []int32, at func(slot int32) int) []int32 {
	from, _ := slices.BinarySearchFunc(order, 0, func(slot int32, want int) int { return cmp.Compare(at(slot), want) })
	to, _ := slices.BinarySearchFunc(order, 1, func(slot int32, want int) int { return cmp.Compare(at(slot), want) })
	return order[from:to]
}

// broad is from how many goods on counting what a search found costs more than remembering it. A test lowers it.
var broad = 1000

// answersMost bounds what a day remembers, each some five kilobytes.
const answersMost = 400

// answer is a page of a list with what was counted for it.
type answer struct {
	tally *tally
	slots []int32
	more  bool
	last  place
}

// answers are those of one day of one shelf, neither of which ever changes: nothing in them grows old.
type answers struct {
	mu   sync.Mutex
	kept map[answerKey]*answer
}

// answerKey is everything that an answer depends on beside the day. What a search found is known by where it lies, which the
// key itself keeps from being given to another.
type answerKey struct {
	hits               *search.Hit
	n                  int
	maker              int64
	category, province string
	min, max           money.VND
	stars              string
	inStock, adult     bool
	sort               Sort
	page, size         int
	after              string
}

func (a *asking) key(hits []search.Hit) answerKey {
	k := answerKey{hits: &hits[0], n: len(hits), maker: a.ProducerID, category: a.chosen.Code, min: a.MinPrice, max: a.MaxPrice, stars: fmt.Sprint(a.Stars),
		inStock: a.InStock, adult: a.Adult, sort: a.Sort, page: a.page, size: a.size, after: a.After}
	if a.province != nil {
		k.province = a.province.Code
	}
	return k
}

func (x *answers) take(k answerKey) (*answer, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	got, ok := x.kept[k]
	return got, ok
}

func (x *answers) keep(k answerKey, got *answer) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.kept == nil || len(x.kept) >= answersMost {
		x.kept = map[answerKey]*answer{}
	}
	x.kept[k] = got
}
