package geo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Level says what kind of unit a [Match] is.
type Level int

// In the order in which equally good matches are shown.
const (
	LevelProvince Level = iota
	LevelFormerProvince
	LevelCommune
	LevelFormerDistrict
)

// Closeness says how well a name fits what was asked; lower is better.
type Closeness int

const (
	Exact    Closeness = iota // with its diacritics, in either spelling
	Folded                    // without diacritics
	Renamed                   // the name fits, the kind of unit written before it does not
	Prefix                    // the name begins so
	Inside                    // a later word of the name begins so
	Mistyped                  // one or two letters off
)

// Match is a unit that was found and what it is now.
type Match struct {
	Level     Level
	Closeness Closeness
	Code      string // of the unit itself; a former unit's code means nothing today
	Name      string
	Kind      string
	// Province is the unit of today: itself, the one it lies in, or the one it went to.
	Province Province
	// Was is the former province of a former district.
	Was string
}

// Former says that the unit no longer exists under this name.
func (m Match) Former() bool { return m.Level == LevelFormerProvince || m.Level == LevelFormerDistrict }

// Title is the name with its kind: "Xã Cầu Kè", "Tỉnh Trà Vinh (cũ)".
func (m Match) Title(l i18n.Locale) string {
	switch m.Level {
	case LevelProvince:
		return m.Province.Title(l)
	case LevelCommune:
		return Commune{Name: m.Name, Kind: m.Kind}.Title(l)
	}
	key := "geo.title.former_province"
	switch {
	case m.Level == LevelFormerProvince && m.Kind == "thành phố":
		key = "geo.title.former_city"
	case m.Level == LevelFormerProvince:
	case m.Kind == "quận":
		key = "geo.title.former_urban_district"
	case m.Kind == "huyện":
		key = "geo.title.former_district"
	case m.Kind == "thị xã":
		key = "geo.title.former_town"
	default:
		key = "geo.title.former_district_city"
	}
	return i18n.T(l, key, map[string]any{"name": m.Name})
}

// Now is a sentence for former units, "Tỉnh Trà Vinh (cũ) nay thuộc tỉnh Vĩnh Long.", and empty for those of today.
func (m Match) Now(l i18n.Locale) string {
	if !m.Former() {
		return ""
	}
	return i18n.T(l, "geo.former.now", map[string]any{"former": m.Title(l), "now": lowerFirst(m.Province.Title(l), l)})
}

// lowerFirst puts a title into a sentence: Vietnamese writes the kind of unit small there, English keeps names as they are.
func lowerFirst(s string, l i18n.Locale) string {
	if l != i18n.VI {
		return s
	}
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToLower(s[:n]) + s[n:]
}

// Find returns up to limit units whose name fits q, the best first. It understands "cau ke", "Cầu Kè, Trà Vinh",
// "huyện Cầu Kè tỉnh Trà Vinh": a province after the name narrows the search to its present area.
func (s *Service) Find(ctx context.Context, q string, limit int) ([]Match, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return nil, err
	}
	return g.find(q, limit), nil
}

// Resolve returns the one unit that text names, for texts that are a name and not the beginning of one; slips are not
// guessed at. It returns a NotFound error when no name or more than one place of the best kind fits.
func (s *Service) Resolve(ctx context.Context, text string) (Match, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return Match{}, err
	}
	found := g.find(text, 2)
	if len(found) == 0 || found[0].Closeness > Renamed {
		return Match{}, apperr.New(apperr.NotFound, "geo.place.unknown", "name", text)
	}
	if len(found) == 2 && found[0].Closeness == found[1].Closeness && found[0].Level == found[1].Level {
		return Match{}, apperr.New(apperr.NotFound, "geo.place.ambiguous", "name", text)
	}
	return found[0], nil
}

// MatchProvince returns the province of today that an imported name means: a present or former name, in any spelling,
// with or without its kind, English, or one of the usual short forms. It returns an error for the field "province" otherwise.
func (s *Service) MatchProvince(ctx context.Context, name string) (Province, error) {
	g, err := s.gazetteer(ctx)
	if err != nil {
		return Province{}, err
	}
	if p, ok := g.matchProvince(folded(name)); ok {
		return p, nil
	}
	return Province{}, apperr.Field("province", "geo.province.no_match", "name", name)
}

