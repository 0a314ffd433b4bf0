package storefront

import (
	"fmt"
	"sync"

	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/search"
)

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
