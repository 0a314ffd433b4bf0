package shop

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// accountRoutes is the part of the table for people who have signed in.
func (s *Shop) accountRoutes(get, post func(right, string, kit.Handler, ...gin.HandlerFunc), limit func(string, int) gin.HandlerFunc) {
	get(signedIn, "/tai-khoan", s.myAccount)
	post(signedIn, "/tai-khoan/ten", s.rename)
	get(signedIn, "/tai-khoan/don-hang", s.purchases)
	get(signedIn, "/tai-khoan/don-hang/:code", s.openPurchase)
	post(signedIn, "/tai-khoan/don-hang/nhan", s.claim, limit("claim", 30))
	get(signedIn, "/tai-khoan/dia-chi", s.addresses)
	post(signedIn, "/tai-khoan/dia-chi", s.keepAddress)
	post(signedIn, "/tai-khoan/dia-chi/xoa", s.dropAddress)
	get(signedIn, "/tai-khoan/yeu-thich", s.wishes)
	post(signedIn, "/yeu-thich", s.wish, limit("wish", 120))
	post(signedIn, "/tai-khoan/yeu-thich/bo", s.unwish)
	get(signedIn, "/tai-khoan/bao-mat", s.security)
	post(signedIn, "/tai-khoan/bao-mat/mat-khau", s.guarded(s.changePassword), limit("signin", 20))
	post(signedIn, "/tai-khoan/bao-mat/phien", s.endSession)
	post(signedIn, "/tai-khoan/bao-mat/lien-he", s.guarded(s.changeContact), limit("signup", 20))
	post(signedIn, "/tai-khoan/bao-mat/khoa", s.guarded(s.beginPasskey), limit("passkey", 30))
	post(signedIn, "/tai-khoan/bao-mat/khoa/xong", s.keepPasskey, limit("passkey", 30))
	post(signedIn, "/tai-khoan/bao-mat/khoa/xoa", s.dropPasskey)
	get(signedIn, "/tai-khoan/rieng-tu", s.privacy)
	post(signedIn, "/tai-khoan/rieng-tu/quang-cao", s.setMarketing)
	get(signedIn, "/tai-khoan/rieng-tu/du-lieu.json", s.export, limit("export", 10))
	post(signedIn, "/tai-khoan/rieng-tu/xoa", s.guarded(s.leave), limit("signin", 20))
}

// guarded bounds how often the password of an account is asked for again, from whichever addresses: who has stolen a
// session must not guess it.
func (s *Shop) guarded(h kit.Handler) kit.Handler {
	return func(c *gin.Context) error {
		if wait, ok := s.slow(c, "confirm-account:", owner(s.me(c).ID), redis.PerHour(30)); !ok {
			c.Header("Retry-After", seconds(wait+time.Second))
			return apperr.New(apperr.TooMany, "error.too_many.text")
		}
		return h(c)
	}
}

// Tabs are the ways between the pages of an account.
type Tabs []Link

func tabs(p *kit.Page, here string) Tabs {
	var out Tabs
	for _, t := range [][2]string{{"", "me.tab.home"}, {"/don-hang", "me.tab.purchases"}, {"/dia-chi", "me.tab.addresses"}, {"/yeu-thich", "me.tab.wishes"},
		{"/bao-mat", "me.tab.security"}, {"/rieng-tu", "me.tab.privacy"}} {
		out = append(out, Link{Text: p.T(t[1]), URL: p.URL("/tai-khoan" + t[0]), Current: t[0] == here})
	}
	return out
}

// own is the frame of a page of an account.
func own(p kit.Page, here, title string) (kit.Page, Tabs) {
	p.Path = "/tai-khoan" + here
	p.Title, p.NoIndex, p.Query = p.T(title), true, ""
	return p, tabs(&p, here)
}

// me is the person whom a route for people who are signed in was opened to.
func (s *Shop) me(c *gin.Context) account.Account {
	a, _, _ := s.who(c) // requireSignIn has asked before
	return a
}

