package shop

import (
	"fmt"
	"strconv"
	"time"

	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/storefront"
)

// The longest names that are really in use; what holds these holds all.
const (
	longestMaker     = "Công ty TNHH thương mại, dịch vụ du lịch sinh thái U Minh Hạ Huỳnh Quốc Sơn"
	longestProduct   = "Điểm du lịch sinh thái tâm linh đền - chùa Rú Gám"
	longestProductEN = "Suối Giàng Lục Bách Niên ancient Shan green tea"
	longestPlace     = "thôn Khau Phụ, thị trấn Bình Gia, huyện Bình Gia"
	longestUnit      = "thùng 24 chai 500 ml"
	longestUnitEN    = "case of 24 bottles of 500 ml"
)

const (
	sampleStoryVI = "Người ở Tiểu Cần leo lên ngọn dừa từ tờ mờ sáng, rạch bắp hoa và hứng từng giọt mật. Hai mươi lít mật cô lửa nhỏ mới được ba lít."
	sampleStoryEN = "In Tiểu Cần people climb the palms before sunrise and tap the blossoms drop by drop. Twenty litres boil down to three."
)

var (
	provinces = []geo.Province{
		{Code: "86", Name: "Vĩnh Long", NameEN: "Vinh Long", Slug: "vinh-long", Kind: "tỉnh", Region: "south"},
		{Code: "01", Name: "Hà Nội", NameEN: "Hanoi", Slug: "ha-noi", Kind: "thành phố", Region: "north"},
		{Code: "48", Name: "Đà Nẵng", NameEN: "Da Nang", Slug: "da-nang", Kind: "thành phố", Region: "central"},
		{Code: "79", Name: "Thành phố Hồ Chí Minh", NameEN: "Ho Chi Minh City", Slug: "ho-chi-minh", Kind: "thành phố", Region: "south"},
	}
	communes = []geo.Commune{
		{Code: "29341", ProvinceCode: "86", Name: "Tiểu Cần", Kind: "xã"},
		{Code: "29308", ProvinceCode: "86", Name: "Cầu Kè", Kind: "xã"},
	}
	provinceFacets = []storefront.ProvinceFacet{
		{Code: "86", Slug: "vinh-long", Name: "Vĩnh Long", NameEN: "Vinh Long", Count: 24},
		{Code: "01", Slug: "ha-noi", Name: "Hà Nội", NameEN: "Hanoi", Count: 18},
		{Code: "48", Slug: "da-nang", Name: "Đà Nẵng", NameEN: "Da Nang", Count: 9},
		{Code: "66", Slug: "dak-lak", Name: "Đắk Lắk", NameEN: "Dak Lak", Count: 9},
		{Code: "40", Slug: "nghe-an", Name: "Nghệ An", NameEN: "Nghe An", Count: 8},
		{Code: "96", Slug: "ca-mau", Name: "Cà Mau", NameEN: "Ca Mau", Count: 7},
		{Code: "04", Slug: "cao-bang", Name: "Cao Bằng", NameEN: "Cao Bang", Count: 5},
		{Code: "20", Slug: "lang-son", Name: "Lạng Sơn", NameEN: "Lang Son", Count: 3},
		{Code: "79", Slug: "ho-chi-minh", Name: "Thành phố Hồ Chí Minh", NameEN: "Ho Chi Minh City", Count: 1},
	}
	categories = []storefront.CategoryFacet{
		{Category: storefront.Category{Code: "I", Slug: "thuc-pham", NameVI: "Thực phẩm", NameEN: "Food", ShortVI: "Thực phẩm", ShortEN: "Food", SetNo: 1}, Count: 300},
		{Category: storefront.Category{Code: "I.3", ParentCode: "I", Slug: "thuc-pham-tho", NameVI: "Thực phẩm thô, sơ chế", NameEN: "Raw and prepared food", ShortVI: "Thực phẩm thô, sơ chế", ShortEN: "Raw and prepared", SetNo: 4}, Depth: 1, Count: 60},
		{Category: storefront.Category{Code: "II", Slug: "do-uong", NameVI: "Đồ uống", NameEN: "Drinks", ShortVI: "Đồ uống", ShortEN: "Drinks", SetNo: 14}, Count: 71},
		{Category: storefront.Category{Code: "VI", Slug: "du-lich", NameVI: "Dịch vụ du lịch cộng đồng, du lịch sinh thái và điểm du lịch", NameEN: "Community tourism, ecotourism and places to visit", ShortVI: "Du lịch nông thôn", ShortEN: "Rural tourism", SetNo: 26}, Count: 12},
	}
)

