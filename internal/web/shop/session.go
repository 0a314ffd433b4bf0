package shop

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/web/kit"
)

// SessionLife is how long a session lasts at most. One that rests ends sooner: of people who work here after half a day.
const SessionLife = 30 * 24 * time.Hour

const (
	staffIdle    = 12 * time.Hour
	shopperIdle  = 14 * 24 * time.Hour
	seenAfter    = 5 * time.Minute // how exactly the list knows when a session was last used
	sessionName  = "phien"
	sessionWho   = "account"
	sessionEpoch = "epoch"
	sessionID    = "sid"
	sessionKeys  = "passkey" // what a passkey's answer is checked against
)

// Entry is what the list of live sessions says of one.
type Entry struct {
	Since, Seen time.Time
	Device      string
}

// Pages of the buying way work without a session, and look at one only if there is one.
var sessionOptional = []string{"/gio-hang", "/gio-hang/dong", "/thanh-toan"}

var sessionPages = []string{"/dang-nhap", "/dang-xuat", "/dang-ky", "/xac-nhan", "/tai-khoan", "/yeu-thich", "/dat-lai-mat-khau", "/office", "/seller"}

func localPart(path string) string {
	if strings.HasPrefix(path, "/en/") {
		return path[3:]
	}
	return path
}

// NeedsSession reports whether a request belongs to people who sign in; all others work without Redis and can be cached.
func NeedsSession(r *http.Request) bool {
	path := localPart(r.URL.Path)
	if slices.Contains(sessionOptional, path) {
		_, err := r.Cookie(sessionName)
		return err == nil
	}
	return slices.ContainsFunc(sessionPages, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") })
}

type sessionState int

const (
	_ sessionState = iota
	sessionLoaded
	sessionAway
)

type sessionKey struct{}

// WithSession marks a request whose session was loaded.
func WithSession(ctx context.Context) context.Context {
	return context.WithValue(ctx, sessionKey{}, sessionLoaded)
}

// WithoutSession marks a request whose session cannot be had because Redis does not answer.
func WithoutSession(ctx context.Context) context.Context {
	return context.WithValue(ctx, sessionKey{}, sessionAway)
}

// MissesSession reports whether a request cannot be answered because its session cannot be had.
func MissesSession(r *http.Request) bool {
	return r.Context().Value(sessionKey{}) == sessionAway && !slices.Contains(sessionOptional, localPart(r.URL.Path))
}

func owner(id int64) string { return strconv.FormatInt(id, 10) }

const whoKey = "who"

// who is the person who is signed in. A session counts only while its account is open, since the account's epoch, and as
// long as it stands in the list of live ones.
func (s *Shop) who(c *gin.Context) (account.Account, bool, error) {
	if a, ok := c.Get(whoKey); ok {
		return a.(account.Account), true, nil
	}
	ctx := c.Request.Context()
	if ctx.Value(sessionKey{}) != sessionLoaded {
		return account.Account{}, false, nil
	}
	id := s.Sessions.GetInt64(ctx, sessionWho)
	if id == 0 {
		return account.Account{}, false, nil
	}
	a, err := s.Accounts.ByID(ctx, id)
	if faults, known := apperr.As(err); known && faults.Kind() == apperr.NotFound {
		return account.Account{}, false, nil
	}
	if err != nil || a.Closed || a.Epoch != s.Sessions.GetInt(ctx, sessionEpoch) {
		return account.Account{}, false, err
	}
	live, err := s.live(ctx, a)
	if err != nil {
		return account.Account{}, false, err
	}
	if live {
		c.Set(whoKey, a)
	}
	return a, live, nil
}

func (s *Shop) live(ctx context.Context, a account.Account) (bool, error) {
	sid, now := s.Sessions.GetString(ctx, sessionID), s.Clock.Now()
	data, found, err := s.Register.Get(ctx, owner(a.ID), sid)
	if err != nil {
		return false, away(err)
	}
	var e Entry
	if !found || json.Unmarshal(data, &e) != nil || e.rested(a, now) {
		return false, nil
	}
	if now.Sub(e.Seen) < seenAfter {
		return true, nil
	}
	e.Seen = now
	return true, s.note(ctx, a.ID, sid, e)
}

func (e Entry) rested(a account.Account, now time.Time) bool {
	idle := shopperIdle
	if a.Staff() {
		idle = staffIdle
	}
	return now.Sub(e.Seen) > idle || now.Sub(e.Since) > SessionLife
}

// away says that signing in has to wait; why stands in the log.
func away(err error) error {
	slog.Error("sessions", "error", err)
	return apperr.New(apperr.Unavailable, "signin.away")
}

func (s *Shop) note(ctx context.Context, id int64, sid string, e Entry) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if err := s.Register.Put(ctx, owner(id), sid, data, SessionLife); err != nil {
		return away(err)
	}
	return nil
}

