package i18n

import (
	"math"
	"strconv"
	"strings"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
)

// FormatDate writes the day of a moment in Vietnam: 22/11/2026, in English 22 Nov 2026.
// The zero time gives nothing.
func FormatDate(l Locale, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return FormatDay(l, clock.On(t))
}

// FormatDay writes a calendar day as FormatDate does; no date gives nothing.
func FormatDay(l Locale, d clock.Date) string {
	if l == EN && !d.IsZero() {
		return d.Time().Format("2 Jan 2006")
	}
	return d.VN()
}

// FormatTime writes the time of day in Vietnam, on 24 hours: 10:42.
func FormatTime(_ Locale, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(clock.HCM).Format("15:04")
}

// FormatDateTime writes 10:42 ngày 22/11/2026, in English 10:42, 22 Nov 2026.
func FormatDateTime(l Locale, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	if l == EN {
		return FormatTime(l, t) + ", " + FormatDate(l, t)
	}
	return FormatTime(l, t) + " ngày " + FormatDate(l, t)
}

// FormatInt groups a whole number: 1.234.567, in English 1,234,567.
func FormatInt(l Locale, n int64) string { return group(l, strconv.FormatInt(n, 10)) }

// FormatNumber writes a number with at most three decimals and no idle zeros: 1.234,5, in
// English 1,234.5. It is for weights and ratings, never for money.
func FormatNumber(l Locale, f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return "–"
	}
	whole, frac, _ := strings.Cut(strconv.FormatFloat(f, 'f', 3, 64), ".")
	frac = strings.TrimRight(frac, "0")
	if frac == "" && whole == "-0" {
		whole = "0"
	}
	s := group(l, whole)
	if frac == "" {
		return s
	}
	if l == EN {
		return s + "." + frac
	}
	return s + "," + frac
}

func group(l Locale, digits string) string {
	sep := byte('.')
	if l == EN {
		sep = ','
	}
	neg := strings.HasPrefix(digits, "-")
	digits = strings.TrimPrefix(digits, "-")
	var b strings.Builder
	if neg {
		b.WriteByte('-')
	}
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(sep)
		}
		b.WriteByte(digits[i])
	}
	return b.String()
}
