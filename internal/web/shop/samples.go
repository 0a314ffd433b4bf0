package shop

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/search"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// sampler collects samples. They come out of the same functions as the pages themselves, fed with
// values from samplegoods.go, so that they stay true when a page changes.
type sampler struct {
	*Shop
	l   i18n.Locale
	out []kit.Sample
	err error
}

// Samples are all pages of shoppers in each of their states, in a language.
func (s *Shop) Samples(l i18n.Locale) ([]kit.Sample, error) {
	g := &sampler{Shop: s, l: l}
	g.home()
	g.lists()
	g.products()
	g.places()
	g.proofs()
	g.baskets()
	g.checkouts()
	g.purchases()
	g.testCards()
	g.policies()
	g.people()
	g.errors()
	g.add("shop/gallery", "usual", galleryPage(g.frame("/_gallery"), g.out))
	return g.out, g.err
}

func (g *sampler) add(page, state string, m kit.Model) {
	g.out = append(g.out, kit.Sample{Page: page, State: state, Model: m})
}

func (g *sampler) frame(path string) kit.Page { return g.Views.SamplePage(g.l, path) }

// drawn remembers the first fault of drawing a code.
func (g *sampler) drawn(err error) {
	if g.err == nil {
		g.err = err
	}
}

func (g *sampler) home() {
	cards := g.cards()
	data := storefront.Home{FiveStar: cards[:4], Newest: cards, Provinces: provinceFacets, Showrooms: g.showrooms(),
		Numbers: storefront.Numbers{Products: 471, Producers: 312, Provinces: 34, Certificates: 208},
		Story:   &storefront.Story{Card: cards[1], TextVI: sampleStoryVI, TextEN: sampleStoryEN}}
	for _, c := range categories {
		data.Tiles = append(data.Tiles, storefront.Tile{Category: c.Category, Count: c.Count})
	}
	usual := g.frame("/")
	usual.CartCount = 3
	g.add("shop/home", "usual", homePage(usual, data))
	g.add("shop/home", "market without goods", homePage(g.frame("/"), storefront.Home{}))
}

func (g *sampler) lists() {
	cards := g.cards()
	show := func(state string, f storefront.Filter, pairs []string, data storefront.Listing) {
		q := query{map[string][]string{}}
		for i := 0; i < len(pairs); i += 2 {
			q.Add(pairs[i], pairs[i+1])
		}
		p := g.frame("/san-pham")
		p.Query, p.NoIndex = q.Encode(), len(pairs) > 0
		g.add("shop/list", state, listPage(p, f, q, data))
	}
	show("usual, first of many pages", storefront.Filter{Page: 1}, nil,
		storefront.Listing{Cards: cards, Total: 471, Facets: facets(), Page: 1, Pages: 20})
	chosen := facets()
	chosen.Categories[0].Open, chosen.Categories[1].Selected = true, true
	chosen.Stars[0].Selected, chosen.Provinces[0].Selected, chosen.Prices[1].Selected = true, true, true
	province, category := provinces[0], categories[1].Category
	show("everything chosen, one item, goods for adults left out",
		storefront.Filter{Q: "tra vinh dua sap", Category: category.Slug, Stars: []int{5, 4}, Province: province.Slug, MinPrice: 100_000, MaxPrice: 300_000, InStock: true, Sort: storefront.SortCheap, Page: 1},
		[]string{paramQ, "tra vinh dua sap", paramCategory, category.Slug, paramStars, "5", paramStars, "4", paramProvince, province.Slug, paramPrice, "100000-300000", paramStock, "1", paramSort, "gia-tang"},
		storefront.Listing{Cards: cards[:1], Total: 1, Facets: chosen, Hidden: 2, Page: 1, Pages: 1, Category: &category, Province: &province})
	show("nothing found, near names", storefront.Filter{Q: "nước mấm", Page: 1}, []string{paramQ, "nước mấm"},
		storefront.Listing{Cards: cards[:2], Near: true, Facets: facets(), Page: 1, Pages: 1})
	show("empty", storefront.Filter{Q: strings.Repeat("không có gì ", 16), Page: 1}, []string{paramQ, strings.Repeat("không có gì ", 16)},
		storefront.Listing{Facets: storefront.Facets{Stars: facets().Stars, Prices: facets().Prices}, Page: 1})
	show("more than can be counted, a page in the middle", storefront.Filter{Page: 3}, nil,
		storefront.Listing{Cards: cards, Total: storefront.MaxCount, MoreThan: true, Facets: facets(), Page: 3, Pages: 417})
}

