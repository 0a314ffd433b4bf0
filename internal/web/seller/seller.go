// Package seller is the portal of the producers: a phone-first place in which the people of one producer see what waits
// today and look after their stall. Its addresses stand once; the language is that of the account.
//
// Every page belongs to one producer, the current one of the person who is signed in. Handlers take it from current and
// hand it to the domains, whose statements hold it as a predicate: what belongs to another producer is not found.
package seller

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/producer"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/starform"
)

// Seller holds what the pages need; app fills it.
type Seller struct {
	Views     *kit.Views
	Producers *producer.Service
	Money     *reconcile.Service
	Stars     *certification.Service
	Media     *media.Service
	Clock     clock.Clock
	HTTPS     bool
	// Who is the person who is signed in, if anybody.
	Who func(*gin.Context) (account.Account, bool, error)
}

// right is what a person must hold for the current producer to use a route. Works is held by everybody who works for one.
type right = account.Right

// works stands on the lines of pages that all people of a producer may see.
const works right = ""

// Routes is the table of addresses.
func (s *Seller) Routes(e *gin.Engine) {
	get := func(r right, path string, h kit.Handler) { e.GET(path, s.Views.Do(s.hold(r)), s.Views.Do(h)) }
	post := func(r right, path string, h kit.Handler) { e.POST(path, s.Views.Do(s.hold(r)), s.Views.Do(h)) }

	get(works, "/seller", s.today)
	get(works, "/seller/choose", s.choose)
	post(works, "/seller/choose", s.doChoose)

	get(account.EditGoods, "/seller/stars", s.starList)
	get(account.EditGoods, "/seller/stars/new", s.starNew)
	post(account.EditGoods, "/seller/stars/new", s.starSend)
	get(account.EditGoods, "/seller/stars/:id", s.star)
	get(account.EditGoods, "/seller/stars/:id/file", s.starFile)
	get(account.EditGoods, "/seller/stars/:id/edit", s.starEdit)
	post(account.EditGoods, "/seller/stars/:id/edit", s.starMend)
	post(account.EditGoods, "/seller/stars/:id/withdraw", s.starWithdraw)
	s.Views.TakesFile("/seller/stars/new", starform.MaxBytes)
	s.Views.TakesFile("/seller/stars/:id/edit", starform.MaxBytes)
}

const (
	personKey  = "person"
	currentKey = "producer"
	// chosenCookie keeps which producer a person with several looks after; it gives no right.
	chosenCookie = "gian-hang"
	chosenFor    = 180 * 24 * time.Hour
)

// hold sends people who are not signed in to the way in, and refuses those without the right for the current producer.
func (s *Seller) hold(r right) kit.Handler {
	return func(c *gin.Context) error {
		c.Header("Cache-Control", "no-store")
		c.Header("X-Robots-Tag", "noindex")
		a, ok, err := s.Who(c)
		if err != nil {
			return err
		}
		if !ok {
			to := "/dang-nhap"
			if c.Request.Method == http.MethodGet {
				to += "?" + url.Values{"ve": {c.Request.URL.RequestURI()}}.Encode()
			}
			c.Redirect(http.StatusSeeOther, to)
			c.Abort()
			return nil
		}
		mine := producersOf(a)
		if len(mine) == 0 {
			return apperr.New(apperr.Denied, "seller.no_producer")
		}
		chosen, _ := c.Cookie(chosenCookie)
		id := mine[0]
		if n, err := strconv.ParseInt(chosen, 10, 64); err == nil && slices.Contains(mine, n) {
			id = n
		}
		if !may(a, r, id) {
			return apperr.New(apperr.Denied, "error.denied.text")
		}
		found, err := s.Producers.Take(c.Request.Context(), id)
		if err != nil {
			return err
		}
		c.Set(personKey, a)
		c.Set(currentKey, found)
		return nil
	}
}

// producersOf are the producers that somebody works for, in a fixed order. Who may act everywhere belongs to none.
func producersOf(a account.Account) []int64 {
	var out []int64
	for _, role := range a.Roles {
		if role.Scope != account.OfProducer || a.Closed {
			continue
		}
		if id, err := strconv.ParseInt(role.ScopeID, 10, 64); err == nil && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// may reports whether somebody holds a right for a producer by working for it.
func may(a account.Account, r right, id int64) bool {
	if r == works {
		return slices.Contains(producersOf(a), id)
	}
	ids, _ := a.Covers(r, account.OfProducer)
	return slices.Contains(ids, strconv.FormatInt(id, 10))
}

func person(c *gin.Context) account.Account { return c.MustGet(personKey).(account.Account) }

// current is the producer for which the person acts.
func current(c *gin.Context) producer.Producer { return c.MustGet(currentKey).(producer.Producer) }

// entry is a part of the portal that stands in its navigation, for those who hold the right.
type entry struct {
	right right
	path  string
	text  string
}

// entries are the parts there are.
var entries = []entry{
	{works, "/seller", "seller.nav.today"},
	{account.EditGoods, stars, "stars.nav"},
}

// Nav is an entry as the page shows it.
type Nav struct {
	Text, URL string
	Current   bool
}

// Frame is what every page of the portal embeds.
type Frame struct {
	kit.Page
	Person, Producer string
	Nav              []Nav
	Several          bool // the person works for more than one producer
}

func (s *Seller) frame(c *gin.Context, title string) Frame {
	a, p := person(c), current(c)
	f := Frame{Page: s.Views.NewPage(c, ""), Person: a.Name, Several: len(producersOf(a)) > 1}
	f.Locale = i18n.VI
	if a.Locale == string(i18n.EN) {
		f.Locale = i18n.EN
	}
	f.Producer, f.NoIndex, f.Title = p.LocalName(f.Locale), true, f.T(title)
	f.Nav = navigation(&f.Page, func(r right) bool { return may(a, r, p.ID) })
	return f
}

// navigation marks the entry whose address is the longest beginning of the page's own.
func navigation(p *kit.Page, may func(right) bool) []Nav {
	var out []Nav
	here, length := -1, 0
	for _, e := range entries {
		if !may(e.right) {
			continue
		}
		if n := len(e.path); n > length && (p.Path == e.path || len(p.Path) > n && p.Path[:n+1] == e.path+"/") {
			here, length = len(out), n
		}
		out = append(out, Nav{Text: p.T(e.text), URL: e.path})
	}
	if here >= 0 {
		out[here].Current = true
	}
	return out
}
