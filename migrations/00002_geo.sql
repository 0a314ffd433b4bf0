-- +goose Up

-- Vietnam's units since 1 July 2025: two levels, province and commune. Codes are stable and never reused, so a unit that
-- changes its kind keeps its code. The rows are loaded from files in the program (internal/geo), never edited by hand.

CREATE TABLE geo_dataset (
    name      text PRIMARY KEY,
    sha256    text NOT NULL CHECK (length(sha256) = 64),
    loaded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE geo_province (
    code           text PRIMARY KEY CHECK (code ~ '^[0-9]{2}$'),
    name           text NOT NULL CHECK (name <> ''),
    name_en        text NOT NULL CHECK (name_en <> ''),
    slug           text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    kind           text NOT NULL CHECK (kind IN ('tỉnh', 'thành phố')),
    kind_before    text CHECK (kind_before IN ('tỉnh', 'thành phố') AND kind_before <> kind),
    kind_basis     text NOT NULL,
    kind_from      date NOT NULL,
    region         text NOT NULL GENERATED ALWAYS AS (
                       CASE WHEN code COLLATE "C" <= '37' THEN 'north'
                            WHEN code COLLATE "C" <= '68' THEN 'central'
                            ELSE 'south' END) STORED,
    communes       int  NOT NULL CHECK (communes > 0),
    legal_basis    text NOT NULL,
    effective_from date NOT NULL,
    name_fold      text NOT NULL GENERATED ALWAYS AS (vn_fold(name)) STORED,
    CHECK (kind_from >= effective_from)
);

CREATE TABLE geo_commune (
    code           text PRIMARY KEY CHECK (code ~ '^[0-9]{5}$'),
    province_code  text NOT NULL REFERENCES geo_province (code),
    name           text NOT NULL CHECK (name <> ''),
    name_alt       text CHECK (name_alt <> ''),
    kind           text NOT NULL CHECK (kind IN ('xã', 'phường', 'đặc khu')),
    kind_before    text CHECK (kind_before IN ('xã', 'phường', 'đặc khu') AND kind_before <> kind),
    kind_basis     text NOT NULL,
    kind_from      date NOT NULL,
    legal_basis    text NOT NULL,
    effective_from date NOT NULL,
    name_fold      text NOT NULL GENERATED ALWAYS AS (vn_fold(name)) STORED,
    CHECK (kind_from >= effective_from),
    -- lets an address hold (province_code, commune_code) as one foreign key, so that the pair always fits
    CONSTRAINT geo_commune_in_province UNIQUE (province_code, code)
);

-- The 63 provinces before 1 July 2025 and the unit each went to: old papers and habits still use these names.
CREATE TABLE geo_former_province (
    code          text PRIMARY KEY CHECK (code ~ '^[0-9]{2}$'),
    province_code text NOT NULL REFERENCES geo_province (code),
    name          text NOT NULL CHECK (name <> ''),
    kind          text NOT NULL CHECK (kind IN ('tỉnh', 'thành phố')),
    change        text NOT NULL CHECK (change IN ('kept', 'merged_same_name', 'merged_renamed')),
    aliases       text[] NOT NULL DEFAULT '{}',
    name_fold     text NOT NULL GENERATED ALWAYS AS (vn_fold(name)) STORED
);

-- The district level, abolished on 1 July 2025.
CREATE TABLE geo_former_district (
    code                 text PRIMARY KEY CHECK (code ~ '^[0-9]{3}$'),
    former_province_code text NOT NULL REFERENCES geo_former_province (code),
    province_code        text NOT NULL REFERENCES geo_province (code),
    name                 text NOT NULL CHECK (name <> ''),
    kind                 text NOT NULL CHECK (kind IN ('quận', 'huyện', 'thị xã', 'thành phố')),
    full_name            text NOT NULL CHECK (full_name <> ''),
    name_fold            text NOT NULL GENERATED ALWAYS AS (vn_fold(name)) STORED
);

CREATE INDEX geo_former_province_province ON geo_former_province (province_code);
CREATE INDEX geo_former_district_province ON geo_former_district (province_code);
CREATE INDEX geo_former_district_former_province ON geo_former_district (former_province_code);

-- Prefix and typo search from other domains' SQL. The two province tables have fewer rows than a page holds: no index helps there.
CREATE INDEX geo_commune_fold_trgm ON geo_commune USING gin (name_fold gin_trgm_ops);
CREATE INDEX geo_commune_fold_prefix ON geo_commune (name_fold text_pattern_ops);
CREATE INDEX geo_former_district_fold_trgm ON geo_former_district USING gin (name_fold gin_trgm_ops);
CREATE INDEX geo_former_district_fold_prefix ON geo_former_district (name_fold text_pattern_ops);
