-- +goose Up
CREATE TABLE stock_location (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind        text NOT NULL CHECK (kind IN ('producer', 'showroom', 'booth', 'transit')),
  producer_id bigint UNIQUE REFERENCES producer (id),
  showroom_id bigint UNIQUE REFERENCES showroom (id),
  name        text NOT NULL,
  state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  CHECK (kind <> 'producer' OR producer_id IS NOT NULL),
  CHECK (kind <> 'showroom' OR showroom_id IS NOT NULL)
);

-- A lot is one production run of a variant. The tables below foresee it; goods without lots have NULL.
CREATE TABLE stock_lot (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  variant_id bigint NOT NULL REFERENCES variant (id),
  code       text NOT NULL,
  made_on    date,
  expires_on date,
  origin     text NOT NULL DEFAULT '',
  UNIQUE (variant_id, code)
);

-- Stock of one variant at one place, by lot and owner. The owner stands apart from the place:
-- goods on consignment belong to their producer until sold.
CREATE TABLE stock_level (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  variant_id  bigint NOT NULL REFERENCES variant (id),
  location_id bigint NOT NULL REFERENCES stock_location (id),
  lot_id      bigint REFERENCES stock_lot (id),
  owner_id    bigint NOT NULL REFERENCES producer (id),
  on_hand     bigint NOT NULL DEFAULT 0,
  reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
  -- That of the variant, which never changes: lists ask for products in stock.
  product_id  bigint NOT NULL,
  CONSTRAINT stock_level_key UNIQUE NULLS NOT DISTINCT (variant_id, location_id, lot_id, owner_id),
  CONSTRAINT stock_level_covers CHECK (on_hand - reserved >= 0)
);
CREATE INDEX stock_level_location ON stock_level (location_id, variant_id);
CREATE INDEX stock_level_product ON stock_level (product_id);
-- The few places from which nothing is sold online.
CREATE INDEX stock_location_elsewhere ON stock_location (id) WHERE kind <> 'producer' OR state <> 'open';

-- +goose StatementBegin
CREATE FUNCTION stock_level_product() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT v.product_id INTO NEW.product_id FROM variant v WHERE v.id = NEW.variant_id;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stock_level_product BEFORE INSERT OR UPDATE OF variant_id ON stock_level FOR EACH ROW EXECUTE FUNCTION stock_level_product();

-- Append-only ledger. The kind carries the direction; quantity is positive; delta is derived from both.
CREATE TABLE stock_movement (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  level_id    bigint NOT NULL REFERENCES stock_level (id),
  kind        text NOT NULL CHECK (kind IN ('receive', 'sell', 'return_in', 'adjust_up', 'adjust_down')),
  quantity    bigint NOT NULL CHECK (quantity > 0),
  delta       bigint NOT NULL GENERATED ALWAYS AS (CASE WHEN kind IN ('receive', 'return_in', 'adjust_up') THEN quantity ELSE -quantity END) STORED,
  cause       text NOT NULL,
  cause_id    text NOT NULL DEFAULT '',
  reason      text NOT NULL DEFAULT '',
  actor       text NOT NULL,
  -- The same request key posts once.
  request_key text UNIQUE,
  at          timestamptz NOT NULL DEFAULT now(),
  CHECK (kind NOT IN ('adjust_up', 'adjust_down') OR reason <> '')
);
CREATE INDEX stock_movement_level ON stock_movement (level_id, id);
CREATE TRIGGER stock_movement_append_only BEFORE UPDATE OR DELETE ON stock_movement FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER stock_movement_no_truncate BEFORE TRUNCATE ON stock_movement EXECUTE FUNCTION append_only();

-- A promise of stock to an order. Open rows are what stock_level.reserved sums; an open row past
-- expires_at no longer counts against buyers (the query leaves it out) until a job or a buyer tidies it.
CREATE TABLE stock_reservation (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  level_id   bigint NOT NULL REFERENCES stock_level (id),
  order_id   bigint NOT NULL,
  quantity   bigint NOT NULL CHECK (quantity > 0),
  state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'released', 'sold')),
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  closed_at  timestamptz,
  UNIQUE (order_id, level_id),
  CHECK ((state = 'open') = (closed_at IS NULL))
);
CREATE INDEX stock_reservation_open ON stock_reservation (level_id, expires_at) WHERE state = 'open';
CREATE INDEX stock_reservation_expiring ON stock_reservation (expires_at) WHERE state = 'open' AND expires_at IS NOT NULL;
