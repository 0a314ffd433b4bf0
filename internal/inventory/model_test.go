package inventory_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/testkit"
)

// promised is what the model knows of one order.
type promised struct {
	state   string // "", open, released, sold
	wants   map[int]int64
	expires time.Time // zero for no end
	back    bool
}

// model is the same stock in a few lines of Go: the machine is compared with it after every step.
type model struct {
	*market
	goods  []int64
	onHand []int64
	orders []int64
	held   map[int64]*promised
}

func (m *model) expired(p *promised) bool {
	return p.state == "open" && !p.expires.IsZero() && !p.expires.After(m.clock.Now())
}

// free is what may be promised of one item, leaving out the promise of one order.
func (m *model) free(item int, but int64) int64 {
	n := m.onHand[item]
	for id, p := range m.held {
		if id != but && p.state == "open" && !m.expired(p) {
			n -= p.wants[item]
		}
	}
	return n
}

// touch lets the job close every expired promise: left to the verbs, an order over several items would lose
// its promise item by item, as each is locked, and the model keeps no such detail.
func (m *model) touch(t *rapid.T, but int64) {
	if p := m.held[but]; p != nil && m.expired(p) {
		return // its own promise is spared, so leave the others as well
	}
	if _, err := m.stock.Tidy(m.ctx); err != nil {
		t.Fatal(err)
	}
	for _, p := range m.held {
		if m.expired(p) {
			p.state = "released"
		}
	}
}

// expect compares an answer with the model's.
func expect(t *rapid.T, verb string, err error, key string) {
	l, ok := apperr.As(err)
	switch {
	case err == nil && key == "":
	case ok && l[0].Key == key:
	default:
		t.Fatalf("%s: got %v, model says %q", verb, err, key)
	}
}

func (m *model) steps() map[string]func(*rapid.T) {
	item := rapid.IntRange(0, len(m.goods)-1)
	order := rapid.SampledFrom(m.orders)
	return map[string]func(*rapid.T){
		"receive": func(t *rapid.T) {
			i, n := item.Draw(t, "item"), rapid.Int64Range(1, 9).Draw(t, "n")
			_, err := m.stock.Receive(m.ctx, inventory.Receipt{VariantID: m.goods[i], Quantity: n, Actor: "test"})
			expect(t, "receive", err, "")
			m.onHand[i] += n
		},
		"adjust": func(t *rapid.T) {
			i, n := item.Draw(t, "item"), rapid.Int64Range(-9, 9).Filter(func(n int64) bool { return n != 0 }).Draw(t, "n")
			m.touch(t, 0)
			key := ""
			if m.free(i, 0)+n < 0 {
				key = "inventory.below_reserved"
			}
			_, err := m.stock.Adjust(m.ctx, inventory.Adjustment{VariantID: m.goods[i], Delta: n, Reason: "kiểm kê", Actor: "test"})
			expect(t, "adjust", err, key)
			if key == "" {
				m.onHand[i] += n
			}
		},
		"reserve": func(t *rapid.T) {
			id, p := order.Draw(t, "order"), &promised{state: "open", wants: map[int]int64{}}
			var wants []inventory.Want
			for range rapid.IntRange(1, 4).Draw(t, "lines") {
				i, n := item.Draw(t, "item"), rapid.Int64Range(1, 5).Draw(t, "n")
				wants, p.wants[i] = append(wants, m.want(m.goods[i], n)), p.wants[i]+n
			}
			var until *time.Time
			if rapid.Bool().Draw(t, "timed") {
				until = m.in(15)
				p.expires = *until
			}
			m.touch(t, 0)
			key, had := "", m.held[id]
			if had != nil && had.state == "released" {
				key = "inventory.reservation_gone"
			}
			if had == nil {
				for i, n := range p.wants {
					if m.free(i, 0) < n {
						key = "inventory.short"
					}
				}
			}
			expect(t, "reserve", m.reserve(id, until, wants...), key)
			if had == nil && key == "" {
				m.held[id] = p
			}
		},
		"keep": func(t *rapid.T) {
			id := order.Draw(t, "order")
			p := m.held[id]
			m.touch(t, id)
			key := ""
			switch {
			case p == nil:
				key = "inventory.reservation_gone"
			case p.state == "released":
				for i, n := range p.wants {
					if m.free(i, id) < n {
						key = "inventory.short"
					}
				}
			}
			expect(t, "keep", m.keep(id), key)
			if p != nil && key == "" && p.state != "sold" {
				p.state, p.expires = "open", time.Time{}
			}
			m.touch(t, 0)
		},
		"release": func(t *rapid.T) {
			id := order.Draw(t, "order")
			expect(t, "release", m.release(id), "")
			if p := m.held[id]; p != nil && p.state == "open" {
				p.state = "released"
			}
		},
		"sell": func(t *rapid.T) {
			id := order.Draw(t, "order")
			p, key := m.held[id], ""
			if p == nil || p.state == "released" {
				key = "inventory.reservation_gone"
			}
			expect(t, "sell", m.sell(id), key)
			if key == "" && p.state == "open" {
				p.state = "sold"
				for i, n := range p.wants {
					m.onHand[i] -= n
				}
			}
		},
		"restock": func(t *rapid.T) {
			id := order.Draw(t, "order")
			expect(t, "restock", m.restock(id), "")
			if p := m.held[id]; p != nil && p.state == "sold" && !p.back {
				p.back = true
				for i, n := range p.wants {
					m.onHand[i] += n
				}
			}
		},
		"wait": func(t *rapid.T) {
			m.clock.Advance(time.Duration(rapid.IntRange(1, 20).Draw(t, "minutes")) * time.Minute)
		},
		"tidy": func(t *rapid.T) { m.touch(t, 0) },
		"":     m.check,
	}
}

// check compares every item with the model and tries the invariants.
func (m *model) check(t *rapid.T) {
	got, err := m.stock.Available(m.ctx, m.db.Read(m.ctx), m.goods)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.goods {
		if got[v] != m.free(i, 0) {
			t.Fatalf("item %d: %d available, model says %d", i, got[v], m.free(i, 0))
		}
		if onHand, _ := m.level(v); onHand != m.onHand[i] {
			t.Fatalf("item %d: %d on hand, model says %d", i, onHand, m.onHand[i])
		}
	}
	for _, c := range inventory.Checks() {
		var n int64
		if err := m.db.Pool().QueryRow(m.ctx, c.SQL).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%s: %d, %v", c.Name, n, err)
		}
	}
}

// TestStockBehavesLikeItsModel lets rapid find an order of events after which the tables and the model part.
func TestStockBehavesLikeItsModel(t *testing.T) {
	base := open(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{market: on(t, base.db), held: map[int64]*promised{}}
		for range 3 {
			m.goods, m.onHand = append(m.goods, m.variant(5)), append(m.onHand, 5)
		}
		m.orders = testkit.BareOrders(t, m.db, m.producer, 6)
		rt.Repeat(m.steps())
	})
}
