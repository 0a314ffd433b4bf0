package browsertest

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/shopper"
	"choocop.vn/ocop/internal/testkit"
)

const password = "mật khẩu đủ dài"

var sixDigits = regexp.MustCompile(`\b\d{6}\b`)

// phone is a device with a lock that knows its owner at once. It belongs to one tab, whose keys the market may refuse.
type phone struct {
	b  *tab
	id webauthn.AuthenticatorID
}

func (b *tab) phone() *phone {
	b.t.Helper()
	b.mayBeRefused("/dang-nhap/khoa")
	b.mayBeRefused("/tai-khoan/bao-mat/khoa")
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal, HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true}})
	if err != nil {
		b.t.Fatal(err)
	}
	return &phone{b, added.AuthenticatorID}
}

func (p *phone) keys() []*webauthn.Credential {
	p.b.t.Helper()
	r, err := chromedp.Call(p.b.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: p.id})
	if err != nil {
		p.b.t.Fatal(err)
	}
	return r.Credentials
}

// addCredential names only what a key is: the library's own also speaks of extensions, and is refused.
var addCredential = cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}

func (p *phone) put(k *webauthn.Credential) {
	p.b.t.Helper()
	own := map[string]any{"credentialId": k.CredentialID, "isResidentCredential": true, "rpId": k.RpID, "privateKey": k.PrivateKey, "userHandle": k.UserHandle, "signCount": k.SignCount}
	if _, err := chromedp.Call(p.b.ctx, addCredential, map[string]any{"authenticatorId": p.id, "credential": own}); err != nil {
		p.b.t.Fatal(err)
	}
}

func (p *phone) clear() {
	p.b.t.Helper()
	if _, err := chromedp.Call(p.b.ctx, webauthn.ClearCredentials, webauthn.ClearCredentialsParams{AuthenticatorID: p.id}); err != nil {
		p.b.t.Fatal(err)
	}
}

// knows makes the phone take whoever holds it for its owner, or not.
func (p *phone) knows(verified bool) {
	p.b.t.Helper()
	if _, err := chromedp.Call(p.b.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: p.id, IsUserVerified: verified}); err != nil {
		p.b.t.Fatal(err)
	}
}

// code runs the job of the newest proof and reads the number in its letter.
func (m *market) code(t *testing.T) string {
	t.Helper()
	var id int64
	testkit.Scan(t, m.DB, &id, `SELECT max(id) FROM account_proof`)
	if err := m.Shoppers.TellProof(context.Background(), shopper.TellProof{ProofID: id}); err != nil {
		t.Fatal(err)
	}
	letters := m.mails.Letters()
	if len(letters) == 0 {
		t.Fatal("no letter came")
	}
	return sixDigits.FindString(letters[len(letters)-1].Text)
}

