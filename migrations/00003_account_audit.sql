-- +goose Up
CREATE TABLE account (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email         text NOT NULL UNIQUE CHECK (email = lower(email)),
  name          text NOT NULL,
  phone         text,
  password_hash text NOT NULL,
  locale        text NOT NULL DEFAULT 'vi' CHECK (locale IN ('vi', 'en')),
  state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'closed')),
  is_demo       boolean NOT NULL DEFAULT false,
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- A role may be bound to one producer or sales point: scope names the kind, scope_id the record.
CREATE TABLE account_role (
  account_id bigint NOT NULL REFERENCES account (id),
  role       text NOT NULL CHECK (role IN ('admin', 'officer', 'producer', 'cashier')),
  scope      text NOT NULL DEFAULT '' CHECK (scope IN ('', 'province', 'producer', 'showroom')),
  scope_id   text NOT NULL DEFAULT '',
  PRIMARY KEY (account_id, role, scope, scope_id)
);

CREATE TABLE audit_event (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT now(),
  account_id bigint REFERENCES account (id),
  actor      text NOT NULL,
  action     text NOT NULL,
  subject    text NOT NULL,
  subject_id text NOT NULL,
  detail     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_event_subject ON audit_event (subject, subject_id, id);
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event EXECUTE FUNCTION append_only();
