package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/money"
	"choocop.vn/ocop/internal/reconcile"
	"choocop.vn/ocop/internal/web/hook"
)

// moneyCmd looks after money that came in and that no machine could put to an order.
func moneyCmd() *cobra.Command {
	c := &cobra.Command{Use: "money", Short: "look after unmatched money"}
	var all, anyway bool
	var reason, bankRef string
	list := &cobra.Command{Use: "list", Short: "print the money that waits for a person", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				f := reconcile.Filter{States: []reconcile.State{reconcile.Unmatched}, Limit: 200}
				if all {
					f.States = nil
				}
				rows, _, err := a.Money.List(ctx, reconcile.Everywhere, f)
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "ID\tAMOUNT\tACCOUNT\tTRANSACTION\tSTATE\tREASON\tORDER\tMEMO")
				for _, r := range rows {
					fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%q\n", r.ID, r.Amount, r.AccountNo, r.TransactionID, r.State, r.Reason, r.Reference, r.Memo)
				}
				return w.Flush()
			})
		}}
	list.Flags().BoolVar(&all, "all", false, "also what is done")
	decide := func(use, short string, args int, do func(context.Context, *app.App, int64, []string, reconcile.Person) error) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: cobra.ExactArgs(args), RunE: func(c *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return fmt.Errorf("%q is no number of the list", args[0])
			}
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				return do(ctx, a, id, args, reconcile.Person{Actor: actor(), Reason: reason})
			})
		}}
	}
	assign := decide("assign ID CODE", "say which order money is for", 2, func(ctx context.Context, a *app.App, id int64, args []string, p reconcile.Person) error {
		return a.Money.Assign(ctx, reconcile.Everywhere, id, args[1], p, anyway)
	})
	assign.Flags().BoolVar(&anyway, "anyway", false, "although amount or account differ, or the order was confirmed by hand")
	back := decide("return ID", "record that money, or what was too much, was sent back", 1, func(ctx context.Context, a *app.App, id int64, _ []string, p reconcile.Person) error {
		return a.Money.GiveBack(ctx, reconcile.Everywhere, id, bankRef, p)
	})
	back.Flags().StringVar(&bankRef, "bank-ref", "", "the bank's reference of the transfer back")
	dismiss := decide("dismiss ID", "say that money is none of this market's", 1, func(ctx context.Context, a *app.App, id int64, _ []string, p reconcile.Person) error {
		return a.Money.Dismiss(ctx, reconcile.Everywhere, id, p)
	})
	for _, d := range []*cobra.Command{assign, back, dismiss} {
		d.Flags().StringVar(&reason, "reason", "", "why")
	}
	c.AddCommand(list, assign, back, dismiss)
	return c
}

// bankCmd plays the bank of the demo market.
func bankCmd() *cobra.Command {
	c := &cobra.Command{Use: "bank", Short: "play the bank, in development"}
	var amount int64
	var memo, id string
	send := &cobra.Command{Use: "send CODE", Short: "tell the running market that an order was paid by transfer", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var n reconcile.Notice
			var secret, base string
			err := open(c.Context(), func(ctx context.Context, a *app.App) error {
				var err error
				if secret, err = app.BankSecret(a.Config); err != nil {
					return err
				}
				base = a.Config.BaseURL
				n, err = a.Money.Asked(ctx, args[0])
				return err
			})
			if err != nil {
				return err
			}
			if n.TransactionID = id; id == "" {
				n.TransactionID = "DEMO" + ident.Normalise(ident.Code(6, 6))
			}
			if amount > 0 {
				n.Amount = money.VND(amount)
			}
			if c.Flags().Changed("memo") {
				n.Memo = memo
			}
			return tellBank(c.Context(), base, secret, n)
		}}
	send.Flags().Int64Var(&amount, "amount", 0, "another amount than the order's, in đồng")
	send.Flags().StringVar(&memo, "memo", "", "another memo than the order's")
	send.Flags().StringVar(&id, "transaction", "", "number of the transaction; the same number counts once")
	c.AddCommand(send)
	return c
}

// tellBank posts a signed notice to the market.
func tellBank(ctx context.Context, base, secret string, n reconcile.Notice) error {
	now := clock.System().Now()
	body, err := json.Marshal(map[string]any{"transaction_id": n.TransactionID, "account_no": n.AccountNo, "bank_bin": n.BankBIN,
		"amount": int64(n.Amount), "memo": n.Memo, "time": now.Format(time.RFC3339)})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/hooks/bank", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(hook.BankTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(hook.BankSignature, hook.SignBank(secret, now, body))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("the market does not answer at %s: %w", base, err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, 1000))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status + ": " + string(said))
	}
	fmt.Printf("%s %s into %s, %q: %s", n.TransactionID, n.Amount, n.AccountNo, n.Memo, said)
	return nil
}
