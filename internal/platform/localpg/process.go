//go:build unix

package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is what it takes to start the cluster's server, any number of times.
type server struct {
	place
	bin       binaries
	socketDir string
	logPath   string
	settings  []string
}

// process is one run of the server.
type process struct {
	pid    int
	exited chan struct{} // closed when the process has ended and was reaped
}

// initialise makes the cluster in a folder aside and renames it when whole, so a half-made one is
// never taken for a database.
func (s *server) initialise(ctx context.Context, progress func(string)) error {
	if made, err := madeBy(s.dir()); made != 0 || err != nil {
		return err
	}
	halves, err := filepath.Glob(filepath.Join(s.home, "pg.new-*"))
	if err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	for _, half := range halves {
		if err := os.RemoveAll(half); err != nil {
			return fmt.Errorf("localpg: remove a half-made cluster: %w", err)
		}
	}
	// Removes an empty folder only; one with anything in it is somebody's.
	if err := os.Remove(s.dir()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is in the way: it is not empty and not a PostgreSQL data folder; move it away and start again", s.dir())
	}
	progress(fmt.Sprintf("Making a private PostgreSQL %d database in %s (first start only)", s.bin.major, s.dir()))
	fresh, err := s.initdb(ctx)
	if err != nil {
		return err
	}
	if err := os.Rename(fresh, s.dir()); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	dataDir := filepath.Dir(s.logPath)
	if s.home == dataDir {
		return nil
	}
	if err := os.WriteFile(locationFile(dataDir), []byte(s.home+"\n"), 0o644); err != nil {
		return fmt.Errorf("localpg: note the place of the cluster: %w", err)
	}
	return nil
}

// initdb tries the locales in turn: with C.UTF-8 the server knows letters beyond ASCII and sorts by
// code point, the same on every machine; not every system has it.
func (s *server) initdb(ctx context.Context) (string, error) {
	var said []byte
	for _, locale := range [][]string{
		{"--locale=C.UTF-8"}, {"--locale=C", "--lc-ctype=en_US.UTF-8"}, {"--locale=C"},
	} {
		fresh, err := os.MkdirTemp(s.home, "pg.new-")
		if err != nil {
			return "", fmt.Errorf("the data folder cannot be written: %w", err)
		}
		if s.cred != nil {
			if err := os.Chown(fresh, s.uid, int(s.cred.Gid)); err != nil {
				return "", fmt.Errorf("localpg: %w", err)
			}
		}
		args := append([]string{"-D", fresh, "-U", user, "-E", "UTF8", "--auth-local=trust", "--auth-host=reject"}, locale...)
		cmd := exec.CommandContext(ctx, filepath.Join(s.bin.dir, "initdb"), args...)
		s.dress(cmd)
		if said, err = cmd.CombinedOutput(); err == nil {
			return fresh, nil
		}
		if err := errors.Join(os.RemoveAll(fresh), ctx.Err()); err != nil {
			return "", fmt.Errorf("localpg: initdb: %w", err)
		}
	}
	return "", fmt.Errorf("PostgreSQL could not make a database: %s", lastLines(string(said), 12))
}

// dress sets what all children have in common: the unprivileged user, a process group of their own
// (Ctrl-C at the terminal reaches only us, and we stop them in order), and an environment in which
// no PGDATA, PGPORT or locale of the caller means anything.
func (s *server) dress(cmd *exec.Cmd) {
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred, Setpgid: true}
}

// boot starts the server and returns when it accepts connections. Children of a killed server may
// hold its shared memory a moment longer; boot waits for them.
func (s *server) boot(ctx context.Context, progress func(string)) (*process, error) {
	if err := stopLeftover(ctx, s.dir()); err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		if err := s.clear(); err != nil {
			return nil, err
		}
		proc, said, err := s.try(ctx, progress)
		if err == nil {
			return proc, nil
		}
		busy := strings.Contains(said, "shared memory block") || strings.Contains(said, "lock file")
		if !busy || attempt == 40 || ctx.Err() != nil {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(250 * time.Millisecond):
		}
	}
}

// try is one attempt to start; on failure it also returns what the server logged.
func (s *server) try(ctx context.Context, progress func(string)) (*process, string, error) {
	log, start, err := s.openLog()
	if err != nil {
		return nil, "", err
	}
	defer log.Close()
	args := append([]string{"-D", s.dir(), "-p", strconv.Itoa(port), "-k", s.socketDir}, s.settings...)
	cmd := exec.Command(filepath.Join(s.bin.dir, "postgres"), args...)
	s.dress(cmd)
	cmd.Stdout, cmd.Stderr = log, log
	dieWithParent(cmd.SysProcAttr)
	proc, err := launch(cmd)
	if err != nil {
		return nil, "", fmt.Errorf("PostgreSQL did not start: %w", err)
	}
	if err := proc.ready(ctx, dsnFor(s.socketDir, "postgres"), progress); err != nil {
		said := readFrom(s.logPath, start)
		err = errors.Join(err, proc.stop(context.Background()))
		return nil, said, fmt.Errorf("PostgreSQL did not start (%w); its log %s ends with:\n%s", err, s.logPath, lastLines(said, 8))
	}
	return proc, "", nil
}

