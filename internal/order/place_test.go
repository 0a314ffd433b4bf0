package order_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/testkit"
)

var ctx = context.Background()

// keys are the text keys of a readable error; a fault fails the test.
func keys(t testing.TB, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	l, ok := apperr.As(err)
	if !ok {
		t.Fatalf("not a readable error: %v", err)
	}
	var out []string
	for _, e := range l {
		out = append(out, strings.TrimPrefix(e.Field+":"+e.Key, ":"))
	}
	return strings.Join(out, " ")
}

// together runs fn n times at once, all released by one channel.
func together(n int, fn func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { <-start; fn(i) })
	}
	close(start)
	wg.Wait()
}

func TestTwoHundredBuyersAtOnceShareFiftyPieces(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(50))
	forms := make([]order.Placement, 200)
	for i := range forms {
		forms[i] = k.Form(t, k.Basket(t, 1, product), payment.COD)
	}
	errs := make([]error, len(forms))
	together(len(forms), func(i int) { _, errs[i] = k.Orders.Place(ctx, forms[i]) })
	got := map[string]int{}
	for _, err := range errs {
		got[keys(t, err)]++
	}
	if got[""] != 50 || got["order.line.sold_out"] != 150 {
		t.Fatalf("50 orders and 150 refusals wanted, got %v", got)
	}
	var n, low, high int
	if err := d.Pool().QueryRow(ctx, `SELECT count(*), min(number_seq), max(number_seq) FROM orders`).Scan(&n, &low, &high); err != nil {
		t.Fatal(err)
	}
	if n != 50 || low != 1 || high != 50 {
		t.Fatalf("numbers 1 to 50 wanted, got %d numbers from %d to %d", n, low, high)
	}
	if left := k.Available(t, product); left != 0 {
		t.Fatalf("%d pieces left", left)
	}
}

func TestTheSameRequestAtTheSameMomentGivesOneOrder(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(100))
	form := k.Form(t, k.Basket(t, 2, product), payment.VietQR)
	answers := make([]order.Done, 20)
	errs := make([]error, 20)
	together(20, func(i int) { answers[i], errs[i] = k.Orders.Place(ctx, form) })
	first := 0
	for i, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
		if answers[i].Code != answers[0].Code || answers[i].Secret != answers[0].Secret {
			t.Fatalf("two answers: %v and %v", answers[0], answers[i])
		}
		if !answers[i].Replayed {
			first++
		}
	}
	if first != 1 {
		t.Fatalf("%d answers say they were first", first)
	}
	if left := k.Available(t, product); left != 98 {
		t.Fatalf("%d left", left)
	}
	if _, err := k.Orders.Find(ctx, answers[3].Code, answers[3].Secret); err != nil {
		t.Fatal(err)
	}
}

func TestAKeyBelongsToOneRequest(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d)
	form := k.Form(t, k.Basket(t, 1, product), payment.COD)
	placed, _ := k.Order(t, form)
	form.Note = "giao buổi sáng"
	_, err := k.Orders.Place(ctx, form)
	if l, _ := apperr.As(err); keys(t, err) != "order.key_reused" || l[0].Args["code"] != placed.Code || l.Kind() != apperr.Conflict {
		t.Fatalf("got %v", err)
	}
}

func TestOppositeBasketsDoNotDeadlock(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a, b := testkit.Product(t, d, testkit.WithStock(100)), testkit.Product(t, d, testkit.WithStock(100))
	forms := make([]order.Placement, 60)
	for i := range forms {
		goods := []int64{a, b}
		if i%2 == 1 {
			goods = []int64{b, a}
		}
		forms[i] = k.Form(t, k.Basket(t, 1, goods...), payment.COD)
	}
	errs := make([]error, len(forms))
	together(len(forms), func(i int) { _, errs[i] = k.Orders.Place(ctx, forms[i]) })
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	var waits int
	testkit.Scan(t, d, &waits, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	if waits != 0 {
		t.Fatalf("%d deadlocks", waits)
	}
}

func TestAPriceThatChangedIsSaidAndNotCharged(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithPrice(95_000))
	form := k.Form(t, k.Basket(t, 1, product), payment.COD)
	testkit.Exec(t, d, `UPDATE variant SET price = 99000`)
	_, err := k.Orders.Place(ctx, form)
	if keys(t, err) != "order.price_changed" {
		t.Fatalf("got %v", err)
	}
	l, _ := apperr.As(err)
	if l[0].Args["total"] != form.Expect+4_000 || l.Kind() != apperr.Conflict {
		t.Fatalf("the new total is not said: %v", l)
	}
	v, err := k.Carts.View(ctx, form.CartToken)
	if err != nil || !v.Sellers[0].Lines[0].PriceChanged() {
		t.Fatalf("the basket hides the change: %+v %v", v, err)
	}
	form.Expect += 4_000
	k.Order(t, form)
}

