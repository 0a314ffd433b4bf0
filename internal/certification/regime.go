package certification

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"slices"
	"strconv"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
)

// Regime is the decision of the Prime Minister under which stars were recognised at a time.
type Regime struct {
	Name string // "QĐ 148/QĐ-TTg"
	From clock.Date
	// Months is how long a decision of that time counts.
	Months int
	// levels is who recognised three, four and five stars then.
	levels [3]string
}

//go:embed data/regime.csv
var regimeFile []byte

// regimes are in the order of time.
var regimes = mustRegimes(regimeFile)

// mustRead panics on a broken file: it is compiled in, so its first test finds the fault.
func mustRead(file []byte) [][]string {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		panic("certification: " + err.Error())
	}
	return rows[1:]
}

func mustDay(s string) clock.Date {
	d, err := clock.ParseDate(s)
	if err != nil {
		panic("certification: " + err.Error())
	}
	return d
}

func mustNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic("certification: " + err.Error())
	}
	return n
}

func mustRegimes(file []byte) []Regime {
	var out []Regime
	for _, r := range mustRead(file) {
		out = append(out, Regime{Name: r[0], From: mustDay(r[1]), levels: [3]string{r[2], r[3], r[4]}, Months: mustNumber(r[5])})
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

// LevelOf is who recognises a number of stars, 3 to 5, under the regime.
func (r Regime) LevelOf(stars int) string { return r.levels[min(max(stars, 3), 5)-3] }

// ValidTo is the last day on which a decision of this day counts, inclusive.
func (r Regime) ValidTo(decided clock.Date) clock.Date { return decided.AddMonths(r.Months) }

// deadline is how many working days the law leaves for an answer, from a day on.
type deadline struct {
	from clock.Date
	days int
}

//go:embed data/deadline.csv
var deadlineFile []byte

var deadlines = mustDeadlines(deadlineFile)

func mustDeadlines(file []byte) []deadline {
	var out []deadline
	for _, r := range mustRead(file) {
		out = append(out, deadline{mustDay(r[1]), mustNumber(r[2])})
	}
	slices.SortFunc(out, func(a, b deadline) int { return a.from.Compare(b.from) })
	return out
}

// DueOn is the day by which a request that came on a day is to be answered: working days are Monday to Friday.
func DueOn(came clock.Date) clock.Date {
	days := deadlines[0].days
	for _, d := range deadlines {
		if !came.Before(d.from) {
			days = d.days
		}
	}
	for due := came; ; {
		due = due.AddDays(1)
		if w := due.Time().Weekday(); w != time.Saturday && w != time.Sunday {
			days--
		}
		if days == 0 {
			return due
		}
	}
}

// ground is a reason for which stars may be taken away, while it is in force.
type ground struct {
	name     string
	from, to clock.Date // to is zero while nobody ended it
}

//go:embed data/ground.csv
var groundFile []byte

var grounds = mustGrounds(groundFile)

func mustGrounds(file []byte) []ground {
	var out []ground
	for _, r := range mustRead(file) {
		g := ground{name: r[0], from: mustDay(r[1])}
		if r[2] != "" {
			g.to = mustDay(r[2])
		}
		out = append(out, g)
	}
	return out
}

// Grounds are the reasons for which stars may be taken away on a day, in the order in which people choose.
func Grounds(on clock.Date) []string {
	var out []string
	for _, g := range grounds {
		if !on.Before(g.from) && (g.to.IsZero() || !on.After(g.to)) {
			out = append(out, g.name)
		}
	}
	return out
}
