-- +goose Up
-- What an officer puts down of a revocation: the ground as data/ground.csv of the certification package lists it, and the
-- number of the decision. Both are empty where a revocation was recorded before, or in words alone.
ALTER TABLE certificate
  ADD COLUMN revoked_ground text NOT NULL DEFAULT '' CHECK (length(revoked_ground) <= 40),
  ADD COLUMN revoked_no text NOT NULL DEFAULT '' CHECK (length(revoked_no) <= 100),
  ADD COLUMN revoked_by bigint REFERENCES account (id),
  ADD COLUMN revoked_at timestamptz,
  ADD CHECK (revoked_on IS NOT NULL OR revoked_ground = '' AND revoked_no = '' AND revoked_by IS NULL AND revoked_at IS NULL);
