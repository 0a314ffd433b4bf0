// Package demo holds what the demonstration market is made of.
package demo

import (
	"cmp"
	"embed"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Sets is how many product sets the programme's classification has; each has its own drawing.
const Sets = 26

// Variants is how many distinct drawings one product set has. It is bounded so that the many
// products of a set share pictures and a seed derives each of them once.
const Variants = 12

//go:embed art/*.svg
var artFiles embed.FS

// Drawing is the illustration of a product of the given set (1 to Sets), as plain SVG that needs
// neither style sheet nor script. Pass the product's Vietnamese name: where a set has several
// drawings, eggs beside fish, the one whose words stand in the name is taken. The same name always
// gives the same drawing. It panics on a set that does not exist: the sets are fixed and the caller
// is a seed.
func Drawing(setNo int, name string) []byte {
	h := fnv.New32a()
	h.Write([]byte(name))
	variant := int(h.Sum32() % Variants)
	sheets := sheetsOf(setNo)
	for _, s := range sheets[1:] {
		if s.suits(name) {
			return s.draw(setNo, variant)
		}
	}
	return sheets[0].draw(setNo, variant)
}

// DrawingVariant is one given drawing of a set, variant counting from 0 to Variants-1 through the
// set's general drawing. Variant 0 is that drawing as its file shows it.
func DrawingVariant(setNo, variant int) []byte {
	if variant < 0 || variant >= Variants {
		panic(fmt.Sprintf("demo: no drawing %d of set %d", variant, setNo))
	}
	return sheetsOf(setNo)[0].draw(setNo, variant)
}

// sheetsOf lists the drawings of a set, the general one first.
func sheetsOf(setNo int) []*sheet {
	sheets := loadSheets()[setNo]
	if len(sheets) == 0 {
		panic(fmt.Sprintf("demo: no drawing of set %d", setNo))
	}
	return sheets
}

// suits says whether one of the sheet's words stands whole in the name, however its marks are encoded
// and whatever the letters' case.
func (s *sheet) suits(name string) bool {
	padded := " " + composed(name) + " "
	return slices.ContainsFunc(s.words, func(w string) bool { return strings.Contains(padded, " "+w+" ") })
}

// composed keeps the marks, for bò is beef and bơ is butter, and makes all that is no letter a space.
func composed(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(norm.NFC.String(s)), func(r rune) bool {
		return !unicode.IsLetter(r)
	}), " ")
}

// sheet is one file of art/: a ground, an object standing on it, and the colour pairs in which
// the goods occur in nature or in the shops.
type sheet struct {
	title          string
	words          []string // of product names this sheet is meant for; none for the general one
	scene          bool     // ground and object belong together, or reach the edges, and stay as drawn
	palettes       [][2]string
	ground, object node
}

// node is one SVG element.
type node struct {
	name  string
	attrs []xml.Attr
	kids  []node
	text  string
}

