package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/testkit"
)

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// tell runs the job of the newest proof, and returns the message that came of it, or nothing.
func (m *market) tell(t *testing.T) string {
	t.Helper()
	before := len(m.mails.Letters()) + len(m.texts.Texts())
	var id int64
	testkit.Scan(t, m.DB, &id, `SELECT max(id) FROM account_proof`)
	for range 2 { // a job may run again
		if err := m.Shoppers.TellProof(context.Background(), shopper.TellProof{ProofID: id}); err != nil {
			t.Fatal(err)
		}
	}
	letters, texts := m.mails.Letters(), m.texts.Texts()
	switch n := len(letters) + len(texts) - before; {
	case n == 0:
		return ""
	case n > 1:
		t.Fatalf("%d messages for one proof", n)
	}
	var channel string
	testkit.Scan(t, m.DB, &channel, `SELECT channel FROM account_proof ORDER BY id DESC LIMIT 1`)
	if channel == "phone" {
		return texts[len(texts)-1]
	}
	return letters[len(letters)-1].Subject + "\n" + letters[len(letters)-1].Text
}

// ask fills in the sign-up page and returns the page that wants the code.
func (m *market) ask(t *testing.T, v *testkit.Visitor, lang, identifier string) *testkit.Answer {
	t.Helper()
	a := v.Open(lang+"/dang-ky").Form("main form").Fill("email", identifier).Fill("name", "Trần Văn Minh").Fill("password", password).Fill("terms", "1").Submit("")
	a.Is(303)
	return a.Follow().Is(200).Whole()
}

// join opens an account the whole way, and leaves the visitor signed in.
func (m *market) join(t *testing.T, v *testkit.Visitor, lang, identifier string) {
	t.Helper()
	page := m.ask(t, v, lang, identifier)
	code := sixDigits.FindString(m.tell(t))
	page.Form("main form").Fill("code", code).Submit("").Is(303)
	v.Open(lang + "/tai-khoan").Says("Trần Văn Minh")
}

func (m *market) accountOf(t *testing.T, identifier string) (id int64) {
	t.Helper()
	testkit.Scan(t, m.DB, &id, `SELECT coalesce(max(id), 0) FROM account WHERE email = $1 OR phone = $1`, identifier)
	return id
}

func TestAShopperSignsUpComesBackAndFindsBasketAndPurchases(t *testing.T) {
	for _, c := range []struct{ name, lang, typed, kept string }{{"phone", "", "0903 000 001", "+84903000001"}, {"mail", "/en", "Minh@Vidu.vn", "minh@vidu.vn"}} {
		t.Run(c.name, func(t *testing.T) {
			m, l := open(t), localeOf(c.lang)
			coconut, tea := goods(t, m)
			v := m.visitor(t)
			m.put(t, v, c.lang, coconut)
			guest := v.Cookie("gio")
			page := m.ask(t, v, c.lang, c.typed)
			if m.accountOf(t, c.kept) != 0 {
				t.Fatal("there is an account before anything is proven")
			}
			messages := func() int { return len(m.mails.Letters()) + len(m.texts.Texts()) }
			m.work(t, func() bool { return messages() > 0 })
			m.work(t, func() bool { return true })
			if messages() != 1 {
				t.Fatalf("%d messages", messages())
			}
			var code string
			if c.name == "phone" {
				code = sixDigits.FindString(m.texts.Texts()[0])
			} else {
				code = sixDigits.FindString(m.mails.Letters()[0].Subject)
			}
			var kept int64
			testkit.Scan(t, m.DB, &kept, `SELECT count(*) FROM message WHERE text_body || html_body || subject LIKE '%' || $1 || '%'`, code)
			if kept != 0 {
				t.Error("the code lies in the database")
			}
			page.Form("main form").Fill("code", code[:3]+" "+code[3:]).Submit("").Follow().Is(200).Whole().Says(text(l, "me.opened"))
			if v.Cookie("gio") == guest || v.Cookie("gio") == "" {
				t.Error("the basket's token stays the guest's")
			}
			if n := v.Open(c.lang + "/gio-hang").Find(".line").Length(); n != 1 {
				t.Errorf("%d lines came along", n)
			}
			// Checkout need not be typed again.
			f := v.Open(c.lang + "/thanh-toan").Form("form[data-checkout]")
			if f.Values.Get("name") != "Trần Văn Minh" {
				t.Errorf("the form begins with %v", f.Values)
			}
			code = codeOf(m.buy(t, v, c.lang, "cod"))
			list := v.Open(c.lang + "/tai-khoan/don-hang").Says(code)
			list.Click("main li.panel a").Says(text(l, "order.heading", "code", code))
			m.put(t, v, c.lang, tea)
			v.Open(c.lang + "/tai-khoan").Form("form#sign-out").Submit("").Is(303)
			if v.Cookie("gio") != "" || v.Open(c.lang+"/gio-hang").Find(".line").Length() != 0 {
				t.Error("a basket is left behind")
			}
			v.Get(c.lang + "/tai-khoan/don-hang").Is(303)
			m.put(t, v, c.lang, tea)
			back := signIn(v, c.lang, c.typed, password)
			back.Is(303)
			if got := v.Open(c.lang+"/gio-hang").Find(".line input[name=so-luong]").AttrOr("value", ""); got != "2" {
				t.Errorf("%s pieces of tea, want 1 + 1", got)
			}
		})
	}
}

