// Package office is where people who run the market, and sellers as far as it concerns them, do what no machine may
// decide. Its addresses stand once; the language is that of the account.
//
// The start page shows what waits. A new part of the office is a line in parts and one per address in Routes; a new kind
// of work is a line in queues. What a person sees of each is what the right covers: see package account.
package office

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/gin-gonic/gin"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/media"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/web/kit"
	"choocop.vn/ocop/internal/web/starform"
)

// Office holds what the pages need; app fills it.
type Office struct {
	Views    *kit.Views
	Accounts *account.Service
	Geo      *geo.Service
	Money    *reconcile.Service
	Orders   *order.Service
	Clock    clock.Clock
	Stars    *certification.Service
	// Papers keeps and opens the copies of decisions.
	Papers *media.Service
	// Who is the person who is signed in, if anybody.
	Who func(*gin.Context) (account.Account, bool, error)
}

// right is what a person must hold to use a route; which records it covers the domain's statements say.
type right = account.Right

// Routes is the table of addresses.
func (o *Office) Routes(e *gin.Engine) {
	get := func(r right, path string, h kit.Handler) { e.GET(path, o.Views.Do(o.hold(r)), o.Views.Do(h)) }
	post := func(r right, path string, h kit.Handler) { e.POST(path, o.Views.Do(o.hold(r)), o.Views.Do(h)) }

	get(account.UseDesk, home, o.home)
	post(account.UseDesk, "/office/language", o.speak)
	get(account.ConfirmTransfer, "/office/money", o.money)
	get(account.ConfirmTransfer, "/office/money/:id", o.oneMoney)
	post(account.ConfirmTransfer, "/office/money/:id/assign", o.assign)
	post(account.ConfirmTransfer, "/office/money/:id/return", o.giveBack)
	post(account.ConfirmTransfer, "/office/money/:id/dismiss", o.dismiss)
	get(account.ConfirmTransfer, "/office/refunds", o.refunds)
	get(account.ConfirmTransfer, "/office/refunds/:id", o.oneRefund)
	post(account.ConfirmTransfer, "/office/refunds/:id/sent", o.refundSent)
	post(account.ConfirmTransfer, "/office/refunds/:id/again", o.refundAgain)
	post(account.ConfirmTransfer, "/office/refunds/:id/leave", o.refundLeft)

	get(account.VerifyStars, "/office/certificates", o.certificates)
	get(account.VerifyStars, "/office/certificates.csv", o.certificatesCSV)
	post(account.VerifyStars, "/office/certificates/confirm", o.confirmChosen)
	get(account.VerifyStars, "/office/certificates/new", o.newCertificate)
	post(account.VerifyStars, "/office/certificates/new", o.enterCertificate)
	get(account.VerifyStars, "/office/certificates/:id", o.certificate)
	get(account.VerifyStars, "/office/certificates/:id/file", o.certificateFile)
	get(account.VerifyStars, "/office/certificates/:id/edit", o.editCertificate)
	post(account.VerifyStars, "/office/certificates/:id/edit", o.amendCertificate)
	post(account.VerifyStars, "/office/certificates/:id/confirm", o.confirmCertificate)
	post(account.VerifyStars, "/office/certificates/:id/return", o.returnCertificate)
	post(account.VerifyStars, "/office/certificates/:id/refuse", o.refuseCertificate)
	post(account.VerifyStars, "/office/certificates/:id/withdraw", o.withdrawCertificate)
	post(account.VerifyStars, "/office/certificates/:id/note", o.noteCertificate)
	post(account.VerifyStars, "/office/certificates/:id/assign", o.assignCertificate)
	get(account.VerifyStars, stars, o.stars)
	get(account.VerifyStars, "/office/stars.csv", o.starsCSV)
	get(account.VerifyStars, "/office/stars/:code", o.star)
	post(account.VerifyStars, "/office/stars/:code/revoke", o.revokeStar)
	o.Views.TakesFile("/office/certificates/new", starform.MaxBytes)
	o.Views.TakesFile("/office/certificates/:id/edit", starform.MaxBytes)
}

const personKey = "person"

// hold sends people who are not signed in to the way in, and refuses those without the right.
func (o *Office) hold(r right) kit.Handler {
	return func(c *gin.Context) error {
		c.Header("Cache-Control", "no-store")
		c.Header("X-Robots-Tag", "noindex")
		a, ok, err := o.Who(c)
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
		if !account.Can(a, r) {
			return apperr.New(apperr.Denied, "error.denied.text")
		}
		c.Set(personKey, a)
		return nil
	}
}

func person(c *gin.Context) account.Account { return c.MustGet(personKey).(account.Account) }

// decider is who decides, for the books.
func decider(c *gin.Context) reconcile.Person {
	id := person(c).ID
	return reconcile.Person{Actor: "staff:" + strconv.FormatInt(id, 10), AccountID: &id, Reason: c.PostForm("reason")}
}
