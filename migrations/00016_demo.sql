-- +goose Up
-- Which version of the demo market was loaded in full, so that the next start need not look at every row.
CREATE TABLE demo_seed (
  version   text PRIMARY KEY,
  loaded_at timestamptz NOT NULL DEFAULT now()
);
