package certification

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// RequestState is how far a star decision that somebody sent in has come.
type RequestState string

// The states of a request.
const (
	Entered   RequestState = "entered"   // waits for an officer
	Returned  RequestState = "returned"  // something is missing; it can be mended and sent again
	Confirmed RequestState = "confirmed" // a certificate was made of it
	Refused   RequestState = "refused"   // with a reason, for good
	Withdrawn RequestState = "withdrawn" // by those who sent it
)

// RequestStates lists all states.
func RequestStates() []RequestState {
	return []RequestState{Entered, Returned, Confirmed, Refused, Withdrawn}
}

// steps is the whole of what may become of a request. Entered to Entered is a change of what was sent.
var steps = map[RequestState][]RequestState{
	Entered:  {Entered, Returned, Confirmed, Refused, Withdrawn},
	Returned: {Entered, Withdrawn},
}

// Limits of a request, in characters and products.
const (
	MaxDecisionNo  = 100
	MaxIssuer      = 200
	MaxProductCode = 60
	MaxNote        = 1000
	MaxProducts    = 50
)

// Person is who does something, for the books.
type Person struct {
	AccountID int64
	Actor     string
}

// Reach is whose requests somebody may see: those of an area for officers, those of one producer for its people. The zero
// value reaches nothing.
type Reach struct {
	Area     account.Area
	Producer int64
}

// Named is a product that a decision names, with its code as it is written there.
type Named struct {
	ProductID int64
	Code      string
}

// Draft is what a person sends in: what the decision says, and a picture of it.
type Draft struct {
	Stars      int
	DecisionNo string
	Level      string
	Issuer     string
	DecidedOn  clock.Date
	Products   []Named
	DocumentID int64 // from [media.Service.KeepDocument], by the same person, unless it stood in the request before
	Note       string
}

// Request is a star decision that was sent in.
type Request struct {
	ID         int64
	ProducerID int64
	Draft
	ValidTo    clock.Date
	Regime     string
	State      RequestState
	Version    int
	EnteredBy  int64
	EnteredAt  time.Time
	EditedBy   int64
	DueOn      clock.Date
	AssignedTo int64 // 0 for nobody
	DecidedBy  int64
	DecidedAt  time.Time
	Reason     string
	Code       string // of the certificate, once there is one
}

// Open reports whether an officer still has to answer.
func (r Request) Open() bool { return r.State == Entered }

// Mendable reports whether those who sent it may still change it.
func (r Request) Mendable() bool { return r.State == Entered || r.State == Returned }

