package app_test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

func TestPartnersServerIsToldOfPricesAndStockAndThePartnerOfItsPause(t *testing.T) {
	m := open(t)
	goods(t, m)
	var mu sync.Mutex
	var kinds []string
	var key []byte
	gone := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, _ := io.ReadAll(r.Body)
		sum := partner.Sign(key, r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
		if r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(sum) {
			t.Errorf("the signature of %s does not hold", body)
		}
		if gone {
			w.WriteHeader(http.StatusGone)
			return
		}
		for _, k := range partner.Kinds {
			if strings.Contains(string(body), `"type":"`+k+`"`) {
				kinds = append(kinds, k)
			}
		}
	}))
	defer server.Close()
	who, err := m.Partners.Add(t.Context(), "Cổng tỉnh", "cong@vidu.vn", i18n.EN, "test")
	if err != nil {
		t.Fatal(err)
	}
	e, secret, err := m.Partners.AddEndpoint(t.Context(), partner.EndpointRequest{PartnerID: who.ID, URL: server.URL, Kinds: []string{partner.PriceChanged, partner.StockChanged}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if key, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stock.TellStock(t.Context(), inventory.TellStock{}); err != nil { // from here on changes are news
		t.Fatal(err)
	}
	err = m.DB.InTx(t.Context(), func(tx db.Tx) error { return m.Catalog.ChangePrice(t.Context(), tx, "CHESHAN1", 130_000, "test") })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Stock.Receive(t.Context(), inventory.Receipt{SKU: "CHESHAN1", Quantity: 7, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	m.work(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(kinds) == 2
	})
	if kinds[0]+kinds[1] != "price.changedstock.changed" && kinds[0]+kinds[1] != "stock.changedprice.changed" {
		t.Errorf("told %v", kinds)
	}
	gone = true
	if _, err := m.Stock.Receive(t.Context(), inventory.Receipt{SKU: "CHESHAN1", Quantity: 1, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	m.work(t, func() bool { return len(m.mails.Letters()) == 1 })
	l := m.mails.Letters()[0]
	if l.To != "cong@vidu.vn" || !strings.Contains(l.Text, e.Code) || !strings.Contains(l.HTML, server.URL) || !strings.Contains(l.Subject, "paused") {
		t.Errorf("mail %+v", l)
	}
}
