-- +goose Up
-- Who sells or shows the same goods elsewhere: a provincial portal, an app.
CREATE TABLE partner (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name       text NOT NULL CONSTRAINT partner_name_key UNIQUE CHECK (name <> ''),
  email      text NOT NULL CHECK (email <> ''),
  locale     text NOT NULL DEFAULT 'vi' CHECK (locale IN ('vi', 'en')),
  state      text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
  created_at timestamptz NOT NULL
);

-- A key is shown once; the table knows its beginning, for people, and its SHA-256.
CREATE TABLE partner_key (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  partner_id   bigint NOT NULL REFERENCES partner (id),
  prefix       text NOT NULL UNIQUE,
  hash         bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
  label        text NOT NULL DEFAULT '',
  scopes       text[] NOT NULL CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['orders:read', 'orders:write', 'webhooks:manage']),
  created_at   timestamptz NOT NULL,
  expires_at   timestamptz,
  last_used_at timestamptz,
  revoked_at   timestamptz
);
CREATE INDEX partner_key_partner ON partner_key (partner_id);

-- Where a partner wants to be told of what happens.
CREATE TABLE webhook_endpoint (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code          text NOT NULL UNIQUE,
  partner_id    bigint NOT NULL REFERENCES partner (id),
  url           text NOT NULL CHECK (url ~ '^https?://'),
  -- Sealed with AES-GCM: it has to sign, so a hash would not do.
  secret_sealed bytea NOT NULL,
  kinds         text[] NOT NULL CHECK (cardinality(kinds) > 0 AND kinds <@ ARRAY['order.placed', 'order.paid', 'order.packed', 'order.shipped',
    'order.delivered', 'order.cancelled', 'order.expired', 'order.refunded', 'stock.changed', 'price.changed', 'certificate.changed']),
  state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'removed')),
  paused_why    text NOT NULL DEFAULT '' CHECK (paused_why IN ('', 'asked', 'failing', 'gone')),
  -- Failures in a row and since when; a success sets both back.
  failures      int NOT NULL DEFAULT 0 CHECK (failures >= 0),
  failing_since timestamptz,
  -- One program at a time sends to an endpoint; its claim ends by itself should it die.
  busy_until    timestamptz,
  created_at    timestamptz NOT NULL,
  CHECK ((state = 'paused') = (paused_why <> '')),
  CHECK ((failures = 0) = (failing_since IS NULL))
);
CREATE INDEX webhook_endpoint_partner ON webhook_endpoint (partner_id, id);

-- What happened, once for all who listen.
CREATE TABLE webhook_notice (
  id         text PRIMARY KEY,
  kind       text NOT NULL,
  subject    text NOT NULL,
  payload    jsonb NOT NULL,
  -- Whose order it is; NULL where it concerns all partners.
  partner_id bigint REFERENCES partner (id),
  created_at timestamptz NOT NULL,
  CHECK ((partner_id IS NOT NULL) = (kind LIKE 'order.%'))
);
CREATE INDEX webhook_notice_created ON webhook_notice (created_at);

CREATE TABLE webhook_delivery (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  event_id    text NOT NULL REFERENCES webhook_notice (id),
  endpoint_id bigint NOT NULL REFERENCES webhook_endpoint (id),
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
  attempts    int NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  next_at     timestamptz,
  last_at     timestamptz,
  last_status int,
  last_answer text NOT NULL DEFAULT '',
  done_at     timestamptz,
  CONSTRAINT webhook_delivery_once UNIQUE (endpoint_id, event_id),
  CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
  CHECK ((state = 'done') = (done_at IS NOT NULL))
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_at) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_event ON webhook_delivery (event_id);
CREATE INDEX webhook_delivery_list ON webhook_delivery (endpoint_id, id DESC);

-- Every attempt. Nothing of it changes, and it goes only with its event, after thirty days.
CREATE TABLE webhook_attempt (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id bigint NOT NULL REFERENCES webhook_delivery (id),
  at          timestamptz NOT NULL,
  took_ms     int NOT NULL CHECK (took_ms >= 0),
  -- NULL where no answer came.
  status      int,
  answer      text NOT NULL
);
CREATE INDEX webhook_attempt_delivery ON webhook_attempt (delivery_id, id);
-- +goose StatementBegin
CREATE FUNCTION webhook_attempt_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.at < now() - interval '30 days' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'webhook_attempt is append-only' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'webhook_attempt_append_only';
END $$;
-- +goose StatementEnd
CREATE TRIGGER webhook_attempt_kept BEFORE UPDATE OR DELETE ON webhook_attempt FOR EACH ROW EXECUTE FUNCTION webhook_attempt_kept();
CREATE TRIGGER webhook_attempt_no_truncate BEFORE TRUNCATE ON webhook_attempt EXECUTE FUNCTION append_only();

-- Through whose key an order was placed; NULL for the shop itself.
ALTER TABLE order_group ADD COLUMN partner_id bigint REFERENCES partner (id);
CREATE INDEX order_group_partner ON order_group (partner_id, id) WHERE partner_id IS NOT NULL;

-- What partners were last told of a variant's stock, and how far the books were read for it.
CREATE TABLE stock_told (
  variant_id bigint PRIMARY KEY REFERENCES variant (id),
  available  bigint NOT NULL CHECK (available >= 0)
);
CREATE TABLE stock_told_mark (
  one            boolean PRIMARY KEY DEFAULT true CHECK (one),
  movement_id    bigint NOT NULL,
  reservation_id bigint NOT NULL,
  seen_at        timestamptz NOT NULL,
  full_at        timestamptz NOT NULL
);
CREATE INDEX stock_reservation_closed ON stock_reservation (closed_at) WHERE closed_at IS NOT NULL;

-- Up to which day partners were told of certificates that begin or end by date.
CREATE TABLE certificate_told (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  told_on date NOT NULL
);
