package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	"choocop.vn/ocop/migrations"
)

// migrationLock is the advisory lock under which one program at a time changes the schema.
const migrationLock = 7_262_019

// ErrNewer means the database was migrated by a newer program; this one must not touch it.
var ErrNewer = errors.New("the database belongs to a newer version of ocop: start that version, or restore the backup made before it")

// Migrate brings the schema of our tables and of the job queue to this program's version. Each file
// is one transaction, so a killed run leaves whole steps and the next one goes on from there.
// Several programs may start at once: one migrates, the others wait for it.
func Migrate(ctx context.Context, d *DB) (err error) {
	conn, err := d.sql.Conn(ctx)
	if err != nil {
		return fmt.Errorf("db: migrate: %w", err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SET lock_timeout = 0; SET statement_timeout = 0"); err != nil {
		return fmt.Errorf("db: migrate: %w", err)
	}
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return fmt.Errorf("db: migrate: lock: %w", err)
	}
	// The connection goes back to the pool: it must neither keep the lock nor the settings.
	defer func() {
		after := context.WithoutCancel(ctx)
		_, unlocked := conn.ExecContext(after, "SELECT pg_advisory_unlock($1)", migrationLock)
		_, reset := conn.ExecContext(after, "RESET lock_timeout; RESET statement_timeout")
		err = errors.Join(err, unlocked, reset)
	}()

	// Long steps must not meet the timeouts that guard pages.
	cfg := d.pool.Config().ConnConfig.Copy()
	cfg.RuntimeParams["statement_timeout"] = "0"
	cfg.RuntimeParams["lock_timeout"] = "60s"
	own := stdlib.OpenDB(*cfg)
	defer own.Close()

	p, err := provider(own)
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("db: migrate: %w", err)
	}
	if have > want {
		return ErrNewer
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("db: migrate: %w", err)
	}
	queue, err := rivermigrate.New(riverdatabasesql.New(own), nil)
	if err != nil {
		return fmt.Errorf("db: migrate queue: %w", err)
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("db: migrate queue: %w", err)
	}
	return nil
}

func provider(conn *sql.DB) (*goose.Provider, error) {
	p, err := goose.NewProvider(goose.DialectPostgres, conn, migrations.Files)
	if err != nil {
		return nil, fmt.Errorf("db: migrations: %w", err)
	}
	return p, nil
}

// Migrated reports an error unless the schema is exactly this program's version.
func Migrated(ctx context.Context, d *DB) error {
	p, err := provider(d.sql)
	if err != nil {
		return err
	}
	var have int64
	if err := d.sql.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied").Scan(&have); err != nil {
		return fmt.Errorf("db: schema version: %w", err)
	}
	sources := p.ListSources()
	want := sources[len(sources)-1].Version
	switch {
	case have > want:
		return ErrNewer
	case have < want:
		return fmt.Errorf("the database schema is at step %d, this program needs %d: run `ocop migrate`", have, want)
	}
	return nil
}
