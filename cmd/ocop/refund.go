package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/ident"
)

// mostRefunds is how many refunds one list shows.
const mostRefunds = 200

// refundCmds are the steps of an order that move money back, or on to the seller.
func refundCmds() []*cobra.Command {
	var lines []string
	var shipping, byHand bool
	var reason, key string
	refund := &cobra.Command{Use: "refund CODE", Short: "give money back: of lines and shipping, or without them all that is left", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			r := order.RefundOrder{RequestKey: key, Shipping: shipping, ByHand: byHand, Whole: len(lines) == 0 && !shipping, Actor: actor(), Reason: reason}
			if r.RequestKey == "" {
				r.RequestKey = ident.Token()
			}
			for _, l := range lines {
				sku, n, _ := strings.Cut(l, "=")
				pieces, err := strconv.Atoi(n)
				if err != nil {
					return fmt.Errorf("--line %q must look like SKU=2", l)
				}
				r.Lines = append(r.Lines, order.RefundLine{SKU: sku, Quantity: pieces})
			}
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				done, err := a.Orders.Refund(ctx, args[0], r)
				if err == nil {
					fmt.Printf("Refund %d: %s, by %s.\n", done.ID, done.Amount, done.Way)
				}
				return err
			})
		}}
	refund.Flags().StringArrayVar(&lines, "line", nil, "SKU=N: so many pieces of a line; may be given more than once")
	refund.Flags().BoolVar(&shipping, "shipping", false, "the shipping as well")
	refund.Flags().BoolVar(&byHand, "by-hand", false, "the seller sends it, although it was paid by card")
	refund.Flags().StringVar(&reason, "reason", "", "why")
	refund.Flags().StringVar(&key, "key", "", "request key: the same key refunds once")
	_ = refund.MarkFlagRequired("reason")

	due := &cobra.Command{Use: "refunds", Short: "list what sellers have still to send back", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error {
			all, err := a.Orders.RefundsByHand(ctx, mostRefunds)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "REFUND\tORDER\tAMOUNT\tSINCE")
			for _, r := range all {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", r.ID, r.OrderCode, r.Amount, r.CreatedAt.In(clock.HCM).Format("02/01/2006 15:04"))
			}
			return w.Flush()
		})
	}}
	var bankRef string
	sent := &cobra.Command{Use: "confirm-refund ID", Short: "the seller has sent a refund", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		id, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not the number of a refund", args[0])
		}
		return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Orders.ConfirmRefund(ctx, id, bankRef, actor()) })
	}}
	sent.Flags().StringVar(&bankRef, "bank-ref", "", "the bank's number of the transfer")
	_ = sent.MarkFlagRequired("bank-ref")

	var ref string
	remit := &cobra.Command{Use: "remit CODE", Short: "the seller has the cash that was collected", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Orders.RemitCOD(ctx, args[0], actor(), ref) })
	}}
	remit.Flags().StringVar(&ref, "ref", "", "the carrier's statement or the bank's number")
	_ = remit.MarkFlagRequired("ref")

	var why string
	back := &cobra.Command{Use: "returned CODE", Short: "the parcel was not taken and came back", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Orders.MarkReturned(ctx, args[0], actor(), why) })
	}}
	back.Flags().StringVar(&why, "reason", "", "why it came back")
	_ = back.MarkFlagRequired("reason")
	return []*cobra.Command{refund, due, sent, remit, back}
}

// faultCmds are for card payments whose amount at the provider is not the one that was asked.
func faultCmds() []*cobra.Command {
	list := &cobra.Command{Use: "faults", Short: "list card payments that wait for a person", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error {
			all, err := a.Payments.FaultyCharges(ctx, mostRefunds)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "PURCHASE\tAMOUNT\tFAULT")
			for _, f := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", f.Reference, f.Amount, f.Fault)
			}
			return w.Flush()
		})
	}}
	var d order.ChargeDecision
	resolve := &cobra.Command{Use: "resolve CODE", Short: "settle such a card payment if its amount is right now, or give it back", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			d.Actor = actor()
			return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Orders.ResolveCharge(ctx, args[0], d) })
		}}
	resolve.Flags().BoolVar(&d.GiveBack, "give-back", false, "send all that the provider has back to the card, and end the orders")
	resolve.Flags().StringVar(&d.Reason, "reason", "", "why")
	_ = resolve.MarkFlagRequired("reason")
	return []*cobra.Command{list, resolve}
}

func paymentsCmd() *cobra.Command {
	c := &cobra.Command{Use: "payments", Short: "look after payments"}
	c.AddCommand(faultCmds()...)
	c.AddCommand(&cobra.Command{Use: "disputes", Short: "list what buyers' banks ask back", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error {
			all, err := a.Payments.Disputes(ctx, 0)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
			fmt.Fprintln(w, "PURCHASE\tAMOUNT\tSTATE\tREASON\tANSWER BY\tDISPUTE")
			for _, d := range all {
				by := ""
				if d.AnswerBy != nil {
					by = d.AnswerBy.In(clock.HCM).Format("02/01/2006 15:04")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.Reference, d.Amount, d.State, d.Reason, by, d.ProviderRef)
			}
			return w.Flush()
		})
	}})
	return c
}

func payeeCmd() *cobra.Command {
	c := &cobra.Command{Use: "payee", Short: "look after sellers' connected accounts at the card provider"}
	c.AddCommand(&cobra.Command{Use: "set SELLER ACCOUNT", Short: "pass a seller's card money on to an account; SELLER is the seller's id", Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Payments.SetPayee(ctx, args[0], args[1]) })
		}})
	return c
}
