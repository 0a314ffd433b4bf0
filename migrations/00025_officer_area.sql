-- +goose Up
-- An officer works for a province or for one commune of it. Which unit that is stands in scope_id; the two columns made
-- from it let the database hold that there is such a unit.
ALTER TABLE account_role DROP CONSTRAINT account_role_scope_check;
ALTER TABLE account_role ADD CONSTRAINT account_role_scope_check CHECK (scope IN ('', 'province', 'commune', 'producer', 'showroom'));
ALTER TABLE account_role ADD CONSTRAINT account_role_bound CHECK ((scope = '') = (scope_id = ''));
ALTER TABLE account_role ADD CONSTRAINT account_role_area CHECK (scope NOT IN ('province', 'commune') OR role = 'officer');
ALTER TABLE account_role ADD COLUMN province_code text GENERATED ALWAYS AS (CASE WHEN scope = 'province' THEN scope_id END) STORED
  CONSTRAINT account_role_province REFERENCES geo_province (code);
ALTER TABLE account_role ADD COLUMN commune_code text GENERATED ALWAYS AS (CASE WHEN scope = 'commune' THEN scope_id END) STORED
  CONSTRAINT account_role_commune REFERENCES geo_commune (code);