func TestNothingTellsWhoHasAnAccount(t *testing.T) {
	m := open(t)
	m.join(t, m.visitor(t), "", "co@vidu.vn")
	m.join(t, m.visitor(t), "", "0903 000 009")
	shape := regexp.MustCompile(`"[A-Za-z0-9_-]{43}"|(ma|khoa)=[^"&]+|X-Request|\d\d:\d\d`)
	for _, lang := range []string{"", "/en"} {
		for _, pair := range [][2]string{{"co@vidu.vn", "ko@vidu.vn"}, {"0903 000 009", "0903 000 008"}} {
			type trace struct {
				statements string
				hashes     int64
				page       string
			}
			look := func(who string, do func(v *testkit.Visitor) *testkit.Answer) trace {
				v := m.visitor(t)
				before := m.Accounts.Hashes()
				var a *testkit.Answer
				sent := m.queries.During(func() { a = do(v) })
				text := a.Body
				for _, name := range []string{who, strings.ToLower(who), url.QueryEscape(who)} {
					text = strings.ReplaceAll(text, name, "WHO")
				}
				// The queue wakes its workers at most so often, whoever asks.
				sent = slices.DeleteFunc(sent, func(s string) bool { return strings.Contains(s, "pg_notify") })
				return trace{strings.Join(sent, "\n"), m.Accounts.Hashes() - before, shape.ReplaceAllString(text, "…")}
			}
			for what, do := range map[string]func(who string) func(*testkit.Visitor) *testkit.Answer{
				"sign-up": func(who string) func(*testkit.Visitor) *testkit.Answer {
					return func(v *testkit.Visitor) *testkit.Answer { return m.ask(t, v, lang, who) }
				},
				"wrong code": func(who string) func(*testkit.Visitor) *testkit.Answer {
					return func(v *testkit.Visitor) *testkit.Answer {
						return m.ask(t, v, lang, who).Form("main form").Fill("code", "12").Submit("")
					}
				},
				"reset": func(who string) func(*testkit.Visitor) *testkit.Answer {
					return func(v *testkit.Visitor) *testkit.Answer {
						return v.Open(lang+"/quen-mat-khau").Form("main form").Fill("email", who).Submit("").Follow().Is(200).Whole()
					}
				},
				"sign-in": func(who string) func(*testkit.Visitor) *testkit.Answer {
					return func(v *testkit.Visitor) *testkit.Answer { return signIn(v, lang, who, "mot mat khau sai") }
				},
			} {
				known, unknown := look(pair[0], do(pair[0])), look(pair[1], do(pair[1]))
				if known.statements != unknown.statements {
					t.Errorf("%s %s: other statements\n%s\n---\n%s", what, pair, known.statements, unknown.statements)
				}
				if known.hashes != unknown.hashes {
					t.Errorf("%s %s: %d hashes and %d", what, pair, known.hashes, unknown.hashes)
				}
				if known.page != unknown.page {
					t.Errorf("%s %s: the page tells", what, pair)
				}
				testkit.Exec(t, m.DB, `DELETE FROM account_proof`)
			}
		}
	}
	// The owner alone learns of it, and nobody's account changes.
	m.ask(t, m.visitor(t), "", "co@vidu.vn")
	if said := m.tell(t); !strings.Contains(said, text(i18n.VI, "mail.proof_known.subject")) || sixDigits.MatchString(said) {
		t.Errorf("the owner is told: %q", said)
	}
	m.visitor(t).Open("/quen-mat-khau").Form("main form").Fill("email", "ai-do@vidu.vn").Submit("").Is(303)
	if said := m.tell(t); said != "" {
		t.Errorf("somebody without an account is told: %q", said)
	}
}

