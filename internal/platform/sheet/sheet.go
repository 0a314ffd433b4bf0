// Package sheet writes tables for spreadsheet programs, so that no cell of them is ever a formula: what people typed into
// the market must not run on the machine of whoever opens the list.
package sheet

import (
	"encoding/csv"
	"io"
	"strings"
)

// mark tells spreadsheet programs that the text is UTF-8; without it Vietnamese letters fall apart in some.
const mark = "\ufeff"

// CSV writes rows to w. Text is quoted where it must be, lines end as RFC 4180 says.
type CSV struct {
	w       *csv.Writer
	to      io.Writer
	started bool
}

// NewCSV returns a writer of a table.
func NewCSV(w io.Writer) *CSV {
	c := &CSV{w: csv.NewWriter(w), to: w}
	c.w.UseCRLF = true
	return c
}

// Row writes one row of texts.
func (c *CSV) Row(cells ...string) error {
	if !c.started {
		c.started = true
		if _, err := io.WriteString(c.to, mark); err != nil {
			return err
		}
	}
	safe := make([]string, len(cells))
	for i, s := range cells {
		safe[i] = Text(s)
	}
	return c.w.Write(safe)
}

// Close writes what is left.
func (c *CSV) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// Text is a cell that no program takes for a formula: where it begins like one, also after spaces, an apostrophe stands before it.
func Text(s string) string {
	if t := strings.TrimLeft(s, " \t\r\n\u00a0"); t != "" && strings.ContainsRune("=+-@|%\uff1d\uff0b\uff0d\uff20", []rune(t)[0]) || strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") {
		return "'" + s
	}
	return s
}
