// Package i18n speaks Vietnamese and English: the texts of the program, and how each
// language writes dates, numbers and telephone numbers, sorts names and forgives typing.
//
// Texts are flat keys (area.thing.part) in locales/LANGUAGE/AREA.json, merged at start.
// Vietnamese is the reference. A placeholder is a name in braces: "{n} sản phẩm". English
// may add KEY.one for a count of one.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"choocop.vn/ocop/internal/platform/clock"
)

// Locale is a language of the program.
type Locale string

// The languages.
const (
	VI Locale = "vi"
	EN Locale = "en"
)

// Locales lists the languages, the reference first.
var Locales = []Locale{VI, EN}

// Other is the language to offer beside l.
func (l Locale) Other() Locale {
	if l == EN {
		return VI
	}
	return EN
}

//go:embed locales
var files embed.FS

// texts is written once, before main.
var texts = mustLoad(files)

// Missing is told of every key that has no text in a language. Set it once, before serving.
var Missing = func(Locale, string) {}

// mustLoad panics on a broken file: texts are compiled in, so the fault must stop the
// program at its first start and not a visitor.
func mustLoad(fsys fs.FS) map[Locale]map[string]string {
	all := map[Locale]map[string]string{}
	for _, l := range Locales {
		all[l] = map[string]string{}
		names, err := fs.Glob(fsys, path.Join("locales", string(l), "*.json"))
		if err != nil {
			panic("i18n: " + err.Error())
		}
		for _, name := range names {
			b, err := fs.ReadFile(fsys, name)
			if err != nil {
				panic("i18n: " + err.Error())
			}
			if err := json.Unmarshal(b, ptr(all[l])); err != nil {
				panic(fmt.Sprintf("i18n: %s: %v", name, err))
			}
		}
	}
	return all
}

// ptr lets json add to a map that is already there.
func ptr(m map[string]string) *map[string]string { return &m }

// Has reports whether a language has a text for the key.
func Has(l Locale, key string) bool {
	_, ok := texts[l][key]
	return ok
}

// Keys lists a language's keys in order.
func Keys(l Locale) []string {
	out := make([]string, 0, len(texts[l]))
	for k := range texts[l] {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Placeholders lists the names in braces in a text, in order, each once.
func Placeholders(text string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		if isName(name) && !slices.Contains(out, name) {
			out = append(out, name)
		}
		text = after
	}
	slices.Sort(out)
	return out
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// T is the text of a key with its placeholders filled. Values are written the way the
// language does: dates, moments, amounts, and whole numbers grouped from five digits on,
// so that a year stays a year. A key without English text falls back to Vietnamese, one
// without any text to the key itself; both are told to Missing.
func T(l Locale, key string, args map[string]any) string {
	return fill(l, lookup(l, key, args), args)
}

func lookup(l Locale, key string, args map[string]any) string {
	if l == EN && isOne(args["n"]) {
		if s, ok := texts[l][key+".one"]; ok {
			return s
		}
	}
	if s, ok := texts[l][key]; ok {
		return s
	}
	Missing(l, key)
	if s, ok := texts[VI][key]; ok {
		return s
	}
	return key
}

func isOne(n any) bool {
	switch v := n.(type) {
	case int:
		return v == 1
	case int64:
		return v == 1
	case int32:
		return v == 1
	case string:
		return v == "1"
	}
	return false
}

func fill(l Locale, text string, args map[string]any) string {
	if len(args) == 0 || !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		v, known := args[name]
		if !closed || !known {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(show(l, v))
		text = after
	}
}

func show(l Locale, v any) string {
	switch x := v.(type) {
	case string:
		return x
	case int:
		return showInt(l, int64(x))
	case int32:
		return showInt(l, int64(x))
	case int64:
		return showInt(l, x)
	case float64:
		return FormatNumber(l, x)
	case clock.Date:
		return FormatDay(l, x)
	case time.Time:
		return FormatDateTime(l, x)
	}
	return fmt.Sprint(v)
}

func showInt(l Locale, n int64) string {
	if n > -10_000 && n < 10_000 {
		return fmt.Sprint(n)
	}
	return FormatInt(l, n)
}
