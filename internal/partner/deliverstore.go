package partner

import (
	"context"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

// claimed is an endpoint that this round alone sends to.
type claimed struct {
	ID           int64
	Code         string
	URL          string `gorm:"column:url"`
	SecretSealed []byte
}

// claimEndpoints takes the endpoints that have something due and that no other round holds.
func claimEndpoints(ctx context.Context, g *gorm.DB, now, until time.Time, limit int) ([]claimed, error) {
	var all []claimed
	err := g.WithContext(ctx).Raw(`UPDATE webhook_endpoint SET busy_until = @until WHERE id IN (
			SELECT e.id FROM webhook_endpoint e JOIN partner p ON p.id = e.partner_id AND p.state = 'active'
			WHERE e.state = 'active' AND (e.busy_until IS NULL OR e.busy_until <= @now)
				AND EXISTS (SELECT FROM webhook_delivery d WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= @now)
			ORDER BY e.busy_until NULLS FIRST, e.id LIMIT @limit FOR UPDATE OF e SKIP LOCKED)
		RETURNING id, code, url, secret_sealed`, map[string]any{"now": now, "until": until, "limit": limit}).Scan(&all).Error
	return all, err
}

// release gives an endpoint back. What was given back first is claimed last, so none starves.
func release(ctx context.Context, g *gorm.DB, id int64, at time.Time) error {
	return g.WithContext(ctx).Exec(`UPDATE webhook_endpoint SET busy_until = ? WHERE id = ?`, at, id).Error
}

type dueRow struct {
	ID        int64
	EventID   string
	Attempts  int
	Kind      string
	Payload   []byte
	CreatedAt time.Time
}

// due lists what an endpoint shall get now; none once it is paused.
func due(ctx context.Context, g *gorm.DB, endpointID int64, now time.Time, limit int) ([]dueRow, error) {
	var rows []dueRow
	err := g.WithContext(ctx).Raw(`SELECT d.id, d.event_id, d.attempts, v.kind, v.payload, v.created_at
		FROM webhook_delivery d JOIN webhook_notice v ON v.id = d.event_id JOIN webhook_endpoint e ON e.id = d.endpoint_id
		WHERE d.endpoint_id = ? AND d.state = 'waiting' AND d.next_at <= ? AND e.state = 'active' ORDER BY d.next_at, d.id LIMIT ?`,
		endpointID, now, limit).Scan(&rows).Error
	return rows, err
}

// result is what came of one attempt. Next nil and not Done means given up.
type result struct {
	Endpoint, Delivery int64
	Attempts           int // before this one
	At                 time.Time
	Took               time.Duration
	Status             *int
	Answer             string
	Done               bool
	Next               *time.Time
}

// note writes the attempt, the delivery and the endpoint's run of failures, and returns why the endpoint was paused by it.
// A delivery that was asked for anew while its letter was under way stays due.
func note(ctx context.Context, tx db.Tx, r result, gone bool) (why string, err error) {
	state := DeliveryWaiting
	var doneAt *time.Time
	switch {
	case r.Done:
		state, doneAt = DeliveryDone, &r.At
	case r.Next == nil:
		state = DeliveryFailed
	}
	err = tx.WithContext(ctx).Raw(`WITH logged AS (
			INSERT INTO webhook_attempt (delivery_id, at, took_ms, status, answer) VALUES (@delivery, @at, @took, CAST(@status AS int), @answer)
		), moved AS (
			UPDATE webhook_delivery SET attempts = attempts + 1, state = @state, next_at = @next, last_at = @at, last_status = CAST(@status AS int),
				last_answer = @answer, done_at = @done_at
			WHERE id = @delivery AND state = 'waiting' AND attempts = @attempts
		)
		UPDATE webhook_endpoint e SET
			failures = CASE WHEN @done THEN 0 ELSE e.failures + 1 END,
			failing_since = CASE WHEN @done THEN NULL ELSE coalesce(e.failing_since, @at) END,
			state = CASE WHEN o.pause <> '' THEN 'paused' ELSE e.state END,
			paused_why = CASE WHEN o.pause <> '' THEN o.pause ELSE e.paused_why END
		FROM (SELECT id, CASE WHEN state <> 'active' OR @done THEN '' WHEN @gone THEN 'gone'
			WHEN failures + 1 >= @pause_after AND failing_since <= @pause_before THEN 'failing' ELSE '' END AS pause
			FROM webhook_endpoint WHERE id = @endpoint FOR UPDATE) o
		WHERE e.id = o.id
		RETURNING o.pause`,
		map[string]any{"delivery": r.Delivery, "endpoint": r.Endpoint, "attempts": r.Attempts, "at": r.At, "took": r.Took.Milliseconds(), "status": r.Status,
			"answer": r.Answer, "state": state, "next": r.Next, "done_at": doneAt, "done": r.Done, "gone": gone,
			"pause_after": pauseAfter, "pause_before": r.At.Add(-pauseOver)}).Scan(&why).Error
	return why, err
}

func deliveries(ctx context.Context, g *gorm.DB, code, state, eventID string, before int64, limit int) ([]Delivery, error) {
	var rows []struct {
		ID int64
		Delivery
	}
	err := g.WithContext(ctx).Raw(`SELECT d.id, d.event_id, e.code AS endpoint, v.kind, v.subject, d.state, d.attempts, v.created_at, d.next_at, d.last_at,
			d.last_status, d.last_answer, d.done_at
		FROM webhook_endpoint e JOIN webhook_delivery d ON d.endpoint_id = e.id JOIN webhook_notice v ON v.id = d.event_id
		WHERE e.code = @code AND (@state = '' OR d.state = @state) AND (@event = '' OR d.event_id = @event) AND (@before = 0 OR d.id < @before)
		ORDER BY d.id DESC LIMIT @limit`,
		map[string]any{"code": code, "state": state, "event": eventID, "before": before, "limit": limit}).Scan(&rows).Error
	out := make([]Delivery, len(rows))
	for i, r := range rows {
		out[i] = r.Delivery
		out[i].id = r.ID
	}
	return out, err
}

func attemptsOf(ctx context.Context, g *gorm.DB, deliveryID int64) ([]Attempt, error) {
	var rows []struct {
		At     time.Time
		TookMs int64
		Status *int
		Answer string
	}
	err := g.WithContext(ctx).Raw(`SELECT at, took_ms, status, answer FROM webhook_attempt WHERE delivery_id = ? ORDER BY id`, deliveryID).Scan(&rows).Error
	out := make([]Attempt, len(rows))
	for i, r := range rows {
		out[i] = Attempt{At: r.At, Took: time.Duration(r.TookMs) * time.Millisecond, Status: r.Status, Answer: r.Answer}
	}
	return out, err
}

// lockEndpoint locks one of a partner's endpoints and returns its state, empty where there is none.
func lockEndpoint(ctx context.Context, tx db.Tx, partnerID int64, code string) (state string, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT state FROM webhook_endpoint WHERE partner_id = ? AND code = ? AND state <> 'removed' FOR UPDATE`, partnerID, code).Scan(&state).Error
	return state, err
}

// redeliver makes one delivery due again, or all that were given up for events since a moment. What waits keeps its turn.
func redeliver(ctx context.Context, tx db.Tx, code, eventID string, since, now time.Time) (int, error) {
	r := tx.WithContext(ctx).Exec(`UPDATE webhook_delivery d SET state = 'waiting', attempts = 0, next_at = @now, done_at = NULL
		FROM webhook_notice v
		WHERE v.id = d.event_id AND d.endpoint_id = (SELECT id FROM webhook_endpoint WHERE code = @code)
			AND (d.event_id = @event OR @event = '' AND d.state = 'failed' AND v.created_at >= @since)`,
		map[string]any{"code": code, "event": eventID, "since": since, "now": now})
	return int(r.RowsAffected), r.Error
}

// sweepSize is how many events one statement of the sweep removes.
const sweepSize = 5000

// sweep spares what is still on its way, such as a redelivery of the last minute.
func sweep(ctx context.Context, g *gorm.DB, before time.Time) (n int, err error) {
	err = g.WithContext(ctx).Raw(`WITH old AS (
			SELECT v.id FROM webhook_notice v WHERE v.created_at < @before
				AND NOT EXISTS (SELECT FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
					WHERE d.event_id = v.id AND (d.state = 'waiting' AND e.state = 'active' OR d.last_at >= @before))
			ORDER BY v.created_at LIMIT @limit
		), gone AS (
			DELETE FROM webhook_attempt a USING webhook_delivery d, old WHERE d.event_id = old.id AND a.delivery_id = d.id
		), dropped AS (
			DELETE FROM webhook_delivery d USING old WHERE d.event_id = old.id
		), swept AS (
			DELETE FROM webhook_notice v USING old WHERE v.id = old.id RETURNING 1
		)
		SELECT count(*) FROM swept`, map[string]any{"before": before, "limit": sweepSize}).Scan(&n).Error
	return n, err
}

func pauseNotice(ctx context.Context, g *gorm.DB, code string) (Notice, bool, error) {
	var r struct {
		Partner
		URL       string `gorm:"column:url"`
		PausedWhy string
	}
	err := g.WithContext(ctx).Raw(`SELECT p.id, p.name, p.email, p.locale, p.state, p.created_at, e.url, e.paused_why
		FROM webhook_endpoint e JOIN partner p ON p.id = e.partner_id
		WHERE e.code = ? AND e.state = 'paused' AND e.paused_why <> 'asked'`, code).Scan(&r).Error
	return Notice{Partner: r.Partner, Endpoint: Endpoint{Code: code, PartnerID: r.Partner.ID, URL: r.URL, State: EndpointPaused, PausedWhy: r.PausedWhy}}, r.Partner.ID != 0, err
}
