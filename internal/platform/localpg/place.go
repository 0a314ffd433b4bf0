//go:build unix

package localpg

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	osuser "os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// place is where the cluster lives and which system user runs it.
type place struct {
	home string              // holds pg and, where they were fetched, pg-bin
	uid  int                 // of the server
	name string              // of the server's user, for sentences
	cred *syscall.Credential // nil: the server runs as this process does
}

func (p place) dir() string { return filepath.Join(p.home, "pg") }

// prepareDataDir makes the folder and returns its true path, so that one folder has one name.
func prepareDataDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("localpg: data folder: %w", err)
	}
	if err := os.MkdirAll(abs, 0o755); err != nil {
		return "", fmt.Errorf("cannot make the data folder: %w", err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return "", fmt.Errorf("localpg: data folder: %w", err)
	}
	return abs, nil
}

func lockFile(dataDir string) string { return filepath.Join(dataDir, "pg.lock") }

func locationFile(dataDir string) string { return filepath.Join(dataDir, "pg.location") }

// findHome returns the folder that holds the cluster of dataDir, or "" when there is no cluster yet.
func findHome(dataDir string) (string, error) {
	if _, err := os.Stat(filepath.Join(dataDir, "pg")); err == nil {
		return dataDir, nil
	}
	note, err := os.ReadFile(locationFile(dataDir))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("localpg: %w", err)
	}
	home := strings.TrimSpace(string(note))
	if _, err := os.Stat(filepath.Join(home, "pg")); err != nil {
		return "", fmt.Errorf("the database of this data folder lives in %s (says %s), but it is not there; bring it back, or delete that file to begin with an empty database",
			home, locationFile(dataDir))
	}
	return home, nil
}

// settle decides where the cluster lives and who runs it, without changing anything.
func settle(dataDir string) (place, error) {
	home, err := findHome(dataDir)
	if err != nil {
		return place{}, err
	}
	owner := -1
	if home != "" {
		info, err := os.Stat(filepath.Join(home, "pg"))
		if err != nil {
			return place{}, fmt.Errorf("localpg: %w", err)
		}
		owner = int(info.Sys().(*syscall.Stat_t).Uid)
	}
	if os.Geteuid() != 0 {
		return settleUnprivileged(dataDir, home, owner)
	}
	p, err := unprivileged(owner)
	if err != nil {
		return place{}, err
	}
	if home == "" {
		home = dataDir
		if p.enter(dataDir) != nil {
			home = "/var/lib/ocop-" + digest(dataDir)
			if err := os.MkdirAll(home, 0o755); err != nil {
				return place{}, fmt.Errorf("user %s cannot reach %s, and another folder for the database cannot be made: %w; choose another data folder with OCOP_DATA",
					p.name, dataDir, err)
			}
		}
	}
	p.home = home
	if p.enter(home) != nil {
		return place{}, fmt.Errorf("the database in %s belongs to user %s, who may not enter that folder; allow it with chmod a+x on the folders above, then start again",
			p.dir(), p.name)
	}
	return p, nil
}

func settleUnprivileged(dataDir, home string, owner int) (place, error) {
	p := place{home: home, uid: os.Geteuid(), name: strconv.Itoa(os.Geteuid())}
	if u, err := osuser.Current(); err == nil {
		p.name = u.Username
	}
	if home == "" {
		p.home = dataDir
	}
	if owner >= 0 && owner != p.uid {
		return place{}, fmt.Errorf("the database in %s belongs to another user (%s); start with sudo as before, or make it yours with: sudo chown -R %s %q",
			p.dir(), userName(owner), p.name, p.dir())
	}
	return p, nil
}