// facets are new on each call, so that a sample may choose some.
func facets() storefront.Facets {
	f := storefront.Facets{InStock: 402, All: 471}
	f.Categories = append(f.Categories, categories...)
	f.Provinces = append(f.Provinces, provinceFacets...)
	f.Stars = []storefront.StarFacet{{Stars: 5, Count: 61}, {Stars: 4, Count: 98}, {Stars: 3, Count: 49}}
	f.Prices = []storefront.PriceFacet{{Max: 100_000, Count: 150}, {Min: 100_000, Max: 300_000, Count: 220}, {Min: 300_000, Count: 101}}
	return f
}

func (g *sampler) picture(set int) storefront.Picture {
	frame := g.frame("/")
	src := frame.Asset("img/set/" + strconv.Itoa(set) + ".svg")
	var p storefront.Picture
	p.ID, p.Width, p.Height, p.Src, p.SrcSet = int64(set), 640, 640, src, src+" 640w"
	p.AltVI, p.AltEN, p.Drawing = "Hình vẽ minh họa", "Drawing", true
	return p
}

// cards are goods in every state of a card.
func (g *sampler) cards() []storefront.Card {
	base := storefront.Card{SKU: "P0001", Slug: "mat-hoa-dua", NameVI: "Mật hoa dừa", NameEN: "Coconut blossom nectar",
		ProducerName: "Công ty TNHH Trà Vinh Farm", ProducerSlug: "tra-vinh-farm", ProducerKnown: true, ProvinceCode: "86", ProvinceName: "Vĩnh Long",
		ProvinceEN: "Vinh Long", ProvinceSlug: "vinh-long", SetNo: 4, Price: 95_000, PriceMax: 95_000, UnitVI: "chai 250 ml", UnitEN: "250 ml bottle",
		Stars: 5, StarState: storefront.StarsValid, InStock: true, Picture: g.picture(4)}
	change := []func(*storefront.Card){
		func(*storefront.Card) {},
		func(c *storefront.Card) { c.PriceMax, c.Stars, c.Picture = 480_000, 4, g.picture(9) },
		func(c *storefront.Card) {
			c.NameVI, c.NameEN, c.ProducerName, c.ProvinceName, c.ProvinceEN = longestProduct, longestProductEN, longestMaker, "Thành phố Hồ Chí Minh", "Ho Chi Minh City"
			c.ContactOnly, c.Picture = true, g.picture(26)
		},
		func(c *storefront.Card) {
			c.UnitVI, c.UnitEN, c.Price, c.PriceMax = longestUnit, longestUnitEN, 12_450_000, 12_450_000
		},
		func(c *storefront.Card) { c.InStock = false },
		func(c *storefront.Card) { c.StarState, c.Stars, c.NameEN = storefront.StarsExpired, 0, "" },
		func(c *storefront.Card) { c.StarState, c.Stars, c.ProducerKnown = storefront.StarsNone, 0, false },
		func(c *storefront.Card) { c.Picture = storefront.Picture{} },
	}
	out := make([]storefront.Card, len(change))
	for i := range out {
		out[i] = base
		out[i].Slug = fmt.Sprintf("%s-%d", base.Slug, i+1)
		change[i](&out[i])
	}
	return out
}