func (g *sampler) products() {
	now := g.Clock.Now()
	show := func(state string, change func(*storefront.Product), edit ...func(*Product)) {
		d := g.product()
		change(&d)
		m := productPage(g.frame("/san-pham/"+d.Slug), d, "", now)
		for _, e := range edit {
			e(m)
		}
		g.add("shop/product", state, m)
	}
	show("usual", func(*storefront.Product) {})
	show("one size, few left, no picture, maker not known", func(d *storefront.Product) {
		d.Picture, d.ProducerKnown, d.Variants = storefront.Picture{}, false, d.Variants[:1]
		d.Variants[0].Few, d.Variants[0].Available = true, 3
	})
	show("sold out", func(d *storefront.Product) {
		for i := range d.Variants {
			d.Variants[i].InStock, d.Variants[i].Available = false, 0
		}
	})
	show("expired certificate", func(d *storefront.Product) {
		d.StarState, d.Stars, d.Records = storefront.StarsExpired, 0, []storefront.Record{g.record(storefront.ProofExpired)}
	})
	show("certificate known by its year only", func(d *storefront.Product) {
		r := g.record(storefront.ProofValid)
		r.YearOnly, r.DecidedOn, r.DecisionNo, r.Issuer = true, nil, "", ""
		d.Records = []storefront.Record{r}
	})
	show("no certificate", func(d *storefront.Product) { d.StarState, d.Stars, d.Records = storefront.StarsNone, 0, nil })
	show("revoked certificate", func(d *storefront.Product) {
		d.StarState, d.Stars, d.Records = storefront.StarsExpired, 0, []storefront.Record{g.record(storefront.ProofRevoked)}
	})
	show("service, contact only, longest names", func(d *storefront.Product) {
		d.NameVI, d.NameEN = longestProduct, longestProductEN
		d.ProducerName, d.Rules.ContactOnly, d.ContactOnly, d.Variants = longestMaker, true, true, d.Variants[:1]
	})
	show("for adults, pickup only", func(d *storefront.Product) { d.Rules.AdultsOnly, d.Rules.NoParcel, d.AdultsOnly = true, true, true })
	show("health food", func(d *storefront.Product) { d.Rules.NotAMedicine = true })
	show("not sold here", func(d *storefront.Product) {
		d.Variants, d.More, d.Similar, d.Showrooms, d.Facts = nil, nil, nil, nil, nil
	})
	show("quantity refused", func(*storefront.Product) {}, func(m *Product) {
		m.Quantity = "0"
		m.Explain(apperr.List{apperr.Field("quantity", "cart.quantity.range", "max", cart.MaxQuantity)})
	})
	show("size no longer sold", func(*storefront.Product) {}, func(m *Product) {
		m.Explain(apperr.List{apperr.Field("sku", "cart.refused.gone")})
	})
	g.add("shop/age", "usual", agePage(g.frame("/san-pham/ruou-lang-van")))
	found := []search.Suggestion{
		{Kind: search.SuggestCategory, Slug: "tra", NameVI: "Trà", NameEN: "Tea"},
		{Kind: search.SuggestProduct, Slug: "mat-hoa-dua", NameVI: longestProduct, NameEN: longestProductEN, Note: longestMaker},
		{Kind: search.SuggestProducer, Slug: "u-minh-ha", NameVI: longestMaker, Note: "Cà Mau"},
		{Kind: search.SuggestProvince, Slug: "vinh-long", NameVI: "Vĩnh Long"},
		{Kind: search.SuggestFormer, Slug: "vinh-long", NameVI: "Trà Vinh", Note: "Vĩnh Long"},
		{Kind: search.SuggestCommune, Slug: "vinh-long", NameVI: "Xã Tiểu Cần", NameEN: "Tiểu Cần Commune", Note: "Vĩnh Long"},
	}
	m, err := suggestions(g.frame("/goi-y"), found)
	g.drawn(err)
	g.out = append(g.out, kit.Sample{Page: "shop/suggest", State: "every kind", Part: "part", Model: m})
}

