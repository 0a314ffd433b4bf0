package reconcile

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
	"choocop.vn/ocop/internal/platform/money"
)

type moneyRow struct {
	ID            int64
	Source        string
	TransactionID string
	AccountNo     string
	BankBIN       *string `gorm:"column:bank_bin"`
	Amount        int64
	Memo          string
	ToldAt        time.Time
	ReceivedAt    time.Time
	RepeatOf      *int64
	State         string
	Reason        string
	Reference     string
	PaymentID     *int64
	DecidedBy     string
	DecidedAt     *time.Time
	Note          string
	BankRef       string
}

type moneyEventRow struct {
	ID        int64
	NoticeID  int64
	FromState string
	ToState   string
	Reason    string
	Reference string
	PaymentID *int64
	Actor     string
	Note      string
	BankRef   string
	At        time.Time
}

func (moneyEventRow) TableName() string { return "bank_notice_history" }

func (r moneyRow) money() Money {
	m := Money{ID: r.ID, Notice: Notice{Source: r.Source, TransactionID: r.TransactionID, AccountNo: r.AccountNo, Amount: money.VND(r.Amount), Memo: r.Memo, At: r.ToldAt},
		ReceivedAt: r.ReceivedAt, State: State(r.State), Reason: Reason(r.Reason), Reference: r.Reference,
		DecidedBy: r.DecidedBy, DecidedAt: r.DecidedAt, Note: r.Note, BankRef: r.BankRef}
	if r.BankBIN != nil {
		m.BankBIN = *r.BankBIN
	}
	if r.RepeatOf != nil {
		m.RepeatOf = *r.RepeatOf
	}
	if r.PaymentID != nil {
		m.PaymentID = *r.PaymentID
	}
	return m
}

func idOrNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// insertMoney returns 0 when the transaction is known.
func insertMoney(ctx context.Context, tx db.Tx, n Notice, now time.Time) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO bank_notice (source, transaction_id, account_no, bank_bin, amount, memo, told_at, received_at, print)
		VALUES (?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`,
		n.Source, n.TransactionID, n.AccountNo, n.BankBIN, int64(n.Amount), n.Memo, n.At, now, n.print()).Scan(&id).Error
	return id, err
}

// insertRepeat stores a known transaction with another content; it returns 0 when the content is known too.
func insertRepeat(ctx context.Context, tx db.Tx, n Notice, now time.Time) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`INSERT INTO bank_notice (source, transaction_id, account_no, bank_bin, amount, memo, told_at, received_at, print,
			repeat_of, state, reason, decided_by, decided_at)
		SELECT ?, ?, ?, nullif(?, ''), ?, ?, ?, ?, ?, f.id, 'unmatched', 'other_content', ?, ?
		FROM bank_notice f WHERE f.source = ? AND f.transaction_id = ? AND f.repeat_of IS NULL
		ON CONFLICT DO NOTHING RETURNING id`,
		n.Source, n.TransactionID, n.AccountNo, n.BankBIN, int64(n.Amount), n.Memo, n.At, now, n.print(), actorBank, now, n.Source, n.TransactionID).Scan(&id).Error
	return id, err
}

func insertMoneyEvent(ctx context.Context, tx db.Tx, e moneyEventRow) error {
	return tx.WithContext(ctx).Create(&e).Error
}

func setMoney(ctx context.Context, tx db.Tx, id int64, d Decision, now time.Time) error {
	return tx.WithContext(ctx).Table("bank_notice").Where("id = ?", id).Updates(map[string]any{"state": string(d.State), "reason": string(d.Reason),
		"reference": d.Reference, "payment_id": idOrNull(d.PaymentID), "decided_by": d.Actor, "decided_at": now, "note": d.Note, "bank_ref": d.BankRef}).Error
}

// inScope holds what came into the accounts of a scope. A notice that names no bank belongs to an account whose number
// nobody else has.
const inScope = `(@all OR EXISTS (SELECT FROM jsonb_to_recordset(CAST(@accounts AS jsonb)) AS a(bin text, no text, sole boolean)
	WHERE a.no = n.account_no AND (a.bin = n.bank_bin OR n.bank_bin IS NULL AND a.sole)))`

func scopeArgs(s AccountScope, more map[string]any) map[string]any {
	list := s.Accounts
	if list == nil {
		list = []ScopedAccount{}
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic("reconcile: " + err.Error()) // plain values always marshal
	}
	more["all"], more["accounts"] = s.All, string(b)
	return more
}

func lockMoney(ctx context.Context, tx db.Tx, id int64, within AccountScope) (r moneyRow, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT n.* FROM bank_notice n WHERE n.id = @id AND `+inScope+` FOR UPDATE OF n`,
		scopeArgs(within, map[string]any{"id": id})).Scan(&r).Error
	return r, err
}

