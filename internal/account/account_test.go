package account_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

const password = "mật khẩu đủ dài"

func wantKey(t *testing.T, err error, key string) {
	t.Helper()
	l, ok := apperr.As(err)
	if !ok || !slices.ContainsFunc(l, func(e *apperr.Error) bool { return e.Key == key }) {
		t.Errorf("got %v, want %s", err, key)
	}
}

func register(t *testing.T, s *account.Service, email string, roles ...account.Role) account.Account {
	t.Helper()
	a, err := s.Register(context.Background(), account.Registration{Email: email, Name: "Người thử", Password: password, Roles: roles, Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func actions(t *testing.T, d *db.DB, id int64) []string {
	t.Helper()
	events, err := audit.Of(context.Background(), d.Primary(context.Background()), "account", strconv.FormatInt(id, 10), 50)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range slices.Backward(events) {
		out = append(out, e.Action)
		for _, v := range e.Detail {
			if s, ok := v.(string); ok && strings.Contains(s, "@") {
				t.Errorf("personal data in the audit: %v", e.Detail)
			}
		}
	}
	return out
}

func TestSignInTellsNothingAboutWhatWasWrong(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := account.New(d)
	a := register(t, s, " Lan@HTX.example ", account.Role{Name: account.Admin})
	if a.Email != "lan@htx.example" {
		t.Errorf("kept as %q", a.Email)
	}
	got, err := s.SignIn(ctx, "LAN@htx.example", password)
	if err != nil || got.ID != a.ID || !account.Can(got, account.ManageAccounts) {
		t.Errorf("signed in as %+v, %v", got, err)
	}
	clock := func(email, password string) time.Duration {
		began := time.Now()
		_, err := s.SignIn(ctx, email, password)
		wantKey(t, err, "account.wrong_credentials")
		return time.Since(began)
	}
	known, unknown := clock("lan@htx.example", "sai mật khẩu"), clock("ai@htx.example", "sai mật khẩu")
	if unknown < known/8 {
		t.Errorf("an unknown e-mail is answered in %s, a known one in %s", unknown, known)
	}
	clock("lan@htx.example", strings.Repeat("x", 1<<20))
	clock("", "")
	testkit.Exec(t, d, `UPDATE account SET state = 'closed' WHERE id = $1`, a.ID)
	clock("lan@htx.example", password)
	if got := actions(t, d, a.ID); !slices.Equal(got, []string{"account.register", "account.sign_in", "account.sign_in_refused", "account.sign_in_refused"}) {
		t.Errorf("audit %v", got)
	}
}

func TestRegisterExplainsEachField(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := account.New(d)
	_, err := s.Register(ctx, account.Registration{Email: "Lan <a@b.example>", Password: "ngắn quá", Roles: []account.Role{{Name: "king"}}})
	for _, key := range []string{"account.email.form", "account.name.missing", "account.password.short", "account.role.unknown"} {
		wantKey(t, err, key)
	}
	_, err = s.Register(ctx, account.Registration{Email: "lan.ngoc@b.example", Name: "Lan", Password: "Lan.Ngoc@b.example"})
	wantKey(t, err, "account.password.is_email")
	for _, r := range []account.Role{{Name: account.Producer}, {Name: account.Cashier, Scope: account.OfProducer, ScopeID: "1"}, {Name: account.Admin, ScopeID: "1"}} {
		_, err = s.Register(ctx, account.Registration{Email: "x@b.example", Name: "X", Password: password, Roles: []account.Role{r}})
		wantKey(t, err, "account.role.scope")
	}
	register(t, s, "lan@b.example")
	_, err = s.Register(ctx, account.Registration{Email: "LAN@b.example", Name: "Lan", Password: password})
	wantKey(t, err, "account.email.taken")
	if _, err := s.ByID(ctx, 1<<40); !errors.Is(err, apperr.New(apperr.NotFound, "account.not_found")) {
		t.Errorf("by id: %v", err)
	}
}

func TestPasswordsAndRolesChangeWithATrace(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := account.New(d)
	a := register(t, s, "lan@b.example")
	role := account.RoleAt(account.Producer, account.OfProducer, 7)
	for range 2 {
		if err := s.Grant(ctx, a.ID, role, "test"); err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.ByID(ctx, a.ID)
	if err != nil || !slices.Equal(a.Roles, []account.Role{role}) {
		t.Errorf("roles %v, %v", a.Roles, err)
	}
	for range 2 {
		if err := s.Revoke(ctx, a.ID, role, "test"); err != nil {
			t.Fatal(err)
		}
	}
	wantKey(t, s.SetPassword(ctx, a.ID, "ngắn", "test"), "account.password.short")
	if err := s.SetPassword(ctx, a.ID, "một mật khẩu khác", "test"); err != nil {
		t.Fatal(err)
	}
	_, err = s.SignIn(ctx, a.Email, password)
	wantKey(t, err, "account.wrong_credentials")
	if _, err := s.SignIn(ctx, a.Email, "một mật khẩu khác"); err != nil {
		t.Error(err)
	}
	want := []string{"account.register", "account.grant", "account.revoke", "account.set_password", "account.sign_in_refused", "account.sign_in"}
	if got := actions(t, d, a.ID); !slices.Equal(got, want) {
		t.Errorf("audit %v, want %v", got, want)
	}
	wantKey(t, s.Grant(ctx, 1<<40, role, "test"), "account.not_found")
}

func TestRightsAreBoundToTheirRecords(t *testing.T) {
	a := account.Account{Roles: []account.Role{
		account.RoleAt(account.Producer, account.OfProducer, 7), account.RoleAt(account.Producer, account.OfProducer, 9),
		{Name: account.Officer, Scope: account.OfProvince, ScopeID: "86"},
	}}
	if ids, all := a.Covers(account.FulfilOrders, account.OfProducer); all || !slices.Equal(ids, []string{"7", "9"}) {
		t.Errorf("covers %v, everywhere %v", ids, all)
	}
	if ids, all := a.Covers(account.VerifyStars, account.OfProducer); all || ids != nil {
		t.Errorf("covers %v, everywhere %v", ids, all)
	}
	if account.Can(a, account.ManageAccounts) || account.Can(a, account.SellAtCounter) || !account.Can(a, account.VerifyStars) {
		t.Error("rights differ from the table")
	}
	if _, all := (account.Account{Roles: []account.Role{{Name: account.Admin}}}).Covers(account.FulfilOrders, account.OfProducer); !all {
		t.Error("an administrator is bound")
	}
	a.Closed = true
	if ids, all := a.Covers(account.FulfilOrders, account.OfProducer); all || ids != nil || account.Can(a, account.VerifyStars) {
		t.Error("a closed account keeps rights")
	}
}

func TestDemoHasOneAccountPerRoleAndIsMadeOnce(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := account.New(d)
	at := account.DemoPlaces{ProvinceCode: "86", ProducerID: 7, ShowroomID: 3}
	for range 2 {
		if err := s.RegisterDemo(ctx, password, at); err != nil {
			t.Fatal(err)
		}
	}
	var roles []account.RoleName
	for _, n := range account.DemoAccounts(password, at) {
		a, err := s.SignIn(ctx, n.Email, password)
		if err != nil || !a.Demo || len(a.Roles) != 1 {
			t.Fatalf("%s: %+v, %v", n.Email, a, err)
		}
		roles = append(roles, a.Roles[0].Name)
	}
	if !slices.Equal(roles, account.RoleNames()) {
		t.Errorf("roles %v", roles)
	}
}
