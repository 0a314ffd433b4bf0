package inventory_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

var start = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// market is one producer with its place, a clock and the service.
type market struct {
	t        testing.TB
	ctx      context.Context
	db       *db.DB
	clock    *clock.Settable
	stock    *inventory.Service
	producer int64
	place    int64
}

func open(t *testing.T) *market {
	d := testkit.DB(t)
	testkit.CheckLedger(t, d)
	return on(t, d)
}

func on(t testing.TB, d *db.DB) *market {
	m := &market{t: t, ctx: context.Background(), db: d, clock: clock.Fixed(start)}
	m.stock = inventory.New(d, m.clock)
	m.producer = testkit.Producer(t, d)
	m.place = testkit.LocationOf(t, d, m.producer)
	return m
}

func (m *market) variant(stock int64) int64 {
	m.t.Helper()
	return testkit.VariantOf(m.t, m.db, testkit.Product(m.t, m.db, testkit.WithProducer(m.producer), testkit.WithStock(stock)))
}

func (m *market) order() int64 {
	m.t.Helper()
	return testkit.BareOrders(m.t, m.db, m.producer, 1)[0]
}

func (m *market) want(variant, quantity int64) inventory.Want {
	return inventory.Want{VariantID: variant, LocationID: m.place, Quantity: quantity}
}

func (m *market) reserve(order int64, expires *time.Time, wants ...inventory.Want) error {
	return m.db.InTx(m.ctx, func(tx db.Tx) error { return m.stock.Reserve(m.ctx, tx, order, wants, expires) })
}

func (m *market) in(minutes int) *time.Time {
	at := m.clock.Now().Add(time.Duration(minutes) * time.Minute)
	return &at
}

func (m *market) sell(order int64) error {
	return m.db.InTx(m.ctx, func(tx db.Tx) error { return m.stock.Sell(m.ctx, tx, order, "test") })
}

func (m *market) release(order int64) error {
	return m.db.InTx(m.ctx, func(tx db.Tx) error { return m.stock.Release(m.ctx, tx, order) })
}

func (m *market) keep(order int64) error {
	return m.db.InTx(m.ctx, func(tx db.Tx) error { return m.stock.Keep(m.ctx, tx, order) })
}

func (m *market) restock(order int64) error {
	return m.db.InTx(m.ctx, func(tx db.Tx) error { return m.stock.Restock(m.ctx, tx, order, "test", "khách đổi ý") })
}

// level reads on hand and reserved straight from the tables, summed over the variant's levels.
func (m *market) level(variant int64) (onHand, reserved int64) {
	m.t.Helper()
	err := m.db.Pool().QueryRow(m.ctx, `SELECT sum(on_hand)::bigint, sum(reserved)::bigint FROM stock_level WHERE variant_id = $1`, variant).Scan(&onHand, &reserved)
	if err != nil {
		m.t.Fatal(err)
	}
	return onHand, reserved
}

func (m *market) wantLevel(variant, onHand, reserved int64) {
	m.t.Helper()
	if h, r := m.level(variant); h != onHand || r != reserved {
		m.t.Errorf("on hand %d, reserved %d; want %d and %d", h, r, onHand, reserved)
	}
}

func (m *market) available(variant int64) int64 {
	m.t.Helper()
	got, err := m.stock.Available(m.ctx, m.db.Read(m.ctx), []int64{variant})
	if err != nil {
		m.t.Fatal(err)
	}
	return got[variant]
}

func (m *market) sku(variant int64) string {
	var sku string
	testkit.Scan(m.t, m.db, &sku, `SELECT sku FROM variant WHERE id = $1`, variant)
	return sku
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantKey(t testing.TB, err error, key string) {
	t.Helper()
	l, ok := apperr.As(err)
	if !ok || l[0].Key != key {
		t.Errorf("got %v, want %s", err, key)
	}
}

// together runs fn n times at once, all behind one channel.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	gate := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-gate
			fn(i)
		})
	}
	close(gate)
	wg.Wait()
}

