package vietqr

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"github.com/skip2/go-qrcode"
)

// quiet is the empty margin scanners need, in modules.
const quiet = 4

// SVG draws a payload as a square of sizePx, titled VietQR. It is nil when the payload is
// too long for any code, which Payload never returns.
func SVG(payload string, sizePx int) []byte {
	b, err := QR(payload, sizePx, "VietQR")
	if err != nil {
		return nil
	}
	return b
}

// QR draws any text, such as the address of a proof page, as a square of sizePx. It is one
// path without style attributes, so it may stand in a page under a strict content policy;
// title is what a screen reader says.
func QR(text string, sizePx int, title string) ([]byte, error) {
	grid, err := modules(text)
	if err != nil {
		return nil, err
	}
	side := len(grid) + 2*quiet
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%d" height="%d" viewBox="0 0 %d %d" shape-rendering="crispEdges"><title>`,
		sizePx, sizePx, side, side)
	xml.EscapeText(&b, []byte(title)) // a buffer does not fail
	fmt.Fprintf(&b, `</title><rect width="%d" height="%d" fill="#fff"/><path fill="#000" d="`, side, side)
	for y, row := range grid {
		for x := 0; x < len(row); x++ {
			from := x
			for x < len(row) && row[x] {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

// PNG draws a text as a picture of size × size pixels, for mails and printing.
func PNG(text string, size int) ([]byte, error) {
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("vietqr: draw: %w", err)
	}
	b, err := q.PNG(size)
	if err != nil {
		return nil, fmt.Errorf("vietqr: draw: %w", err)
	}
	return b, nil
}

// modules is the code without margin, rows of dark squares.
func modules(text string) ([][]bool, error) {
	q, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("vietqr: draw: %w", err)
	}
	q.DisableBorder = true
	return q.Bitmap(), nil
}
