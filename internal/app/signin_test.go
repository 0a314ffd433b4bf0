package app_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/showroom"
	"choocop.vn/ocop/internal/testkit"
)

// signIn fills the form in as a person does. Where even the form is away it posts what the form would.
func signIn(v *testkit.Visitor, lang, email, secret string) *testkit.Answer {
	a := v.Get(lang + "/dang-nhap")
	if a.Status != http.StatusOK {
		return v.Post(lang+"/dang-nhap", url.Values{"email": {email}, "password": {secret}})
	}
	return a.Whole().Form("main form").Fill("email", email).Fill("password", secret).Submit("")
}

func TestEveryDemoRoleSignsInAndOut(t *testing.T) {
	m := open(t)
	maker := testkit.Producer(t, m.DB)
	point, err := m.Showrooms.Register(t.Context(), showroom.Showroom{Code: "SR-01", NameVI: "Điểm bán", NameEN: "Sales point", Kind: showroom.RestStop,
		Operator: "HTX", ProvinceCode: "01", CommuneCode: "00070", Street: "1 Hàng Bạc", Hours: showroom.EveryDay("08:00", "18:00")})
	if err != nil {
		t.Fatal(err)
	}
	at := account.DemoPlaces{ProvinceCode: "86", ProducerID: maker, ShowroomID: point}
	for range 2 { // a second start of the demo changes nothing
		if err := m.Accounts.RegisterDemo(t.Context(), password, at); err != nil {
			t.Fatal(err)
		}
	}
	people := account.DemoAccounts(password, at)
	if len(people) != 4 {
		t.Fatalf("%d roles", len(people))
	}
	for _, who := range people {
		for _, lang := range []string{"", "/en"} {
			v := m.visitor(t)
			if a := v.Get(lang + "/tai-khoan"); a.Status != 303 || !strings.HasSuffix(a.Location(), lang+"/dang-nhap") {
				t.Errorf("a stranger at the account page: %d %s", a.Status, a.Location())
			}
			// Capitals and spaces around an address are no other person.
			in := signIn(v, lang, " "+strings.ToUpper(who.Email), password)
			in.Is(303)
			in.Follow().Is(200).Whole()
			page := v.Open(lang + "/tai-khoan").Whole().Says(who.Email).Says(text(localeOf(lang), who.Roles[0].Name.Key()))
			if page.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the account page may be kept: %q", page.Header.Get("Cache-Control"))
			}
			session := v.Cookie("phien")
			page.Form("form#sign-out").Submit("").Is(303)
			v.Get(lang + "/tai-khoan").Is(303)
			old := m.visitor(t)
			old.SetCookie("phien", session)
			old.Get(lang + "/tai-khoan").Is(303)
		}
	}
}

func TestAWrongPasswordTellsNothing(t *testing.T) {
	m := open(t)
	email := m.register(t, account.Role{Name: account.Admin})
	for _, lang := range []string{"", "/en"} {
		v := m.visitor(t)
		said := map[string]bool{}
		for _, try := range []struct{ email, password string }{
			{email, "sai"}, {email, ""}, {"", ""}, {"khong@vidu.vn", password}, {email, password + " "}, {email, huge}, {"' OR 1=1 --", "x"},
		} {
			a := v.Open(lang+"/dang-nhap").Form("main form").Force("email", try.email).Force("password", try.password).Submit("")
			if a.Status != http.StatusForbidden && a.Status != http.StatusUnprocessableEntity {
				t.Errorf("%.20q: %d", try.email, a.Status)
			}
			a.Whole()
			said[a.Text("[role=alert]")] = true
			if strings.Contains(a.Body, password) {
				t.Error("the password comes back")
			}
			if kept := a.Form("main form").Values.Get("email"); try.email == email && kept != email {
				t.Errorf("the address typed is gone: %q", kept)
			}
			if v.Cookie("phien") != "" {
				v.Get("/tai-khoan").Is(303)
			}
		}
		if len(said) != 1 || said[""] {
			t.Errorf("it says different things: %v", said)
		}
	}
}

func TestAPlantedSessionIsWorthless(t *testing.T) {
	m := open(t)
	email := m.register(t, account.Role{Name: account.Admin})
	// The attacker has a session of the server's own making, and one of his own.
	thief := m.visitor(t)
	signIn(thief, "", email, password).Is(303)
	known := thief.Cookie("phien")
	for _, planted := range []string{known, "phien-tu-nghi-ra"} {
		v := m.visitor(t)
		v.SetCookie("phien", planted)
		signIn(v, "", email, password).Is(303)
		now := v.Cookie("phien")
		if now == planted || now == "" {
			t.Errorf("the planted token %q stays", planted)
		}
		stranger := m.visitor(t)
		stranger.SetCookie("phien", planted)
		if stranger.Get("/tai-khoan").Is(303); planted == known {
			thief.Get("/tai-khoan").Is(303)
		}
	}
	a := signIn(m.visitor(t), "", email, password)
	c := a.Header.Get("Set-Cookie")
	for _, part := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(c, part) {
			t.Errorf("the session's cookie lacks %s: %s", part, c)
		}
	}
}

