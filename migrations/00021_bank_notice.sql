-- +goose Up
-- What a bank told about money that came into a seller's account. What came is never changed; what was decided about it
-- stands beside it, and every decision in bank_notice_history.
CREATE TABLE bank_notice (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  source         text NOT NULL CHECK (source <> ''),
  transaction_id text NOT NULL CHECK (length(transaction_id) BETWEEN 1 AND 100),
  account_no     text NOT NULL CHECK (account_no ~ '^[0-9A-Za-z]{1,30}$'),
  bank_bin       text CHECK (bank_bin ~ '^[0-9]{6}$'),
  amount         bigint NOT NULL CHECK (amount > 0),
  memo           text NOT NULL CHECK (length(memo) <= 1000),
  told_at        timestamptz NOT NULL,
  received_at    timestamptz NOT NULL,
  print          bytea NOT NULL CHECK (octet_length(print) = 32),
  -- The same transaction told again with another content is a row of its own, that points at the first.
  repeat_of      bigint REFERENCES bank_notice (id),
  state          text NOT NULL DEFAULT 'received' CHECK (state IN ('received', 'matched', 'unmatched', 'assigned', 'returned', 'dismissed')),
  reason         text NOT NULL DEFAULT '' CHECK (reason IN ('', 'no_code', 'unknown_code', 'several_codes', 'other_account', 'under', 'over',
                   'double', 'late', 'cancelled', 'not_a_transfer', 'other_content')),
  -- What the memo seems to mean, opaque as payment.reference is; empty where nothing was recognised.
  reference      text NOT NULL DEFAULT '',
  -- The payment that this money has settled: one money, one payment.
  payment_id     bigint UNIQUE REFERENCES payment (id),
  decided_by     text NOT NULL DEFAULT '',
  decided_at     timestamptz,
  note           text NOT NULL DEFAULT '',
  bank_ref       text NOT NULL DEFAULT '',
  CHECK ((state = 'received') = (decided_at IS NULL)),
  CHECK (state <> 'matched' OR (payment_id IS NOT NULL AND reason = '')),
  CHECK (state <> 'unmatched' OR reason <> ''),
  CHECK (state NOT IN ('dismissed', 'received') OR payment_id IS NULL),
  CHECK (state <> 'assigned' OR payment_id IS NOT NULL),
  CHECK (state <> 'returned' OR bank_ref <> ''),
  CHECK (state NOT IN ('assigned', 'dismissed') OR note <> ''),
  CHECK ((repeat_of IS NULL) = (reason <> 'other_content'))
);
CREATE UNIQUE INDEX bank_notice_once ON bank_notice (source, transaction_id) WHERE repeat_of IS NULL;
CREATE UNIQUE INDEX bank_notice_repeat_once ON bank_notice (source, transaction_id, print);
CREATE INDEX bank_notice_waiting ON bank_notice (id) WHERE state = 'received';
CREATE INDEX bank_notice_state ON bank_notice (state, id DESC);
CREATE INDEX bank_notice_account ON bank_notice (account_no, id DESC);
CREATE INDEX bank_notice_reference ON bank_notice (reference) WHERE state = 'unmatched' AND reference <> '';

-- What came stays as it came.
-- +goose StatementBegin
CREATE FUNCTION bank_notice_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.source, NEW.transaction_id, NEW.account_no, NEW.bank_bin, NEW.amount, NEW.memo, NEW.told_at, NEW.received_at, NEW.print, NEW.repeat_of)
     IS DISTINCT FROM (OLD.source, OLD.transaction_id, OLD.account_no, OLD.bank_bin, OLD.amount, OLD.memo, OLD.told_at, OLD.received_at, OLD.print, OLD.repeat_of) THEN
    RAISE EXCEPTION 'bank_notice % is kept as it came', OLD.id;
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER bank_notice_kept BEFORE UPDATE ON bank_notice FOR EACH ROW EXECUTE FUNCTION bank_notice_kept();
CREATE TRIGGER bank_notice_no_delete BEFORE DELETE ON bank_notice FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER bank_notice_no_truncate BEFORE TRUNCATE ON bank_notice EXECUTE FUNCTION append_only();

CREATE TABLE bank_notice_history (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  notice_id  bigint NOT NULL REFERENCES bank_notice (id),
  from_state text NOT NULL,
  to_state   text NOT NULL,
  reason     text NOT NULL DEFAULT '',
  reference  text NOT NULL DEFAULT '',
  payment_id bigint REFERENCES payment (id),
  actor      text NOT NULL,
  note       text NOT NULL DEFAULT '',
  bank_ref   text NOT NULL DEFAULT '',
  at         timestamptz NOT NULL
);
CREATE INDEX bank_notice_history_notice ON bank_notice_history (notice_id, id);
CREATE TRIGGER bank_notice_history_append_only BEFORE UPDATE OR DELETE ON bank_notice_history FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER bank_notice_history_no_truncate BEFORE TRUNCATE ON bank_notice_history EXECUTE FUNCTION append_only();

-- Money without a known order is looked for among the transfers into the same account.
CREATE INDEX payment_account ON payment (account_no, amount) WHERE method = 'vietqr';
