package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"choocop.vn/ocop/internal/app"
)

func TestSpansNameRoutesAndTellNothingElse(t *testing.T) {
	kept := tracetest.NewInMemoryExporter()
	provider, before := app.Spans(kept), otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	v.Header = http.Header{"User-Agent": {"Mozilla dien-thoai-cua-toi"}, "X-Forwarded-For": {"198.51.100.77"}}
	m.put(t, v, "", coconut)
	page := m.buy(t, v, "", "vietqr")
	code, secret := codeOf(page), page.URL.Query().Get("khoa")
	qr := pays(t, m, page).code
	v.Open("/san-pham?q=tu+khoa+rieng")
	signIn(v, "", "0912 777 888", "mot mat khau rieng")
	v.Post("/dang-ky", url.Values{"email": {"rieng@vidu.vn"}, "name": {"Tên Riêng"}, "password": {password}, "terms": {"1"}})
	v.Get("/don-hang/" + code + "?khoa=sai-khoa-roi").Is(404)
	v.Get("/duong-dan-rieng/khong-co").Is(404)
	v.Get("/api/v1/carts/gio-bi-mat-cua-toi")
	if _, err := v.Try("SECRETMETHOD", "/", nil); err != nil {
		t.Fatal(err)
	}
	if err := provider.ForceFlush(context.Background()); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	all := ""
	for _, s := range kept.GetSpans() {
		names[s.Name] = true
		if len(s.Events) != 0 || s.Status.Description != "" {
			t.Errorf("%s tells of an error: %+v", s.Name, s.Events)
		}
		all += fmt.Sprintf("%s %v %v %v %v\n", s.Name, s.Attributes, s.Events, s.Links, s.Status)
	}
	for _, want := range []string{"GET /don-hang/:code", "GET /don-hang/:code/qr/:order", "GET /san-pham", "POST /dang-nhap", "POST /dang-ky", "POST /thanh-toan", "HTTP route not found"} {
		if !names[want] {
			t.Errorf("no span %q in %v", want, names)
		}
	}
	for _, private := range []string{code, secret, qr, "tu+khoa", "khoa+rieng", "tu khoa", "0912", "84912", "777888", "mat khau", "rieng@", "Riêng", "sai-khoa", "khong-co", "gio-bi-mat",
		"SECRET", "dien-thoai", "198.51.100", "203.0.113", "192.0.2", "SELECT", "khoa=", v.Cookie("gio"), v.Cookie("phien")} {
		if private != "" && strings.Contains(all, private) {
			t.Errorf("spans tell %q", private)
		}
	}
	if !strings.Contains(all, "http.route") || !strings.Contains(all, "http.response.status_code") {
		t.Errorf("spans tell nothing:\n%s", all)
	}
}
