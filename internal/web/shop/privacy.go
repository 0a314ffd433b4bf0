package shop

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/web/kit"
)

// ConsentLine is one thing somebody agreed to or not.
type ConsentLine struct{ What, Said, At, Of string }

// Privacy is what the market knows about a person, and what they can do about it.
type Privacy struct {
	kit.Page
	Tabs      Tabs
	Said      string
	Marketing bool
	Consents  []ConsentLine
	Reasons   []Link
	Reason    string
}

func (s *Shop) privacy(c *gin.Context) error { return s.showPrivacy(c, http.StatusOK, "", nil) }

func (s *Shop) showPrivacy(c *gin.Context, status int, reason string, faults apperr.List) error {
	all, err := s.Shoppers.Consents(c.Request.Context(), s.me(c).ID)
	if err != nil {
		return err
	}
	m := privacyPage(s.page(c, ""), all, reason)
	m.Explain(faults)
	if c.Query("xong") == "quang-cao" {
		m.Said = m.T("me.consent.changed")
	}
	return s.Views.Render(c, status, "shop/privacy", m)
}

func privacyPage(p kit.Page, all []shopper.Consent, reason string) *Privacy {
	m := &Privacy{Marketing: shopper.Marketing(all), Reason: reason}
	m.Page, m.Tabs = own(p, "/rieng-tu", "me.tab.privacy")
	for _, a := range all {
		line := ConsentLine{What: m.T("me.consent." + a.Purpose), At: i18n.FormatDateTime(m.Locale, a.At), Said: m.T("me.consent.no")}
		if a.Given {
			line.Said = m.T("me.consent.yes")
		}
		if a.Code != "" {
			line.Of = m.T("me.consent.of", "code", a.Code)
		}
		m.Consents = append(m.Consents, line)
	}
	for _, r := range shopper.Reasons() {
		m.Reasons = append(m.Reasons, Link{Text: m.T("me.leave.reason." + r), N: r, Current: r == reason})
	}
	return m
}

func (s *Shop) setMarketing(c *gin.Context) error {
	if err := s.Shoppers.SetMarketing(c.Request.Context(), s.me(c).ID, c.PostForm("dong-y") == "1"); err != nil {
		return err
	}
	return s.done(c, "/tai-khoan/rieng-tu", "quang-cao")
}

func (s *Shop) export(c *gin.Context) error {
	x, err := s.Shoppers.Export(c.Request.Context(), s.me(c).ID)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	c.Header("Content-Disposition", `attachment; filename="cho-ocop-du-lieu.json"`)
	c.Data(http.StatusOK, "application/json; charset=utf-8", data)
	return nil
}

// leave closes the account; with it all its sessions and the basket of this device end.
func (s *Shop) leave(c *gin.Context) error {
	ctx, a, reason := c.Request.Context(), s.me(c), c.PostForm("reason")
	err := s.Shoppers.Leave(ctx, a.ID, c.PostForm("password"), reason)
	if faults, known := apperr.As(err); known {
		return s.showPrivacy(c, kit.Status(faults), reason, faults)
	}
	if err != nil {
		return err
	}
	if err := s.endOthers(ctx, a.ID, ""); err != nil {
		return err
	}
	if err := s.Sessions.Destroy(ctx); err != nil {
		return away(err)
	}
	s.setCookie(c, cartCookie, "", -time.Second)
	c.Redirect(http.StatusSeeOther, kit.Localised(kit.LocaleOf(c), "/dang-nhap")+"?xong=da-xoa")
	return nil
}
