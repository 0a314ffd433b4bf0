package search

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"choocop.vn/ocop/internal/geo"
	"choocop.vn/ocop/internal/platform/clock"
	"choocop.vn/ocop/internal/platform/i18n"
)

// Each part of the suggestions asks one index for a handful of rows; a prefix that begins thousands of names must cost
// no more than a rare one, so products are taken from the two cheap ends: names that begin so, then names that hold the
// words, cut before they are ranked. The latter, and goods of makers so named, are found in memory.
const suggestSQL = `
WITH opened AS (
  SELECT product_id FROM product_words WHERE name_fold LIKE @prefix ORDER BY name_fold USING ~<~ LIMIT 40
), holding AS (
  SELECT unnest(CAST(@holding AS bigint[])) AS product_id
), goods AS (
  SELECT p.product_id, max(o.first) AS first FROM (SELECT product_id, 1 AS first FROM opened UNION ALL SELECT product_id, 0 FROM holding) o
  JOIN product_search p USING (product_id)
  WHERE NOT EXISTS (SELECT FROM category_rule r WHERE r.set_no = p.set_no AND r.rule = 'adults_only' AND r.suspended_by IS NULL
    AND r.effective_from <= @today AND (r.effective_to IS NULL OR r.effective_to >= @today))
  GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 60
)
(SELECT 1 AS n, 'category' AS kind, slug, short_vi AS name_vi, short_en AS name_en, '' AS note, 0::float8 AS place, '' AS unit FROM category
  WHERE set_no IS NOT NULL AND (vn_words(vn_fold(short_vi)) LIKE @prefix OR lower(short_en) LIKE @prefix) ORDER BY length(short_vi) LIMIT 2)
UNION ALL
(SELECT 2, 'product', p.slug, t.name, coalesce(en.name, ''), CASE WHEN m.name_known THEN m.name ELSE '' END,
    g.first * 2 + CASE WHEN @exact <> '' AND s.name_words @@ CAST(@exact_name AS tsquery) THEN 1 ELSE 0 END, ''
  FROM goods g JOIN product_words s USING (product_id) JOIN product p ON p.id = g.product_id JOIN producer m ON m.id = p.producer_id
  JOIN product_text t ON t.product_id = p.id AND t.locale = 'vi' LEFT JOIN product_text en ON en.product_id = p.id AND en.locale = 'en'
  ORDER BY 7 DESC, length(t.name), p.id LIMIT @n)
UNION ALL
(SELECT 3, 'producer', m.slug, m.name, '', g.name, word_similarity(@text, vn_fold(m.name)), ''
  FROM producer m JOIN geo_province g ON g.code = m.province_code
  WHERE char_length(@text) >= 3 AND m.state = 'verified' AND m.id IN (SELECT producer_id FROM product_search
    WHERE product_id IN (SELECT unnest(CAST(@made AS bigint[]))))
  ORDER BY 7 DESC, m.id LIMIT 3)
UNION ALL
(SELECT 4, 'province', slug, name, name_en, '', 0, '' FROM geo_province WHERE name_fold LIKE @prefix OR lower(name_en) LIKE @prefix ORDER BY name LIMIT 3)
UNION ALL
(SELECT 5, 'former_province', g.slug, f.name, '', g.name, 0, '' FROM geo_former_province f JOIN geo_province g ON g.code = f.province_code
  WHERE f.name <> g.name AND f.name_fold LIKE @prefix ORDER BY f.name LIMIT 3)
UNION ALL
(SELECT 6, 'commune', g.slug, c.name, '', g.name, 0, c.kind FROM geo_commune c JOIN geo_province g ON g.code = c.province_code
  WHERE char_length(@text) >= 4 AND c.name_fold LIKE @prefix ORDER BY c.name LIMIT 2)
ORDER BY 1, 7 DESC`

type suggestionRow struct {
	Kind   SuggestionKind
	Slug   string
	NameVI string `gorm:"column:name_vi"`
	NameEN string `gorm:"column:name_en"`
	Note   string
	Unit   string // kind of a commune
}

func (s *Service) suggest(ctx context.Context, g *gorm.DB, text string, limit int) ([]Suggestion, error) {
	q, err := s.Ask(ctx, text)
	if err != nil || q.Empty() || limit < 1 {
		return nil, err
	}
	args := q.Args()
	holding, made, err := s.held(ctx, q)
	if err != nil {
		return nil, err
	}
	args["holding"], args["made"] = array(holding), array(made)
	args["text"], args["n"], args["today"] = q.Folded, limit, clock.Today(s.clock)
	var rows []suggestionRow
	if err := g.Raw(suggestSQL, args).Scan(&rows).Error; err != nil {
		return nil, fmt.Errorf("search: suggest: %w", err)
	}
	return pick(rows, limit), nil
}

// pick leaves room for the other kinds when products alone would fill the list.
func pick(rows []suggestionRow, limit int) []Suggestion {
	others := 0
	for _, r := range rows {
		if r.Kind != SuggestProduct {
			others++
		}
	}
	goods := max(limit-others, (limit+1)/2)
	var out []Suggestion
	for _, r := range rows {
		if r.Kind == SuggestProduct {
			if goods == 0 {
				continue
			}
			goods--
		}
		if r.Kind == SuggestCommune { // many bear one name
			c := geo.Commune{Name: r.NameVI, Kind: r.Unit}
			r.NameVI, r.NameEN = c.Title(i18n.VI), c.Title(i18n.EN)
		}
		if len(out) < limit {
			out = append(out, Suggestion{Kind: r.Kind, Slug: r.Slug, NameVI: strings.TrimSpace(r.NameVI), NameEN: r.NameEN, Note: r.Note})
		}
	}
	return out
}

// Near returns up to limit products whose name, maker or place looks most like the question, the best in the highest
// tier: for questions that nothing fits, with a slip of the keyboard in them.
func (s *Service) Near(ctx context.Context, q Query, limit int) ([]Hit, error) {
	if len(q.Folded) < 3 {
		return nil, nil
	}
	x, err := s.lexicon(ctx)
	if err != nil {
		return nil, err
	}
	slip := Query{Folded: q.Folded, Prefix: strconv.Itoa(limit)} // no question that words fit looks like it
	if x != nil {
		if found, ok := x.answers.take(slip); ok {
			return found, nil
		}
	}
	var ids []int64
	if err := s.db.Read(ctx).Raw(`SELECT product_id FROM search_near(?, ?)`, q.Folded, min(limit, MaxTier)).Scan(&ids).Error; err != nil {
		return nil, fmt.Errorf("search: near: %w", err)
	}
	out := make([]Hit, len(ids))
	for i, id := range ids {
		out[i] = Hit{ID: id, Tier: MaxTier - int32(i)}
	}
	if x != nil {
		x.answers.keep(slip, out, x.answersKept())
	}
	return out, nil
}
