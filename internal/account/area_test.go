package account_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/testkit"
)

// places are records of two provinces: three communes of the first, one of the second, and each province's own without a commune.
var places = []struct{ province, commune string }{
	{"01", "00070"}, {"01", "00004"}, {"01", "00008"}, {"86", "29242"}, {"01", ""}, {"86", ""},
}

// TestAnAreaHoldsInSQLWhatItHoldsInGo draws people with any roles and asks the database for the records of their area.
func TestAnAreaHoldsInSQLWhatItHoldsInGo(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	hidden := testkit.Producer(t, d, testkit.MakerIn("01"), testkit.MakerCommune("00070"))
	at := map[int64]int{}
	for i, p := range places {
		at[testkit.Producer(t, d, testkit.MakerIn(p.province), testkit.MakerCommune(p.commune))] = i
	}
	roles := []account.Role{{Name: account.Admin}, {Name: account.Officer}, account.RoleAt(account.Producer, account.OfProducer, 1), account.RoleAt(account.Cashier, account.OfShowroom, 1)}
	for _, code := range []string{"01", "86"} {
		roles = append(roles, account.Role{Name: account.Officer, Scope: account.OfProvince, ScopeID: code})
	}
	for _, code := range []string{"00070", "00004", "29242"} {
		roles = append(roles, account.Role{Name: account.Officer, Scope: account.OfCommune, ScopeID: code})
	}
	rapid.Check(t, func(rt *rapid.T) {
		who := account.Account{Roles: rapid.SliceOfNDistinct(rapid.SampledFrom(roles), 0, 4, func(r account.Role) account.Role { return r }).Draw(rt, "roles"),
			Closed: rapid.IntRange(0, 9).Draw(rt, "closed") == 0}
		right := rapid.SampledFrom([]account.Right{account.VerifyStars, account.FulfilOrders, account.SellAtCounter, account.UseDesk}).Draw(rt, "right")
		area := who.Area(right)
		var found []int64
		// The area stands between other conditions, so its parts must hold together.
		if err := d.Primary(ctx).Raw(`SELECT p.id FROM producer p WHERE p.id <> @hidden AND @area AND p.id <> @hidden ORDER BY p.id`,
			map[string]any{"hidden": hidden, "area": area.In("p.province_code", "p.commune_code")}).Scan(&found).Error; err != nil {
			rt.Fatal(err)
		}
		n := 0
		for id, i := range at {
			want := false // said anew, from the roles alone
			for _, r := range who.Roles {
				holds := account.Can(account.Account{Roles: []account.Role{r}}, right) && !who.Closed
				want = want || holds && (r.Scope == account.Everywhere || r.Scope == account.OfProvince && r.ScopeID == places[i].province ||
					r.Scope == account.OfCommune && r.ScopeID == places[i].commune)
			}
			if got := slices.Contains(found, id); got != want {
				rt.Errorf("%v finds %+v: %v, want %v", area, places[i], got, want)
			}
			if area.Holds(places[i].province, places[i].commune) != want {
				rt.Errorf("%v holds %+v: %v", area, places[i], !want)
			}
			if want {
				n++
			}
		}
		if area.Nowhere() && n > 0 || len(found) != n {
			rt.Errorf("%v: nowhere %v, %d found, %d wanted", area, area.Nowhere(), len(found), n)
		}
	})
}

func TestRolesAreBoundToPlacesThatExist(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	s := account.New(d)
	a := register(t, s, "canbo@b.example")
	for _, r := range []account.Role{{Name: account.Officer, Scope: account.OfProvince, ScopeID: "99"}, {Name: account.Officer, Scope: account.OfCommune, ScopeID: "01"},
		{Name: account.Officer, Scope: account.OfCommune, ScopeID: "99999"}} {
		wantKey(t, s.Grant(ctx, a.ID, r, "test"), "account.role.place")
		_, err := s.Register(ctx, account.Registration{Email: "x@b.example", Name: "X", Password: password, Roles: []account.Role{r}})
		wantKey(t, err, "account.role.place")
	}
	for _, r := range []account.Role{{Name: account.Officer, Scope: account.OfCommune}, {Name: account.Admin, Scope: account.OfCommune, ScopeID: "00070"},
		{Name: account.Producer, Scope: account.OfProvince, ScopeID: "01"}} {
		wantKey(t, s.Grant(ctx, a.ID, r, "test"), "account.role.scope")
	}
	role := account.Role{Name: account.Officer, Scope: account.OfCommune, ScopeID: "00070"}
	if err := s.Grant(ctx, a.ID, role, "test"); err != nil {
		t.Fatal(err)
	}
	if a, err := s.ByID(ctx, a.ID); err != nil || !slices.Equal(a.Area(account.VerifyStars).Communes, []string{"00070"}) {
		t.Errorf("%+v, %v", a.Roles, err)
	}
	for _, bad := range []string{`'admin', 'commune', '00070'`, `'officer', 'province', ''`, `'officer', '', '01'`, `'officer', 'commune', '01'`} {
		if _, err := d.Pool().Exec(ctx, fmt.Sprintf(`INSERT INTO account_role (account_id, role, scope, scope_id) VALUES (%d, %s)`, a.ID, bad)); err == nil {
			t.Errorf("the database took %s", bad)
		}
	}
}
