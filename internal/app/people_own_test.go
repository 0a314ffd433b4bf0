package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/testkit"
)

func TestWishesAddressesAndNamesAreKept(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	for _, lang := range []string{"", "/en"} {
		l, v := localeOf(lang), m.visitor(t)
		slug := m.slugOf(t, coconut)
		product := v.Open(lang + "/san-pham/" + slug)
		if cc := product.Header.Get("Cache-Control"); !strings.Contains(cc, "public") || product.Header.Get("Set-Cookie") != "" {
			t.Errorf("the product page: %q", cc)
		}
		// Signed out: to the way in, and back to the product.
		in := product.Form("form#wish").Submit("").Follow().Is(200)
		if back := in.Form("main form").Values.Get("ve"); back != lang+"/san-pham/"+slug {
			t.Errorf("back to %q", back)
		}
		m.join(t, v, lang, map[string]string{"": "a@vidu.vn", "/en": "b@vidu.vn"}[lang])
		for range 2 {
			v.Open(lang + "/san-pham/" + slug).Form("form#wish").Submit("").Follow().Is(200).Whole().Says(text(l, "me.wish.added"))
		}
		list := v.Open(lang + "/tai-khoan/yeu-thich")
		if n := list.Find("article.ware").Length(); n != 1 {
			t.Errorf("%d wishes", n)
		}
		list.Form("main li form").Submit("").Follow().Is(200).Whole().Says(text(l, "me.wish.none"))

		book := v.Open(lang + "/tai-khoan/dia-chi").Says(text(l, "me.address.none"))
		bad := book.Form("main details form").Fill("name", "Lan").Submit("do=keep")
		bad.Is(422).Whole()
		for _, field := range []string{"phone", "province", "street"} {
			if bad.Text("#e-"+field) == "" {
				t.Errorf("nothing beside %s", field)
			}
		}
		form := bad.Form("main details form").Fill("phone", "0903 111 222").Fill("province", "01").Submit("do=update").Is(200).Whole().Form("main details form")
		if form.Values.Get("name") != "Lan" {
			t.Error("what was typed is gone")
		}
		form.Fill("commune", "00070").Fill("street", "5 ngõ Huế").Submit("do=keep").Follow().Is(200).Whole().Says(text(l, "me.address.kept")).Says("5 ngõ Huế")
		m.put(t, v, lang, coconut)
		if f := v.Open(lang + "/thanh-toan").Form("form[data-checkout]"); f.Values.Get("street") != "5 ngõ Huế" || f.Values.Get("commune") != "00070" || f.Values.Get("name") != "Lan" {
			t.Errorf("checkout begins with %v", f.Values)
		}
		v.Open(lang+"/tai-khoan").Form("form[action$=ten]").Fill("name", "Tên <b>mới</b>").Submit("").Follow().Is(200).Whole().Says("Tên <b>mới</b>")
		v.Open(lang+"/tai-khoan").Form("form[action$=ten]").Fill("name", " ").Submit("").Is(422).Whole()
	}
}

func TestPurchasesOfGuestsAreClaimedByProofAlone(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	guest := m.visitor(t)
	m.put(t, guest, "", coconut)
	code := codeOf(m.buy(t, guest, "", "cod")) // 0912 345 678, hoa@vidu.vn
	thief := m.visitor(t)
	m.join(t, thief, "", "trom@vidu.vn")
	thief.Post("/tai-khoan/don-hang/nhan", url.Values{"phone": {"0912345678"}, "email": {"hoa@vidu.vn"}}).Is(303)
	// Asking for the code of another's phone proves nothing.
	asked := thief.Open("/tai-khoan/bao-mat").Form("form[action$=lien-he]").Fill("contact", "0912 345 678").Fill("contact_password", password).Submit("").Follow().Is(200).Whole()
	sent := m.tell(t)
	asked.Form("main form").Fill("code", "000000").Submit("").Whole()
	thief.Post("/tai-khoan/don-hang/nhan", nil).Is(303)
	thief.Get("/tai-khoan/don-hang/" + code).Is(404)
	if m.count(t, `SELECT count(*) FROM order_group WHERE account_id IS NOT NULL`) != 0 {
		t.Fatal("somebody took a purchase without proof")
	}
	// Another account cannot use the code that was sent for this one.
	owner := m.visitor(t)
	m.join(t, owner, "", "khac@vidu.vn")
	address, values := asked.Form("main form").Fill("code", sixDigits.FindString(sent)).Request("")
	owner.Post(address, values).Is(409)

	page := owner.Open("/tai-khoan/bao-mat").Form("form[action$=lien-he]").Fill("contact", "0912 345 678").Fill("contact_password", password).Submit("").Follow().Is(200).Whole()
	page.Form("main form").Fill("code", sixDigits.FindString(m.tell(t))).Submit("").Follow().Is(200).Whole().Says(text(i18n.VI, "me.contact.changed"))
	offer := owner.Open("/tai-khoan").Says(text(i18n.VI, "me.claim.text", "n", 1))
	offer.Form("form[action$=nhan]").Submit("").Follow().Is(200).Whole().Says(code)
	owner.Open("/tai-khoan/don-hang/" + code).Says("12 phố Hàng Gai")
	thief.Get("/tai-khoan/don-hang/" + code).Is(404)
	// The number is the owner's now: the thief's waiting code no longer takes it.
	late := thief.Post(address, values)
	if late.Is(409); m.count(t, `SELECT count(*) FROM account WHERE phone = '+84912345678'`) != 1 {
		t.Error("the number has two owners")
	}
}

