package localpg

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dieWithParent has the system shut the server down in order when this process is killed.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }

// runsOn tells whether pid is a PostgreSQL server on the data folder dir. A server works inside its
// data folder; a zombie has none and counts as gone.
func runsOn(pid int, dir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return false
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil || !strings.HasPrefix(string(name), "postgres") {
		return false
	}
	dir, err = filepath.EvalSymlinks(dir)
	return err == nil && cwd == dir
}
