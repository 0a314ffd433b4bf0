package storefront

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"choocop.vn/ocop/internal/search"
)

// bigints and texts go to PostgreSQL as one array parameter each, so that a statement is the same text for any number.
type bigints []int64

// Value writes {1,2}.
func (b bigints) Value() (driver.Value, error) {
	parts := make([]string, len(b))
	for i, n := range b {
		parts[i] = strconv.FormatInt(n, 10)
	}
	return "{" + strings.Join(parts, ",") + "}", nil
}

type texts []string

// Value writes {"a","b"}; the texts are codes without quotes or backslashes.
func (t texts) Value() (driver.Value, error) {
	if len(t) == 0 {
		return "{}", nil
	}
	return `{"` + strings.Join(t, `","`) + `"}`, nil
}

// validOn is the condition that certificate c counts on the day @today.
const validOn = `c.valid_from <= @today AND c.valid_to >= @today AND (c.revoked_on IS NULL OR c.revoked_on > @today)`

// saleable is the condition that level l holds a piece to promise; what is reserved by an order past its time does not count.
const saleable = `(l.on_hand > l.reserved OR l.on_hand > 0 AND l.on_hand - l.reserved + (SELECT coalesce(sum(r.quantity), 0) FROM stock_reservation r
	WHERE r.level_id = l.id AND r.state = 'open' AND r.expires_at <= @now) > 0)
	AND (l.lot_id IS NULL OR EXISTS (SELECT FROM stock_lot t WHERE t.id = l.lot_id AND (t.expires_on IS NULL OR t.expires_on >= @today)))`

// Stars and stock of a row of product_search p, for filters that leave few rows: each is looked up by its key.
const narrow = `
	(SELECT coalesce(max(c.stars), 0) FROM certificate_product cp JOIN certificate c ON c.id = cp.certificate_id
		WHERE cp.product_id = p.product_id AND ` + validOn + `) AS stars,
	EXISTS (SELECT FROM variant v JOIN stock_level l ON l.variant_id = v.id JOIN stock_location o ON o.id = l.location_id
		WHERE v.product_id = p.product_id AND v.state = 'active' AND o.kind = 'producer' AND o.state = 'open' AND ` + saleable + `) AS stocked
  FROM product_search p`

// The same for filters that may leave the whole shop: each is computed once for all products and joined.
const wide = `
	coalesce(st.stars, 0) AS stars, sk.product_id IS NOT NULL AS stocked
  FROM product_search p
  LEFT JOIN (SELECT cp.product_id, max(c.stars) AS stars FROM certificate c JOIN certificate_product cp ON cp.certificate_id = c.id
	WHERE ` + validOn + ` GROUP BY 1) st ON st.product_id = p.product_id
  LEFT JOIN (SELECT v.product_id FROM stock_level l JOIN stock_location o ON o.id = l.location_id JOIN variant v ON v.id = l.variant_id
	WHERE v.state = 'active' AND o.kind = 'producer' AND o.state = 'open' AND ` + saleable + ` GROUP BY 1) sk ON sk.product_id = p.product_id`

// The rows that the filter fits but for at most one of its facets: only they count anywhere, since a facet is counted
// without its own filter. c, v, r, s and k say whether category, province, price, stars and stock fit.
const (
	baseHead = `WITH near AS (SELECT id, n FROM unnest(CAST(@near AS bigint[])) WITH ORDINALITY AS x (id, n)), base AS MATERIALIZED (
  SELECT p.product_id, p.category_code, p.province_code, p.price_min, p.published_at, `
	baseFlags = ` p.set_no = ANY (CAST(@adult_sets AS int[])) AS adult,
	(NOT @by_category OR p.category_code = ANY (CAST(@categories AS text[]))) AS c,
	(@province = '' OR p.province_code = @province) AS v,
	(p.price_min >= CAST(@min AS bigint) AND (CAST(@max AS bigint) = 0 OR p.price_min <= @max)) AS r,`
	baseFew = ` AND (CASE WHEN NOT @by_category OR p.category_code = ANY (CAST(@categories AS text[])) THEN 0 ELSE 1 END
	+ CASE WHEN @province = '' OR p.province_code = @province THEN 0 ELSE 1 END
	+ CASE WHEN p.price_min >= CAST(@min AS bigint) AND (CAST(@max AS bigint) = 0 OR p.price_min <= @max) THEN 0 ELSE 1 END) <= 1
), m AS MATERIALIZED (
  SELECT b.*, (cardinality(CAST(@stars AS int[])) = 0 OR b.stars = ANY (CAST(@stars AS int[]))) AS s, (NOT @in_stock OR b.stocked) AS k,
    (@adult OR NOT b.adult) AS shown FROM base b
)`
	listTail = `
SELECT CASE GROUPING(category_code, province_code, stars) WHEN 3 THEN 'category' WHEN 5 THEN 'province' WHEN 6 THEN 'stars' ELSE 'all' END AS kind,
  coalesce(category_code, province_code, CAST(stars AS text), '') AS key,
  CASE GROUPING(category_code, province_code, stars)
    WHEN 3 THEN count(*) FILTER (WHERE shown AND v AND r AND s AND k)
    WHEN 5 THEN count(*) FILTER (WHERE shown AND c AND r AND s AND k)
    WHEN 6 THEN count(*) FILTER (WHERE shown AND c AND v AND r AND k)
    ELSE count(*) FILTER (WHERE shown AND c AND v AND r AND s AND k) END AS n,
  CASE WHEN GROUPING(category_code, province_code, stars) = 7 THEN jsonb_build_array(
    count(*) FILTER (WHERE NOT shown AND c AND v AND r AND s AND k),
    count(*) FILTER (WHERE shown AND c AND v AND r AND s AND stocked),
    count(*) FILTER (WHERE shown AND c AND v AND r AND s),
    count(*) FILTER (WHERE shown AND c AND v AND s AND k AND price_min <= 50000),
    count(*) FILTER (WHERE shown AND c AND v AND s AND k AND price_min BETWEEN 50000 AND 100000),
    count(*) FILTER (WHERE shown AND c AND v AND s AND k AND price_min BETWEEN 100000 AND 200000),
    count(*) FILTER (WHERE shown AND c AND v AND s AND k AND price_min BETWEEN 200000 AND 500000),
    count(*) FILTER (WHERE shown AND c AND v AND s AND k AND price_min BETWEEN 500000 AND 1000000),
    count(*) FILTER (WHERE shown AND c AND v AND s AND k AND price_min >= 1000000)) END AS more
FROM m GROUP BY GROUPING SETS ((category_code), (province_code), (stars), ())
UNION ALL
SELECT 'ids', '', 0, (SELECT jsonb_agg(product_id) FROM (SELECT product_id FROM m WHERE shown AND c AND v AND r AND s AND k ORDER BY `
	listEnd = `, product_id DESC LIMIT @limit OFFSET @offset) x)`
)

