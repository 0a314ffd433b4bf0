package media

import (
	"cmp"
	"slices"
)

// paint is a colour with how many pixels have it; weight adds those of its near neighbours.
type paint struct {
	colour        uint32 // 0xrrggbb
	count, weight int
}

func rgb(p []uint8) uint32 { return uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2]) }

// sortPaints orders by weight, then colour, so that equal pictures give equal files.
func sortPaints(p []paint) {
	slices.SortFunc(p, func(a, b paint) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.colour, b.colour))
	})
}

// pickPalette chooses at most n of the colours, given commonest first. Colours alike in the upper
// four bits of each channel are one choice.
func pickPalette(exact []paint, n int) []uint32 {
	if len(exact) <= n {
		out := make([]uint32, len(exact))
		for i, e := range exact {
			out[i] = e.colour
		}
		return out
	}
	groups := map[uint32]int{}
	var chosen []paint
	for _, e := range exact {
		g := e.colour & 0xf0f0f0
		if i, ok := groups[g]; ok {
			chosen[i].weight += e.count
			continue
		}
		groups[g] = len(chosen)
		chosen = append(chosen, e)
	}
	sortPaints(chosen)
	chosen = chosen[:min(n, len(chosen))]
	out := make([]uint32, len(chosen))
	for i, c := range chosen {
		out[i] = c.colour
	}
	return out
}

// nearest is the index of the palette colour closest to c, and the squared distance.
func nearest(palette []uint32, c uint32) (int, int) {
	best, at := int(^uint(0)>>1), 0
	for i, p := range palette {
		dr := int(p>>16) - int(c>>16)
		dg := int(p>>8&255) - int(c>>8&255)
		db := int(p&255) - int(c&255)
		if d := dr*dr + dg*dg + db*db; d < best {
			best, at = d, i
			if d == 0 {
				break
			}
		}
	}
	return at, best
}