func moneyByID(ctx context.Context, g *gorm.DB, id int64, within AccountScope) (r moneyRow, err error) {
	err = g.WithContext(ctx).Raw(`SELECT n.* FROM bank_notice n WHERE n.id = @id AND `+inScope, scopeArgs(within, map[string]any{"id": id})).Scan(&r).Error
	return r, err
}

func moneyList(ctx context.Context, g *gorm.DB, f Filter, within AccountScope) ([]moneyRow, error) {
	states := make([]string, len(f.States))
	for i, s := range f.States {
		states[i] = string(s)
	}
	if len(states) == 0 {
		states = []string{""}
	}
	like := ""
	if f.Text != "" {
		like = "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(f.Text) + "%"
	}
	var rows []moneyRow
	err := g.WithContext(ctx).Raw(`SELECT n.* FROM bank_notice n WHERE (@any OR n.state IN @states) AND (@reason = '' OR n.reason = @reason)
		AND (@before = 0 OR n.id < @before)
		AND (@like = '' OR n.transaction_id ILIKE @like OR n.reference ILIKE @like OR n.account_no ILIKE @like OR n.memo ILIKE @like)
		AND `+inScope+` ORDER BY n.id DESC LIMIT @limit`,
		scopeArgs(within, map[string]any{"any": len(f.States) == 0, "states": states, "reason": string(f.Reason), "before": f.Before, "like": like, "limit": f.Limit})).Scan(&rows).Error
	return rows, err
}

func waiting(ctx context.Context, g *gorm.DB, within AccountScope) (int, time.Time, error) {
	var r struct {
		N     int
		Since time.Time
	}
	err := g.WithContext(ctx).Raw(`SELECT count(*) AS n, coalesce(min(n.received_at), 'epoch') AS since FROM bank_notice n
		WHERE n.state = 'unmatched' AND `+inScope, scopeArgs(within, map[string]any{})).Scan(&r).Error
	return r.N, r.Since, err
}

func moneyEvents(ctx context.Context, g *gorm.DB, id int64) ([]moneyEventRow, error) {
	var rows []moneyEventRow
	err := g.WithContext(ctx).Raw(`SELECT * FROM bank_notice_history WHERE notice_id = ? ORDER BY id`, id).Scan(&rows).Error
	return rows, err
}

func moneyWaiting(ctx context.Context, g *gorm.DB, limit int) ([]int64, error) {
	var ids []int64
	err := g.WithContext(ctx).Raw(`SELECT id FROM bank_notice WHERE state = 'received' ORDER BY id LIMIT ?`, limit).Scan(&ids).Error
	return ids, err
}

func partsOf(ctx context.Context, g *gorm.DB, references []string) (map[string]Parts, error) {
	out := map[string]Parts{}
	if len(references) == 0 {
		return out, nil
	}
	var rows []struct {
		Reference string
		N         int
		Total     int64
	}
	err := g.WithContext(ctx).Raw(`SELECT reference, count(*) AS n, sum(amount)::bigint AS total FROM bank_notice
		WHERE state = 'unmatched' AND reason = 'under' AND reference IN ? GROUP BY reference`, references).Scan(&rows).Error
	for _, r := range rows {
		out[r.Reference] = Parts{r.N, money.VND(r.Total)}
	}
	return out, err
}

// waitsFor is the notice of so much money, recorded for a payment of an order that is off, that must still go back; 0 for none.
func waitsFor(ctx context.Context, g *gorm.DB, paymentID int64, amount money.VND) (id int64, err error) {
	err = g.WithContext(ctx).Raw(`SELECT id FROM bank_notice WHERE payment_id = ? AND amount = ? AND state = 'unmatched' AND reason IN ('late', 'cancelled')`,
		paymentID, int64(amount)).Scan(&id).Error
	return id, err
}

// settledBy is the notice that settled a payment, 0 where none did.
func settledBy(ctx context.Context, tx db.Tx, paymentID int64) (id int64, err error) {
	err = tx.WithContext(ctx).Raw(`SELECT id FROM bank_notice WHERE payment_id = ?`, paymentID).Scan(&id).Error
	return id, err
}
