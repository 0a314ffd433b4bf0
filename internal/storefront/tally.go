package storefront

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/search"
)

// What a good of the list fails, as bits. A facet is counted without its own filter, so a good that fails one thing still
// counts in that facet; one that fails two counts nowhere.
const (
	failsCategory = 1 << iota
	failsProvince
	failsPrice
	failsStars
	failsStock
	failsAge
)

// sieve says what each good fails, by looking up the parts of its packed form.
type sieve struct {
	category, province [1 << 8]uint8
	middle             [middles]uint8
	min, max           money.VND // when odd
	odd                bool      // whether the prices asked for are not those of a range
}

func (a *asking) sieve(d *day) *sieve {
	v := &sieve{min: max(0, a.MinPrice), max: max(0, a.MaxPrice)}
	for i, c := range d.categories {
		if a.chosen.Code != "" && !slices.Contains(a.categories, c.code) {
			v.category[i] |= failsCategory
		}
		if !a.Adult && a.adult[c.set] {
			v.category[i] |= failsAge
		}
	}
	for i, code := range d.provinces {
		if a.province != nil && a.province.Code != code {
			v.province[i] = failsProvince
		}
	}
	lowest, highest := 0, 2*len(prices)
	if v.min > 0 || v.max > 0 {
		lowest, highest, v.odd = buckets(v.min, v.max)
	}
	for m := range v.middle {
		if len(a.Stars) > 0 && !slices.Contains(a.Stars, starsOf(uint32(m))) {
			v.middle[m] |= failsStars
		}
		if a.InStock && m>>atStocked&1 == 0 {
			v.middle[m] |= failsStock
		}
		if b := m >> atBucket; !v.odd && (b < lowest || b > highest) {
			v.middle[m] |= failsPrice
		}
	}
	return v
}

// buckets are those of a filter's prices; odd says that it cuts through one.
func buckets(from, to money.VND) (lowest, highest int, odd bool) {
	lowest, highest = bucket(from), 2*len(prices)
	if from > 0 && lowest&1 == 1 {
		odd = true
	}
	if from == 0 {
		lowest = 0
	}
	if to > 0 {
		highest = bucket(to)
		odd = odd || highest&1 == 1
	}
	return lowest, highest, odd
}

// fails is what the good of a slot fails.
func (v *sieve) fails(d *day, slot int32) uint8 {
	p := d.packed[slot]
	f := v.category[uint8(p)] | v.province[uint8(p>>atProvince)] | v.middle[p>>atMiddle]
	if v.odd {
		if price := d.goods[slot].price; price < v.min || v.max > 0 && price > v.max {
			f |= failsPrice
		}
	}
	return f
}

// tally is what a list knows of its filter beside the goods themselves.
type tally struct {
	total, hidden       int
	categories          [1 << 8]int32 // those that fail nothing but perhaps their category
	provinces           [1 << 8]int32
	fit                 [middles]int32 // those that fail nothing
	price, stars, stock [middles]int32 // those that fail only this
}

func (t *tally) count(p uint32, f uint8) {
	switch f {
	case 0:
		t.total++
		t.categories[uint8(p)]++
		t.provinces[uint8(p>>atProvince)]++
		t.fit[p>>atMiddle]++
	case failsCategory:
		t.categories[uint8(p)]++
	case failsProvince:
		t.provinces[uint8(p>>atProvince)]++
	case failsPrice:
		t.price[p>>atMiddle]++
	case failsStars:
		t.stars[p>>atMiddle]++
	case failsStock:
		t.stock[p>>atMiddle]++
	case failsAge:
		t.hidden++
	}
}

// tally counts the whole shop, or the goods of slots when there are any.
func (v *sieve) tally(d *day, slots []int32, some bool) *tally {
	t := &tally{}
	if !some {
		for slot := range int32(len(d.packed)) {
			t.count(d.packed[slot], v.fails(d, slot))
		}
		return t
	}
	for _, slot := range slots {
		t.count(d.packed[slot], v.fails(d, slot))
	}
	return t
}

