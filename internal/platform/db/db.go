// Package db owns the connection to PostgreSQL: the pool, transactions with retry, the translation
// of broken constraints, an optional read replica, and the migrations.
//
// gorm is set up once here. SQL itself lives in the store.go and query.go of the domain that owns the tables.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// Config says which server to use and how many connections to hold.
type Config struct {
	DSN     string
	ReadDSN string // optional replica for pages that may lag; empty means DSN
	MaxConn int32  // 0 means 20
	Tracer  Tracer
}

// Tracer watches statements on their way to the server.
type Tracer = pgx.QueryTracer

// DB is the pool. It is safe for concurrent use.
type DB struct {
	pool *pgxpool.Pool
	sql  *sql.DB
	orm  *gorm.DB
	read *gorm.DB
	// readPool is nil without a replica.
	readPool *pgxpool.Pool
	sent     *atomic.Int64
}

// Statements is how many were sent so far, on all connections.
func (d *DB) Statements() int64 { return d.sent.Load() }

// counting counts the statements, also for a tracer of the caller's.
type counting struct {
	sent *atomic.Int64
	next Tracer
}

func (c counting) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c.sent.Add(1)
	if c.next != nil {
		return c.next.TraceQueryStart(ctx, conn, data)
	}
	return ctx
}

func (c counting) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if c.next != nil {
		c.next.TraceQueryEnd(ctx, conn, data)
	}
}

// Tx is one open transaction. A function that takes a Tx joins it: it neither commits nor calls the network.
type Tx struct{ *gorm.DB }

// SQL returns the transaction below gorm, for the job queue.
func (t Tx) SQL() *sql.Tx { return t.Statement.ConnPool.(*sql.Tx) }

// Open connects lazily: a server that is away makes the first query fail, not Open, so that the
// program can start, say so on /readyz and recover without a restart.
func Open(ctx context.Context, c Config) (*DB, error) {
	sent := &atomic.Int64{}
	pool, err := openPool(ctx, c.DSN, c, sent)
	if err != nil {
		return nil, err
	}
	d := &DB{pool: pool, sql: stdlib.OpenDBFromPool(pool), sent: sent}
	if d.orm, err = openORM(d.sql); err != nil {
		d.Close()
		return nil, err
	}
	d.read = d.orm
	if c.ReadDSN != "" {
		if d.readPool, err = openPool(ctx, c.ReadDSN, c, sent); err != nil {
			d.Close()
			return nil, err
		}
		if d.read, err = openORM(stdlib.OpenDBFromPool(d.readPool)); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

func openPool(ctx context.Context, dsn string, c Config, sent *atomic.Int64) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("db: the database address is not valid: %w", err)
	}
	pc.MaxConns = 20
	if c.MaxConn > 0 {
		pc.MaxConns = c.MaxConn
	}
	pc.MaxConnIdleTime = 5 * time.Minute
	pc.ConnConfig.ConnectTimeout = 3 * time.Second
	pc.ConnConfig.Tracer = counting{sent, c.Tracer}
	params := pc.ConnConfig.RuntimeParams
	for name, value := range map[string]string{
		"application_name":                    "ocop",
		"timezone":                            "UTC",
		"statement_timeout":                   "15s",
		"lock_timeout":                        "8s",
		"jit":                                 "off",  // compiling a page's query takes longer than running it
		"work_mem":                            "32MB", // a list of the whole shop gathers its ids in memory
		"idle_in_transaction_session_timeout": "30s",
	} {
		if _, set := params[name]; !set {
			params[name] = value
		}
	}
	return pgxpool.NewWithConfig(ctx, pc)
}

// ParameterizedQueries does not reach gorm's Scan, which records statements by itself: what people typed stays out of the
// log there too.
func init() {
	logger.RecorderParamsFilter = func(_ context.Context, statement string, _ ...any) (string, []any) { return statement, nil }
}

func openORM(conn *sql.DB) (*gorm.DB, error) {
	orm, err := gorm.Open(postgres.New(postgres.Config{Conn: conn}), &gorm.Config{
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
		NowFunc:                func() time.Time { return time.Now().UTC() },
		Logger: slowLog{logger.NewSlogLogger(slog.Default(), logger.Config{
			SlowThreshold: 500 * time.Millisecond, LogLevel: logger.Warn, ParameterizedQueries: true,
		})},
	})
	if err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	return orm, nil
}

// slowLog writes slow statements only. An error goes to the caller, who knows whether it is a fault, a
// broken rule or a reader who went away, and logs it once.
type slowLog struct{ logger.Interface }

// LogMode keeps the wrapper around whatever gorm asks for.
func (l slowLog) LogMode(level logger.LogLevel) logger.Interface {
	return slowLog{l.Interface.LogMode(level)}
}

// Trace passes a finished statement on without its error.
func (l slowLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	l.Interface.Trace(ctx, begin, statement, nil)
}

// ParamsFilter keeps values out of the log: they may be a person's name or phone.
func (l slowLog) ParamsFilter(_ context.Context, statement string, _ ...any) (string, []any) {
	return statement, nil
}

// Close gives all connections back.
func (d *DB) Close() {
	if d.readPool != nil {
		d.readPool.Close()
	}
	_ = d.sql.Close()
	d.pool.Close()
}

// Pool is the connection pool itself, for the job workers.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Ping asks the server whether it is there.
func (d *DB) Ping(ctx context.Context) error { return d.pool.Ping(ctx) }

// Read is a handle for queries outside a transaction; it may answer from a replica.
func (d *DB) Read(ctx context.Context) *gorm.DB { return d.read.WithContext(ctx) }

// Primary is a handle for single statements that must see the latest writes.
func (d *DB) Primary(ctx context.Context) *gorm.DB { return d.orm.WithContext(ctx) }

// Count runs a fixed query that answers one number, such as a check of `ocop doctor`.
func (d *DB) Count(ctx context.Context, query string) (int64, error) {
	var n int64
	err := d.pool.QueryRow(ctx, query).Scan(&n)
	return n, err
}

const attempts = 4

// InTx runs fn in one transaction. A deadlock or serialization failure is tried again up to three
// times, so fn must have no effect outside the transaction.
func (d *DB) InTx(ctx context.Context, fn func(tx Tx) error) error {
	for n := 1; ; n++ {
		err := d.orm.WithContext(ctx).Transaction(func(g *gorm.DB) error { return fn(Tx{g}) })
		if err == nil || n == attempts || !retryable(err) {
			return err
		}
		pause := time.Duration(n*n)*10*time.Millisecond + rand.N(20*time.Millisecond)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func retryable(err error) bool {
	code := Code(err)
	return code == "40001" || code == "40P01"
}

// Code is the SQLSTATE of err, or empty.
func Code(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
	}
	return ""
}

// Breaks reports whether err says that a statement broke the named constraint or unique index.
func Breaks(err error, constraint string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pg.ConstraintName == constraint
}

// Away reports whether err means that the server cannot be reached or is stopping, so that a page
// may say "come back shortly" instead of "fault".
func Away(err error) bool {
	switch code := Code(err); code {
	case "57P01", "57P02", "57P03", "53300", "55P03", "57014": // stopping, starting, full, or too busy to answer in time
		return true
	case "":
	default:
		return false
	}
	var connect *pgconn.ConnectError
	var network *net.OpError
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || // cut in the middle of an answer
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) || pgconn.Timeout(err) && !errors.Is(err, context.Canceled)
}
