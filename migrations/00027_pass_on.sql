-- +goose Up
-- Where a seller's share was meant to go when it was paid, and since when its transfers may not be what they should: the
-- sweep brings them there, should the job have been lost.
ALTER TABLE payment
  ADD COLUMN pass_on_to text,
  ADD COLUMN pass_on_since timestamptz,
  ADD CONSTRAINT payment_passed_on_somewhere CHECK (pass_on_since IS NULL OR pass_on_to IS NOT NULL);
CREATE INDEX payment_pass_on ON payment (pass_on_since, id) WHERE pass_on_since IS NOT NULL;
CREATE INDEX refund_reversal_due ON refund (updated_at, id) WHERE reversal = 'due';

-- A share may be transferred again after a refund that had taken it back has failed.
ALTER TABLE transfer
  ADD COLUMN nth int NOT NULL DEFAULT 1 CHECK (nth > 0),
  DROP CONSTRAINT transfer_payment_id_key,
  ADD CONSTRAINT transfer_nth UNIQUE (payment_id, nth);
ALTER TABLE transfer ALTER COLUMN nth DROP DEFAULT;
UPDATE payment p SET pass_on_to = t.account_ref, pass_on_since = CASE WHEN t.state = 'due' THEN t.created_at END FROM transfer t WHERE t.payment_id = p.id;

-- What of a transfer goes back because of which refund; planned before the provider is asked.
CREATE TABLE transfer_reversal (
  refund_id   bigint NOT NULL REFERENCES refund (id),
  transfer_id bigint NOT NULL REFERENCES transfer (id),
  amount      bigint NOT NULL CHECK (amount > 0),
  done_at     timestamptz,
  PRIMARY KEY (refund_id, transfer_id)
);
CREATE INDEX transfer_reversal_transfer ON transfer_reversal (transfer_id);
INSERT INTO transfer_reversal (refund_id, transfer_id, amount, done_at)
  SELECT r.id, t.id, r.amount, r.updated_at FROM refund r JOIN transfer t ON t.payment_id = r.payment_id WHERE r.reversal = 'done';