func TestTwoSellersMakeOnePurchaseOfTwoOrders(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	today := clock.Today(k.Clock)
	near := testkit.Producer(t, d, testkit.MakerIn("01"))
	far := testkit.Producer(t, d, testkit.MakerIn("86"))
	starred := testkit.Product(t, d, testkit.WithProducer(near), testkit.WithPrice(100_000), testkit.WithStars(4, today))
	lapsed := testkit.Product(t, d, testkit.WithProducer(far), testkit.WithPrice(50_000), testkit.WithStars(5, today.AddDays(-1)))
	v, _ := k.Order(t, k.Form(t, k.Basket(t, 3, starred, lapsed), payment.VietQR))
	if len(v.Orders) != 2 || v.Total != v.Orders[0].Total+v.Orders[1].Total {
		t.Fatalf("%+v", v)
	}
	one, two := v.Orders[0], v.Orders[1]
	if one.Shipping != 19_000 || two.Shipping != 36_000 { // 3 × 230 g: up to 1 kg in the province, and across the country
		t.Fatalf("shipping %v and %v", one.Shipping, two.Shipping)
	}
	if one.Lines[0].Stars != 4 || one.Lines[0].CertificateCode == "" || two.Lines[0].Stars != 0 {
		t.Fatalf("stars %d and %d: only what is valid on the day of the sale is kept", one.Lines[0].Stars, two.Lines[0].Stars)
	}
	if one.Payment.Account.AccountNo == two.Payment.Account.AccountNo || one.Payment.Amount != one.Total || !one.Payable {
		t.Fatal("each seller is paid to an account of their own")
	}
	for _, o := range v.Orders {
		if want := "OCOP " + strings.ReplaceAll(o.Code, "-", ""); o.Payment.Memo != want || !strings.Contains(o.Payment.Payload, want) {
			t.Fatalf("memo %q, code %q", o.Payment.Memo, o.Code)
		}
	}
	if one.Number != "2026-000001" || two.Number != "2026-000002" {
		t.Fatalf("numbers %s, %s", one.Number, two.Number)
	}
	var given bool
	testkit.Scan(t, d, &given, `SELECT given FROM consent WHERE purpose = 'marketing_email'`)
	if given {
		t.Fatal("an unticked box was taken for a yes")
	}
}

func TestAlcoholIsNeverPaidInCash(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	tea, liquor := testkit.Product(t, d), testkit.Product(t, d, testkit.WithCategory("II.1.a"))
	form := k.Form(t, k.Basket(t, 1, tea, liquor), payment.COD)
	form.Consents.Adult = false
	_, err := k.Orders.Place(ctx, form)
	if got := keys(t, err); got != "method:order.no_cod_for_alcohol consent_age:order.consent.age_required" {
		t.Fatalf("got %s", got)
	}
	form.Method, form.Consents.Adult = payment.VietQR, true
	k.Order(t, form)
}

// point opens a sales point in a province.
func point(t *testing.T, k *testkit.Checkout, code, province, commune string) (id int64) {
	t.Helper()
	testkit.Scan(t, k.DB, &id, `INSERT INTO showroom (code, slug, name_vi, name_en, kind, operator, province_code, commune_code, street, hours)
		VALUES ($1, lower($1), 'Điểm bán', 'Sales point', 'trade_centre', 'x', $2, $3, '1 Tràng Tiền', '[null,null,null,null,null,null,null]') RETURNING id`, code, province, commune)
	return id
}

func communeOf(t *testing.T, k *testkit.Checkout, province string) (code string) {
	t.Helper()
	testkit.Scan(t, k.DB, &code, `SELECT code FROM geo_commune WHERE province_code = $1 ORDER BY code LIMIT 1`, province)
	return code
}

