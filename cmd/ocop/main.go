// Command ocop is the whole of Chợ OCOP in one program: the shop and its jobs, and what an operator
// needs to look after them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/config"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := root().ExecuteContext(ctx)
	if err == nil || errors.Is(err, context.Canceled) {
		return
	}
	if !errors.Is(err, errSilent) {
		fmt.Fprintln(os.Stderr, "ocop:", sentence(err))
	}
	stop()
	os.Exit(1)
}

// errSilent ends with status 1 when everything has been said already.
var errSilent = errors.New("")

// sentence is what a person at the terminal reads: known errors in words, others as they are.
func sentence(err error) string {
	faults, ok := apperr.As(err)
	if !ok {
		return err.Error()
	}
	text := ""
	for i, e := range faults {
		if i > 0 {
			text += " "
		}
		text += i18n.T(language(), e.Key, e.Args)
	}
	return text
}

// language of the terminal: Vietnamese unless the locale says English.
func language() i18n.Locale {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if len(v) >= 2 && v[:2] == "vi" {
				return i18n.VI
			}
			return i18n.EN
		}
	}
	return i18n.VI
}

func root() *cobra.Command {
	c := &cobra.Command{Use: "ocop", Short: "Chợ OCOP: the shop for Vietnam's One Commune One Product goods",
		SilenceUsage: true, SilenceErrors: true, CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true}}
	c.AddCommand(serveCmd(), devCmd(), pingCmd(), migrateCmd(), seedCmd(), importCmd(), stockCmd(), orderCmd(), moneyCmd(), bankCmd(), paymentsCmd(), payeeCmd(), starsCmd(), partnerCmd(), doctorCmd(), userCmd())
	return c
}

func settings() (config.Config, error) {
	cfg, err := config.Read()
	if err != nil {
		return cfg, err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		return cfg, fmt.Errorf("OCOP_LOG %q is none of debug, info, warn, error", cfg.LogLevel)
	}
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(os.Stderr, opts)
	if cfg.InProduction() {
		h = slog.NewJSONHandler(os.Stderr, opts)
	}
	slog.SetDefault(slog.New(h))
	return cfg, nil
}
