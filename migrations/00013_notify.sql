-- +goose Up
-- What was told to whom; a mail is rendered and sent by a job, once per request key.
CREATE TABLE message (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_key text NOT NULL UNIQUE,
  kind        text NOT NULL,
  recipient   text NOT NULL,
  locale      text NOT NULL CHECK (locale IN ('vi', 'en')),
  subject     text NOT NULL,
  text_body   text NOT NULL,
  html_body   text NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  sent_at     timestamptz
);
