-- +goose Up
-- Words that mean the same in the market (chè/trà, dứa/thơm/khóm): rows of one group replace each other.
CREATE TABLE search_synonym (
  group_no int NOT NULL,
  term     text NOT NULL,
  folded   text NOT NULL GENERATED ALWAYS AS (vn_fold(term)) STORED,
  PRIMARY KEY (group_no, term)
);
CREATE INDEX search_synonym_folded ON search_synonym (folded);

-- One row per published product, kept by the search package; facets and lists read it.
CREATE TABLE product_search (
  product_id    bigint PRIMARY KEY REFERENCES product (id) ON DELETE CASCADE,
  producer_id   bigint NOT NULL,
  province_code text NOT NULL,
  category_code text NOT NULL,
  nganh_code    text NOT NULL,
  nhom_code     text NOT NULL,
  set_no        int NOT NULL,
  adults_only   boolean NOT NULL,
  price_min     bigint NOT NULL,
  price_max     bigint NOT NULL,
  name_vi       text NOT NULL,
  name_en       text NOT NULL,
  name_fold     text NOT NULL,
  all_fold      text NOT NULL,
  exact         tsvector NOT NULL,
  folded        tsvector NOT NULL,
  published_at  timestamptz NOT NULL
);
CREATE INDEX product_search_exact ON product_search USING gin (exact);
CREATE INDEX product_search_folded ON product_search USING gin (folded);
CREATE INDEX product_search_name_trgm ON product_search USING gin (name_fold gin_trgm_ops);
CREATE INDEX product_search_newest ON product_search (published_at DESC, product_id DESC);
CREATE INDEX product_search_price ON product_search (price_min, product_id);
CREATE INDEX product_search_province ON product_search (province_code);
CREATE INDEX product_search_category ON product_search (category_code);
