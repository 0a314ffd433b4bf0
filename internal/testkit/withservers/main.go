//go:build unix

// Withservers runs a command beside a PostgreSQL and a Redis of its own, and hands their addresses
// over in the environment:
//
//	go run ./internal/testkit/withservers go test ./internal/order/
//
// The servers use a fresh folder and a free port, so any number of them run side by side and beside
// a running market. When the command succeeds the folder is deleted; when it fails it stays, with
// the databases of the failed tests, and -data opens it again:
//
//	go run ./internal/testkit/withservers -data /tmp/ocop-test-123 sh -c 'psql "$OCOP_TEST_DATABASE_URL"'
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"choocop.vn/ocop/internal/platform/localpg"
	"choocop.vn/ocop/internal/testkit"
)

func main() {
	data := flag.String("data", "", "folder of an earlier run to open again (default: a fresh one)")
	durable := flag.Bool("durable", false, "let PostgreSQL write as for a real market, to measure what that costs")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: withservers [-data FOLDER] [-durable] COMMAND [ARGUMENT…]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	code, err := run(*data, *durable, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// run returns the command's exit status; its error is about the servers.
func run(data string, durable bool, command []string) (code int, err error) {
	fresh := data == ""
	if fresh {
		if data, err = freshFolder(); err != nil {
			return 1, err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	settings := map[string]string{"max_connections": "400", "shared_buffers": "256MB"}
	if !durable { // losing a test's database in a power cut harms nobody
		settings["fsync"], settings["synchronous_commit"], settings["full_page_writes"] = "off", "off", "off"
	}
	pg, err := localpg.Start(ctx, localpg.Options{DataDir: data, Settings: settings})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, pg.Stop(context.Background())) }()
	redis, address, err := startRedis(ctx, data)
	if err != nil {
		return 1, err
	}
	defer func() {
		_ = redis.Process.Kill() // nothing in it outlives the tests
		_ = redis.Wait()
	}()
	code, err = runCommand(ctx, command,
		testkit.DatabaseEnv+"="+pg.DSN(), testkit.RedisEnv+"=redis://"+address+"/0")
	if fresh && code == 0 && err == nil {
		defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
		return 0, pg.Stop(context.Background())
	}
	fmt.Fprintf(os.Stderr, "The databases of failed tests are in %s; delete it when you have looked.\n", data)
	return code, err
}

// freshFolder is in /tmp, where the unprivileged user that runs PostgreSQL for root can reach it,
// unlike a folder below root's home.
func freshFolder() (string, error) {
	dir, err := os.MkdirTemp("/tmp", "ocop-test-")
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o755)
}

// runCommand lets an interrupt end the command first; the servers follow.
func runCommand(ctx context.Context, command []string, env ...string) (int, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}

// startRedis tries several ports: another process may take a free one before Redis does.
func startRedis(ctx context.Context, dir string) (*exec.Cmd, string, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		if binary, err = exec.LookPath("valkey-server"); err != nil {
			return nil, "", errors.New("redis-server is not installed; `make test` installs it")
		}
	}
	for range 5 {
		port, err := freePort()
		if err != nil {
			return nil, "", err
		}
		cmd := exec.Command(binary, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "",
			"--appendonly", "no", "--dir", dir, "--logfile", filepath.Join(dir, "redis.log"))
		if err := cmd.Start(); err != nil {
			return nil, "", err
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if answers(ctx, address) {
			return cmd, address, nil
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
	}
	return nil, "", fmt.Errorf("redis-server does not answer; see %s", filepath.Join(dir, "redis.log"))
}

func answers(ctx context.Context, address string) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err != nil {
			continue
		}
		fmt.Fprint(conn, "PING\r\n")
		line, err := bufio.NewReader(conn).ReadString('\n')
		conn.Close()
		if err == nil && line == "+PONG\r\n" {
			return true
		}
	}
	return false
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
