-- +goose Up
-- The contact that the account had before this proof, while its owner is told there.
ALTER TABLE account_proof ADD COLUMN told_to text NOT NULL DEFAULT '';

-- What was sent to a person, for their copy of their data and to forget it.
CREATE INDEX message_recipient ON message (lower(recipient));