func (g *sampler) places() {
	cards := g.cards()
	g.add("shop/provinces", "usual", provincesPage(g.frame("/tinh"), provinces, provinceFacets))
	way := []storefront.Crumb{{TextVI: "Chợ OCOP", TextEN: "OCOP market", Path: "/"}, {TextVI: "34 tỉnh, thành", TextEN: "34 provinces", Path: "/tinh"}, {TextVI: "Vĩnh Long"}}
	full := storefront.ProvincePage{Province: provinces[0], Former: []string{"Trà Vinh", "Bến Tre"}, Showrooms: g.showrooms(), Crumbs: way,
		Producers: []storefront.Producer{g.maker(), {Name: "Hợp tác xã Nông nghiệp Xanh", Slug: "nong-nghiep-xanh", NameKnown: true}},
		Listing:   storefront.Listing{Cards: cards, Total: 24, Hidden: 1}}
	g.add("shop/province", "usual", provincePage(g.frame("/tinh/vinh-long"), full))
	g.add("shop/province", "no goods yet", provincePage(g.frame("/tinh/vinh-long"), storefront.ProvincePage{Province: provinces[0], Crumbs: way}))
	g.add("shop/province", "only goods for adults", provincePage(g.frame("/tinh/vinh-long"),
		storefront.ProvincePage{Province: provinces[0], Crumbs: way, Listing: storefront.Listing{Hidden: 3}}))
	known := storefront.ProducerPage{Producer: g.maker(), Crumbs: way, Listing: storefront.Listing{Cards: cards, Total: 8, Hidden: 2}}
	g.add("shop/producer", "longest name", producerPage(g.frame("/nha-san-xuat/u-minh-ha"), known))
	known.Producer.Name, known.Producer.NameEN, known.Producer.NameKnown, known.StoryVI, known.StoryEN = "", "", false, "", ""
	known.Producer.Kind, known.Producer.CommuneName, known.Producer.CommuneEN = "", "", ""
	known.Listing = storefront.Listing{Cards: cards[:1], Total: 1}
	g.add("shop/producer", "name not known, one item", producerPage(g.frame("/nha-san-xuat/chua-ro"), known))
	g.add("shop/showrooms", "usual", showroomsPage(g.frame("/diem-ban"), g.showrooms()))
	g.add("shop/showrooms", "empty", showroomsPage(g.frame("/diem-ban"), nil))
	point := storefront.ShowroomPage{Showroom: g.showrooms()[0], Crumbs: way}
	g.add("shop/showroom", "usual", showroomPage(g.frame("/diem-ban/"+point.Slug), point))
	point = storefront.ShowroomPage{Showroom: g.showrooms()[1], Crumbs: way}
	g.add("shop/showroom", "demo, little known", showroomPage(g.frame("/diem-ban/"+point.Slug), point))
}

func (g *sampler) proofs() {
	show := func(state string, d storefront.Proof) {
		m := proofPage(g.frame("/xac-minh/"+d.Code), d)
		g.drawn(g.drawProof(m))
		g.add("shop/proof", state, m)
	}
	base := storefront.Proof{Record: g.record(storefront.ProofValid), CheckedAt: g.Clock.Now(),
		Products: []storefront.ProofProduct{{Card: g.cards()[0], PlaceText: "xã Phú Cần, huyện Tiểu Cần", OldProvince: "Trà Vinh", CommuneName: "Xã Tiểu Cần", CommuneEN: "Tiểu Cần Commune", Published: true}},
		History:  []storefront.Record{g.record(storefront.ProofExpired)}}
	show("valid", base)
	for _, state := range []string{storefront.ProofExpired, storefront.ProofRevoked, storefront.ProofFuture} {
		d := base
		d.Record, d.History = g.record(state), nil
		show(state, d)
	}
	d := base
	d.YearOnly, d.DecidedOn, d.DecisionNo, d.Issuer, d.Products[0].Published = true, nil, "", "", false
	show("known by its year only", d)
	g.add("shop/verify", "usual", verifyPage(g.frame("/xac-minh"), "", nil))
	g.add("shop/verify", "nothing typed", verifyPage(g.frame("/xac-minh"), "", apperr.Field("ma", "verify.empty")))
	typed := "OCOP-KHONG-CO-MA-NAY-" + strings.Repeat("9", 39)
	g.add("shop/verify", "unknown code", verifyPage(g.frame("/xac-minh"), typed, apperr.Field("ma", "verify.unknown", "code", typed)))
}

