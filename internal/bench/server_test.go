//go:build bench

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/platform/db"
)

// server is a process that is measured: where it answers, and where it says its figures.
type server struct{ address, metrics string }

// figures are what a server has done and holds so far.
type figures struct{ statements, allocs, resident float64 }

func (s server) figures(t testing.TB) (f figures) {
	t.Helper()
	r, err := http.Get(s.metrics)
	if err != nil {
		t.Error(err)
		return f
	}
	defer r.Body.Close()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		into := map[string]*float64{"ocop_sql_statements_total": &f.statements, "go_memstats_mallocs_total": &f.allocs, "process_resident_memory_bytes": &f.resident}[name]
		if into == nil {
			continue
		}
		if *into, err = strconv.ParseFloat(value, 64); err != nil {
			t.Error(err)
		}
	}
	return f
}

// startMarket builds the program and runs it as operators do.
func startMarket(t testing.TB, cfg config.Config) server {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "ocop")
	build := exec.Command("go", "build", "-o", binary, "choocop.vn/ocop/cmd/ocop")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	address := free(t)
	run(t, exec.Command(binary, "serve"), "OCOP_ADDR="+address, "OCOP_DATA="+cfg.Data, "OCOP_BASE_URL="+cfg.BaseURL, "DATABASE_URL="+cfg.DatabaseURL,
		"REDIS_URL="+cfg.RedisURL, "OCOP_TRUSTED_PROXIES=127.0.0.1", "OCOP_LOG=error", "OCOP_CARD=off")
	return answering(t, address)
}

// Names of what the process of the yardsticks is told.
const (
	yardAddress  = "OCOP_BENCH_YARDSTICKS"
	yardDatabase = "OCOP_BENCH_DATABASE"
	yardProducts = "OCOP_BENCH_PRODUCTS"
)

func startYardsticks(t testing.TB, dsn string, products int) server {
	t.Helper()
	address := free(t)
	run(t, exec.Command(os.Args[0]), yardAddress+"="+address, yardDatabase+"="+dsn, yardProducts+"="+strconv.Itoa(products))
	return answering(t, address)
}

// TestMain is also the process of the yardsticks.
func TestMain(m *testing.M) {
	address := os.Getenv(yardAddress)
	if address == "" {
		os.Exit(m.Run())
	}
	if err := serveYardsticks(address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serveYardsticks(address string) error {
	products, err := strconv.Atoi(os.Getenv(yardProducts))
	if err != nil {
		return err
	}
	plain, err := db.Open(context.Background(), db.Config{DSN: os.Getenv(yardDatabase)})
	if err != nil {
		return err
	}
	prometheus.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "ocop_sql_statements_total"},
		func() float64 { return float64(plain.Statements()) }))
	mux := http.NewServeMux()
	mux.Handle("/", yardsticks(plain, products))
	mux.Handle("/metrics", promhttp.Handler())
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	return http.ListenAndServe(address, mux)
}

// run starts a process that ends with the test.
func run(t testing.TB, cmd *exec.Cmd, env ...string) {
	t.Helper()
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
}

func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func answering(t testing.TB, address string) server {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		r, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			continue
		}
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
		if r.StatusCode == http.StatusOK {
			return server{address, "http://" + address + "/metrics"}
		}
	}
	t.Fatalf("%s does not answer", address)
	return server{}
}

// chosen reports whether a row is to be measured: OCOP_BENCH_ROWS may name some by a regular expression, while one of them
// is worked on. The yardstick of a row is measured beside it in any case.
func chosen(name string) bool {
	pattern := os.Getenv("OCOP_BENCH_ROWS")
	return pattern == "" || regexp.MustCompile(pattern).MatchString(name)
}
