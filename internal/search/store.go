package search

import (
	"fmt"

	"gorm.io/gorm"
)

// The index row of each product that may be shown: published, no medicine, of a verified maker, with something for sale.
const (
	refreshHead = `, src AS (
  SELECT p.id AS product_id, p.producer_id, coalesce(c.set_no, 0) AS set_no, v.price_min, v.price_max, p.published_at, p.province_code, p.category_code,
    t.name AS name_vi, vn_words(vn_fold(t.name)) AS name_fold,
    t.name || ' ' || coalesce(en.name, '') AS names,
    CASE WHEN m.name_known THEN m.name || ' ' || coalesce(mt.names, '') ELSE '' END AS makers,
    concat_ws(' ', g.name, g.name_en, p.place_text, p.old_province, m.place_text, m.old_province, co.name, co.name_alt) AS places,
    concat_ws(' ', c.short_vi, c.short_en, c3.short_vi, c3.short_en, v.codes) AS groups,
    concat_ws(' ', t.summary, en.summary) AS summaries
  FROM wanted w
  JOIN product p ON p.id = w.id
  JOIN producer m ON m.id = p.producer_id AND m.state = 'verified'
  JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi'
  JOIN category c ON c.code = p.category_code
  JOIN geo_province g ON g.code = p.province_code
  JOIN LATERAL (SELECT min(price) AS price_min, max(price) AS price_max, string_agg(concat_ws(' ', sku, gtin), ' ') AS codes
    FROM variant WHERE product_id = p.id AND state = 'active') v ON v.price_min IS NOT NULL
  LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
  LEFT JOIN category c2 ON c2.code = c.parent_code
  LEFT JOIN category c3 ON c3.code = c2.parent_code
  LEFT JOIN geo_commune co ON co.code = m.commune_code
  LEFT JOIN LATERAL (SELECT string_agg(name, ' ') AS names FROM producer_text WHERE producer_id = m.id) mt ON true
  WHERE p.state = 'published' AND NOT p.is_medicine
), gone AS (
  DELETE FROM product_search x USING wanted w WHERE x.product_id = w.id AND x.product_id NOT IN (SELECT product_id FROM src))`

	// The wanted ids stand first in the joins: with so many the planner keeps the order written here.
	refreshSome  = `WITH wanted AS MATERIALIZED (SELECT DISTINCT unnest(CAST(@ids AS bigint[])) AS id)`
	refreshEvery = `WITH wanted AS MATERIALIZED (SELECT id FROM product UNION SELECT product_id FROM product_search)`

	refreshTail = `, told AS (
INSERT INTO product_stale (product_id) SELECT id FROM wanted
), row AS (
INSERT INTO product_search (product_id, producer_id, set_no, price_min, price_max, published_at, province_code, category_code, name_vi)
SELECT product_id, producer_id, set_no, price_min, price_max, published_at, province_code, category_code, name_vi FROM src ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET producer_id = excluded.producer_id, set_no = excluded.set_no, price_min = excluded.price_min,
  price_max = excluded.price_max, published_at = excluded.published_at, province_code = excluded.province_code, category_code = excluded.category_code,
  name_vi = excluded.name_vi
)
INSERT INTO product_words (product_id, name_fold, all_fold, words, name_words, maker_words)
SELECT product_id, name_fold, vn_words(vn_fold(concat_ws(' ', names, makers, places))),
  named || made ||
  setweight(to_tsvector('simple', concat_ws(' ', vn_words(vn_fold(places || ' ' || groups)), vn_exact(places || ' ' || groups))), 'C') ||
  setweight(to_tsvector('simple', concat_ws(' ', vn_words(vn_fold(summaries)), vn_exact(summaries))), 'D'), named, made
FROM src, LATERAL (SELECT setweight(to_tsvector('simple', concat_ws(' ', vn_words(vn_fold(names)), vn_exact(names))), 'A') AS named,
  setweight(to_tsvector('simple', concat_ws(' ', vn_words(vn_fold(makers)), vn_exact(makers))), 'B') AS made) v ORDER BY product_id
ON CONFLICT (product_id) DO UPDATE SET name_fold = excluded.name_fold, all_fold = excluded.all_fold, words = excluded.words,
  name_words = excluded.name_words, maker_words = excluded.maker_words`
)

// refresh makes the rows of ids anew, or all rows when ids is nil. It is one statement.
func refresh(g *gorm.DB, ids []int64) error {
	if ids == nil {
		if err := g.Exec(refreshEvery + refreshHead + refreshTail).Error; err != nil {
			return fmt.Errorf("search: refresh all: %w", err)
		}
		return nil
	}
	if len(ids) == 0 {
		return nil
	}
	if err := g.Exec(refreshSome+refreshHead+refreshTail, map[string]any{"ids": array(ids)}).Error; err != nil {
		return fmt.Errorf("search: refresh %d products: %w", len(ids), err)
	}
	return nil
}

