-- +goose Up
-- That a producer is told how long its stars still count: once per certificate and mark, in days before the last one.
CREATE TABLE certificate_warning (
  certificate_id bigint NOT NULL REFERENCES certificate (id),
  mark           int NOT NULL CHECK (mark IN (180, 90, 30)),
  made_at        timestamptz NOT NULL,
  -- Told, or found to have nobody to tell.
  done_at        timestamptz,
  PRIMARY KEY (certificate_id, mark)
);
CREATE INDEX certificate_warning_open ON certificate_warning (certificate_id, mark) WHERE done_at IS NULL;
CREATE INDEX certificate_valid_to ON certificate (valid_to);