// MyAccount says who is signed in, what is new, and for people who work here what they may do.
type MyAccount struct {
	kit.Page
	Tabs                Tabs
	Name, Typed, Said   string
	Facts               []Fact
	Latest              []PurchaseLine
	Claimable           int
	Staff, Desk         bool
	HasPhone, PhoneOpen bool
}

func (s *Shop) myAccount(c *gin.Context) error {
	return s.showAccount(c, http.StatusOK, "", nil)
}

func (s *Shop) showAccount(c *gin.Context, status int, typed string, faults apperr.List) error {
	a := s.me(c)
	latest, err := s.Orders.Purchases(c.Request.Context(), a.ID, 0, 3)
	if err != nil {
		return err
	}
	claimable, err := s.Shoppers.Claimable(c.Request.Context(), a)
	if err != nil {
		return err
	}
	m := accountPage(s.page(c, ""), a, latest, claimable)
	m.PhoneOpen = s.Shoppers.PhoneOpen()
	m.Explain(faults)
	if typed != "" {
		m.Typed = typed
	}
	switch c.Query("xong") {
	case "mo":
		m.Said = m.T("me.opened")
	case "ten":
		m.Said = m.T("me.renamed")
	}
	return s.Views.Render(c, status, "shop/account", m)
}

func accountPage(p kit.Page, a account.Account, latest []order.Purchase, claimable int) *MyAccount {
	m := &MyAccount{Name: a.Name, Typed: a.Name, Claimable: claimable, Staff: a.Staff(), Desk: account.Can(a, account.UseDesk), HasPhone: a.PhoneProven}
	m.Page, m.Tabs = own(p, "", "account.title")
	add := func(key, value string) {
		if value != "" {
			m.Facts = append(m.Facts, Fact{Name: m.T(key), Value: value})
		}
	}
	add("me.phone", i18n.FormatPhone(a.ProvenPhone()))
	add("me.email", a.Email)
	for _, r := range a.Roles {
		add("account.role", m.T(r.Name.Key()))
	}
	m.Latest = purchaseLines(&m.Page, latest)
	return m
}

func (s *Shop) rename(c *gin.Context) error {
	name := clean(c.PostForm("name"), 300)
	err := s.Accounts.Rename(c.Request.Context(), s.me(c).ID, name)
	if faults, known := apperr.As(err); known {
		return s.showAccount(c, kit.Status(faults), name, faults)
	}
	if err != nil {
		return err
	}
	return s.done(c, "/tai-khoan", "ten")
}

// done leads back to a page of the account that says what was done.
func (s *Shop) done(c *gin.Context, path, what string) error {
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), path)+"?xong="+what)
	return nil
}

// PurchaseLine is one purchase in a list.
type PurchaseLine struct {
	Code, URL, Placed, Goods, Total string
	States                          []Tag
}

// Tag is a short word with its tone.
type Tag struct{ Text, Tone string }

func purchaseLines(p *kit.Page, list []order.Purchase) []PurchaseLine {
	var out []PurchaseLine
	for _, v := range list {
		names := v.NamesVI
		if p.EN() {
			names = v.NamesEN
		}
		line := PurchaseLine{Code: v.Code, URL: p.URL("/tai-khoan/don-hang/" + v.Code), Placed: i18n.FormatDateTime(p.Locale, v.PlacedAt), Total: v.Total.String()}
		if len(names) > 3 {
			names = append(names[:3:3], "…")
		}
		line.Goods = strings.Join(names, ", ")
		for _, state := range v.States {
			tag := Tag{p.T(state.Key()), tones[state]}
			if n := len(line.States); n == 0 || line.States[n-1] != tag {
				line.States = append(line.States, tag)
			}
		}
		out = append(out, line)
	}
	return out
}

// Purchases is the list of what somebody bought.
type Purchases struct {
	kit.Page
	Tabs      Tabs
	Said      string
	List      []PurchaseLine
	Claimable int
	More      string // address of the older ones
	First     bool
}

const purchasesShown = 10

