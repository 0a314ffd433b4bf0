package app_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

func TestAProducerSendsItsDecisionMendsItAndGetsItsStars(t *testing.T) {
	m := open(t)
	coconut, tea := goods(t, m)
	maker := func(product int64) (id int64) {
		testkit.Scan(t, m.DB, &id, `SELECT producer_id FROM product WHERE id = $1`, product)
		return id
	}
	hers := m.staff(t, "hers@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker(tea)))
	his := m.staff(t, "his@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker(coconut)))
	officer := m.staff(t, "can-bo@vidu.vn", officerOf("86"))
	list := hers.Open("/seller/stars").Says(text(i18n.VI, "stars.none"))
	form := list.Click("a[href$='/new']").Form("form[enctype]")
	empty := form.Submit("")
	empty.Is(422).Whole()
	for _, field := range []string{"stars", "decision_no", "decided_on", "level", "issuer", "products", "file"} {
		if empty.Text("#e-"+field) == "" {
			t.Errorf("nothing beside %s", field)
		}
	}
	form.Fill("product", fmt.Sprint(tea)).Fill("stars", "5").Fill("decision_no", "77/QĐ-UBND").Fill("decided_on", "2026-06-26").Fill("level", "province").Fill("issuer", "UBND tỉnh")
	wrong := form.SubmitFile("", "file", "qd.pdf", []byte(decisionPDF))
	wrong.Is(422).Whole()
	if !strings.Contains(wrong.Text("#e-level"), "Trung ương") || wrong.Text("#e-file") != "" {
		t.Errorf("refused: %s", wrong.Text("main"))
	}
	// The file was kept; a product of somebody else is not on the form, and is not taken when it is forced in.
	again := wrong.Form("form[enctype]").Fill("stars", "4").Force("product", fmt.Sprint(coconut))
	again.Submit("").Is(422)
	sent := again.Force("product", fmt.Sprint(tea)).Submit("")
	sent.Is(303)
	one := sent.Location()
	id := strings.TrimPrefix(one, "/seller/stars/")
	hers.Open(one).Says(text(i18n.VI, "certificates.state.entered"))
	if f := hers.Get(one + "/file"); f.Is(200).Body != decisionPDF {
		t.Error("not her own paper")
	}
	for _, path := range []string{one, one + "/file", one + "/edit"} {
		his.Get(path).Is(404)
		officer.Get(path).Is(403)
		m.visitor(t).Get(path).Is(303)
	}
	for _, deed := range []string{"edit", "withdraw"} {
		his.Post(one+"/"+deed, url.Values{"stars": {"5"}}).Is(404)
	}
	// Another's paper cannot be taken over by its number.
	var document int64
	testkit.Scan(t, m.DB, &document, `SELECT document_id FROM certificate_request`)
	theft := his.Open("/seller/stars/new").Form("form[enctype]").Force("document", fmt.Sprint(document)).Fill("product", fmt.Sprint(coconut)).Fill("stars", "4").
		Fill("decision_no", "1/QĐ").Fill("decided_on", "2026-06-26").Fill("level", "province").Fill("issuer", "UBND tỉnh").Submit("")
	if theft.Is(422).Text("#e-file") == "" {
		t.Error("another's paper was taken")
	}
	officer.Open("/office/certificates/"+id).Form("form[action$='/return']").Fill("reason", "Thiếu trang 2").Submit("").Follow().Is(200)
	hers.Open("/seller").Click("a[href='/seller/stars']").Says("Thiếu trang 2")
	mend := hers.Open(one+"/edit").Form("form[enctype]").Fill("stars", "3").SubmitFile("", "file", "qd2.pdf", []byte(decisionPDF))
	mend.Is(303)
	officer.Post("/office/certificates/"+id+"/confirm", url.Values{"version": {"1"}}).Is(409) // saw the first version
	officer.Open("/office/certificates/" + id).Form("form[action$='/confirm']").Submit("").Follow().Is(200)
	hers.Open("/seller/stars").Says("OCOP 3 sao").Says(text(i18n.VI, "certificates.state.confirmed"))
	hers.Get(one + "/edit").Is(409)
	hers.Post(one+"/withdraw", url.Values{}).Is(409)
	hers.Post(one+"/edit", url.Values{"stars": {"5"}, "version": {"2"}}).Is(409)
	m.clock.Advance(2 * time.Second)
	m.visitor(t).Open("/san-pham/" + m.slugOf(t, tea)).Says("OCOP 3 sao")
}

func TestTheRadarTellsByMailAndOnTheStartPage(t *testing.T) {
	m := open(t)
	tea := testkit.Product(t, m.DB, testkit.WithName("Chè Shan tuyết", "Shan snow tea"))
	var maker int64
	testkit.Scan(t, m.DB, &maker, `SELECT producer_id FROM product WHERE id = $1`, tea)
	hers := m.staff(t, "hers@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker))
	testkit.Certificate(t, m.DB, 4, today.AddDays(89), tea)
	m.index(t)
	before := len(m.mails.Letters())
	m.work(t, func() bool { return len(m.mails.Letters()) > before })
	m.work(t, func() bool { return m.count(t, `SELECT count(*) FROM certificate_warning WHERE done_at IS NULL`) == 0 })
	letters := m.mails.Letters()[before:]
	if len(letters) != 1 || letters[0].To != "hers@vidu.vn" || !strings.Contains(letters[0].Subject, "89") || !strings.Contains(letters[0].Text, "/seller/stars/new?from=") {
		t.Fatalf("%+v", letters)
	}
	form := hers.Open("/seller").Click("a[href='/seller/stars']").Click("a[href*='from=']").Form("form[enctype]")
	if form.Values.Get("product") != fmt.Sprint(tea) || form.Values.Get("stars") != "4" {
		t.Errorf("the draft of a renewal holds %v", form.Values)
	}
	count := func() int { return len(m.queries.During(func() { hers.Open("/seller/stars") })) }
	few := count()
	for range 30 {
		testkit.Certificate(t, m.DB, 3, today.AddDays(10), tea)
	}
	if many := count(); many != few {
		t.Errorf("%d statements for one certificate, %d for thirty-one", few, many)
	}
}