func (g *sampler) baskets() {
	names := map[string]string{"86": "Vĩnh Long", "96": "Cà Mau"}
	show := func(state string, v cart.View, edit ...func(*Basket)) {
		m := basketPage(g.frame("/gio-hang"), v, nil, names)
		for _, e := range edit {
			e(m)
		}
		g.add("shop/basket", state, m)
	}
	show("empty", cart.View{})
	show("one item, just added", g.basketOf(1, nil), func(m *Basket) { m.Said = m.T("basket.added") })
	show("two sellers, longest names, goods for adults", g.basketOf(2, func(v *cart.View) { v.Adults = true }))
	show("changed price, short, sold out and gone", g.basketOf(2, func(v *cart.View) {
		lines := v.Sellers[0].Lines
		lines[0].PriceSeen = 79_000
		lines[1].Problem, lines[1].Available = cart.Short, 1
		v.Sellers[1].Lines[0].Problem = cart.SoldOut
		v.Sellers[1].Lines[1].Problem = cart.Gone
		v.Blocked = true
	}))
	show("quantity refused", g.basketOf(2, nil), func(m *Basket) {
		m.Explain(apperr.List{apperr.Field("quantity", "cart.quantity.range", "max", cart.MaxQuantity)})
		m.Sellers[0].Lines[0].Err = m.Err("quantity")
	})
}

func (g *sampler) checkouts() {
	names := map[string]string{"86": "Vĩnh Long", "96": "Cà Mau"}
	show := func(state string, f CheckoutForm, q order.Quote, faults apperr.List, edit ...func(*Checkout)) {
		m := &Checkout{Page: g.frame("/thanh-toan"), F: f, RequestKey: "mau"}
		if m.offerProvinces(provinces) {
			m.offerCommunes(communes)
		}
		m.Explain(faults)
		m.fill(q, names)
		for _, e := range edit {
			e(m)
		}
		g.add("shop/checkout", state, m)
	}
	show("just opened", CheckoutForm{}, g.quote(false), nil)
	full := CheckoutForm{Name: "Nguyễn Thị Hòa", Phone: "0912 345 678", Email: "hoa@vidu.vn", Province: "86", Commune: "29341", Street: "12 ấp Đại Mong",
		Method: "vietqr", Terms: true}
	show("filled, two sellers", full, g.quote(true), nil)
	one := g.quote(true)
	one.Sellers, one.Discount, one.AdultsOnly = one.Sellers[:1], 20_000, true
	one.Methods[0] = order.MethodQuote{Method: payment.COD, WhyKey: "order.no_cod_for_alcohol"}
	show("discount, goods for adults, no cash on delivery", full, one, nil)
	wrong := CheckoutForm{Name: "", Phone: "12", Email: "hoa", Province: "86", Commune: "", Street: strings.Repeat("x", 210), Note: strings.Repeat("Gọi trước khi giao. ", 30),
		InvoiceCompany: strings.Repeat("Công ty ", 40), InvoiceTaxCode: "12"}
	every := g.quote(true)
	every.AdultsOnly = true
	show("faults on every field", wrong, every, everyFault(every))
	sold := apperr.List{apperr.New(apperr.Conflict, "order.line.sold_out", "name", longestProduct), apperr.New(apperr.Conflict, "order.price_changed", "total", every.Total)}
	show("price changed since", full, every, nil, func(m *Checkout) {
		v := g.basketOf(2, nil)
		v.Sellers[0].Lines[0].PriceSeen = 79_000
		m.Changed = changes(&m.Page, v, nil)
	})
	show("sold out meanwhile", full, every, sold)
}

