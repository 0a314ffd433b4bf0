-- +goose Up
-- What the sign-up page's box about letters said, until the account is there to remember it.
ALTER TABLE account_proof ADD COLUMN marketing boolean NOT NULL DEFAULT false;

-- How long who bought, and where it went, stays on a purchase whose account was left.
CREATE TABLE retention_rule (
  what           text NOT NULL CHECK (what IN ('purchase_contact')),
  years          int NOT NULL CHECK (years > 0),
  legal_basis    text NOT NULL,
  effective_from date NOT NULL,
  effective_to   date,
  PRIMARY KEY (what, effective_from),
  CHECK (effective_to >= effective_from)
);
INSERT INTO retention_rule (what, years, legal_basis, effective_from) VALUES
  ('purchase_contact', 3, 'Luật Thương mại điện tử 122/2025/QH15, Điều 16-17', '2026-07-01');
CREATE INDEX order_group_to_anonymise ON order_group (placed_at) WHERE account_id IS NOT NULL AND anonymised_at IS NULL;