func (g *sampler) maker() storefront.Producer {
	return storefront.Producer{Slug: "u-minh-ha", Name: longestMaker, NameKnown: true, Kind: "company", ProvinceCode: "86", ProvinceName: "Vĩnh Long",
		ProvinceEN: "Vinh Long", ProvinceSlug: "vinh-long", CommuneName: "Xã Tiểu Cần", CommuneEN: "Tiểu Cần Commune", PlaceText: longestPlace, OldProvince: "Trà Vinh", StoryVI: sampleStoryVI, StoryEN: sampleStoryEN}
}

func (g *sampler) today() clock.Date { return clock.Today(g.Clock) }

func (g *sampler) record(state string) storefront.Record {
	decided := g.today().AddMonths(-20)
	switch state {
	case storefront.ProofExpired:
		decided = g.today().AddMonths(-60)
	case storefront.ProofFuture:
		decided = g.today().AddMonths(1)
	}
	r := storefront.Record{State: state, Record: certification.Record{Code: "OCOP-7K4M-92QX", Stars: 5, DecisionNo: "377/QĐ (Bộ NN&PTNT, 17/01/2025)", Level: "ministry",
		Issuer: "Bộ Nông nghiệp và Môi trường", DecidedOn: &decided, DecidedYear: decided.Y, Regime: "QĐ 148/QĐ-TTg", ValidFrom: decided,
		ValidTo: decided.AddMonths(36)}}
	if state == storefront.ProofRevoked {
		day := g.today().AddMonths(-1)
		r.RevokedOn, r.RevokedWhy = &day, "Cơ sở ngừng sản xuất"
	}
	return r
}

func (g *sampler) product() storefront.Product {
	cards := g.cards()
	sale := func(sku, vi, en string, price money.VND) storefront.Sale {
		return storefront.Sale{SKU: sku, GTIN: "8938505970011", UnitVI: vi, UnitEN: en, NetAmount: 250, NetUnit: "ml", Price: price, Estimate: true, Available: 40, InStock: true}
	}
	return storefront.Product{Card: cards[0], SummaryVI: "Mật cô đặc từ mật hoa dừa thu ở Tiểu Cần.", SummaryEN: "Concentrated nectar tapped from coconut blossoms in Tiểu Cần.",
		StoryVI: sampleStoryVI, StoryEN: sampleStoryEN, Eligibility: "ocop", PlaceText: longestPlace, OldProvince: "Trà Vinh",
		SourceURL: "https://kinhtetieudung.vn/them-22-san-pham.html", Demo: true, Category: categories[1].Category,
		Variants: []storefront.Sale{sale("P0001", "chai 250 ml", "250 ml bottle", 95_000), sale("P0001-24", longestUnit, longestUnitEN, 12_450_000)},
		Facts: []storefront.Fact{{Key: "net_content", ValueVI: "250 ml", ValueEN: "250 ml"},
			{Key: "ingredients", ValueVI: "Mật hoa dừa 100%", ValueEN: "Coconut blossom sap 100%"}},
		Pictures: []storefront.Picture{g.picture(4), g.picture(9), g.picture(26)},
		Records:  []storefront.Record{g.record(storefront.ProofValid), g.record(storefront.ProofExpired)}, Producer: g.maker(),
		More: cards[:5], Similar: cards[4:], Showrooms: g.showrooms(),
		Crumbs: []storefront.Crumb{{TextVI: "Chợ OCOP", TextEN: "OCOP market", Path: "/"}, {TextVI: "Thực phẩm", TextEN: "Food", Path: "/nhom/thuc-pham"}, {TextVI: "Mật hoa dừa", TextEN: "Coconut blossom nectar"}}}
}

