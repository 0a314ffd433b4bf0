package producer

import (
	"context"
	"fmt"
	"strings"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// Entry is a producer as a list of goods names it.
type Entry struct {
	// Key tells the same producer again in the next list.
	Key          string
	Name         string
	NameEN       string
	NameKnown    bool
	Kind         string
	ProvinceCode string
	PlaceText    string
	OldProvince  string
	IsDemo       bool
}

// Admitted is what became of an Entry.
type Admitted struct {
	ID      int64
	Added   bool
	Changed bool
}

// Admit enters the producers of a list, by their keys, in a few statements however many they are. Known ones are brought
// up to date and touched only where something differs; a blank never erases what is known. Keys must be unique.
func (s *Service) Admit(ctx context.Context, tx db.Tx, entries []Entry) (map[string]Admitted, error) {
	if len(entries) == 0 {
		return map[string]Admitted{}, nil
	}
	rows := make([]entryRow, len(entries))
	wished := make([]string, len(entries))
	for i, e := range entries {
		wished[i] = wish(e)
		rows[i] = entryRow{Key: e.Key, Name: e.Name, NameEN: e.NameEN, NameKnown: e.NameKnown, Kind: e.Kind,
			ProvinceCode: e.ProvinceCode, PlaceText: e.PlaceText, OldProvince: e.OldProvince, IsDemo: e.IsDemo}
	}
	taken, err := takenSlugs(ctx, tx, wished)
	if err != nil {
		return nil, fmt.Errorf("producer: admit: %w", err)
	}
	for i := range rows {
		rows[i].Slug = wished[i]
		if key, is := taken[wished[i]]; is && key != rows[i].Key {
			// Two makers of one name: the second's address carries letters drawn from its key, so it never changes.
			rows[i].Slug = wished[i] + "-" + tail(rows[i].Key)
		}
		taken[rows[i].Slug] = rows[i].Key
	}
	out, err := upsertEntries(ctx, tx, rows, s.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("producer: admit: %w", err)
	}
	return out, nil
}

func wish(e Entry) string {
	if slug := ident.Slug(e.Name); slug != "" {
		return slug
	}
	return "nha-san-xuat-" + tail(e.Key)
}

func tail(key string) string {
	sum := ident.Hash(key)
	return strings.ToLower(fmt.Sprintf("%x", sum[:3]))
}
