package testkit

import (
	"net"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// RedisServer is a Redis of a test's own, which may go away and come back at the same address.
type RedisServer struct {
	t    testing.TB
	port string
	cmd  *exec.Cmd
}

// Redis starts a Redis of its own on a free port; it ends with the test.
func Redis(t testing.TB) *RedisServer {
	t.Helper()
	for range 5 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		r := &RedisServer{t: t, port: strconv.Itoa(l.Addr().(*net.TCPAddr).Port)}
		l.Close()
		if r.start() {
			t.Cleanup(r.Stop)
			return r
		}
	}
	t.Fatal("testkit: redis-server does not start")
	return nil
}

// URL is its address as REDIS_URL wants it.
func (r *RedisServer) URL() string { return "redis://127.0.0.1:" + r.port + "/0" }

// Start brings it back after Stop, empty.
func (r *RedisServer) Start() {
	r.t.Helper()
	if !r.start() {
		r.t.Fatal("testkit: redis-server does not start again")
	}
}

func (r *RedisServer) start() bool {
	r.t.Helper()
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		if binary, err = exec.LookPath("valkey-server"); err != nil {
			r.t.Fatal("redis-server is not installed; `make test` installs it")
		}
	}
	r.cmd = exec.Command(binary, "--port", r.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", r.t.TempDir())
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+r.port, time.Second)
		if err == nil {
			conn.Close()
			return true
		}
	}
	r.Stop()
	return false
}

// Stop kills it without warning.
func (r *RedisServer) Stop() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	r.cmd = nil
}