func TestPickupInTheSellersProvinceCostsNothingAndNeedsAnOpenPoint(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	seller := testkit.Producer(t, d, testkit.MakerIn("01"))
	product := testkit.Product(t, d, testkit.WithProducer(seller))
	here := point(t, k, "HN-1", "01", "00070")
	form := k.Form(t, k.Basket(t, 1, product), payment.COD)
	form.Delivery = map[int64]order.Choice{seller: {Kind: order.ByPickup, ShowroomID: here + 1}}
	if _, err := k.Orders.Place(ctx, form); keys(t, err) != fmt.Sprintf("pickup_%d:order.delivery.not_open", seller) {
		t.Fatalf("got %v", err)
	}
	form.Delivery[seller] = order.Choice{Kind: order.ByPickup, ShowroomID: here}
	form.Expect = 95_000
	v, _ := k.Order(t, form)
	if v.Orders[0].Shipping != 0 || v.Orders[0].Showroom.ID != here {
		t.Fatalf("%+v", v.Orders[0])
	}
}

func TestPickupFarFromTheSellerCostsWhatTheCarrierTakes(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	seller := testkit.Producer(t, d, testkit.MakerIn("86"))
	product := testkit.Product(t, d, testkit.WithProducer(seller), testkit.WithPrice(95_000))
	buyers, sellers := point(t, k, "HN-1", "01", "00070"), point(t, k, "VL-1", "86", communeOf(t, k, "86"))
	form := k.Form(t, k.Basket(t, 1, product), payment.COD)
	quote, err := k.Orders.Quote(ctx, order.QuoteRequest{CartToken: form.CartToken, ProvinceCode: "01"})
	if err != nil {
		t.Fatal(err)
	}
	fees := map[order.Choice]int64{}
	for _, o := range quote.Sellers[0].Options {
		fees[o.Choice] = int64(o.Fee)
	}
	want := map[order.Choice]int64{{Kind: order.ByCarrier}: 28_000, {Kind: order.ByPickup, ShowroomID: buyers}: 28_000, {Kind: order.ByPickup, ShowroomID: sellers}: 0}
	if !maps.Equal(fees, want) {
		t.Fatalf("fees %v, want %v", fees, want)
	}
	form.Delivery = map[int64]order.Choice{seller: {Kind: order.ByPickup, ShowroomID: buyers}}
	v, _ := k.Order(t, form)
	if o := v.Orders[0]; o.Shipping != 28_000 || o.Total != 123_000 || o.Showroom.ID != buyers || o.CarrierName != "" {
		t.Fatalf("%+v", o)
	}
	// Before a province is chosen only the seller's own points are known.
	quote, err = k.Orders.Quote(ctx, order.QuoteRequest{CartToken: k.Basket(t, 1, product)})
	if err != nil || len(quote.Sellers[0].Options) != 2 || quote.Sellers[0].Options[0].Known || quote.Sellers[0].Options[1].ShowroomID != sellers {
		t.Fatalf("%+v %v", quote.Sellers, err)
	}
}

func TestLiveAnimalsTravelInNoParcel(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	seller := testkit.Producer(t, d, testkit.MakerIn("86"))
	bird := testkit.Product(t, d, testkit.WithCategory("V.3"), testkit.WithProducer(seller))
	point(t, k, "HN-1", "01", "00070") // of the buyer's province: nobody brings a bird there
	form := k.Form(t, k.Basket(t, 1, bird), payment.COD)
	if _, err := k.Orders.Place(ctx, form); !strings.HasSuffix(keys(t, err), "order.delivery.none") {
		t.Fatalf("got %v", err)
	}
	own := point(t, k, "VL-1", "86", communeOf(t, k, "86"))
	form.Expect = 95_000
	if v, _ := k.Order(t, form); v.Orders[0].Showroom.ID != own || v.Orders[0].Shipping != 0 {
		t.Fatalf("%+v", v.Orders[0])
	}
}

func TestAPhoneHoldsStockForCashOnlySoOften(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithStock(100))
	form := func(m payment.Method) order.Placement {
		f := k.Form(t, k.Basket(t, 1, product), m)
		f.Contact.Phone = "+84 987 654 321"
		return f
	}
	forms := make([]order.Placement, 2*order.MaxOpenCash)
	for i := range forms {
		forms[i] = form(payment.COD)
	}
	done, errs := make([]order.Done, len(forms)), make([]error, len(forms))
	together(len(forms), func(i int) { done[i], errs[i] = k.Orders.Place(ctx, forms[i]) })
	got := map[string]int{}
	var first order.Done
	for i, err := range errs {
		if got[keys(t, err)]++; err == nil {
			first = done[i]
		}
	}
	if got[""] != order.MaxOpenCash || got["method:order.cod_too_many"] != order.MaxOpenCash {
		t.Fatalf("got %v", got)
	}
	k.Order(t, form(payment.VietQR))
	// One that has left, or is called off, makes room for another.
	v, err := k.Orders.Find(ctx, first.Code, first.Secret)
	must(t, err)
	must(t, k.Orders.MarkPacked(ctx, v.Orders[0].Code, "seller"))
	if _, err := k.Orders.Place(ctx, form(payment.COD)); keys(t, err) != "method:order.cod_too_many" {
		t.Fatalf("got %v", err)
	}
	must(t, k.Orders.MarkShipped(ctx, v.Orders[0].Code, "seller"))
	k.Order(t, form(payment.COD))
	if _, err := k.Orders.Place(ctx, form(payment.COD)); keys(t, err) != "method:order.cod_too_many" {
		t.Fatalf("got %v", err)
	}
	k.Clock.Advance(order.CashWindow)
	k.Order(t, form(payment.COD))
}

