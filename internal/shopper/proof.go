package shopper

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/i18n"
	"choocop.vn/ocop/internal/platform/ident"
	"choocop.vn/ocop/internal/platform/redis"
)

// Purpose is what a proof is for.
type Purpose string

// The purposes.
const (
	ForSignUp  Purpose = "sign_up"
	ForReset   Purpose = "reset"
	ForContact Purpose = "contact"
)

const day = 24 * time.Hour

// Pending is a proof that waits for its code.
type Pending struct {
	Purpose Purpose
	Contact account.Contact
}

// Answer is what comes back of a proof: the handle of the page that asked with the code of the message, or the link of a
// mail alone.
type Answer struct{ Handle, Code, Link string }

// ask records what waits for a proof and queues the message; from is the network address of whoever asks. What it costs depends
// on nothing but the request. TooMany shopper.proof.too_many, too_many_today, too_many_here.
func (s *Service) ask(ctx context.Context, p proofRow, from string) (handle string, err error) {
	if p.Channel == string(account.ByPhone) && !s.PhoneOpen() {
		return "", apperr.Field("email", "shopper.phone.closed")
	}
	if n := s.cfg.CodesPerAddress; n > 0 && from != "" {
		if ok, _ := s.cfg.Limiter.Allow(ctx, "codes-address:"+from, redis.Rate{N: n, Period: day}); !ok {
			return "", apperr.New(apperr.TooMany, "shopper.proof.too_many_here")
		}
	}
	handle = ident.Token()
	now := s.Clock.Now()
	p.HandleHash, p.CreatedAt, p.CodeUntil, p.LinkUntil = ident.Hash(handle), now, now.Add(CodeLife), now.Add(CodeLife)
	if p.Channel == string(account.ByEmail) {
		p.LinkUntil = now.Add(LinkLife)
	}
	if p.Locale != string(i18n.EN) {
		p.Locale = string(i18n.VI)
	}
	err = s.DB.InTx(ctx, func(tx db.Tx) error {
		hour, today, err := asked(ctx, tx, p.Identifier, now.Add(-time.Hour), now.Add(-day))
		switch {
		case err != nil:
			return err
		case s.cfg.CodesPerDay > 0 && today >= s.cfg.CodesPerDay:
			return apperr.New(apperr.TooMany, "shopper.proof.too_many_today", "n", s.cfg.CodesPerDay)
		case hour >= AskedPerHour:
			return apperr.New(apperr.TooMany, "shopper.proof.too_many")
		}
		id, err := insertProof(ctx, tx, p)
		if err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, TellProof{id})
	})
	return handle, fault("ask", err)
}

// code is the number in the message, six digits.
func (s *Service) code(p proofRow) string {
	return fmt.Sprintf("%06d", binary.BigEndian.Uint64(s.derive("code", p))%1_000_000)
}

// link is the secret in a mail's link.
func (s *Service) link(p proofRow) string {
	return strconv.FormatInt(p.ID, 36) + "." + base64.RawURLEncoding.EncodeToString(s.derive("link", p))
}

func (s *Service) derive(what string, p proofRow) []byte {
	m := hmac.New(sha256.New, s.cfg.Secret)
	fmt.Fprintf(m, "account proof %s\x00%d\x00%x", what, p.ID, p.HandleHash)
	return m.Sum(nil)
}

// Look says what waits behind a handle or link, for the page that asks for the code or password. A stale or wrong one is
// Conflict shopper.code.expired.
func (s *Service) Look(ctx context.Context, a Answer) (Pending, error) {
	p, err := s.find(ctx, s.DB.Primary(ctx), a, false)
	if err != nil {
		return Pending{}, fmt.Errorf("shopper: look: %w", err)
	}
	if refusal := s.stale(p, a); refusal != nil {
		return Pending{}, refusal
	}
	return p.pending(), nil
}

func (p proofRow) pending() Pending {
	return Pending{Purpose(p.Purpose), account.Contact{Channel: account.Channel(p.Channel), Value: p.Identifier}}
}

// stale says why a proof can no longer be given, or nothing.
func (s *Service) stale(p proofRow, a Answer) *apperr.Error {
	until := p.CodeUntil
	if a.Link != "" {
		until = p.LinkUntil
	}
	switch {
	case p.ID == 0, p.UsedAt != nil, !s.Clock.Now().Before(until):
		return apperr.New(apperr.Conflict, "shopper.code.expired")
	case a.Link == "" && p.Attempts >= MaxTries:
		return apperr.New(apperr.Conflict, "shopper.code.spent")
	}
	return nil
}

// redeem runs do with the proof that an answer gives, once; do is told the locked row. A wrong code counts, whatever comes
// of the rest: its fault is of the field "code", shopper.code.wrong with the tries left.
func (s *Service) redeem(ctx context.Context, purpose Purpose, a Answer, do func(tx db.Tx, p proofRow) error) error {
	var refusal error
	err := s.DB.InTx(ctx, func(tx db.Tx) error {
		refusal = nil
		p, err := s.find(ctx, tx.DB, a, true)
		if err != nil {
			return err
		}
		if e := s.stale(p, a); e != nil || Purpose(p.Purpose) != purpose {
			refusal = apperr.New(apperr.Conflict, "shopper.code.expired")
			if e != nil {
				refusal = e
			}
			return nil
		}
		if a.Link == "" && !hmac.Equal([]byte(s.code(p)), []byte(digits(a.Code))) {
			refusal = wrongCode(MaxTries - 1 - p.Attempts)
			return countTry(ctx, tx, p.ID)
		}
		if err := do(tx, p); err != nil {
			return err
		}
		return markUsed(ctx, tx, p.ID, s.Clock.Now())
	})
	if err == nil {
		err = refusal
	}
	return fault(string(purpose), err)
}

func wrongCode(left int) *apperr.Error {
	if left <= 0 {
		return apperr.New(apperr.Conflict, "shopper.code.spent")
	}
	return apperr.Field("code", "shopper.code.wrong", "n", left)
}

// digits forgives spaces and dashes in a typed code.
func digits(typed string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, typed)
}

func fault(verb string, err error) error {
	if _, readable := apperr.As(err); err == nil || readable {
		return err
	}
	return fmt.Errorf("shopper: %s: %w", verb, err)
}
