package shop

import (
	"fmt"
	"regexp"
	"strings"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/storefront"
	"choocop.vn/ocop/internal/web/kit"
)

// Link is a text that leads somewhere; N is a count beside it.
type Link struct {
	Text, URL, N string
	Current      bool
}

// Fact is a row of a table of facts.
type Fact struct{ Name, Value, URL, Sub string }

// Badge is the official badge: State "valid" or "expired"; with any other nothing is drawn.
type Badge struct{ State, Text string }

// Source is one better format of a picture.
type Source struct{ Type, Srcset string }

// Sources are the better formats, the best first, and the plain one. As many as there are formats, so that cards can be
// compared.
type Sources [3]Source

func (s *Sources) add(kind, srcset string) {
	for i := range s {
		if s[i].Type == "" {
			s[i] = Source{kind, srcset}
			return
		}
	}
}

// Picture is ready for the "picture" partial.
type Picture struct {
	Sources       Sources
	Src, Alt      string
	Sizes         string
	Width, Height int
	Lazy          bool
}

// Ware is a card of a list.
type Ware struct {
	URL, Name, Maker, Province string
	Price, Unit, State         string
	Badge                      Badge
	Picture                    Picture
}

// Crumbs is the way to a page.
type Crumbs struct {
	Label string
	Items []Link
}

// Point is a sales point in a list.
type Point struct{ URL, Name, Kind, Place, Today string }

const (
	cardSizes = "(min-width: 60rem) 17rem, 46vw"
	fullSizes = "(min-width: 60rem) 35rem, 100vw"
	lineSizes = "4.5rem"
	tileSizes = "5.2rem"
)

func picture(p *kit.Page, in storefront.Picture, sizes string, lazy bool) Picture {
	if in.ID == 0 {
		return Picture{Src: p.Asset("img/basket.svg"), Sizes: sizes, Width: 320, Height: 250, Lazy: lazy}
	}
	out := Picture{Src: in.Src, Alt: p.Pick(in.AltVI, in.AltEN), Sizes: sizes, Width: in.Width, Height: in.Height, Lazy: lazy}
	for _, src := range in.Sources {
		out.Sources.add(src.Type, src.SrcSet)
	}
	out.Sources.add("image/jpeg", in.SrcSet)
	return out
}

// pictureURL is the address of a picture for places that take one file.
func pictureURL(p *kit.Page, in storefront.Picture) string {
	path := in.URL(960)
	if path == "" {
		return ""
	}
	return p.Site.BaseURL + path
}

func badge(p *kit.Page, state string, stars int) Badge {
	switch state {
	case storefront.StarsValid:
		return Badge{state, p.T("badge.stars", "n", stars)}
	case storefront.StarsExpired:
		return Badge{state, p.T("badge.expired")}
	}
	return Badge{}
}

func wares(p *kit.Page, cards []storefront.Card, lazyFrom int) []Ware {
	out := make([]Ware, len(cards))
	for i, c := range cards {
		out[i] = ware(p, c, i >= lazyFrom)
	}
	return out
}

func ware(p *kit.Page, c storefront.Card, lazy bool) Ware {
	w := Ware{
		URL: p.URL("/san-pham/" + c.Slug), Name: p.Pick(c.NameVI, c.NameEN),
		Maker: maker(p, c.ProducerName, c.ProducerKnown), Province: p.Pick(c.ProvinceName, c.ProvinceEN),
		Price: c.Price.String(), Unit: p.T("price.per", "unit", unbroken(p.Pick(c.UnitVI, c.UnitEN))),
		Badge: badge(p, c.StarState, c.Stars), Picture: picture(p, c.Picture, cardSizes, lazy),
	}
	// The name beside says what it is; a card's picture adds nothing for a screen reader.
	w.Picture.Alt = ""
	if c.PriceMax > c.Price {
		w.Price = p.T("price.from", "price", c.Price.String())
	}
	switch {
	case c.ContactOnly:
		w.State = p.T("stock.service")
	case !c.InStock:
		w.State = p.T("stock.out")
	case c.StarState == storefront.StarsNone:
		w.State = p.T("badge.none_short")
	}
	return w
}