func TestCashHasALimit(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	dear := testkit.Product(t, d, testkit.WithPrice(20_000_000))
	if _, err := k.Orders.Place(ctx, k.Form(t, k.Basket(t, 1, dear), payment.COD)); keys(t, err) != "method:order.cod_too_much" {
		t.Fatalf("got %v", err)
	}
}

func TestASellerWithoutAccountTakesNoTransfer(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	product := testkit.Product(t, d, testkit.WithProducer(testkit.Producer(t, d, testkit.MakerWithoutBank())))
	form := k.Form(t, k.Basket(t, 1, product), payment.VietQR)
	if _, err := k.Orders.Place(ctx, form); keys(t, err) != "method:order.seller_without_account" {
		t.Fatalf("got %v", err)
	}
	form.Method = payment.COD
	k.Order(t, form)
}

func TestAllShortagesAreToldAtOnce(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	a, b, c := testkit.Product(t, d), testkit.Product(t, d), testkit.Product(t, d)
	form := k.Form(t, k.Basket(t, 8, a, b, c), payment.COD)
	k.Order(t, k.Form(t, k.Basket(t, 5, a, b), payment.COD))
	_, err := k.Orders.Place(ctx, form)
	if got := keys(t, err); got != "order.line.short order.line.short" {
		t.Fatalf("got %s", got)
	}
	if k.Available(t, c) != 10 {
		t.Fatal("a refused order keeps stock")
	}
}

func TestAFilledFormIsRefusedFieldByField(t *testing.T) {
	d := testkit.DB(t)
	k := testkit.NewCheckout(t, d)
	form := k.Form(t, k.Basket(t, 1, testkit.Product(t, d)), payment.COD)
	long := strings.Repeat("ạ", 501)
	for _, c := range []struct {
		name string
		bend func(*order.Placement)
		want string
	}{
		{"nothing", func(p *order.Placement) {
			p.Contact, p.Address, p.Method, p.Consents = order.Contact{}, order.Address{}, "", order.Consents{}
		}, "name:order.name.required phone:phone.empty province:geo.province.required street:order.street.required method:order.method.required consent_terms:order.consent.terms_required"},
		{"long", func(p *order.Placement) { p.Contact.Name, p.Note = long, long }, "name:order.text.too_long note:order.text.too_long"},
		{"only signs", func(p *order.Placement) { p.Contact.Name = "---" }, "name:order.name.required"},
		{"control", func(p *order.Placement) { p.Contact.Name = "Hòa\x00" }, "name:order.text.odd_signs"},
		{"bell", func(p *order.Placement) { p.Address.Street = "12\x07 phố" }, "street:order.text.odd_signs"},
		{"new line in a name", func(p *order.Placement) { p.Contact.Name = "Hòa\nBcc: x@y.vn" }, "name:order.text.odd_signs"},
		{"turned text", func(p *order.Placement) { p.Note = "trả \u202e000.1" }, "note:order.text.odd_signs"},
		{"broken bytes", func(p *order.Placement) { p.Address.Street = "12 \xff\xfe" }, "street:order.text.odd_signs"},
		{"mail header", func(p *order.Placement) { p.Contact.Email = "a@b.vn\r\nBcc: c@d.vn" }, "email:order.email.form"},
		{"mail without domain", func(p *order.Placement) { p.Contact.Email = "hoa@localhost" }, "email:order.email.form"},
		{"two mails", func(p *order.Placement) { p.Contact.Email = "a@b.vn, c@d.vn" }, "email:order.email.form"},
		{"phone", func(p *order.Placement) { p.Contact.Phone = "0912 345 67" }, "phone:phone.missing_digit"},
		{"commune elsewhere", func(p *order.Placement) { p.Address.ProvinceCode = "86" }, "commune:geo.commune.not_in_province"},
		{"sql", func(p *order.Placement) { p.Address.ProvinceCode = "01'; DROP TABLE orders;--" }, "province:geo.province.unknown"},
		{"method", func(p *order.Placement) { p.Method = "gold" }, "method:order.method.required"},
		{"half an invoice", func(p *order.Placement) { p.Invoice.Company = "Công ty Thử" }, "invoice_tax_code:order.tax_code.form invoice_address:order.invoice_address.required"},
		{"check digit", func(p *order.Placement) {
			p.Invoice = order.Invoice{Company: "Công ty Thử", TaxCode: "0100109107", Address: "Hà Nội"}
		}, "invoice_tax_code:order.tax_code.form"},
		{"key", func(p *order.Placement) { p.RequestKey = "1" }, "order.request_key"},
		{"somebody else's basket", func(p *order.Placement) { p.CartToken = "guess" }, "order.cart_empty"},
		{"negative total", func(p *order.Placement) { p.Expect = -1 }, "order.price_changed"},
		{"delivery by stork", func(p *order.Placement) {
			p.Delivery = map[int64]order.Choice{}
			for id := range int64(50) {
				p.Delivery[id] = order.Choice{Kind: "stork"}
			}
		}, "pickup_*:order.delivery.not_open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := form
			c.bend(&p)
			_, err := k.Orders.Place(ctx, p)
			got := keys(t, err)
			if i := strings.Index(got, ":"); strings.HasPrefix(got, "pickup_") {
				got = "pickup_*" + got[i:]
			}
			if got != c.want {
				t.Fatalf("got  %s\nwant %s", got, c.want)
			}
		})
	}
	form.Invoice = order.Invoice{Company: "Công ty Thử", TaxCode: "0100109106-001", Address: "Hà Nội"}
	form.Note = "  <script>alert(1)</script>\r\n'; -- 🎁  "
	form.Contact.Name = "Nguye\u0302\u0303n Văn A" // decomposed
	v, _ := k.Order(t, form)
	if v.Note != "<script>alert(1)</script>\n'; -- 🎁" || v.Contact.Name != "Nguyễn Văn A" || v.Contact.Phone != "+84912345678" {
		t.Fatalf("%q %q %q", v.Note, v.Contact.Name, v.Contact.Phone)
	}
}

