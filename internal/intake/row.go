package intake

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/catalog"
	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/producer"
)

// Columns of a list of products. The first ones must be there.
var (
	required = []string{"id", "name_vi", "group_code", "province", "typical_unit", "price_vnd"}
	optional = []string{"name_en", "subgroup_code", "stars", "producer_name", "producer_type", "old_province", "district_or_commune",
		"year_recognised", "decision_no", "source_url", "description_vi", "description_en", "weight_g", "price_source", "note"}
	silent = []string{"gtin"} // most lists have none; its absence is not worth a word
)

// row is one product of a list, checked.
type row struct {
	line        int
	id          string
	nameVI      string
	nameEN      string
	category    string
	stars       int
	producer    string // empty where not known
	kind        string
	province    geo.Province
	oldProvince string
	place       string
	year        int
	decision    string
	sourceURL   string
	summaryVI   string
	summaryEN   string
	unit        catalog.Unit
	weightG     int
	price       money.VND
	priceSource string
	gtin        string
	note        string
}

var (
	idPattern     = regexp.MustCompile(`^[A-Z0-9][A-Z0-9.-]{0,39}$`)
	scientific    = regexp.MustCompile(`^[0-9.]+E\+?[0-9]+$`)
	producerKinds = map[string]string{"": "", "cong_ty": producer.Company, "htx": producer.Cooperative,
		"tht": producer.CooperativeGroup, "ho": producer.Household}
)

// columns says where each known column stands, and what is wrong with the heading.
func columns(s sheet) (at map[string]int, bad, notes []Problem) {
	at = map[string]int{}
	for i, name := range s.heading {
		name = strings.ToLower(name)
		switch {
		case name == "":
		case !slices.Contains(required, name) && !slices.Contains(optional, name) && !slices.Contains(silent, name):
			notes = append(notes, Problem{Line: s.headingLine, Column: name, Key: "intake.column.unknown", Args: map[string]any{"column": name}})
		default:
			if _, twice := at[name]; twice {
				bad = append(bad, Problem{Line: s.headingLine, Column: name, Key: "intake.column.twice", Args: map[string]any{"column": name}})
			}
			at[name] = i
		}
	}
	for _, name := range required {
		if _, ok := at[name]; !ok {
			bad = append(bad, Problem{Line: s.headingLine, Column: name, Key: "intake.column.missing", Args: map[string]any{"column": name}})
		}
	}
	for _, name := range optional {
		if _, ok := at[name]; !ok {
			notes = append(notes, Problem{Line: s.headingLine, Column: name, Key: "intake.column.absent", Args: map[string]any{"column": name}})
		}
	}
	return at, bad, notes
}

// reader checks the cells of lines.
type reader struct {
	at       map[string]int
	width    int // columns of the heading
	tree     *catalog.Tree
	province func(name string) (geo.Province, error)
	today    clock.Date
	seen     map[string]int // line of each id
	gtins    map[string]int
	bad      []Problem
}

// cell reads one line's cells and collects what is wrong with them.
type cell struct {
	*reader
	line  line
	fault bool
}

func (c *cell) text(column string) string {
	i, ok := c.at[column]
	if !ok || i >= len(c.line.cells) {
		return ""
	}
	return c.line.cells[i]
}

func (c *cell) refuse(column, key string, args ...any) {
	c.fault = true
	p := Problem{Line: c.line.number, Column: column, Value: short(c.text(column)), Key: key, Args: apperr.New(apperr.Invalid, key, args...).Args}
	c.bad = append(c.bad, p)
}

// pass refuses with the key of an error that another package found.
func (c *cell) pass(column string, err error) {
	if found, ok := apperr.As(err); ok {
		c.fault = true
		c.bad = append(c.bad, Problem{Line: c.line.number, Column: column, Value: short(c.text(column)), Key: found[0].Key, Args: found[0].Args})
		return
	}
	c.refuse(column, "intake.cell.unreadable")
}

func short(s string) string {
	if utf8.RuneCountInString(s) <= 60 {
		return s
	}
	return string([]rune(s)[:59]) + "…"
}

func (c *cell) words(column string, limit int, must bool) string {
	s := c.text(column)
	switch {
	case s == "" && must:
		c.refuse(column, "intake.cell.required")
	case utf8.RuneCountInString(s) > limit:
		c.refuse(column, "intake.cell.too_long", "limit", limit)
	}
	return s
}

