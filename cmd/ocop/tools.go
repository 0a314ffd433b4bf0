package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/intake"
	"choocop.vn/ocop/internal/inventory"
	"choocop.vn/ocop/internal/platform/clock"
)

// actor is who stands in the books for a command given at this terminal.
func actor() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return "cli:" + name
	}
	if name := os.Getenv("USER"); name != "" {
		return "cli:" + name
	}
	return "cli"
}

func importCmd() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "take lists in"}
	var dry bool
	products := &cobra.Command{Use: "products FILE.csv|xlsx", Short: "take producers, products and certificates in from a list", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			format := intake.Format(strings.TrimPrefix(strings.ToLower(filepath.Ext(args[0])), "."))
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				var bar *progressbar.ProgressBar
				report, err := a.Intake.Products(ctx, f, format, intake.Options{DryRun: dry, Actor: actor(), Progress: func(done, total int) {
					if bar == nil {
						bar = newBar(total, "Rows")
					}
					_ = bar.Set(done)
				}})
				if err != nil {
					return err
				}
				return tell(report, args[0], dry)
			})
		}}
	products.Flags().BoolVar(&dry, "dry-run", false, "read and check only, change nothing")
	c.AddCommand(products)
	return c
}

// tell prints what an import did; bad rows end with status 1 though the good ones are loaded.
func tell(r intake.Report, file string, dry bool) error {
	for _, list := range [][]intake.Problem{r.Notes, r.Bad} {
		for _, p := range list {
			where := file
			if p.Line > 0 {
				where = fmt.Sprintf("%s:%d", file, p.Line)
			}
			if p.Column != "" {
				where += " [" + p.Column + "]"
			}
			fmt.Printf("%s: %s", where, p.Sentence(language()))
			if p.Value != "" {
				fmt.Printf(" (%q)", p.Value)
			}
			fmt.Println()
		}
	}
	did := "loaded"
	if dry {
		did = "to load; nothing was changed"
	}
	fmt.Printf("%d rows: %d new, %d changed, %d unchanged, %d faults; %s\n", r.Rows, r.Added, r.Changed, r.Unchanged, len(r.Bad), did)
	if len(r.Bad) > 0 {
		return errSilent
	}
	return nil
}

func stockCmd() *cobra.Command {
	var receive, adjust int64
	var reason, key string
	c := &cobra.Command{Use: "stock SKU", Short: "print the stock of a SKU; --receive or --adjust posts a movement", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				if receive != 0 {
					if _, err := a.Stock.Receive(ctx, inventory.Receipt{SKU: args[0], Quantity: receive, Actor: actor(), RequestKey: key}); err != nil {
						return err
					}
				}
				if adjust != 0 {
					if _, err := a.Stock.Adjust(ctx, inventory.Adjustment{SKU: args[0], Delta: adjust, Reason: reason, Actor: actor(), RequestKey: key}); err != nil {
						return err
					}
				}
				levels, err := a.Stock.Levels(ctx, args[0])
				if err != nil {
					return err
				}
				w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
				fmt.Fprintln(w, "PLACE\tLOT\tON HAND\tRESERVED\tAVAILABLE")
				for _, l := range levels {
					fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\n", l.LocationName, l.LotCode, l.OnHand, l.Reserved, l.Available())
				}
				return w.Flush()
			})
		}}
	c.Flags().Int64Var(&receive, "receive", 0, "receive so many pieces at the producer's own store")
	c.Flags().Int64Var(&adjust, "adjust", 0, "correct by so many pieces, up or down; needs --reason")
	c.Flags().StringVar(&reason, "reason", "", "why the stock is corrected")
	c.Flags().StringVar(&key, "key", "", "request key: the same key posts once")
	c.MarkFlagsMutuallyExclusive("receive", "adjust")
	return c
}

// orderCmd holds the steps that staff take until the portals open.
func orderCmd() *cobra.Command {
	c := &cobra.Command{Use: "order", Short: "look after an order by its code"}
	var reason string
	confirm := &cobra.Command{Use: "confirm CODE", Short: "confirm by hand that a VietQR transfer has arrived", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				if err := a.Orders.ConfirmTransfer(ctx, args[0], actor(), reason); err != nil {
					return err
				}
				due, err := a.Orders.RefundDue(ctx, args[0])
				if due {
					fmt.Println("The order is off: the money is recorded and the seller owes it back to the buyer.")
				}
				return err
			})
		}}
	confirm.Flags().StringVar(&reason, "reason", "", "what was seen, for instance the bank's transaction number")
	_ = confirm.MarkFlagRequired("reason")
	c.AddCommand(confirm)
	c.AddCommand(refundCmds()...)
	for _, v := range []struct {
		name, short string
		do          func(*app.App) func(context.Context, string, string) error
	}{
		{"pack", "the goods are packed", func(a *app.App) func(context.Context, string, string) error { return a.Orders.MarkPacked }},
		{"ship", "the parcel has left", func(a *app.App) func(context.Context, string, string) error { return a.Orders.MarkShipped }},
		{"deliver", "the buyer has it", func(a *app.App) func(context.Context, string, string) error { return a.Orders.MarkDelivered }},
		{"collect", "the cash of a delivered order was collected", func(a *app.App) func(context.Context, string, string) error { return a.Orders.CollectCOD }},
	} {
		c.AddCommand(&cobra.Command{Use: v.name + " CODE", Short: v.short, Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error { return v.do(a)(ctx, args[0], actor()) })
		}})
	}
	return c
}

