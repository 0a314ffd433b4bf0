package shop

import (
	"strings"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/shopper"
)

// people are the pages of those who sign in.
func (g *sampler) people() {
	g.waysIn()
	g.proving()
	g.ownPages()
	g.security()
	g.privacy()
}

func (g *sampler) waysIn() {
	signIn := func(state, email, back string, faults apperr.List, edit ...func(*SignIn)) {
		m := signInPage(g.frame("/dang-nhap"), email, back, faults)
		m.Passkeys = true
		for _, e := range edit {
			e(m)
		}
		g.add("shop/signin", state, m)
	}
	signIn("usual", "", "", nil)
	signIn("refused", "can-bo@vidu.vn", "/san-pham/mat-ong", apperr.List{apperr.New(apperr.Denied, "account.wrong_credentials")})
	signIn("password was set", "", "", nil, func(m *SignIn) { m.Said, m.Passkeys = m.T("signin.password_set"), false })
	signIn("account was left", "", "", nil, func(m *SignIn) { m.Said = m.T("signin.left") })
	g.add("shop/signup", "usual", signUpPage(g.frame("/dang-ky"), SignUp{PhoneOpen: true}, nil))
	g.add("shop/signup", "e-mail only", signUpPage(g.frame("/dang-ky"), SignUp{Back: "/thanh-toan"}, nil))
	g.add("shop/signup", "faults on every field", signUpPage(g.frame("/dang-ky"), SignUp{Email: "12", Name: strings.Repeat("x", 130), PhoneOpen: true}, apperr.List{
		apperr.Field("email", "account.contact.form"), apperr.Field("name", "account.name.missing"),
		apperr.Field("password", "account.password.short", "min", account.MinPassword), apperr.Field("terms", "shopper.terms.required")}))
	g.add("shop/signup", "too many codes", signUpPage(g.frame("/dang-ky"), SignUp{Email: "0912 345 678", Name: "Nguyễn Thị Hòa", Terms: true, PhoneOpen: true},
		apperr.List{apperr.New(apperr.TooMany, "shopper.proof.too_many")}))
	g.add("shop/forgot", "usual", forgotPage(g.frame("/quen-mat-khau"), "", nil))
	g.add("shop/forgot", "not understood", forgotPage(g.frame("/quen-mat-khau"), "hoa@", apperr.List{apperr.Field("email", "account.email.form")}))
}

func (g *sampler) proving() {
	phone := shopper.Pending{Purpose: shopper.ForSignUp, Contact: account.Contact{Channel: account.ByPhone, Value: "+84912345678"}}
	mail := shopper.Pending{Purpose: shopper.ForSignUp, Contact: account.Contact{Channel: account.ByEmail, Value: "hoa@vidu.vn"}}
	byHandle, byLink := shopper.Answer{Handle: "mau"}, shopper.Answer{Link: "mau"}
	expired := apperr.List{apperr.New(apperr.Conflict, "shopper.code.expired")}
	wrong := apperr.List{apperr.Field("code", "shopper.code.wrong", "n", 4)}
	confirm := func(state string, a shopper.Answer, p shopper.Pending, faults apperr.List) {
		g.add("shop/confirm", state, confirmPage(g.frame("/xac-nhan"), a, p, "/thanh-toan", faults))
	}
	confirm("by phone", byHandle, phone, nil)
	confirm("by mail", byHandle, mail, nil)
	confirm("by the link of a mail", byLink, mail, nil)
	confirm("wrong code", byHandle, phone, wrong)
	confirm("by link, wrong password", byLink, mail, apperr.List{apperr.Field("password", "account.password.wrong")})
	confirm("too late", byHandle, shopper.Pending{}, expired)
	phone.Purpose, mail.Purpose = shopper.ForReset, shopper.ForReset
	reset := func(state string, a shopper.Answer, p shopper.Pending, faults apperr.List) {
		g.add("shop/reset", state, resetPage(g.frame("/dat-lai-mat-khau"), a, p, faults))
	}
	reset("by phone", byHandle, phone, nil)
	reset("by the link of a mail", byLink, mail, nil)
	reset("everything wrong", shopper.Answer{Handle: "mau", Code: "123"}, mail, append(wrong, apperr.Field("password", "account.password.short", "min", account.MinPassword)))
	reset("too late", byHandle, shopper.Pending{}, expired)
}