// whole reads a number as a spreadsheet may hold it: 450, 450.0 or 1.5E5.
func (c *cell) whole(column string, low, high int) int {
	s := c.text(column)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(plain(s))
	if err != nil || n < low || n > high {
		c.refuse(column, "intake.cell.range", "low", low, "high", high)
		return 0
	}
	return n
}

// plain writes out what a spreadsheet made of a whole number.
func plain(s string) string {
	if scientific.MatchString(s) {
		if f, err := strconv.ParseFloat(s, 64); err == nil && f == float64(int64(f)) && f < 1e15 {
			return strconv.FormatInt(int64(f), 10)
		}
	}
	return strings.TrimSuffix(s, ".0")
}

// read checks a whole line, so that all its faults are told at once.
func (r *reader) read(l line) (row, bool) {
	c := &cell{reader: r, line: l}
	if len(l.cells) > 0 && slices.ContainsFunc(l.cells[min(len(l.cells), r.width):], func(s string) bool { return s != "" }) {
		c.refuse("", "intake.row.too_wide")
	}
	out := row{line: l.number, nameVI: c.words("name_vi", 200, true), nameEN: c.words("name_en", 200, false),
		producer: c.words("producer_name", 200, false), oldProvince: c.words("old_province", 100, false),
		place: c.words("district_or_commune", 200, false), decision: c.words("decision_no", 100, false),
		summaryVI: c.words("description_vi", 2000, false), summaryEN: c.words("description_en", 2000, false), note: c.words("note", 500, false)}
	c.id(&out)
	c.category(&out)
	c.trade(&out)
	c.origin(&out)
	out.stars = c.whole("stars", 1, 5)
	out.year = c.whole("year_recognised", 2018, r.today.Y)
	return out, !c.fault
}

func (c *cell) id(out *row) {
	out.id = strings.ToUpper(c.words("id", 40, true))
	switch first, twice := c.seen[out.id]; {
	case out.id == "":
	case !idPattern.MatchString(out.id):
		c.refuse("id", "intake.id.malformed")
	case twice:
		c.refuse("id", "intake.id.twice", "line", first)
	default:
		c.seen[out.id] = c.line.number
	}
}

func (c *cell) category(out *row) {
	group, sub := strings.ToUpper(c.words("group_code", 10, true)), c.text("subgroup_code")
	if group == "" {
		return
	}
	if _, ok := c.tree.ByCode(group); !ok {
		c.refuse("group_code", "intake.group.unknown")
		return
	}
	out.category = group
	if sub == "" {
		return
	}
	if _, ok := c.tree.ByCode(sub); !ok {
		c.refuse("subgroup_code", "intake.group.unknown")
		return
	}
	if !slices.Contains(c.tree.Below(group), sub) {
		c.refuse("subgroup_code", "intake.group.elsewhere", "group", group)
	}
	out.category = sub
}

func (c *cell) trade(out *row) {
	if unit := c.words("typical_unit", 60, true); unit != "" {
		out.unit = catalog.ParseUnit(unit)
	}
	out.weightG = c.whole("weight_g", 1, 1_000_000)
	switch price, err := money.Parse(plain(c.text("price_vnd"))); {
	case err != nil:
		c.pass("price_vnd", err)
	case price <= 0:
		c.refuse("price_vnd", "catalog.price.positive")
	default:
		out.price = price
	}
	switch source := c.text("price_source"); source {
	case "":
		out.priceSource = catalog.PriceOfSeller
	case catalog.PriceOfSeller, catalog.PriceEstimate:
		out.priceSource = source
	default:
		c.refuse("price_source", "intake.price.source")
	}
	if gtin := plain(c.text("gtin")); gtin != "" {
		first, twice := c.gtins[gtin]
		switch {
		case !catalog.CheckGTIN(gtin):
			c.refuse("gtin", "catalog.gtin.check")
		case twice:
			c.refuse("gtin", "intake.gtin.twice", "line", first)
		default:
			c.gtins[gtin] = c.line.number
		}
		out.gtin = gtin
	}
}

func (c *cell) origin(out *row) {
	if name := c.words("province", 100, true); name != "" {
		p, err := c.province(name)
		if err != nil {
			c.pass("province", err)
		}
		out.province = p
	}
	kind, ok := producerKinds[strings.ToLower(c.text("producer_type"))]
	if !ok {
		c.refuse("producer_type", "intake.producer.kind")
	}
	out.kind = kind
	if out.sourceURL = c.words("source_url", 1000, false); out.sourceURL != "" {
		u, err := url.Parse(out.sourceURL)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			c.refuse("source_url", "intake.url.malformed")
		}
	}
}
