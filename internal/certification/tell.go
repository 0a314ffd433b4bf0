package certification

import (
	"context"
	"fmt"

	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// TellLapsed asks for [Service.TellLapsed], many times a day; it works once, soon after midnight.
type TellLapsed struct{}

// Kind names the job in the queue.
func (TellLapsed) Kind() string { return "certification_tell_lapsed" }

// TellLapsed tells partners of the certificates that began or ceased to count by date since the last day it did so, and
// returns how many. A program that was off for days tells of all of them.
func (s *Service) TellLapsed(ctx context.Context, _ TellLapsed) (n int, err error) {
	today := clock.Today(s.clock)
	err = s.db.InTx(ctx, func(tx db.Tx) error {
		last, known, err := takeTold(ctx, tx, today)
		if err != nil || !known || !last.Before(today) {
			return err
		}
		rows, err := turned(ctx, tx, last, today)
		if err != nil {
			return err
		}
		n = len(rows)
		return s.tell(ctx, tx, rows)
	})
	if err != nil {
		return 0, fmt.Errorf("certification: tell lapsed: %w", err)
	}
	return n, nil
}

// tell tells partners in which state certificates are today.
func (s *Service) tell(ctx context.Context, tx db.Tx, rows []toldRow) error {
	now := s.clock.Now()
	today := clock.On(now)
	events := make([]partner.Event, len(rows))
	for i, r := range rows {
		record := Record{ValidFrom: r.ValidFrom, ValidTo: r.ValidTo, RevokedOn: optional(r.RevokedOn)}
		events[i] = partner.Event{Kind: partner.CertificateChanged, Subject: r.Code, At: now, Payload: map[string]any{
			"code": r.Code, "product": r.Slug, "stars": r.Stars, "state": record.StateOn(today), "valid_to": r.ValidTo.String()}}
	}
	return partner.EmitAll(ctx, tx, events)
}
