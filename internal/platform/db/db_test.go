package db_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/testkit"
)

func open(t *testing.T, dsn string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), db.Config{DSN: dsn, MaxConn: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func TestManyProgramsMigrateAtOnceAndGiveTheLockBack(t *testing.T) {
	dsn := testkit.EmptyDSN(t)
	var wg sync.WaitGroup
	for range 3 {
		d := open(t, dsn)
		wg.Go(func() {
			if err := db.Migrate(t.Context(), d); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// The pools are still open, as those of a running market are: a later program must not wait for them.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	late := open(t, dsn)
	if err := db.Migrate(ctx, late); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrated(ctx, late); err != nil {
		t.Error(err)
	}
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	d := testkit.DB(t)
	if err := d.Primary(t.Context()).Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)").Error; err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(t.Context(), d); !errors.Is(err, db.ErrNewer) {
		t.Errorf("migrate: %v", err)
	}
	if err := db.Migrated(t.Context(), d); !errors.Is(err, db.ErrNewer) {
		t.Errorf("migrated: %v", err)
	}
}

func TestAnOldSchemaIsNamed(t *testing.T) {
	d := testkit.DB(t)
	if err := d.Primary(t.Context()).Exec("DELETE FROM goose_db_version WHERE version_id > 3").Error; err != nil {
		t.Fatal(err)
	}
	if err := db.Migrated(t.Context(), d); err == nil || !strings.Contains(err.Error(), "ocop migrate") {
		t.Errorf("an old schema is not named: %v", err)
	}
}

func TestADeadlockIsTriedAgain(t *testing.T) {
	d := testkit.DB(t)
	tries := 0
	err := d.InTx(t.Context(), func(tx db.Tx) error {
		if tries++; tries < 3 {
			return tx.Exec("DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40P01'; END $$").Error
		}
		return nil
	})
	if err != nil || tries != 3 {
		t.Errorf("%d tries: %v", tries, err)
	}
}

func TestBrokenRulesAreKnownByName(t *testing.T) {
	d := testkit.DB(t)
	err := d.Primary(t.Context()).Exec("INSERT INTO order_counter (year, last) VALUES (2026, -1)").Error
	if !db.Breaks(err, "order_counter_last_check") || db.Breaks(err, "order_counter_pkey") {
		t.Errorf("not recognised: %v", err)
	}
	if db.Away(err) {
		t.Error("a broken rule is no outage")
	}
}

func TestAServerThatIsAwayIsToldFromAFault(t *testing.T) {
	d := open(t, "postgres://nobody@127.0.0.1:1/none")
	if err := d.Ping(t.Context()); !db.Away(err) {
		t.Errorf("not away: %v", err)
	}
	if db.Away(errors.New("fault")) {
		t.Error("a fault is no outage")
	}
}

func TestTheLogOfSlowStatementsHoldsNoValues(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	d := testkit.DB(t)
	if err := d.Primary(t.Context()).Exec("SELECT pg_sleep(0.6), ?", "Nguyễn Thị Hòa").Error; err != nil {
		t.Fatal(err)
	}
	if text := log.String(); !strings.Contains(text, "pg_sleep") || strings.Contains(text, "Nguy") {
		t.Errorf("log: %s", text)
	}
}
