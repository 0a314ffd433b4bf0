-- +goose Up
CREATE TABLE cart (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  token_hash  bytea NOT NULL UNIQUE CHECK (octet_length(token_hash) = 32),
  created_at  timestamptz NOT NULL DEFAULT now(),
  updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX cart_updated ON cart (updated_at);

CREATE TABLE cart_line (
  cart_id    bigint NOT NULL REFERENCES cart (id) ON DELETE CASCADE,
  variant_id bigint NOT NULL REFERENCES variant (id),
  quantity   int NOT NULL CHECK (quantity BETWEEN 1 AND 999),
  -- The price the shopper saw when adding, so that a change can be said plainly.
  price_seen bigint NOT NULL CHECK (price_seen > 0),
  added_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (cart_id, variant_id)
);