func TestStatementsDoNotGrowWithTheBasket(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	k := testkit.NewCheckout(t, d)
	var goods []int64
	for range 30 {
		goods = append(goods, testkit.Product(t, d, testkit.WithProducer(0)))
		if len(goods) > 15 { // fifteen sellers, then more goods of the first
			testkit.Exec(t, d, `UPDATE product SET producer_id = (SELECT producer_id FROM product WHERE id = $2) WHERE id = $1`, goods[len(goods)-1], goods[0])
			testkit.Exec(t, d, `UPDATE stock_level SET owner_id = p.producer_id, location_id = l.id FROM variant v JOIN product p ON p.id = v.product_id
				JOIN stock_location l ON l.producer_id = p.producer_id WHERE v.id = stock_level.variant_id AND p.id = $1`, goods[len(goods)-1])
		}
	}
	cost := func(goods []int64) (view, quote, place, find int) {
		token := k.Basket(t, 1, goods...)
		form := k.Form(t, token, payment.VietQR)
		var done order.Done
		var err error
		check := func() {
			if err != nil {
				t.Fatal(err)
			}
		}
		view = len(counter.During(func() { _, err = k.Carts.View(ctx, token) }))
		check()
		quote = len(counter.During(func() { _, err = k.Orders.Quote(ctx, order.QuoteRequest{CartToken: token, ProvinceCode: "01"}) }))
		check()
		place = len(slices.DeleteFunc(counter.During(func() { done, err = k.Orders.Place(ctx, form) }), func(sql string) bool {
			return strings.Contains(sql, "PGNotify") // the queue wakes its workers once in a while, not each time
		}))
		check()
		find = len(counter.During(func() { _, err = k.Orders.Find(ctx, done.Code, done.Secret) }))
		check()
		return
	}
	cost(goods[:1]) // fills what is kept in memory
	v1, q1, p1, f1 := cost(goods[:1])
	v30, q30, p30, f30 := cost(goods)
	if v1 != v30 || q1 != q30 || p1 != p30 || f1 != f30 {
		t.Fatalf("statements for 1 and 30 lines: view %d/%d, quote %d/%d, place %d/%d, find %d/%d", v1, v30, q1, q30, p1, p30, f1, f30)
	}
	t.Logf("statements: view %d, quote %d, place %d, find %d", v1, q1, p1, f1)
}