func readSynonyms(g *gorm.DB) (*synonyms, error) {
	var rows []synonymRow
	if err := g.Raw(`SELECT group_no, term, ambiguous FROM search_synonym ORDER BY group_no, term`).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("search: synonyms: %w", err)
	}
	var places []string
	if err := g.Raw(`SELECT name FROM geo_province UNION SELECT name FROM geo_former_province`).Scan(&places).Error; err != nil {
		return nil, fmt.Errorf("search: places: %w", err)
	}
	return newSynonyms(rows, places), nil
}

// hits asks the database itself; [Service.Hits] gives the same from memory.
func hits(g *gorm.DB, q Query) ([]Hit, error) {
	var out []Hit
	err := g.Raw(`SELECT product_id, `+Tier+` AS tier, CAST(`+Rank+` * 10 AS int) AS fit FROM product_words w WHERE `+Matched, q.Args()).Scan(&out).Error
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	return out, nil
}

// forget goes by the database's clock, as the notes do.
func forget(g *gorm.DB) (int, error) {
	done := g.Exec(`DELETE FROM product_stale WHERE at < now() - interval '1 hour'`)
	if done.Error != nil {
		return 0, fmt.Errorf("search: forget changes: %w", done.Error)
	}
	return int(done.RowsAffected), nil
}

// held asks the database itself for what [Service.held] finds in memory.
func held(g *gorm.DB, q Query) (holding, made []int64, err error) {
	err = g.Raw(`SELECT product_id FROM product_words WHERE name_words @@ CAST(? AS tsquery) LIMIT ?`, q.Begun, holdingMost).Scan(&holding).Error
	if err == nil {
		err = g.Raw(`SELECT product_id FROM product_words WHERE maker_words @@ CAST(? AS tsquery) LIMIT ?`, q.Named, madeMost).Scan(&made).Error
	}
	if err != nil {
		return nil, nil, fmt.Errorf("search: suggest: %w", err)
	}
	return holding, made, nil
}

// StaleSince is the condition on product_stale that the snapshot @since did not see a note: its transaction was open then, or
// began later. A replica's snapshot does not name the open ones, so there all from the oldest on are read again.
const StaleSince = `changed >= pg_snapshot_xmin(CAST(@since AS pg_snapshot))
	AND (pg_is_in_recovery() OR NOT pg_visible_in_snapshot(changed, CAST(@since AS pg_snapshot)))`

// Snapshot names what can be seen now, for [StaleSince]. Its error is the database's.
func Snapshot(g *gorm.DB) (string, error) {
	var since string
	if err := g.Raw(`SELECT CAST(pg_current_snapshot() AS text)`).Scan(&since).Error; err != nil {
		return "", fmt.Errorf("search: snapshot: %w", err)
	}
	return since, nil
}

// wordsAfter reads the rows behind an id, in the order of their ids.
func wordsAfter(g *gorm.DB, id int64, limit int) ([]wordRow, error) {
	var out []wordRow
	err := g.Raw(`SELECT product_id, name_fold, CAST(words AS text) AS words FROM product_words WHERE product_id > ? ORDER BY product_id LIMIT ?`, id, limit).Scan(&out).Error
	if err != nil {
		return nil, fmt.Errorf("search: words: %w", err)
	}
	return out, nil
}

// wordsSince reads the rows of the products changed after the snapshot since, empty for those gone, with the mark to ask from next.
func wordsSince(g *gorm.DB, since string) ([]wordRow, string, error) {
	var rows []struct {
		Since, NameFold, Words string
		ProductID              int64
	}
	err := g.Raw(`SELECT CAST(pg_current_snapshot() AS text) AS since, coalesce(c.product_id, 0) AS product_id,
			coalesce(w.name_fold, '') AS name_fold, coalesce(CAST(w.words AS text), '') AS words
		FROM (SELECT 1) one LEFT JOIN (SELECT DISTINCT product_id FROM product_stale WHERE `+StaleSince+`) c ON true
		LEFT JOIN product_words w ON w.product_id = c.product_id`, map[string]any{"since": since}).Scan(&rows).Error
	if err != nil {
		return nil, "", fmt.Errorf("search: words: %w", err)
	}
	var out []wordRow
	for _, r := range rows {
		if since = r.Since; r.ProductID != 0 {
			out = append(out, wordRow{r.ProductID, r.NameFold, r.Words})
		}
	}
	return out, since, nil
}
