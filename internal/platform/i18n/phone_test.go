package i18n

import (
	"testing"

	"pgregory.net/rapid"

	"choocop.vn/ocop/internal/platform/apperr"
)

func TestParsePhoneReadsEverySpelling(t *testing.T) {
	for in, want := range map[string]string{
		"0912345678": "+84912345678", "0912 345 678": "+84912345678", "0912.345.678": "+84912345678", "0912-345-678": "+84912345678",
		"+84912345678": "+84912345678", "+84 (0)912 345 678": "+84912345678", "84912345678": "+84912345678", "0084 912 345 678": "+84912345678",
		"(+84) 912–345–678": "+84912345678", "(0912) 345678": "+84912345678", "0912\u00a0345\u00a0678": "+84912345678", "912345678": "+84912345678",
		"84 0912345678": "+84912345678", "849123456": "+84849123456", "\u202a0912345678\u202c": "+84912345678",
		"02438251234": "+842438251234", "(024) 3825 1234": "+842438251234", "+84 24 3825 1234": "+842438251234", "0263 382 1234": "+842633821234",
		"01681234567": "+84381234567", "0120 123 4567": "+84701234567", "+84 121 123 4567": "+84791234567", "0199 123 4567": "+84591234567",
		"0188 123 4567": "+84581234567", "0129.123.4567": "+84821234567",
	} {
		if got, err := ParsePhone(in); err != nil || got != want {
			t.Errorf("ParsePhone(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestParsePhoneSaysWhatIsWrong(t *testing.T) {
	for in, key := range map[string]string{
		"": "empty", " - ": "empty", "0912a45678": "letters", "zalo": "letters", "09123456789": "too_long", "024382512345": "too_long",
		"0412345678": "unknown_prefix", "0512345678": "unknown_prefix", "+1 202 555 0100": "unknown_prefix", "0710000000": "unknown_prefix",
		"18001234": "service_number", "1900 6408": "service_number", "0912+345678": "letters",
	} {
		_, err := ParsePhone(in)
		if l, ok := apperr.As(err); !ok || l[0].Key != "phone."+key || l[0].Field != "phone" || !Has(VI, l[0].Key) {
			t.Errorf("ParsePhone(%q): %v, want %s", in, err, key)
		}
	}
	for in, n := range map[string]int{"091234567": 1, "0912": 6, "09": 8, "0243825123": 1, "0168123456": 1, "+84 91234567": 1} {
		_, err := ParsePhone(in)
		if l, ok := apperr.As(err); !ok || l[0].Key != "phone.missing_digit" || l[0].Args["n"] != n {
			t.Errorf("ParsePhone(%q): %v, want %d missing", in, err, n)
		}
	}
}

func TestFormatPhoneRoundTrips(t *testing.T) {
	for in, want := range map[string]string{"+84912345678": "0912 345 678", "+842438251234": "024 3825 1234", "+842633821234": "0263 382 1234", "18001234": "18001234", "": ""} {
		if got := FormatPhone(in); got != want {
			t.Errorf("FormatPhone(%q) = %q", in, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`(0|\+84|84|0084)?(3[2-9]|5[25689]|7[06-9]|8[1-9]|9[0-9])[0-9]{7}`).Draw(t, "s")
		e, err := ParsePhone(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if again, err := ParsePhone(FormatPhone(e)); err != nil || again != e {
			t.Fatalf("%q became %q", e, again)
		}
	})
}