func (g *sampler) showrooms() []storefront.Showroom {
	day := &showroom.Span{From: "08:00", To: "20:00"}
	known := storefront.Showroom{Showroom: showroom.Showroom{ID: 12, Slug: "diem-ban-tra-vinh", NameVI: "Điểm giới thiệu và bán sản phẩm OCOP Trà Vinh",
		NameEN: "Trà Vinh OCOP sales point", Kind: showroom.LocalCentre, Operator: longestMaker, Street: "12 Phạm Thái Bường",
		Hours: showroom.Hours{day, day, day, day, day, day, nil}, Phone: "+842943855246", SupportedSince: g.today().AddMonths(-14), OffersPickup: true},
		ProvinceName: "Vĩnh Long", ProvinceNameEN: "Vinh Long", ProvinceSlug: "vinh-long", Commune: communes[0], OpenToday: *day, OpenNow: true}
	demo := known
	demo.ID, demo.Slug, demo.Operator, demo.Phone, demo.Hours, demo.Demo, demo.OffersPickup = 13, "diem-ban-mau", "", "", showroom.Hours{}, true, false
	demo.SupportedSince, demo.OpenToday, demo.Kind = clock.Date{}, showroom.Span{}, showroom.PostOffice
	return []storefront.Showroom{known, demo}
}

func offer(n int) catalog.Offer {
	o := catalog.Offer{VariantID: int64(n), SKU: fmt.Sprintf("P%04d", n), Slug: "mat-hoa-dua", NameVI: "Mật hoa dừa", NameEN: "Coconut blossom nectar", UnitVI: "chai 250 ml",
		UnitEN: "250 ml bottle", ProducerName: "Công ty TNHH Trà Vinh Farm", ProvinceCode: "86", Price: 95_000, Sellable: true}
	if n%2 == 0 {
		o.NameVI, o.NameEN, o.UnitVI, o.UnitEN, o.Price = "Diệp Thanh Trà - Xanh Trà Shan Tuyết Sính Phình", longestProductEN, longestUnit, longestUnitEN, 12_450_000
	}
	return o
}

// sellers are the two of whom samples buy.
var sellers = []struct {
	id             int64
	name, province string
}{{7, "Công ty TNHH Trà Vinh Farm", "86"}, {9, longestMaker, "96"}}

// basketOf is a basket with one line, or with two lines of each of two sellers.
func (g *sampler) basketOf(n int, change func(*cart.View)) cart.View {
	var v cart.View
	for i := range n {
		part := cart.SellerPart{ProducerID: sellers[i].id, Name: sellers[i].name, ProvinceCode: sellers[i].province}
		for j := range n {
			o := offer(1 + i*2 + j)
			l := cart.Line{Offer: o, Quantity: 2, PriceSeen: o.Price, PriceNow: o.Price, Available: 40}
			part.Lines, part.Goods, v.Count = append(part.Lines, l), part.Goods+l.Total(), v.Count+l.Quantity
		}
		v.Sellers, v.Goods = append(v.Sellers, part), v.Goods+part.Goods
	}
	if change != nil {
		change(&v)
	}
	return v
}

// quote is the price of a basket of two sellers, before or after a province is chosen.
func (g *sampler) quote(complete bool) order.Quote {
	q := order.Quote{Complete: complete, Methods: []order.MethodQuote{{Method: payment.VietQR, Allowed: true}, {Method: payment.Card, Allowed: true}, {Method: payment.COD, Allowed: true}}}
	for i, s := range sellers {
		part := order.SellerQuote{ProducerID: s.id, Name: s.name, ProvinceCode: s.province, Chosen: 0}
		for j := range 2 {
			o := offer(1 + i*2 + j)
			l := order.QuoteLine{Offer: o, Quantity: 2, UnitPrice: o.Price, Total: o.Price * 2}
			part.Lines, part.Goods = append(part.Lines, l), part.Goods+l.Total
		}
		part.Options = []order.Option{{Choice: order.Choice{Kind: order.ByCarrier}, CarrierCode: "vnpost", CarrierName: "Bưu điện, bảng giá mẫu", CarrierNameEN: "Post, sample tariff", Known: complete, Fee: 32_000, DaysMin: 2, DaysMax: 4},
			{Choice: order.Choice{Kind: order.ByPickup, ShowroomID: 12}, Showroom: g.showrooms()[0].Showroom, Known: true, DaysMin: 3, DaysMax: 3}}
		if complete {
			part.Shipping = 32_000
		}
		part.Total = part.Goods + part.Shipping
		q.Sellers, q.Goods, q.Shipping, q.Total = append(q.Sellers, part), q.Goods+part.Goods, q.Shipping+part.Shipping, q.Total+part.Total
	}
	return q
}

