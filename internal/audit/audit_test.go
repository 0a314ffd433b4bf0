package audit_test

import (
	"context"
	"errors"
	"testing"

	"choocop.vn/ocop/internal/audit"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

func TestADeedIsRecordedWithItsTransactionOrNotAtAll(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	write := func(action string, then error) error {
		return d.InTx(ctx, func(tx db.Tx) error {
			err := audit.Record(ctx, tx, audit.Entry{Actor: "test", Action: action, Subject: "jar", SubjectID: "7", Detail: map[string]any{"delta": 2}})
			return errors.Join(err, then)
		})
	}
	for _, action := range []string{"jar.fill", "jar.close"} {
		if err := write(action, nil); err != nil {
			t.Fatal(err)
		}
	}
	undo := errors.New("undo")
	if err := write("jar.break", undo); !errors.Is(err, undo) {
		t.Fatal(err)
	}
	got, err := audit.Of(ctx, d.Read(ctx), "jar", "7", 10)
	if err != nil || len(got) != 2 || got[0].Action != "jar.close" || got[1].Action != "jar.fill" || got[0].Detail["delta"] != 2.0 {
		t.Errorf("events %+v, %v", got, err)
	}
	if err := d.InTx(ctx, func(tx db.Tx) error {
		return audit.Record(ctx, tx, audit.Entry{Detail: map[string]any{"x": make(chan int)}})
	}); err == nil {
		t.Error("a detail that is no JSON was accepted")
	}
}

func TestWhatWasRecordedCannotBeChanged(t *testing.T) {
	ctx, d := context.Background(), testkit.DB(t)
	err := d.InTx(ctx, func(tx db.Tx) error {
		return audit.Record(ctx, tx, audit.Entry{Actor: "test", Action: "jar.fill", Subject: "jar", SubjectID: "7"})
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`UPDATE audit_event SET actor = 'other'`, `DELETE FROM audit_event`, `TRUNCATE audit_event`} {
		if _, err := d.Pool().Exec(ctx, statement); !db.Breaks(err, "audit_event_append_only") {
			t.Errorf("%s: %v, want a refusal", statement, err)
		}
	}
}