// clean brings what was typed into the form in which it is kept.
func (d Draft) clean() Draft {
	d.DecisionNo, d.Issuer, d.Note = oneLine(d.DecisionNo), oneLine(d.Issuer), strings.TrimSpace(d.Note)
	products := make([]Named, 0, len(d.Products))
	for _, p := range d.Products {
		p.Code = oneLine(p.Code)
		if !slices.ContainsFunc(products, func(o Named) bool { return o.ProductID == p.ProductID }) {
			products = append(products, p)
		}
	}
	slices.SortFunc(products, func(a, b Named) int { return int(a.ProductID - b.ProductID) })
	d.Products = products
	return d
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func longer(s string, most int) bool { return utf8.RuneCountInString(s) > most }

// Check says what keeps a decision from being what the regime of its day allows, each fault beside its field: stars,
// decision_no, level, issuer, decided_on, products, code-ID of a product, file, note.
func (d Draft) Check(today clock.Date) apperr.List {
	d = d.clean()
	var out apperr.List
	bad := func(field, key string, args ...any) { out = append(out, apperr.Field(field, key, args...)) }
	if d.Stars < 3 || d.Stars > 5 {
		bad("stars", "certification.request.stars")
	}
	if d.DecisionNo == "" || longer(d.DecisionNo, MaxDecisionNo) {
		bad("decision_no", "certification.request.decision_no", "max", MaxDecisionNo)
	}
	switch first := regimes[0].From; {
	case !d.DecidedOn.Valid():
		bad("decided_on", "certification.request.decided_on")
	case d.DecidedOn.After(today):
		bad("decided_on", "certification.request.future")
	case d.DecidedOn.Before(first):
		bad("decided_on", "certification.request.before", "date", first)
	}
	switch d.Level {
	case District, Province, Ministry:
		if len(out) == 0 {
			if key, args := d.wrongLevel(); key != "" {
				bad("level", key, args...)
			}
		}
	default:
		bad("level", "certification.request.level")
	}
	if d.Issuer == "" || longer(d.Issuer, MaxIssuer) {
		bad("issuer", "certification.request.issuer", "max", MaxIssuer)
	}
	if n := len(d.Products); n == 0 || n > MaxProducts {
		bad("products", "certification.request.products", "max", MaxProducts)
	}
	for _, p := range d.Products {
		if longer(p.Code, MaxProductCode) {
			bad("code-"+strconv.FormatInt(p.ProductID, 10), "certification.request.product_code", "max", MaxProductCode)
		}
	}
	if d.DocumentID == 0 {
		bad("file", "certification.request.file")
	}
	if longer(d.Note, MaxNote) {
		bad("note", "certification.request.note", "max", MaxNote)
	}
	return out
}

// wrongLevel explains who recognises so many stars, where that is somebody else.
func (d Draft) wrongLevel() (key string, args []any) {
	r := RegimeOn(d.DecidedOn)
	right := r.LevelOf(d.Stars)
	if d.Level == right {
		return "", nil
	}
	return "certification.level.by_" + right, []any{"stars", d.Stars, "regime", r.Name, "date", d.DecidedOn}
}

// Submit records a decision that somebody sends in for a producer within reach; it gives no stars yet. The same key again
// returns the first request. Field errors as [Draft.Check] says; NotFound for a producer out of reach.
func (s *Service) Submit(ctx context.Context, by Person, in Reach, producerID int64, key string, d Draft) (int64, error) {
	d = d.clean()
	now := s.clock.Now()
	if faults := d.Check(clock.On(now)); len(faults) > 0 {
		return 0, faults
	}
	var id int64
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		if err := holdProducer(ctx, tx, in, producerID); err != nil {
			return err
		}
		if err := fits(ctx, tx, by, producerID, d, 0); err != nil {
			return err
		}
		r := newRequest(by, producerID, d, now)
		var err error
		if id, err = insertRequest(ctx, tx, key, r); err != nil {
			return err
		}
		if err := insertNamed(ctx, tx, id, d.Products); err != nil {
			return err
		}
		return s.note(ctx, tx, by, id, "entered", "", map[string]any{"producer": producerID, "stars": d.Stars, "products": len(d.Products)})
	})
	if db.Breaks(err, "certificate_request_request_key_key") {
		return requestByKey(ctx, s.db.Primary(ctx), key, by.AccountID)
	}
	if err != nil {
		return 0, wrapped("submit", err)
	}
	return id, nil
}

func newRequest(by Person, producerID int64, d Draft, now time.Time) Request {
	regime := RegimeOn(d.DecidedOn)
	return Request{ProducerID: producerID, Draft: d, Regime: regime.Name, ValidTo: regime.ValidTo(d.DecidedOn), State: Entered, Version: 1,
		EnteredBy: by.AccountID, EnteredAt: now, EditedBy: by.AccountID, DueOn: DueOn(clock.On(now))}
}

