package ident

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCodesHaveNoLookAlikesAndUseEveryLetter(t *testing.T) {
	shape := regexp.MustCompile(`^[` + Alphabet + `]{4}-[` + Alphabet + `]{4}$`)
	if strings.ContainsAny(Alphabet, "0O1IL") {
		t.Fatal("look-alike in the alphabet")
	}
	seen := map[rune]bool{}
	codes := map[string]bool{}
	for range 2000 {
		c := Code(4, 4)
		if !shape.MatchString(c) || codes[c] {
			t.Fatalf("code %q", c)
		}
		codes[c] = true
		for _, r := range Normalise(c) {
			seen[r] = true
		}
	}
	if len(seen) != len(Alphabet) {
		t.Errorf("%d letters used of %d", len(seen), len(Alphabet))
	}
}

func TestNormaliseForgivesTyping(t *testing.T) {
	for _, in := range []string{"7K4M-92QX", "7k4m 92qx", " 7K4M–92QX ", "7k4m.92qx"} {
		if got := Normalise(in); got != "7K4M92QX" {
			t.Errorf("Normalise(%q) = %q", in, got)
		}
	}
}

func TestTokensAreLongAndHashed(t *testing.T) {
	a, b := Token(), Token()
	if a == b || len(a) != 43 || len(Hash(a)) != 32 || bytes.Equal(Hash(a), Hash(b)) {
		t.Errorf("tokens %q %q", a, b)
	}
}

func TestSlugIsPlainASCII(t *testing.T) {
	for in, want := range map[string]string{
		"Mật ong Mỹ Đức": "mat-ong-my-duc", "  Nước mắm – Cát Hải (500 ml) ": "nuoc-mam-cat-hai-500-ml", "Chè Thái Nguyên": "che-thai-nguyen", "!!!": "",
		"Hoa\u0300 Bình": "hoa-binh",
	} {
		if got := Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
	}
	shape := regexp.MustCompile(`^([a-z0-9]+(-[a-z0-9]+)*)?$`)
	rapid.Check(t, func(t *rapid.T) {
		s := Slug(rapid.String().Draw(t, "s"))
		if !shape.MatchString(s) || Slug(s) != s {
			t.Fatalf("slug %q", s)
		}
	})
}
