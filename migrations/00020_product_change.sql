-- +goose Up
-- Which products changed, so that every running copy of the program can bring what it keeps of them up to date. A row says
-- only "read this product again"; changed is the transaction that says so. Whoever read the rows at a time when the oldest
-- open transaction was x asks next for changed >= x: a transaction that commits late is never missed, however late.
-- Rows are forgotten after an hour; who has not asked for so long reads everything.
CREATE TABLE product_stale (
  product_id bigint NOT NULL,
  changed    xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at         timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX product_stale_changed ON product_stale (changed, product_id);

-- +goose StatementBegin
CREATE FUNCTION product_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    INSERT INTO product_stale (product_id) VALUES (OLD.product_id);
  ELSE
    INSERT INTO product_stale (product_id) VALUES (NEW.product_id);
  END IF;
  RETURN NULL;
END $$;
-- +goose StatementEnd

-- Pages tell apart: sold out, the last five pieces, enough. A sale that leaves more than five says nothing new, so a good
-- that many buy at once costs no row a sale.
CREATE TRIGGER stock_level_appeared AFTER INSERT ON stock_level FOR EACH ROW WHEN (NEW.on_hand > 0) EXECUTE FUNCTION product_changed();
CREATE TRIGGER stock_level_gone AFTER DELETE ON stock_level FOR EACH ROW EXECUTE FUNCTION product_changed();
CREATE TRIGGER stock_level_moved AFTER UPDATE OF on_hand, reserved ON stock_level FOR EACH ROW
  WHEN ((OLD.on_hand <> NEW.on_hand OR OLD.reserved <> NEW.reserved)
    AND (OLD.on_hand - OLD.reserved <= 5 OR NEW.on_hand - NEW.reserved <= 5)) EXECUTE FUNCTION product_changed();

CREATE TRIGGER certificate_product_changed AFTER INSERT OR UPDATE OR DELETE ON certificate_product FOR EACH ROW EXECUTE FUNCTION product_changed();

CREATE TRIGGER variant_changed AFTER UPDATE ON variant FOR EACH ROW
  WHEN (OLD.price <> NEW.price OR OLD.state <> NEW.state) EXECUTE FUNCTION product_changed();

-- A promise that lasts longer than it did, on goods of which little else is left. Its level is locked meanwhile.
-- +goose StatementBegin
CREATE FUNCTION stock_reservation_prolonged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO product_stale (product_id) SELECT l.product_id FROM stock_level l WHERE l.id = NEW.level_id AND l.on_hand - l.reserved <= 5;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stock_reservation_prolonged AFTER UPDATE OF expires_at ON stock_reservation FOR EACH ROW
  WHEN (OLD.expires_at IS DISTINCT FROM NEW.expires_at) EXECUTE FUNCTION stock_reservation_prolonged();

-- +goose StatementBegin
CREATE FUNCTION stock_location_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO product_stale (product_id) SELECT DISTINCT l.product_id FROM stock_level l WHERE l.location_id = NEW.id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stock_location_changed AFTER UPDATE OF kind, state ON stock_location FOR EACH ROW
  WHEN (OLD.kind <> NEW.kind OR OLD.state <> NEW.state) EXECUTE FUNCTION stock_location_changed();

-- +goose StatementBegin
CREATE FUNCTION stock_lot_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO product_stale (product_id) SELECT v.product_id FROM variant v WHERE v.id = NEW.variant_id;
  RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER stock_lot_changed AFTER UPDATE OF expires_on ON stock_lot FOR EACH ROW
  WHEN (OLD.expires_on IS DISTINCT FROM NEW.expires_on) EXECUTE FUNCTION stock_lot_changed();
