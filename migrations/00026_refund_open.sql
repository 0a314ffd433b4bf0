-- +goose Up
-- A refund that the provider refused waits for a person, until another takes its place (retry_of, at most one) or somebody
-- says that nothing more is owed (left_at).
ALTER TABLE refund
  ADD COLUMN retry_of bigint UNIQUE REFERENCES refund (id),
  ADD COLUMN left_at timestamptz,
  ADD CONSTRAINT refund_retries_another CHECK (retry_of <> id),
  ADD CONSTRAINT refund_left_only_when_failed CHECK (left_at IS NULL OR state = 'failed');
CREATE INDEX refund_failed ON refund (id) WHERE state = 'failed' AND left_at IS NULL;
