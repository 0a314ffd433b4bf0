package certification

import (
	"context"
	"strings"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
)

// Confirm makes the certificate of a request, for all products it names, and tells partners; the stars count at once.
// Version is the one the officer compared with the paper. It returns the certificate's code. Errors: NotFound outside the
// area; Denied certification.request.own for whoever entered or last changed it and certification.request.of_producer for
// people of the producer; Conflict certification.request.changed, .decided, or .recorded for a decision that a
// certificate of one of the products says already.
func (s *Service) Confirm(ctx context.Context, by Person, area account.Area, id int64, version int) (string, error) {
	var code string
	err := s.advance(ctx, Reach{Area: area}, id, version, Confirmed, func(tx db.Tx, r *Request) error {
		if err := s.decide(ctx, tx, by, r, ""); err != nil {
			return err
		}
		if faults := r.Check(clock.On(r.DecidedAt)); len(faults) > 0 {
			return faults
		}
		if err := s.unrecorded(ctx, tx, r); err != nil {
			return err
		}
		return s.note(ctx, tx, by, id, "confirmed", "", map[string]any{"version": r.Version})
	}, func(tx db.Tx, r Request) error {
		// The database holds a certificate against its confirmed request, so it comes last.
		code = CodePrefix + ident.Code(4, 4)
		return s.certify(ctx, tx, by, r, code)
	})
	if err != nil {
		return "", err
	}
	return code, nil
}

// unrecorded refuses a decision that the products have a certificate of already. It locks the products, so that two
// requests of the same decision wait for each other.
func (s *Service) unrecorded(ctx context.Context, tx db.Tx, r *Request) error {
	own, err := lockProducts(ctx, tx, r.ProducerID, r.Products)
	if err != nil {
		return err
	}
	if own != len(r.Products) {
		return apperr.Field("products", "certification.request.foreign_product")
	}
	twice, err := recorded(ctx, tx, *r)
	if err == nil && twice != "" {
		return apperr.New(apperr.Conflict, "certification.request.recorded", "code", twice)
	}
	return err
}

func (s *Service) certify(ctx context.Context, tx db.Tx, by Person, r Request, code string) error {
	if err := insertCertificate(ctx, tx, code, r, s.clock.Now()); err != nil {
		return err
	}
	err := audit.Record(ctx, tx, audit.Entry{AccountID: &by.AccountID, Actor: by.Actor, Action: "certificate.confirm", Subject: "certificate", SubjectID: code,
		Detail: map[string]any{"request": r.ID, "stars": r.Stars, "products": len(r.Products)}})
	if err != nil {
		return err
	}
	named, err := toldByCode(ctx, tx, code)
	if err != nil {
		return err
	}
	return s.tell(ctx, tx, named)
}

// Return gives a request back to those who sent it, saying in words what is missing. Errors as for [Service.Confirm], and
// certification.request.reason beside reason.
func (s *Service) Return(ctx context.Context, by Person, area account.Area, id int64, version int, reason string) error {
	return s.turnDown(ctx, by, area, id, version, Returned, reason)
}

// Refuse ends a request for good, with a reason. Errors as for [Service.Return].
func (s *Service) Refuse(ctx context.Context, by Person, area account.Area, id int64, version int, reason string) error {
	return s.turnDown(ctx, by, area, id, version, Refused, reason)
}

func (s *Service) turnDown(ctx context.Context, by Person, area account.Area, id int64, version int, to RequestState, reason string) error {
	reason = strings.TrimSpace(reason)
	if reason == "" || longer(reason, MaxNote) {
		return apperr.Field("reason", "certification.request.reason", "max", MaxNote)
	}
	return s.advance(ctx, Reach{Area: area}, id, version, to, func(tx db.Tx, r *Request) error {
		if err := s.decide(ctx, tx, by, r, reason); err != nil {
			return err
		}
		return s.note(ctx, tx, by, id, string(to), reason, map[string]any{"version": r.Version})
	})
}

// decide puts down who decides, unless they may not.
func (s *Service) decide(ctx context.Context, tx db.Tx, by Person, r *Request, reason string) error {
	if by.AccountID == r.EnteredBy || by.AccountID == r.EditedBy {
		return apperr.New(apperr.Denied, "certification.request.own")
	}
	theirs, err := worksFor(ctx, tx, by.AccountID, r.ProducerID)
	if err != nil {
		return err
	}
	if theirs {
		return apperr.New(apperr.Denied, "certification.request.of_producer")
	}
	r.DecidedBy, r.DecidedAt, r.Reason = by.AccountID, s.clock.Now(), reason
	return nil
}

// Remark adds a note of the office to an open or finished request.
func (s *Service) Remark(ctx context.Context, by Person, area account.Area, id int64, words string) error {
	words = strings.TrimSpace(words)
	if words == "" || longer(words, MaxNote) {
		return apperr.Field("note", "certification.request.note_required", "max", MaxNote)
	}
	return wrappedTx(s.db.InTx(ctx, func(tx db.Tx) error {
		if _, err := lockRequest(ctx, tx, Reach{Area: area}, id); err != nil {
			return err
		}
		return s.note(ctx, tx, by, id, "noted", words, nil)
	}))
}

// Assign gives an open request to an officer who may decide about it, or to nobody with 0. Field error
// certification.request.assignee for anybody else.
func (s *Service) Assign(ctx context.Context, by Person, area account.Area, id, to int64) error {
	return wrappedTx(s.db.InTx(ctx, func(tx db.Tx) error {
		r, err := lockRequest(ctx, tx, Reach{Area: area}, id)
		if err != nil {
			return err
		}
		if !r.Open() {
			return apperr.New(apperr.Conflict, "certification.request.decided")
		}
		if to != 0 {
			able, err := assignable(ctx, tx.DB, r.ID)
			if err != nil {
				return err
			}
			if _, ok := able[to]; !ok {
				return apperr.Field("to", "certification.request.assignee")
			}
		}
		if r.AssignedTo == to {
			return nil
		}
		if err := assign(ctx, tx, id, to); err != nil {
			return err
		}
		return s.note(ctx, tx, by, id, "assigned", "", map[string]any{"to": to})
	}))
}

func wrappedTx(err error) error {
	if err == nil {
		return nil
	}
	return wrapped("note", err)
}

// Pick is a request on a list with the version that was shown.
type Pick struct {
	ID      int64
	Version int
}

// MaxPicks bounds how many requests are confirmed at once.
const MaxPicks = 50

// ConfirmAll confirms those of the picked requests about which nothing is to be said (see [Service.Remarks]), each by
// itself, and returns how many it did and why it left the others.
func (s *Service) ConfirmAll(ctx context.Context, by Person, area account.Area, picks []Pick) (done int, left map[int64]*apperr.Error, err error) {
	if len(picks) > MaxPicks {
		return 0, nil, apperr.New(apperr.Invalid, "certification.request.too_many", "max", MaxPicks)
	}
	ids := make([]int64, len(picks))
	for i, p := range picks {
		ids[i] = p.ID
	}
	marks, err := s.Remarks(ctx, ids)
	if err != nil {
		return 0, nil, err
	}
	left = map[int64]*apperr.Error{}
	for _, p := range picks {
		if len(marks[p.ID]) > 0 {
			left[p.ID] = apperr.New(apperr.Conflict, "certification.request.look")
			continue
		}
		_, err := s.Confirm(ctx, by, area, p.ID, p.Version)
		if known, ok := apperr.As(err); ok {
			left[p.ID] = known[0]
			continue
		}
		if err != nil {
			return done, left, err
		}
		done++
	}
	return done, left, nil
}