// unprivileged picks the user that runs the server for root: the owner of an existing cluster, the
// user behind sudo, postgres, nobody.
func unprivileged(owner int) (place, error) {
	var found *osuser.User
	for _, look := range []func() (*osuser.User, error){
		func() (*osuser.User, error) { return osuser.LookupId(strconv.Itoa(owner)) },
		func() (*osuser.User, error) { return osuser.LookupId(os.Getenv("SUDO_UID")) },
		func() (*osuser.User, error) { return osuser.Lookup("postgres") },
		func() (*osuser.User, error) { return osuser.Lookup("nobody") },
	} {
		if u, err := look(); err == nil && u.Uid != "0" {
			found = u
			break
		}
	}
	if found == nil {
		return place{}, errors.New("PostgreSQL refuses to run as root, and this system has neither a user postgres nor nobody; add one with: useradd --system postgres")
	}
	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return place{}, fmt.Errorf("localpg: user %s: %w", found.Username, err)
	}
	gid, err := strconv.ParseUint(found.Gid, 10, 32)
	if err != nil {
		return place{}, fmt.Errorf("localpg: user %s: %w", found.Username, err)
	}
	return place{
		uid: int(uid), name: found.Username,
		cred: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}},
	}, nil
}

// enter tries whether the server's user may enter dir, by entering it: that minds groups and
// access lists, which permission bits alone do not show.
func (p place) enter(dir string) error {
	if p.cred == nil {
		return nil
	}
	cmd := exec.Command("/bin/sh", "-c", ":")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: p.cred}
	return cmd.Run()
}

// own gives the cluster's folder to the server's user and closes it to everybody else, as
// PostgreSQL demands.
func (p place) own() error {
	if p.cred != nil {
		if err := p.give(p.dir()); err != nil {
			return err
		}
	}
	info, err := os.Stat(p.dir())
	if err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	if info.Mode().Perm()&0o077 == 0 && info.Mode().Perm()&0o700 == 0o700 {
		return nil
	}
	if err := os.Chmod(p.dir(), 0o700); err != nil {
		return fmt.Errorf("localpg: mend permissions: %w", err)
	}
	return nil
}

func (p place) give(dir string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || int(info.Sys().(*syscall.Stat_t).Uid) == p.uid {
			return ignoreMissing(err)
		}
		return ignoreMissing(os.Lchown(path, p.uid, int(p.cred.Gid)))
	})
	if err != nil {
		return fmt.Errorf("localpg: give %s to user %s: %w", dir, p.name, err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// plain paths need no quoting, neither in a DSN nor in unix_socket_directories.
var plain = regexp.MustCompile(`^[A-Za-z0-9/._-]+$`)

// socketLimit is the shorter of the two systems' limits for a socket path (macOS: 104 with the
// closing zero).
const socketLimit = 103

// makeSocketDir returns a folder for the socket that only the server's user may enter: the cluster
// itself where its path is short and plain, else a folder of its own below the temporary folder.
func (p place) makeSocketDir() (string, error) {
	if fits(p.dir()) {
		return p.dir(), nil
	}
	var errs []error
	for _, tmp := range []string{"/tmp", os.TempDir()} {
		for _, suffix := range []string{"", "-1", "-2"} {
			dir := filepath.Join(tmp, fmt.Sprintf("ocop-%d-%s%s", p.uid, digest(p.dir()), suffix))
			if !fits(dir) || p.enter(tmp) != nil {
				continue
			}
			err := p.makePrivate(dir)
			if err == nil {
				return dir, nil
			}
			errs = append(errs, err)
		}
	}
	return "", fmt.Errorf("no folder for the database's socket can be made: %w", errors.Join(errs...))
}

// makePrivate makes dir for the server's user alone. A folder of that name made by somebody else
// is refused: they could listen in place of the server.
func (p place) makePrivate(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil && p.cred != nil {
		err = os.Lchown(dir, p.uid, int(p.cred.Gid))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || int(info.Sys().(*syscall.Stat_t).Uid) != p.uid {
		return fmt.Errorf("%s belongs to somebody else", dir)
	}
	return os.Chmod(dir, 0o700)
}

func fits(dir string) bool {
	return plain.MatchString(dir) && len(filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%d", port))) <= socketLimit
}

func digest(path string) string {
	sum := sha256.Sum256([]byte(path))
	return fmt.Sprintf("%x", sum[:6])
}

func userName(uid int) string {
	if u, err := osuser.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// tryLock returns nil without an error when another process holds the lock. The system frees the
// lock when its holder ends, however it ends.
func tryLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("the data folder cannot be written: %w", err)
	}
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case err == nil:
		return f, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, f.Close()
	default:
		return nil, errors.Join(fmt.Errorf("localpg: lock %s: %w", path, err), f.Close())
	}
}
