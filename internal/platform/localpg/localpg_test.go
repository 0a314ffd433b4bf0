//go:build unix

package localpg

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const asOwner = "OCOP_TEST_LOCALPG_OWNER"

// TestMain lets the test binary play a second ocop: it starts the cluster of the named folder, says
// so, and waits to be killed.
func TestMain(m *testing.M) {
	dir := os.Getenv(asOwner)
	if dir == "" {
		os.Exit(m.Run())
	}
	c, err := Start(context.Background(), Options{DataDir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(c.DSN())
	select {}
}

// dataDir is a folder that an unprivileged user can reach, which t.TempDir is not when run by root.
func dataDir(t *testing.T, name string) string {
	t.Helper()
	root, err := os.MkdirTemp("/tmp", "localpg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(root) })
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, name)
}

func start(t *testing.T, dir string) *Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := Start(ctx, Options{DataDir: dir, Progress: func(s string) { t.Log(s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, c) })
	return c
}

func stop(t *testing.T, c *Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func exec1(t *testing.T, dsn, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func scan(t *testing.T, dsn, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var s string
	if err := conn.QueryRow(t.Context(), sql).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func wantRow(t *testing.T, dsn string) {
	t.Helper()
	if got := scan(t, dsn, "SELECT name FROM kept"); got != "kẹo dừa" {
		t.Errorf("row is %q after the restart", got)
	}
}

func keepRow(t *testing.T, dsn string) {
	t.Helper()
	exec1(t, dsn, "CREATE TABLE kept (name text); INSERT INTO kept VALUES ('kẹo dừa')")
}

func postmasterOf(t *testing.T, dir string) int {
	t.Helper()
	home, err := findHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	pm, err := readPostmaster(filepath.Join(home, "pg"))
	if err != nil {
		t.Fatal(err)
	}
	return pm.pid
}

func TestSecondStartIsQuickAndKeepsTheRows(t *testing.T) {
	dir := dataDir(t, "data")
	c := start(t, dir)
	keepRow(t, c.DSN())
	if got := scan(t, c.DSN(), "SELECT lower('ĐẶC SẢN') || current_setting('fsync') || current_setting('server_encoding')"); got != "đặc sảnonUTF8" {
		t.Errorf("the server says %q", got)
	}
	stop(t, c)
	begin := time.Now()
	c = start(t, dir)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("the second start took %v", took)
	} else {
		t.Logf("second start: %v", took)
	}
	wantRow(t, c.DSN())
}

func TestTheServerListensForItsUserOnly(t *testing.T) {
	dir := dataDir(t, "data")
	c := start(t, dir)
	if got := scan(t, c.DSN(), "SELECT current_setting('listen_addresses') || current_setting('unix_socket_directories')"); !strings.HasPrefix(got, "/") {
		t.Errorf("listens on %q", got)
	}
	socketDir := scan(t, c.DSN(), "SELECT current_setting('unix_socket_directories')")
	info, err := os.Stat(socketDir)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("%s has mode %v", socketDir, info.Mode())
	}
	stat := info.Sys().(*syscall.Stat_t)
	if stat.Uid == 0 {
		t.Error("the server runs as root")
	}
	pg, err := os.Stat(filepath.Join(dir, "pg"))
	if err != nil {
		t.Fatal(err)
	}
	if pg.Sys().(*syscall.Stat_t).Uid != stat.Uid {
		t.Error("socket folder and data folder have different owners")
	}
}

func TestAwkwardPaths(t *testing.T) {
	for name, path := range map[string]string{
		"spaces and diacritics": "Chợ OCOP, 'Trà Vinh'/dữ liệu",
		"long":                  strings.Repeat("rat-dai/", 20) + "data",
	} {
		t.Run(name, func(t *testing.T) {
			dir := dataDir(t, path)
			c := start(t, dir)
			keepRow(t, c.DSN())
			stop(t, c)
			wantRow(t, start(t, dir).DSN())
		})
	}
}

func TestAFolderTheServersUserCannotReach(t *testing.T) {
	dir := dataDir(t, "closed/data")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	home, err := findHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	if home != dir {
		t.Cleanup(func() { os.RemoveAll(home) })
	}
	if os.Geteuid() == 0 && !strings.HasPrefix(home, "/var/lib/ocop-") {
		t.Errorf("the cluster is in %s", home)
	}
	keepRow(t, c.DSN())
	stop(t, c)
	wantRow(t, start(t, dir).DSN())
}

func TestAClusterGoneFromItsNotedPlaceIsNotReplaced(t *testing.T) {
	dir := dataDir(t, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(locationFile(dir), []byte("/nowhere/ocop\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, dir, "/nowhere/ocop", "pg.location")
}

func wantRefusal(t *testing.T, dir string, parts ...string) {
	t.Helper()
	c, err := Start(t.Context(), Options{DataDir: dir})
	if err == nil {
		stop(t, c)
		t.Fatal("it started")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message lacks %q: %v", part, err)
		}
	}
}

func TestAKilledServerComesBack(t *testing.T) {
	dir := dataDir(t, "data")
	c := start(t, dir)
	keepRow(t, c.DSN())
	first := postmasterOf(t, dir)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; {
		conn, err := pgx.Connect(t.Context(), c.DSN())
		if err == nil {
			conn.Close(t.Context())
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	wantRow(t, c.DSN())
	if postmasterOf(t, dir) == first {
		t.Error("the same server answers")
	}
}

// ownElsewhere starts the cluster in another process.
func ownElsewhere(t *testing.T, dir string) (*exec.Cmd, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asOwner+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "host=") {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	return cmd, strings.TrimSpace(line)
}

func TestAKilledOwnerLeavesNothingInTheWay(t *testing.T) {
	dir := dataDir(t, "data")
	owner, dsn := ownElsewhere(t, dir)
	keepRow(t, dsn)
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	owner.Wait()
	wantRow(t, start(t, dir).DSN())
}

func TestKilledOwnerAndServerTogether(t *testing.T) {
	dir := dataDir(t, "data")
	owner, dsn := ownElsewhere(t, dir)
	keepRow(t, dsn)
	server := postmasterOf(t, dir)
	if err := syscall.Kill(owner.Process.Pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{server, owner.Process.Pid} {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	owner.Wait()
	wantRow(t, start(t, dir).DSN())
}

func TestAttachesToTheClusterOfALivingProcess(t *testing.T) {
	dir := dataDir(t, "data")
	_, dsn := ownElsewhere(t, dir)
	keepRow(t, dsn)
	c := start(t, dir)
	wantRow(t, c.DSN())
	stop(t, c)
	wantRow(t, dsn)
}

// wantAnotherServer waits until a server other than the process first answers at dsn.
func wantAnotherServer(t *testing.T, dir, dsn string, first int) {
	t.Helper()
	home, err := findHome(dir)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	for {
		pm, err := readPostmaster(filepath.Join(home, "pg"))
		if err == nil && pm.pid != first {
			conn, err := pgx.Connect(t.Context(), dsn)
			if err == nil {
				conn.Close(t.Context())
				t.Logf("another server answers after %v", time.Since(begin))
				return
			}
		}
		if time.Since(begin) > 15*time.Second {
			t.Fatal("no other server answers")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func wantNoServer(t *testing.T, dir, dsn string, last int) {
	t.Helper()
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		conn.Close(t.Context())
		t.Error("a server still answers")
	}
	if err := syscall.Kill(last, 0); err == nil {
		t.Errorf("the server, process %d, still runs", last)
	}
	lock, err := tryLock(lockFile(dir))
	if err != nil || lock == nil {
		t.Fatalf("the lock is still held, %v", err)
	}
	lock.Close()
}

func TestAttachedClustersTakeOverFromAStoppedOwner(t *testing.T) {
	for name, path := range map[string]string{
		"socket beside the data": "data",
		"socket elsewhere":       strings.Repeat("rat-dai/", 20) + "data",
	} {
		t.Run(name, func(t *testing.T) {
			dir := dataDir(t, path)
			owner := start(t, dir)
			dsn := owner.DSN()
			keepRow(t, dsn)
			t.Setenv("TMPDIR", t.TempDir()) // means nothing to an heir
			heir := start(t, dir)
			if heir.DSN() != dsn {
				t.Errorf("attached at %q, not at %q", heir.DSN(), dsn)
			}
			first := postmasterOf(t, dir)
			stop(t, owner)
			wantAnotherServer(t, dir, dsn, first)
			wantRow(t, heir.DSN())

			second := postmasterOf(t, dir)
			last := start(t, dir)
			if err := syscall.Kill(second, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			wantAnotherServer(t, dir, dsn, second) // the heir minds its server as the first owner did
			third := postmasterOf(t, dir)
			stop(t, heir)
			wantAnotherServer(t, dir, dsn, third)
			wantRow(t, last.DSN())
			fourth := postmasterOf(t, dir)
			stop(t, last)
			wantNoServer(t, dir, dsn, fourth)
		})
	}
}

func TestAnAttachedClusterTakesOverFromAKilledOwner(t *testing.T) {
	dir := dataDir(t, "data")
	owner, dsn := ownElsewhere(t, dir)
	keepRow(t, dsn)
	heir := start(t, dir)
	first := postmasterOf(t, dir)
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	owner.Wait()
	wantAnotherServer(t, dir, dsn, first)
	wantRow(t, heir.DSN())
	second := postmasterOf(t, dir)
	stop(t, heir)
	wantNoServer(t, dir, dsn, second)
}

func TestStoppingInTheMiddleOfATakeover(t *testing.T) {
	dir := dataDir(t, "data")
	c := start(t, dir)
	keepRow(t, c.DSN())
	for wait := watchEvery / 2; wait < 2*watchEvery; wait += watchEvery / 4 {
		heir := start(t, dir)
		stop(t, c)
		time.Sleep(wait)
		stop(t, heir)
		c = start(t, dir)
		wantRow(t, c.DSN())
	}
}

func TestAnHeirDoesNotReplaceAMissingCluster(t *testing.T) {
	dir := dataDir(t, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	heir := newCluster(Options{DataDir: dir, Log: slog.New(slog.DiscardHandler)}, filepath.Join(dir, "pg"))
	if owns, err := heir.takeOver(t.Context()); owns || err == nil || !strings.Contains(err.Error(), "is gone") {
		t.Errorf("takeOver: %v, %v", owns, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "pg")); err == nil {
		t.Error("the heir made an empty database")
	}
	lock, err := tryLock(lockFile(dir))
	if err != nil || lock == nil {
		t.Fatalf("the lock is still held, %v", err)
	}
	lock.Close()
}

func TestAStalePidFileThatNamesAStranger(t *testing.T) {
	dir := dataDir(t, "data")
	c := start(t, dir)
	keepRow(t, c.DSN())
	text, err := os.ReadFile(filepath.Join(dir, "pg", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	stop(t, c)
	stranger := exec.Command("sleep", "60")
	if info, err := os.Stat(filepath.Join(dir, "pg")); err == nil && os.Geteuid() == 0 {
		stat := info.Sys().(*syscall.Stat_t)
		stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}}
	}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer stranger.Wait()
	defer stranger.Process.Kill()
	_, rest, _ := strings.Cut(string(text), "\n")
	for name, stale := range map[string]string{
		"stranger": strconv.Itoa(stranger.Process.Pid) + "\n" + rest,
		"empty":    "",
		"gone":     "4194000\n" + rest,
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "pg", "postmaster.pid"), []byte(stale), 0o600); err != nil {
				t.Fatal(err)
			}
			c := start(t, dir)
			wantRow(t, c.DSN())
			stop(t, c)
		})
	}
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger was touched: %v", err)
	}
}

func TestMendsPermissionsAndHalfMadeClusters(t *testing.T) {
	dir := dataDir(t, "data")
	half := filepath.Join(dir, "pg.new-1", "base")
	for _, d := range []string{half, filepath.Join(dir, "pg")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c := start(t, dir)
	keepRow(t, c.DSN())
	stop(t, c)
	if _, err := os.Stat(half); err == nil {
		t.Error("the half-made cluster is still there")
	}
	if err := os.Chmod(filepath.Join(dir, "pg"), 0o755); err != nil {
		t.Fatal(err)
	}
	wantRow(t, start(t, dir).DSN())
}

func TestForeignFilesAreNotTouched(t *testing.T) {
	dir := dataDir(t, "data")
	letter := filepath.Join(dir, "pg", "letter.txt")
	if err := os.MkdirAll(filepath.Dir(letter), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(letter, []byte("thư"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, dir, "is in the way")
	if _, err := os.Stat(letter); err != nil {
		t.Error(err)
	}
}

func TestAnotherMajorIsNamed(t *testing.T) {
	dir := dataDir(t, "data")
	if err := os.MkdirAll(filepath.Join(dir, "pg"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pg", "PG_VERSION"), []byte("9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := settle(dir)
	if err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, dir, "PostgreSQL 9", "PostgreSQL "+majors(p.installed(searched())), "move that folder away")
}

func TestAMissingExtensionIsNamed(t *testing.T) {
	_, err := Start(t.Context(), Options{DataDir: dataDir(t, "data"), Extensions: []string{"unaccent", "khong_co"}})
	if err == nil || !strings.Contains(err.Error(), `"khong_co"`) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutBinariesItSaysHowToInstallThem(t *testing.T) {
	asked := make(chan string, 10)
	mirror := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Path
		http.NotFound(w, r)
	}))
	defer mirror.Close()
	t.Setenv(MirrorEnv, mirror.URL)
	usual := searched
	searched = func() []string { return nil }
	defer func() { searched = usual }()
	wantRefusal(t, dataDir(t, "data"), "PostgreSQL 15 or newer", "install it with: "+installLine())
	if path := <-asked; !strings.Contains(path, "embedded-postgres-binaries") {
		t.Errorf("asked the mirror for %s", path)
	}
}