var amount = regexp.MustCompile(`(\d) (\pL)`)

// unbroken keeps a number and its unit on one line: "5 kg".
func unbroken(s string) string { return amount.ReplaceAllString(s, "$1\u00a0$2") }

func maker(p *kit.Page, name string, known bool) string {
	if !known {
		return p.T("maker.unknown")
	}
	return name
}

func crumbs(p *kit.Page, steps []storefront.Crumb) Crumbs {
	out := Crumbs{Label: p.T("site.path")}
	for i, s := range steps {
		l := Link{Text: p.Pick(s.TextVI, s.TextEN)}
		if i < len(steps)-1 {
			l.URL = p.URL(s.Path)
		}
		out.Items = append(out.Items, l)
	}
	return out
}

func provinceName(p *kit.Page, g geo.Province) string { return p.Pick(g.Name, g.NameEN) }

func count(p *kit.Page, n int) string { return i18n.FormatInt(p.Locale, int64(n)) }

func day(p *kit.Page, d clock.Date) string { return i18n.FormatDay(p.Locale, d) }

func points(p *kit.Page, in []storefront.Showroom) []Point {
	out := make([]Point, len(in))
	for i, s := range in {
		out[i] = Point{
			URL: p.URL("/diem-ban/" + s.Slug), Name: p.Pick(s.NameVI, s.NameEN), Kind: p.T(s.Kind.Key()),
			Place: place(p, s), Today: p.T("showroom.closed_today"),
		}
		if s.OpenToday.From != "" {
			out[i].Today = p.T("showroom.today", "from", s.OpenToday.From, "to", s.OpenToday.To)
		}
	}
	return out
}

func place(p *kit.Page, s storefront.Showroom) string {
	return strings.Join([]string{s.Street, s.Commune.Title(p.Locale), p.Pick(s.ProvinceName, s.ProvinceNameEN)}, ", ")
}

// decision is a certificate's paper in words: number, day or year, issuer.
func decision(p *kit.Page, r storefront.Record) string {
	var parts []string
	if r.DecisionNo != "" {
		parts = append(parts, p.T("proof.decision_no", "no", r.DecisionNo))
	}
	switch {
	case r.YearOnly:
		parts = append(parts, p.T("proof.year_only", "year", fmt.Sprint(r.DecidedYear)))
	case r.DecidedOn != nil:
		parts = append(parts, p.T("proof.on_day", "day", day(p, *r.DecidedOn)))
	}
	if r.Issuer != "" {
		parts = append(parts, r.Issuer)
	} else {
		parts = append(parts, p.T("proof.level."+r.Level))
	}
	return strings.Join(parts, ", ")
}

func recordBadge(p *kit.Page, r storefront.Record) Badge {
	switch r.State {
	case storefront.ProofValid:
		return badge(p, storefront.StarsValid, r.Stars)
	case storefront.ProofRevoked:
		return Badge{storefront.StarsExpired, p.T("badge.revoked")}
	case storefront.ProofFuture:
		return Badge{storefront.StarsExpired, p.T("badge.future")}
	}
	return Badge{storefront.StarsExpired, p.T("badge.expired")}
}

// Past is an earlier certificate in one line.
type Past struct {
	Badge Badge
	Text  string
}

func history(p *kit.Page, records []storefront.Record) []Past {
	var out []Past
	for _, r := range records {
		out = append(out, Past{recordBadge(p, r), p.T("proof.past", "n", r.Stars, "decision", decision(p, r), "day", day(p, r.ValidTo))})
	}
	return out
}

// unitPrice is the price per kilogram or litre where the net content is known.
func unitPrice(p *kit.Page, s storefront.Sale) string {
	if s.NetAmount <= 0 || s.NetUnit == "piece" || s.NetUnit == "" {
		return ""
	}
	per := s.Price.Portion(1_000_000, int64(s.NetAmount*1000))
	if s.NetUnit == "ml" {
		return p.T("price.per_litre", "price", per.String())
	}
	return p.T("price.per_kg", "price", per.String())
}
