-- +goose Up
-- One account for staff and shoppers; a shopper has no role. Whoever signs in does so by an e-mail or a phone number that
-- they have proven to be theirs. The accounts of staff count as proven: an administrator made them.
ALTER TABLE account ALTER COLUMN email DROP NOT NULL;
ALTER TABLE account ADD COLUMN email_proven_at timestamptz;
ALTER TABLE account ADD COLUMN phone_proven_at timestamptz;
-- Every session carries the epoch in which it began; a new password starts a new one, and so ends all other sessions.
ALTER TABLE account ADD COLUMN session_epoch int NOT NULL DEFAULT 0;
-- When its owner had it closed; then nothing in the row says who that was.
ALTER TABLE account ADD COLUMN anonymised_at timestamptz;
UPDATE account SET email_proven_at = created_at;
ALTER TABLE account ADD CONSTRAINT account_email_proven CHECK ((email IS NULL) = (email_proven_at IS NULL));
ALTER TABLE account ADD CONSTRAINT account_phone_proven CHECK (phone_proven_at IS NULL OR phone ~ '^\+84[0-9]{9,10}$');
ALTER TABLE account ADD CONSTRAINT account_reachable CHECK (state = 'closed' OR email IS NOT NULL OR phone_proven_at IS NOT NULL);
ALTER TABLE account ADD CONSTRAINT account_anonymous CHECK (anonymised_at IS NULL
  OR state = 'closed' AND email IS NULL AND phone IS NULL AND name = '' AND password_hash = '');
CREATE UNIQUE INDEX account_phone_key ON account (phone) WHERE phone_proven_at IS NOT NULL;

-- Something that waits for the proof that a phone number or an e-mail belongs to whoever typed it. The code and the link
-- are derived from the program's secret and the row, so the table holds nothing that could be typed in.
CREATE TABLE account_proof (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The page of the one who asks carries the handle; without it nobody can use up the attempts of another.
  handle_hash   bytea NOT NULL UNIQUE CHECK (octet_length(handle_hash) = 32),
  purpose       text NOT NULL CHECK (purpose IN ('sign_up', 'reset', 'contact')),
  channel       text NOT NULL CHECK (channel IN ('phone', 'email')),
  identifier    text NOT NULL,
  -- Whose password or contact it changes; for a sign-up, the account that already has the identifier. A row that cannot
  -- succeed looks to the one who asks like any other.
  account_id    bigint REFERENCES account (id),
  name          text NOT NULL DEFAULT '',
  password_hash text NOT NULL DEFAULT '',
  locale        text NOT NULL CHECK (locale IN ('vi', 'en')),
  attempts      int NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 5),
  created_at    timestamptz NOT NULL,
  code_until    timestamptz NOT NULL,
  link_until    timestamptz NOT NULL,
  used_at       timestamptz,
  CHECK (purpose <> 'contact' OR account_id IS NOT NULL),
  CHECK (link_until >= code_until AND code_until > created_at)
);
CREATE INDEX account_proof_identifier ON account_proof (identifier, created_at);
CREATE INDEX account_proof_created ON account_proof (created_at);
CREATE INDEX account_proof_account ON account_proof (account_id);

CREATE TABLE shopper_address (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id    bigint NOT NULL REFERENCES account (id),
  name          text NOT NULL CHECK (name <> ''),
  phone         text NOT NULL CHECK (phone ~ '^\+84[0-9]{9,10}$'),
  province_code text NOT NULL REFERENCES geo_province (code),
  commune_code  text NOT NULL REFERENCES geo_commune (code),
  street        text NOT NULL CHECK (street <> ''),
  is_default    boolean NOT NULL DEFAULT false,
  created_at    timestamptz NOT NULL
);
CREATE INDEX shopper_address_account ON shopper_address (account_id, id);
CREATE UNIQUE INDEX shopper_address_default ON shopper_address (account_id) WHERE is_default;

CREATE TABLE wish (
  account_id bigint NOT NULL REFERENCES account (id),
  product_id bigint NOT NULL REFERENCES product (id),
  added_at   timestamptz NOT NULL,
  PRIMARY KEY (account_id, product_id)
);
CREATE INDEX wish_product ON wish (product_id);

-- What an account agreed to or took back, beside the boxes of its purchases (table consent). The last word counts.
CREATE TABLE account_consent (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id   bigint NOT NULL REFERENCES account (id),
  purpose      text NOT NULL CHECK (purpose IN ('terms', 'marketing_email')),
  text_version text NOT NULL,
  given        boolean NOT NULL,
  at           timestamptz NOT NULL
);
CREATE INDEX account_consent_account ON account_consent (account_id, id);
CREATE TRIGGER account_consent_append_only BEFORE UPDATE OR DELETE ON account_consent FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER account_consent_no_truncate BEFORE TRUNCATE ON account_consent EXECUTE FUNCTION append_only();

-- Passkeys (WebAuthn credentials): the public half of a key that never leaves its device.
CREATE TABLE passkey (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account_id    bigint NOT NULL REFERENCES account (id),
  credential_id bytea NOT NULL UNIQUE,
  credential    jsonb NOT NULL,
  name          text NOT NULL,
  created_at    timestamptz NOT NULL,
  used_at       timestamptz
);
CREATE INDEX passkey_account ON passkey (account_id, id);

-- An account has one basket. Its token is derived from the row's turn, so that every device of the account finds it; a
-- new turn takes it away from devices that are signed out from afar.
ALTER TABLE cart ADD COLUMN account_id bigint UNIQUE REFERENCES account (id);
ALTER TABLE cart ADD COLUMN turn int NOT NULL DEFAULT 0;

-- Purchases of people who were signed in, or who have proven since that the contact is theirs.
ALTER TABLE order_group ADD COLUMN account_id bigint REFERENCES account (id);
CREATE INDEX order_group_account ON order_group (account_id, id) WHERE account_id IS NOT NULL;
CREATE INDEX order_group_unclaimed_phone ON order_group (contact_phone) WHERE account_id IS NULL;
CREATE INDEX order_group_unclaimed_email ON order_group (lower(contact_email)) WHERE account_id IS NULL AND contact_email <> '';
-- Of an anonymised purchase only the books stay: codes, lines, amounts, the province, and an invoice's names.
ALTER TABLE order_group ADD COLUMN anonymised_at timestamptz;
ALTER TABLE order_group DROP CONSTRAINT order_group_contact_phone_check;
ALTER TABLE order_group ADD CONSTRAINT order_group_contact_phone_check CHECK (contact_phone ~ '^\+84[0-9]{9,10}$' OR anonymised_at IS NOT NULL);
ALTER TABLE order_group ADD CONSTRAINT order_group_anonymous CHECK (anonymised_at IS NULL
  OR contact_name = '' AND contact_phone = '' AND contact_email = '' AND street = '' AND note = '');
