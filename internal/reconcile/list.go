package reconcile

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/order"
	"choocop.vn/ocop/internal/payment"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

// Row is money on the list, with what a person needs to judge it.
type Row struct {
	Money
	BankName string
	Order    *order.Due // that the memo seems to mean
	Parts    Parts      // all transfers that wait for the same order because they are less than it costs
}

// Detail is a row with its past and, while it waits, what it may be for.
type Detail struct {
	Row
	Events      []Event
	Suggestions []Suggestion
}

// PageSize is how many rows a page of the list holds.
const PageSize = 30

// Scope is what an account may see of the list: everything, or what came into the accounts of its producers.
func (s *Service) Scope(ctx context.Context, a account.Account) (AccountScope, error) {
	ids, everywhere := a.Covers(account.ConfirmTransfer, account.OfProducer)
	if everywhere {
		return Everywhere, nil
	}
	var producers []int64
	for _, id := range ids {
		if n, err := strconv.ParseInt(id, 10, 64); err == nil {
			producers = append(producers, n)
		}
	}
	list, err := s.Producers.Receiving(ctx, producers)
	if err != nil {
		return AccountScope{}, err
	}
	var out AccountScope
	for _, r := range list {
		out.Accounts = append(out.Accounts, ScopedAccount(r))
	}
	return out, nil
}

// Waiting is how much money came into the accounts of a producer and waits for a person.
func (s *Service) Waiting(ctx context.Context, producerID int64) (int, error) {
	list, err := s.Producers.Receiving(ctx, []int64{producerID})
	if err != nil {
		return 0, err
	}
	var in AccountScope
	for _, r := range list {
		in.Accounts = append(in.Accounts, ScopedAccount(r))
	}
	n, _, err := s.WaitingIn(ctx, in)
	return n, err
}

// WaitingIn is how much money within a scope waits for a person, and since when the first of it has.
func (s *Service) WaitingIn(ctx context.Context, within AccountScope) (n int, since time.Time, err error) {
	n, since, err = waiting(ctx, s.DB.Primary(ctx), within)
	if err != nil {
		return 0, since, fmt.Errorf("reconcile: waiting: %w", err)
	}
	return n, since, nil
}

// List is a page of the list within a scope, newest first, in a fixed number of statements. next goes on with
// Filter.Before; 0 means that there is no more.
func (s *Service) List(ctx context.Context, within AccountScope, f Filter) (rows []Row, next int64, err error) {
	if f.Limit <= 0 {
		f.Limit = PageSize
	}
	limit := f.Limit
	f.Limit++
	found, err := moneyList(ctx, s.DB.Primary(ctx), f, within)
	if err != nil {
		return nil, 0, fmt.Errorf("reconcile: list: %w", err)
	}
	if len(found) > limit {
		found = found[:limit]
		next = found[limit-1].ID
	}
	all := make([]Money, len(found))
	for i, r := range found {
		all[i] = r.money()
	}
	rows, err = s.dress(ctx, all)
	return rows, next, err
}

// Show is one notice within a scope. NotFound money.unknown.
func (s *Service) Show(ctx context.Context, within AccountScope, id int64) (Detail, error) {
	m, events, err := s.byID(ctx, id, within)
	if err != nil {
		return Detail{}, err
	}
	rows, err := s.dress(ctx, []Money{m})
	if err != nil {
		return Detail{}, err
	}
	d := Detail{Row: rows[0], Events: events}
	if m.Assignable() {
		d.Suggestions, err = s.suggest(ctx, m, within)
	}
	return d, err
}

// dress adds to notices what other tables say.
func (s *Service) dress(ctx context.Context, all []Money) ([]Row, error) {
	var codes []string
	for _, m := range all {
		if m.Reference != "" {
			codes = append(codes, m.Reference)
		}
	}
	due, err := s.Orders.DueByCodes(ctx, codes)
	if err != nil {
		return nil, err
	}
	orders := make(map[string]*order.Due, len(due))
	for i := range due {
		orders[due[i].Code] = &due[i]
	}
	parts, err := partsOf(ctx, s.DB.Primary(ctx), codes)
	if err != nil {
		return nil, fmt.Errorf("reconcile: parts: %w", err)
	}
	banks, err := s.Producers.Banks(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(banks))
	for _, b := range banks {
		names[b.BIN] = b.ShortName
	}
	out := make([]Row, len(all))
	for i, m := range all {
		out[i] = Row{Money: m, BankName: names[m.BankBIN], Order: orders[m.Reference], Parts: parts[m.Reference]}
	}
	return out, nil
}

// Open reports whether a person must still do something.
func (m Money) Open() bool { return m.State == Unmatched }

// Assignable reports whether a person may still say which order it is for.
func (m Money) Assignable() bool {
	return m.PaymentID == 0 && (m.State == Unmatched || m.State == Dismissed)
}

// Dismissable reports whether a person may still say that it is none of this market's.
func (m Money) Dismissable() bool { return m.PaymentID == 0 && m.State == Unmatched }

// Returnable reports whether it, or a part of it, may have to go back.
func (m Money) Returnable() bool { return m.State == Unmatched || m.State == Dismissed }

// within runs fn on a locked notice.
func (s *Service) within(ctx context.Context, verb string, id int64, in AccountScope, fn func(tx db.Tx, m Money) error) error {
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		m, err := s.lock(ctx, tx, id, in)
		if err != nil {
			return err
		}
		return fn(tx, m)
	})
	return told("reconcile: "+verb, err)
}

// Asked is the notice that a bank would send if an order were paid as its code asks. NotFound order.unknown; Conflict
// order.not_a_transfer.
func (s *Service) Asked(ctx context.Context, code string) (Notice, error) {
	var n Notice
	err := s.Orders.WithDue(ctx, code, func(tx db.Tx, d order.Due) error {
		all, err := s.Payments.ByIDs(ctx, tx.DB, []int64{d.PaymentID})
		if err != nil {
			return err
		}
		p := all[d.PaymentID]
		if p.Method != payment.VietQR {
			return apperr.New(apperr.Conflict, "order.not_a_transfer")
		}
		n = Notice{AccountNo: p.Account.AccountNo, BankBIN: p.Account.BankBIN, Amount: p.Amount, Memo: p.Memo, At: s.Clock.Now()}
		return nil
	})
	return n, err
}
