-- +goose Up
-- Words that mean the same in the market (chè/trà, dứa/thơm/khóm): rows of one group replace each other.
CREATE TABLE search_synonym (
  group_no int NOT NULL,
  term     text NOT NULL,
  folded   text NOT NULL GENERATED ALWAYS AS (vn_fold(term)) STORED,
  -- It means other things as well (thơm: pineapple, fragrant): it is replaced when typed, but does not stand for the others.
  ambiguous boolean NOT NULL DEFAULT false,
  PRIMARY KEY (group_no, term)
);
CREATE INDEX search_synonym_folded ON search_synonym (folded);

-- vn_words leaves only letters and digits, one space between words, so that the text parser finds no addresses or numbers
-- with points in it and cuts where the program cuts a question.
-- +goose StatementBegin
CREATE FUNCTION vn_words(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT btrim(regexp_replace(t, '[^[:alnum:]]+', ' ', 'g'))
$$;
-- +goose StatementEnd

-- vn_exact keeps the diacritics but writes the tone as a digit behind its word, as on a typewriter: Hòa and Hoà are both
-- hoa2, Hóa is hoa1. search.exact does the same in Go.
-- +goose StatementBegin
CREATE FUNCTION vn_exact(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT public.vn_words(normalize(translate(regexp_replace(normalize(lower(normalize(t, NFC)), NFD),
    '([\u0300\u0301\u0303\u0309\u0323])([[:alpha:]\u0302\u0306\u031b]*)', '\2\1', 'g'),
    U&'\0301\0300\0309\0303\0323', '12345'), NFC))
$$;
-- +goose StatementEnd

-- One row per published product, kept by the search package; facets and lists read it. The row is narrow, so that counting
-- facets reads few pages. Stars, stock and the rules for adults are not here: they change with the day and the hour.
CREATE TABLE product_search (
  product_id    bigint PRIMARY KEY REFERENCES product (id) ON DELETE CASCADE,
  producer_id   bigint NOT NULL,
  set_no        int NOT NULL,
  price_min     bigint NOT NULL,
  price_max     bigint NOT NULL,
  published_at  timestamptz NOT NULL,
  province_code text NOT NULL,
  category_code text NOT NULL,
  name_vi       text NOT NULL
);
CREATE INDEX product_search_newest ON product_search (published_at DESC, product_id DESC);
CREATE INDEX product_search_name ON product_search (name_vi COLLATE "vi-x-icu", product_id DESC);
CREATE INDEX product_search_producer ON product_search (producer_id);

-- The words by which a row of product_search is found.
CREATE TABLE product_words (
  product_id  bigint PRIMARY KEY REFERENCES product_search (product_id) ON DELETE CASCADE,
  name_fold   text NOT NULL,
  all_fold    text NOT NULL,
  -- Each word twice, without diacritics and by vn_exact. A the name, B the maker, C place, category and codes, D the summary.
  words       tsvector NOT NULL,
  -- Those of the name and of the maker alone: the index knows no weights, and suggestions must not read rows in vain.
  name_words  tsvector NOT NULL,
  maker_words tsvector NOT NULL
);
CREATE INDEX product_words_words ON product_words USING gin (words);
CREATE INDEX product_words_name ON product_words USING gin (name_words);
CREATE INDEX product_words_maker ON product_words USING gin (maker_words);
CREATE INDEX product_words_all_trgm ON product_words USING gin (all_fold gin_trgm_ops);
CREATE INDEX product_words_name_prefix ON product_words (name_fold text_pattern_ops);

-- search_near finds the names closest to a question that nothing fits. A function, because the threshold that lets the
-- index help is a setting.
-- +goose StatementBegin
CREATE FUNCTION search_near(q text, n int) RETURNS TABLE (product_id bigint, closeness real)
LANGUAGE sql STABLE PARALLEL SAFE STRICT SET pg_trgm.word_similarity_threshold = 0.45 AS $$
  SELECT p.product_id, greatest(public.word_similarity(q, p.name_fold), public.word_similarity(q, p.all_fold) * 0.9)::real AS closeness
  FROM public.product_words p WHERE p.all_fold OPERATOR(public.%>) q
  ORDER BY closeness DESC, p.product_id LIMIT n
$$;
-- +goose StatementEnd
