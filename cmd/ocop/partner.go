package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"choocop.vn/ocop/internal/app"
	"choocop.vn/ocop/internal/partner"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
)

// partnerCmd looks after those who sell the market's goods elsewhere; partners themselves manage endpoints by the API.
func partnerCmd() *cobra.Command {
	c := &cobra.Command{Use: "partner", Short: "look after partners, their API keys and webhooks"}
	c.AddCommand(partnerAddCmd(), partnerListCmd(), partnerKeyCmd(), partnerRevokeCmd(), partnerEndpointCmd(), partnerDeliveriesCmd(), partnerRedeliverCmd())
	for _, v := range []struct {
		name, short string
		do          func(*partner.Service, context.Context, int64, string, string) error
	}{
		{"pause", "send nothing more to an endpoint for now", (*partner.Service).Pause},
		{"resume", "send to a paused endpoint again", (*partner.Service).Resume},
		{"remove", "send nothing more to an endpoint, for good", (*partner.Service).RemoveEndpoint},
	} {
		c.AddCommand(forPartner(v.name+" PARTNER ENDPOINT", v.short, cobra.ExactArgs(2), func(ctx context.Context, s *partner.Service, id int64, args []string) error {
			return v.do(s, ctx, id, args[0], actor())
		}))
	}
	for _, v := range []struct {
		name, short string
		do          func(*partner.Service, context.Context, int64, string) error
	}{
		{"suspend", "refuse all keys of a partner and tell it nothing more", (*partner.Service).Suspend},
		{"restore", "take a suspension back", (*partner.Service).Restore},
	} {
		c.AddCommand(forPartner(v.name+" PARTNER", v.short, cobra.ExactArgs(1), func(ctx context.Context, s *partner.Service, id int64, _ []string) error {
			return v.do(s, ctx, id, actor())
		}))
	}
	return c
}

// forPartner is a command whose first argument is a partner's number; do gets the others.
func forPartner(use, short string, count cobra.PositionalArgs, do func(context.Context, *partner.Service, int64, []string) error) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: count, RunE: func(c *cobra.Command, args []string) error {
		id, err := strconv.ParseInt(args[0], 10, 64)
		if err != nil {
			return apperr.New(apperr.NotFound, "partner.unknown")
		}
		return open(c.Context(), func(ctx context.Context, a *app.App) error { return do(ctx, a.Partners, id, args[1:]) })
	}}
}

func partnerAddCmd() *cobra.Command {
	var email, locale string
	c := &cobra.Command{Use: "add NAME", Short: "take a partner in", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error {
			p, err := a.Partners.Add(ctx, args[0], email, i18n.Locale(locale), actor())
			if err != nil {
				return err
			}
			fmt.Printf("Partner %d is taken in. Next: ocop partner key %[1]d --scopes orders:read,orders:write\n", p.ID)
			return nil
		})
	}}
	c.Flags().StringVar(&email, "email", "", "contact address")
	c.Flags().StringVar(&locale, "locale", "vi", "language of our mails: vi or en")
	_ = c.MarkFlagRequired("email")
	return c
}

func partnerListCmd() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "list partners with their keys and endpoints", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error {
			all, err := a.Partners.List(ctx)
			if err != nil {
				return err
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
			for _, p := range all {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", p.ID, p.Name, p.Email, p.State)
				keys, err := a.Partners.Keys(ctx, p.ID)
				if err != nil {
					return err
				}
				for _, k := range keys {
					fmt.Fprintf(w, "\tkey %s\t%s\t%s\n", k.Prefix, scopes(k.Scopes), keyState(k))
				}
				ends, err := a.Partners.Endpoints(ctx, p.ID)
				if err != nil {
					return err
				}
				for _, e := range ends {
					fmt.Fprintf(w, "\t%s\t%s\t%s\n", e.Code, e.URL, strings.TrimSpace(e.State+" "+e.PausedWhy))
				}
			}
			return w.Flush()
		})
	}}
}

func scopes(list []partner.Scope) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = string(s)
	}
	return strings.Join(parts, ",")
}

func keyState(k partner.Key) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked " + minute(k.RevokedAt)
	case k.LastUsedAt != nil:
		return "last used " + minute(k.LastUsedAt)
	}
	return "never used"
}

func minute(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.In(clock.HCM).Format("2006-01-02 15:04")
}

