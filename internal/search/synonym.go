package search

import (
	"context"
	"slices"
	"strings"
	"time"

	"choocop.vn/ocop/internal/platform/i18n"
)

// synonymsFor is how long the synonyms stay in memory: an officer who adds one sees it work within a minute.
const synonymsFor = time.Minute

// longest is the largest number of words of a phrase with synonyms.
const longest = 4

// synonyms are the phrases that have another word, by their folded text.
type synonyms struct {
	entries map[string][]entry
	// places are names of provinces of today and before: within them no word is replaced (trà of Trà Vinh is not tea).
	places map[string]bool
}

// entry is one spelling of a phrase with what may stand for it.
type entry struct {
	spelled string
	others  [][]string
}

type synonymRow struct {
	GroupNo   int
	Term      string
	Ambiguous bool // replaced when typed, but stands for none of the others
}

func newSynonyms(rows []synonymRow, places []string) *synonyms {
	s := &synonyms{entries: map[string][]entry{}, places: map[string]bool{}}
	groups := map[int][]synonymRow{}
	for _, r := range rows {
		groups[r.GroupNo] = append(groups[r.GroupNo], r)
	}
	for _, terms := range groups {
		for _, term := range terms {
			e := entry{spelled: strings.Join(cut(exact(term.Term)), " ")}
			for _, other := range terms {
				if words := cut(exact(other.Term)); other != term && !other.Ambiguous && len(words) > 0 {
					e.others = append(e.others, words)
				}
			}
			key := strings.Join(cut(i18n.Fold(term.Term)), " ")
			s.entries[key] = append(s.entries[key], e)
		}
	}
	for _, p := range places {
		if words := cut(i18n.Fold(p)); len(words) > 1 {
			s.places[strings.Join(words, " ")] = true
		}
	}
	return s
}

// parts cuts a question into parts, the longest known phrase first. A word typed with diacritics is only replaced when
// they are those of the synonym: "lạc" finds đậu phộng, "lắc" does not.
func (s *synonyms) parts(words []word) []part {
	var out []part
	for i := 0; i < len(words); {
		n, others := 1, [][]string(nil)
		for l := min(longest, len(words)-i); l > 0; l-- {
			key, typed := text(words[i : i+l])
			if s.places[key] {
				n = l
				break
			}
			if found := s.others(key, typed); len(found) > 0 {
				n, others = l, found
				break
			}
		}
		out = append(out, part{words: words[i : i+n], others: others})
		i += n
	}
	return out
}

func text(words []word) (folded, spelled string) {
	f, s := make([]string, len(words)), make([]string, len(words))
	for i, w := range words {
		f[i], s[i] = w.folded, w.spelled
	}
	return strings.Join(f, " "), strings.Join(s, " ")
}

func (s *synonyms) others(key, typed string) [][]string {
	var out [][]string
	for _, e := range s.entries[key] {
		if typed != key && typed != e.spelled {
			continue
		}
		for _, o := range e.others {
			if !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, o) }) {
				out = append(out, o)
			}
		}
	}
	return out
}

func (s *Service) synonymsOf(ctx context.Context) (*synonyms, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.synonyms != nil && s.clock.Now().Sub(s.readAt) < synonymsFor {
		return s.synonyms, nil
	}
	read, err := readSynonyms(s.db.Read(ctx))
	if err != nil {
		if s.synonyms != nil { // older words are better than no search
			return s.synonyms, nil
		}
		return nil, err
	}
	s.synonyms, s.readAt = read, s.clock.Now()
	return read, nil
}
