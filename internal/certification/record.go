package certification

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// Entry is a certificate as a list of goods gives it. Either DecidedOn or only DecidedYear is known.
type Entry struct {
	Key         string // tells the same certificate again in the next list
	ProductID   int64
	Stars       int // 3 to 5
	DecisionNo  string
	Level       string
	Issuer      string
	DecidedOn   clock.Date // zero where only the year is known
	DecidedYear int
	Regime      string
	SourceURL   string
	Note        string
}

// Recorded is what became of an Entry.
type Recorded struct{ Added, Changed bool }

// Enter records the certificates of a list, by their keys, in a few statements however many they are. The code of a
// certificate is drawn once and never changes. A revocation stays whatever the list says. Keys must be unique.
func (s *Service) Enter(ctx context.Context, tx db.Tx, entries []Entry) (map[string]Recorded, error) {
	if len(entries) == 0 {
		return map[string]Recorded{}, nil
	}
	rows := make([]entryRow, len(entries))
	for i, e := range entries {
		from, to := YearOnly(e.DecidedYear)
		if !e.DecidedOn.IsZero() {
			from, to = e.DecidedOn, ValidTo(e.DecidedOn)
		}
		rows[i] = entryRow{Key: e.Key, Code: CodePrefix + ident.Code(4, 4), ProductID: e.ProductID, Stars: e.Stars, DecisionNo: e.DecisionNo,
			Level: e.Level, Issuer: e.Issuer, DecidedOn: e.DecidedOn.String(), DecidedYear: from.Y, Regime: e.Regime,
			ValidFrom: from.String(), ValidTo: to.String(), SourceURL: e.SourceURL, Note: e.Note}
	}
	out, err := upsertEntries(ctx, tx, rows, s.clock.Now())
	if err != nil {
		return nil, fmt.Errorf("certification: enter: %w", err)
	}
	if len(out) == 0 {
		return out, nil
	}
	named, err := toldByKeys(ctx, tx, slices.Collect(maps.Keys(out)))
	if err != nil {
		return nil, fmt.Errorf("certification: enter: %w", err)
	}
	return out, s.tell(ctx, tx, named)
}