func (s *Shop) purchases(c *gin.Context) error {
	a := s.me(c)
	before, _ := strconv.ParseInt(c.Query("truoc"), 10, 64)
	list, err := s.Orders.Purchases(c.Request.Context(), a.ID, max(0, before), purchasesShown+1)
	if err != nil {
		return err
	}
	claimable, err := s.Shoppers.Claimable(c.Request.Context(), a)
	if err != nil {
		return err
	}
	m := purchasesPage(s.page(c, ""), list, before <= 0, claimable)
	if n, err := strconv.Atoi(c.Query("nhan")); err == nil {
		m.Said = m.T("me.claimed", "n", n)
	}
	return s.Views.Render(c, http.StatusOK, "shop/purchases", m)
}

func purchasesPage(p kit.Page, list []order.Purchase, first bool, claimable int) *Purchases {
	m := &Purchases{Claimable: claimable, First: first}
	m.Page, m.Tabs = own(p, "/don-hang", "me.tab.purchases")
	if len(list) > purchasesShown {
		list = list[:purchasesShown]
		m.More = m.URL("/tai-khoan/don-hang") + "?truoc=" + strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	m.List = purchaseLines(&m.Page, list)
	return m
}

// openPurchase leads the owner to the status page. That it is their own stands in the WHERE; the secret in the address is
// the one that was mailed to them.
func (s *Shop) openPurchase(c *gin.Context) error {
	code := c.Param("code")
	secret, err := s.Orders.Owned(c.Request.Context(), s.me(c).ID, code)
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, order.Path(kit.LocaleOf(c), code, secret))
	return nil
}

func (s *Shop) claim(c *gin.Context) error {
	n, err := s.Shoppers.Claim(c.Request.Context(), s.me(c).ID)
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/tai-khoan/don-hang")+"?nhan="+strconv.Itoa(n))
	return nil
}

// WishCard is one wished product.
type WishCard struct {
	Ware
	Slug string
}

// Wishes is the list of what somebody likes.
type Wishes struct {
	kit.Page
	Tabs Tabs
	Said string
	List []WishCard
	Gone int // wished once, no longer for sale
}

func (s *Shop) wishes(c *gin.Context) error { return s.showWishes(c, http.StatusOK, nil) }

func (s *Shop) showWishes(c *gin.Context, status int, faults apperr.List) error {
	ids, err := s.Shoppers.Wishes(c.Request.Context(), s.me(c).ID)
	if err != nil {
		return err
	}
	cards, err := s.Store.Cards(c.Request.Context(), ids)
	if err != nil {
		return err
	}
	var list []storefront.Card
	for _, id := range ids {
		if card, ok := cards[id]; ok {
			list = append(list, card)
		}
	}
	m := wishesPage(s.page(c, ""), list, len(ids)-len(list))
	m.Explain(faults)
	switch c.Query("xong") {
	case "them":
		m.Said = m.T("me.wish.added")
	case "bo":
		m.Said = m.T("me.wish.removed")
	}
	return s.Views.Render(c, status, "shop/wishes", m)
}

func wishesPage(p kit.Page, list []storefront.Card, gone int) *Wishes {
	m := &Wishes{Gone: gone}
	m.Page, m.Tabs = own(p, "/yeu-thich", "me.tab.wishes")
	for i, w := range wares(&m.Page, list, 4) {
		m.List = append(m.List, WishCard{w, list[i].Slug})
	}
	return m
}

func (s *Shop) wish(c *gin.Context) error {
	err := s.Shoppers.Wish(c.Request.Context(), s.me(c).ID, c.PostForm("slug"))
	if faults, known := apperr.As(err); known && faults.Kind() == apperr.Conflict {
		return s.showWishes(c, kit.Status(faults), faults)
	}
	if err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/yeu-thich", "them")
}

func (s *Shop) unwish(c *gin.Context) error {
	if err := s.Shoppers.Unwish(c.Request.Context(), s.me(c).ID, c.PostForm("slug")); err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/yeu-thich", "bo")
}
