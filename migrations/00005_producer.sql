-- +goose Up
CREATE TABLE bank (
  bin           text PRIMARY KEY CHECK (bin ~ '^[0-9]{6}$'),
  short_name    text NOT NULL,
  name          text NOT NULL,
  can_transfer  boolean NOT NULL
);

CREATE TABLE producer (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  slug          text NOT NULL UNIQUE,
  name          text NOT NULL CHECK (name <> ''),
  -- The source names no producer for some goods; such a row stands for "not known" in its province.
  name_known    boolean NOT NULL DEFAULT true,
  kind          text CHECK (kind IN ('company', 'cooperative', 'cooperative_group', 'household')),
  province_code text NOT NULL REFERENCES geo_province (code),
  commune_code  text REFERENCES geo_commune (code),
  place_text    text NOT NULL DEFAULT '',
  old_province  text NOT NULL DEFAULT '',
  tax_code      text,
  phone         text,
  email         text,
  state         text NOT NULL DEFAULT 'verified' CHECK (state IN ('draft', 'submitted', 'needs_more', 'verified', 'suspended', 'closed')),
  is_demo       boolean NOT NULL DEFAULT false,
  import_key    text UNIQUE,
  created_at    timestamptz NOT NULL DEFAULT now(),
  updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX producer_province ON producer (province_code);
CREATE INDEX producer_name_trgm ON producer USING gin (vn_fold(name) gin_trgm_ops);

CREATE TABLE producer_text (
  producer_id bigint NOT NULL REFERENCES producer (id),
  locale      text NOT NULL CHECK (locale IN ('vi', 'en')),
  name        text NOT NULL DEFAULT '',
  story       text NOT NULL DEFAULT '',
  PRIMARY KEY (producer_id, locale)
);

CREATE TABLE producer_bank_account (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  producer_id bigint NOT NULL REFERENCES producer (id),
  bank_bin    text NOT NULL REFERENCES bank (bin),
  account_no  text NOT NULL CHECK (account_no ~ '^[0-9A-Za-z]{1,19}$'),
  holder      text NOT NULL,
  -- Accounts of the demo market are marked; nobody may mistake them for real ones.
  is_test     boolean NOT NULL DEFAULT false,
  closed_at   timestamptz,
  created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX producer_bank_account_current ON producer_bank_account (producer_id) WHERE closed_at IS NULL;