// person is somebody who has proven an address, without a page.
func (m *market) person(t *testing.T, email string) account.Account {
	t.Helper()
	handle, err := m.Shoppers.SignUp(context.Background(), shopper.SignUp{Identifier: email, Name: "Lê Thị Lan", Password: password, Locale: i18n.VI, Terms: true})
	if err != nil {
		t.Fatal(err)
	}
	a, err := m.Shoppers.FinishSignUp(context.Background(), shopper.Answer{Handle: handle, Code: m.code(t)}, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *tab) fill(values map[string]string) {
	b.t.Helper()
	for id, v := range values {
		b.do(chromedp.SendKeys(chromedp.CSS("#"+id), v))
	}
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) signIn(lang, email string) {
	b.t.Helper()
	b.open(lang + "/dang-nhap")
	b.fill(map[string]string{"email": email, "password": password})
	b.click("main form .btn.main")
	b.at(lang + "/tai-khoan")
}

func (b *tab) signOut(lang string) {
	b.t.Helper()
	b.open(lang + "/tai-khoan")
	b.click("#sign-out button")
	b.until("document.readyState === 'complete' && !location.pathname.includes('tai-khoan')")
}

// addPasskey makes a key on the security page.
func (b *tab) addPasskey(lang string) {
	b.t.Helper()
	b.open(lang + "/tai-khoan/bao-mat")
	b.until("!document.querySelector('[data-passkey]').hidden")
	b.makePasskey(password)
	b.until("document.readyState === 'complete' && location.search === '?xong=khoa'")
}

// makePasskey says the password again and presses the button.
func (b *tab) makePasskey(password string) {
	b.t.Helper()
	eval[bool](b, "(document.querySelector('#key_password').value = '', true)")
	b.fill(map[string]string{"key_password": password})
	b.click("[data-passkey] button")
}

// byPasskey presses the button on the way in.
func (b *tab) byPasskey(path string) {
	b.t.Helper()
	b.open(path)
	b.until("!document.querySelector('[data-passkey]').hidden")
	b.click("[data-passkey] button")
}

// told waits for a text beside the button, in the language of the page.
func (b *tab) told(lang, key string) {
	b.t.Helper()
	b.until("document.querySelector('[data-said]')?.hidden === false")
	l := i18n.VI
	if lang != "" {
		l = i18n.EN
	}
	if have, want := eval[string](b, "document.querySelector('[data-said]').innerText"), i18n.T(l, key, nil); have != want {
		b.t.Errorf("beside the button stands %q, not %q", have, want)
	}
}

func (b *tab) signedIn() bool {
	b.t.Helper()
	b.open("/tai-khoan")
	return eval[string](b, "location.pathname") == "/tai-khoan"
}

// TestAPasskeyOpensAnAccountUntilItIsRemoved goes the whole way in both languages.
func TestAPasskeyOpensAnAccountUntilItIsRemoved(t *testing.T) {
	m := openAt(t, "localhost")
	for _, lang := range []string{"", "/en"} {
		b := m.tab(t)
		p := b.phone()
		email := "minh" + strings.TrimPrefix(lang, "/") + "@vidu.vn"
		b.open(lang + "/dang-ky")
		b.fill(map[string]string{"email": email, "name": "Trần Văn Minh", "password": password})
		b.click("#terms")
		b.click("main form .btn.main")
		b.at(lang + "/xac-nhan")
		b.fill(map[string]string{"code": m.code(t)})
		b.click("main form .btn.main")
		b.at(lang + "/tai-khoan")
		b.signOut(lang)
		b.signIn(lang, email)

		b.addPasskey(lang)
		if n := len(p.keys()); n != 1 {
			t.Fatalf("the phone holds %d keys", n)
		}
		if have := eval[string](b, "document.querySelector('section[aria-labelledby=keys] li').innerText"); !strings.Contains(have, "Linux") {
			t.Errorf("the list says %q", have)
		}
		// The phone does not make a second key of the same account.
		b.makePasskey(password)
		b.told(lang, "shopper.passkey.known")
		b.makePasskey("sai")
		b.told(lang, "account.password.wrong")

		b.signOut(lang)
		goal := lang + "/tai-khoan/don-hang"
		b.byPasskey(lang + "/dang-nhap?" + url.Values{"ve": {goal}}.Encode())
		b.at(goal)
		b.open(lang + "/tai-khoan")
		if said := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(said, email) {
			t.Errorf("the passkey opened: %s", said)
		}
		if n := p.keys()[0].SignCount; n < 2 {
			t.Errorf("the counter of the phone stands at %v", n)
		}

		// Somebody else holds the phone.
		b.signOut(lang)
		p.knows(false)
		b.byPasskey(lang + "/dang-nhap")
		b.told(lang, "shopper.passkey.none")
		p.knows(true)
		b.click("[data-passkey] button")
		b.at(lang + "/tai-khoan")

		b.open(lang + "/tai-khoan/bao-mat")
		b.click("form[action$='/khoa/xoa'] button")
		b.until("document.readyState === 'complete' && location.search === '?xong=bo-khoa' && !document.querySelector('form[action$=\"/khoa/xoa\"]')")
		b.signOut(lang)
		b.byPasskey(lang + "/dang-nhap")
		b.told(lang, "shopper.passkey.refused")
		if b.signedIn() {
			t.Error("a removed passkey opens the account")
		}
	}
}

// TestAPasskeyOpensItsOwnAccountAlone puts the name of another account into a key, as a forged device would.
func TestAPasskeyOpensItsOwnAccountAlone(t *testing.T) {
	m := openAt(t, "localhost")
	handles := map[string][]byte{}
	b := m.tab(t)
	p := b.phone()
	var own *webauthn.Credential
	for _, email := range []string{"lan@vidu.vn", "hoa@vidu.vn"} {
		m.person(t, email)
		p.clear()
		b.signIn("", email)
		b.addPasskey("")
		own = p.keys()[0]
		handles[email] = own.UserHandle
		b.signOut("")
	}
	// Both keys are on the phone of one house: each opens its own.
	forged := *own
	forged.UserHandle, forged.SignCount = handles["lan@vidu.vn"], own.SignCount+10
	p.clear()
	p.put(&forged)
	b.byPasskey("/dang-nhap")
	b.told("", "shopper.passkey.refused")
	if b.signedIn() {
		t.Error("a key with another's name opens an account")
	}
	own.SignCount += 10
	p.clear()
	p.put(own)
	b.byPasskey("/dang-nhap")
	b.at("/tai-khoan")
	if said := eval[string](b, "document.querySelector('main').innerText"); !strings.Contains(said, "hoa@vidu.vn") || strings.Contains(said, "lan@vidu.vn") {
		t.Errorf("the key of hoa opened: %s", said)
	}
}

// TestACopiedPasskeyIsFoundOut signs in with the phone and then with what was copied from it before.
func TestACopiedPasskeyIsFoundOut(t *testing.T) {
	m := openAt(t, "localhost")
	m.person(t, "lan@vidu.vn")
	b := m.tab(t)
	p := b.phone()
	b.signIn("", "lan@vidu.vn")
	b.addPasskey("")
	copied := p.keys()[0]
	for range 2 {
		b.signOut("")
		b.byPasskey("/dang-nhap")
		b.at("/tai-khoan")
	}
	b.signOut("")
	mine := p.keys()[0]

	thief := m.tab(t)
	q := thief.phone()
	q.put(copied)
	for _, lang := range []string{"", "/en"} {
		q.clear()
		q.put(copied)
		thief.byPasskey(lang + "/dang-nhap")
		thief.told(lang, "shopper.passkey.copied")
		if thief.signedIn() {
			t.Error("a copied passkey opens the account")
		}
	}
	var noted int
	testkit.Scan(t, m.DB, &noted, `SELECT count(*) FROM audit_event WHERE action = 'account.passkey_copied'`)
	if noted != 2 {
		t.Errorf("the audit knows of %d tries", noted)
	}
	// The phone itself has gone on counting.
	p.clear()
	p.put(mine)
	b.byPasskey("/dang-nhap")
	b.at("/tai-khoan")
}

// TestAnAnswerOfAPasskeyCountsOnce sends what the browser sent a second time.
func TestAnAnswerOfAPasskeyCountsOnce(t *testing.T) {
	m := openAt(t, "localhost")
	m.person(t, "lan@vidu.vn")
	b := m.tab(t)
	b.phone()
	b.always(`const plain = window.fetch; window.fetch = (to, how) => { if (how?.body) sessionStorage.setItem("sent", how.body); return plain(to, how); };`)
	again := func(path string) int {
		t.Helper()
		return eval[int](b, fmt.Sprintf(`fetch(%q, {method: "POST", headers: {"Content-Type": "application/json"}, body: sessionStorage.getItem("sent")}).then(a => a.status)`, path))
	}
	b.signIn("", "lan@vidu.vn")
	b.addPasskey("")
	if s := again("/tai-khoan/bao-mat/khoa/xong"); s != 403 {
		t.Errorf("the same key again: %d", s)
	}
	b.signOut("")
	b.byPasskey("/dang-nhap")
	b.at("/tai-khoan")
	b.signOut("")
	b.open("/dang-nhap")
	if s := again("/dang-nhap/khoa/xong"); s != 403 {
		t.Errorf("the answer again: %d", s)
	}
	// Nor does it answer a new question.
	if s := eval[int](b, `fetch("/dang-nhap/khoa", {method: "POST"}).then(a => a.status)`); s != 200 {
		t.Errorf("a new question: %d", s)
	}
	if s := again("/dang-nhap/khoa/xong"); s != 403 {
		t.Errorf("the answer to another question: %d", s)
	}
	if b.signedIn() {
		t.Error("an answer signs in twice")
	}
}

// TestPasskeysAreOfferedOnlyWhereTheyWork looks for the buttons without support, without script and at a bare address.
func TestPasskeysAreOfferedOnlyWhereTheyWork(t *testing.T) {
	named, bare := openAt(t, "localhost"), open(t)
	for _, m := range []*market{named, bare} {
		m.person(t, "lan@vidu.vn")
	}
	shown := func(b *tab) bool {
		t.Helper()
		return eval[bool](b, `[...document.querySelectorAll("[data-passkey]")].some(e => e.getBoundingClientRect().height > 0)`)
	}
	for _, way := range []string{"with all", "no support", "no script", "a bare address"} {
		m := named
		if way == "a bare address" {
			m = bare
		}
		b := m.tab(t)
		if way == "no support" {
			b.always("delete window.PublicKeyCredential;")
		}
		b.signIn("", "lan@vidu.vn")
		if way == "no script" {
			// Pages run none, only the test's own questions.
			if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{"/dang-nhap", "/en/dang-nhap", "/tai-khoan/bao-mat", "/en/tai-khoan/bao-mat"} {
			b.open(path)
			b.do(chromedp.Sleep(patience / 100))
			if have, want := shown(b), way == "with all"; have != want {
				t.Errorf("%s, %s: the button is shown: %v", path, way, have)
			}
		}
	}
}
