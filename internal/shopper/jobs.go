package shopper

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"choocop.vn/ocop/internal/account"
	"choocop.vn/ocop/internal/notify"
	"choocop.vn/ocop/internal/platform/apperr"
	"choocop.vn/ocop/internal/platform/i18n"
)

// TellProof sends the code of a proof.
type TellProof struct {
	ProofID int64 `json:"proof_id"`
}

// Kind names the job in the queue.
func (TellProof) Kind() string { return "shopper_tell_proof" }

// TellContact tells the owner of an account, where they were reached before, that a contact of it was changed or added.
type TellContact struct {
	ProofID int64 `json:"proof_id"`
}

// Kind names the job in the queue.
func (TellContact) Kind() string { return "shopper_tell_contact" }

// SweepProofs is the job that forgets old proofs.
type SweepProofs struct{}

// Kind names the job in the queue.
func (SweepProofs) Kind() string { return "shopper_sweep_proofs" }

// SweepLeftJob is the job that anonymises old purchases of accounts that were left.
type SweepLeftJob struct{}

// Kind names the job in the queue.
func (SweepLeftJob) Kind() string { return "shopper_sweep_left" }

// Mail is what the mails of this package see: Code and Link are empty where there is nothing to type in.
type Mail struct {
	Intro, Code, Link, Button string
	Minutes                   int
}

// TellProof sends the message of a proof, once. It is here that an account is looked for: its owner alone learns of it.
func (s *Service) TellProof(ctx context.Context, j TellProof) error {
	p, err := proofByID(ctx, s.DB.Primary(ctx), j.ProofID)
	if err != nil {
		return fmt.Errorf("shopper: tell: %w", err)
	}
	if p.ID == 0 || p.UsedAt != nil || !s.Clock.Now().Before(p.CodeUntil) {
		return nil
	}
	known, err := s.Accounts.ByContact(ctx, p.pending().Contact)
	if err != nil && !errors.Is(err, apperr.New(apperr.NotFound, "account.not_found")) {
		return err
	}
	kind := p.Purpose
	switch Purpose(p.Purpose) {
	case ForSignUp:
		if known.ID != 0 {
			kind = "known"
		}
	case ForReset:
		if known.ID == 0 {
			return nil
		}
	case ForContact:
		if known.ID != 0 {
			kind = "taken"
		}
	}
	return s.tell(ctx, p, kind)
}

func (s *Service) tell(ctx context.Context, p proofRow, kind string) error {
	key, l := fmt.Sprintf("proof-%d", p.ID), i18n.Locale(p.Locale)
	code := ""
	if kind == p.Purpose {
		code = s.code(p)
	}
	if p.Channel == string(account.ByPhone) {
		return s.Notify.SendText(ctx, notify.Text{RequestKey: key, Kind: kind, To: p.Identifier, Locale: l, Args: map[string]any{"code": code, "minutes": int(CodeLife.Minutes())}})
	}
	m := Mail{Intro: "mail.proof_" + kind + ".intro", Code: code, Minutes: int(CodeLife.Minutes())}
	at := s.cfg.BaseURL
	if l == i18n.EN {
		at += "/en"
	}
	secret := "?" + LinkParam + "=" + url.QueryEscape(s.link(p))
	switch kind {
	case string(ForSignUp):
		m.Link, m.Button = at+"/xac-nhan"+secret, "mail.proof.confirm"
	case string(ForReset):
		m.Link, m.Button = at+"/dat-lai-mat-khau"+secret, "mail.proof.new_password"
	case "known":
		m.Link, m.Button = at+"/quen-mat-khau", "mail.proof.forgot"
	}
	return s.Notify.Send(ctx, notify.Mail{RequestKey: key, Kind: "proof_" + kind, Template: "proof", To: p.Identifier, Locale: l,
		SubjectArgs: map[string]any{"code": code}, Data: m, Secret: true})
}

// Changed is what the mail about a changed contact sees.
type Changed struct{ Intro, NotYou, Name, When, Operator, Link string }

// TellContact sends that message, once.
func (s *Service) TellContact(ctx context.Context, j TellContact) error {
	p, err := proofByID(ctx, s.DB.Primary(ctx), j.ProofID)
	if err != nil {
		return fmt.Errorf("shopper: tell: %w", err)
	}
	if p.ToldTo == "" || p.AccountID == nil || p.UsedAt == nil {
		return nil
	}
	a, err := s.Accounts.ByID(ctx, *p.AccountID)
	if err != nil || a.Closed {
		return err
	}
	to, bad := account.ParseContact(p.ToldTo)
	if bad != nil {
		return bad
	}
	what := "added_"
	if to.Channel == account.Channel(p.Channel) {
		what = "changed_"
	}
	what += p.Channel
	l := i18n.Locale(a.Locale)
	when, key := i18n.FormatDateTime(l, *p.UsedAt), fmt.Sprintf("contact-%d", p.ID)
	if to.Channel == account.ByPhone {
		if !s.PhoneOpen() {
			return nil
		}
		return s.Notify.SendText(ctx, notify.Text{RequestKey: key, Kind: what, To: to.Value, Locale: l, Args: map[string]any{"when": when, "operator": s.cfg.Operator}})
	}
	at := s.cfg.BaseURL
	if l == i18n.EN {
		at += "/en"
	}
	return s.Notify.Send(ctx, notify.Mail{RequestKey: key, Kind: "contact_" + what, Template: "contact", To: to.Value, Locale: l,
		Data: Changed{Intro: "mail.contact_" + what + ".intro", NotYou: "mail.contact_" + what + ".not_you", Name: a.Name, When: when, Operator: s.cfg.Operator, Link: at + "/quen-mat-khau"}})
}

// LinkParam is the query parameter of the pages that a mail's link leads to.
const LinkParam = "khoa"

// SweepOld forgets proofs whose time was over two days ago and returns how many.
func (s *Service) SweepOld(ctx context.Context) (int, error) {
	n, err := sweep(ctx, s.DB.Primary(ctx), s.Clock.Now().Add(-48*time.Hour-LinkLife))
	if err != nil {
		return 0, fmt.Errorf("shopper: sweep: %w", err)
	}
	return n, nil
}
