package producer

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
)

var accountNo = regexp.MustCompile(`^[0-9A-Za-z]{1,19}$`)

// SetBankAccounts puts these accounts in use, one per producer, and closes those they replace. An account that is
// already in use stays untouched. Errors: producer.account.number, producer.account.holder, producer.account.bank.
func (s *Service) SetBankAccounts(ctx context.Context, tx db.Tx, accounts []BankAccount) error {
	if len(accounts) == 0 {
		return nil
	}
	known, err := banks(ctx, tx.DB)
	if err != nil {
		return err
	}
	ids := make([]int64, len(accounts))
	for i, a := range accounts {
		if err := a.check(known); err != nil {
			return err
		}
		ids[i] = a.ProducerID
	}
	if err := lockAccounts(ctx, tx, ids); err != nil {
		return fmt.Errorf("producer: bank accounts: %w", err)
	}
	current, err := bankAccounts(ctx, tx.DB, ids)
	if err != nil {
		return err
	}
	var replaced []int64
	var fresh []newAccount
	for _, a := range accounts {
		old, has := current[a.ProducerID]
		if has && old.BankBIN == a.BankBIN && old.AccountNo == a.AccountNo && old.Holder == a.Holder && old.IsTest == a.IsTest {
			continue
		}
		if has {
			replaced = append(replaced, old.ID)
		}
		fresh = append(fresh, newAccount{a.ProducerID, a.BankBIN, a.AccountNo, a.Holder, a.IsTest})
	}
	if len(fresh) == 0 {
		return nil
	}
	now := s.clock.Now()
	if err := closeAccounts(ctx, tx, replaced, now); err != nil {
		return fmt.Errorf("producer: bank accounts: %w", err)
	}
	if err := insertAccounts(ctx, tx, fresh, now); err != nil {
		return fmt.Errorf("producer: bank accounts: %w", err)
	}
	return nil
}

func (a BankAccount) check(known []Bank) error {
	if !accountNo.MatchString(a.AccountNo) {
		return apperr.Field("account_no", "producer.account.number")
	}
	if strings.TrimSpace(a.Holder) == "" {
		return apperr.Field("holder", "producer.account.holder")
	}
	if !slices.ContainsFunc(known, func(b Bank) bool { return b.BIN == a.BankBIN && b.CanTransfer }) {
		return apperr.Field("bank", "producer.account.bank")
	}
	return nil
}
