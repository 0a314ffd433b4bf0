package app_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/testkit"
)

const decisionPDF = "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

func officerOf(province string) account.Role {
	return account.Role{Name: account.Officer, Scope: account.OfProvince, ScopeID: province}
}

// entered is a decision that an officer entered for the maker of a product, and its address.
func (m *market) entered(t *testing.T, by *testkit.Visitor, product int64, no string) string {
	t.Helper()
	var maker int64
	testkit.Scan(t, m.DB, &maker, `SELECT producer_id FROM product WHERE id = $1`, product)
	form := by.Open(fmt.Sprintf("/office/certificates/new?producer=%d", maker)).Form("form[enctype]")
	form.Fill("product", fmt.Sprint(product)).Fill(fmt.Sprintf("code-%d", product), "86-1-2026").Fill("stars", "4").Fill("decision_no", no).
		Fill("decided_on", "2026-06-26").Fill("level", "province").Fill("issuer", "UBND tỉnh Vĩnh Long")
	a := form.SubmitFile("", "file", "qd.pdf", []byte(decisionPDF))
	a.Is(303)
	return a.Location()
}

func TestOneOfficerEntersADecisionAnotherConfirmsAndTheShopShowsTheStars(t *testing.T) {
	m := open(t)
	_, tea := goods(t, m)
	first, second, away := m.staff(t, "mot@vidu.vn", officerOf("86")), m.staff(t, "hai@vidu.vn", officerOf("86")), m.staff(t, "xa@vidu.vn", officerOf("01"))
	page := "/san-pham/" + m.slugOf(t, tea)
	shopper := m.visitor(t)
	if strings.Contains(shopper.Open(page).Text("main"), "4 sao") {
		t.Fatal("stars before the decision")
	}
	found := first.Open("/office/certificates/new").Form("form.seek").Fill("q", "hop tac xa").Submit("")
	found.Is(200).Whole()
	if away.Open("/office/certificates/new?q=hop+tac+xa").Find("main ul a").Length() != 0 || found.Find("main ul a").Length() == 0 {
		t.Error("producers are found where they are not, or not where they are")
	}
	// What is wrong stands beside its field, what was typed and sent is kept.
	form := found.Click("main ul a").Form("form[enctype]")
	refused := form.Fill("stars", "5").Fill("decision_no", "=2361/QĐ-UBND").Fill("decided_on", "2026-06-26").Fill("level", "province").SubmitFile("", "file", "qd.pdf", []byte(decisionPDF))
	refused.Is(422).Whole()
	if refused.Text("#e-level") == "" && refused.Text("#e-issuer") == "" || refused.Text("#e-file") != "" || refused.Find("input[name=decision_no]").AttrOr("value", "") != "=2361/QĐ-UBND" {
		t.Errorf("refused: %s", refused.Text("main"))
	}
	one := m.entered(t, first, tea, "=2361/QĐ-UBND")
	second.Open("/office").Says(text(i18n.VI, "certificates.title"))
	queue := second.Open("/office/certificates")
	if queue.Find("tbody tr").Length() != 1 || away.Open("/office/certificates?state=all").Find("tbody tr").Length() != 0 {
		t.Error("the queue holds the wrong rows")
	}
	if second.Open("/office/certificates?q=2361&due=week").Find("tbody tr").Length() != 1 || second.Open("/office/certificates?mine=1").Find("tbody tr").Length() != 0 {
		t.Error("the filters do not filter")
	}
	// Another province finds neither the request nor its paper, by any address.
	for _, path := range []string{one, one + "/file", one + "/edit"} {
		away.Get(path).Is(404)
		m.visitor(t).Get(path).Is(303)
	}
	for _, deed := range []string{"confirm", "return", "refuse", "withdraw", "note", "assign", "edit"} {
		away.Post(one+"/"+deed, url.Values{"version": {"1"}, "reason": {"x"}, "note": {"x"}, "to": {"1"}}).Is(404)
	}
	paper := second.Get(one + "/file")
	if paper.Is(200); paper.Body != decisionPDF || paper.Header.Get("Content-Type") != "application/pdf" || !strings.Contains(paper.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("the paper: %v", paper.Header)
	}
	// The one who entered it may not decide, whatever is sent.
	if first.Open(one).Find("form[action$='/confirm']").Length() != 0 {
		t.Error("the page offers them to confirm")
	}
	first.Post(one+"/confirm", url.Values{"version": {"1"}}).Is(403)
	first.Post("/office/certificates/confirm", url.Values{"pick": {strings.TrimPrefix(one, "/office/certificates/") + ".1"}}).Is(409)
	second.Post(one+"/confirm", url.Values{}).Is(409)
	second.Open(one).Form("form[action$='/note']").Fill("note", "Đã gọi điện").Submit("").Follow().Is(200).Says("Đã gọi điện")
	second.Open(one).Form("form[action$='/return']").Submit("").Is(422).Whole()
	file := second.Get("/office/certificates.csv?state=all")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.Body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][5] != "'=2361/QĐ-UBND" {
		t.Errorf("%q, %v", rows, err)
	}
	second.Open(one).Form("form[action$='/confirm']").Submit("").Follow().Is(200).Says(text(i18n.VI, "certificates.state.confirmed"))
	m.clock.Advance(2 * time.Second) // what pages keep of goods is a second old at most
	shown := shopper.Open(page)
	shown.Says("OCOP 4 sao")
	var code string
	testkit.Scan(t, m.DB, &code, `SELECT code FROM certificate WHERE request_id IS NOT NULL`)
	shopper.Open("/xac-minh/" + code).Says("2361/QĐ-UBND")
	second.Post(one+"/refuse", url.Values{"version": {"1"}, "reason": {"x"}}).Is(409)
}

