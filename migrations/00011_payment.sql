-- +goose Up
-- One payment settles one order; payment does not know what an order is: reference is opaque text.
CREATE TABLE payment (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  reference    text NOT NULL UNIQUE,
  method       text NOT NULL CHECK (method IN ('cod', 'vietqr')),
  state        text NOT NULL CHECK (state IN ('expected', 'pending', 'paid', 'failed', 'cancelled', 'expired')),
  amount       bigint NOT NULL CHECK (amount > 0),
  captured     bigint NOT NULL DEFAULT 0 CHECK (captured >= 0 AND captured <= amount),
  -- VietQR: the seller's account as it was when the code was made.
  bank_bin     text,
  account_no   text,
  holder       text,
  is_test      boolean NOT NULL DEFAULT false,
  memo         text,
  payload      text,
  expires_at   timestamptz,
  created_at   timestamptz NOT NULL DEFAULT now(),
  updated_at   timestamptz NOT NULL DEFAULT now(),
  CHECK (method <> 'vietqr' OR (bank_bin IS NOT NULL AND account_no IS NOT NULL AND holder IS NOT NULL AND payload IS NOT NULL)),
  CHECK ((state = 'paid') = (captured = amount))
);

CREATE TABLE payment_event (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id bigint NOT NULL REFERENCES payment (id),
  from_state text NOT NULL,
  to_state   text NOT NULL,
  amount     bigint NOT NULL DEFAULT 0,
  actor      text NOT NULL,
  reason     text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_event_payment ON payment_event (payment_id, id);
CREATE TRIGGER payment_event_append_only BEFORE UPDATE OR DELETE ON payment_event FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER payment_event_no_truncate BEFORE TRUNCATE ON payment_event EXECUTE FUNCTION append_only();
