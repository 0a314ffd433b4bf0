package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/localpg"
)

func serveCmd() *cobra.Command {
	return &cobra.Command{Use: "serve", Short: "run the market on DATABASE_URL and REDIS_URL", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings()
			if err != nil {
				return err
			}
			if cfg.DatabaseURL == "" {
				return errors.New("DATABASE_URL is not set; `ocop dev` brings a database of its own")
			}
			return serve(c.Context(), cfg, nil)
		}}
}

func devCmd() *cobra.Command {
	return &cobra.Command{Use: "dev", Short: "run the demo market with all it needs", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings()
			if err != nil {
				return err
			}
			if cfg.InProduction() {
				return errors.New("`ocop dev` is for development; use `ocop serve` in production")
			}
			cfg.Demo = true
			// A port in use is said before anything else is started.
			l, err := listen(cfg.Addr)
			if err != nil {
				return err
			}
			defer l.Close()
			return withDatabase(c.Context(), cfg, func(ctx context.Context, cfg config.Config) error { return serve(ctx, cfg, l) })
		}}
}

// step tells what is being done, for a person who waits.
func step(format string, args ...any) { fmt.Fprintf(os.Stderr, "  "+format+"\n", args...) }

// withDatabase runs fn with a database: the one of DATABASE_URL, or a private cluster below OCOP_DATA
// that is stopped again afterwards.
func withDatabase(ctx context.Context, cfg config.Config, fn func(context.Context, config.Config) error) error {
	data, err := filepath.Abs(cfg.Data)
	if err != nil {
		return err
	}
	cfg.Data = data
	if cfg.DatabaseURL != "" {
		return fn(ctx, cfg)
	}
	cluster, err := localpg.Start(ctx, localpg.Options{DataDir: data, Progress: func(s string) { step("%s", s) }, Extensions: []string{"unaccent", "pg_trgm"}})
	if err != nil {
		return err
	}
	defer func() {
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		if err := cluster.Stop(stop); err != nil {
			slog.Error("the database did not stop cleanly", "error", err)
		}
	}()
	cfg.DatabaseURL = cluster.DSN()
	return fn(ctx, cfg)
}

// open builds the program on a migrated database for the commands that look after it.
func open(ctx context.Context, fn func(context.Context, *app.App) error) error {
	cfg, err := settings()
	if err != nil {
		return err
	}
	return withDatabase(ctx, cfg, func(ctx context.Context, cfg config.Config) error {
		a, err := app.New(ctx, cfg, app.Options{})
		if err != nil {
			return err
		}
		defer a.Close()
		if err := a.Migrate(ctx); err != nil {
			return err
		}
		return fn(ctx, a)
	})
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use, perhaps by another ocop; stop that program or choose an address: OCOP_ADDR=localhost:8081 make run", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on OCOP_ADDR %s: %w", addr, err)
	}
	return l, nil
}

// serve runs the web server and the workers until ctx ends, then lets requests and jobs under way finish.
func serve(ctx context.Context, cfg config.Config, l net.Listener) error {
	start := time.Now()
	go holdMemory(ctx)
	stopTracing, err := app.Tracing(ctx, cfg)
	if err != nil {
		return err
	}
	defer stopTracing()
	a, err := app.New(ctx, cfg, app.Options{})
	if err != nil {
		return err
	}
	defer a.Close()
	if err := migrate(ctx, a); err != nil {
		return err
	}
	if cfg.Demo {
		if err := seed(ctx, a); err != nil {
			return err
		}
	}
	if l == nil {
		if l, err = listen(cfg.Addr); err != nil {
			return err
		}
	}
	server := &http.Server{Handler: a.Handler(), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 60 * time.Second,
		WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug)}
	server.RegisterOnShutdown(a.EndStreams)
	failed := make(chan error, 2)
	figures := &http.Server{Handler: a.Metrics(), ReadHeaderTimeout: 10 * time.Second}
	if cfg.MetricsAddr != "" {
		ml, err := listen(cfg.MetricsAddr)
		if err != nil {
			return err
		}
		go func() { failed <- figures.Serve(ml) }()
	}
	runner, err := a.Work(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if err := a.Warm(ctx); err != nil {
		slog.Warn("lists and searches were not read ahead", "error", err)
	}
	go func() { failed <- server.Serve(l) }()
	greet(cfg, time.Since(start))

	select {
	case err = <-failed:
	case <-ctx.Done():
		err = nil
	}
	slog.Info("stopping: requests and jobs under way may finish")
	// Jobs have time of their own: a slow request must not take it.
	answers, cancelAnswers := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancelAnswers()
	err = errors.Join(err, server.Shutdown(answers), figures.Shutdown(answers))
	jobs, cancelJobs := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancelJobs()
	return errors.Join(err, runner.Stop(jobs))
}

// migrate waits for a server that is still starting, then brings the schema up to date.
func migrate(ctx context.Context, a *app.App) error {
	for wait := 200 * time.Millisecond; ; wait *= 2 {
		err := a.Migrate(ctx)
		if err == nil || !db.Away(err) || wait > 15*time.Second {
			return err
		}
		slog.Warn("the database does not answer yet; trying again", "in", wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func greet(cfg config.Config, took time.Duration) {
	if !cfg.Demo {
		slog.Info("serving", "address", cfg.BaseURL, "after", took.Round(time.Millisecond))
		return
	}
	fmt.Fprintf(os.Stderr, "\n  Chợ OCOP is open, after %.1f s\n\n", took.Seconds())
	fmt.Fprintf(os.Stderr, "    Shop        %s        English  %s/en\n", cfg.BaseURL, cfg.BaseURL)
	fmt.Fprintf(os.Stderr, "    Staff       %s/dang-nhap\n", cfg.BaseURL)
	for _, who := range demoSignIns() {
		fmt.Fprintf(os.Stderr, "      %-12s %-26s %s\n", who.Role, who.Email, demoPassword)
	}
	fmt.Fprintf(os.Stderr, "    Mails       %s\n", filepath.Join(cfg.Data, "mail"))
	fmt.Fprintf(os.Stderr, "    Health      %s/readyz   %s/metrics\n\n  Ctrl-C stops everything.\n\n", cfg.BaseURL, cfg.BaseURL)
}

// pingCmd is the health check of a container without a shell.
func pingCmd() *cobra.Command {
	return &cobra.Command{Use: "ping", Short: "ask the running market whether it is alive", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := settings()
			if err != nil {
				return err
			}
			_, port, err := net.SplitHostPort(cfg.Addr)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.Context(), 5*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port+"/healthz", nil)
			if err != nil {
				return err
			}
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				return err
			}
			defer answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				return errors.New(strings.ToLower(answer.Status))
			}
			return nil
		}}
}
