package browsertest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/testkit"
)

// TestAPaidPageClosesItself watches the page of a transfer while the bank's notice comes in.
func TestAPaidPageClosesItself(t *testing.T) {
	m := open(t)
	ctx := context.Background()
	runner, err := m.Work(ctx)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_ = runner.Stop(stop)
	})
	token, err := m.Carts.Add(ctx, "", m.sku(t, m.tea), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := order.Placement{RequestKey: ident.Token(), CartToken: token, Locale: i18n.VI, Contact: order.Contact{Name: "Nguyễn Thị Hòa", Phone: "0912345678"},
		Address: order.Address{ProvinceCode: "01", CommuneCode: "00070", Street: "12 Hàng Gai"}, Method: payment.VietQR, Consents: order.Consents{Terms: true}}
	q, err := m.Orders.Quote(ctx, order.QuoteRequest{CartToken: token, ProvinceCode: "01"})
	if err != nil {
		t.Fatal(err)
	}
	p.Expect = q.Total
	done, err := m.Orders.Place(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	b := m.tab(t)
	b.open(order.Path(i18n.VI, done.Code, done.Secret))
	b.until("document.querySelector('[data-news]') && document.querySelector('section[aria-labelledby=pay-now]')")
	time.Sleep(500 * time.Millisecond) // the stream opens
	n, err := m.Money.Asked(ctx, done.Code+"-A")
	if err != nil {
		t.Fatal(err)
	}
	n.Source, n.TransactionID, n.Memo = "bank", "FT1", "MBVCB.1."+strings.ToLower(n.Memo)
	begin := time.Now()
	if _, err := m.Money.Take(ctx, n); err != nil {
		t.Fatal(err)
	}
	b.until("document.readyState === 'complete' && !document.querySelector('[data-news]') && !document.querySelector('section[aria-labelledby=pay-now]')")
	took := time.Since(begin)
	t.Logf("the page closed itself after %s", took)
	if took > 10*time.Second {
		t.Errorf("the page closed itself after %s", took)
	}
	if said := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(said, fmt.Sprint(i18n.T(i18n.VI, "order.state.placed", nil))) {
		t.Error("the page does not say that it is paid")
	}
}

func (m *market) sku(t *testing.T, product int64) string {
	t.Helper()
	return testkit.SKUOf(t, m.DB, product)
}
