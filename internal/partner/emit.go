package partner

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/job"
)

// Event is something that happened. Payload becomes the member data of what is posted: codes, states and amounts only.
type Event struct {
	Kind    string // one of Kinds
	Subject string // what it happened to: the order's code, the SKU, the certificate's code
	// PartnerID is through whose key the order was placed; it is set for events of orders and for no others.
	PartnerID int64
	At        time.Time
	Payload   any
}

// Emit tells whoever listens, if the caller's transaction commits. It is one statement, which writes nothing where nobody
// listens; with a listener one more queues the sending. An order that no partner placed costs nothing at all: its caller
// knows that from the order and does not call, so there is no memory of who listens that could be out of date.
func Emit(ctx context.Context, tx db.Tx, e Event) error { return EmitAll(ctx, tx, []Event{e}) }

// EmitAll does the same for many events in the same one statement.
func EmitAll(ctx context.Context, tx db.Tx, events []Event) error {
	if len(events) == 0 {
		return nil
	}
	type row struct {
		ID        string          `json:"id"`
		Kind      string          `json:"kind"`
		Subject   string          `json:"subject"`
		PartnerID *int64          `json:"partner_id"`
		At        time.Time       `json:"at"`
		Payload   json.RawMessage `json:"payload"`
	}
	rows := make([]row, len(events))
	for i, e := range events {
		data, err := json.Marshal(e.Payload)
		if err != nil {
			return fmt.Errorf("partner: payload of %s: %w", e.Kind, err)
		}
		rows[i] = row{ID: "evt_" + ident.Code(20), Kind: e.Kind, Subject: e.Subject, At: e.At, Payload: data}
		if e.PartnerID != 0 {
			rows[i].PartnerID = &e.PartnerID
		}
	}
	data, err := json.Marshal(rows)
	if err != nil {
		return fmt.Errorf("partner: emit: %w", err)
	}
	heard, err := insertEvents(ctx, tx, data)
	if err != nil {
		return fmt.Errorf("partner: emit %s: %w", events[0].Kind, err)
	}
	if !heard {
		return nil
	}
	return wake(ctx, tx)
}

// queue only inserts, in whatever transaction it is given, so one serves the whole program.
var queue = sync.OnceValues(job.NewQueue)

// wake has the deliveries looked through as soon as the transaction commits, instead of at the next round.
func wake(ctx context.Context, tx db.Tx) error {
	q, err := queue()
	if err != nil {
		return err
	}
	return q.Enqueue(ctx, tx, DeliverJob{})
}

// DeliverJob sends what is due.
type DeliverJob struct{}

// Kind names the job in the queue.
func (DeliverJob) Kind() string { return "webhook_deliver" }

// InsertOpts puts it among the jobs that wait for other people's servers. A failed round is not repeated: the next one
// looks at the same rows.
func (DeliverJob) InsertOpts() job.Options { return job.Options{Queue: job.Outside, MaxAttempts: 1} }

// SweepJob removes what was sent long ago.
type SweepJob struct{}

// Kind names the job in the queue.
func (SweepJob) Kind() string { return "webhook_sweep" }

// TellPaused mails a partner that an endpoint was paused.
type TellPaused struct {
	Endpoint string    `json:"endpoint"`
	At       time.Time `json:"at"`
}

// Kind names the job in the queue.
func (TellPaused) Kind() string { return "webhook_tell_paused" }

// Heard reports whether anybody listens to a kind of event now, for those who have to look for news before they can tell it.
func Heard(ctx context.Context, g *gorm.DB, kind string) (bool, error) {
	ok, err := heard(ctx, g, kind)
	return ok, wrap("heard", err)
}
