-- +goose Up
-- A private paper: what a person sent as evidence. Unlike a picture of goods it has no public address; who may open it is
-- said by the record that holds it.
CREATE TABLE media_document (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key        text NOT NULL UNIQUE CHECK (key LIKE 'document/%'),
  name       text NOT NULL CHECK (name <> '' AND length(name) <= 120),
  mime       text NOT NULL CHECK (mime IN ('application/pdf', 'image/jpeg')),
  bytes      bigint NOT NULL CHECK (bytes > 0),
  account_id bigint NOT NULL REFERENCES account (id),
  created_at timestamptz NOT NULL
);