func (g *sampler) bought(n int) []order.Purchase {
	var out []order.Purchase
	states := [][]order.State{{order.AwaitingPayment, order.Placed}, {order.Shipped}, {order.Delivered, order.Cancelled}, {order.Expired}}
	for i := range n {
		out = append(out, order.Purchase{ID: int64(100 - i), Code: "K7M4-92QX", PlacedAt: g.Clock.Now().Add(-time.Duration(i) * 26 * time.Hour), Total: 415_000,
			Method: payment.VietQR, States: states[i%len(states)], NamesVI: []string{longestProduct, "Chè Shan tuyết", "Mật hoa dừa", "Nước mắm"},
			NamesEN: []string{longestProductEN, "Shan snow tea", "Coconut nectar", "Fish sauce"}, Pieces: 4})
	}
	return out
}

func (g *sampler) ownPages() {
	hoa := account.Account{ID: 1, Email: "hoa@vidu.vn", Name: "Nguyễn Thị Hòa", Phone: "+84912345678", PhoneProven: true}
	works := account.Account{Email: "can-bo@vidu.vn", Name: "Nguyễn Thị Hòa"}
	for _, r := range account.RoleNames() {
		works.Roles = append(works.Roles, account.Role{Name: r})
	}
	g.add("shop/account", "shopper, purchases to claim", accountPage(g.frame("/tai-khoan"), hoa, g.bought(3), 2))
	fresh := accountPage(g.frame("/tai-khoan"), account.Account{Email: "hoa@vidu.vn", Name: "Nguyễn Thị Hòa"}, nil, 0)
	fresh.Said, fresh.PhoneOpen = fresh.T("me.opened"), true
	g.add("shop/account", "just opened", fresh)
	g.add("shop/account", "every role", accountPage(g.frame("/tai-khoan"), works, nil, 0))
	nameless := accountPage(g.frame("/tai-khoan"), hoa, nil, 0)
	nameless.Typed = ""
	nameless.Explain(apperr.List{apperr.Field("name", "account.name.missing")})
	g.add("shop/account", "name refused", nameless)

	g.add("shop/purchases", "many", purchasesPage(g.frame("/tai-khoan/don-hang"), g.bought(purchasesShown+1), true, 1))
	g.add("shop/purchases", "last page", purchasesPage(g.frame("/tai-khoan/don-hang"), g.bought(1), false, 0))
	claimed := purchasesPage(g.frame("/tai-khoan/don-hang"), nil, true, 0)
	claimed.Said = claimed.T("me.claimed", "n", 0)
	g.add("shop/purchases", "empty", claimed)

	book := []shopper.Address{{ID: 1, Name: "Nguyễn Thị Hòa", Phone: "+84912345678", ProvinceCode: provinces[0].Code, CommuneCode: communes[0].Code, Street: "12 ấp Đại Mong", Default: true},
		{ID: 2, Name: strings.Repeat("Nguyễn ", 16), Phone: "+84912345679", ProvinceCode: provinces[0].Code, CommuneCode: communes[0].Code, Street: strings.Repeat("số 12 ngõ 34 ", 15)}}
	known := map[string]geo.Commune{communes[0].Code: communes[0]}
	show := func(state string, all []shopper.Address, f AddressForm, offered []geo.Commune, faults apperr.List) {
		m := addressesPage(g.frame("/tai-khoan/dia-chi"), all, provinces, known, offered, f)
		m.Explain(faults)
		m.Open = m.Open || len(faults) > 0
		g.add("shop/addresses", state, m)
	}
	show("two", book, AddressForm{}, nil, nil)
	show("empty", nil, AddressForm{}, nil, nil)
	show("one being changed", book, AddressForm{1, "Nguyễn Thị Hòa", "0912 345 678", provinces[0].Code, communes[0].Code, "12 ấp Đại Mong", true}, communes, nil)
	show("faults on every field", book, AddressForm{Phone: "12"}, nil, apperr.List{apperr.Field("name", "account.name.missing"),
		apperr.Field("phone", "account.contact.form"), apperr.Field("province", "geo.province.required"), apperr.Field("commune", "geo.commune.required"),
		apperr.Field("street", "shopper.street.form", "max", 200), apperr.New(apperr.Conflict, "shopper.address.full", "max", shopper.MaxAddresses)})

	g.add("shop/wishes", "some, one gone", wishesPage(g.frame("/tai-khoan/yeu-thich"), g.cards(), 1))
	full := wishesPage(g.frame("/tai-khoan/yeu-thich"), nil, 0)
	full.Explain(apperr.List{apperr.New(apperr.Conflict, "shopper.wish.full", "max", shopper.MaxWishes)})
	g.add("shop/wishes", "empty, refused", full)
}

