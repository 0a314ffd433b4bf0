-- +goose Up
CREATE TABLE carrier (
  code    text PRIMARY KEY,
  name    text NOT NULL,
  name_en text NOT NULL,
  -- Divisor of L×W×H in cm³ to chargeable kg.
  divisor int NOT NULL CHECK (divisor > 0),
  -- The heaviest parcel it takes, and the most cash it collects at a door, both of its own terms.
  max_g   int NOT NULL DEFAULT 200000 CHECK (max_g > 0),
  cod_max bigint NOT NULL DEFAULT 20000000 CHECK (cod_max > 0)
);

-- Table rates by zone and chargeable weight; dated rows, never changed once used.
CREATE TABLE shipping_rate (
  carrier_code   text NOT NULL REFERENCES carrier (code),
  zone           text NOT NULL CHECK (zone IN ('province', 'region', 'country')),
  up_to_g        int NOT NULL CHECK (up_to_g > 0),
  price          bigint NOT NULL CHECK (price >= 0),
  -- Above the last step, each further started 500 g costs this much.
  extra_per_500g bigint NOT NULL DEFAULT 0 CHECK (extra_per_500g >= 0),
  days_min       int NOT NULL,
  days_max       int NOT NULL CHECK (days_max >= days_min),
  effective_from date NOT NULL,
  effective_to   date,
  PRIMARY KEY (carrier_code, zone, up_to_g, effective_from)
);

CREATE TABLE order_group (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code            text NOT NULL UNIQUE,
  -- The status page opens only with the secret that was shown and mailed to the buyer.
  secret_hash     bytea NOT NULL CHECK (octet_length(secret_hash) = 32),
  request_key     text NOT NULL CONSTRAINT order_group_request_key UNIQUE,
  request_print   bytea NOT NULL,
  locale          text NOT NULL CHECK (locale IN ('vi', 'en')),
  contact_name    text NOT NULL,
  contact_phone   text NOT NULL CHECK (contact_phone ~ '^\+84[0-9]{9,10}$'),
  contact_email   text NOT NULL DEFAULT '',
  province_code   text NOT NULL REFERENCES geo_province (code),
  commune_code    text NOT NULL REFERENCES geo_commune (code),
  street          text NOT NULL,
  method          text NOT NULL CHECK (method IN ('cod', 'vietqr')),
  note            text NOT NULL DEFAULT '',
  invoice_company text NOT NULL DEFAULT '',
  invoice_tax_code text NOT NULL DEFAULT '',
  invoice_address text NOT NULL DEFAULT '',
  total           bigint NOT NULL CHECK (total > 0),
  placed_at       timestamptz NOT NULL
);
-- How many purchases in cash a phone number has lately made.
CREATE INDEX order_group_cash ON order_group (contact_phone, placed_at) WHERE method = 'cod';

CREATE TABLE orders (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_id        bigint NOT NULL REFERENCES order_group (id),
  producer_id     bigint NOT NULL REFERENCES producer (id),
  location_id     bigint NOT NULL REFERENCES stock_location (id),
  code            text NOT NULL UNIQUE,
  -- Gap-free per year, drawn from order_counter in the transaction that commits the order.
  number_year     int NOT NULL,
  number_seq      bigint NOT NULL,
  state           text NOT NULL CHECK (state IN ('awaiting_payment', 'placed', 'packed', 'shipped', 'delivered', 'cancelled', 'expired')),
  goods_total     bigint NOT NULL CHECK (goods_total > 0),
  shipping_total  bigint NOT NULL CHECK (shipping_total >= 0),
  discount_total  bigint NOT NULL DEFAULT 0 CHECK (discount_total >= 0),
  total           bigint NOT NULL CHECK (total > 0),
  delivery        text NOT NULL CHECK (delivery IN ('carrier', 'pickup')),
  carrier_code    text REFERENCES carrier (code),
  showroom_id     bigint REFERENCES showroom (id),
  chargeable_g    int NOT NULL DEFAULT 0,
  payment_id      bigint NOT NULL UNIQUE REFERENCES payment (id),
  pay_before      timestamptz,
  channel         text NOT NULL DEFAULT 'web',
  updated_at      timestamptz NOT NULL,
  UNIQUE (number_year, number_seq),
  UNIQUE (group_id, producer_id),
  CHECK (total = goods_total + shipping_total - discount_total),
  CHECK ((delivery = 'carrier') = (carrier_code IS NOT NULL)),
  CHECK ((delivery = 'pickup') = (showroom_id IS NOT NULL))
);
CREATE INDEX orders_producer ON orders (producer_id, id DESC);
CREATE INDEX orders_due ON orders (pay_before) WHERE state = 'awaiting_payment';
ALTER TABLE stock_reservation ADD FOREIGN KEY (order_id) REFERENCES orders (id) DEFERRABLE INITIALLY DEFERRED;

CREATE TABLE order_line (
  id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id         bigint NOT NULL REFERENCES orders (id),
  variant_id       bigint NOT NULL REFERENCES variant (id),
  product_id       bigint NOT NULL REFERENCES product (id),
  sku              text NOT NULL,
  name_vi          text NOT NULL,
  name_en          text NOT NULL,
  unit_vi          text NOT NULL,
  unit_en          text NOT NULL,
  quantity         int NOT NULL CHECK (quantity > 0),
  unit_price       bigint NOT NULL CHECK (unit_price > 0),
  line_total       bigint NOT NULL CHECK (line_total = unit_price * quantity),
  -- What was valid at the sale stays on the line, whatever happens to the certificate later.
  stars            int CHECK (stars BETWEEN 3 AND 5),
  certificate_code text,
  decision_no      text,
  UNIQUE (order_id, variant_id),
  CHECK ((stars IS NULL) = (certificate_code IS NULL))
);

-- Every đồng of a discount is explained by the price rule that gave it.
CREATE TABLE order_adjustment (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id   bigint NOT NULL REFERENCES orders (id),
  variant_id bigint NOT NULL REFERENCES variant (id),
  rule       text NOT NULL,
  text_key   text NOT NULL,
  text_args  jsonb NOT NULL DEFAULT '{}',
  amount     bigint NOT NULL CHECK (amount > 0)
);
CREATE INDEX order_adjustment_order ON order_adjustment (order_id);

CREATE TABLE order_history (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  order_id   bigint NOT NULL REFERENCES orders (id),
  from_state text NOT NULL,
  to_state   text NOT NULL,
  actor      text NOT NULL,
  reason     text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL
);
CREATE INDEX order_history_order ON order_history (order_id, id);
CREATE TRIGGER order_history_append_only BEFORE UPDATE OR DELETE ON order_history FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER order_history_no_truncate BEFORE TRUNCATE ON order_history EXECUTE FUNCTION append_only();

CREATE TABLE order_counter (
  year int PRIMARY KEY,
  last bigint NOT NULL CHECK (last >= 0)
);

CREATE TABLE consent (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  group_id     bigint NOT NULL REFERENCES order_group (id),
  purpose      text NOT NULL CHECK (purpose IN ('terms', 'age_18', 'marketing_email')),
  text_version text NOT NULL,
  given        boolean NOT NULL,
  at           timestamptz NOT NULL,
  UNIQUE (group_id, purpose)
);
CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON consent FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON consent EXECUTE FUNCTION append_only();
