-- +goose Up
-- A star decision that somebody sent in. Officers compare it with the paper; only one that is confirmed becomes a certificate.
CREATE TABLE certificate_request (
  id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_key text NOT NULL UNIQUE,
  producer_id bigint NOT NULL REFERENCES producer (id),
  stars       int NOT NULL CHECK (stars BETWEEN 3 AND 5),
  decision_no text NOT NULL CHECK (decision_no <> '' AND length(decision_no) <= 100),
  level       text NOT NULL CHECK (level IN ('district', 'province', 'ministry')),
  issuer      text NOT NULL CHECK (issuer <> '' AND length(issuer) <= 200),
  decided_on  date NOT NULL CHECK (decided_on >= '2018-01-01'),
  -- The 36 months of the regime, worked out when it was sent.
  valid_to    date NOT NULL,
  regime      text NOT NULL CHECK (regime <> ''),
  document_id bigint NOT NULL REFERENCES media_document (id),
  note        text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
  state       text NOT NULL CHECK (state IN ('entered', 'returned', 'confirmed', 'refused', 'withdrawn')),
  -- One more with every change of what was sent: who decides says which version they saw.
  version     int NOT NULL DEFAULT 1,
  entered_by  bigint NOT NULL REFERENCES account (id),
  entered_at  timestamptz NOT NULL,
  edited_by   bigint NOT NULL REFERENCES account (id),
  edited_at   timestamptz NOT NULL,
  due_on      date NOT NULL,
  assigned_to bigint REFERENCES account (id),
  decided_by  bigint REFERENCES account (id),
  decided_at  timestamptz,
  reason      text NOT NULL DEFAULT '' CHECK (length(reason) <= 1000),
  CHECK (valid_to > decided_on),
  -- Who enters does not confirm, and who changed it last does not either.
  CONSTRAINT certificate_request_two_people CHECK (decided_by IS NULL OR decided_by <> entered_by AND decided_by <> edited_by),
  CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
  CHECK ((state IN ('returned', 'confirmed', 'refused')) = (decided_by IS NOT NULL)),
  CHECK (state NOT IN ('returned', 'refused') OR reason <> '')
);
CREATE INDEX certificate_request_open ON certificate_request (due_on, id) WHERE state = 'entered';
CREATE INDEX certificate_request_producer ON certificate_request (producer_id, id);
CREATE INDEX certificate_request_document ON certificate_request (document_id);

-- Nobody who works for the producer decides about it, what is decided stays, and states follow one another as the domain says.
-- +goose StatementBegin
CREATE FUNCTION certificate_request_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.decided_by IS NOT NULL AND EXISTS (SELECT FROM account_role r WHERE r.account_id = NEW.decided_by AND r.role = 'producer'
      AND r.scope = 'producer' AND r.scope_id = NEW.producer_id::text) THEN
    RAISE EXCEPTION 'somebody of the producer decides' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_request_stranger';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'entered' THEN
      RAISE EXCEPTION 'a request begins as entered' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_request_steps';
    END IF;
    RETURN NEW;
  END IF;
  IF OLD.state IN ('confirmed', 'refused', 'withdrawn') AND ROW(NEW.*) IS DISTINCT FROM ROW(OLD.*) THEN
    RAISE EXCEPTION 'what is decided stays' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_request_final';
  END IF;
  IF NEW.entered_by <> OLD.entered_by OR NEW.producer_id <> OLD.producer_id
      OR OLD.state = 'returned' AND NEW.state NOT IN ('returned', 'entered', 'withdrawn') THEN
    RAISE EXCEPTION 'no such step' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_request_steps';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER certificate_request_guard BEFORE INSERT OR UPDATE ON certificate_request FOR EACH ROW EXECUTE FUNCTION certificate_request_guard();

-- The products that a decision names, all of one producer.
CREATE TABLE certificate_request_product (
  request_id   bigint NOT NULL REFERENCES certificate_request (id),
  product_id   bigint NOT NULL REFERENCES product (id),
  product_code text NOT NULL DEFAULT '' CHECK (length(product_code) <= 60),
  PRIMARY KEY (request_id, product_id)
);
CREATE INDEX certificate_request_product_product ON certificate_request_product (product_id);

-- +goose StatementBegin
CREATE FUNCTION certificate_request_product_own() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  held text;
BEGIN
  SELECT state INTO held FROM certificate_request WHERE id = coalesce(NEW.request_id, OLD.request_id) FOR UPDATE;
  IF held IN ('confirmed', 'refused', 'withdrawn') THEN
    RAISE EXCEPTION 'what is decided stays' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_request_final';
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF NOT EXISTS (SELECT FROM product p JOIN certificate_request r ON r.producer_id = p.producer_id WHERE p.id = NEW.product_id AND r.id = NEW.request_id) THEN
    RAISE EXCEPTION 'a product of another producer' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_request_product_own';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER certificate_request_product_own BEFORE INSERT OR UPDATE OR DELETE ON certificate_request_product FOR EACH ROW EXECUTE FUNCTION certificate_request_product_own();

CREATE TABLE certificate_request_history (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id bigint NOT NULL REFERENCES certificate_request (id),
  at         timestamptz NOT NULL,
  account_id bigint NOT NULL REFERENCES account (id),
  what       text NOT NULL CHECK (what IN ('entered', 'changed', 'returned', 'confirmed', 'refused', 'withdrawn', 'noted', 'assigned')),
  note       text NOT NULL DEFAULT '' CHECK (length(note) <= 1000)
);
CREATE INDEX certificate_request_history_request ON certificate_request_history (request_id, id);
CREATE TRIGGER certificate_request_history_append_only BEFORE UPDATE OR DELETE ON certificate_request_history FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER certificate_request_history_no_truncate BEFORE TRUNCATE ON certificate_request_history EXECUTE FUNCTION append_only();

-- A certificate that came from a request, once.
ALTER TABLE certificate ADD COLUMN request_id bigint UNIQUE REFERENCES certificate_request (id);
ALTER TABLE certificate_product ADD COLUMN product_code text NOT NULL DEFAULT '';

-- +goose StatementBegin
CREATE FUNCTION certificate_from_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM certificate_request r WHERE r.id = NEW.request_id AND r.state = 'confirmed' AND r.stars = NEW.stars
      AND r.decision_no = NEW.decision_no AND r.level = NEW.level AND r.decided_on = NEW.decided_on AND r.decided_on = NEW.valid_from AND r.valid_to = NEW.valid_to) THEN
    RAISE EXCEPTION 'a certificate says what was confirmed' USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'certificate_confirmed';
  END IF;
  RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER certificate_from_request BEFORE INSERT OR UPDATE OF request_id, stars, decision_no, level, decided_on, valid_from, valid_to ON certificate
  FOR EACH ROW WHEN (NEW.request_id IS NOT NULL) EXECUTE FUNCTION certificate_from_request();
