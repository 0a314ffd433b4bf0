-- +goose Up
-- A charge is one card payment of a whole purchase at a provider. Its shares are the payments of the orders, so that
-- what is captured, given back and owed is known per order. reference is opaque: the code of the purchase.
CREATE TABLE charge (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reference       text NOT NULL UNIQUE,
  provider        text NOT NULL CHECK (provider IN ('stripe', 'test')),
  state           text NOT NULL CHECK (state IN ('open', 'paid', 'closed')),
  amount          bigint NOT NULL CHECK (amount > 0),
  -- The page at the provider on which the buyer pays; attempt counts the pages, and is part of the provider's request key.
  attempt         int NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  page_ref        text UNIQUE,
  page_url        text,
  page_expires_at timestamptz,
  -- What the provider calls the money itself, once it has it; money is given back against this.
  money_ref       text UNIQUE,
  expires_at      timestamptz NOT NULL,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  CHECK ((page_ref IS NULL) = (page_url IS NULL)),
  CHECK (state <> 'paid' OR money_ref IS NOT NULL)
);
-- Charges whose provider must be asked, should its notice have been lost.
CREATE INDEX charge_open ON charge (updated_at) WHERE state = 'open';

ALTER TABLE payment
  DROP CONSTRAINT payment_method_check,
  DROP CONSTRAINT payment_state_check,
  DROP CONSTRAINT payment_check2,
  ADD COLUMN charge_id bigint REFERENCES charge (id),
  ADD COLUMN refunded bigint NOT NULL DEFAULT 0;
-- Cash has words of its own: collected by the carrier, then remitted to the seller.
INSERT INTO payment_event (payment_id, from_state, to_state, amount, actor, at)
  SELECT id, 'paid', 'collected', 0, 'system', updated_at FROM payment WHERE method = 'cod' AND state = 'paid';
UPDATE payment SET state = 'collected' WHERE method = 'cod' AND state = 'paid';
ALTER TABLE payment
  ADD CONSTRAINT payment_method_check CHECK (method IN ('cod', 'vietqr', 'card')),
  ADD CONSTRAINT payment_state_check CHECK (state IN ('expected', 'pending', 'paid', 'collected', 'remitted', 'failed', 'cancelled', 'expired')),
  ADD CONSTRAINT payment_captured_whole CHECK ((state IN ('paid', 'collected', 'remitted')) = (captured = amount)),
  ADD CONSTRAINT payment_words_of_cash CHECK ((method = 'cod') = (state IN ('expected', 'collected', 'remitted', 'failed')) OR state = 'cancelled'),
  ADD CONSTRAINT payment_share_of_charge CHECK ((method = 'card') = (charge_id IS NOT NULL)),
  ADD CONSTRAINT payment_refunded_at_most_captured CHECK (refunded >= 0 AND refunded <= captured);
CREATE INDEX payment_charge ON payment (charge_id) WHERE charge_id IS NOT NULL;

-- Money on its way back. What is due counts against the payment at once, so that two refunds at the same moment never
-- give back more than was captured; one that failed counts no longer.
CREATE TABLE refund (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id   bigint NOT NULL REFERENCES payment (id),
  request_key  text NOT NULL UNIQUE,
  amount       bigint NOT NULL CHECK (amount > 0),
  -- provider: sent through the gateway by a job. hand: the seller sends it, and says with which bank reference.
  way          text NOT NULL CHECK (way IN ('provider', 'hand')),
  state        text NOT NULL CHECK (state IN ('due', 'sent', 'done', 'failed')),
  provider_ref text UNIQUE,
  bank_ref     text NOT NULL DEFAULT '',
  reason       text NOT NULL,
  actor        text NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  CHECK (way = 'provider' OR state <> 'done' OR bank_ref <> ''),
  CHECK (way = 'provider' OR (state <> 'sent' AND provider_ref IS NULL))
);
CREATE INDEX refund_payment ON refund (payment_id, id);
CREATE INDEX refund_open ON refund (updated_at) WHERE state IN ('due', 'sent');