// A phone number or e-mail opens the account by a new password, and a key of a device opens it past every new password.
func TestAStolenSessionAloneNeitherMovesTheContactNorAddsAKey(t *testing.T) {
	m := open(t)
	owner := m.visitor(t)
	m.join(t, owner, "", "lan@vidu.vn")
	thief := owner.Twin()
	wrong := text(i18n.VI, "account.password.wrong")
	for _, guess := range []string{"", "sai-mat-khau", strings.Repeat("x", 5000)} {
		thief.Open("/tai-khoan/bao-mat").Form("form[action$=lien-he]").Fill("contact", "trom@vidu.vn").Force("contact_password", guess).Submit("").Is(422).Whole().Says(wrong)
		thief.Post("/tai-khoan/bao-mat/khoa", url.Values{"password": {guess}}).Is(422).Says(wrong)
	}
	if m.count(t, `SELECT count(*) FROM account_proof WHERE purpose = 'contact'`) != 0 {
		t.Error("a code was sent to the thief")
	}
	if a := owner.Post("/tai-khoan/bao-mat/khoa", url.Values{"password": {password}}).Is(200); !strings.Contains(a.Body, "challenge") {
		t.Error(a.Body)
	}
	// The password is not guessed from many addresses either, on whichever of the pages that ask for it.
	refused := 0
	for i := range 40 {
		thief.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", i))
		path := []string{"/bao-mat/mat-khau", "/bao-mat/lien-he", "/bao-mat/khoa", "/rieng-tu/xoa"}[i%4]
		if thief.Post("/tai-khoan"+path, url.Values{"password": {"doan"}, "contact": {"trom@vidu.vn"}, "contact_password": {"doan"}}).Status == 429 {
			refused++
		}
	}
	if refused < 10 {
		t.Errorf("%d of 40 guesses were refused", refused)
	}
}

func TestEachAccountPageIsForItsOwnerAlone(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	hers, his := m.visitor(t), m.visitor(t)
	m.join(t, hers, "", "lan@vidu.vn")
	m.join(t, his, "", "minh@vidu.vn")
	m.put(t, hers, "", coconut)
	code := codeOf(m.buy(t, hers, "", "cod"))
	m.must(t, m.Shoppers.KeepAddress(context.Background(), m.accountOf(t, "lan@vidu.vn"), shopper.Address{Name: "Lan", Phone: "0903111222", ProvinceCode: "01", CommuneCode: "00070", Street: "5 ngõ Huế"}))
	address := m.count(t, `SELECT max(id) FROM shopper_address`)
	number := url.Values{"id": {strconv.FormatInt(address, 10)}}
	edit := url.Values{"id": number["id"], "name": {"X"}, "phone": {"0903111223"}, "province": {"01"}, "commune": {"00070"}, "street": {"x"}, "do": {"keep"}}
	for _, lang := range []string{"", "/en"} {
		stranger := m.visitor(t)
		for _, path := range []string{"", "/don-hang", "/don-hang/" + code, "/dia-chi", "/yeu-thich", "/bao-mat", "/rieng-tu", "/rieng-tu/du-lieu.json"} {
			a := stranger.Get(lang + "/tai-khoan" + path)
			if a.Is(303); !strings.HasPrefix(a.Location(), lang+"/dang-nhap") || a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s for nobody: %s", path, a.Location())
			}
			if mine := hers.Get(lang + "/tai-khoan" + path); mine.Status >= 400 || mine.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s for its owner: %d", path, mine.Status)
			}
		}
		for _, path := range []string{"/ten", "/don-hang/nhan", "/dia-chi", "/dia-chi/xoa", "/yeu-thich/bo", "/bao-mat/mat-khau", "/bao-mat/phien", "/bao-mat/lien-he", "/bao-mat/khoa",
			"/bao-mat/khoa/xong", "/bao-mat/khoa/xoa", "/rieng-tu/quang-cao", "/rieng-tu/xoa"} {
			stranger.Post(lang+"/tai-khoan"+path, edit).Is(303)
			evil := hers.Twin()
			evil.Header = http.Header{"Sec-Fetch-Site": {"cross-site"}}
			evil.Post(lang+"/tai-khoan"+path, edit).Is(403)
		}
		for _, path := range []string{"/dang-ky", "/xac-nhan", "/quen-mat-khau", "/dat-lai-mat-khau", "/yeu-thich", "/dang-nhap/khoa", "/dang-nhap/khoa/xong"} {
			evil := hers.Twin()
			evil.Header = http.Header{"Origin": {"https://evil.example"}}
			evil.Post(lang+path, edit).Is(403)
		}
		his.Get(lang + "/tai-khoan/don-hang/" + code).Is(404)
		his.Get(lang + "/tai-khoan/dia-chi?sua=" + strconv.FormatInt(address, 10)).Is(404)
		his.Post(lang+"/tai-khoan/dia-chi", edit).Is(404)
		his.Post(lang+"/tai-khoan/dia-chi/xoa", number).Is(404)
		his.Post(lang+"/tai-khoan/bao-mat/khoa/xoa", number).Is(404)
		if a := his.Open(lang + "/tai-khoan/dia-chi"); strings.Contains(a.Body, "5 ngõ Huế") {
			t.Error("he sees her address")
		}
	}
	var street string
	testkit.Scan(t, m.DB, &street, `SELECT street FROM shopper_address`)
	if street != "5 ngõ Huế" {
		t.Errorf("it was changed to %q", street)
	}
}

