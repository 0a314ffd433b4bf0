package app_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func TestPeopleOfAProducerBeginTheDayInItsPortal(t *testing.T) {
	m := open(t, withBank)
	a := testkit.Producer(t, m.DB, testkit.MakerName("Hợp tác xã An"))
	b := testkit.Producer(t, m.DB, testkit.MakerName("Tổ hợp tác Bình"))
	other := testkit.Producer(t, m.DB, testkit.MakerName("Hộ Chi"))

	if l := m.visitor(t).Get("/seller?x=1"); l.Status != 303 || l.Location() != "/dang-nhap?ve=%2Fseller%3Fx%3D1" {
		t.Errorf("nobody: %d %s", l.Status, l.Location())
	}
	m.visitor(t).Post("/seller/choose", url.Values{"producer": {fmt.Sprint(a)}}).Is(303)
	m.staff(t, "can-bo@vidu.vn", account.Role{Name: account.Officer, Scope: account.OfProvince, ScopeID: "86"}).Get("/seller").Is(403)
	m.staff(t, "admin@vidu.vn", account.Role{Name: account.Admin}).Get("/seller").Is(403)

	one := m.staff(t, "mot@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, a))
	if l := one.Post("/dang-nhap", url.Values{"email": {"mot@vidu.vn"}, "password": {password}}); l.Location() != "/seller" {
		t.Errorf("signing in leads to %q", l.Location())
	}
	if l := one.Post("/dang-nhap", url.Values{"email": {"mot@vidu.vn"}, "password": {password}, "ve": {"/gio-hang"}}); l.Location() != "/gio-hang" {
		t.Errorf("signing in leads to %q", l.Location())
	}
	page := one.Open("/seller").Whole().Says("Hợp tác xã An").Says(text(i18n.VI, "seller.today.nothing"))
	if page.Find("nav a[aria-current=page]").Length() != 1 || page.Header.Get("Cache-Control") != "no-store" || page.Find("a[href='/seller/choose']").Length() != 0 {
		t.Error("the frame is not that of one producer")
	}
	// Neither the cookie nor the form lets anybody into another producer's stall.
	one.SetCookie("gian-hang", fmt.Sprint(other))
	if p := one.Open("/seller"); strings.Contains(p.Body, "Hộ Chi") {
		t.Error("a cookie opened another producer's stall")
	}
	for _, id := range []string{fmt.Sprint(b), fmt.Sprint(other), "", "x", "-1", huge} {
		one.Post("/seller/choose", url.Values{"producer": {id}}).Is(404)
	}

	both := m.staff(t, "hai@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, a), account.RoleAt(account.Producer, account.OfProducer, b))
	both.Open("/seller").Says("Hợp tác xã An").Click("a[href='/seller/choose']").Whole().Form("main form").Fill("producer", fmt.Sprint(b)).Submit("").Follow().Is(200)
	if p := both.Open("/seller").Text(".whose b"); p != "Tổ hợp tác Bình" {
		t.Errorf("the stall of %q", p)
	}
}

func TestTheStartPageCountsWhatWaits(t *testing.T) {
	m := open(t, withBank)
	coconut, tea := goods(t, m)
	shopper := m.visitor(t)
	m.put(t, shopper, "", coconut)
	short := m.transfer(t, pays(t, m, m.buy(t, shopper, "", "vietqr")), "SHORT1")
	short.Amount -= 1000
	m.bank().Deliver(t, short)
	m.work(t, func() bool { return m.count(t, `SELECT count(*) FROM bank_notice WHERE state = 'received'`) == 0 })
	maker := func(product int64) (id int64) {
		testkit.Scan(t, m.DB, &id, `SELECT producer_id FROM product WHERE id = $1`, product)
		return id
	}
	hers := m.staff(t, "hers@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker(coconut)))
	his := m.staff(t, "his@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker(tea)))
	if n := hers.Open("/seller").Whole().Text(".tasks .n"); n != "1" {
		t.Errorf("%q payments wait", n)
	}
	if n := his.Open("/seller").Find(".tasks li").Length(); n != 0 {
		t.Errorf("%d tasks of another producer", n)
	}
	hers.Open("/seller").Click(".tasks a").Is(200).Says(text(i18n.VI, "money.title"))
	if _, err := m.Money.Waiting(context.Background(), 1<<40); err != nil {
		t.Error(err)
	}
}
