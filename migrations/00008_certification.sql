-- +goose Up
-- A decision that a product has earned its stars. Whether it counts today is computed from the dates, never stored.
CREATE TABLE certificate (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code          text NOT NULL UNIQUE,
  stars         int NOT NULL CHECK (stars BETWEEN 3 AND 5),
  decision_no   text NOT NULL DEFAULT '',
  level         text NOT NULL CHECK (level IN ('district', 'province', 'ministry')),
  issuer        text NOT NULL DEFAULT '',
  decided_on    date,
  decided_year  int NOT NULL CHECK (decided_year BETWEEN 2018 AND 2100),
  regime        text NOT NULL,
  valid_from    date NOT NULL,
  -- Last day on which it counts, inclusive, Asia/Ho_Chi_Minh. Where only the year is known it is the
  -- earliest end of the 36 months that the year allows.
  valid_to      date NOT NULL,
  revoked_on    date,
  revoked_why   text NOT NULL DEFAULT '',
  source_url    text NOT NULL DEFAULT '',
  note          text NOT NULL DEFAULT '',
  import_key    text UNIQUE,
  created_at    timestamptz NOT NULL DEFAULT now(),
  CHECK (valid_to >= valid_from),
  CHECK (decided_on IS NULL OR extract(year FROM decided_on) = decided_year),
  CHECK ((revoked_on IS NULL) = (revoked_why = ''))
);

CREATE TABLE certificate_product (
  certificate_id bigint NOT NULL REFERENCES certificate (id),
  product_id     bigint NOT NULL REFERENCES product (id),
  -- Copies from the certificate, so that lists compare the days without joining it. valid_to is the last day before a revocation.
  stars          int NOT NULL,
  valid_from     date NOT NULL,
  valid_to       date NOT NULL,
  PRIMARY KEY (certificate_id, product_id)
);
CREATE INDEX certificate_product_product ON certificate_product (product_id, certificate_id);

-- The certificate is locked while a product is tied to it: a revocation on its way is waited for, so no copy can be older.
-- +goose StatementBegin
CREATE FUNCTION certificate_product_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT c.stars, c.valid_from, least(c.valid_to, c.revoked_on - 1) INTO NEW.stars, NEW.valid_from, NEW.valid_to
  FROM certificate c WHERE c.id = NEW.certificate_id FOR SHARE;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER certificate_product_copy BEFORE INSERT ON certificate_product FOR EACH ROW EXECUTE FUNCTION certificate_product_copy();

-- +goose StatementBegin
CREATE FUNCTION certificate_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE certificate_product SET stars = NEW.stars, valid_from = NEW.valid_from, valid_to = least(NEW.valid_to, NEW.revoked_on - 1)
  WHERE certificate_id = NEW.id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER certificate_changed AFTER UPDATE OF stars, valid_from, valid_to, revoked_on ON certificate FOR EACH ROW EXECUTE FUNCTION certificate_changed();
