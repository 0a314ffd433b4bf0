-- +goose Up
CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

-- vn_fold is the one folding of Vietnamese text for search; i18n.Fold does the same in Go.
-- It is IMMUTABLE because the dictionary is named in full, so that indexes may use it.
-- +goose StatementBegin
CREATE FUNCTION vn_fold(t text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT btrim(regexp_replace(regexp_replace(
    lower(public.unaccent('public.unaccent'::regdictionary, replace(replace(normalize(t, NFC), 'đ', 'd'), 'Đ', 'D'))),
    '\m([bcdghklmnpqrstvx]{1,2}|qu)y\M', '\1i', 'g'), '\s+', ' ', 'g'))
$$;
-- +goose StatementEnd

-- append_only refuses to change or remove what was once written.
-- +goose StatementBegin
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;
-- +goose StatementEnd
