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
// if it is killed, and stops it. Another process that calls Start meanwhile attaches; when the owner
// leaves, whichever attached process sees it first becomes the owner and starts the server again at
// the same address, so its clients see a short outage. What a killed owner left behind is stopped or
// mended by its heir or by the next Start.
package localpg

import (
	"cmp"
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

	watchEvery = 200 * time.Millisecond // how often an attached process looks whether the owner left
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
	options   Options
	socketDir string
	once      sync.Once
	stopping  chan struct{}
	done      chan struct{}

	// The goroutine behind done alone touches these until done is closed; nil while attached.
	srv  *server
	lock *os.File
	proc *process
}

func newCluster(o Options, socketDir string) *Cluster {
	return &Cluster{options: o, socketDir: socketDir, stopping: make(chan struct{}), done: make(chan struct{})}
}

// DSN is the connection string of the database "ocop", in keyword form. It stays the same when the
// server is restarted and when another process becomes its owner.
func (c *Cluster) DSN() string { return dsnFor(c.socketDir, database) }

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
	lock, socketDir, err := lockOrAttach(ctx, o)
	if err != nil {
		return nil, err
	}
	if lock == nil {
		c := newCluster(o, socketDir)
		go c.watch()
		return c, nil
	}
	c, err := own(ctx, o, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return c, nil
}

// lockOrAttach returns the lock when this process may own the cluster, else the socket folder of the
// server that another process owns, once it is ready.
func lockOrAttach(ctx context.Context, o Options) (*os.File, string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for told := false; ; {
		lock, err := tryLock(lockFile(o.DataDir))
		if err != nil || lock != nil {
			return lock, "", err
		}
		if socketDir, err := attach(ctx, o.DataDir); err == nil {
			return nil, socketDir, nil
		}
		if !told {
			o.Progress("Another process is working with this database; waiting for it")
			told = true
		}
		select {
		case <-ctx.Done():
			return nil, "", fmt.Errorf("localpg: another process holds %s and its database does not answer; end that process and start again",
				lockFile(o.DataDir))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// attach finds the running server of the cluster, checks that it answers and returns its socket folder.
func attach(ctx context.Context, dataDir string) (string, error) {
	home, err := findHome(dataDir)
	if err != nil {
		return "", err
	}
	pm, err := readPostmaster(filepath.Join(home, "pg"))
	if err != nil {
		return "", err
	}
	conn, err := connect(ctx, dsnFor(pm.socketDir, database))
	if err != nil {
		return "", err
	}
	return pm.socketDir, conn.Close(ctx)
}

// own makes, mends and starts the cluster. The caller holds the lock.
func own(ctx context.Context, o Options, lock *os.File) (*Cluster, error) {
	srv, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	if srv.socketDir, err = srv.makeSocketDir(); err != nil {
		return nil, err
	}
	c := newCluster(o, srv.socketDir)
	c.srv, c.lock = srv, lock
	if c.proc, err = srv.boot(ctx, o.Progress); err != nil {
		return nil, err
	}
	if err := srv.furnish(ctx, o.Extensions); err != nil {
		return nil, errors.Join(err, c.proc.stop(ctx))
	}
	go func() {
		defer close(c.done)
		c.supervise()
	}()
	return c, nil
}

// watch waits for the owner to leave, then owns the cluster in its place.
func (c *Cluster) watch() {
	defer close(c.done)
	ctx, cancel := c.untilStopping()
	defer cancel()
	pause := watchEvery
	for {
		select {
		case <-c.stopping:
			return
		case <-time.After(pause):
		}
		switch owns, err := c.takeOver(ctx); {
		case owns:
			c.supervise()
			return
		case ctx.Err() != nil:
			return
		case err != nil:
			c.options.Log.Error("the private PostgreSQL server could not be taken over", "error", err)
			pause = min(2*pause, 10*time.Second)
		default:
			pause = watchEvery
		}
	}
}

// takeOver makes this process the owner unless another process is, and starts the server where its
// clients know it. It never makes a new cluster: an empty database is not what they were using.
func (c *Cluster) takeOver(ctx context.Context) (owns bool, err error) {
	lock, err := tryLock(lockFile(c.options.DataDir))
	if err != nil || lock == nil {
		return false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.Close())
		}
	}()
	c.options.Log.Info("the owner of the private PostgreSQL server left; taking it over")
	p, err := settle(c.options.DataDir)
	if err != nil {
		return false, err
	}
	if made, err := madeBy(p.dir()); made == 0 {
		return false, cmp.Or(err, fmt.Errorf("the database in %s is gone", p.dir()))
	}
	srv, err := prepare(ctx, c.options)
	if err != nil {
		return false, err
	}
	srv.socketDir = c.socketDir
	if srv.socketDir != srv.dir() {
		if err := srv.makePrivate(srv.socketDir); err != nil {
			return false, fmt.Errorf("localpg: the socket's folder: %w", err)
		}
	}
	proc, err := srv.boot(ctx, func(string) {})
	if err != nil {
		return false, err
	}
	c.srv, c.lock, c.proc = srv, lock, proc
	return true, nil
}

// prepare settles the user, the folders and the binaries, and leaves an initialised cluster. The
// caller chooses the socket's folder.
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
		c.options.Log.Warn("the private PostgreSQL server ended; starting it again", "log", c.srv.logPath)
		ctx, cancel := c.untilStopping()
		proc, err := c.srv.boot(ctx, func(string) {})
		cancel()
		if err != nil {
			c.options.Log.Error("the private PostgreSQL server did not start again", "error", err)
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
// it. When ctx ends first the server is told to quit at once, which loses nothing committed. An
// attached cluster only stops watching the owner. The second time Stop does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	var err error
	c.once.Do(func() {
		close(c.stopping)
		<-c.done
		if c.srv == nil {
			return
		}
		err = c.proc.stop(ctx)
		if c.socketDir != c.srv.dir() {
			_ = os.Remove(c.socketDir) // it is empty now; made anew by the next start
		}
		err = errors.Join(err, c.lock.Close()) // last: from here on the folders are the next owner's
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