func TestGuessingPasswordsIsSlowed(t *testing.T) {
	m := open(t)
	email := m.register(t, account.Role{Name: account.Admin})
	for _, redis := range []bool{true, false} {
		if !redis {
			m.redis.Stop()
		}
		for _, lang := range []string{"", "/en"} {
			v := m.visitor(t)
			var last *testkit.Answer
			for range 80 { // some come back while slow hashes are computed
				last = v.Post(lang+"/dang-nhap", url.Values{"email": {"x@vidu.vn"}, "password": {"y"}})
				if last.Status == http.StatusTooManyRequests {
					break
				}
			}
			last.Is(http.StatusTooManyRequests)
			last.Whole().Says(text(localeOf(lang), "error.too_many.title"))
			if last.Header.Get("Retry-After") == "" {
				t.Error("it does not say how long to wait")
			}
			// Others still come in, and the shop stays open for the one who guessed.
			v.Open(lang + "/")
			if redis {
				signIn(m.visitor(t), lang, email, password).Is(303)
			}
		}
	}
}

// Thirty wrong passwords close the way in for everybody, but for browsers that its owner used before.
func TestAStrangerCannotLockSomebodyOut(t *testing.T) {
	m := open(t)
	email := m.register(t, account.Role{Name: account.Admin})
	other := m.visitor(t)
	m.join(t, other, "", "ke-khac@vidu.vn")
	phone := m.visitor(t)
	signIn(phone, "", email, password).Is(303)
	note := phone.Cookie("may")
	if note == "" || strings.Contains(note, "@") || strings.Contains(note, email) {
		t.Fatalf("the note is %q", note)
	}
	phone.Open("/tai-khoan").Form("form#sign-out").Submit("").Is(303)
	guess := func(v *testkit.Visitor) int { return signIn(v, "", email, "doan mo mat khau").Status }
	for range 40 {
		if guess(m.visitor(t)) == http.StatusTooManyRequests {
			break
		}
	}
	signIn(m.visitor(t), "", email, password).Is(http.StatusTooManyRequests)
	flip := func(s string, at int) string {
		return s[:at] + map[bool]string{true: "0", false: "1"}[s[at] == '1'] + s[at+1:]
	}
	forged := []string{other.Cookie("may"), "x", "", "~~~", note[:strings.LastIndexByte(note, '.')], note[:len(note)-1], flip(note, 0), flip(note, strings.IndexByte(note, '.')+1),
		strings.SplitN(note, ".", 2)[0] + "." + strings.SplitN(other.Cookie("may"), ".", 2)[1], strings.Repeat("a.0.1.x.y~", 500)}
	for _, f := range forged {
		v := m.visitor(t)
		v.SetCookie("may", f)
		if a := signIn(v, "", email, password); a.Status != http.StatusTooManyRequests {
			t.Errorf("the note %q lets somebody try: %d", f, a.Status)
		}
	}
	signIn(phone.Twin(), "", email, password).Is(303)
	// Two accounts may share a browser.
	shared := other.Twin()
	shared.SetCookie("may", other.Cookie("may")+"~"+note)
	signIn(shared, "", email, password).Is(303)
	if n := strings.Count(shared.Cookie("may"), "~"); n != 1 {
		t.Errorf("%q", shared.Cookie("may"))
	}
	// The browser has a limit of its own, and a note lets nobody in.
	last := 0
	for range 40 {
		thief := m.visitor(t) // from ever other addresses
		thief.SetCookie("may", note)
		if last = guess(thief); last == http.StatusTooManyRequests {
			break
		}
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("a browser that is known guesses without end: %d", last)
	}
	// After a new password the old note says nothing any more.
	id := m.accountOf(t, email)
	if err := m.Accounts.SetPassword(context.Background(), id, password+"2", "test"); err != nil {
		t.Fatal(err)
	}
	old := m.visitor(t)
	old.SetCookie("may", shared.Cookie("may"))
	signIn(old, "", email, password+"2").Is(http.StatusTooManyRequests)
}

func TestANoteOfAKnownBrowserHoldsForAYear(t *testing.T) {
	m := open(t)
	email := m.register(t, account.Role{Name: account.Admin})
	v := m.visitor(t)
	signIn(v, "", email, password).Is(303)
	note := v.Cookie("may")
	for range 40 {
		if signIn(m.visitor(t), "", email, "doan mo mat khau").Status == http.StatusTooManyRequests {
			break
		}
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 303}, {364 * 24 * time.Hour, 303}, {2 * 24 * time.Hour, 429}} {
		m.clock.Advance(c.after)
		known := m.visitor(t)
		known.SetCookie("may", note)
		signIn(known, "", email, password).Is(c.want)
	}
}