func TestTheExportHoldsEverythingAndNothingOfOthers(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	hers, his := m.visitor(t), m.visitor(t)
	for v, who := range map[*testkit.Visitor]string{hers: "lan@vidu.vn", his: "minh@vidu.vn"} {
		m.join(t, v, "", who)
		m.put(t, v, "", coconut)
		m.buy(t, v, "", "cod")
		m.put(t, v, "", tea)
		v.Post("/yeu-thich", url.Values{"slug": {m.slugOf(t, tea)}}).Is(303)
		m.must(t, m.Shoppers.KeepAddress(context.Background(), m.accountOf(t, who), shopper.Address{Name: "Người nhận", Phone: "0903111222", ProvinceCode: "01", CommuneCode: "00070", Street: "nhà của " + who}))
		v.Post("/tai-khoan/rieng-tu/quang-cao", url.Values{"dong-y": {"1"}}).Is(303)
	}
	testkit.Exec(t, m.DB, `UPDATE order_group SET contact_email = CASE WHEN account_id = (SELECT id FROM account WHERE email = 'lan@vidu.vn') THEN 'lan2@vidu.vn' ELSE 'minh2@vidu.vn' END`)
	for _, g := range []int64{1, 2} {
		m.must(t, m.Orders.TellPlaced(context.Background(), order.TellPlaced{GroupID: g}))
	}
	a := hers.Get("/tai-khoan/rieng-tu/du-lieu.json").Is(200)
	var x shopper.Export
	if err := json.Unmarshal([]byte(a.Body), &x); err != nil {
		t.Fatal(err)
	}
	if x.Account.Email != "lan@vidu.vn" || len(x.Addresses) != 1 || len(x.Wishes) != 1 || len(x.Purchases) != 1 || len(x.Purchases[0].Orders) != 1 || len(x.Basket) != 1 ||
		len(x.Consents) < 5 || len(x.Deeds) == 0 || x.Purchases[0].Contact.Name == "" {
		t.Errorf("%+v", x)
	}
	if len(x.Messages) != 1 || x.Messages[0].Kind != "order_placed" || x.Messages[0].To != "lan2@vidu.vn" || x.Messages[0].At.IsZero() ||
		!strings.Contains(x.Messages[0].Subject, x.Purchases[0].Code) || strings.Contains(a.Body, "khoa=") || sixDigits.MatchString(x.Messages[0].Subject) {
		t.Errorf("messages: %+v", x.Messages)
	}
	if strings.Contains(a.Body, "minh2@") || strings.Contains(a.Body, "minh@") || !strings.Contains(a.Header.Get("Content-Disposition"), "attachment") {
		t.Error("another's data, or no download")
	}
	hers.Open("/tai-khoan/rieng-tu").Says(text(i18n.VI, "me.marketing.on")).Form("form#letters-form").Submit("").Follow().Is(200).Whole().Says(text(i18n.VI, "me.marketing.off"))
	his.Open("/tai-khoan/rieng-tu").Says(text(i18n.VI, "me.marketing.on"))
}

