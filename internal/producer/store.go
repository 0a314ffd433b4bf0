package producer

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/platform/db"
)

const producerColumns = `
	SELECT p.id, p.slug, p.name, coalesce(en.name, '') AS name_en, p.name_known, coalesce(p.kind, '') AS kind, p.province_code,
		coalesce(p.commune_code, '') AS commune_code, p.place_text, p.old_province, coalesce(vi.story, '') AS story_vi,
		coalesce(en.story, '') AS story_en, coalesce(p.phone, '') AS phone, coalesce(p.email, '') AS email,
		coalesce(p.tax_code, '') AS tax_code, p.state, p.is_demo
	FROM producer p
	LEFT JOIN producer_text vi ON vi.producer_id = p.id AND vi.locale = 'vi'
	LEFT JOIN producer_text en ON en.producer_id = p.id AND en.locale = 'en'`

type producerRow struct {
	ID           int64
	Slug         string
	Name         string
	NameEN       string `gorm:"column:name_en"`
	NameKnown    bool
	Kind         string
	ProvinceCode string
	CommuneCode  string
	PlaceText    string
	OldProvince  string
	StoryVI      string `gorm:"column:story_vi"`
	StoryEN      string `gorm:"column:story_en"`
	Phone        string
	Email        string
	TaxCode      string
	State        string
	IsDemo       bool
}

func byIDs(ctx context.Context, g *gorm.DB, ids []int64) (map[int64]Producer, error) {
	found := make(map[int64]Producer, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var rows []producerRow
	if err := g.WithContext(ctx).Raw(producerColumns+` WHERE p.id IN ?`, ids).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("producer: by ids: %w", err)
	}
	for _, r := range rows {
		found[r.ID] = Producer(r)
	}
	return found, nil
}

func bySlug(ctx context.Context, g *gorm.DB, slug string) (Producer, bool, error) {
	var rows []producerRow
	if err := g.WithContext(ctx).Raw(producerColumns+` WHERE p.slug = ?`, slug).Scan(&rows).Error; err != nil {
		return Producer{}, false, fmt.Errorf("producer: by slug: %w", err)
	}
	if len(rows) == 0 {
		return Producer{}, false, nil
	}
	return Producer(rows[0]), true, nil
}

type accountRow struct {
	ID         int64
	ProducerID int64
	BankBIN    string `gorm:"column:bank_bin"`
	BankName   string
	AccountNo  string
	Holder     string
	IsTest     bool
}

func bankAccounts(ctx context.Context, g *gorm.DB, producerIDs []int64) (map[int64]BankAccount, error) {
	found := make(map[int64]BankAccount, len(producerIDs))
	if len(producerIDs) == 0 {
		return found, nil
	}
	var rows []accountRow
	err := g.WithContext(ctx).Raw(`
		SELECT a.id, a.producer_id, a.bank_bin, b.short_name AS bank_name, a.account_no, a.holder, a.is_test
		FROM producer_bank_account a JOIN bank b ON b.bin = a.bank_bin
		WHERE a.producer_id IN ? AND a.closed_at IS NULL`, producerIDs).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("producer: bank accounts: %w", err)
	}
	for _, r := range rows {
		found[r.ProducerID] = BankAccount(r)
	}
	return found, nil
}

type bankRow struct {
	BIN         string `gorm:"column:bin"`
	ShortName   string
	Name        string
	CanTransfer bool
}

func banks(ctx context.Context, g *gorm.DB) ([]Bank, error) {
	var rows []bankRow
	err := g.WithContext(ctx).Raw(`SELECT bin, short_name, name, can_transfer FROM bank ORDER BY short_name, bin`).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("producer: banks: %w", err)
	}
	out := make([]Bank, len(rows))
	for i, r := range rows {
		out[i] = Bank(r)
	}
	return out, nil
}

// lockAccounts keeps two changes of these producers' accounts apart, in key order.
func lockAccounts(ctx context.Context, tx db.Tx, producerIDs []int64) error {
	var locked []int64
	return tx.WithContext(ctx).Raw(`SELECT id FROM producer WHERE id IN ? ORDER BY id FOR NO KEY UPDATE`, producerIDs).Scan(&locked).Error
}

func closeAccounts(ctx context.Context, tx db.Tx, ids []int64, at time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.WithContext(ctx).Exec(`UPDATE producer_bank_account SET closed_at = ? WHERE id IN ?`, at, ids).Error
}

type newAccount struct {
	ProducerID int64  `json:"producer_id"`
	BankBIN    string `json:"bank_bin"`
	AccountNo  string `json:"account_no"`
	Holder     string `json:"holder"`
	IsTest     bool   `json:"is_test"`
}

