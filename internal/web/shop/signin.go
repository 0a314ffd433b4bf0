package shop

import (
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/web/kit"
)

const sessionAccount = "account"

// SignIn is the staff's way in; shoppers need no account.
type SignIn struct {
	kit.Page
	Email string
}

// MyAccount says who is signed in and what they may do.
type MyAccount struct {
	kit.Page
	Name  string
	Facts []Fact
}

func (s *Shop) signIn(c *gin.Context) error {
	return s.showSignIn(c, http.StatusOK, "", nil)
}

func (s *Shop) showSignIn(c *gin.Context, status int, email string, faults apperr.List) error {
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, status, "shop/signin", signInPage(s.page(c, ""), email, faults))
}

func signInPage(p kit.Page, email string, faults apperr.List) *SignIn {
	m := &SignIn{Page: p, Email: email}
	m.Title, m.NoIndex, m.Query = m.T("signin.title"), true, ""
	m.Explain(faults)
	return m
}

func (s *Shop) doSignIn(c *gin.Context) error {
	email, password := clean(c.PostForm("email"), 200), c.PostForm("password")
	// The limit by address is on the route; this one guards the account against many addresses.
	if ok, wait := s.Limiter.Allow(c.Request.Context(), "signin-account:"+hex.EncodeToString(ident.Hash(strings.ToLower(email))), redis.PerHour(30)); !ok {
		c.Header("Retry-After", seconds(wait+time.Second))
		return apperr.New(apperr.TooMany, "error.too_many.text")
	}
	a, err := s.Accounts.SignIn(c.Request.Context(), email, password)
	if faults, known := apperr.As(err); known {
		return s.showSignIn(c, kit.Status(faults), email, faults)
	}
	if err != nil {
		return err
	}
	// A new token at sign-in, so that a planted one is worthless.
	if err := s.Sessions.RenewToken(c.Request.Context()); err != nil {
		return apperr.New(apperr.Unavailable, "signin.away")
	}
	s.Sessions.Put(c.Request.Context(), sessionAccount, a.ID)
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/tai-khoan"))
	return nil
}

func (s *Shop) signOut(c *gin.Context) error {
	if err := s.Sessions.Destroy(c.Request.Context()); err != nil {
		return apperr.New(apperr.Unavailable, "signin.away")
	}
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/"))
	return nil
}

func (s *Shop) signedIn(c *gin.Context) (account.Account, bool, error) {
	id := s.Sessions.GetInt64(c.Request.Context(), sessionAccount)
	if id == 0 {
		return account.Account{}, false, nil
	}
	a, err := s.Accounts.ByID(c.Request.Context(), id)
	if faults, known := apperr.As(err); known && faults.Kind() == apperr.NotFound {
		return account.Account{}, false, nil
	}
	return a, err == nil && !a.Closed, err
}

// requireStaff sends people who are not signed in to the way in.
func (s *Shop) requireStaff(c *gin.Context) error {
	_, ok, err := s.signedIn(c)
	if err != nil {
		return err
	}
	if !ok {
		c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/dang-nhap"))
		c.Abort()
	}
	return nil
}

func (s *Shop) myAccount(c *gin.Context) error {
	a, _, err := s.signedIn(c)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	return s.Views.Render(c, http.StatusOK, "shop/account", accountPage(s.page(c, ""), a))
}

func accountPage(p kit.Page, a account.Account) *MyAccount {
	m := &MyAccount{Page: p, Name: a.Name}
	m.Title, m.NoIndex = m.T("account.title"), true
	m.Facts = append(m.Facts, Fact{Name: m.T("signin.email"), Value: a.Email})
	for _, r := range a.Roles {
		m.Facts = append(m.Facts, Fact{Name: m.T("account.role"), Value: m.T(r.Name.Key())})
	}
	return m
}

// NeedsSession reports whether an address belongs to people who sign in; all others work without Redis.
func NeedsSession(path string) bool {
	if len(path) > 3 && path[:4] == "/en/" {
		path = path[3:]
	}
	switch path {
	case "/dang-nhap", "/dang-xuat", "/tai-khoan":
		return true
	}
	return false
}
