//go:build unix && !linux

package localpg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing here: the system has no such signal, and the next Start stops what a
// killed process left.
func dieWithParent(*syscall.SysProcAttr) {}

// runsOn tells whether pid is a PostgreSQL server on the data folder dir, by its command line.
func runsOn(pid int, dir string) bool {
	out, err := exec.Command("ps", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	line := string(out)
	return err == nil && strings.Contains(line, "postgres") && strings.Contains(line, dir)
}
