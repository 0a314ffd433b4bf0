package certification

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// Revocation is the decision of an authority that takes stars away.
type Revocation struct {
	On     clock.Date // the first day without the stars
	Why    string     // in words, as everybody may read them
	Ground string     // one of [Grounds] on that day
	No     string     // of the decision
}

// maxDecisionNo is the most letters a decision's number has.
const maxDecisionNo = 100

// Check says what is wrong with a revocation that a person put down.
func (v Revocation) Check() apperr.List {
	var out apperr.List
	if v.Ground == "" || v.On.Valid() && !slices.Contains(Grounds(v.On), v.Ground) {
		out = append(out, apperr.Field("ground", "certification.revoke.ground"))
	}
	if v.No == "" || longer(v.No, maxDecisionNo) {
		out = append(out, apperr.Field("decision_no", "certification.revoke.no"))
	}
	if v.Why == "" || longer(v.Why, MaxNote) {
		out = append(out, apperr.Field("why", "certification.revoke.why"))
	}
	if !v.On.Valid() {
		out = append(out, apperr.Field("on", "certification.revoke.on"))
	}
	return out
}

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
			return unknownCode(wanted)
		}
		return s.end(ctx, tx, r, Revocation{On: on, Why: why}, Person{Actor: actor})
	})
}

// TakeAway is [Service.Revoke] by an officer, who names the ground and the decision. All producers of the certificate lie
// in the officer's area. Errors: NotFound certification.code.unknown where none does, Denied certification.revoke.elsewhere
// where one does not, Denied certification.request.of_producer for people who work for one of them, and those of
// [Revocation.Check] beside their fields.
func (s *Service) TakeAway(ctx context.Context, by Person, area account.Area, code string, v Revocation) error {
	wanted, err := Canonical(code)
	if err != nil {
		return unknownCode(code)
	}
	v.Why, v.No = strings.TrimSpace(v.Why), strings.TrimSpace(v.No)
	return s.db.InTx(ctx, func(tx db.Tx) error {
		r, whole, err := lockWithin(ctx, tx, area, wanted)
		if err != nil {
			return err
		}
		if !whole {
			return apperr.New(apperr.Denied, "certification.revoke.elsewhere")
		}
		theirs, err := worksForAny(ctx, tx, by.AccountID, r.ID)
		if err != nil {
			return err
		}
		if theirs {
			return apperr.New(apperr.Denied, "certification.request.of_producer")
		}
		if faults := v.Check(); len(faults) > 0 {
			return faults
		}
		return s.end(ctx, tx, r, v, by)
	})
}

func unknownCode(code string) error {
	return apperr.New(apperr.NotFound, "certification.code.unknown", "code", code)
}

// end writes the revocation of a certificate that is locked.
func (s *Service) end(ctx context.Context, tx db.Tx, r Record, v Revocation, by Person) error {
	if r.RevokedOn != nil {
		if *r.RevokedOn == v.On && r.RevokedWhy == v.Why {
			return nil
		}
		return apperr.New(apperr.Conflict, "certification.revoke.already", "date", *r.RevokedOn)
	}
	if !v.On.Valid() || v.On.Before(r.ValidFrom) {
		return apperr.Field("on", "certification.revoke.before", "date", r.ValidFrom)
	}
	if err := revoke(ctx, tx, r.ID, v, by.AccountID, s.clock.Now()); err != nil {
		return fmt.Errorf("certification: revoke: %w", err)
	}
	entry := audit.Entry{Actor: by.Actor, Action: "certificate.revoke", Subject: "certificate", SubjectID: r.Code,
		Detail: map[string]any{"on": v.On.String(), "why": v.Why, "ground": v.Ground, "decision": v.No}}
	if by.AccountID != 0 {
		entry.AccountID = &by.AccountID
	}
	if err := audit.Record(ctx, tx, entry); err != nil {
		return err
	}
	named, err := toldByCode(ctx, tx, r.Code)
	if err != nil {
		return fmt.Errorf("certification: revoke: %w", err)
	}
	return s.tell(ctx, tx, named)
}

// Signed is who did something about a certificate, and when.
type Signed struct {
	By string
	At time.Time
}
