package testkit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"choocop.vn/ocop/internal/adapter/vietqr"
	"choocop.vn/ocop/internal/cart"
	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/job"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/promo"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/templates"
)

// Checkout is everything a purchase needs, on one database and one clock that stands still.
type Checkout struct {
	DB       *db.DB
	Clock    *clock.Settable
	Stock    *inventory.Service
	Payments *payment.Service
	Carts    *cart.Service
	Orders   *order.Service
	Mails    *Mailbox
	Money    *reconcile.Service
	Cards    *Cards

	forms atomic.Int64
}

// NewCheckout builds the services by hand, as the program does, with the given price rules. When the test ends it tries
// every invariant of stock, payments and orders.
func NewCheckout(t testing.TB, d *db.DB, rules ...promo.Rule) *Checkout {
	t.Helper()
	c := clock.Fixed(time.Date(2026, 11, 22, 10, 0, 0, 0, clock.HCM))
	queue, err := job.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	box, cards := &Mailbox{}, NewCards(t, c)
	tell, err := notify.New(d, c, box, templates.Files, notify.Site{Name: "Chợ OCOP", URL: "https://cho.example", Operator: "Đơn vị thử", Email: "thu@cho.example"})
	if err != nil {
		t.Fatal(err)
	}
	goods := catalog.New(d, c)
	k := &Checkout{DB: d, Clock: c, Stock: inventory.New(d, c), Payments: payment.New(vietqr.Generator{}, c, payment.Options{DB: d, Jobs: queue, Gateway: cards, PassOnShares: true}), Mails: box, Cards: cards}
	k.Carts = cart.New(d, c, goods, k.Stock).WithSecret([]byte("a secret of tests, thirty-two bytes"))
	k.Orders = order.New(order.Deps{DB: d, Clock: c, Jobs: queue, Geo: geo.New(d), Producers: producer.New(d, c), Catalog: goods,
		Showrooms: showroom.New(d), Stock: k.Stock, Promo: promo.New(c, rules...), Payments: k.Payments, Carts: k.Carts, Notify: tell},
		order.Config{Secret: []byte("a secret of tests, thirty-two bytes"), BaseURL: "https://cho.example", Operator: "thu@cho.example"})
	k.Money = reconcile.New(reconcile.Deps{DB: d, Clock: c, Jobs: queue, Producers: producer.New(d, c), Payments: k.Payments, Orders: k.Orders})
	t.Cleanup(func() { k.BooksHold(t) })
	return k
}

// BooksHold tries every invariant of stock, payments and orders now.
func (k *Checkout) BooksHold(t testing.TB) {
	t.Helper()
	LedgerHolds(t, k.DB)
	checks := order.Checks()
	for _, c := range payment.Checks() {
		checks = append(checks, order.Check(c))
	}
	for _, c := range reconcile.Checks() {
		checks = append(checks, order.Check(c))
	}
	for _, c := range checks {
		var n int64
		if err := k.DB.Pool().QueryRow(context.Background(), c.SQL).Scan(&n); err != nil {
			t.Fatalf("check %q: %v", c.Name, err)
		}
		if n != 0 {
			t.Errorf("%s: %d violations", c.Name, n)
		}
	}
}

// SKUOf is the code of a product's first variant.
func SKUOf(t testing.TB, d *db.DB, product int64) string {
	t.Helper()
	var sku string
	Scan(t, d, &sku, `SELECT sku FROM variant WHERE id = $1`, VariantOf(t, d, product))
	return sku
}

// Basket makes a basket with one piece, or as many as given, of each product, and returns its token.
func (k *Checkout) Basket(t testing.TB, pieces int, products ...int64) string {
	t.Helper()
	token := ""
	for _, p := range products {
		var err error
		if token, err = k.Carts.Add(context.Background(), token, SKUOf(t, k.DB, p), pieces); err != nil {
			t.Fatal(err)
		}
	}
	return token
}

// Form is a checkout form filled in correctly for a basket, to an address in Hà Nội, with the total that it costs now. The
// first comes from 0912 345 678, each further one from the next number.
func (k *Checkout) Form(t testing.TB, token string, m payment.Method) order.Placement {
	t.Helper()
	p := order.Placement{RequestKey: ident.Token(), CartToken: token, Locale: i18n.VI,
		Contact: order.Contact{Name: "Nguyễn Thị Hòa", Phone: fmt.Sprintf("0%d", 912_345_677+k.forms.Add(1)), Email: "hoa@vidu.vn"},
		Address: order.Address{ProvinceCode: "01", CommuneCode: "00070", Street: "12 phố Hàng Gai"},
		Method:  m, Consents: order.Consents{Terms: true, Adult: true}}
	q, err := k.Orders.Quote(context.Background(), order.QuoteRequest{CartToken: token, ProvinceCode: "01"})
	if err != nil {
		t.Fatal(err)
	}
	p.Expect = q.Total
	return p
}

// Order places a form and returns the purchase as its buyer sees it, and its secret.
func (k *Checkout) Order(t testing.TB, p order.Placement) (order.GroupView, string) {
	t.Helper()
	done, err := k.Orders.Place(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	v, err := k.Orders.Find(context.Background(), done.Code, done.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return v, done.Secret
}

// Available is what may still be promised of a product's first variant.
func (k *Checkout) Available(t testing.TB, product int64) int64 {
	t.Helper()
	id := VariantOf(t, k.DB, product)
	left, err := k.Stock.Available(context.Background(), k.DB.Primary(context.Background()), []int64{id})
	if err != nil {
		t.Fatal(err)
	}
	return left[id]
}

// Mailbox is a sender that keeps letters; it can be made to fail.
type Mailbox struct {
	mu      sync.Mutex
	letters []notify.Letter
	broken  bool
}

// Send keeps the letter.
func (m *Mailbox) Send(_ context.Context, l notify.Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return fmt.Errorf("testkit: the mail server is away")
	}
	m.letters = append(m.letters, l)
	return nil
}

// Break makes the mail server go away, or come back.
func (m *Mailbox) Break(broken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = broken
}

// Letters are those that came in, oldest first.
func (m *Mailbox) Letters() []notify.Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]notify.Letter(nil), m.letters...)
}

// Textbox is a way to send short messages that keeps them.
type Textbox struct {
	mu    sync.Mutex
	texts []string
}

// Text keeps the message, its phone in front.
func (b *Textbox) Text(_ context.Context, phone, text string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.texts = append(b.texts, phone+" "+text)
	return nil
}

// Texts are those that came in, oldest first.
func (b *Textbox) Texts() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.texts...)
}