// launch starts cmd from a thread of its own that lives as long as the child: Linux ties the
// parent-death signal to the thread that forked, not to the process.
func launch(cmd *exec.Cmd) (*process, error) {
	started := make(chan error, 1)
	p := &process{exited: make(chan struct{})}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		_ = cmd.Wait() // how it ended stands in the server's own log
		close(p.exited)
	}()
	return p, <-started
}

// ready waits until the server accepts connections, ends, or ctx ends.
func (p *process) ready(ctx context.Context, dsn string, progress func(string)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	slow := time.After(3 * time.Second)
	for {
		conn, err := connect(ctx, dsn)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-p.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-slow:
			progress("PostgreSQL is recovering from a sudden end; this can take a minute")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop asks for a fast shutdown and waits; when ctx ends, for an immediate one.
func (p *process) stop(ctx context.Context) error {
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := syscall.Kill(p.pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("localpg: stop: %w", err)
	}
	select {
	case <-p.exited:
		return nil
	case <-ctx.Done():
	}
	if err := syscall.Kill(p.pid, syscall.SIGQUIT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("localpg: stop: %w", err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(10 * time.Second):
		return fmt.Errorf("PostgreSQL (process %d) does not end", p.pid)
	}
}

// postmaster is what a running server says about itself in postmaster.pid.
type postmaster struct {
	pid       int
	socketDir string
	rest      []string
}

func readPostmaster(dir string) (postmaster, error) {
	text, err := os.ReadFile(filepath.Join(dir, "postmaster.pid"))
	if err != nil {
		return postmaster{}, err
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid < 2 {
		return postmaster{}, fmt.Errorf("localpg: postmaster.pid names no process: %q", lines[0])
	}
	pm := postmaster{pid: pid, rest: lines[1:]}
	if len(lines) > 4 {
		pm.socketDir = lines[4]
	}
	return pm, nil
}

// stopLeftover ends a server that still runs on the cluster although its owner is gone. The caller
// holds the lock, so no living process of ours owns it; attached ones bear with a restart.
func stopLeftover(ctx context.Context, dir string) error {
	pm, err := readPostmaster(dir)
	if err != nil || !runsOn(pm.pid, dir) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT} {
		if err := syscall.Kill(pm.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("a PostgreSQL left by an earlier run (process %d) cannot be stopped: %w", pm.pid, err)
		}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			if !runsOn(pm.pid, dir) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return fmt.Errorf("a PostgreSQL left by an earlier run (process %d) does not end; end it and start again", pm.pid)
}

// clear removes what a killed server leaves in the way of the next. A process number in
// postmaster.pid may by now belong to a stranger, and PostgreSQL would refuse to start; naming
// ourselves, its parent, makes it go on to its own check for surviving children, which deleting
// the file would switch off.
func (s *server) clear() error {
	pm, err := readPostmaster(s.dir())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil: // empty or garbled after a power cut: PostgreSQL refuses it too
		if err := os.Remove(filepath.Join(s.dir(), "postmaster.pid")); err != nil {
			return fmt.Errorf("localpg: %w", err)
		}
	case syscall.Kill(pm.pid, 0) == nil:
		text := strings.Join(append([]string{strconv.Itoa(os.Getpid())}, pm.rest...), "\n")
		if err := os.WriteFile(filepath.Join(s.dir(), "postmaster.pid"), []byte(text), 0o600); err != nil {
			return fmt.Errorf("localpg: %w", err)
		}
	}
	socket := filepath.Join(s.socketDir, fmt.Sprintf(".s.PGSQL.%d", port))
	for _, path := range []string{socket, socket + ".lock"} {
		if err := ignoreMissing(os.Remove(path)); err != nil {
			return fmt.Errorf("localpg: remove a stale socket: %w", err)
		}
	}
	return nil
}

// openLog opens the server's log for appending, beginning a new one when it has grown large.
func (s *server) openLog() (*os.File, int64, error) {
	if info, err := os.Stat(s.logPath); err == nil && info.Size() > 16<<20 {
		if err := os.Rename(s.logPath, s.logPath+".1"); err != nil {
			return nil, 0, fmt.Errorf("localpg: %w", err)
		}
	}
	f, err := os.OpenFile(s.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("the data folder cannot be written: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

func readFrom(path string, offset int64) string {
	text, err := os.ReadFile(path)
	if err != nil || int64(len(text)) < offset {
		return ""
	}
	return string(text[offset:])
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
