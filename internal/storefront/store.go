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

// forSale is the condition that level l can be sold online from its producer's own open place. The few that cannot be are
// looked up once and kept in hand: joining every variant and every place costs more than all the rest of a list.
const forSale = `l.location_id NOT IN (SELECT id FROM stock_location WHERE kind <> 'producer' OR state <> 'open')
	AND l.variant_id NOT IN (SELECT id FROM variant WHERE state <> 'active') AND ` + saleable

// starsOn is the condition that link c of a certificate to a product counts on the day @today; valid_to ends before a revocation.
const starsOn = `c.valid_from <= @today AND c.valid_to >= @today`

// Stars and stock of a row of product_search p, for filters that leave few rows: each is looked up by its key.
const narrow = `
	(SELECT coalesce(max(c.stars), 0) FROM certificate_product c WHERE c.product_id = p.product_id AND ` + starsOn + `) AS stars,
	EXISTS (SELECT FROM stock_level l WHERE l.product_id = p.product_id AND ` + forSale + `) AS stocked
  FROM product_search p`

// The same for filters that may leave the whole shop: the products of each are gathered once and kept in hand.
const wide = `
	CASE WHEN p.product_id IN (SELECT c.product_id FROM certificate_product c WHERE c.stars = 5 AND ` + starsOn + `) THEN 5
	  WHEN p.product_id IN (SELECT c.product_id FROM certificate_product c WHERE c.stars = 4 AND ` + starsOn + `) THEN 4
	  WHEN p.product_id IN (SELECT c.product_id FROM certificate_product c WHERE c.stars = 3 AND ` + starsOn + `) THEN 3 ELSE 0 END AS stars,
	p.product_id IN (SELECT l.product_id FROM stock_level l WHERE ` + forSale + `) AS stocked
  FROM product_search p`

// What a row of the list fails, as bits. A facet is counted without its own filter, so a row that fails one thing still
// counts in that facet; one that fails two counts nowhere and is dropped.
const (
	failsCategory = 1 << iota
	failsProvince
	failsPrice
	failsStars
	failsStock
	failsAge
)

// The statement of a list: m are the rows that fail at most one thing. They are counted by province and by all else at
// once, each in one pass over few columns; sorting takes only the ids of the pages.
const (
	listHead = `WITH near AS (SELECT id, n FROM unnest(CAST(@near AS bigint[])) WITH ORDINALITY AS x (id, n)), m AS MATERIALIZED (`
	listRows = `SELECT p.product_id, p.category_code, p.province_code, p.price_min, p.published_at, `
	listTail = `), g AS MATERIALIZED (
  SELECT category_code, fails, stars, stocked, width_bucket(price_min, CAST(@bounds AS bigint[])) AS bucket, count(*) AS n FROM m GROUP BY 1, 2, 3, 4, 5
)
SELECT 'category' AS kind, category_code AS key, CAST(sum(n) AS bigint) AS n, '' AS more FROM g WHERE fails IN (0, 1) GROUP BY 2
UNION ALL
SELECT 'province', province_code, count(*), '' FROM m WHERE fails IN (0, 2) GROUP BY 2
UNION ALL
SELECT 'rest', '', 0, (SELECT CAST(jsonb_agg(jsonb_build_array(fails, stars, CAST(stocked AS int), bucket, n)) AS text) FROM (
  SELECT fails, stars, stocked, bucket, sum(n) AS n FROM g GROUP BY 1, 2, 3, 4) z)
UNION ALL
SELECT 'ids', '', 0, (SELECT CAST(jsonb_agg(product_id) AS text) FROM (SELECT product_id FROM `
	listFits = `m WHERE fails = 0`
	// The whole shop by name is read from the index; IS TRUE keeps the planner from joining and sorting it.
	listFitsByName = `product_search p WHERE (p.product_id IN (SELECT product_id FROM m WHERE fails = 0)) IS TRUE`
	listEnd        = `, product_id DESC LIMIT @limit OFFSET @offset) x)`
)

// fewSets is the number of product sets up to which those of one category in one province are looked up one by one.
const fewSets = 3

