// Package page cuts long lists into pages. It never counts a whole table: a list asks
// for one row more than it shows and so knows whether there is a next page.
package page

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
)

// Last is the highest page number served by offset; deeper lists are for filters and
// cursors, since an offset reads everything it skips.
const Last = 500

// Number reads a page number from an address: 1 for nothing or nonsense, never above Last.
func Number(q string) int {
	n, err := strconv.Atoi(q)
	if err != nil || n < 1 {
		return 1
	}
	return min(n, Last)
}

// Window is one page of a list.
type Window struct {
	Number int // from 1
	Size   int // rows shown
	More   bool
}

// Of returns the window of a page number.
func Of(number, size int) Window {
	return Window{Number: max(1, min(number, Last)), Size: max(1, size)}
}

// Limit is the number of rows to ask for: one more than is shown.
func (w Window) Limit() int { return w.Size + 1 }

// Offset is the number of rows to skip.
func (w Window) Offset() int { return (w.Number - 1) * w.Size }

// HasPrev reports whether there is a page before this one.
func (w Window) HasPrev() bool { return w.Number > 1 }

// HasNext reports whether there is a page after this one; known after Cut.
func (w Window) HasNext() bool { return w.More && w.Number < Last }

// Prev is the number of the page before.
func (w Window) Prev() int { return max(1, w.Number-1) }

// Next is the number of the page after.
func (w Window) Next() int { return min(Last, w.Number+1) }

// Cut drops the extra row that Limit asked for and notes in the window that it was there.
func Cut[T any](w Window, rows []T) ([]T, Window) {
	if w.More = len(rows) > w.Size; w.More {
		rows = rows[:w.Size]
	}
	return rows, w
}

// Cursor packs the sort values of the last row shown into one address part, for lists
// that continue after a row instead of skipping a number of them.
func Cursor(values ...string) string {
	b, _ := json.Marshal(values) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// After unpacks a Cursor of n values. A cursor someone has tampered with is not ok, and
// the list starts at its beginning.
func After(cursor string, n int) (values []string, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || json.Unmarshal(b, &values) != nil || len(values) != n {
		return nil, false
	}
	return values, true
}
