package storefront_test

import (
	"reflect"
	"testing"

	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/testkit"
)

func TestWhatIsRememberedOfABroadSearchIsWhatCountingGives(t *testing.T) {
	s := open(t)
	wares := stall(t, s, 60)
	var filters []storefront.Filter
	for _, q := range []string{"che", "duong thot not", "d", "an xoa"} {
		for _, f := range []storefront.Filter{{}, {Size: 5}, {Size: 5, Page: 2}, {Size: 5, Page: 99}, {Sort: storefront.SortName, Size: 5}, {Sort: storefront.SortCheap},
			{Adult: true}, {InStock: true}, {Stars: []int{3, 5}}, {Province: "86"}, {Category: "che"}, {MinPrice: 60_000, MaxPrice: 200_000}, {ProducerID: wares[0].producer}} {
			f.Q = q
			filters = append(filters, f)
		}
		next := s.list(t, storefront.Filter{Q: q, Size: 3}).Next
		filters = append(filters, storefront.Filter{Q: q, Size: 3, After: next})
	}
	lists := func(from int) (out []storefront.Listing) {
		storefront.Broad(t, from)
		for _, f := range filters {
			out = append(out, s.list(t, f))
		}
		return out
	}
	same := func() {
		t.Helper()
		counted, first, again := lists(1<<30), lists(1), lists(1)
		for i, f := range filters {
			if !reflect.DeepEqual(first[i], counted[i]) || !reflect.DeepEqual(again[i], counted[i]) {
				t.Errorf("%+v: counted %v, first %v, again %v", f, counted[i], first[i], again[i])
			}
		}
	}
	same()
	testkit.Exec(t, s.db, `UPDATE variant SET price = price + 7000 WHERE product_id % 3 = 0`)
	testkit.Exec(t, s.db, `UPDATE stock_level SET on_hand = 0 WHERE product_id % 4 = 0 AND reserved = 0`)
	same()
}