// orders are the ORDER BY of each sort, after which the newest id decides.
var orders = map[Sort]string{
	SortRelevance: `stocked DESC, stars DESC, published_at DESC`,
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
	args := map[string]any{"today": a.today, "now": a.now, "adult_sets": a.adultSets, "categories": a.categories, "near": a.near,
		"min": int64(max(0, a.MinPrice)), "max": int64(max(0, a.MaxPrice)), "limit": a.window(), "offset": a.from,
		"producer": a.ProducerID, "stars": starList(a.Stars), "bounds": bounds()}
	if a.province != nil {
		args["province"] = a.province.Code
	}
	// The parts below are constants chosen by the shape of the filter, so that each shape has a plan of its own.
	columns, from, where, fits := "", wide, "true", listFits
	switch {
	case a.near != nil:
		columns, from = "-near.n AS tier, 0 AS fit, ", narrow+" JOIN near ON near.id = p.product_id"
	case !a.query.Empty():
		maps.Copy(args, a.query.Args())
		columns, from, where = search.Tier+" AS tier, "+search.Rank+" AS fit, ", narrow+" JOIN product_words w USING (product_id)", search.Matched
	case a.ProducerID != 0 || a.province != nil && a.chosen.Code != "" && len(a.categories) <= fewSets:
		from = narrow
	case a.Sort == SortName:
		fits = listFitsByName
	}
	if a.ProducerID != 0 {
		where += " AND p.producer_id = @producer"
	}
	order := orders[a.Sort]
	switch {
	case a.Sort == SortName && fits == listFits:
		columns += "p.name_vi, "
	case a.Sort == SortRelevance && columns != "":
		order = "tier DESC, fit DESC, " + order
	}
	statement := listHead + a.rows(columns, from, where) + listTail + fits + " ORDER BY " + order + listEnd
	var rows []countRow
	if err := s.DB.Read(ctx).Raw(statement, args).Scan(&rows).Error; err != nil {
		return found{}, fmt.Errorf("storefront: list: %w", err)
	}
	return counted(rows)
}

// rows writes the statement of m. What cannot be failed is not asked: the planner would take the question for a narrow one.
func (a *asking) rows(columns, from, where string) string {
	place, later := []string{"0"}, []string{"x.fails"}
	add := func(to *[]string, asked bool, fits string, bit int) {
		if asked {
			*to = append(*to, fmt.Sprintf("CASE WHEN %s THEN 0 ELSE %d END", fits, bit))
		}
	}
	add(&place, a.chosen.Code != "", "p.category_code = ANY (CAST(@categories AS text[]))", failsCategory)
	add(&place, a.province != nil, "p.province_code = @province", failsProvince)
	add(&place, a.MinPrice > 0 || a.MaxPrice > 0, "p.price_min >= CAST(@min AS bigint) AND (CAST(@max AS bigint) = 0 OR p.price_min <= @max)", failsPrice)
	add(&place, !a.Adult && len(a.adultSets) > 0, "p.set_no <> ALL (CAST(@adult_sets AS int[]))", failsAge)
	add(&later, len(a.Stars) > 0, "x.stars = ANY (CAST(@stars AS int[]))", failsStars)
	add(&later, a.InStock, "x.stocked", failsStock)
	fails := "(" + strings.Join(place, " + ") + ")"
	if len(place) > 2 {
		where += " AND " + fails + " IN (0, 1, 2, 4, 32)"
	}
	out := listRows + columns + fails + " AS fails, " + from + " WHERE " + where
	if len(later) == 1 {
		return out
	}
	// OFFSET 0 has stars and stock computed once, before they are asked for.
	return "SELECT * FROM (SELECT " + strings.Join(later, " + ") + " AS fails, x.product_id, x.category_code, x.province_code, x.price_min, x.published_at, x.stars, x.stocked" +
		own(columns) + " FROM (" + out + " OFFSET 0) x OFFSET 0) y WHERE fails IN (0, 1, 2, 4, 8, 16, 32)"
}

// own names the columns that only some shapes have.
func own(columns string) string {
	var out string
	if strings.Contains(columns, " AS tier") {
		out = ", x.tier, x.fit"
	}
	if strings.Contains(columns, "p.name_vi, ") {
		out += ", x.name_vi"
	}
	return out
}

// bounds cuts the prices so that the ends of the ranges, which belong to both, stand alone: range i are buckets 2i-1 to 2i+1.
func bounds() bigints {
	var out bigints
	for _, p := range prices[1:] {
		out = append(out, int64(p.Min), int64(p.Min)+1)
	}
	return out
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
		case "rest":
			if r.More == "" {
				continue
			}
			var counts [][5]int
			if err := json.Unmarshal([]byte(r.More), &counts); err != nil {
				return fd, fmt.Errorf("storefront: counts: %w", err)
			}
			for _, c := range counts {
				fd.count(c[0], c[1], c[2] == 1, c[3], c[4])
			}
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

// count adds n rows alike to the facets in which they count.
func (fd *found) count(fails, stars int, stocked bool, bucket, n int) {
	only := func(bit int) bool { return fails == 0 || fails == bit }
	switch fails {
	case 0:
		fd.Total += n
	case failsAge:
		fd.Hidden += n
	}
	if only(failsStars) {
		fd.Stars[stars] += n
	}
	if only(failsStock) {
		fd.All += n
		if stocked {
			fd.InStock += n
		}
	}
	if only(failsPrice) {
		for i := range prices {
			if 2*i-1 <= bucket && bucket <= 2*i+1 {
				fd.Prices[i] += n
			}
		}
	}
}