func partnerKeyCmd() *cobra.Command {
	var want []string
	var label, expires string
	c := forPartner("key PARTNER", "issue an API key; it is printed once", cobra.ExactArgs(1), func(ctx context.Context, s *partner.Service, id int64, _ []string) error {
		r := partner.KeyRequest{PartnerID: id, Label: label}
		for _, sc := range want {
			r.Scopes = append(r.Scopes, partner.Scope(sc))
		}
		if expires != "" {
			day, err := clock.ParseDate(expires)
			if err != nil {
				return err
			}
			end := day.AddDays(1).Time()
			r.Expires = &end
		}
		k, text, err := s.IssueKey(ctx, r, actor())
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "Key %s, shown this once:\n", k.Prefix)
		fmt.Println(text)
		return nil
	})
	c.Flags().StringSliceVar(&want, "scopes", []string{string(partner.OrdersRead)}, "what it may do: "+scopes(partner.Scopes))
	c.Flags().StringVar(&label, "label", "", "what it is for")
	c.Flags().StringVar(&expires, "expires", "", "last day it may be used, YYYY-MM-DD; never if not given")
	return c
}

func partnerRevokeCmd() *cobra.Command {
	return &cobra.Command{Use: "revoke KEY", Short: "end an API key, named by its beginning ocop_XXXXXXXX", Args: cobra.ExactArgs(1), RunE: func(c *cobra.Command, args []string) error {
		return open(c.Context(), func(ctx context.Context, a *app.App) error { return a.Partners.RevokeKey(ctx, args[0], actor()) })
	}}
}

func partnerEndpointCmd() *cobra.Command {
	var kinds []string
	c := forPartner("endpoint PARTNER URL", "add a webhook endpoint; its signing secret is printed once", cobra.ExactArgs(2),
		func(ctx context.Context, s *partner.Service, id int64, args []string) error {
			e, secret, err := s.AddEndpoint(ctx, partner.EndpointRequest{PartnerID: id, URL: args[0], Kinds: kinds}, actor())
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "Endpoint %s; its secret, shown this once:\n", e.Code)
			fmt.Println(secret)
			return nil
		})
	c.Flags().StringSliceVar(&kinds, "kinds", nil, "events it wants, all if not given: "+strings.Join(partner.Kinds, ","))
	return c
}

func partnerDeliveriesCmd() *cobra.Command {
	var f partner.DeliveryFilter
	c := forPartner("deliveries PARTNER ENDPOINT [EVENT]", "print the delivery log, or every attempt of one event", cobra.RangeArgs(2, 3),
		func(ctx context.Context, s *partner.Service, id int64, args []string) error {
			w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
			if len(args) == 2 {
				_, tried, err := s.Delivery(ctx, id, args[0], args[1])
				if err != nil {
					return err
				}
				fmt.Fprintln(w, "AT\tTOOK\tSTATUS\tANSWER")
				for _, t := range tried {
					fmt.Fprintf(w, "%s\t%s\t%s\t%q\n", minute(&t.At), t.Took, status(t.Status), t.Answer)
				}
				return w.Flush()
			}
			list, _, err := s.Deliveries(ctx, id, args[0], f)
			if err != nil {
				return err
			}
			fmt.Fprintln(w, "EVENT\tKIND\tSUBJECT\tHAPPENED\tSTATE\tATTEMPTS\tNEXT\tSTATUS\tANSWER")
			for _, d := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%q\n", d.EventID, d.Kind, d.Subject, minute(&d.CreatedAt), d.State, d.Attempts, minute(d.NextAt), status(d.LastStatus), d.LastAnswer)
			}
			return w.Flush()
		})
	c.Flags().StringVar(&f.State, "state", "", "only these: waiting, done or failed")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how many, the newest first; at most 100")
	return c
}

func status(s *int) string {
	if s == nil {
		return "-"
	}
	return strconv.Itoa(*s)
}

func partnerRedeliverCmd() *cobra.Command {
	var since time.Duration
	c := forPartner("redeliver PARTNER ENDPOINT [EVENT]", "send one event again, or all that were given up", cobra.RangeArgs(2, 3),
		func(ctx context.Context, s *partner.Service, id int64, args []string) error {
			if len(args) == 2 {
				return s.Redeliver(ctx, id, args[0], args[1], actor())
			}
			n, err := s.RedeliverFailed(ctx, id, args[0], clock.System().Now().Add(-since), actor())
			if err == nil {
				fmt.Printf("%d events will be sent again.\n", n)
			}
			return err
		})
	c.Flags().DurationVar(&since, "since", partner.Keep, "without EVENT: how far back, for instance 48h")
	return c
}
