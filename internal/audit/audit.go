// Package audit records who did what to which record. Rows are written in the transaction of the
// deed itself and can never be changed (trigger append_only), so a deed and its trace exist together.
//
// Detail holds states, amounts and ids, never personal data: no names, phones, e-mails or addresses.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

// Entry is one deed. Actor says who in words ("account", "ocop user", "job"), AccountID which account, if one.
type Entry struct {
	AccountID *int64
	Actor     string
	Action    string // area.verb, for instance "stock.adjust"
	Subject   string // kind of record, for instance "stock_level"
	SubjectID string
	Detail    map[string]any
}

// Event is a stored deed.
type Event struct {
	ID int64
	At time.Time
	Entry
}

// Record writes the entry in the caller's transaction.
func Record(ctx context.Context, tx db.Tx, e Entry) error {
	detail := e.Detail
	if detail == nil {
		detail = map[string]any{}
	}
	data, err := json.Marshal(detail)
	if err != nil {
		return fmt.Errorf("audit: detail of %s: %w", e.Action, err)
	}
	if err := insert(ctx, tx, e, data); err != nil {
		return fmt.Errorf("audit: record %s: %w", e.Action, err)
	}
	return nil
}

// Of lists what was done to one record, newest first, at most limit rows.
func Of(ctx context.Context, g *gorm.DB, subject, subjectID string, limit int) ([]Event, error) {
	rows, err := list(ctx, g, subject, subjectID, limit)
	if err != nil {
		return nil, fmt.Errorf("audit: list %s: %w", subject, err)
	}
	out := make([]Event, len(rows))
	for i, r := range rows {
		out[i] = Event{ID: r.ID, At: r.At, Entry: Entry{
			AccountID: r.AccountID, Actor: r.Actor, Action: r.Action, Subject: r.Subject, SubjectID: r.SubjectID,
		}}
		if err := json.Unmarshal(r.Detail, &out[i].Detail); err != nil {
			return nil, fmt.Errorf("audit: detail of event %d: %w", r.ID, err)
		}
	}
	return out, nil
}
