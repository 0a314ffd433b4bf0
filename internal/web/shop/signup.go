package shop

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/web/kit"
)

// SignUp is the page of people who want an account.
type SignUp struct {
	kit.Page
	Name, Email, Back string
	Terms, Marketing  bool
	PhoneOpen         bool
	MinPassword       int
}

func (s *Shop) signUp(c *gin.Context) error {
	return s.showSignUp(c, http.StatusOK, SignUp{Back: c.Query("ve")}, nil)
}

func (s *Shop) showSignUp(c *gin.Context, status int, f SignUp, faults apperr.List) error {
	f.PhoneOpen = s.Shoppers.PhoneOpen()
	return s.Views.Render(c, status, "shop/signup", signUpPage(s.page(c, ""), f, faults))
}

func signUpPage(p kit.Page, f SignUp, faults apperr.List) *SignUp {
	f.Page, f.MinPassword = p, account.MinPassword
	f.Title, f.NoIndex, f.Query = f.T("me.signup.title"), true, ""
	if f.Back != "" && localPath(f.Back) != f.Back {
		f.Back = ""
	}
	f.Explain(faults)
	return &f
}

func (s *Shop) doSignUp(c *gin.Context) error {
	f := SignUp{Name: clean(c.PostForm("name"), 300), Email: clean(c.PostForm("email"), 300), Back: c.PostForm("ve"),
		Terms: c.PostForm("terms") == "1", Marketing: c.PostForm("marketing") == "1"}
	handle, err := s.Shoppers.SignUp(c.Request.Context(), shopper.SignUp{Identifier: f.Email, Name: f.Name, Password: c.PostForm("password"),
		Locale: kit.LocaleOf(c), Terms: f.Terms, Marketing: f.Marketing, From: kit.Address(c)})
	if faults, known := apperr.As(err); known {
		return s.showSignUp(c, kit.Status(faults), f, faults)
	}
	if err != nil {
		return err
	}
	s.toConfirm(c, "/xac-nhan", handle, f.Back)
	return nil
}

func (s *Shop) toConfirm(c *gin.Context, path, handle, back string) {
	q := url.Values{"ma": {handle}}
	if back != "" && localPath(back) == back {
		q.Set("ve", back)
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), path)+"?"+q.Encode())
}

// Confirm asks for the code that was sent, or who comes by a mail's link for the password of the sign-up. With Gone there
// is nothing left to confirm.
type Confirm struct {
	kit.Page
	Handle, Link, Back string
	Text, Hint         string
	Again              string // where to ask anew
	Gone               bool
}

func (s *Shop) confirm(c *gin.Context) error {
	return s.showConfirm(c, http.StatusOK, shopper.Answer{Handle: c.Query("ma"), Link: c.Query(shopper.LinkParam)}, c.Query("ve"), nil)
}

func (s *Shop) showConfirm(c *gin.Context, status int, a shopper.Answer, back string, faults apperr.List) error {
	p, err := s.Shoppers.Look(c.Request.Context(), a)
	if stale, known := apperr.As(err); known {
		if len(faults) == 0 {
			faults, status = stale, kit.Status(stale)
		}
	} else if err != nil {
		return err
	}
	return s.Views.Render(c, status, "shop/confirm", confirmPage(s.page(c, ""), a, p, back, faults))
}

func confirmPage(p kit.Page, a shopper.Answer, pending shopper.Pending, back string, faults apperr.List) *Confirm {
	m := &Confirm{Page: p, Handle: a.Handle, Link: a.Link}
	m.Title, m.NoIndex = m.T("me.confirm.title"), true
	m.Query = url.Values{"ma": {a.Handle}}.Encode()
	if a.Link != "" {
		m.Query = url.Values{shopper.LinkParam: {a.Link}}.Encode()
	}
	if back != "" && localPath(back) == back {
		m.Back = back
	}
	m.Explain(faults)
	m.Again = m.URL("/dang-ky")
	if pending.Purpose == shopper.ForContact {
		m.Again = m.URL("/tai-khoan/bao-mat")
	}
	m.Gone = pending.Purpose == "" || pending.Purpose == shopper.ForReset
	m.Text, m.Hint = m.sent(pending.Contact)
	if a.Link != "" {
		m.Text, m.Hint = m.T("me.confirm.by_link", "to", pending.Contact.Value), ""
	}
	return m
}

// sent says where a code went, and what to do when it does not come.
func (m *Confirm) sent(to account.Contact) (text, hint string) { return sentTo(&m.Page, to) }

func sentTo(p *kit.Page, to account.Contact) (text, hint string) {
	minutes := int(shopper.CodeLife.Minutes())
	if to.Channel == account.ByPhone {
		return p.T("me.confirm.sent_phone", "to", i18n.FormatPhone(to.Value), "n", minutes), p.T("me.confirm.hint_phone")
	}
	return p.T("me.confirm.sent_email", "to", to.Value, "n", minutes), p.T("me.confirm.hint_email")
}