// all is the tally of the whole shop without a filter, made once a day and shelf.
func (d *day) all(a *asking) *tally {
	n := 0
	if a.Adult {
		n = 1
	}
	w := &d.whole[n]
	w.once.Do(func() {
		plain := asking{Filter: Filter{Adult: a.Adult}, adult: a.adult}
		w.tally = *plain.sieve(d).tally(d, nil, false)
	})
	return &w.tally
}

// A place is where a good stands in an order, as values, so that a reader who goes on from there finds the next good
// whatever changed before it.
type place struct {
	Tier      int       `json:"t,omitempty"`
	Fit       int       `json:"f,omitempty"`
	Stocked   bool      `json:"k,omitempty"`
	Stars     int       `json:"s,omitempty"`
	Published int64     `json:"p,omitempty"`
	Price     money.VND `json:"c,omitempty"`
	Name      string    `json:"n,omitempty"`
	ID        int64     `json:"i"`
	Sort      Sort      `json:"o,omitempty"`
}

// compare tells which of two places comes first in their order.
func (p *place) compare(q *place) int {
	switch p.Sort {
	case SortNewest:
		return cmp.Or(cmp.Compare(q.Published, p.Published), cmp.Compare(q.ID, p.ID))
	case SortCheap:
		return cmp.Or(cmp.Compare(p.Price, q.Price), cmp.Compare(q.ID, p.ID))
	case SortDear:
		return cmp.Or(cmp.Compare(q.Price, p.Price), cmp.Compare(q.ID, p.ID))
	case SortName:
		return cmp.Or(i18n.Compare(p.Name, q.Name), cmp.Compare(q.ID, p.ID))
	}
	stocked := 0
	if p.Stocked != q.Stocked {
		stocked = 1
		if p.Stocked {
			stocked = -1
		}
	}
	return cmp.Or(cmp.Compare(q.Tier, p.Tier), cmp.Compare(q.Fit, p.Fit), stocked, cmp.Compare(q.Stars, p.Stars),
		cmp.Compare(q.Published, p.Published), cmp.Compare(q.ID, p.ID))
}

