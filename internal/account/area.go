package account

import (
	"slices"

	"gorm.io/gorm/clause"
)

// Area is where on the map somebody holds a right: everywhere, in whole provinces, in single communes, or nowhere (the
// zero value). It is what a domain's lists and decisions take from the caller.
type Area struct {
	Everywhere bool
	Provinces  []string // codes; each stands for all its communes
	Communes   []string // codes
}

// Area is where the account holds a right. Roles that are bound to a producer or a sales point give none.
func (a Account) Area(r Right) Area {
	var out Area
	out.Provinces, out.Everywhere = a.Covers(r, OfProvince)
	out.Communes, _ = a.Covers(r, OfCommune)
	return out
}

// Nowhere reports whether the area holds no record at all.
func (a Area) Nowhere() bool { return !a.Everywhere && len(a.Provinces) == 0 && len(a.Communes) == 0 }

// Holds reports whether a record at this place lies in the area, as In does in SQL. An unknown place has empty codes and
// lies in no area but everywhere.
func (a Area) Holds(province, commune string) bool {
	return a.Everywhere || province != "" && slices.Contains(a.Provinces, province) || commune != "" && slices.Contains(a.Communes, commune)
}

// In is the area as a condition on the two columns that hold a record's province and commune, to stand in a WHERE:
//
//	g.Raw(`SELECT … FROM producer p WHERE p.id = @id AND @area`, map[string]any{"id": id, "area": in.In("p.province_code", "p.commune_code")})
//
// The names of the columns are written into the statement as they are: give constants.
func (a Area) In(province, commune string) clause.Expr {
	switch {
	case a.Everywhere:
		return clause.Expr{SQL: "TRUE"}
	case len(a.Communes) == 0 && len(a.Provinces) == 0:
		return clause.Expr{SQL: "FALSE"}
	case len(a.Communes) == 0:
		return clause.Expr{SQL: province + " IN ?", Vars: []any{a.Provinces}}
	case len(a.Provinces) == 0:
		return clause.Expr{SQL: commune + " IN ?", Vars: []any{a.Communes}}
	}
	return clause.Expr{SQL: "(" + province + " IN ? OR " + commune + " IN ?)", Vars: []any{a.Provinces, a.Communes}}
}
