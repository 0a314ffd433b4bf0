-- +goose Up
-- The official grouping (ngành, nhóm, bộ sản phẩm) as dated data: a later decision adds rows, old goods keep theirs.
CREATE TABLE category (
  code           text PRIMARY KEY,
  parent_code    text REFERENCES category (code),
  level          text NOT NULL CHECK (level IN ('nganh', 'nhom', 'phan_nhom')),
  slug           text NOT NULL UNIQUE,
  name_vi        text NOT NULL,
  name_en        text NOT NULL,
  short_vi       text NOT NULL,
  short_en       text NOT NULL,
  set_no         int UNIQUE CHECK (set_no BETWEEN 1 AND 26),
  ministry       text NOT NULL DEFAULT '',
  position       int NOT NULL,
  legal_basis    text NOT NULL,
  effective_from date NOT NULL,
  effective_to   date,
  suspended_by   text
);

-- What a set demands of trade, each rule with its source and its time.
CREATE TABLE category_rule (
  set_no         int NOT NULL REFERENCES category (set_no),
  rule           text NOT NULL CHECK (rule IN ('adults_only', 'no_cod', 'contact_only', 'no_parcel', 'not_a_medicine')),
  legal_basis    text NOT NULL,
  effective_from date NOT NULL,
  effective_to   date,
  suspended_by   text,
  PRIMARY KEY (set_no, rule, effective_from)
);

CREATE TABLE product (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug          text NOT NULL UNIQUE,
  producer_id   bigint NOT NULL REFERENCES producer (id),
  category_code text NOT NULL REFERENCES category (code),
  state         text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'archived')),
  eligibility   text NOT NULL DEFAULT 'speciality' CHECK (eligibility IN ('ocop', 'key_product', 'rural_industrial', 'speciality')),
  is_medicine   boolean NOT NULL DEFAULT false,
  province_code text NOT NULL REFERENCES geo_province (code),
  place_text    text NOT NULL DEFAULT '',
  old_province  text NOT NULL DEFAULT '',
  source_url    text NOT NULL DEFAULT '',
  import_key    text UNIQUE,
  is_demo       boolean NOT NULL DEFAULT false,
  published_at  timestamptz,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (state <> 'published' OR published_at IS NOT NULL)
);
CREATE INDEX product_producer ON product (producer_id) WHERE state = 'published';
CREATE INDEX product_category ON product (category_code) WHERE state = 'published';
CREATE INDEX product_province ON product (province_code) WHERE state = 'published';

CREATE TABLE product_text (
  product_id  bigint NOT NULL REFERENCES product (id),
  locale      text NOT NULL CHECK (locale IN ('vi', 'en')),
  name        text NOT NULL CHECK (name <> ''),
  summary     text NOT NULL DEFAULT '',
  story       text NOT NULL DEFAULT '',
  PRIMARY KEY (product_id, locale)
);

CREATE TABLE product_picture (
  product_id bigint NOT NULL REFERENCES product (id),
  position   int NOT NULL,
  asset_id   bigint NOT NULL REFERENCES media_asset (id),
  alt_vi     text NOT NULL DEFAULT '',
  alt_en     text NOT NULL DEFAULT '',
  PRIMARY KEY (product_id, position)
);

-- Facts that the label law asks for, by key (ingredients, storage, declaration_no …); see domain rules by set.
CREATE TABLE label_fact (
  product_id bigint NOT NULL REFERENCES product (id),
  locale     text NOT NULL CHECK (locale IN ('vi', 'en')),
  key        text NOT NULL,
  value      text NOT NULL CHECK (value <> ''),
  PRIMARY KEY (product_id, locale, key)
);

CREATE TABLE variant (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id   bigint NOT NULL REFERENCES product (id),
  sku          text NOT NULL UNIQUE CHECK (sku ~ '^[A-Z0-9][A-Z0-9.-]{0,39}$'),
  gtin         text UNIQUE CHECK (gtin ~ '^[0-9]{8}$|^[0-9]{12,14}$'),
  unit_vi      text NOT NULL,
  unit_en      text NOT NULL,
  net_amount   numeric(12, 3) CHECK (net_amount > 0),
  net_unit     text CHECK (net_unit IN ('g', 'ml', 'piece')),
  -- Gross weight and size of one parcel-ready piece, for the carrier's chargeable weight.
  weight_g     int CHECK (weight_g > 0),
  length_cm    int CHECK (length_cm > 0),
  width_cm     int CHECK (width_cm > 0),
  height_cm    int CHECK (height_cm > 0),
  price        bigint NOT NULL CHECK (price > 0),
  price_source text NOT NULL DEFAULT 'seller' CHECK (price_source IN ('seller', 'estimate')),
  position     int NOT NULL DEFAULT 0,
  state        text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'archived')),
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX variant_product ON variant (product_id, position) WHERE state = 'active';
CREATE INDEX variant_archived ON variant (id) WHERE state <> 'active';

CREATE TABLE price_change (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  variant_id bigint NOT NULL REFERENCES variant (id),
  price      bigint NOT NULL CHECK (price > 0),
  actor      text NOT NULL,
  at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX price_change_variant ON price_change (variant_id, at);
CREATE TRIGGER price_change_append_only BEFORE UPDATE OR DELETE ON price_change FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER price_change_no_truncate BEFORE TRUNCATE ON price_change EXECUTE FUNCTION append_only();