func insertAccounts(ctx context.Context, tx db.Tx, rows []newAccount, at time.Time) error {
	b, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return tx.WithContext(ctx).Exec(`
		INSERT INTO producer_bank_account (producer_id, bank_bin, account_no, holder, is_test, created_at)
		SELECT producer_id, bank_bin, account_no, holder, is_test, ?
		FROM jsonb_to_recordset(CAST(? AS jsonb)) AS r(producer_id bigint, bank_bin text, account_no text, holder text, is_test boolean)`,
		at, string(b)).Error
}

// takenSlugs returns which of the wished addresses other records have, and which record.
func takenSlugs(ctx context.Context, tx db.Tx, wished []string) (map[string]string, error) {
	var rows []struct{ Slug, Key string }
	err := tx.WithContext(ctx).Raw(`SELECT slug, coalesce(import_key, '') AS key FROM producer WHERE slug IN ?`, wished).Scan(&rows).Error
	taken := make(map[string]string, len(rows))
	for _, r := range rows {
		taken[r.Slug] = r.Key
	}
	return taken, err
}

type entryRow struct {
	Key          string `json:"key"`
	Slug         string `json:"slug"`
	Name         string `json:"name"`
	NameEN       string `json:"name_en"`
	NameKnown    bool   `json:"name_known"`
	Kind         string `json:"kind"`
	ProvinceCode string `json:"province_code"`
	PlaceText    string `json:"place_text"`
	OldProvince  string `json:"old_province"`
	IsDemo       bool   `json:"is_demo"`
}

// upsertEntries writes what differs and touches nothing else. A blank in the file says nothing, so it never erases.
func upsertEntries(ctx context.Context, tx db.Tx, rows []entryRow, at time.Time) (map[string]Admitted, error) {
	b, err := json.Marshal(rows)
	if err != nil {
		return nil, err
	}
	q := tx.WithContext(ctx)
	var written []struct {
		Key   string
		Added bool
	}
	err = q.Raw(`
		INSERT INTO producer AS p (slug, name, name_known, kind, province_code, place_text, old_province, is_demo, import_key, created_at, updated_at)
		SELECT slug, name, name_known, nullif(kind, ''), province_code, place_text, old_province, is_demo, key, @at, @at
		FROM `+namedRecord+`
		ON CONFLICT (import_key) DO UPDATE SET
			name = excluded.name,
			kind = coalesce(excluded.kind, p.kind),
			place_text = coalesce(nullif(excluded.place_text, ''), p.place_text),
			old_province = coalesce(nullif(excluded.old_province, ''), p.old_province),
			updated_at = @at
		WHERE (p.name, p.kind, p.place_text, p.old_province) IS DISTINCT FROM
			(excluded.name, coalesce(excluded.kind, p.kind), coalesce(nullif(excluded.place_text, ''), p.place_text),
			 coalesce(nullif(excluded.old_province, ''), p.old_province))
		RETURNING import_key AS key, (xmax = 0) AS added`,
		map[string]any{"at": at, "rows": string(b)}).Scan(&written).Error
	if err != nil {
		return nil, err
	}
	err = q.Exec(`
		INSERT INTO producer_text AS t (producer_id, locale, name)
		SELECT p.id, 'en', r.name_en FROM `+namedRecord+` JOIN producer p ON p.import_key = r.key WHERE r.name_en <> ''
		ON CONFLICT (producer_id, locale) DO UPDATE SET name = excluded.name WHERE t.name <> excluded.name`,
		map[string]any{"rows": string(b)}).Error
	if err != nil {
		return nil, err
	}
	var ids []struct {
		ID  int64
		Key string
	}
	err = q.Raw(`SELECT p.id, r.key FROM `+namedRecord+` JOIN producer p ON p.import_key = r.key`,
		map[string]any{"rows": string(b)}).Scan(&ids).Error
	if err != nil {
		return nil, err
	}
	out := make(map[string]Admitted, len(ids))
	for _, r := range ids {
		out[r.Key] = Admitted{ID: r.ID}
	}
	for _, w := range written {
		a := out[w.Key]
		a.Added, a.Changed = w.Added, !w.Added
		out[w.Key] = a
	}
	return out, nil
}

const namedRecord = `jsonb_to_recordset(CAST(@rows AS jsonb)) AS r(key text, slug text, name text, name_en text, name_known boolean, kind text,
	province_code text, place_text text, old_province text, is_demo boolean)`

// receiving are all accounts that producers have or had, and whether a number belongs to no other account here.
func receiving(ctx context.Context, g *gorm.DB, producerIDs []int64) ([]Receiving, error) {
	var rows []Receiving
	err := g.WithContext(ctx).Raw(`SELECT DISTINCT a.bank_bin, a.account_no, NOT EXISTS (SELECT FROM producer_bank_account o
			WHERE o.account_no = a.account_no AND (o.producer_id, o.bank_bin) <> (a.producer_id, a.bank_bin)) AS sole
		FROM producer_bank_account a WHERE a.producer_id IN ? ORDER BY 1, 2`, producerIDs).Scan(&rows).Error
	return rows, err
}
