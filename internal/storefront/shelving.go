package storefront

import (
	"bytes"
	"cmp"
	"slices"

	"choocop.vn/ocop/internal/platform/i18n"
)

// change is what is now known of a product; a gone one has no good.
type change struct {
	good
	code string // of its category
	set  int
	in   string // code of its province
	gone bool
}

// with is a shelf with these products read again, as reading number n. The receiver may be nil: an empty shelf.
func (s *shelf) with(changes []change, n uint32) *shelf {
	if s == nil {
		s = &shelf{}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.id, b.id) })
	changes = slices.CompactFunc(changes, func(a, b change) bool { return a.id == b.id })
	out := &shelf{goods: make([]good, 0, len(s.goods)+len(changes)), categories: slices.Clone(s.categories), provinces: slices.Clone(s.provinces)}
	to := make([]int32, len(s.goods)) // new slot of each old one whose place in the orders stands, else -1
	var moved []int32                 // new slots of the others
	moves := false                    // whether anything but stock and stars changed
	put := func(c *change) {
		c.touched = n
		c.good.category, c.good.province = out.number(c.code, c.set), out.place(c.in)
		out.goods = append(out.goods, c.good)
	}
	for i := range s.goods {
		old := &s.goods[i]
		for len(changes) > 0 && changes[0].id < old.id {
			if !changes[0].gone {
				put(&changes[0])
				moved, moves = append(moved, int32(len(out.goods)-1)), true
			}
			changes = changes[1:]
		}
		to[i] = int32(len(out.goods))
		if len(changes) == 0 || changes[0].id != old.id {
			out.goods = append(out.goods, *old)
			continue
		}
		if changes[0].gone {
			to[i], moves = -1, true
		} else {
			put(&changes[0])
			if !out.goods[to[i]].sortsLike(old) {
				moved, moves = append(moved, to[i]), true
				to[i] = -1
			}
		}
		changes = changes[1:]
	}
	for i := range changes {
		if !changes[i].gone {
			put(&changes[i])
			moved, moves = append(moved, int32(len(out.goods)-1)), true
		}
	}
	out.packed = make([]uint32, len(out.goods))
	for i := range out.goods {
		g := &out.goods[i]
		out.packed[i] = pack(g)
		if g.due > 0 && (out.nextDue == 0 || g.due < out.nextDue) {
			out.nextDue = g.due
		}
	}
	if !moves {
		out.newest, out.cheap, out.dear, out.byName, out.byMaker, out.byCategory = s.newest, s.cheap, s.dear, s.byName, s.byMaker, s.byCategory
		out.rankNewest, out.rankName = s.rankNewest, s.rankName
		return out
	}
	order := func(old []int32, compare func(a, b int32) int) []int32 {
		return merged(old, to, slices.SortedFunc(slices.Values(moved), compare), compare)
	}
	out.newest, out.cheap, out.dear = order(s.newest, out.compareNewest), order(s.cheap, out.compareCheap), order(s.dear, out.compareDear)
	out.byMaker, out.byCategory = order(s.byMaker, out.compareMaker), order(s.byCategory, out.compareCategory)
	out.byName = merged(s.byName, to, out.sortedByName(moved), out.compareName)
	out.rankNewest, out.rankName = inverse(out.newest), inverse(out.byName)
	return out
}

// sortsLike says that a good stands in every order where old stood.
func (g *good) sortsLike(old *good) bool {
	return g.price == old.price && g.published == old.published && g.name == old.name && g.producer == old.producer && g.category == old.category
}

// number is the number of a leaf, a new one if need be. A list of leaves is short.
func (s *shelf) number(code string, set int) uint8 {
	g := group{code, set}
	i := slices.Index(s.categories, g)
	if i < 0 {
		i, s.categories = len(s.categories), append(s.categories, g)
	}
	return uint8(i)
}

func (s *shelf) place(code string) uint8 {
	i := slices.Index(s.provinces, code)
	if i < 0 {
		i, s.provinces = len(s.provinces), append(s.provinces, code)
	}
	return uint8(i)
}

// merged is an order of old slots in new ones, with those moved put in their places. The few are looked up in the many:
// comparing names is slow.
func merged(old, to, moved []int32, compare func(a, b int32) int) []int32 {
	stay := make([]int32, 0, len(old))
	for _, slot := range old {
		if slot = to[slot]; slot >= 0 {
			stay = append(stay, slot)
		}
	}
	out := make([]int32, 0, len(stay)+len(moved))
	for _, slot := range moved {
		at, _ := slices.BinarySearchFunc(stay, slot, compare)
		out, stay = append(append(out, stay[:at]...), slot), stay[at:]
	}
	return append(out, stay...)
}

// sortedByName puts slots into the order of their names, which are compared by keys made once.
func (s *shelf) sortedByName(slots []int32) []int32 {
	names := make([]string, len(slots))
	for i, slot := range slots {
		names[i] = s.goods[slot].name
	}
	type keyed struct {
		slot int32
		key  []byte
	}
	all := make([]keyed, len(slots))
	for i, key := range i18n.SortKeys(names) {
		all[i] = keyed{slots[i], key}
	}
	slices.SortFunc(all, func(a, b keyed) int { return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(b.slot, a.slot)) })
	out := make([]int32, len(all))
	for i, k := range all {
		out[i] = k.slot
	}
	return out
}

func inverse(order []int32) []int32 {
	out := make([]int32, len(order))
	for i, slot := range order {
		out[slot] = int32(i)
	}
	return out
}

// dueBy are the ids of the goods whose stock may have changed by time until now.
func (s *shelf) dueBy(now int64) bigints {
	out := bigints{}
	if s.nextDue == 0 || s.nextDue > now {
		return out
	}
	for i := range s.goods {
		if g := &s.goods[i]; g.due > 0 && g.due <= now {
			out = append(out, g.id)
		}
	}
	return out
}
