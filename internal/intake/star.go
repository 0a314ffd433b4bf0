package intake

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"choocop.vn/ocop/internal/certification"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
)

//go:embed data/decision.csv data/ministry.csv
var files embed.FS

// round is a decision of the ministry on a whole round of five stars.
type round struct {
	stars  int
	on     clock.Date
	issuer string
}

type renamed struct {
	from clock.Date
	name string
}

var (
	rounds     = mustRounds()
	ministries = mustMinistries()
)

// mustTable panics on a broken file: it is compiled in, so its first test finds the fault.
func mustTable(name string) [][]string {
	data, err := files.ReadFile("data/" + name)
	if err != nil {
		panic("intake: " + err.Error())
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		panic("intake: " + name + ": " + err.Error())
	}
	return rows[1:]
}

func mustDate(s string) clock.Date {
	d, err := clock.ParseDate(s)
	if err != nil {
		panic("intake: " + err.Error())
	}
	return d
}

func mustRounds() map[string]round {
	out := map[string]round{}
	for _, r := range mustTable("decision.csv") {
		stars, err := strconv.Atoi(r[1])
		if err != nil {
			panic("intake: " + err.Error())
		}
		out[r[0]] = round{stars: stars, on: mustDate(r[2]), issuer: r[3]}
	}
	return out
}

func mustMinistries() []renamed {
	var out []renamed
	for _, r := range mustTable("ministry.csv") {
		out = append(out, renamed{from: mustDate(r[0]), name: r[1]})
	}
	return out
}

// proposals are words of notes that say the source tells of a vote or a hope and not of a decision. Such rows bring no
// certificate, whatever number of stars they name.
var proposals = []string{"hội đồng", "đề nghị", "tiềm năng"}

func onlyProposed(note string) bool {
	folded := i18n.Fold(note)
	for _, p := range proposals {
		if strings.Contains(folded, i18n.Fold(p)) {
			return true
		}
	}
	return false
}

// earnsRecord says whether a row tells of a decision: three to five stars, a year, and not merely proposed.
func (r row) earnsRecord() bool { return r.stars >= 3 && r.year > 0 && !onlyProposed(r.note) }

var (
	inBrackets = regexp.MustCompile(`^(.*?)\s*\((.*)\)$`)
	aDate      = regexp.MustCompile(`\d{1,2}/\d{1,2}/\d{4}`)
)

// decision reads the number of a decision and, where the paper or our table gives it, its day.
func (r row) decisionOn() (number string, on clock.Date) {
	number = r.decision
	if m := inBrackets.FindStringSubmatch(number); m != nil {
		number = m[1]
		if d, err := clock.ParseDate(aDate.FindString(m[2])); err == nil && d.Y == r.year {
			on = d
		}
	}
	if known, ok := rounds[number]; ok && known.stars == r.stars && known.on.Y == r.year {
		on = known.on
	}
	return number, on
}

// round names one decision of one province in one year.
func (r row) round() string {
	number, _ := r.decisionOn()
	return fmt.Sprintf("%s|%s|%d", r.province.Code, number, r.year)
}

// provincial collects the decisions that also name four-star goods: those are a province's, whoever else recognised three
// stars at that time.
func provincial(rows []row) map[string]bool {
	out := map[string]bool{}
	for _, r := range rows {
		if r.stars == 4 && r.decision != "" && r.earnsRecord() {
			out[r.round()] = true
		}
	}
	return out
}

// certificate makes the record of a row. Of a decision known by its year only, the regime is the one in force at the end
// of that year, since nearly all rounds are decided then.
func (r row) certificate(productID int64, provincial map[string]bool, unit func(name string) (geo.Match, bool)) certification.Entry {
	number, on := r.decisionOn()
	first, last := on, on
	if on.IsZero() {
		first, last = clock.NewDate(r.year, 1, 1), clock.NewDate(r.year, 12, 31)
	}
	regime := certification.RegimeOn(last)
	level := regime.LevelOf(r.stars)
	if level == certification.District && provincial[r.round()] {
		level = certification.Province
	}
	e := certification.Entry{ProductID: productID, Stars: r.stars, DecisionNo: number, Level: level, DecidedOn: on, DecidedYear: r.year,
		Regime: regime.Name, SourceURL: r.sourceURL, Note: r.note}
	e.Key = r.id + ":" + strconv.Itoa(r.year)
	if number != "" {
		e.Key = r.id + ":" + number + ":" + strconv.Itoa(r.year)
	}
	switch level {
	case certification.Ministry:
		e.Issuer = ministryOf(number, r.stars, first, last)
	case certification.Province:
		e.Issuer = r.provinceIssuer(first, last, unit)
	default:
		e.Issuer = r.districtIssuer()
	}
	return e
}

// ministryOf names the ministry as it was called; between two names both are given, since the day is not known.
func ministryOf(number string, stars int, first, last clock.Date) string {
	if known, ok := rounds[number]; ok && known.stars == stars {
		return known.issuer
	}
	name := func(on clock.Date) string {
		found := ministries[0].name
		for _, m := range ministries {
			if !on.Before(m.from) {
				found = m.name
			}
		}
		return found
	}
	if a, b := name(first), name(last); a != b {
		return a + " (nay là " + b + ")"
	}
	return name(last)
}

// mergers is when 63 provinces became 34 and districts ended (Nghị quyết 202/2025/QH15).
var mergers = clock.NewDate(2025, 7, 1)

const anyProvince = "UBND cấp tỉnh"

// provinceIssuer names the people's committee as it was then; where it is open whether the former or the present
// province decided, it names neither.
func (r row) provinceIssuer(first, last clock.Date, unit func(string) (geo.Match, bool)) string {
	now := "UBND " + r.province.Kind + " " + r.province.Name
	if r.province.KindBefore != "" && last.Before(clock.On(r.province.KindFrom)) {
		now = "UBND " + r.province.KindBefore + " " + r.province.Name
	}
	if !first.Before(mergers) {
		return now
	}
	if r.oldProvince == "" || r.oldProvince == r.province.Name {
		if r.oldProvince == "" && last.Before(mergers) {
			return anyProvince // the paper does not say which of the merged ones it was
		}
		return now
	}
	old, ok := unit(r.oldProvince)
	if !ok || !last.Before(mergers) {
		return anyProvince
	}
	return "UBND " + old.Kind + " " + old.Name
}

// districtIssuer takes the district from the place as written: "xã Phú Cần, huyện Tiểu Cần".
func (r row) districtIssuer() string {
	parts := strings.Split(r.place, ",")
	district := strings.TrimSpace(parts[len(parts)-1])
	for _, kind := range []string{"huyện ", "quận ", "thị xã ", "thành phố "} {
		if strings.HasPrefix(strings.ToLower(district), kind) {
			return "UBND " + district
		}
	}
	return "UBND cấp huyện"
}
