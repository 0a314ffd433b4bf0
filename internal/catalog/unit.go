package catalog

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/money"
)

// Units of net content in the database.
const (
	Gram       = "g"
	Millilitre = "ml"
	Piece      = "piece"
)

// Net is the net content of a variant in thousandths of Unit, so that 1,8 kg and 0,5 ml stay exact.
type Net struct {
	Milli int64
	Unit  string // g, ml or piece
}

// IsZero reports whether the net content is not known.
func (n Net) IsZero() bool { return n.Milli == 0 }

// Text writes the net content on a label: "500 g", "1,8 kg", "420 ml", "10 chiếc".
func (n Net) Text(l i18n.Locale) string {
	milli, unit := n.Milli, n.Unit
	switch {
	case n.IsZero():
		return ""
	case unit == Gram && milli >= 1_000_000:
		milli, unit = milli/1000, "kg"
	case unit == Millilitre && milli >= 1_000_000:
		milli, unit = milli/1000, "l"
	case unit == Piece:
		return i18n.T(l, "catalog.net.pieces", map[string]any{"n": decimal(milli, l)})
	}
	return decimal(milli, l) + " " + unit
}

func decimal(milli int64, l i18n.Locale) string {
	s := strconv.FormatInt(milli/1000, 10)
	if rest := milli % 1000; rest > 0 {
		sign := ","
		if l == i18n.EN {
			sign = "."
		}
		s += sign + strings.TrimRight(strconv.FormatInt(1000+rest, 10)[1:], "0")
	}
	return s
}

// Unit is what "chai 500 ml", "lốc 6 hũ 70 ml" or "chục 10 chiếc" say.
type Unit struct {
	VI  string // as written, in NFC
	EN  string
	Net Net // zero where the text gives none

	countVI, countEN string // "20 túi", "20 bags" where pieces have a name of their own
}

// NetText is the net content as a label gives it; empty where the unit gives none.
func (u Unit) NetText(l i18n.Locale) string {
	switch {
	case u.Net.Unit != Piece || u.countVI == "":
		return u.Net.Text(l)
	case l == i18n.EN:
		return u.countEN
	}
	return u.countVI
}

const number = `([0-9]+(?:[.,][0-9]+)?)`

var (
	multiPack = regexp.MustCompile(`^(.+?) ` + number + ` (\D+?) ` + number + ` ?(g|gr|kg|ml|l|lít)$`)
	measured  = regexp.MustCompile(`^(.+?) ` + number + ` ?(g|gr|kg|ml|l|lít)$`)
	sized     = regexp.MustCompile(`^(.+?) ` + number + ` ?[x×] ?` + number + ` ?(cm|m|mm)$`)
	counted   = regexp.MustCompile(`^(.+?) ([0-9]+) (\D+)$`)
)

// packs are the words for what is sold, in English alone and after a measure.
var packs = map[string][2]string{
	"bao": {"bag", "bag"}, "bánh": {"cake", "cake"}, "bình": {"flask", "flask"}, "bình sứ": {"porcelain flask", "porcelain flask"},
	"bó": {"bundle", "bundle"}, "bộ": {"set", "set"}, "bộ ấm chén": {"tea set", "tea set"}, "bức": {"picture", "picture"},
	"cái": {"piece", "piece"}, "cây": {"plant", "roll"}, "chai": {"bottle", "bottle"}, "chậu": {"potted plant", "pot"},
	"chiếc": {"piece", "piece"}, "chục": {"set of ten", "set of ten"}, "con": {"piece", "piece"}, "đôi": {"pair", "pair"},
	"gói": {"pack", "pack"}, "hộp": {"box", "box"}, "hũ": {"jar", "jar"}, "khăn": {"cloth", "cloth"}, "khăn bàn": {"tablecloth", "tablecloth"},
	"khay": {"tray", "tray"}, "lọ": {"jar", "jar"}, "lốc": {"multipack", "multipack"}, "lon": {"can", "can"}, "nải": {"hand", "hand"},
	"niêu": {"clay pot", "clay pot"}, "phần": {"portion", "portion"}, "quả": {"fruit", "fruit"}, "tấm": {"panel", "panel"},
	"thùng": {"case", "case"}, "trái": {"fruit", "fruit"}, "túi": {"bag", "bag"}, "tuýp": {"tube", "tube"}, "vé": {"ticket", "ticket"},
	"vỉ": {"tray", "tray"},
}

// things are the words for what lies inside a pack, for one and for several.
var things = map[string][2]string{
	"bánh": {"cake", "cakes"}, "cái": {"piece", "pieces"}, "chai": {"bottle", "bottles"}, "chiếc": {"piece", "pieces"},
	"con": {"piece", "pieces"}, "gói": {"sachet", "sachets"}, "hũ": {"jar", "jars"}, "khách": {"guest", "guests"}, "lọ": {"jar", "jars"},
	"lon": {"can", "cans"}, "miếng": {"piece", "pieces"}, "món": {"piece", "pieces"}, "nụ": {"bud", "buds"}, "ống": {"vial", "vials"},
	"que": {"stick", "sticks"}, "quả": {"piece", "pieces"}, "túi": {"bag", "bags"}, "viên": {"tablet", "tablets"}, "vị": {"flavour", "flavours"},
}

// uncounted are things whose number is no net content: a ticket for one guest, a box of three flavours.
var uncounted = map[string]bool{"khách": true, "vị": true}

