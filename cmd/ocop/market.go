package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/demo"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/storefront"
)

// demoPassword opens every account of the demo market, which production mode refuses to make.
const demoPassword = "cho-ocop-2026"

type demoSignIn struct{ Role, Email string }

func demoSignIns() []demoSignIn {
	var out []demoSignIn
	for _, r := range account.DemoAccounts(demoPassword, account.DemoPlaces{ProducerID: 1, ShowroomID: 1}) {
		out = append(out, demoSignIn{string(r.Roles[0].Name), r.Email})
	}
	return out
}

func migrateCmd() *cobra.Command {
	return &cobra.Command{Use: "migrate", Short: "bring the database's schema to this version", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return open(c.Context(), func(context.Context, *app.App) error {
				fmt.Println("The schema is up to date.")
				return nil
			})
		}}
}

func seedCmd() *cobra.Command {
	return &cobra.Command{Use: "seed", Short: "load the demo market; what is there already stays", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return open(c.Context(), func(ctx context.Context, a *app.App) error {
				if a.Config.InProduction() {
					return fmt.Errorf("the demo market cannot be loaded in production")
				}
				return seed(ctx, a)
			})
		}}
}

var stages = map[string]string{
	demo.StageProducts: "Loading goods and producers", demo.StagePictures: "Drawing pictures", demo.StageBank: "Opening test bank accounts",
	demo.StageStock: "Filling shelves", demo.StageShowrooms: "Opening sales points",
}

// seed loads the demo market with a bar per stage, and its sign-ins.
func seed(ctx context.Context, a *app.App) error {
	var bar *progressbar.ProgressBar
	last := ""
	_, err := demo.Seed(ctx, demo.Services{DB: a.DB, Intake: a.Intake, Producers: a.Producers, Catalog: a.Catalog, Media: a.Media, Inventory: a.Stock, Showrooms: a.Showrooms},
		func(stage string, done, total int) {
			if stage != last {
				last, bar = stage, newBar(total, stages[stage])
			}
			_ = bar.Set(done)
		})
	if err != nil {
		return err
	}
	return demoAccounts(ctx, a)
}

func newBar(total int, text string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(fmt.Sprintf("  %-28s", text)),
		progressbar.OptionShowCount(), progressbar.OptionSetWidth(24), progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}))
}

// demoAccounts opens one account per role; the cashier's is the last, so with it all are there.
func demoAccounts(ctx context.Context, a *app.App) error {
	names := demoSignIns()
	_, err := a.Accounts.ByEmail(ctx, names[len(names)-1].Email)
	if faults, known := apperr.As(err); err == nil || !known || faults.Kind() != apperr.NotFound {
		return err
	}
	at := account.DemoPlaces{}
	if points, err := a.Showrooms.List(ctx, ""); err != nil {
		return err
	} else if len(points) > 0 {
		at.ShowroomID = points[0].ID
	}
	list, err := a.Store.List(ctx, storefront.Filter{Size: 24, Stars: []int{5}, Page: 1})
	if err != nil {
		return err
	}
	// A producer with a name, and an officer of its province, so that what one sends the other finds.
	if i := slices.IndexFunc(list.Cards, func(c storefront.Card) bool { return c.ProducerKnown }); i >= 0 {
		at.ProducerID, at.ProvinceCode = list.Cards[i].ProducerID, list.Cards[i].ProvinceCode
	}
	return a.Accounts.RegisterDemo(ctx, demoPassword, at)
}