// String is the place as an address can hold it.
func (p *place) String() string {
	b, _ := json.Marshal(p) // plain values
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePlace(text string, by Sort) (*place, error) {
	var p place
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil || p.Sort != by {
		return nil, apperr.Field("cursor", "storefront.cursor")
	}
	return &p, nil
}

// pick are the goods that a list is about when it is not about the whole shop: those of a maker, or those found.
type pick struct {
	slots []int32
	hits  []search.Hit // of the slots, when found by a search
}

// place is where slot i of a pick, or of the whole shop, stands in the order asked for.
func (d *day) place(by Sort, slot int32, hit *search.Hit) place {
	g := &d.goods[slot]
	p := place{ID: g.id, Sort: by}
	switch by {
	case SortNewest:
		p.Published = g.published
	case SortCheap, SortDear:
		p.Price = g.price
	case SortName:
		p.Name = g.name
	default:
		middle := d.packed[slot] >> atMiddle
		p.Stocked, p.Stars, p.Published = middle>>atStocked&1 == 1, starsOf(middle), g.published
		if hit != nil {
			p.Tier, p.Fit = int(hit.Tier), int(hit.Fit)
		}
	}
	return p
}

// key orders the slots of a pick as their places are, the smallest first.
func (d *day) key(by Sort, slot int32, hit *search.Hit) uint64 {
	const wide = 1 << 28 // more than there are slots
	switch by {
	case SortNewest:
		return uint64(d.rankNewest[slot])
	case SortCheap:
		return uint64(d.goods[slot].price)*wide + uint64(wide-1-slot)
	case SortDear:
		return uint64(1<<35-min(d.goods[slot].price, 1<<35))*wide + uint64(wide-1-slot)
	case SortName:
		return uint64(d.rankName[slot])
	}
	middle := d.packed[slot] >> atMiddle
	k := uint64(7-middle&7)*wide + uint64(d.rankNewest[slot])
	if hit != nil {
		k += uint64(search.MaxTier-hit.Tier)<<50 + uint64(search.MaxFit-hit.Fit)<<36
	}
	return k
}

// order is the order of the whole shop.
func (d *day) order(by Sort) []int32 {
	switch by {
	case SortNewest:
		return d.newest
	case SortCheap:
		return d.cheap
	case SortDear:
		return d.dear
	case SortName:
		return d.byName
	}
	return d.best
}

// hits are the slots of what a search found, of one maker if there is one. A search mostly gives ids in
// their order, as slots are: the next one is near.
func (d *day) hits(found []search.Hit, producer int64) *pick {
	p := &pick{slots: make([]int32, 0, len(found)), hits: make([]search.Hit, 0, len(found))}
	at := int32(0)
	for _, h := range found {
		for step := 0; step < 16 && int(at) < len(d.goods) && d.goods[at].id < h.ID; step++ {
			at++
		}
		if int(at) >= len(d.goods) || d.goods[at].id != h.ID {
			var ok bool
			if at, ok = d.find(h.ID); !ok {
				continue
			}
		}
		if producer == 0 || d.goods[at].producer == producer {
			p.slots, p.hits = append(p.slots, at), append(p.hits, h)
		}
	}
	return p
}

// page are the slots of the page asked for, and whether more follow.
func (f *found) page(a *asking) (slots []int32, more bool) {
	skip := (a.page - 1) * a.size
	if f.again != nil {
		f.last = f.again.last
		return f.again.slots, f.again.more
	}
	if f.pick != nil {
		return f.pickPage(a, skip)
	}
	order := f.order(a.Sort)
	if a.after != nil {
		at, _ := slices.BinarySearchFunc(order, a.after, func(slot int32, after *place) int {
			p := f.place(a.Sort, slot, nil)
			return cmp.Or(p.compare(after), -1) // the place itself has been read
		})
		order = order[at:]
	}
	if f.tally.total <= skip {
		return nil, false
	}
	for _, slot := range order {
		switch {
		case f.sieve.fails(f.day, slot) != 0:
		case skip > 0:
			skip--
		case len(slots) == a.size:
			return slots, true
		default:
			if slots = append(slots, slot); len(slots) == a.size {
				f.last = f.place(a.Sort, slot, nil)
			}
		}
	}
	return slots, false
}

// pickPage sorts only as much as the page needs.
func (f *found) pickPage(a *asking, skip int) (slots []int32, more bool) {
	type ranked struct {
		key uint64
		i   int32
	}
	hit := func(i int32) *search.Hit {
		if f.pick.hits == nil {
			return nil
		}
		return &f.pick.hits[i]
	}
	fit := make([]ranked, 0, f.tally.total)
	for i, slot := range f.pick.slots {
		if f.sieve.fails(f.day, slot) != 0 {
			continue
		}
		if a.after != nil {
			if p := f.place(a.Sort, slot, hit(int32(i))); p.compare(a.after) <= 0 {
				continue
			}
		}
		fit = append(fit, ranked{f.key(a.Sort, slot, hit(int32(i))), int32(i)})
	}
	want := skip + a.size
	more = len(fit) > want
	fit = smallest(fit, want, func(x, y ranked) int { return cmp.Compare(x.key, y.key) })
	for _, r := range fit[min(skip, len(fit)):] {
		slots = append(slots, f.pick.slots[r.i])
		f.last = f.place(a.Sort, f.pick.slots[r.i], hit(r.i))
	}
	return slots, more
}

// smallest are the n smallest of all in their order. It rearranges all.
func smallest[T any](all []T, n int, compare func(x, y T) int) []T {
	for len(all) > 4*n && len(all) > 512 { // throw away what is beyond the middle of a sample
		sample := make([]T, 0, 64)
		for i := 0; i < 64; i++ {
			sample = append(sample, all[i*len(all)/64])
		}
		slices.SortFunc(sample, compare)
		edge := sample[min(63, 8+64*n/len(all)*2)]
		few := make([]T, 0, len(all)/4)
		for _, x := range all {
			if compare(x, edge) <= 0 {
				few = append(few, x)
			}
		}
		if len(few) < n || len(few) == len(all) {
			break
		}
		all = few
	}
	slices.SortFunc(all, compare)
	return all[:min(n, len(all))]
}