// single are the words that by themselves mean one piece.
var single = map[string]int64{"bức": 1, "cái": 1, "cây": 1, "chậu": 1, "chiếc": 1, "chục": 10, "đôi": 2, "khăn": 1, "khăn bàn": 1, "tấm": 1}

// ParseUnit reads a unit as sellers write it. What it does not understand keeps its Vietnamese words in English too and
// has no net content.
func ParseUnit(text string) Unit {
	vi := strings.Join(strings.Fields(norm.NFC.String(text)), " ")
	u := Unit{VI: vi, EN: vi}
	s := strings.ToLower(vi)
	if m := multiPack.FindStringSubmatch(s); m != nil {
		u.Net = measure(thousandths(m[4])*thousandths(m[2])/1000, m[5])
		if pack, ok := packs[m[1]]; ok && things[m[3]] != [2]string{} {
			u.EN = pack[0] + " of " + m[2] + " " + things[m[3]][1] + ", " + english(m[4], m[5]) + " each"
		}
		return u
	}
	if m := measured.FindStringSubmatch(s); m != nil {
		u.Net = measure(thousandths(m[2]), m[3])
		if pack, ok := packs[m[1]]; ok {
			u.EN = english(m[2], m[3]) + " " + pack[1]
		}
		return u
	}
	if m := sized.FindStringSubmatch(s); m != nil {
		u.Net = Net{single[m[1]] * 1000, Piece}
		if pack, ok := packs[m[1]]; ok {
			u.EN = pack[0] + ", " + point(m[2]) + " × " + point(m[3]) + " " + m[4]
		}
		return u.tidy()
	}
	if m := counted.FindStringSubmatch(s); m != nil {
		n, err := strconv.ParseInt(m[2], 10, 32)
		if err == nil && !uncounted[m[3]] {
			u.Net = Net{n * 1000, Piece}
			if name, ok := things[m[3]]; ok {
				u.countVI, u.countEN = m[2]+" "+m[3], m[2]+" "+plural(m[2], name)
			}
		}
		u.EN = countedEnglish(vi, m[1], m[2], m[3])
		return u.tidy()
	}
	if pack, ok := packs[s]; ok {
		u.EN = pack[0]
	}
	u.Net = Net{single[s] * 1000, Piece}
	return u.tidy()
}

func (u Unit) tidy() Unit {
	if u.Net.Milli == 0 {
		u.Net = Net{}
	}
	return u
}

func countedEnglish(vi, pack, n, thing string) string {
	names, ok := things[thing]
	if !ok {
		return vi
	}
	name := plural(n, names)
	switch {
	case pack == "chục":
		return n + " " + name
	case pack == "vé":
		return "ticket for " + n + " " + name
	}
	if p, ok := packs[pack]; ok {
		return p[0] + " of " + n + " " + name
	}
	return vi
}

func plural(n string, names [2]string) string {
	if n == "1" {
		return names[0]
	}
	return names[1]
}

// thousandths reads "1,8" as 1800; the pattern has let only digits and one separator through.
func thousandths(s string) int64 {
	whole, rest, _ := strings.Cut(strings.ReplaceAll(s, ",", "."), ".")
	n, err := strconv.ParseInt(whole+(rest + "000")[:3], 10, 64)
	if err != nil || n > 1_000_000_000_000 {
		return 0
	}
	return n
}

func measure(milli int64, unit string) Net {
	switch unit {
	case "kg":
		return Net{milli * 1000, Gram}
	case "l", "lít":
		return Net{milli * 1000, Millilitre}
	case "ml":
		return Net{milli, Millilitre}
	}
	return Net{milli, Gram}
}

func english(n, unit string) string {
	switch unit {
	case "gr":
		unit = "g"
	case "l", "lít":
		unit = "litre"
	}
	return point(n) + " " + unit
}

func point(n string) string { return strings.ReplaceAll(n, ",", ".") }

// UnitPrice is the price of a common measure, so that packs of different size can be compared.
type UnitPrice struct {
	Price money.VND
	Per   string // "100g", "kg", "100ml", "l" or "piece"; the text is catalog.per.PER
}

// Text writes it for people: "19.000 ₫/100 g".
func (u UnitPrice) Text(l i18n.Locale) string {
	return i18n.T(l, "catalog.per."+u.Per, map[string]any{"price": u.Price})
}

// PerUnit is the price per kilogram or litre for packs of at least one, else per 100 g or 100 ml, and per piece for packs
// of several. It reports false where that says no more than the price itself.
func PerUnit(price money.VND, n Net) (UnitPrice, bool) {
	const whole = 1_000_000 // milli of a kilogram or litre
	switch {
	case n.Milli <= 0:
		return UnitPrice{}, false
	case n.Unit == Gram && n.Milli > whole:
		return UnitPrice{price.Portion(whole, n.Milli), "kg"}, true
	case n.Unit == Millilitre && n.Milli > whole:
		return UnitPrice{price.Portion(whole, n.Milli), "l"}, true
	case n.Unit == Gram && n.Milli != whole && n.Milli != whole/10:
		return UnitPrice{price.Portion(whole/10, n.Milli), "100g"}, true
	case n.Unit == Millilitre && n.Milli != whole && n.Milli != whole/10:
		return UnitPrice{price.Portion(whole/10, n.Milli), "100ml"}, true
	case n.Unit == Piece && n.Milli > 1000:
		return UnitPrice{price.Portion(1000, n.Milli), "piece"}, true
	}
	return UnitPrice{}, false
}
