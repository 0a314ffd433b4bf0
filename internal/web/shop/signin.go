package shop

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/redis"
	"choocop.vn/ocop/internal/web/kit"
)

// SignIn is the way in, for shoppers and for those who work here.
type SignIn struct {
	kit.Page
	Email, Back, Said string // Email is what was typed: an e-mail or a phone number
	Passkeys          bool
}

func (s *Shop) signIn(c *gin.Context) error {
	return s.showSignIn(c, http.StatusOK, "", c.Query("ve"), nil)
}

func (s *Shop) showSignIn(c *gin.Context, status int, email, back string, faults apperr.List) error {
	m := signInPage(s.page(c, ""), email, back, faults)
	m.Passkeys = s.Shoppers.PasskeysOpen()
	switch c.Query("xong") {
	case "mat-khau":
		m.Said = m.T("signin.password_set")
	case "da-xoa":
		m.Said = m.T("signin.left")
	}
	return s.Views.Render(c, status, "shop/signin", m)
}

func signInPage(p kit.Page, email, back string, faults apperr.List) *SignIn {
	m := &SignIn{Page: p, Email: email}
	m.Title, m.NoIndex, m.Query = m.T("signin.title"), true, ""
	if back != "" && localPath(back) == back {
		m.Back, m.Query = back, url.Values{"ve": {back}}.Encode()
	}
	m.Explain(faults)
	return m
}

func (s *Shop) doSignIn(c *gin.Context) error {
	email, password, back := clean(c.PostForm("email"), 200), c.PostForm("password"), c.PostForm("ve")
	// The limit by address is on the route; this one guards the account against many addresses. A browser that its owner used
	// before is counted by itself.
	key, who := "signin-account:", email
	if device := s.knownDevice(c, email); device != "" {
		key, who = "signin-device:", device
	}
	if wait, ok := s.slow(c, key, who, redis.PerHour(30)); !ok {
		c.Header("Retry-After", seconds(wait+time.Second))
		return apperr.New(apperr.TooMany, "error.too_many.text")
	}
	a, err := s.Accounts.SignIn(c.Request.Context(), email, password)
	if faults, known := apperr.As(err); known {
		return s.showSignIn(c, kit.Status(faults), email, back, faults)
	}
	if err != nil {
		return err
	}
	cut, err := s.enter(c, a)
	if err != nil {
		return err
	}
	s.welcome(c, a, back, cut)
	return nil
}

// slow counts one try with an identifier, whichever way it is written.
func (s *Shop) slow(c *gin.Context, what, identifier string, r redis.Rate) (wait time.Duration, ok bool) {
	key := strings.ToLower(identifier)
	if contact, bad := account.ParseContact(identifier); bad == nil {
		key = contact.Value
	}
	ok, wait = s.Limiter.Allow(c.Request.Context(), what+hex.EncodeToString(ident.Hash(key)), r)
	return wait, ok
}

// welcome leads somebody who has just signed in to where they wanted to go, on this site, or to where they work.
func (s *Shop) welcome(c *gin.Context, a account.Account, back string, cut bool) {
	to := kit.Localised(kit.LocaleOf(c), "/tai-khoan")
	if slices.ContainsFunc(a.Roles, func(r account.Role) bool { return r.Scope == account.OfProducer }) {
		to = "/seller"
	}
	switch {
	case cut:
		to = kit.Localised(kit.LocaleOf(c), "/gio-hang") + "?xong=gop"
	case back != "" && localPath(back) == back:
		to = back
	}
	c.Redirect(http.StatusSeeOther, to)
}

func (s *Shop) signOut(c *gin.Context) error {
	ctx := c.Request.Context()
	if id := s.Sessions.GetInt64(ctx, sessionWho); id != 0 {
		if err := s.Register.End(ctx, owner(id), s.Sessions.GetString(ctx, sessionID)); err != nil {
			return away(err)
		}
	}
	if err := s.Sessions.Destroy(ctx); err != nil {
		return away(err)
	}
	// The basket belongs to the account: who uses this device next must not find it.
	s.setCookie(c, cartCookie, "", -time.Second)
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/"))
	return nil
}

func (s *Shop) askPasskey(c *gin.Context) error {
	options, remember, err := s.Shoppers.AskPasskey()
	if err != nil {
		return s.plainFault(c, err)
	}
	s.Sessions.Put(c.Request.Context(), sessionKeys, remember)
	c.Data(http.StatusOK, "application/json; charset=utf-8", options)
	return nil
}

// signInByPasskey answers script: 204 and where to go, or the fault as text.
func (s *Shop) signInByPasskey(c *gin.Context) error {
	answer, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return err
	}
	a, err := s.Shoppers.SignInByPasskey(c.Request.Context(), s.Sessions.PopBytes(c.Request.Context(), sessionKeys), answer)
	if err != nil {
		return s.plainFault(c, err)
	}
	cut, err := s.enter(c, a)
	if err != nil {
		return err
	}
	s.welcome(c, a, c.Query("ve"), cut)
	c.Status(http.StatusNoContent) // script follows the Location itself
	return nil
}

// plainFault says a known fault as one sentence, for script to show.
func (s *Shop) plainFault(c *gin.Context, err error) error {
	faults, known := apperr.As(err)
	if !known {
		return err
	}
	p := s.page(c, "")
	p.Explain(faults)
	c.String(kit.Status(faults), strings.Join(p.Other(), " "))
	return nil
}
