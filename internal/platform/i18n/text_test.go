package i18n

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
)

func TestBothLanguagesHaveTheSameTexts(t *testing.T) {
	for _, k := range Keys(VI) {
		if !Has(EN, k) {
			t.Errorf("no English for %s", k)
		} else if v, e := Placeholders(texts[VI][k]), Placeholders(texts[EN][k]); !slices.Equal(v, e) {
			t.Errorf("%s: placeholders %v in Vietnamese, %v in English", k, v, e)
		}
		if strings.TrimSpace(texts[VI][k]) == "" || NFC(texts[VI][k]) != texts[VI][k] {
			t.Errorf("%s: empty or not composed", k)
		}
	}
	for _, k := range Keys(EN) {
		base, one := strings.CutSuffix(k, ".one")
		switch {
		case Has(VI, k):
		case !one || !Has(VI, base):
			t.Errorf("no Vietnamese for %s", k)
		default:
			for _, p := range Placeholders(texts[EN][k]) {
				if !slices.Contains(Placeholders(texts[VI][base]), p) {
					t.Errorf("%s: unknown placeholder %s", k, p)
				}
			}
		}
	}
}

func TestFragmentsAreSortedAndHaveNoKeyTwice(t *testing.T) {
	for _, l := range Locales {
		seen := map[string]string{}
		names, _ := fs.Glob(files, path.Join("locales", string(l), "*.json"))
		for _, name := range names {
			b, _ := fs.ReadFile(files, name)
			d := json.NewDecoder(strings.NewReader(string(b)))
			d.Token() // the opening brace
			last := ""
			for d.More() {
				tok, _ := d.Token()
				key, _ := tok.(string)
				d.Token()
				if key <= last {
					t.Errorf("%s: %s stands after %s", name, key, last)
				}
				if other, twice := seen[key]; twice {
					t.Errorf("%s: %s is in %s too", name, key, other)
				}
				last, seen[key] = key, name
			}
		}
	}
}

func TestTextsAreFilledTheLanguagesWay(t *testing.T) {
	for _, c := range []struct {
		l    Locale
		key  string
		n    any
		want string
	}{
		{VI, "phone.missing_digit", 1, "Số điện thoại còn thiếu 1 chữ số."},
		{EN, "phone.missing_digit", 2, "The phone number is 2 digits short."},
		{EN, "phone.missing_digit", 1, "The phone number is one digit short."},
		{EN, "phone.missing_digit", int64(1), "The phone number is one digit short."},
	} {
		if got := T(c.l, c.key, map[string]any{"n": c.n}); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	at := time.Date(2026, 11, 22, 3, 42, 0, 0, time.UTC)
	args := map[string]any{"y": 2026, "n": 12345, "d": clock.On(at), "t": at, "s": "a{y}b"}
	if got := fill(VI, "{y}|{n}|{d}|{t}|{s}|{x}|{", args); got != "2026|12.345|22/11/2026|10:42 ngày 22/11/2026|a{y}b|{x}|{" {
		t.Errorf("got %q", got)
	}
	if got := fill(EN, "{n}|{d}|{t}", args); got != "12,345|22 Nov 2026|10:42, 22 Nov 2026" {
		t.Errorf("got %q", got)
	}
}

func TestMissingTextsAreReported(t *testing.T) {
	old := Missing
	defer func() { Missing = old }()
	var told []string
	Missing = func(l Locale, key string) { told = append(told, string(l)+" "+key) }
	if got := T(EN, "no.such.key", nil); got != "no.such.key" || !slices.Equal(told, []string{"en no.such.key"}) {
		t.Errorf("got %q, told %v", got, told)
	}
}

func TestNumbers(t *testing.T) {
	for f, want := range map[float64][2]string{1234.5: {"1.234,5", "1,234.5"}, -0.0001: {"0", "0"}, 1000000: {"1.000.000", "1,000,000"}, -1234.25: {"-1.234,25", "-1,234.25"}, 4.75: {"4,75", "4.75"}} {
		if vi, en := FormatNumber(VI, f), FormatNumber(EN, f); vi != want[0] || en != want[1] {
			t.Errorf("%v: %q, %q", f, vi, en)
		}
	}
	if FormatDate(VI, time.Time{}) != "" || FormatDay(EN, clock.Date{}) != "" || FormatTime(VI, time.Time{}) != "" || FormatDateTime(EN, time.Time{}) != "" {
		t.Error("no time gives nothing")
	}
}
