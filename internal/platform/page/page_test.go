package page

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNumberNeverLeavesItsRange(t *testing.T) {
	for in, want := range map[string]int{"": 1, "0": 1, "-3": 1, "abc": 1, "2": 2, "500": 500, "501": Last, "99999999999999999999": 1} {
		if got := Number(in); got != want {
			t.Errorf("Number(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestWindowsShowEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(0, 100).Draw(t, "rows"), rapid.IntRange(1, 30).Draw(t, "size")
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		var seen []int
		for w := Of(1, size); ; w = Of(w.Next(), size) {
			from := min(w.Offset(), n)
			rows, cut := Cut(w, all[from:min(from+w.Limit(), n)])
			seen = append(seen, rows...)
			if w.HasPrev() != (w.Number > 1) {
				t.Fatal("previous page")
			}
			if !cut.HasNext() {
				break
			}
		}
		if !slices.Equal(seen, all) {
			t.Fatalf("saw %v", seen)
		}
	})
}

func TestCursorsRoundTripAndRefuseTampering(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vs := rapid.SliceOfN(rapid.String(), 1, 4).Draw(t, "values")
		if got, ok := After(Cursor(vs...), len(vs)); !ok || !slices.Equal(got, vs) {
			t.Fatalf("got %q, %v", got, ok)
		}
		if _, ok := After(Cursor(vs...), len(vs)+1); ok {
			t.Fatal("wrong number of values")
		}
	})
	for _, bad := range []string{"", "!!", "e30", "WzEsMl0"} {
		if _, ok := After(bad, 2); ok {
			t.Errorf("%q was read", bad)
		}
	}
}
