package certification

import (
	"context"

	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/db"
)

// toldRow is a certificate with one of its products, as partners are told.
type toldRow struct {
	Code      string
	Slug      string
	Stars     int
	ValidFrom clock.Date
	ValidTo   clock.Date
	RevokedOn clock.Date
}

const toldSelect = `SELECT c.code, p.slug, c.stars, c.valid_from, c.valid_to, c.revoked_on
	FROM certificate c JOIN certificate_product cp ON cp.certificate_id = c.id JOIN product p ON p.id = cp.product_id `

// takeTold moves the mark to today and returns where it stood; it is not known on the very first day.
func takeTold(ctx context.Context, tx db.Tx, today clock.Date) (last clock.Date, known bool, err error) {
	var marks []struct{ ToldOn clock.Date }
	g := tx.WithContext(ctx)
	if err := g.Raw(`SELECT told_on FROM certificate_told FOR UPDATE`).Scan(&marks).Error; err != nil {
		return last, false, err
	}
	if len(marks) == 1 {
		last, known = marks[0].ToldOn, true
	}
	if known && !last.Before(today) {
		return last, known, nil
	}
	return last, known, g.Exec(`INSERT INTO certificate_told (told_on) VALUES (?) ON CONFLICT (one) DO UPDATE SET told_on = excluded.told_on`, today).Error
}

// turned lists the certificates whose first, last or revoked day lies after one day and up to another. One that was
// revoked before its last day has nothing left to lose on it.
func turned(ctx context.Context, tx db.Tx, after, upTo clock.Date) ([]toldRow, error) {
	var rows []toldRow
	err := tx.WithContext(ctx).Raw(toldSelect+`
		WHERE c.revoked_on > @after AND c.revoked_on <= @upto
			OR (c.revoked_on IS NULL OR c.revoked_on > @upto) AND (c.valid_from > @after AND c.valid_from <= @upto OR c.valid_to >= @after AND c.valid_to < @upto)
		ORDER BY c.id, p.id`, map[string]any{"after": after, "upto": upTo}).Scan(&rows).Error
	return rows, err
}

func toldByCode(ctx context.Context, tx db.Tx, code string) ([]toldRow, error) {
	var rows []toldRow
	err := tx.WithContext(ctx).Raw(toldSelect+`WHERE c.code = ? ORDER BY p.id`, code).Scan(&rows).Error
	return rows, err
}

func toldByKeys(ctx context.Context, tx db.Tx, keys []string) ([]toldRow, error) {
	var rows []toldRow
	err := tx.WithContext(ctx).Raw(toldSelect+`WHERE c.import_key IN ? ORDER BY c.id, p.id`, keys).Scan(&rows).Error
	return rows, err
}