// enter begins the session of somebody who has shown who they are: with a new token, so that a planted one is worthless,
// and with what lay in the basket of this browser.
func (s *Shop) enter(c *gin.Context, a account.Account) (cut bool, err error) {
	ctx := c.Request.Context()
	merged, err := s.Carts.Merge(ctx, cookie(c, cartCookie), a.ID)
	if err != nil {
		return false, err
	}
	if err := s.begin(c, a); err != nil {
		return false, err
	}
	s.keepCart(c, merged.Token)
	return merged.Cut, nil
}

// begin writes who is signed in into a session with a new token, and ends the one there was.
func (s *Shop) begin(c *gin.Context, a account.Account) error {
	ctx := c.Request.Context()
	if old := s.Sessions.GetInt64(ctx, sessionWho); old != 0 {
		if err := s.Register.End(ctx, owner(old), s.Sessions.GetString(ctx, sessionID)); err != nil {
			return away(err)
		}
	}
	// The list comes first: a fault there must leave the session as it was, or it would be written beside the page that says so.
	sid, now := ident.Token()[:22], s.Clock.Now()
	if err := s.note(ctx, a.ID, sid, Entry{Since: now, Seen: now, Device: device(c.Request.UserAgent())}); err != nil {
		return err
	}
	if err := s.Sessions.RenewToken(ctx); err != nil {
		return away(err)
	}
	if err := s.Sessions.Clear(ctx); err != nil {
		return away(err)
	}
	s.Sessions.Put(ctx, sessionWho, a.ID)
	s.Sessions.Put(ctx, sessionEpoch, a.Epoch)
	s.Sessions.Put(ctx, sessionID, sid)
	s.remember(c, a)
	return nil
}

// endOthers ends every session of an account but the one kept ("" ends all).
func (s *Shop) endOthers(ctx context.Context, id int64, kept string) error {
	all, err := s.Register.All(ctx, owner(id))
	if err != nil {
		return away(err)
	}
	delete(all, kept)
	var ids []string
	for sid := range all {
		ids = append(ids, sid)
	}
	if err := s.Register.End(ctx, owner(id), ids...); err != nil {
		return away(err)
	}
	return nil
}

// requireSignIn sends people who are not signed in to the way in, and lets them come back.
func (s *Shop) requireSignIn(c *gin.Context) error {
	_, ok, err := s.who(c)
	if err != nil || ok {
		return err
	}
	back := ""
	switch path := c.Request.URL.RequestURI(); {
	case c.Request.Method == http.MethodGet && c.FullPath() != kit.Localised(kit.LocaleOf(c), "/tai-khoan"):
		back = path
	case localPart(c.Request.URL.Path) == "/yeu-thich":
		back = kit.Localised(kit.LocaleOf(c), "/san-pham/"+url.PathEscape(c.PostForm("slug")))
	}
	to := kit.Localised(kit.LocaleOf(c), "/dang-nhap")
	if back != "" {
		to += "?" + url.Values{"ve": {back}}.Encode()
	}
	c.Redirect(http.StatusSeeOther, to)
	c.Abort()
	return nil
}

const basketKey = "basket"

// basketToken is the token of the basket that this request means.
func basketToken(c *gin.Context) string {
	if token := c.GetString(basketKey); token != "" {
		return token
	}
	return cookie(c, cartCookie)
}

// ownBasket lets people who are signed in find the basket of their account, also when another device has given it a new
// token. Whatever goes wrong, they can buy as a guest.
func (s *Shop) ownBasket(c *gin.Context) {
	a, ok, err := s.who(c)
	if err != nil || !ok {
		return
	}
	ctx, held := c.Request.Context(), cookie(c, cartCookie)
	token, err := s.Carts.Own(ctx, a.ID)
	if err == nil && (token == "" || token != held) {
		merged, fault := s.Carts.Merge(ctx, held, a.ID)
		token, err = merged.Token, fault
	}
	if err != nil {
		slog.ErrorContext(ctx, "basket of an account", "error", err)
		return
	}
	c.Set(basketKey, token)
	if token != held {
		s.keepCart(c, token)
	}
}

// device says in few words with what somebody signed in. It never fails: what it does not know it leaves out.
func device(agent string) string {
	pick := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := pick("Zalo", "Zalo", "FBAN", "Facebook", "FBAV", "Facebook", "coc_coc", "Cốc Cốc", "SamsungBrowser", "Samsung Internet", "Edg", "Edge", "OPR", "Opera",
		"FxiOS", "Firefox", "Firefox", "Firefox", "CriOS", "Chrome", "Chrome", "Chrome", "Safari", "Safari")
	system := pick("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	return strings.Join(nonEmpty(browser, system), " · ")
}