// gazetteer is the data in memory, ready to be asked. It never changes once made.
type gazetteer struct {
	provinces []Province           // in alphabetical order
	communes  map[string][]Commune // by province code, in alphabetical order
	province  map[string]Province  // by code and by slug
	commune   map[string]Commune   // by code
	byName    map[string]Province  // by folded name, present before former
	units     []unit               // everything that can be found
}

// unit is one thing that can be found, with its names made ready for comparing.
type unit struct {
	match   Match
	spelled []string // names with diacritics
	full    string   // folded, with its kind before it
	names   []string // folded names, the main one first
}

func newUnit(m Match, otherNames ...string) unit {
	u := unit{match: m, full: folded(m.Kind + " " + m.Name)}
	for _, name := range append([]string{m.Name}, otherNames...) {
		if name == "" {
			continue
		}
		u.spelled = append(u.spelled, spelled(name), spelled(m.Kind+" "+name))
		if key := folded(name); !slices.Contains(u.names, key) {
			u.names = append(u.names, key)
		}
	}
	return u
}

func newGazetteer(set dataset) *gazetteer {
	g := &gazetteer{
		provinces: slices.Clone(set.provinces),
		communes:  make(map[string][]Commune),
		province:  make(map[string]Province),
		commune:   make(map[string]Commune, len(set.communes)),
		byName:    make(map[string]Province),
	}
	slices.SortFunc(g.provinces, func(a, b Province) int { return i18n.Compare(a.Name, b.Name) })
	for _, p := range g.provinces {
		g.province[p.Code], g.province[p.Slug] = p, p
		g.called(p, p.Name, p.NameEN)
	}
	aliases := make(map[string][]string) // other names of provinces that kept their name
	formerName := make(map[string]string)
	for _, f := range set.formerProvinces {
		p := g.province[f.ProvinceCode]
		formerName[f.Code] = f.Name
		g.called(p, append([]string{f.Name}, f.Aliases...)...)
		if f.Name == p.Name { // known under the same name today: not a former unit for anyone who asks
			aliases[p.Code] = f.Aliases
			continue
		}
		g.units = append(g.units, newUnit(Match{Level: LevelFormerProvince, Code: f.Code, Name: f.Name, Kind: f.Kind, Province: p}, f.Aliases...))
	}
	for _, p := range g.provinces {
		g.units = append(g.units, newUnit(Match{Level: LevelProvince, Code: p.Code, Name: p.Name, Kind: p.Kind, Province: p},
			append([]string{p.NameEN}, aliases[p.Code]...)...))
	}
	for _, c := range set.communes {
		g.commune[c.Code] = c
		g.communes[c.ProvinceCode] = append(g.communes[c.ProvinceCode], c)
		g.units = append(g.units, newUnit(Match{Level: LevelCommune, Code: c.Code, Name: c.Name, Kind: c.Kind,
			Province: g.province[c.ProvinceCode]}, c.NameAlt))
	}
	for _, d := range set.formerDistricts {
		g.units = append(g.units, newUnit(Match{Level: LevelFormerDistrict, Code: d.Code, Name: d.Name, Kind: d.Kind,
			Province: g.province[d.ProvinceCode], Was: formerName[d.FormerProvinceCode]}))
	}
	for _, list := range g.communes {
		slices.SortFunc(list, func(a, b Commune) int { return i18n.Compare(a.Name, b.Name) })
	}
	// Sorted once here, so that a stable sort by closeness and level is all that a search has to do.
	slices.SortStableFunc(g.units, func(a, b unit) int {
		return cmp.Or(i18n.Compare(a.match.Name, b.match.Name), i18n.Compare(a.match.Province.Name, b.match.Province.Name))
	})
	return g
}

// called enters names of a province; the first unit to take a name keeps it.
func (g *gazetteer) called(p Province, names ...string) {
	for _, name := range names {
		if _, taken := g.byName[folded(name)]; !taken {
			g.byName[folded(name)] = p
		}
	}
}

