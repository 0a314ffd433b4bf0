//go:build unix

// Package localpg runs a private PostgreSQL cluster for development and tests, from the PostgreSQL
// binaries that the machine has. It owns the folder DataDir/pg and promises never to delete data in it.
//
// The server listens on a Unix socket only, in a folder that nobody but its user (and root) may
// enter. PostgreSQL refuses to run as root; started by root it runs as the owner of an existing
// cluster, else as the user behind sudo, else as postgres, else as nobody. Where that user cannot
// reach DataDir (say, below /root), the cluster lives in /var/lib/ocop-<hash of DataDir> and
// DataDir/pg.location says so.
//
// One process owns the cluster: it holds a lock on DataDir/pg.lock, starts the server, restarts it
// if it is killed, and stops it. Another process that calls Start meanwhile only attaches, and its
// Stop does nothing. What a killed owner left behind is stopped or mended by the next Start.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	oldest   = 15     // the oldest PostgreSQL major that the migrations support
	port     = 5432   // names the socket file; nothing listens on TCP
	user     = "ocop" // the cluster's superuser
	database = "ocop"
	patience = 2 * time.Minute // for a crashed server to replay its log, or for another process to finish
)

// Options say where the cluster lives and who is told about it.
type Options struct {
	DataDir    string            // holds pg, pg.log, pg.lock; made if absent
	Log        *slog.Logger      // nil: no log
	Progress   func(string)      // one plain sentence per step worth waiting for; may be nil
	Extensions []string          // must be installable, for instance "unaccent"; Start fails with a sentence otherwise
	Settings   map[string]string // server settings beside and over the defaults
}

// Cluster is a running server that this process owns or is attached to.
type Cluster struct {
	dsn      string
	srv      *server // nil when attached
	lock     *os.File
	log      *slog.Logger
	proc     *process // supervise owns it until done is closed
	once     sync.Once
	stopping chan struct{}
	done     chan struct{}
}

// DSN is the connection string of the database "ocop", in keyword form.
func (c *Cluster) DSN() string { return c.dsn }

// Start brings the cluster up, making it first if need be, and returns when its database accepts
// connections. Its errors are sentences for the person at the terminal.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	dir, err := prepareDataDir(o.DataDir)
	if err != nil {
		return nil, err
	}
	o.DataDir = dir
	lock, dsn, err := lockOrAttach(ctx, o)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		return &Cluster{dsn: dsn}, nil
	}
	c, err := own(ctx, o, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return c, nil
}