func (n node) attr(name string) string {
	for _, a := range n.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// ground is a tint of the page and of the blob upon it; {} leaves the file's own.
type ground struct{ page, blob string }

var grounds = []ground{
	{},
	{"#e9dfca", "#dccdaa"}, {"#dfe6d5", "#c8d5b8"}, {"#e8dcd2", "#d8c6b7"}, {"#dfe5de", "#c8d4cd"},
	{"#ebe3c8", "#ddd0a6"}, {"#e4dfe0", "#d2c9cb"},
}

var loadSheets = sync.OnceValue(func() map[int][]*sheet {
	names, err := fs.Glob(artFiles, "art/*.svg")
	if err != nil {
		panic(err)
	}
	sort.Strings(names)
	sheets := map[int][]*sheet{}
	for _, name := range names {
		no, err := strconv.Atoi(path.Base(name)[4:6])
		if err != nil {
			panic(fmt.Sprintf("demo: %s does not name its set", name))
		}
		s, err := readSheet(name)
		if err != nil {
			panic(fmt.Sprintf("demo: %s: %v", name, err))
		}
		if len(s.words) == 0 {
			sheets[no] = append([]*sheet{s}, sheets[no]...)
		} else {
			sheets[no] = append(sheets[no], s)
		}
	}
	return sheets
})

func readSheet(name string) (*sheet, error) {
	f, err := artFiles.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	root, err := readNode(xml.NewDecoder(f))
	if err != nil {
		return nil, err
	}
	s := &sheet{}
	if words := root.attr("data-words"); words != "" {
		s.words = strings.Split(words, ",")
	}
	for _, pair := range strings.Fields(root.attr("data-palettes")) {
		a, b, _ := strings.Cut(pair, "/")
		s.palettes = append(s.palettes, [2]string{a, b})
	}
	paths := map[string]string{}
	root.collect(paths)
	for _, k := range root.kids {
		switch {
		case k.name == "title":
			s.title = k.text
		case k.attr("id") == "ground":
			s.ground, s.scene = k, k.attr("class") == "scene"
		case k.attr("id") == "object":
			s.object = k.resolve(paths)
		}
	}
	if len(s.palettes) == 0 || len(s.ground.kids) != 3 || len(s.object.kids) == 0 {
		return nil, errors.New("palettes, ground (page, blob, dots) or object missing")
	}
	return s, nil
}

// readNode reads one element with everything inside it.
func readNode(d *xml.Decoder) (node, error) {
	var stack []node
	for {
		t, err := d.Token()
		if err == io.EOF {
			return node{}, io.ErrUnexpectedEOF
		}
		if err != nil {
			return node{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			stack = append(stack, node{name: t.Name.Local, attrs: t.Copy().Attr})
		case xml.CharData:
			if n := len(stack); n > 0 {
				stack[n-1].text += strings.TrimSpace(string(t))
			}
		case xml.EndElement:
			n := len(stack) - 1
			if n == 0 {
				return stack[0], nil
			}
			stack[n-1].kids = append(stack[n-1].kids, stack[n])
			stack = stack[:n]
		}
	}
}

func (n node) collect(paths map[string]string) {
	if id, d := n.attr("id"), n.attr("d"); id != "" && d != "" {
		paths[id] = d
	}
	for _, k := range n.kids {
		k.collect(paths)
	}
}

// resolve puts the path itself in place of each <use>, which rasterisers understand poorly.
func (n node) resolve(paths map[string]string) node {
	out := node{name: n.name}
	if n.name == "use" {
		out.name = "path"
		out.attrs = append(out.attrs, attr("d", paths[strings.TrimPrefix(n.attr("href"), "#")]))
	}
	for _, a := range n.attrs {
		if a.Name.Local != "id" && a.Name.Local != "href" {
			out.attrs = append(out.attrs, a)
		}
	}
	for _, k := range n.kids {
		out.kids = append(out.kids, k.resolve(paths))
	}
	return out
}

func attr(name, value string) xml.Attr { return xml.Attr{Name: xml.Name{Local: name}, Value: value} }

// draw puts the sheet together in the colours and the arrangement of the variant.
func (s *sheet) draw(setNo, variant int) []byte {
	r := rand.New(rand.NewPCG(uint64(setNo), uint64(variant)))
	pair := s.palettes[variant%len(s.palettes)]
	g := grounds[(variant+variant/len(grounds)*3)%len(grounds)]
	c := colours{"a": pair[0], "b": pair[1], "bg": g.page, "s": g.blob}
	// Neighbours look opposite ways, and so does one palette when its turn comes again.
	mirrored := (variant+variant/len(s.palettes))%2 == 1

	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400" fill="none" stroke-width="5.5" stroke-linecap="round" stroke-linejoin="round"><title>`)
	xml.EscapeText(&b, []byte(s.title))
	b.WriteString(`</title>`)
	p := pen{out: &b, colours: c, mirrored: mirrored}
	if s.scene {
		p.open(mirror(mirrored))
	}
	back := s.ground
	if variant > 0 {
		back = s.newGround(r)
	}
	for _, k := range back.kids {
		p.write(k)
	}
	if !s.scene {
		p.open(mirror(mirrored) + stance(r, variant))
	}
	for _, k := range s.object.kids {
		p.write(k)
	}
	b.WriteString(`</g></svg>`)
	return []byte(b.String())
}

// mirror keeps the picture within its square.
func mirror(on bool) string {
	if on {
		return "translate(400 0) scale(-1 1) "
	}
	return ""
}

// stance leans and sizes the object a little about its foot, as no two hands set down a jar alike.
func stance(r *rand.Rand, variant int) string {
	if variant == 0 {
		return ""
	}
	turn, size := (r.Float64()-.5)*4, .92+r.Float64()*.08
	return fmt.Sprintf("translate(200 340) rotate(%.2f) scale(%.3f %.3f) translate(-200 -340)", turn, size, size)
}

// newGround lays the blob and the dots anew; a scene keeps its land and only its dots move.
func (s *sheet) newGround(r *rand.Rand) node {
	out := node{name: "g", kids: append([]node(nil), s.ground.kids...)}
	if !s.scene {
		out.kids[1] = with(out.kids[1], "d", blob(r))
	}
	out.kids[2] = with(out.kids[2], "d", dots(r, 26+r.IntN(12)))
	return out
}

func with(n node, name, value string) node {
	n.attrs = append([]xml.Attr(nil), n.attrs...)
	for i := range n.attrs {
		if n.attrs[i].Name.Local == name {
			n.attrs[i].Value = value
		}
	}
	return n
}

// blob is a soft round shape through twelve points around the middle of the page.
func blob(r *rand.Rand) string {
	const n = 12
	var x, y [n]float64
	cx, cy := 195+r.Float64()*16, 182+r.Float64()*14
	rx, ry, turn := 143+r.Float64()*18, 136+r.Float64()*16, r.Float64()
	for i := range n {
		t := turn + 2*math.Pi*float64(i)/n
		k := .94 + r.Float64()*.12
		x[i], y[i] = cx+rx*k*math.Cos(t), cy+ry*k*math.Sin(t)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%.0f %.0f", x[0], y[0])
	for i := range n {
		h, j, k := (i+n-1)%n, (i+1)%n, (i+2)%n
		fmt.Fprintf(&b, "C%.0f %.0f %.0f %.0f %.0f %.0f",
			x[i]+(x[j]-x[h])/6, y[i]+(y[j]-y[h])/6, x[j]-(x[k]-x[i])/6, y[j]-(y[k]-y[i])/6, x[j], y[j])
	}
	return b.String() + "Z"
}

func dots(r *rand.Rand, n int) string {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "M%d %dh.1", 12+r.IntN(376), 12+r.IntN(376))
	}
	return b.String()
}

// colours are the values of the drawing's variables; an empty one leaves the file's own.
type colours map[string]string

var variable = regexp.MustCompile(`var\(--([a-z]+),(#[0-9a-f]+)\)`)

func (c colours) in(value string) string {
	m := variable.FindStringSubmatch(value)
	if m == nil {
		return value
	}
	if v := c[m[1]]; v != "" {
		return v
	}
	return m[2]
}

// pen writes elements as plain SVG.
type pen struct {
	out      *strings.Builder
	colours  colours
	mirrored bool
}

func (p pen) open(transform string) {
	fmt.Fprintf(p.out, `<g transform="%s">`, strings.TrimSpace(cmp.Or(transform, "translate(0 0)")))
}

func (p pen) write(n node) {
	p.out.WriteString("<" + n.name)
	var x, y float64
	for _, a := range n.attrs {
		switch a.Name.Local {
		case "x":
			x, _ = strconv.ParseFloat(a.Value, 64)
		case "y":
			y, _ = strconv.ParseFloat(a.Value, 64)
		default:
			fmt.Fprintf(p.out, ` %s="%s"`, a.Name.Local, p.colours.in(a.Value))
		}
	}
	if p.mirrored {
		x = -x // the print always slips to the right, whichever way the object looks
	}
	if x != 0 || y != 0 {
		fmt.Fprintf(p.out, ` transform="translate(%g %g)"`, x, y)
	}
	if len(n.kids) == 0 {
		p.out.WriteString("/>")
		return
	}
	p.out.WriteString(">")
	for _, k := range n.kids {
		p.write(k)
	}
	fmt.Fprintf(p.out, "</%s>", n.name)
}