// No request of a producer's people reaches the desk where stars are confirmed.
func TestAProducerCannotRaiseItsOwnStars(t *testing.T) {
	m := open(t)
	_, tea := goods(t, m)
	var maker int64
	testkit.Scan(t, m.DB, &maker, `SELECT producer_id FROM product WHERE id = $1`, tea)
	officer := m.staff(t, "mot@vidu.vn", officerOf("86"))
	one := m.entered(t, officer, tea, "9/QĐ-UBND")
	hers := m.staff(t, "hers@vidu.vn", account.RoleAt(account.Producer, account.OfProducer, maker))
	for _, path := range []string{"", ".csv", "/new", strings.TrimPrefix(one, "/office/certificates"), strings.TrimPrefix(one, "/office/certificates") + "/file", strings.TrimPrefix(one, "/office/certificates") + "/edit"} {
		hers.Get("/office/certificates" + path).Is(403)
	}
	for _, deed := range []string{"confirm", "return", "refuse", "withdraw", "note", "assign", "edit"} {
		hers.Post(one+"/"+deed, url.Values{"version": {"1"}, "reason": {"x"}, "stars": {"5"}}).Is(403)
	}
	hers.Post("/office/certificates/confirm", url.Values{"pick": {"1.1"}}).Is(403)
	hers.Post(fmt.Sprintf("/office/certificates/new?producer=%d", maker), url.Values{"stars": {"5"}}).Is(403)
	// Somebody who is an officer and also works there may look, and may not decide.
	both := m.staff(t, "ca-hai@vidu.vn", officerOf("86"), account.RoleAt(account.Producer, account.OfProducer, maker))
	both.Post(one+"/confirm", url.Values{"version": {"1"}}).Is(403)
	if n := m.count(t, `SELECT count(*) FROM certificate WHERE request_id IS NOT NULL`); n != 0 {
		t.Errorf("%d certificates", n)
	}
}