// lockOrAttach returns the lock when this process may own the cluster, else the DSN of the server
// that another process owns, once it is ready.
func lockOrAttach(ctx context.Context, o Options) (*os.File, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for told := false; ; {
		lock, err := tryLock(filepath.Join(o.DataDir, "pg.lock"))
		if err != nil || lock != nil {
			return lock, "", err
		}
		if dsn, err := attach(ctx, o.DataDir); err == nil {
			return nil, dsn, nil
		}
		if !told {
			o.Progress("Another process is working with this database; waiting for it")
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, "", fmt.Errorf("localpg: another process holds %s and its database does not answer; end that process and start again",
				filepath.Join(o.DataDir, "pg.lock"))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// attach finds the running server of the cluster and checks that it answers.
func attach(ctx context.Context, dataDir string) (string, error) {
	home, err := findHome(dataDir)
	if err != nil {
		return "", err
	}
	pm, err := readPostmaster(filepath.Join(home, "pg"))
	if err != nil {
		return "", err
	}
	dsn := dsnFor(pm.socketDir, database)
	conn, err := connect(ctx, dsn)
	if err != nil {
		return "", err
	}
	return dsn, conn.Close(ctx)
}

// own makes, mends and starts the cluster. The caller holds the lock.
func own(ctx context.Context, o Options, lock *os.File) (*Cluster, error) {
	srv, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		dsn: dsnFor(srv.socketDir, database), srv: srv, lock: lock, log: o.Log,
		stopping: make(chan struct{}), done: make(chan struct{}),
	}
	if c.proc, err = srv.boot(ctx, o.Progress); err != nil {
		return nil, err
	}
	if err := srv.furnish(ctx, o.Extensions); err != nil {
		return nil, errors.Join(err, c.proc.stop(ctx))
	}
	go c.supervise()
	return c, nil
}

// prepare settles the user, the folders and the binaries, and leaves an initialised cluster that
// no other server runs on.
func prepare(ctx context.Context, o Options) (*server, error) {
	p, err := settle(o.DataDir)
	if err != nil {
		return nil, err
	}
	bin, err := chooseBinaries(ctx, p, o.Progress)
	if err != nil {
		return nil, err
	}
	srv := &server{place: p, bin: bin, settings: settings(o.Settings),
		logPath: filepath.Join(o.DataDir, "pg.log")}
	if err := srv.initialise(ctx, o.Progress); err != nil {
		return nil, err
	}
	if err := p.own(); err != nil {
		return nil, err
	}
	if srv.socketDir, err = p.makeSocketDir(); err != nil {
		return nil, err
	}
	return srv, nil
}

// settings are the server's command-line settings: data is safe (fsync stays on), memory is modest.
func settings(extra map[string]string) []string {
	all := map[string]string{
		"listen_addresses": "",
		"shared_buffers":   "128MB",
		"max_connections":  "100",
		"timezone":         "UTC",
		"log_timezone":     "UTC",
		"log_min_messages": "warning",
	}
	maps.Copy(all, extra)
	var args []string
	for _, k := range slices.Sorted(maps.Keys(all)) {
		args = append(args, "-c", k+"="+all[k])
	}
	return args
}

// supervise restarts a server that ended although nobody stopped it.
func (c *Cluster) supervise() {
	defer close(c.done)
	pause := 200 * time.Millisecond
	for {
		select {
		case <-c.stopping:
			return
		case <-c.proc.exited:
		}
		select {
		case <-c.stopping:
			return
		case <-time.After(pause):
		}
		c.log.Warn("the private PostgreSQL server ended; starting it again", "log", c.srv.logPath)
		ctx, cancel := c.untilStopping()
		proc, err := c.srv.boot(ctx, func(string) {})
		cancel()
		if err != nil {
			c.log.Error("the private PostgreSQL server did not start again", "error", err)
			pause = min(2*pause, 10*time.Second)
			continue
		}
		c.proc, pause = proc, 200*time.Millisecond
	}
}

func (c *Cluster) untilStopping() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-c.stopping:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// Stop shuts the server down (open transactions roll back, clients are disconnected) and waits for
// it. When ctx ends first the server is told to quit at once, which loses nothing committed. On an
// attached cluster, and the second time, it does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	if c.srv == nil {
		return nil
	}
	var err error
	c.once.Do(func() {
		close(c.stopping)
		<-c.done
		err = errors.Join(c.proc.stop(ctx), c.lock.Close())
		if c.srv.socketDir != c.srv.dir() {
			_ = os.Remove(c.srv.socketDir) // it is empty now; made anew by the next start
		}
	})
	return err
}

// furnish makes the database and checks that the extensions can be installed.
func (s *server) furnish(ctx context.Context, extensions []string) error {
	conn, err := connect(ctx, dsnFor(s.socketDir, "postgres"))
	if err != nil {
		return fmt.Errorf("localpg: connect: %w", err)
	}
	defer conn.Close(ctx)
	for _, name := range extensions {
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = $1)", name).Scan(&there); err != nil {
			return fmt.Errorf("localpg: extensions: %w", err)
		}
		if !there {
			return fmt.Errorf("PostgreSQL in %s lacks the extension %q; install PostgreSQL's contrib package: %s", s.bin.dir, name, installLine())
		}
	}
	var there bool
	if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)", database).Scan(&there); err != nil {
		return fmt.Errorf("localpg: databases: %w", err)
	}
	if there {
		return nil
	}
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{database}.Sanitize()); err != nil {
		return fmt.Errorf("localpg: create database: %w", err)
	}
	return nil
}

func connect(ctx context.Context, dsn string) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return pgx.Connect(ctx, dsn)
}

func dsnFor(socketDir, dbname string) string {
	return fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", socketDir, port, user, dbname)
}