// Anybody can type another's e-mail into a purchase, call it off and leave.
func TestLeavingTakesNothingFromWhoeverElseHasTheEmail(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	guest, v := m.visitor(t), m.visitor(t)
	m.put(t, guest, "", coconut)
	m.buy(t, guest, "", "cod") // hoa@vidu.vn
	m.must(t, m.Orders.TellPlaced(context.Background(), order.TellPlaced{GroupID: m.count(t, `SELECT max(id) FROM order_group`)}))
	m.join(t, v, "", "trom@vidu.vn")
	m.put(t, v, "", coconut)
	m.buy(t, v, "", "cod").Form("section[id^=don-] form").Submit("").Is(303)
	v.Open("/tai-khoan/rieng-tu").Form("form#leave-form").Fill("password", password).Submit("").Is(303)
	if m.count(t, `SELECT count(*) FROM message WHERE recipient = 'hoa@vidu.vn' AND text_body <> ''`) == 0 {
		t.Error("the mail to somebody else is forgotten")
	}
	if m.count(t, `SELECT count(*) FROM message WHERE recipient = 'trom@vidu.vn'`) != 0 {
		t.Error("the mails to the one who left stay")
	}
}

func TestWhoeverLeavesIsForgottenAndTheBooksStay(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	v := m.visitor(t)
	m.join(t, v, "", "minh@vidu.vn")
	m.put(t, v, "", coconut)
	page := m.buy(t, v, "", "cod")
	m.put(t, v, "", tea)
	v.Post("/yeu-thich", url.Values{"slug": {m.slugOf(t, tea)}}).Is(303)
	m.must(t, m.Orders.TellPlaced(context.Background(), order.TellPlaced{GroupID: m.count(t, `SELECT max(id) FROM order_group`)}))
	leave := func(secret string) *testkit.Answer {
		return v.Open("/tai-khoan/rieng-tu").Form("form#leave-form").Fill("password", secret).Fill("reason", "privacy").Submit("")
	}
	leave("sai mat khau").Is(422).Whole().Says(text(i18n.VI, "account.password.wrong"))
	leave(password).Is(409).Whole().Says(text(i18n.VI, "shopper.leave.open", "n", 1))
	page.Form("section[id^=don-] form").Submit("").Is(303)
	before := m.count(t, `SELECT sum(total) FROM orders`)
	leave(password).Follow().Is(200).Whole().Says(text(i18n.VI, "signin.left"))
	v.Get("/tai-khoan").Is(303)
	signIn(v, "", "minh@vidu.vn", password).Is(403)
	var left string
	testkit.Scan(t, m.DB, &left, `SELECT concat((SELECT string_agg(a::text, ' ') FROM account a), (SELECT string_agg(p::text, ' ') FROM account_proof p),
		(SELECT string_agg(e::text, ' ') FROM message e), (SELECT string_agg(e::text, ' ') FROM audit_event e), (SELECT string_agg(s::text, ' ') FROM shopper_address s))`)
	for _, private := range []string{"minh@vidu.vn", "hoa@vidu.vn", "Trần Văn Minh", "Hàng Gai"} {
		if strings.Contains(left, private) {
			t.Errorf("%s is still known", private)
		}
	}
	if m.count(t, `SELECT (SELECT count(*) FROM wish) + (SELECT count(*) FROM cart WHERE account_id IS NOT NULL)`) != 0 || m.count(t, `SELECT sum(total) FROM orders`) != before {
		t.Error("wishes or a basket stay, or the books changed")
	}
	// The law wants contracts kept for three years.
	if n, err := m.Shoppers.SweepLeft(context.Background()); n != 0 || err != nil {
		t.Errorf("%d purchases anonymised at once, %v", n, err)
	}
	m.clock.Advance(3*365*24*time.Hour + 48*time.Hour)
	for want := range 2 {
		if n, err := m.Shoppers.SweepLeft(context.Background()); n != 1-want || err != nil {
			t.Errorf("%d purchases anonymised, %v", n, err)
		}
	}
	if m.count(t, `SELECT count(*) FROM order_group WHERE contact_name || contact_phone || contact_email || street || note = '' AND total > 0 AND code <> ''`) != 1 {
		t.Error("the purchase names somebody, or lost its books")
	}
	// The e-mail is free again.
	m.join(t, m.visitor(t), "", "minh@vidu.vn")
}

func TestWithoutRedisPeopleWhoWereSignedInStillBuy(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.join(t, v, "", "minh@vidu.vn")
	m.put(t, v, "", coconut)
	m.redis.Stop()
	v.Get("/tai-khoan").Is(503).Whole()
	m.buy(t, v, "", "cod")
	m.redis.Start() // empty: people are signed out, nothing more
	eventually(t, "sessions work again", func() bool { return v.Get("/tai-khoan").Status == 303 })
	signIn(v, "", "minh@vidu.vn", password).Is(303)
	v.Open("/tai-khoan")
}
