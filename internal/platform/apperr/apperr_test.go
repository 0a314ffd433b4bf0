package apperr

import (
	"errors"
	"fmt"
	"testing"
)

func TestAsFindsReadableErrorsAndNothingElse(t *testing.T) {
	one := Field("phone", "phone.missing_digit", "n", 2)
	if l, ok := As(fmt.Errorf("order: place: %w", one)); !ok || len(l) != 1 || l[0].Args["n"] != 2 {
		t.Errorf("wrapped error: got %v, %v", l, ok)
	}
	both := List{one, New(Conflict, "order.price_changed")}
	if l, ok := As(fmt.Errorf("x: %w", both)); !ok || len(l) != 2 {
		t.Errorf("wrapped list: got %v, %v", l, ok)
	}
	for _, err := range []error{nil, errors.New("pq: broken"), List(nil), (*Error)(nil)} {
		if l, ok := As(err); ok {
			t.Errorf("As(%#v) = %v, want nothing", err, l)
		}
	}
}

func TestListCollectsReadableErrorsAndReturnsFaults(t *testing.T) {
	var l List
	if l.Add(nil) != nil || l.Err() != nil {
		t.Error("an empty list is no error")
	}
	fault := errors.New("disk full")
	if l.Add(fault) != fault || l.Add(Field("name", "a.b.c")) != nil || l.Add(New(Denied, "d.e.f").At("role")) != nil {
		t.Error("Add keeps readable errors only")
	}
	if e, ok := l.On("role"); !ok || e.Key != "d.e.f" || len(l) != 2 || l.Kind() != Invalid {
		t.Errorf("got %v", l)
	}
	if !errors.Is(l.Err(), Field("name", "a.b.c", "other", 1)) {
		t.Error("errors.Is compares kind, field and key")
	}
	if got := Field("n", "k.e.y", "b", 2, "a", 1).Error(); got != "invalid: n: k.e.y a=1 b=2" {
		t.Errorf("log text: %q", got)
	}
}

func TestBrokenArgumentsAreFoundAtOnce(t *testing.T) {
	for _, args := range [][]any{{"n"}, {1, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New with %v did not panic", args)
				}
			}()
			New(Invalid, "k", args...)
		}()
	}
}