// orders are the ORDER BY of each sort, after which the newest id decides.
var orders = map[Sort]string{
	SortRelevance: `tier DESC, fit DESC, stocked DESC, stars DESC, published_at DESC`,
	SortNewest:    `published_at DESC`,
	SortCheap:     `price_min`,
	SortDear:      `price_min DESC`,
	SortName:      `name_vi COLLATE "vi-x-icu"`,
}

type countRow struct {
	Kind string
	Key  string
	N    int
	More string
}

// look runs the one statement behind a list.
func (s *Service) look(ctx context.Context, a *asking) (found, error) {
	args := map[string]any{"today": a.today, "now": a.now, "adult_sets": a.adultSets, "adult": a.Adult, "by_category": a.chosen.Code != "", "categories": a.categories,
		"province": "", "min": int64(max(0, a.MinPrice)), "max": int64(max(0, a.MaxPrice)), "in_stock": a.InStock, "near": a.near,
		"limit": a.window(), "offset": a.from, "producer": a.ProducerID, "stars": starList(a.Stars)}
	if a.province != nil {
		args["province"] = a.province.Code
	}
	// The parts below are constants chosen by the shape of the filter, so that each shape has a plan of its own.
	columns, from, where := "0 AS tier, 0 AS fit, NULL AS name_vi,", wide, " WHERE true"
	if a.Sort == SortName {
		columns = "0 AS tier, 0 AS fit, p.name_vi,"
	}
	switch {
	case a.near != nil:
		columns, from, where = "-near.n AS tier, 0 AS fit, p.name_vi,", narrow+" JOIN near ON near.id = p.product_id", " WHERE true"
	case !a.query.Empty():
		maps.Copy(args, a.query.Args())
		columns, from, where = search.Tier+" AS tier, "+search.Rank+" AS fit, p.name_vi,", narrow, " WHERE "+search.Matched
	}
	if a.ProducerID != 0 {
		where += " AND p.producer_id = @producer"
		if a.query.Empty() {
			from = narrow
		}
	}
	var rows []countRow
	if err := s.DB.Read(ctx).Raw(baseHead+columns+baseFlags+from+where+baseFew+listTail+orders[a.Sort]+listEnd, args).Scan(&rows).Error; err != nil {
		return found{}, fmt.Errorf("storefront: list: %w", err)
	}
	return counted(rows)
}

func starList(stars []int) bigints {
	out := bigints{}
	for _, n := range stars {
		out = append(out, int64(n))
	}
	return out
}

func counted(rows []countRow) (found, error) {
	fd := found{Categories: map[string]int{}, Provinces: map[string]int{}, Stars: map[int]int{}, Prices: make([]int, len(prices))}
	for _, r := range rows {
		switch r.Kind {
		case "category":
			fd.Categories[r.Key] = r.N
		case "province":
			fd.Provinces[r.Key] = r.N
		case "stars":
			n, _ := strconv.Atoi(r.Key) // the column is an integer
			fd.Stars[n] = r.N
		case "all":
			var more []int
			if err := json.Unmarshal([]byte(r.More), &more); err != nil {
				return fd, fmt.Errorf("storefront: counts: %w", err)
			}
			fd.Total, fd.Hidden, fd.InStock, fd.All = r.N, more[0], more[1], more[2]
			copy(fd.Prices, more[3:])
		case "ids":
			if r.More == "" {
				continue
			}
			if err := json.Unmarshal([]byte(r.More), &fd.IDs); err != nil {
				return fd, fmt.Errorf("storefront: ids: %w", err)
			}
		}
	}
	return fd, nil
}