func (s *Shop) doConfirm(c *gin.Context) error {
	a := shopper.Answer{Handle: c.PostForm("ma"), Code: c.PostForm("code"), Link: c.PostForm(shopper.LinkParam)}
	back := c.PostForm("ve")
	pending, err := s.Shoppers.Look(c.Request.Context(), a)
	if err == nil && pending.Purpose == shopper.ForContact {
		return s.confirmContact(c, a)
	}
	var who account.Account
	if err == nil {
		who, err = s.Shoppers.FinishSignUp(c.Request.Context(), a, c.PostForm("password"))
	}
	if faults, known := apperr.As(err); known {
		return s.showConfirm(c, kit.Status(faults), a, back, faults)
	}
	if err != nil {
		return err
	}
	cut, err := s.enter(c, who)
	if err != nil {
		return err
	}
	if back == "" {
		back = kit.Localised(kit.LocaleOf(c), "/tai-khoan") + "?xong=mo"
	}
	s.welcome(c, who, back, cut)
	return nil
}

// confirmContact takes a new phone number or e-mail into the account of whoever is signed in.
func (s *Shop) confirmContact(c *gin.Context, a shopper.Answer) error {
	who, ok, err := s.who(c)
	if err != nil {
		return err
	}
	if !ok {
		c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/dang-nhap"))
		return nil
	}
	err = s.Shoppers.ProveContact(c.Request.Context(), who.ID, a)
	if faults, known := apperr.As(err); known {
		return s.showConfirm(c, kit.Status(faults), a, "", faults)
	}
	if err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/tai-khoan/bao-mat")+"?xong=lien-he")
	return nil
}

// Forgot asks whose password was forgotten.
type Forgot struct {
	kit.Page
	Email string
}

func (s *Shop) forgot(c *gin.Context) error {
	return s.Views.Render(c, http.StatusOK, "shop/forgot", forgotPage(s.page(c, ""), "", nil))
}

func forgotPage(p kit.Page, email string, faults apperr.List) *Forgot {
	m := &Forgot{Page: p, Email: email}
	m.Title, m.NoIndex, m.Query = m.T("me.forgot.title"), true, ""
	m.Explain(faults)
	return m
}

func (s *Shop) doForgot(c *gin.Context) error {
	email := clean(c.PostForm("email"), 300)
	handle, err := s.Shoppers.AskReset(c.Request.Context(), email, kit.Address(c), kit.LocaleOf(c))
	if faults, known := apperr.As(err); known {
		return s.Views.Render(c, kit.Status(faults), "shop/forgot", forgotPage(s.page(c, ""), email, faults))
	}
	if err != nil {
		return err
	}
	s.toConfirm(c, "/dat-lai-mat-khau", handle, "")
	return nil
}

// Reset takes the code and the new password at once.
type Reset struct {
	kit.Page
	Handle, Link, Code string
	Text, Hint         string
	Gone               bool
	MinPassword        int
}

func (s *Shop) reset(c *gin.Context) error {
	return s.showReset(c, http.StatusOK, shopper.Answer{Handle: c.Query("ma"), Link: c.Query(shopper.LinkParam)}, nil)
}

func (s *Shop) showReset(c *gin.Context, status int, a shopper.Answer, faults apperr.List) error {
	p, err := s.Shoppers.Look(c.Request.Context(), a)
	if stale, known := apperr.As(err); known {
		if len(faults) == 0 {
			faults, status = stale, kit.Status(stale)
		}
	} else if err != nil {
		return err
	}
	return s.Views.Render(c, status, "shop/reset", resetPage(s.page(c, ""), a, p, faults))
}

func resetPage(p kit.Page, a shopper.Answer, pending shopper.Pending, faults apperr.List) *Reset {
	m := &Reset{Page: p, Handle: a.Handle, Link: a.Link, Code: a.Code, MinPassword: account.MinPassword}
	m.Title, m.NoIndex = m.T("me.reset.title"), true
	m.Query = url.Values{"ma": {a.Handle}}.Encode()
	if a.Link != "" {
		m.Query = url.Values{shopper.LinkParam: {a.Link}}.Encode()
	}
	m.Explain(faults)
	m.Gone = pending.Purpose != shopper.ForReset
	if a.Link == "" {
		m.Text, m.Hint = sentTo(&m.Page, pending.Contact)
	}
	return m
}

func (s *Shop) doReset(c *gin.Context) error {
	a := shopper.Answer{Handle: c.PostForm("ma"), Code: clean(c.PostForm("code"), 20), Link: c.PostForm(shopper.LinkParam)}
	id, err := s.Shoppers.Reset(c.Request.Context(), a, c.PostForm("password"))
	if faults, known := apperr.As(err); known {
		return s.showReset(c, kit.Status(faults), a, faults)
	}
	if err != nil {
		return err
	}
	// The epoch has ended every session already; this takes them off the list.
	if err := s.endOthers(c.Request.Context(), id, ""); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/dang-nhap")+"?xong=mat-khau")
	return nil
}