// sampleMinutes is how long the goods of a sample order are still kept.
const sampleMinutes = 14 * time.Minute

// purchase is one of two sellers, all orders of it in one state.
func (g *sampler) purchase(m payment.Method, state order.State) order.GroupView {
	now := g.Clock.Now()
	v := order.GroupView{Code: "7K4M-92QX", PlacedAt: now, Method: m, Note: "Gọi trước khi giao.",
		Contact: order.Contact{Name: "Nguyễn Thị Hòa", Phone: "+84912345678", Email: "hoa@vidu.vn"},
		Address: order.Address{ProvinceCode: "86", CommuneCode: "29341", Street: "12 ấp Đại Mong"},
		Invoice: order.Invoice{Company: longestMaker, TaxCode: "0123456789-001", Address: "12 phố Hàng Gai, Hà Nội"}}
	for i, s := range sellers {
		o := order.OrderView{Code: fmt.Sprintf("7K4M-92QX-%d", i+1), Number: fmt.Sprintf("2026-%06d", i+1), State: state, Delivery: order.ByCarrier,
			CarrierName: "Bưu điện, bảng giá mẫu", CarrierNameEN: "Post, sample tariff", Shipping: 32_000, CanCancel: state == order.Placed || state == order.AwaitingPayment,
			Seller:  producer.Producer{ID: s.id, Name: s.name, NameKnown: true},
			Payment: payment.Payment{Method: m},
			History: []order.Event{{To: order.Placed, Actor: "buyer", At: now}}}
		for j := range 2 {
			l := offer(1 + i*2 + j)
			o.Lines = append(o.Lines, order.LineView{SKU: l.SKU, NameVI: l.NameVI, NameEN: l.NameEN, UnitVI: l.UnitVI, UnitEN: l.UnitEN, Quantity: 2,
				UnitPrice: l.Price, Total: l.Price * 2, Stars: 5 * j, CertificateCode: "OCOP-7K4M-92QX"})
			o.Goods += l.Price * 2
		}
		o.Total = o.Goods + o.Shipping
		switch state {
		case order.AwaitingPayment:
			until := now.Add(sampleMinutes)
			o.Payable, o.PayBefore = true, &until
			if m == payment.Card {
				break
			}
			o.BankName = "Ngân hàng TMCP Ngoại thương Việt Nam"
			o.Payment.Account = payment.Account{BankBIN: "970436", AccountNo: "9900000001", Holder: "CONG TY TNHH TRA VINH FARM", IsTest: true}
			o.Payment.Memo, o.Payment.Payload = o.Code, "00020101021238540010A00000072701240006970436011099000000010208QRIBFTTA53037045802VN6304ABCD"
		case order.Cancelled:
			o.History = append(o.History, order.Event{From: order.Placed, To: state, Actor: "buyer", Reason: "Đặt nhầm địa chỉ", At: now})
		case order.Expired:
			o.History = append(o.History, order.Event{From: order.AwaitingPayment, To: state, Actor: "system", Reason: "order.reason.unpaid", At: now})
		}
		if i == 1 {
			o.Delivery, o.Showroom = order.ByPickup, g.showrooms()[0].Showroom
		}
		v.Orders, v.Total = append(v.Orders, o), v.Total+o.Total
	}
	return v
}
