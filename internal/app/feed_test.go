package app_test

import (
	"encoding/xml"
	"fmt"
	"testing"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

type productFeed struct {
	XMLName xml.Name `xml:"rss"`
	Items   []struct {
		ID    string `xml:"http://base.google.com/ns/1.0 id"`
		Title string `xml:"title"`
		Link  string `xml:"link"`
		About string `xml:"description"`
		Stock string `xml:"http://base.google.com/ns/1.0 availability"`
		Price string `xml:"http://base.google.com/ns/1.0 price"`
		Stars string `xml:"http://base.google.com/ns/1.0 custom_label_0"`
		Known string `xml:"http://base.google.com/ns/1.0 identifier_exists"`
		Group string `xml:"http://base.google.com/ns/1.0 item_group_id"`
	} `xml:"channel>item"`
}

func TestProductFeedSaysWhatTheShopSays(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	testkit.Variant(t, m.DB, tea, "CHESHAN2", 230_000, 0)
	odd := testkit.Product(t, m.DB, testkit.WithName("Mắm <ngon> & đậm", ""), testkit.WithSKU("MAM-1"), testkit.WithStars(4, clock.NewDate(2026, 1, 1)), testkit.WithStock(0))
	testkit.Product(t, m.DB, testkit.WithName("Rượu ngô", "Corn liquor"), testkit.WithSKU("RUOU-1"), testkit.WithCategory("II.1.a"))
	testkit.Product(t, m.DB, testkit.WithName("Nháp", ""), testkit.WithSKU("NHAP-1"), testkit.WithState("draft"))
	m.index(t)
	v := m.visitor(t)
	var vi, en productFeed
	page := v.Get("/feed/google.xml")
	read(t, page, &vi)
	read(t, v.Get("/en/feed/google.xml"), &en)
	if len(vi.Items) != 4 || len(en.Items) != 4 {
		t.Fatalf("%d and %d items: %+v", len(vi.Items), len(en.Items), vi.Items)
	}
	cards, err := m.Store.Cards(t.Context(), []int64{coconut, tea, odd})
	if err != nil {
		t.Fatal(err)
	}
	items := vi.Items
	for i, id := range []int64{coconut, tea, odd} {
		c := cards[id]
		at := map[int]int{0: 0, 1: 1, 2: 3}[i]
		stock, stars := "out_of_stock", ""
		if c.InStock {
			stock = "in_stock"
		}
		if c.Stars > 0 {
			stars = fmt.Sprintf("ocop-%d", c.Stars)
		}
		if got := items[at]; got.ID != c.SKU || got.Price != fmt.Sprintf("%d VND", int64(c.Price)) || got.Stock != stock || got.Stars != stars ||
			got.Link != "http://cho.test/san-pham/"+c.Slug || got.About == "" || got.Known != "no" {
			t.Errorf("the feed says %+v, the shop %+v", got, c)
		}
	}
	if items[0].Stars != "ocop-5" || items[3].Title != "Mắm <ngon> & đậm" || items[1].Group == "" || items[1].Group != items[2].Group || items[2].Stock != "out_of_stock" {
		t.Errorf("items %+v", items)
	}
	if en.Items[0].Title != "Tra Vinh waxy coconut" || en.Items[0].Link != "http://cho.test/en/san-pham/"+cards[coconut].Slug {
		t.Errorf("in English %+v", en.Items[0])
	}
	tag := page.Header.Get("ETag")
	v.Header.Set("If-None-Match", tag)
	again := v.Get("/feed/google.xml")
	if tag == "" || page.Header.Get("Last-Modified") == "" || again.Status != 304 {
		t.Errorf("tag %q, then %d", tag, again.Status)
	}
}
