-- +goose Up
-- The shares that a page asks for: those whose attempt is that of the charge. An order that was called off before the
-- page was made is not on it. A fault keeps the charge for a person, such as a captured amount that is not the one asked.
ALTER TABLE payment ADD COLUMN page_attempt int;
ALTER TABLE charge ADD COLUMN fault text NOT NULL DEFAULT '';

-- What was asked under a request key, and whether the seller's part of it was taken back from the connected account.
ALTER TABLE refund
  ADD COLUMN request_print bytea NOT NULL DEFAULT '',
  ADD COLUMN reversal text NOT NULL DEFAULT '' CHECK (reversal IN ('', 'due', 'done'));

-- What was told and is not handled yet, should its job have been lost.
CREATE INDEX provider_notice_open ON provider_notice (received_at) WHERE handled_at IS NULL;
