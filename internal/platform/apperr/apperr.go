// Package apperr holds the one kind of error a person may read. It carries a text key
// and its arguments, never a sentence, a driver message or an HTTP status: the domain
// says what is wrong, the page says it in the reader's language.
package apperr

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Kind says what sort of trouble it is, so that the web layer can choose a status
// and a tone without knowing the key.
type Kind int

// The kinds of error.
const (
	Invalid     Kind = iota // what was typed cannot be accepted
	NotFound                // no such record, or not the caller's
	Conflict                // the world moved on: stock, price, state
	Denied                  // signed in, but not allowed
	TooMany                 // a rate limit
	Unavailable             // an outside service does not answer
)

var kindNames = [...]string{"invalid", "not found", "conflict", "denied", "too many", "unavailable"}

// String names the kind for logs.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error is one thing a person did or met, as a text key with arguments.
type Error struct {
	Kind  Kind
	Field string // name of the form field it belongs to; empty for the whole form
	Key   string // text key, area.thing.part
	Args  map[string]any
}

// New returns an error about the whole request. args alternate name and value.
func New(kind Kind, key string, args ...any) *Error {
	return &Error{Kind: kind, Key: key, Args: pairs(args)}
}

// Field returns an Invalid error that belongs beside the named form field.
// args alternate name and value.
func Field(field, key string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Key: key, Args: pairs(args)}
}

// pairs panics on a broken list: it is a fault in the calling code, found by its first test.
func pairs(args []any) map[string]any {
	if len(args) == 0 {
		return nil
	}
	if len(args)%2 != 0 {
		panic(fmt.Sprintf("apperr: odd number of arguments: %v", args))
	}
	m := make(map[string]any, len(args)/2)
	for i := 0; i < len(args); i += 2 {
		name, ok := args[i].(string)
		if !ok {
			panic(fmt.Sprintf("apperr: argument name %v is not a string", args[i]))
		}
		m[name] = args[i+1]
	}
	return m
}

// Error is for logs; people get the translated key.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Key)
	names := make([]string, 0, len(e.Args))
	for n := range e.Args {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintf(&b, " %s=%v", n, e.Args[n])
	}
	return b.String()
}

// Is lets errors.Is compare by kind, key and field, so that tests need no arguments.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t != nil && e.Kind == t.Kind && e.Key == t.Key && e.Field == t.Field
}

// At returns a copy of the error that belongs to another field, for a rule that does
// not know the form it is used in.
func (e *Error) At(field string) *Error {
	c := *e
	c.Field = field
	return &c
}

// List is several errors of one request, in the order of the form.
type List []*Error

// Error is for logs.
func (l List) Error() string {
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap lets errors.Is look inside.
func (l List) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

// Add appends what err holds and returns the rest: nil when err was nil or readable,
// err itself when it is a fault. It collects several checks into one answer.
func (l *List) Add(err error) error {
	if err == nil {
		return nil
	}
	found, ok := As(err)
	if !ok {
		return err
	}
	*l = append(*l, found...)
	return nil
}

// Err returns nil for an empty list, else the list.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Kind is the kind of the first error; Invalid for an empty list.
func (l List) Kind() Kind {
	if len(l) == 0 {
		return Invalid
	}
	return l[0].Kind
}

// On returns the first error of a field.
func (l List) On(field string) (*Error, bool) {
	for _, e := range l {
		if e.Field == field {
			return e, true
		}
	}
	return nil, false
}

// As finds the readable error inside err, alone or as a list. It reports false for nil
// and for every fault, which nobody but the log may read.
func As(err error) (List, bool) {
	var l List
	if errors.As(err, &l) && len(l) > 0 {
		return l, true
	}
	var e *Error
	if errors.As(err, &e) && e != nil {
		return List{e}, true
	}
	return nil, false
}
