// Package testkit gives each test a PostgreSQL database of its own, cloned from a migrated template
// in some tens of milliseconds, a real Redis, and the builders and visitors that tests share.
//
// The servers come from `make test`, or for one package from
//
//	go run ./internal/testkit/withservers go test ./internal/order/
package testkit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/migrations"
)

// Names of the variables through which the servers for tests are handed over.
const (
	DatabaseEnv = "OCOP_TEST_DATABASE_URL"
	RedisEnv    = "OCOP_TEST_REDIS_URL"
)

// server is the address of the test server; a test without one fails, it is never skipped.
func server(t testing.TB, env string) string {
	t.Helper()
	address := os.Getenv(env)
	if address == "" {
		t.Fatalf("%s is not set: run `make test`, or `go run ./internal/testkit/withservers go test …`", env)
	}
	return address
}

// DB is an open pool on a fresh database. It is dropped when the test ends, unless the test
// failed: then it stays and its name is printed.
func DB(t testing.TB) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), db.Config{DSN: DSN(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// DSN is the address of a fresh database, as DB makes it.
func DSN(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	admin := server(t, DatabaseEnv)
	tpl, err := template(ctx, admin)
	if err != nil {
		t.Fatalf("testkit: template database: %v", err)
	}
	name := "t_" + hex.EncodeToString(ident.Hash(ident.Token()))[:16]
	if err := execute(ctx, admin, fmt.Sprintf(`CREATE DATABASE %s TEMPLATE %s STRATEGY wal_log`, name, tpl)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the test's database is kept: %s", name)
			return
		}
		if err := execute(ctx, admin, fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, name)); err != nil {
			t.Error(err)
		}
	})
	return within(admin, name)
}

// EmptyDSN is the address of a new database without any schema.
func EmptyDSN(t testing.TB) string {
	t.Helper()
	ctx := context.Background()
	admin := server(t, DatabaseEnv)
	name := "t_" + hex.EncodeToString(ident.Hash(ident.Token()))[:16]
	if err := execute(ctx, admin, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = execute(ctx, admin, fmt.Sprintf(`DROP DATABASE %s WITH (FORCE)`, name)) })
	return within(admin, name)
}

// RedisURL is the address of a real Redis with a numbered database that this test has to itself
// only by key prefix: use Prefix for keys, never FLUSHALL.
func RedisURL(t testing.TB) string {
	t.Helper()
	return server(t, RedisEnv)
}

func within(admin, name string) string {
	u, err := url.Parse(admin)
	if err != nil || u.Scheme == "" {
		return admin + " dbname=" + name
	}
	u.Path = "/" + name
	return u.String()
}

func execute(ctx context.Context, dsn, statement string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

var made sync.Map // admin DSN → template name, per process

// template returns the name of a database with all migrations and reference data, made once per
// version of them; test binaries of many packages agree by an advisory lock.
func template(ctx context.Context, admin string) (string, error) {
	if name, ok := made.Load(admin); ok {
		return name.(string), nil
	}
	sum := sha256.New()
	err := fs.WalkDir(migrations.Files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := migrations.Files.ReadFile(path)
		sum.Write([]byte(path))
		sum.Write(data)
		return err
	})
	if err != nil {
		return "", err
	}
	sum.Write([]byte(geo.Checksum()))
	name := "tpl_" + hex.EncodeToString(sum.Sum(nil))[:16]

	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(7262020)"); err != nil {
		return "", err
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there); err != nil {
		return "", err
	}
	if !there {
		if err := build(ctx, conn, admin, name); err != nil {
			return "", err
		}
	}
	made.Store(admin, name)
	return name, nil
}

func build(ctx context.Context, conn *pgx.Conn, admin, name string) error {
	// A half-made template must never be cloned: it gets its name only when done.
	draft := name + "_draft"
	for _, s := range []string{"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)", "CREATE DATABASE " + draft} {
		if _, err := conn.Exec(ctx, s); err != nil {
			return err
		}
	}
	d, err := db.Open(ctx, db.Config{DSN: within(admin, draft)})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx, d); err != nil {
		d.Close()
		return err
	}
	err = d.InTx(ctx, func(tx db.Tx) error { return geo.Load(ctx, tx) })
	d.Close()
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s RENAME TO %s", draft, name))
	return err
}
