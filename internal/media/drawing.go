package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/srwiley/oksvg"
	"github.com/srwiley/rasterx"
)

// Rasterise draws plain SVG (paths, groups, presentation attributes; no style sheets, <use>,
// gradients or clipping) at the given width in pixels, its height following from the viewBox.
func Rasterise(svg []byte, width int) (*image.RGBA, error) {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return nil, fmt.Errorf("read drawing: %w", err)
	}
	if icon.ViewBox.W <= 0 || icon.ViewBox.H <= 0 || len(icon.SVGPaths) == 0 {
		return nil, errors.New("read drawing: nothing to draw")
	}
	scale := float64(width) / icon.ViewBox.W
	height := int(math.Round(icon.ViewBox.H * scale))
	icon.SetTarget(0, 0, float64(width), float64(height))
	for i := range icon.SVGPaths {
		thicken(&icon.SVGPaths[i].PathStyle, scale)
	}
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	s := newScanner(img)
	icon.Draw(rasterx.NewDasher(width, height, s), 1)
	if s.gradient {
		return nil, errors.New("read drawing: a gradient, which our drawings do without")
	}
	return img, nil
}

// thicken scales what the library leaves in user units when it scales a drawing.
func thicken(p *oksvg.PathStyle, scale float64) {
	p.LineWidth *= scale
	p.DashOffset *= scale
	dash := make([]float64, len(p.Dash))
	for i, d := range p.Dash {
		dash[i] = d * scale
	}
	p.Dash = dash
}