func (g *gazetteer) matchProvince(key string) (Province, bool) {
	if p, ok := g.byName[key]; ok {
		return p, true
	}
	long := expand(key)
	kind, name, ok := strings.Cut(long, " ")
	if kind == "thanh" {
		name, ok = strings.CutPrefix(long, "thanh pho ")
	} else {
		ok = ok && kind == "tinh"
	}
	if !ok {
		// English puts the kind behind the name.
		name = strings.TrimSuffix(strings.TrimSuffix(key, " province"), " city")
	}
	p, ok := g.byName[name]
	return p, ok
}

// query is what was asked, made ready for comparing.
type query struct {
	spelled, key, long, bare string
	province                 string // code; only units of this province count
}

func ask(text, province string) query {
	key := folded(text)
	long := expand(key)
	return query{spelled: spelled(text), key: key, long: long, bare: bare(long), province: province}
}

// maxAsked bounds the work for hostile input; the longest address line is well below.
const maxAsked = 200

func (g *gazetteer) find(text string, limit int) []Match {
	if limit <= 0 {
		return nil
	}
	if r := []rune(text); len(r) > maxAsked {
		text = string(r[:maxAsked])
	}
	if folded(text) == "" {
		return nil
	}
	parts := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' || r == '\n' })
	if found := g.search(ask(text, ""), limit); len(parts) < 2 && len(found) > 0 && found[0].Closeness <= Inside {
		return found
	}
	if name, province, ok := g.split(text, parts); ok {
		for _, name := range name {
			if found := g.search(ask(name, province.Code), limit); len(found) > 0 {
				return found
			}
		}
	}
	return g.search(ask(text, ""), limit)
}

// split takes the province off the end of an address: behind a comma, or the last words of a text without one.
func (g *gazetteer) split(text string, parts []string) (names []string, p Province, ok bool) {
	if len(parts) > 1 {
		for i := len(parts) - 1; i > 0; i-- { // what follows the province ("Việt Nam") is passed over
			if p, ok := g.matchProvince(folded(parts[i])); ok {
				return parts[:i], p, true
			}
		}
		return nil, Province{}, false
	}
	all := strings.Fields(text)
	for i := 1; i < len(all); i++ { // the longest province name first
		if p, ok := g.matchProvince(folded(strings.Join(all[i:], " "))); ok {
			return []string{strings.Join(all[:i], " ")}, p, true
		}
	}
	return nil, Province{}, false
}

func (g *gazetteer) search(q query, limit int) []Match {
	var found []Match
	for i := range g.units {
		u := &g.units[i]
		if q.province != "" && u.match.Province.Code != q.province {
			continue
		}
		if c, ok := u.fits(q); ok {
			m := u.match
			m.Closeness = c
			found = append(found, m)
		}
	}
	if len(found) == 0 {
		found = g.guess(q)
	}
	slices.SortStableFunc(found, func(a, b Match) int {
		return cmp.Or(cmp.Compare(a.Closeness, b.Closeness), cmp.Compare(a.Level, b.Level))
	})
	return found[:min(limit, len(found))]
}

func (u *unit) fits(q query) (Closeness, bool) {
	if slices.Contains(u.spelled, q.spelled) {
		return Exact, true
	}
	if u.full == q.long || slices.Contains(u.names, q.key) {
		return Folded, true
	}
	if q.bare != q.long && slices.Contains(u.names, q.bare) {
		return Renamed, true
	}
	if len(q.key) < 2 { // one letter begins hundreds of names
		return 0, false
	}
	if strings.HasPrefix(u.names[0], q.key) || strings.HasPrefix(u.full, q.long) && q.bare != q.long {
		return Prefix, true
	}
	if strings.Contains(u.names[0], " "+q.key) {
		return Inside, true
	}
	return 0, false
}

// guess looks for slips of the keyboard: one letter in a short name, two in a longer one.
func (g *gazetteer) guess(q query) []Match {
	limit := 1
	switch {
	case len(q.bare) < 4:
		return nil
	case len(q.bare) > 7:
		limit = 2
	}
	var found []Match
	for i := range g.units {
		u := &g.units[i]
		if q.province != "" && u.match.Province.Code != q.province {
			continue
		}
		if slips(q.bare, u.names[0], limit) <= limit {
			m := u.match
			m.Closeness = Mistyped
			found = append(found, m)
		}
	}
	return found
}