func (g *sampler) security() {
	now := g.Clock.Now()
	hoa := account.Account{Email: "hoa@vidu.vn", Phone: "+84912345678", PhoneProven: true}
	many := map[string]Entry{"a": {now.Add(-time.Hour), now, "Chrome · Android"}, "b": {now.Add(-30 * time.Hour), now.Add(-2 * time.Hour), ""},
		"c": {now.Add(-60 * time.Hour), now.Add(-50 * time.Hour), "Safari · iPhone"}}
	show := func(state string, m *Security) {
		m.PhoneOpen, m.PasskeysOpen = true, true
		g.add("shop/security", state, m)
	}
	show("three devices, a passkey", securityPage(g.frame("/tai-khoan/bao-mat"), hoa, many, "a", []shopper.Passkey{{ID: 1, Name: "Chrome · Android", Created: now}}))
	show("one device", securityPage(g.frame("/tai-khoan/bao-mat"), account.Account{Email: "hoa@vidu.vn"}, map[string]Entry{"a": many["a"]}, "a", nil))
	wrong := securityPage(g.frame("/tai-khoan/bao-mat"), hoa, many, "a", nil)
	wrong.Contact = "khong phai"
	wrong.Explain(apperr.List{apperr.Field("password", "account.password.wrong"), apperr.Field("new_password", "account.password.short", "min", account.MinPassword),
		apperr.Field("contact", "account.contact.form"), apperr.New(apperr.TooMany, "shopper.proof.too_many")})
	show("everything refused", wrong)
}

func (g *sampler) privacy() {
	now := g.Clock.Now()
	agreed := []shopper.Consent{{Purpose: "marketing_email", Given: true, At: now}, {Purpose: "age_18", Given: true, At: now.Add(-time.Hour), Code: "K7M4-92QX"},
		{Purpose: "terms", Given: true, At: now.Add(-2 * time.Hour)}}
	g.add("shop/privacy", "usual", privacyPage(g.frame("/tai-khoan/rieng-tu"), agreed, ""))
	g.add("shop/privacy", "nothing agreed", privacyPage(g.frame("/tai-khoan/rieng-tu"), nil, ""))
	refused := privacyPage(g.frame("/tai-khoan/rieng-tu"), agreed, "privacy")
	refused.Explain(apperr.List{apperr.Field("password", "account.password.wrong")})
	g.add("shop/privacy", "wrong password", refused)
	open := privacyPage(g.frame("/tai-khoan/rieng-tu"), agreed, "")
	open.Explain(apperr.List{apperr.New(apperr.Conflict, "shopper.leave.open", "n", 2)})
	g.add("shop/privacy", "something under way", open)
}
