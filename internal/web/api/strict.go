package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

const (
	maxBody  = 64 << 10 // of a request, in bytes
	maxDepth = 16       // of objects and arrays within each other
)

var (
	errNotJSON = errors.New(mark + "json")
	errDeep    = errors.New(mark + "depth" + mark + "16")
	errOdd     = errors.New(mark + "odd_text")
	errTwice   = errors.New(mark + "twice")
)

// formats is JSON alone. What PostgreSQL cannot hold (NUL, broken UTF-8) or two readers could understand in two ways (a
// name given twice) is refused before anything looks at it.
func formats() map[string]huma.Format {
	f := huma.Format{
		Marshal: func(w io.Writer, v any) error { return encode(w, v) },
		Unmarshal: func(data []byte, v any) error {
			if _, first := v.(*any); first {
				if err := examine(data); err != nil {
					return err
				}
			}
			if err := json.Unmarshal(data, v); err != nil {
				return errNotJSON
			}
			return nil
		},
	}
	// The second name is that of problems: what follows the plus sign.
	return map[string]huma.Format{"application/json": f, "json": f}
}

// examine reads the tokens of one JSON value.
func examine(data []byte) error {
	if !utf8.Valid(data) {
		return errOdd
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var open []frame
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return errNotJSON
		}
		if open, err = step(open, t); err != nil {
			return err
		}
	}
	return nil
}

// frame is an object or an array that is not closed yet.
type frame struct {
	names map[string]bool // nil for an array
	value bool            // the next token is the value of a name
}

func step(open []frame, t json.Token) ([]frame, error) {
	if t == json.Delim('}') || t == json.Delim(']') {
		return open[:len(open)-1], nil
	}
	if s, ok := t.(string); ok && strings.ContainsRune(s, 0) {
		return nil, errOdd
	}
	if n := len(open); n > 0 && open[n-1].names != nil {
		top := &open[n-1]
		if name, ok := t.(string); ok && !top.value {
			if top.names[name] {
				return nil, errTwice
			}
			top.names[name], top.value = true, true
			return open, nil
		}
		top.value = false
	}
	switch t {
	case json.Delim('{'):
		open = append(open, frame{names: map[string]bool{}})
	case json.Delim('['):
		open = append(open, frame{})
	}
	if len(open) > maxDepth {
		return nil, errDeep
	}
	return open, nil
}
