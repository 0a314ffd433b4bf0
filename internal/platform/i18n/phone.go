package i18n

import (
	"strings"
	"unicode"

	"choocop.vn/ocop/internal/platform/apperr"
)

// ParsePhone reads a Vietnamese number in any usual spelling (spaces, dots, dashes, +84,
// 84, 0084, (0), a lost leading zero, the 11-digit mobiles of before 2018) and returns it
// as E.164: +84912345678. Service numbers (1800, 1900) are refused because a person is
// to be reached. Errors stand on the field "phone": phone.empty, phone.letters,
// phone.missing_digit (n), phone.too_long, phone.unknown_prefix, phone.service_number.
func ParsePhone(s string) (e164 string, err error) {
	digits, plus, err := phoneDigits(s)
	if err != nil {
		return "", err
	}
	national, ok := nationalNumber(digits, plus)
	if !ok {
		return "", phoneError("unknown_prefix")
	}
	national = renumbered(national)
	if strings.HasPrefix(national, "01800") || strings.HasPrefix(national, "01900") {
		return "", phoneError("service_number")
	}
	want := nationalLength(national)
	switch {
	case want == 0 && len(national) < 4:
		return "", phoneError("missing_digit", "n", 10-len(national))
	case want == 0:
		return "", phoneError("unknown_prefix")
	case len(national) < want:
		return "", phoneError("missing_digit", "n", want-len(national))
	case len(national) > want:
		return "", phoneError("too_long")
	}
	return "+84" + national[1:], nil
}

func phoneError(what string, args ...any) error {
	return apperr.Field("phone", "phone."+what, args...)
}

func phoneDigits(s string) (digits string, plus bool, err error) {
	var b strings.Builder
	for _, r := range NFC(s) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == '+' && b.Len() == 0 && !plus:
			plus = true
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Pd, r), strings.ContainsRune("().,/\u00b7", r):
		default:
			return "", false, phoneError("letters")
		}
	}
	if b.Len() == 0 {
		return "", false, phoneError("empty")
	}
	return b.String(), plus, nil
}

// nationalNumber returns the number with its leading zero. A number that begins with 84
// without + or 00 is the country code only when what follows is long enough: 084 is also
// a mobile prefix whose zero a spreadsheet may have eaten.
func nationalNumber(digits string, plus bool) (national string, ok bool) {
	if r, cut := strings.CutPrefix(digits, "00"); cut && !plus {
		digits, plus = r, true
	}
	switch {
	case plus:
		r, cut := strings.CutPrefix(digits, "84")
		if !cut {
			return "", false
		}
		return "0" + strings.TrimPrefix(r, "0"), true
	case strings.HasPrefix(digits, "0"):
		return digits, true
	case strings.HasPrefix(digits, "84") && len(digits) >= 10:
		return "0" + strings.TrimPrefix(digits[2:], "0"), true
	}
	return "0" + digits, true
}

// renumbering2018 maps the mobile prefixes of eleven digits to those of ten: plan of the
// Ministry of Information and Communications, in force from 15/09/2018.
var renumbering2018 = map[string]string{
	"0120": "070", "0121": "079", "0122": "077", "0126": "076", "0128": "078",
	"0123": "083", "0124": "084", "0125": "085", "0127": "081", "0129": "082",
	"0162": "032", "0163": "033", "0164": "034", "0165": "035", "0166": "036",
	"0167": "037", "0168": "038", "0169": "039",
	"0186": "056", "0188": "058", "0199": "059",
}

func renumbered(n string) string {
	if len(n) >= 4 {
		if p, ok := renumbering2018[n[:4]]; ok {
			return p + n[4:]
		}
	}
	return n
}

// nationalLength is the number of digits a number with this beginning has, 0 when no such
// numbers exist.
func nationalLength(n string) int {
	switch {
	case len(n) < 3:
		return 0
	case n[1] == '2':
		return 11
	case mobilePrefix(n[1:3]):
		return 10
	}
	return 0
}

func mobilePrefix(p string) bool {
	switch p[0] {
	case '3':
		return p[1] >= '2'
	case '5':
		return strings.IndexByte("25689", p[1]) >= 0
	case '7':
		return strings.IndexByte("06789", p[1]) >= 0
	case '8':
		return p[1] >= '1'
	case '9':
		return true
	}
	return false
}

// FormatPhone writes a stored number the way people read it aloud: 0912 345 678, landlines
// 024 3825 1234 and 0263 382 1234. What is no Vietnamese number is returned unchanged.
func FormatPhone(e164 string) string {
	parsed, err := ParsePhone(e164)
	if err != nil {
		return e164
	}
	n := "0" + strings.TrimPrefix(parsed, "+84")
	switch {
	case strings.HasPrefix(n, "024"), strings.HasPrefix(n, "028"):
		return n[:3] + " " + n[3:7] + " " + n[7:]
	}
	return n[:4] + " " + n[4:7] + " " + n[7:]
}
