package certification

import (
	"context"
	"fmt"
	"slices"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Marks are how many days before the last one a producer is told that its stars end, the first mark first.
var Marks = []int{180, 90, 30}

// MarkOf is the mark that a certificate with so many days left has reached, or 0.
func MarkOf(days int) int {
	mark := 0
	for _, m := range Marks {
		if days >= 0 && days <= m {
			mark = m
		}
	}
	return mark
}

// Holding is a certificate of a producer with the products it names.
type Holding struct {
	Record
	Products []Named
	Names    string
	Renewed  bool // every product has a later decision
}

// DaysLeft is how many days it still counts after a day; 0 on its last one.
func (r Record) DaysLeft(on clock.Date) int { return on.DaysUntil(r.ValidTo) }

// Expiring reports whether it counts on the day and ends within the first mark.
func (r Record) Expiring(on clock.Date) bool {
	return r.StateOn(on) == StateValid && MarkOf(r.DaysLeft(on)) != 0
}

// Ending reports whether it is time to renew: it is expiring, and nothing came after it.
func (h Holding) Ending(on clock.Date) bool { return !h.Renewed && h.Expiring(on) }

// Holdings are all certificates of a producer, those that end last first.
func (s *Service) Holdings(ctx context.Context, producerID int64) ([]Holding, error) {
	out, err := holdings(ctx, s.db.Primary(ctx), producerID)
	if err != nil {
		return nil, fmt.Errorf("certification: holdings: %w", err)
	}
	return out, nil
}

// Ending counts the certificates of a producer that are to be renewed, and says when the first one ends.
func (s *Service) Ending(ctx context.Context, producerID int64) (n int, first clock.Date, err error) {
	all, err := s.Holdings(ctx, producerID)
	if err != nil {
		return 0, first, err
	}
	today := clock.Today(s.clock)
	for _, h := range all {
		if h.Ending(today) {
			if n++; first.IsZero() || h.ValidTo.Before(first) {
				first = h.ValidTo
			}
		}
	}
	return n, first, nil
}

// ToMend counts the requests of a producer that came back because something is missing.
func (s *Service) ToMend(ctx context.Context, producerID int64) (n int, err error) {
	if n, err = toMend(ctx, s.db.Primary(ctx), producerID); err != nil {
		return 0, fmt.Errorf("certification: to mend: %w", err)
	}
	return n, nil
}

// Renewal is a draft for the next decision, from the papers of one of the producer's certificates: its products with their
// codes, its stars, level and issuer. What only the new decision says is left open. A certificate of somebody else, or
// none, gives an empty draft.
func (s *Service) Renewal(ctx context.Context, producerID, certificateID int64) (Draft, error) {
	all, err := s.Holdings(ctx, producerID)
	if err != nil {
		return Draft{}, err
	}
	i := slices.IndexFunc(all, func(h Holding) bool { return h.ID == certificateID })
	if i < 0 {
		return Draft{}, nil
	}
	h := all[i]
	return Draft{Stars: h.Stars, Level: RegimeOn(clock.Today(s.clock)).LevelOf(h.Stars), Issuer: h.Issuer, Products: h.Products}, nil
}

// WarnEnding asks for [Service.Warnings], many times a day; each certificate and mark is told once.
type WarnEnding struct{}

// Kind names the job in the queue.
func (WarnEnding) Kind() string { return "certification_warn_ending" }

// Warning is what the people of a producer are told of a certificate that ends.
type Warning struct {
	CertificateID int64
	Mark          int
	Stars         int
	DecisionNo    string
	Days          int
	ValidTo       clock.Date
	Producer      string
	Goods         string
	To            []Reader
}

// Key tells the same warning again, so that a mail goes out once.
func (w Warning) Key(r Reader) string {
	return fmt.Sprintf("stars-ending-%d-%d-%d", w.CertificateID, w.Mark, r.AccountID)
}

// Reader is somebody who works for the producer.
type Reader struct {
	AccountID int64
	Email     string
	Locale    i18n.Locale
}

// warningsAtOnce bounds what one run tells.
const warningsAtOnce = 500

// Warnings puts down which certificates have reached a mark since it last ran and returns what is to be told. A program
// that was off for months tells of each certificate once, by the mark it stands at now.
func (s *Service) Warnings(ctx context.Context) (out []Warning, err error) {
	now := s.clock.Now()
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		if err := reachMarks(ctx, tx, clock.On(now), now); err != nil {
			return err
		}
		out, err = openWarnings(ctx, tx, clock.On(now), warningsAtOnce)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("certification: warnings: %w", err)
	}
	return out, nil
}

// Warned notes that a warning was told.
func (s *Service) Warned(ctx context.Context, w Warning) error {
	if err := closeWarning(ctx, s.db.Primary(ctx), w.CertificateID, w.Mark, s.clock.Now()); err != nil {
		return fmt.Errorf("certification: warned: %w", err)
	}
	return nil
}