// everyFault is a fault on each field of the checkout form.
func everyFault(q order.Quote) apperr.List {
	_, phone := i18n.ParsePhone("12")
	faults, _ := apperr.As(phone)
	for _, e := range faults {
		e.Field = "phone"
	}
	faults = append(faults,
		apperr.Field("name", "order.name.required"),
		apperr.Field("email", "order.email.form"),
		apperr.Field("province", "geo.province.required"),
		apperr.Field("commune", "geo.commune.required"),
		apperr.Field("street", "order.text.too_long", "max", 200, "n", 210),
		apperr.Field("method", "order.method.required"),
		apperr.Field("note", "order.text.too_long", "max", 500, "n", 600),
		apperr.Field("invoice_company", "order.text.too_long", "max", 200, "n", 320),
		apperr.Field("invoice_tax_code", "order.tax_code.form"),
		apperr.Field("invoice_address", "order.invoice_address.required"),
		apperr.Field("consent_age", "order.consent.age_required"),
		apperr.Field("consent_terms", "order.consent.terms_required"),
		apperr.New(apperr.Conflict, "order.cart_changed"))
	for _, s := range q.Sellers {
		faults = append(faults, apperr.Field(fmt.Sprintf("pickup_%d", s.ProducerID), "order.delivery.none", "seller", s.Name))
	}
	return faults
}

func (g *sampler) purchases() {
	show := func(state string, v order.GroupView, edit ...func(*Purchase)) {
		m := purchasePage(g.frame("/don-hang/"+v.Code), v, "mau", communes[0], provinces[0])
		m.News, m.Refresh = "", "" // there is no such purchase to hear of
		for _, e := range edit {
			e(m)
		}
		g.drawn(g.payStep(m, v))
		g.add("shop/order", state, m)
	}
	show("transfer, step 1 of 2", g.purchase(payment.VietQR, order.AwaitingPayment))
	second := g.purchase(payment.VietQR, order.AwaitingPayment)
	second.Orders[0] = g.purchase(payment.VietQR, order.Placed).Orders[0]
	show("transfer, step 2 of 2", second)
	single := g.purchase(payment.VietQR, order.AwaitingPayment)
	single.Orders = single.Orders[:1]
	show("transfer, one seller", single)
	for _, state := range []order.State{order.Placed, order.Packed, order.Shipped, order.Delivered} {
		show("cash, "+string(state), g.purchase(payment.COD, state))
	}
	late := g.purchase(payment.COD, order.Packed)
	show("too late to cancel", late, func(m *Purchase) { m.Explain(apperr.List{apperr.New(apperr.Conflict, "order.too_late")}) })
	refund := g.purchase(payment.VietQR, order.Cancelled)
	for i := range refund.Orders {
		refund.Orders[i].NeedsRefund = true
	}
	show("cancelled, refund due", refund, func(m *Purchase) { m.Said = m.T("order.cancelled_said") })
	show("cash, cancelled", g.purchase(payment.COD, order.Cancelled))
	show("expired", g.purchase(payment.VietQR, order.Expired))
	show("card, to be paid", g.purchase(payment.Card, order.AwaitingPayment))
	away := g.purchase(payment.Card, order.AwaitingPayment)
	show("card, provider away", away, func(m *Purchase) { m.Explain(apperr.List{apperr.New(apperr.Unavailable, "order.card_away")}) })
	show("card, paid", g.purchase(payment.Card, order.Placed))
	back := g.purchase(payment.Card, order.Cancelled)
	for i, state := range []payment.RefundState{payment.RefundDue, payment.RefundSent, payment.RefundFailed, payment.RefundDone} {
		o := &back.Orders[i%len(back.Orders)]
		o.NeedsRefund = i < 2
		o.Refunds = append(o.Refunds, payment.Refund{Amount: o.Total, State: state, UpdatedAt: back.PlacedAt})
	}
	show("card, refunds", back)
	show("cash, returned", g.purchase(payment.COD, order.Returned))
}

func (g *sampler) policies() {
	// A map's order changes; the gallery's addresses should not.
	for _, path := range slices.Sorted(maps.Keys(policies)) {
		m, err := g.policyPage(g.frame(path), policies[path])
		g.drawn(err)
		g.add("shop/policy", policies[path], m)
	}
}

func (g *sampler) errors() {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests,
		http.StatusInternalServerError, http.StatusServiceUnavailable} {
		g.add("error/error", fmt.Sprint(status), kit.NewFailure(g.frame("/san-pham/khong-co"), status, nil, "7K4M-92QX"))
	}
	known := apperr.List{apperr.New(apperr.TooMany, "error.too_many.text")}
	g.add("error/error", "429 with a reason", kit.NewFailure(g.frame("/"), http.StatusTooManyRequests, known, ""))
}
