package intake

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	encoding "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"

	"choocop.vn/ocop/internal/platform/apperr"
)

// sheet is a file as text: a heading and its lines.
type sheet struct {
	heading     []string
	headingLine int
	lines       []line
	bad         []Problem // lines that could not be read at all
}

type line struct {
	number int
	cells  []string
}

// Limits of an unpacked XLSX: a file of some kilobytes can hold gigabytes of zeros.
const (
	maxUnzipped = 512 << 20
	maxPart     = 128 << 20
)

// readFile reads the whole of a file. Errors a person may read: intake.file.too_big, .empty, .not_text, .not_xlsx, .too_long.
func readFile(r io.Reader, format Format) (sheet, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return sheet{}, fmt.Errorf("intake: read: %w", err)
	}
	if len(data) > MaxBytes {
		return sheet{}, apperr.Field("file", "intake.file.too_big", "mb", MaxBytes>>20)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return sheet{}, apperr.Field("file", "intake.file.empty")
	}
	var s sheet
	if format == XLSX {
		s, err = readXLSX(data)
	} else {
		s, err = readCSV(data)
	}
	if err != nil {
		return sheet{}, err
	}
	if s.headingLine == 0 {
		return sheet{}, apperr.Field("file", "intake.file.empty")
	}
	return s, nil
}

// readCSV takes UTF-8 and, with its mark, UTF-16, as spreadsheets write them; comma, semicolon or tab; any line ending.
func readCSV(data []byte) (sheet, error) {
	text, _, err := transform.Bytes(encoding.BOMOverride(transform.Nop), data)
	if err != nil || !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return sheet{}, apperr.Field("file", "intake.file.not_text")
	}
	r := csv.NewReader(bufio.NewReader(bytes.NewReader(text)))
	r.Comma = separator(text)
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	var s sheet
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			s.bad = append(s.bad, Problem{Line: broken.StartLine, Key: "intake.row.quotes"})
			continue
		}
		if err != nil {
			return sheet{}, fmt.Errorf("intake: read: %w", err)
		}
		number, _ := r.FieldPos(0)
		if err := s.take(number, cells); err != nil {
			return sheet{}, err
		}
	}
}

// separator is the one of comma, semicolon and tab that occurs most often in the heading.
func separator(text []byte) rune {
	first, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best, most := ',', 0
	for _, sep := range ",;\t" {
		if n := bytes.Count(first, []byte(string(sep))); n > most {
			best, most = sep, n
		}
	}
	return best
}

// readXLSX reads the first sheet.
func readXLSX(data []byte) (sheet, error) {
	f, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: maxUnzipped, UnzipXMLSizeLimit: maxPart,
	})
	if err != nil {
		return sheet{}, apperr.Field("file", "intake.file.not_xlsx")
	}
	defer f.Close()
	rows, err := f.Rows(f.GetSheetName(0))
	if err != nil {
		return sheet{}, apperr.Field("file", "intake.file.not_xlsx")
	}
	defer rows.Close()
	var s sheet
	for number := 1; rows.Next(); number++ {
		cells, err := rows.Columns()
		if err != nil {
			return sheet{}, apperr.Field("file", "intake.file.not_xlsx")
		}
		if err := s.take(number, cells); err != nil {
			return sheet{}, err
		}
	}
	if rows.Error() != nil {
		return sheet{}, apperr.Field("file", "intake.file.not_xlsx")
	}
	return s, nil
}

// take adds a line; empty ones are passed over, the first other one is the heading.
func (s *sheet) take(number int, cells []string) error {
	clean := make([]string, len(cells))
	empty := true
	for i, c := range cells {
		clean[i] = tidy(c)
		empty = empty && clean[i] == ""
	}
	if empty {
		return nil
	}
	if s.headingLine == 0 {
		s.heading, s.headingLine = clean, number
		return nil
	}
	if len(s.lines) == MaxRows {
		return apperr.Field("file", "intake.file.too_long", "rows", MaxRows)
	}
	s.lines = append(s.lines, line{number, clean})
	return nil
}

// tidy composes the letters (macOS decomposes them), evens out spaces of all kinds and drops what cannot be seen.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200b' || r == '\u200c' || r == '\u200d' || r == '\u2060' || r == '\ufeff' || r == '\u00ad':
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, norm.NFC.String(s))
	return strings.Join(strings.Fields(s), " ")
}