func TestACodeHoldsForFiveTriesAndAQuarterOfAnHour(t *testing.T) {
	m := open(t)
	v := m.visitor(t)
	page := m.ask(t, v, "", "minh@vidu.vn")
	code := sixDigits.FindString(m.tell(t))
	wrong := strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
	form := page.Form("main form")
	for i := range shopper.MaxTries {
		a := form.Fill("code", wrong).Submit("")
		if a.Whole(); i < shopper.MaxTries-1 && a.Text("#e-code") == "" {
			t.Errorf("try %d says nothing beside the field", i+1)
		}
	}
	form.Fill("code", code).Submit("").Is(409).Whole().Says(text(i18n.VI, "shopper.code.spent"))

	// Twenty at once are still five.
	page = m.ask(t, v, "", "minh@vidu.vn")
	m.tell(t)
	address, values := page.Form("main form").Fill("code", "x").Request("")
	var wg sync.WaitGroup
	for range 20 {
		twin := m.visitor(t)
		wg.Go(func() { _, _ = twin.Try("POST", address, values) })
	}
	wg.Wait()
	if n := m.count(t, `SELECT attempts FROM account_proof ORDER BY id DESC LIMIT 1`); n != shopper.MaxTries {
		t.Errorf("%d tries were counted", n)
	}

	page = m.ask(t, v, "/en", "minh@vidu.vn")
	code = sixDigits.FindString(m.tell(t))
	m.clock.Advance(shopper.CodeLife)
	page.Form("main form").Fill("code", code).Submit("").Is(409).Whole().Says(text(i18n.EN, "shopper.code.expired"))
	v.Get("/xac-nhan?ma=doan-mo").Is(409).Whole()
	if m.accountOf(t, "minh@vidu.vn") != 0 {
		t.Error("an account came of it")
	}
}

func TestACodeOpensOneAccountOnce(t *testing.T) {
	m := open(t)
	page := m.ask(t, m.visitor(t), "", "minh@vidu.vn")
	address, values := page.Form("main form").Fill("code", sixDigits.FindString(m.tell(t))).Request("")
	var wg sync.WaitGroup
	for range 8 {
		twin := m.visitor(t)
		wg.Go(func() { _, _ = twin.Try("POST", address, values) })
	}
	wg.Wait()
	if n := m.count(t, `SELECT count(*) FROM account WHERE email = 'minh@vidu.vn'`); n != 1 {
		t.Errorf("%d accounts", n)
	}
}

// Somebody signs up with another's e-mail and a password of their own, and waits for the owner to press the link.
func TestTheLinkOfAMailWantsThePasswordOfTheSignUp(t *testing.T) {
	m := open(t)
	m.ask(t, m.visitor(t), "", "nan-nhan@vidu.vn")
	link := regexp.MustCompile(`http://\S+`).FindString(m.tell(t))
	owner := m.visitor(t)
	page := owner.Open(link)
	page.Form("main form").Fill("password", "cai gi do khac").Submit("").Is(422).Whole().Says(text(i18n.VI, "account.password.wrong"))
	if m.accountOf(t, "nan-nhan@vidu.vn") != 0 {
		t.Fatal("the link alone opened an account")
	}
	owner.Get(link + "x").Is(409)
	page.Form("main form").Fill("password", password).Submit("").Is(303)
	owner.Open("/tai-khoan").Says("nan-nhan@vidu.vn")
}

