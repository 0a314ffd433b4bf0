package certification

import (
	"context"
	"fmt"
	"strings"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Revoke ends a certificate: from the day on it no longer counts, whatever its dates say. The deed stands in the audit
// log. Doing it again with the same day and reason changes nothing. Errors: certification.code.*,
// certification.revoke.why for a missing reason, certification.revoke.before for a day before it began to count, and
// Conflict certification.revoke.already for one that was revoked otherwise.
func (s *Service) Revoke(ctx context.Context, code string, on clock.Date, why, actor string) error {
	wanted, err := Canonical(code)
	if err != nil {
		return err
	}
	why = strings.TrimSpace(why)
	if why == "" {
		return apperr.Field("why", "certification.revoke.why")
	}
	return s.db.InTx(ctx, func(tx db.Tx) error {
		r, ok, err := lockByCode(ctx, tx, wanted)
		if err != nil {
			return err
		}
		if !ok {
			return apperr.New(apperr.NotFound, "certification.code.unknown", "code", wanted)
		}
		if r.RevokedOn != nil {
			if *r.RevokedOn == on && r.RevokedWhy == why {
				return nil
			}
			return apperr.New(apperr.Conflict, "certification.revoke.already", "date", *r.RevokedOn)
		}
		if !on.Valid() || on.Before(r.ValidFrom) {
			return apperr.Field("on", "certification.revoke.before", "date", r.ValidFrom)
		}
		if err := revoke(ctx, tx, r.ID, on, why); err != nil {
			return fmt.Errorf("certification: revoke: %w", err)
		}
		err = audit.Record(ctx, tx, audit.Entry{Actor: actor, Action: "certificate.revoke", Subject: "certificate", SubjectID: wanted,
			Detail: map[string]any{"on": on.String(), "why": why}})
		if err != nil {
			return err
		}
		named, err := toldByCode(ctx, tx, wanted)
		if err != nil {
			return fmt.Errorf("certification: revoke: %w", err)
		}
		return s.tell(ctx, tx, named)
	})
}