func TestTwoHundredBuyersGetFiftyJars(t *testing.T) {
	m := open(t)
	jar := m.variant(50)
	orders := testkit.BareOrders(t, m.db, m.producer, 200)
	errs := make([]error, len(orders))
	together(len(orders), func(i int) { errs[i] = m.reserve(orders[i], nil, m.want(jar, 1)) })

	served, refused := 0, 0
	for _, err := range errs {
		var l apperr.List
		switch {
		case err == nil:
			served++
		case errors.As(err, &l) && len(l) == 1 && l[0].Key == "inventory.short" && l[0].Kind == apperr.Conflict &&
			l[0].Args["wanted"] == int64(1) && l[0].Args["available"] == int64(0):
			refused++
		default:
			t.Errorf("neither served nor clearly refused: %v", err)
		}
	}
	if served != 50 || refused != 150 {
		t.Errorf("%d served, %d refused; want 50 and 150", served, refused)
	}
	m.wantLevel(jar, 50, 50)
	testkit.LedgerHolds(t, m.db)

	together(len(orders), func(i int) {
		if errs[i] == nil {
			errs[i] = m.sell(orders[i])
		}
	})
	m.wantLevel(jar, 0, 0)
}

func TestOppositeBasketsDoNotDeadlock(t *testing.T) {
	m := open(t)
	a, b := m.variant(1000), m.variant(1000)
	orders := testkit.BareOrders(t, m.db, m.producer, 50)
	var deadlocks int64
	testkit.Scan(t, m.db, &deadlocks, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	errs := make([]error, len(orders))
	together(len(orders), func(i int) {
		wants := []inventory.Want{m.want(a, 1), m.want(b, 2)}
		if i%2 == 1 {
			wants[0], wants[1] = wants[1], wants[0]
		}
		if errs[i] = m.reserve(orders[i], nil, wants...); errs[i] == nil && i%3 == 0 {
			errs[i] = m.sell(orders[i])
		}
	})
	must(t, errors.Join(errs...))
	ha, ra := m.level(a)
	hb, rb := m.level(b)
	if ha-ra != 950 || hb-rb != 900 {
		t.Errorf("left %d and %d, want 950 and 900", ha-ra, hb-rb)
	}
	// InTx would hide a deadlock by trying again, so ask the server.
	time.Sleep(1200 * time.Millisecond)
	var after int64
	testkit.Scan(t, m.db, &after, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`)
	if after != deadlocks {
		t.Errorf("%d deadlocks", after-deadlocks)
	}
}

func TestReserveSumsLinesAndNamesEveryShortage(t *testing.T) {
	m := open(t)
	a, b, c := m.variant(3), m.variant(2), m.variant(9)
	err := m.reserve(m.order(), nil, m.want(a, 2), m.want(b, 5), m.want(c, 1), m.want(a, 2), m.want(99_999_999, 1))
	var l apperr.List
	if !errors.As(err, &l) || len(l) != 3 {
		t.Fatalf("got %v, want three shortages", err)
	}
	for i, want := range []struct{ variant, wanted, available int64 }{{a, 4, 3}, {b, 5, 2}, {99_999_999, 1, 0}} {
		if l[i].Args["variant_id"] != want.variant || l[i].Args["wanted"] != want.wanted || l[i].Args["available"] != want.available {
			t.Errorf("shortage %d: %v, want %v", i, l[i], want)
		}
	}
	m.wantLevel(c, 9, 0)
	wantKey(t, m.reserve(m.order(), nil, m.want(a, 0)), "inventory.quantity")
	wantKey(t, m.reserve(m.order(), nil, m.want(a, -1)), "inventory.quantity")
	must(t, m.reserve(m.order(), nil, m.want(a, 1), m.want(a, 2)))
	m.wantLevel(a, 3, 3)
}

func TestReserveTwicePromisesOnce(t *testing.T) {
	m := open(t)
	jar, order := m.variant(10), m.order()
	errs := make([]error, 8)
	together(len(errs), func(i int) { errs[i] = m.reserve(order, nil, m.want(jar, 4)) })
	must(t, errors.Join(errs...))
	m.wantLevel(jar, 10, 4)
	must(t, m.release(order))
	must(t, m.release(order))
	m.wantLevel(jar, 10, 0)
	wantKey(t, m.reserve(order, nil, m.want(jar, 4)), "inventory.reservation_gone")
}

func TestReserveManyIsAllOrNothing(t *testing.T) {
	m := open(t)
	other := on(t, m.db)
	a, b := m.variant(5), other.variant(5)
	first, second := m.order(), other.order()
	both := func(n int64) error {
		return m.db.InTx(m.ctx, func(tx db.Tx) error {
			return m.stock.ReserveMany(m.ctx, tx, []inventory.OrderWant{
				{OrderID: first, Wants: []inventory.Want{m.want(a, 2)}},
				{OrderID: second, Wants: []inventory.Want{other.want(b, n)}, Expires: m.in(15)},
			})
		})
	}
	wantKey(t, both(6), "inventory.short")
	m.wantLevel(a, 5, 0)
	must(t, both(5))
	m.wantLevel(a, 5, 2)
	m.wantLevel(b, 5, 5)
	must(t, both(5))
	m.wantLevel(b, 5, 5)
}

func TestAnExpiredPromiseIsSoldToTheNextBuyerWithoutAnyJob(t *testing.T) {
	m := open(t)
	jar, slow, quick := m.variant(1), m.order(), m.order()
	must(t, m.reserve(slow, m.in(15), m.want(jar, 1)))
	if n := m.available(jar); n != 0 {
		t.Errorf("available %d while promised", n)
	}
	m.clock.Advance(15*time.Minute - time.Second)
	wantKey(t, m.reserve(quick, nil, m.want(jar, 1)), "inventory.short")
	m.clock.Advance(time.Second)
	if n := m.available(jar); n != 1 {
		t.Errorf("available %d after expiry, want 1", n)
	}
	levels, err := m.stock.Levels(m.ctx, m.sku(jar))
	must(t, err)
	if len(levels) != 1 || levels[0].Reserved != 0 || levels[0].Available() != 1 {
		t.Errorf("levels %+v", levels)
	}
	must(t, m.reserve(quick, nil, m.want(jar, 1)))
	m.wantLevel(jar, 1, 1)
	wantKey(t, m.sell(slow), "inventory.reservation_gone")
	wantKey(t, m.keep(slow), "inventory.short")
	must(t, m.sell(quick))
	m.wantLevel(jar, 0, 0)
}

func TestKeepHoldsAPaidPromiseForGood(t *testing.T) {
	m := open(t)
	jar, paid, late := m.variant(2), m.order(), m.order()
	must(t, m.reserve(paid, m.in(15), m.want(jar, 1)))
	must(t, m.reserve(late, m.in(15), m.want(jar, 1)))
	must(t, m.keep(paid))
	must(t, m.keep(paid))
	m.clock.Advance(time.Hour)
	if n := m.available(jar); n != 1 {
		t.Errorf("available %d, want 1", n)
	}
	if n, err := m.stock.Tidy(m.ctx); err != nil || n != 1 {
		t.Errorf("tidied %d, %v", n, err)
	}
	m.wantLevel(jar, 2, 1)
	must(t, m.keep(late)) // the money came late, the jar is still there
	m.wantLevel(jar, 2, 2)
	must(t, m.sell(paid))
	must(t, m.keep(paid))
	must(t, m.sell(late))
	m.wantLevel(jar, 0, 0)
	wantKey(t, m.keep(m.order()), "inventory.reservation_gone")
}

func TestKeepOfAnExpiredButUntouchedPromise(t *testing.T) {
	m := open(t)
	jar, order := m.variant(1), m.order()
	must(t, m.reserve(order, m.in(15), m.want(jar, 1)))
	m.clock.Advance(time.Hour)
	must(t, m.keep(order))
	m.wantLevel(jar, 1, 1)
	wantKey(t, m.reserve(m.order(), nil, m.want(jar, 1)), "inventory.short")
}

func TestTidySkipsLevelsInUseAndClosesTheRest(t *testing.T) {
	m := open(t)
	a, b := m.variant(5), m.variant(5)
	must(t, m.reserve(m.order(), m.in(1), m.want(a, 2), m.want(b, 3)))
	m.clock.Advance(time.Minute)
	must(t, m.db.InTx(m.ctx, func(tx db.Tx) error {
		if err := tx.Exec(`SELECT FROM stock_level WHERE variant_id = ? FOR UPDATE`, a).Error; err != nil {
			return err
		}
		n, err := m.stock.Tidy(m.ctx)
		if n != 1 {
			t.Errorf("tidied %d levels beside a locked one, want 1", n)
		}
		return err
	}))
	m.wantLevel(a, 5, 2)
	m.wantLevel(b, 5, 0)
	if n, err := m.stock.Tidy(m.ctx); n != 1 || err != nil {
		t.Errorf("tidied %d, %v", n, err)
	}
	m.wantLevel(a, 5, 0)
}

func TestSellAndRestockHappenOnce(t *testing.T) {
	m := open(t)
	jar, order := m.variant(10), m.order()
	must(t, m.reserve(order, m.in(15), m.want(jar, 4)))
	errs := make([]error, 6)
	together(len(errs), func(i int) { errs[i] = m.sell(order) })
	must(t, errors.Join(errs...))
	m.wantLevel(jar, 6, 0)
	must(t, m.release(order))
	m.wantLevel(jar, 6, 0)
	together(len(errs), func(i int) { errs[i] = m.restock(order) })
	must(t, errors.Join(errs...))
	m.wantLevel(jar, 10, 0)
	wantKey(t, m.sell(m.order()), "inventory.reservation_gone")
}

func TestReceiveWithOneKeyPostsOnce(t *testing.T) {
	m := open(t)
	jar := m.variant(0)
	receipt := inventory.Receipt{SKU: m.sku(jar), Quantity: 7, Actor: "test", RequestKey: "phieu-1"}
	first, err := m.stock.Receive(m.ctx, receipt)
	must(t, err)
	if first.OnHand != 7 || first.Reserved != 0 || first.OwnerID != m.producer || first.LocationID != m.place || first.SKU != receipt.SKU {
		t.Errorf("first answer %+v", first)
	}
	m.clock.Advance(time.Second)
	must(t, m.reserve(m.order(), nil, m.want(jar, 2)))
	_, err = m.stock.Adjust(m.ctx, inventory.Adjustment{VariantID: jar, Delta: 1, Reason: "kiểm kê", Actor: "test"})
	must(t, err)
	again, err := m.stock.Receive(m.ctx, receipt)
	must(t, err)
	if again != first {
		t.Errorf("second answer %+v, want %+v", again, first)
	}
	m.wantLevel(jar, 8, 2)

	other := receipt
	other.Quantity = 8
	_, err = m.stock.Receive(m.ctx, other)
	wantKey(t, err, "inventory.key_reused")
	other = receipt
	other.SKU = m.sku(m.variant(1))
	_, err = m.stock.Receive(m.ctx, other)
	wantKey(t, err, "inventory.key_reused")
}

func TestOneKeyFromManySendersPostsOnce(t *testing.T) {
	m := open(t)
	jar := m.variant(0)
	errs := make([]error, 10)
	together(len(errs), func(i int) {
		_, errs[i] = m.stock.Receive(m.ctx, inventory.Receipt{VariantID: jar, Quantity: 3, Actor: "test", RequestKey: "one"})
	})
	must(t, errors.Join(errs...))
	m.wantLevel(jar, 3, 0)

	shelves := []int64{m.variant(0), m.variant(0)}
	together(len(shelves), func(i int) {
		_, errs[i] = m.stock.Receive(m.ctx, inventory.Receipt{VariantID: shelves[i], Quantity: 3, Actor: "test", RequestKey: "two"})
	})
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Fatalf("one key on two levels: %v and %v, want one refusal", errs[0], errs[1])
	}
	wantKey(t, errors.Join(errs[0], errs[1]), "inventory.key_reused")
}

func TestReceiveRefusesNonsense(t *testing.T) {
	m := open(t)
	jar := m.variant(1)
	for _, c := range []struct {
		r   inventory.Receipt
		key string
	}{
		{inventory.Receipt{VariantID: jar}, "inventory.quantity"},
		{inventory.Receipt{VariantID: jar, Quantity: -1}, "inventory.quantity"},
		{inventory.Receipt{VariantID: jar, Quantity: 1 << 60}, "inventory.quantity"},
		{inventory.Receipt{SKU: "NONE", Quantity: 1}, "inventory.sku_unknown"},
		{inventory.Receipt{SKU: "", Quantity: 1}, "inventory.sku_unknown"},
		{inventory.Receipt{VariantID: jar, Quantity: 1, LocationID: 9_999_999}, "inventory.place_unknown"},
	} {
		_, err := m.stock.Receive(m.ctx, c.r)
		wantKey(t, err, c.key)
	}
	testkit.Exec(t, m.db, `UPDATE stock_location SET state = 'closed' WHERE id = $1`, m.place)
	_, err := m.stock.Receive(m.ctx, inventory.Receipt{VariantID: jar, Quantity: 1, Actor: "test"})
	wantKey(t, err, "inventory.location_closed")
	if n := m.available(jar); n != 0 {
		t.Errorf("available %d at a closed place", n)
	}
	wantKey(t, m.reserve(m.order(), nil, m.want(jar, 1)), "inventory.short")
	_, err = m.stock.Levels(m.ctx, "NONE")
	wantKey(t, err, "inventory.sku_unknown")
}

func TestAdjustStopsAtWhatIsPromised(t *testing.T) {
	m := open(t)
	jar := m.variant(10)
	must(t, m.reserve(m.order(), nil, m.want(jar, 4)))
	must(t, m.reserve(m.order(), m.in(15), m.want(jar, 3)))
	adjust := func(delta int64, reason string) error {
		_, err := m.stock.Adjust(m.ctx, inventory.Adjustment{VariantID: jar, Delta: delta, Reason: reason, Actor: "test"})
		return err
	}
	wantKey(t, adjust(-1, "  "), "inventory.reason")
	wantKey(t, adjust(-1, strings.Repeat("ư", 501)), "inventory.reason")
	wantKey(t, adjust(0, "kiểm kê"), "inventory.delta")
	err := adjust(-4, "vỡ")
	wantKey(t, err, "inventory.below_reserved")
	if l, _ := apperr.As(err); l[0].Args["on_hand"] != int64(10) || l[0].Args["reserved"] != int64(7) {
		t.Errorf("args %v", l[0].Args)
	}
	must(t, adjust(-3, "vỡ"))
	m.wantLevel(jar, 7, 7)
	m.clock.Advance(15 * time.Minute)
	must(t, adjust(-3, "vỡ")) // what the slow buyer was promised counts no more
	m.wantLevel(jar, 4, 4)
	wantKey(t, adjust(-1, "vỡ"), "inventory.below_reserved")
}

func TestReceiveAllBooksAndSkips(t *testing.T) {
	m := open(t)
	a, b := m.variant(0), m.variant(0)
	list := []inventory.Receipt{
		{SKU: m.sku(a), Quantity: 5, Actor: "import", RequestKey: "r1"},
		{VariantID: b, Quantity: 6, Actor: "import", RequestKey: "r2"},
		{VariantID: a, Quantity: 1, Actor: "import", RequestKey: "r3"},
	}
	for range 2 {
		must(t, m.db.InTx(m.ctx, func(tx db.Tx) error { return m.stock.ReceiveAll(m.ctx, tx, list) }))
	}
	m.wantLevel(a, 6, 0)
	m.wantLevel(b, 6, 0)
}

func TestNearestExpiryLeavesFirstAndExpiredLotsStay(t *testing.T) {
	m := open(t)
	cake := m.variant(5) // without lot
	today := clock.Today(m.clock)
	old := testkit.Lot(t, m.db, cake, "OLD", today.AddDays(-1), 5)
	last := testkit.Lot(t, m.db, cake, "LAST", today, 2)
	next := testkit.Lot(t, m.db, cake, "NEXT", today.AddDays(9), 2)
	if n := m.available(cake); n != 9 {
		t.Errorf("available %d, want 9", n)
	}
	order := m.order()
	must(t, m.reserve(order, nil, m.want(cake, 3)))
	reserved := func(lot int64) (n int64) {
		testkit.Scan(t, m.db, &n, `SELECT reserved FROM stock_level WHERE lot_id = $1`, lot)
		return n
	}
	if reserved(old) != 0 || reserved(last) != 2 || reserved(next) != 1 {
		t.Errorf("promised %d old, %d last, %d next; want 0, 2, 1", reserved(old), reserved(last), reserved(next))
	}
	wantKey(t, m.reserve(m.order(), nil, m.want(cake, 7)), "inventory.short")
	m.clock.Advance(24 * time.Hour)
	wantKey(t, m.sell(order), "inventory.lot_expired")
	must(t, m.release(order))
}

func TestTheLedgerIsAppendOnly(t *testing.T) {
	m := open(t)
	m.variant(3)
	for _, statement := range []string{
		`UPDATE stock_movement SET quantity = 9`, `DELETE FROM stock_movement`, `TRUNCATE stock_movement`, `TRUNCATE stock_level CASCADE`,
	} {
		_, err := m.db.Pool().Exec(m.ctx, statement)
		if !db.Breaks(err, "stock_movement_append_only") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}

func TestStatementsDoNotGrowWithTheBasket(t *testing.T) {
	d, counter := testkit.CountedDB(t)
	testkit.CheckLedger(t, d)
	m := on(t, d)
	var goods []int64
	for range 30 {
		goods = append(goods, m.variant(10))
	}
	cost := map[string][]int{}
	for _, n := range []int{1, 30} {
		order, wants, receipts := m.order(), []inventory.Want{}, []inventory.Receipt{}
		for i, v := range goods[:n] {
			wants = append(wants, m.want(v, 1))
			receipts = append(receipts, inventory.Receipt{VariantID: v, Quantity: 1, Actor: "test", RequestKey: fmt.Sprint(n, "-", i)})
		}
		measure := func(name string, fn func() error) {
			cost[name] = append(cost[name], len(counter.During(func() { must(t, fn()) })))
		}
		measure("reserve", func() error { return m.reserve(order, nil, wants...) })
		measure("keep", func() error { return m.keep(order) })
		measure("sell", func() error { return m.sell(order) })
		measure("restock", func() error { return m.restock(order) })
		measure("available", func() error { _, err := m.stock.Available(m.ctx, d.Read(m.ctx), goods[:n]); return err })
		measure("receive", func() error {
			return d.InTx(m.ctx, func(tx db.Tx) error { return m.stock.ReceiveAll(m.ctx, tx, receipts) })
		})
	}
	for name, c := range cost {
		if c[0] != c[1] {
			t.Errorf("%s: %d statements for 1, %d for 30", name, c[0], c[1])
		}
	}
}

func TestEnsureProducerLocationMakesOne(t *testing.T) {
	m := open(t)
	testkit.Exec(t, m.db, `DELETE FROM stock_location WHERE id = $1`, m.place)
	ids, errs := make([]int64, 5), make([]error, 5)
	together(len(ids), func(i int) {
		errs[i] = m.db.InTx(m.ctx, func(tx db.Tx) (err error) {
			ids[i], err = m.stock.EnsureProducerLocation(m.ctx, tx, m.producer)
			return err
		})
	})
	must(t, errors.Join(errs...))
	place := testkit.LocationOf(t, m.db, m.producer)
	for _, id := range ids {
		if id == 0 || id != place {
			t.Errorf("place %d, want %d", id, place)
		}
	}
}