func TestMessagesAreLimitedByContactAndByAddress(t *testing.T) {
	m := open(t)
	values := func(who string) url.Values {
		return url.Values{"email": {who}, "name": {"Minh"}, "password": {password}, "terms": {"1"}}
	}
	for i := range shopper.AskedPerHour + 1 {
		a := m.visitor(t).Post("/dang-ky", values([]string{"0903 000 001", "+84 903 000 001", "0903000001"}[i%3]))
		if want := map[bool]int{true: 303, false: 429}[i < shopper.AskedPerHour]; a.Status != want {
			t.Errorf("message %d: %d", i+1, a.Status)
		}
	}
	m.clock.Advance(time.Hour)
	m.visitor(t).Post("/dang-ky", values("0903 000 001")).Is(303)
	m.visitor(t).Post("/quen-mat-khau", url.Values{"email": {"0903 000 001"}}).Is(303)
	// In a day there are no more than so many, however slowly they are asked for.
	sent := m.count(t, `SELECT count(*) FROM account_proof`)
	for range 30 {
		m.clock.Advance(30 * time.Minute)
		a := m.visitor(t).Post("/quen-mat-khau", url.Values{"email": {"0903 000 001"}})
		if a.Status == 429 {
			a.Says(text(i18n.VI, "shopper.proof.too_many_today", "n", 10))
			break
		}
		sent++
	}
	if n := m.count(t, `SELECT count(*) FROM account_proof`); n != sent || sent != 10 {
		t.Errorf("%d codes in a day, %d", n, sent)
	}
	m.clock.Advance(24 * time.Hour)
	m.visitor(t).Post("/quen-mat-khau", url.Values{"email": {"0903 000 001"}}).Is(303)
	v, last := m.visitor(t), 0
	for range 30 {
		if last = v.Post("/quen-mat-khau", url.Values{"email": {"khong-phai"}}).Status; last == http.StatusTooManyRequests {
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("one address asks without end: %d", last)
	}
}

func TestAForgottenPasswordIsReplacedAndEndsAllSessions(t *testing.T) {
	for _, lang := range []string{"", "/en"} {
		t.Run(lang, func(t *testing.T) {
			m, l := open(t), localeOf(lang)
			thief := m.visitor(t)
			m.join(t, thief, lang, "minh@vidu.vn")
			v := m.visitor(t)
			page := v.Open(lang+"/quen-mat-khau").Form("main form").Fill("email", "MINH@vidu.vn").Submit("").Follow().Is(200).Whole()
			said := m.tell(t)
			page.Form("main form").Fill("code", sixDigits.FindString(said)).Fill("password", "ngắn").Submit("").Is(422).Whole()
			link := v.Open(regexp.MustCompile(`http://\S+`).FindString(said))
			link.Form("main form").Fill("password", "mot-mat-khau-moi").Submit("").Follow().Is(200).Whole().Says(text(l, "signin.password_set"))
			thief.Get(lang + "/tai-khoan").Is(303)
			link.Form("main form").Fill("password", "lan-thu-hai-nua").Submit("").Is(409)
			signIn(m.visitor(t), lang, "minh@vidu.vn", password).Is(403)
			signIn(m.visitor(t), lang, "minh@vidu.vn", "mot-mat-khau-moi").Is(303)
		})
	}
}

func TestAStolenCookieIsWorthlessAfterThePasswordChanged(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	v := m.visitor(t)
	m.join(t, v, "", "minh@vidu.vn")
	m.put(t, v, "", coconut)
	thief := v.Twin()
	thief.Open("/tai-khoan")
	page := v.Open("/tai-khoan/bao-mat")
	page.Form("form[action$=mat-khau]").Fill("password", "sai").Fill("new_password", "mot-mat-khau-moi").Submit("").Is(422).Whole()
	thief.Open("/tai-khoan")
	old := v.Cookie("phien")
	page.Form("form[action$=mat-khau]").Fill("password", password).Fill("new_password", "mot-mat-khau-moi").Submit("").Follow().Is(200).Whole().
		Says(text(i18n.VI, "me.password.changed"))
	if v.Cookie("phien") == old {
		t.Error("the session goes on under its old token")
	}
	thief.Get("/tai-khoan").Is(303)
	if thief.Open("/gio-hang").Find(".line").Length() != 0 {
		t.Error("the stolen cookies still show the basket")
	}
	if v.Open("/gio-hang").Find(".line").Length() != 1 {
		t.Error("the owner lost the basket")
	}
	// Also when nobody tells Redis: an administrator changes it.
	m.must(t, m.Accounts.SetPassword(context.Background(), m.accountOf(t, "minh@vidu.vn"), "tu-dong-lenh-dat", "ocop user"))
	v.Get("/tai-khoan").Is(303)
}

func (m *market) must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSessionsAreListedAndEndedFromAfar(t *testing.T) {
	m := open(t)
	coconut, _ := goods(t, m)
	phone, laptop, other := m.visitor(t), m.visitor(t), m.visitor(t)
	phone.Header.Set("User-Agent", "Mozilla/5.0 (Linux; Android 14) Chrome/130.0 Mobile Safari/537.36")
	m.join(t, phone, "", "minh@vidu.vn")
	m.put(t, phone, "", coconut)
	m.clock.Advance(time.Minute)
	laptop.Header.Set("User-Agent", "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) Version/17.0 Safari/605.1.15")
	signIn(laptop, "", "minh@vidu.vn", password).Is(303)
	signIn(other, "", "minh@vidu.vn", password).Is(303)
	page := laptop.Open("/tai-khoan/bao-mat").Says("Chrome · Android").Says("Safari · macOS")
	if n := page.Find("form[action$=phien] input[name=phien]").Length(); n != 2 {
		t.Fatalf("%d other devices", n)
	}
	line := page.Find("section[aria-labelledby=sessions] li").FilterFunction(func(_ int, s *goquery.Selection) bool { return strings.Contains(s.Text(), "Android") })
	sid := line.Find("input[name=phien]").AttrOr("value", "")
	// Another's session is not in the list of one's own, so it cannot be ended.
	stranger := m.visitor(t)
	m.join(t, stranger, "", "lan@vidu.vn")
	stranger.Post("/tai-khoan/bao-mat/phien", url.Values{"phien": {sid}}).Is(303)
	phone.Open("/tai-khoan")
	laptop.Post("/tai-khoan/bao-mat/phien", url.Values{"phien": {sid}}).Follow().Is(200).Says(text(i18n.VI, "me.session.ended"))
	phone.Get("/tai-khoan").Is(303)
	if phone.Open("/gio-hang").Find(".line").Length() != 0 {
		t.Error("the device that was signed out still shows the basket")
	}
	other.Open("/tai-khoan")
	if laptop.Open("/gio-hang").Find(".line").Length() != 1 || other.Open("/gio-hang").Find(".line").Length() != 1 {
		t.Error("a device that is signed in lost the basket")
	}
	laptop.Open("/tai-khoan/bao-mat").Form("form#end-others").Submit("").Is(303)
	other.Get("/tai-khoan").Is(303)
	laptop.Open("/tai-khoan")
	stranger.Open("/tai-khoan")
	m.clock.Advance(15 * 24 * time.Hour)
	laptop.Get("/tai-khoan").Is(303)
}

func TestSignInLeadsOnlyToThisSite(t *testing.T) {
	m := open(t)
	m.join(t, m.visitor(t), "", "minh@vidu.vn")
	for _, to := range []string{"//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)", "http:evil.example", "///evil.example", "/\r\nSet-Cookie: a=b"} {
		v := m.visitor(t)
		page := v.Get("/dang-nhap?ve=" + url.QueryEscape(to)).Is(200)
		if strings.Contains(page.Body, "evil.example") || page.Find("input[name=ve]").Length() != 0 {
			t.Errorf("%q stands on the page", to)
		}
		a := v.Post("/dang-nhap", url.Values{"email": {"minh@vidu.vn"}, "password": {password}, "ve": {to}})
		a.Is(303)
		if a.Location() != "/tai-khoan" {
			t.Errorf("%q leads to %q", to, a.Location())
		}
	}
	v := m.visitor(t)
	away := v.Get("/en/tai-khoan/dia-chi")
	away.Is(303)
	if a := away.Follow().Form("main form").Fill("email", "minh@vidu.vn").Fill("password", password).Submit(""); a.Location() != "/en/tai-khoan/dia-chi" {
		t.Errorf("back to %q", a.Location())
	}
}

func TestOneNetworkIsSentSoManyCodesInADay(t *testing.T) {
	m := open(t, func(c *config.Config) { c.CodesPerAddress = 3 })
	v := m.visitor(t)
	for i := range 4 {
		a := v.Twin().Post("/quen-mat-khau", url.Values{"email": {fmt.Sprintf("nguoi%d@vidu.vn", i)}})
		if want := map[bool]int{true: 303, false: 429}[i < 3]; a.Status != want {
			t.Errorf("code %d: %d", i+1, a.Status)
		}
		if i == 3 {
			a.Whole().Says(text(i18n.VI, "shopper.proof.too_many_here"))
			if a.Find("input[name=email]").AttrOr("value", "") != "nguoi3@vidu.vn" {
				t.Error("what was typed is lost")
			}
		}
	}
	// What cannot be sent costs nothing, and other networks go on.
	m.visitor(t).Post("/quen-mat-khau", url.Values{"email": {"nguoi9@vidu.vn"}}).Is(303)
}

func TestWhoeverCouldBeReachedBeforeIsToldOfAChangedContact(t *testing.T) {
	m := open(t)
	v := m.visitor(t)
	m.join(t, v, "", "cu@vidu.vn")
	change := func(contact string) {
		t.Helper()
		page := v.Open("/tai-khoan/bao-mat").Form("form[action$='lien-he']").Fill("contact", contact).Fill("contact_password", password).Submit("").Follow().Is(200)
		page.Form("main form").Fill("code", sixDigits.FindString(m.tell(t))).Submit("").Is(303)
	}
	said := func() (letters []notify.Letter, texts []string) {
		t.Helper()
		l, x := len(m.mails.Letters()), len(m.texts.Texts())
		var id int64
		testkit.Scan(t, m.DB, &id, `SELECT max(id) FROM account_proof`)
		for range 2 {
			m.must(t, m.Shoppers.TellContact(context.Background(), shopper.TellContact{ProofID: id}))
		}
		if m.count(t, `SELECT count(*) FROM river_job WHERE kind = 'shopper_tell_contact' AND (args->>'proof_id')::bigint = (SELECT max(id) FROM account_proof)`) != 1 {
			t.Error("nothing is queued")
		}
		return m.mails.Letters()[l:], m.texts.Texts()[x:]
	}
	change("moi@vidu.vn")
	letters, texts := said()
	if len(letters) != 1 || len(texts) != 0 || letters[0].To != "cu@vidu.vn" || letters[0].Subject != text(i18n.VI, "mail.contact_changed_email.subject") ||
		!strings.Contains(letters[0].Text, "12:00") || !strings.Contains(letters[0].Text, "/quen-mat-khau") || strings.Contains(letters[0].Text+letters[0].HTML, "moi@") || strings.Contains(letters[0].Text, "mail.") {
		t.Errorf("%+v, %q", letters, texts)
	}
	change("0903 000 001")
	if letters, texts = said(); len(letters) != 1 || len(texts) != 0 || letters[0].To != "moi@vidu.vn" || letters[0].Subject != text(i18n.VI, "mail.contact_added_phone.subject") {
		t.Errorf("%+v, %q", letters, texts)
	}
	change("0903 000 002")
	if letters, texts = said(); len(letters) != 0 || len(texts) != 1 || !strings.HasPrefix(texts[0], "+84903000001 ") || !strings.Contains(texts[0], "12:00") || strings.Contains(texts[0], "sms.") {
		t.Errorf("%+v, %q", letters, texts)
	}
}