func TestTheQueueOfCertificatesCostsTheSameForOneAndThirty(t *testing.T) {
	m := open(t)
	_, tea := goods(t, m)
	officer := m.staff(t, "mot@vidu.vn", officerOf("86"))
	second := m.staff(t, "hai@vidu.vn", officerOf("86"))
	one := m.entered(t, officer, tea, "1/QĐ-UBND")
	count := func(rows int) int {
		return len(m.queries.During(func() {
			if n := second.Open("/office/certificates").Find("tbody tr").Length(); n != rows {
				t.Errorf("%d rows", n)
			}
		}))
	}
	count(1) // the map is read once
	few := count(1)
	var by, maker, document int64
	testkit.Scan(t, m.DB, &by, `SELECT entered_by FROM certificate_request`)
	testkit.Scan(t, m.DB, &maker, `SELECT producer_id FROM certificate_request`)
	testkit.Scan(t, m.DB, &document, `SELECT document_id FROM certificate_request`)
	for i := range 30 {
		_, err := m.Stars.Submit(context.Background(), certification.Person{AccountID: by, Actor: "test"}, certification.Reach{Area: account.Area{Everywhere: true}}, maker, fmt.Sprint(i),
			certification.Draft{Stars: 3, DecisionNo: fmt.Sprint(i, "/QĐ-UBND"), Level: certification.Province, Issuer: "UBND tỉnh", DecidedOn: today.AddMonths(-3), DocumentID: document,
				Products: []certification.Named{{ProductID: tea}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if many := count(30); many != few || few > 8 {
		t.Errorf("%d statements for one row, %d for thirty", few, many)
	}
	if second.Open("/office/certificates").Click("a[href*=after]").Find("tbody tr").Length() != 1 {
		t.Error("the second page does not hold the rest")
	}
	second.Open(one)
}

func TestAnOfficerRevokesACertificateAndTheStarsAreGone(t *testing.T) {
	m := open(t)
	_, tea := goods(t, m)
	first, second, away := m.staff(t, "mot@vidu.vn", officerOf("86")), m.staff(t, "hai@vidu.vn", officerOf("86")), m.staff(t, "xa@vidu.vn", officerOf("01"))
	second.Open(m.entered(t, first, tea, "=2361/QĐ-UBND")).Form("form[action$='/confirm']").Submit("").Follow().Is(200)
	var code string
	testkit.Scan(t, m.DB, &code, `SELECT code FROM certificate WHERE request_id IS NOT NULL`)
	one := "/office/stars/" + code
	away.Get(one).Is(404)
	away.Post(one+"/revoke", url.Values{"ground": {"differs"}, "decision_no": {"1"}, "on": {today.String()}, "why": {"x"}}).Is(404)
	m.visitor(t).Get(one).Is(303)
	page := second.Open("/office/stars?state=valid&stars=4&province=86&q=2361").Click("tbody a")
	refused := page.Form("form[action$='/revoke']").Fill("decision_no", "318/QĐ-UBND").Fill("on", "").Submit("")
	refused.Is(422).Whole()
	if refused.Text("#e-ground") == "" || refused.Text("#e-why") == "" || refused.Find("input[name=decision_no]").AttrOr("value", "") != "318/QĐ-UBND" {
		t.Errorf("refused: %s", refused.Text("main"))
	}
	refused.Form("form[action$='/revoke']").Fill("ground", "differs").Fill("on", today.String()).Fill("why", "Bao bì khác hồ sơ").Submit("").Follow().Is(200).
		Says(text(i18n.VI, "starlist.state.revoked")).Says("318/QĐ-UBND")
	file := second.Get("/office/stars.csv?state=revoked")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file.Body, "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][5] != "'=2361/QĐ-UBND" {
		t.Errorf("%q, %v", rows, err)
	}
	m.visitor(t).Open("/xac-minh/" + code).Says("Bao bì khác hồ sơ")
}

func TestTheListOfStarsCostsTheSameForOneAndThirty(t *testing.T) {
	m := open(t)
	_, tea := goods(t, m)
	officer := m.staff(t, "mot@vidu.vn", officerOf("86"))
	count := func(rows int) int {
		return len(m.queries.During(func() {
			if n := officer.Open("/office/stars?q=OCOP-2").Find("tbody tr").Length(); n != rows {
				t.Errorf("%d rows, want %d", n, rows)
			}
		}))
	}
	add := func(from, to int) {
		testkit.Exec(t, m.DB, `WITH c AS (INSERT INTO certificate (code, stars, decided_year, level, regime, valid_from, valid_to)
			SELECT 'OCOP-2-' || n, 3, 2026, 'province', 'x', '2026-01-01', '2029-01-01' FROM generate_series($2::int, $3::int) n RETURNING id)
			INSERT INTO certificate_product (certificate_id, product_id) SELECT id, $1 FROM c`, tea, from, to)
	}
	add(1, 1)
	count(1) // the map is read once
	few := count(1)
	add(2, 40)
	if many := count(30); many != few || few > 8 {
		t.Errorf("%d statements for one row, %d for thirty", few, many)
	}
}