func starsCmd() *cobra.Command {
	c := &cobra.Command{Use: "stars", Short: "look after star certificates"}
	var why, on string
	revoke := &cobra.Command{Use: "revoke CODE", Short: "record that a certificate was revoked", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			day := clock.Today(clock.System())
			if on != "" {
				var err error
				if day, err = clock.ParseDate(on); err != nil {
					return err
				}
			}
			return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Stars.Revoke(ctx, args[0], day, why, actor()) })
		}}
	revoke.Flags().StringVar(&why, "reason", "", "why, with the number of the decision")
	revoke.Flags().StringVar(&on, "on", "", "first day without the stars, YYYY-MM-DD; today if not given")
	_ = revoke.MarkFlagRequired("reason")
	c.AddCommand(revoke)
	return c
}

func doctorCmd() *cobra.Command {
	return &cobra.Command{Use: "doctor", Short: "check on live data what must always be true", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				findings, err := a.Examine(ctx)
				if err != nil {
					return err
				}
				bad := 0
				w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
				for _, f := range findings {
					mark := "ok"
					if f.Violations > 0 {
						mark = "BROKEN"
						bad++
					}
					fmt.Fprintf(w, "%s\t%d\t%s\n", mark, f.Violations, f.Name)
				}
				if err := w.Flush(); err != nil {
					return err
				}
				if bad > 0 {
					fmt.Printf("%d of %d invariants are broken.\n", bad, len(findings))
					return errSilent
				}
				fmt.Printf("All %d invariants hold.\n", len(findings))
				return nil
			})
		}}
}

func userCmd() *cobra.Command {
	c := &cobra.Command{Use: "user", Short: "look after staff accounts"}
	var email, name, role, scope, scopeID string
	bound := func() account.Role {
		return account.Role{Name: account.RoleName(role), Scope: account.Scope(scope), ScopeID: scopeID}
	}
	flags := func(c *cobra.Command) *cobra.Command {
		c.Flags().StringVar(&role, "role", "", "admin, officer, producer or cashier")
		c.Flags().StringVar(&scope, "scope", "", "province, commune, producer or showroom, where the role is bound to one")
		c.Flags().StringVar(&scopeID, "scope-id", "", "which one: the code of a province or commune, or an id")
		return c
	}
	add := flags(&cobra.Command{Use: "add", Short: "open an account; the password is read from standard input", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			password, err := readPassword()
			if err != nil {
				return err
			}
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				_, err := a.Accounts.Register(ctx, account.Registration{Email: email, Name: name, Password: password, Actor: actor(), Roles: []account.Role{bound()}})
				return err
			})
		}})
	add.Flags().StringVar(&email, "email", "", "e-mail address to sign in with")
	add.Flags().StringVar(&name, "name", "", "the person's name")
	grant := flags(&cobra.Command{Use: "grant EMAIL", Short: "give an account a role", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withUser(c, args[0], func(ctx context.Context, a *app.App, id int64) error {
				return a.Accounts.Grant(ctx, id, bound(), actor())
			})
		}})
	revoke := flags(&cobra.Command{Use: "revoke EMAIL", Short: "take a role away from an account", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return withUser(c, args[0], func(ctx context.Context, a *app.App, id int64) error {
				return a.Accounts.Revoke(ctx, id, bound(), actor())
			})
		}})
	password := &cobra.Command{Use: "password EMAIL", Short: "set a new password, read from standard input", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			secret, err := readPassword()
			if err != nil {
				return err
			}
			return withUser(c, args[0], func(ctx context.Context, a *app.App, id int64) error {
				return a.Accounts.SetPassword(ctx, id, secret, actor())
			})
		}}
	c.AddCommand(add, grant, revoke, password)
	return c
}

// withUser runs fn on the account with an e-mail.
func withUser(c *cobra.Command, email string, fn func(ctx context.Context, a *app.App, id int64) error) error {
	return open(c.Context(), func(ctx context.Context, a *app.App) error {
		who, err := a.Accounts.ByEmail(ctx, email)
		if err != nil {
			return err
		}
		return fn(ctx, a, who.ID)
	})
}

// readPassword takes the first line of standard input, so that no password stands in a shell's history.
func readPassword() (string, error) {
	fmt.Fprint(os.Stderr, "Password: ")
	s := bufio.NewScanner(os.Stdin)
	if !s.Scan() {
		return "", fmt.Errorf("no password was given on standard input")
	}
	return s.Text(), nil
}
