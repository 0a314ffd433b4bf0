package shop

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/web/kit"
)

// SessionLine is one device that is signed in.
type SessionLine struct {
	ID, Device, Since, Seen string
	Here                    bool
}

// KeyLine is one passkey.
type KeyLine struct {
	ID            int64
	Name, Created string
}

// Security is how an account is got into, and from where it is.
type Security struct {
	kit.Page
	Tabs                    Tabs
	Said, Contact           string // Contact is what was typed
	Email, Phone            string
	Sessions                []SessionLine
	Others                  bool
	Keys                    []KeyLine
	PhoneOpen, PasskeysOpen bool
	MinPassword             int
}

func (s *Shop) security(c *gin.Context) error { return s.showSecurity(c, http.StatusOK, "", nil) }

func (s *Shop) showSecurity(c *gin.Context, status int, contact string, faults apperr.List) error {
	ctx, a := c.Request.Context(), s.me(c)
	all, err := s.Register.All(ctx, owner(a.ID))
	if err != nil {
		return away(err)
	}
	entries := map[string]Entry{}
	var stale []string
	for sid, data := range all {
		var e Entry
		if json.Unmarshal([]byte(data), &e) != nil || e.rested(a, s.Clock.Now()) {
			stale = append(stale, sid)
			continue
		}
		entries[sid] = e
	}
	if err := s.Register.End(ctx, owner(a.ID), stale...); err != nil {
		return away(err)
	}
	keys, err := s.Shoppers.Passkeys(ctx, a.ID)
	if err != nil {
		return err
	}
	m := securityPage(s.page(c, ""), a, entries, s.Sessions.GetString(ctx, sessionID), keys)
	m.PhoneOpen, m.PasskeysOpen, m.Contact = s.Shoppers.PhoneOpen(), s.Shoppers.PasskeysOpen(), contact
	m.Explain(faults)
	switch c.Query("xong") {
	case "mat-khau":
		m.Said = m.T("me.password.changed")
	case "phien":
		m.Said = m.T("me.session.ended")
	case "lien-he":
		m.Said = m.T("me.contact.changed")
	case "khoa":
		m.Said = m.T("me.passkey.kept")
	case "bo-khoa":
		m.Said = m.T("me.passkey.dropped")
	}
	return s.Views.Render(c, status, "shop/security", m)
}

func securityPage(p kit.Page, a account.Account, entries map[string]Entry, here string, keys []shopper.Passkey) *Security {
	m := &Security{Email: a.Email, Phone: i18n.FormatPhone(a.ProvenPhone()), MinPassword: account.MinPassword, Others: len(entries) > 1}
	m.Page, m.Tabs = own(p, "/bao-mat", "me.tab.security")
	type line struct {
		SessionLine
		seen time.Time
	}
	var lines []line
	for sid, e := range entries {
		lines = append(lines, line{SessionLine{ID: sid, Device: cmp.Or(e.Device, m.T("me.session.unknown")), Since: i18n.FormatDateTime(m.Locale, e.Since),
			Seen: i18n.FormatDateTime(m.Locale, e.Seen), Here: sid == here}, e.Seen})
	}
	slices.SortFunc(lines, func(a, b line) int { return cmp.Or(b.seen.Compare(a.seen), cmp.Compare(a.ID, b.ID)) })
	for _, l := range lines {
		m.Sessions = append(m.Sessions, l.SessionLine)
	}
	for _, k := range keys {
		m.Keys = append(m.Keys, KeyLine{k.ID, cmp.Or(k.Name, m.T("me.session.unknown")), i18n.FormatDateTime(m.Locale, k.Created)})
	}
	return m
}

// changePassword ends all other sessions at once; this one goes on in a session with a new token.
func (s *Shop) changePassword(c *gin.Context) error {
	ctx, a := c.Request.Context(), s.me(c)
	err := s.Shoppers.ChangePassword(ctx, a.ID, c.PostForm("password"), c.PostForm("new_password"))
	if faults, known := apperr.As(err); known {
		return s.showSecurity(c, kit.Status(faults), "", faults)
	}
	if err != nil {
		return err
	}
	if err := s.goOn(c, a.ID); err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/bao-mat", "mat-khau")
}

// goOn ends all sessions of an account and begins a new one here.
func (s *Shop) goOn(c *gin.Context, id int64) error {
	a, err := s.Accounts.ByID(c.Request.Context(), id)
	if err != nil {
		return err
	}
	if err := s.endOthers(c.Request.Context(), id, ""); err != nil {
		return err
	}
	_, err = s.enter(c, a)
	return err
}

// endSession ends one session, or all but this one, and takes the basket out of their sight.
func (s *Shop) endSession(c *gin.Context) error {
	ctx, a := c.Request.Context(), s.me(c)
	var err error
	if sid := c.PostForm("phien"); sid != "" {
		err = s.Register.End(ctx, owner(a.ID), sid)
	} else {
		err = s.endOthers(ctx, a.ID, s.Sessions.GetString(ctx, sessionID))
	}
	if err != nil {
		return away(err)
	}
	if err := s.Shoppers.Turn(ctx, a.ID); err != nil {
		return err
	}
	s.ownBasket(c)
	return s.done(c, "/tai-khoan/bao-mat", "phien")
}

func (s *Shop) changeContact(c *gin.Context) error {
	contact := clean(c.PostForm("contact"), 300)
	handle, err := s.Shoppers.AskContact(c.Request.Context(), s.me(c).ID, c.PostForm("contact_password"), contact, kit.Address(c), kit.LocaleOf(c))
	if faults, known := apperr.As(err); known {
		return s.showSecurity(c, kit.Status(faults), contact, faults)
	}
	if err != nil {
		return err
	}
	s.toConfirm(c, "/xac-nhan", handle, "")
	return nil
}

func (s *Shop) beginPasskey(c *gin.Context) error {
	options, remember, err := s.Shoppers.BeginPasskey(c.Request.Context(), s.me(c).ID, c.PostForm("password"))
	if err != nil {
		return s.plainFault(c, err)
	}
	s.Sessions.Put(c.Request.Context(), sessionKeys, remember)
	c.Data(http.StatusOK, "application/json; charset=utf-8", options)
	return nil
}

func (s *Shop) keepPasskey(c *gin.Context) error {
	answer, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	err = s.Shoppers.KeepPasskey(ctx, s.me(c).ID, s.Sessions.PopBytes(ctx, sessionKeys), answer, device(c.Request.UserAgent()))
	if err != nil {
		return s.plainFault(c, err)
	}
	c.Header("Location", kit.Localised(kit.LocaleOf(c), "/tai-khoan/bao-mat")+"?xong=khoa")
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Shop) dropPasskey(c *gin.Context) error {
	id, _ := strconv.ParseInt(c.PostForm("id"), 10, 64)
	if err := s.Shoppers.DropPasskey(c.Request.Context(), s.me(c).ID, id); err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/bao-mat", "bo-khoa")
}