CREATE TABLE refund_history (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  refund_id  bigint NOT NULL REFERENCES refund (id),
  from_state text NOT NULL,
  to_state   text NOT NULL,
  actor      text NOT NULL,
  reason     text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL
);
CREATE INDEX refund_history_refund ON refund_history (refund_id, id);
CREATE TRIGGER refund_history_append_only BEFORE UPDATE OR DELETE ON refund_history FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER refund_history_no_truncate BEFORE TRUNCATE ON refund_history EXECUTE FUNCTION append_only();

-- A buyer's bank asks the money back through the provider.
CREATE TABLE dispute (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  charge_id    bigint NOT NULL REFERENCES charge (id),
  provider_ref text NOT NULL UNIQUE,
  amount       bigint NOT NULL CHECK (amount > 0),
  reason       text NOT NULL,
  state        text NOT NULL CHECK (state IN ('open', 'answered', 'won', 'lost')),
  answer_by    timestamptz,
  opened_at    timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL
);
CREATE INDEX dispute_charge ON dispute (charge_id);

-- What a provider told, once per its own id. It says only where to look: the provider is asked how things stand.
CREATE TABLE provider_notice (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  provider    text NOT NULL CHECK (provider IN ('stripe', 'test')),
  notice_id   text NOT NULL,
  kind        text NOT NULL,
  ref         text NOT NULL,
  told_at     timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  handled_at  timestamptz,
  outcome     text NOT NULL DEFAULT '',
  UNIQUE (provider, notice_id)
);

-- Sellers' connected accounts at the provider, and the share of a charge that went to each. seller is opaque.
CREATE TABLE payee (
  seller      text PRIMARY KEY,
  provider    text NOT NULL CHECK (provider IN ('stripe', 'test')),
  account_ref text NOT NULL,
  updated_at  timestamptz NOT NULL
);
CREATE TABLE transfer (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id   bigint NOT NULL UNIQUE REFERENCES payment (id),
  account_ref  text NOT NULL,
  amount       bigint NOT NULL CHECK (amount > 0),
  reversed     bigint NOT NULL DEFAULT 0 CHECK (reversed >= 0 AND reversed <= amount),
  state        text NOT NULL CHECK (state IN ('due', 'done')),
  provider_ref text UNIQUE,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  CHECK ((state = 'done') = (provider_ref IS NOT NULL))
);
CREATE INDEX transfer_due ON transfer (id) WHERE state = 'due';

ALTER TABLE order_group DROP CONSTRAINT order_group_method_check,
  ADD CONSTRAINT order_group_method_check CHECK (method IN ('cod', 'vietqr', 'card'));

-- A parcel that the buyer did not take comes back.
ALTER TABLE orders DROP CONSTRAINT orders_state_check,
  ADD CONSTRAINT orders_state_check CHECK (state IN ('awaiting_payment', 'placed', 'packed', 'shipped', 'delivered', 'returned', 'cancelled', 'expired')),
  ADD COLUMN refunded_shipping bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT orders_refunded_shipping CHECK (refunded_shipping >= 0 AND refunded_shipping <= shipping_total);

-- What of a line was given back, in pieces and in đồng: never more than was bought and paid for it (line less its discounts).
ALTER TABLE order_line
  ADD COLUMN refunded_quantity int NOT NULL DEFAULT 0,
  ADD COLUMN refunded bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT order_line_refunded CHECK (refunded_quantity >= 0 AND refunded_quantity <= quantity AND refunded >= 0 AND refunded <= line_total);

-- What a refund is made of; line_id is null for shipping.
CREATE TABLE order_refund (
  id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  refund_id bigint NOT NULL REFERENCES refund (id),
  order_id  bigint NOT NULL REFERENCES orders (id),
  line_id   bigint REFERENCES order_line (id),
  quantity  int NOT NULL DEFAULT 0 CHECK (quantity >= 0),
  amount    bigint NOT NULL CHECK (amount >= 0),
  UNIQUE NULLS NOT DISTINCT (refund_id, line_id)
);
CREATE INDEX order_refund_order ON order_refund (order_id);
