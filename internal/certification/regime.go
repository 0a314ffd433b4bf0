package certification

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"slices"

	"choocop.vn/ocop/internal/platform/clock"
)

// Regime is the decision of the Prime Minister under which stars were recognised at a time.
type Regime struct {
	Name string // "QĐ 148/QĐ-TTg"
	From clock.Date
	// ThreeStars is who recognised three stars then. Four stars were always the province's, five always the ministry's.
	ThreeStars string
}

//go:embed data/regime.csv
var regimeFile []byte

// regimes are in the order of time.
var regimes = mustRegimes(regimeFile)

// mustRegimes panics on a broken file: it is compiled in, so its first test finds the fault.
func mustRegimes(file []byte) []Regime {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		panic("certification: regimes: " + err.Error())
	}
	var out []Regime
	for _, r := range rows[1:] {
		from, err := clock.ParseDate(r[1])
		if err != nil {
			panic("certification: regimes: " + err.Error())
		}
		out = append(out, Regime{Name: r[0], From: from, ThreeStars: r[2]})
	}
	slices.SortFunc(out, func(a, b Regime) int { return a.From.Compare(b.From) })
	return out
}

// RegimeOn is the regime in force on a day; the first one for days before it.
func RegimeOn(on clock.Date) Regime {
	found := regimes[0]
	for _, r := range regimes {
		if !on.Before(r.From) {
			found = r
		}
	}
	return found
}

// LevelOf is who recognises a number of stars under the regime.
func (r Regime) LevelOf(stars int) string {
	switch stars {
	case 5:
		return Ministry
	case 4:
		return Province
	}
	return r.ThreeStars
}