// Amend changes what was sent while nobody has decided, or sends again what was returned. Version is the one the person
// saw. Errors as for [Service.Submit], and Conflict certification.request.changed or .decided.
func (s *Service) Amend(ctx context.Context, by Person, in Reach, id int64, version int, d Draft) error {
	d = d.clean()
	now := s.clock.Now()
	if faults := d.Check(clock.On(now)); len(faults) > 0 {
		return faults
	}
	return s.advance(ctx, in, id, version, Entered, func(tx db.Tx, r *Request) error {
		if err := fits(ctx, tx, by, r.ProducerID, d, r.DocumentID); err != nil {
			return err
		}
		what := "changed"
		if r.State == Returned {
			what, r.DueOn = "entered", DueOn(clock.On(now))
		}
		next := newRequest(by, r.ProducerID, d, now)
		r.Draft, r.Regime, r.ValidTo = d, next.Regime, next.ValidTo
		r.EditedBy, r.Version = by.AccountID, r.Version+1
		r.DecidedBy, r.DecidedAt, r.Reason = 0, time.Time{}, ""
		if err := replaceNamed(ctx, tx, id, d.Products); err != nil {
			return err
		}
		return s.note(ctx, tx, by, id, what, "", map[string]any{"stars": d.Stars, "products": len(d.Products), "version": r.Version})
	})
}

// Withdraw takes a request back. An officer takes back only what they entered themselves.
func (s *Service) Withdraw(ctx context.Context, by Person, in Reach, id int64) error {
	return s.advance(ctx, in, id, 0, Withdrawn, func(tx db.Tx, r *Request) error {
		if in.Producer == 0 && r.EnteredBy != by.AccountID {
			return apperr.New(apperr.Denied, "certification.request.withdraw_own")
		}
		r.DecidedBy, r.DecidedAt, r.Reason = 0, time.Time{}, ""
		return s.note(ctx, tx, by, id, "withdrawn", "", nil)
	})
}

// advance locks a request within reach, tries the step, lets do change it, writes it, and does what follows. Version 0 takes
// any. The change, its history and its trace exist together or not at all.
func (s *Service) advance(ctx context.Context, in Reach, id int64, version int, to RequestState, do func(db.Tx, *Request) error, then ...func(db.Tx, Request) error) error {
	err := s.db.InTx(ctx, func(tx db.Tx) error {
		r, err := lockRequest(ctx, tx, in, id)
		if err != nil {
			return err
		}
		if !slices.Contains(steps[r.State], to) {
			return apperr.New(apperr.Conflict, "certification.request.decided")
		}
		if version != 0 && version != r.Version {
			return apperr.New(apperr.Conflict, "certification.request.changed")
		}
		if err := do(tx, &r); err != nil {
			return err
		}
		r.State = to
		if err := updateRequest(ctx, tx, r); err != nil {
			return err
		}
		for _, f := range then {
			if err := f(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return wrapped(string(to), err)
	}
	return nil
}

// wrapped leaves what a person may read as it is.
func wrapped(what string, err error) error {
	if _, ours := apperr.As(err); ours {
		return err
	}
	return fmt.Errorf("certification: request %s: %w", what, err)
}

// note writes what was done into the request's history and the audit log.
func (s *Service) note(ctx context.Context, tx db.Tx, by Person, id int64, what, words string, detail map[string]any) error {
	if err := insertHistory(ctx, tx, id, s.clock.Now(), by.AccountID, what, words); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{AccountID: &by.AccountID, Actor: by.Actor, Action: "certificate_request." + what,
		Subject: "certificate_request", SubjectID: strconv.FormatInt(id, 10), Detail: detail})
}

// fits holds a draft against the records it names: products are the producer's own, and the paper is one that this person
// sent or that stood there before.
func fits(ctx context.Context, tx db.Tx, by Person, producerID int64, d Draft, before int64) error {
	own, err := ownProducts(ctx, tx, producerID, d.Products)
	if err != nil {
		return err
	}
	if own != len(d.Products) {
		return apperr.Field("products", "certification.request.foreign_product")
	}
	if d.DocumentID == before {
		return nil
	}
	sent, err := sentBy(ctx, tx, d.DocumentID, by.AccountID)
	if err == nil && !sent {
		return apperr.Field("file", "certification.request.file")
	}
	return err
}
