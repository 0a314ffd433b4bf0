-- +goose Up
CREATE TABLE media_asset (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  sha256       bytea NOT NULL UNIQUE CHECK (octet_length(sha256) = 32),
  kind         text NOT NULL CHECK (kind IN ('picture', 'drawing')),
  mime         text NOT NULL,
  width        int NOT NULL CHECK (width > 0),
  height       int NOT NULL CHECK (height > 0),
  bytes        bigint NOT NULL CHECK (bytes > 0),
  original_key text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE media_rendition (
  asset_id bigint NOT NULL REFERENCES media_asset (id),
  format   text NOT NULL CHECK (format IN ('webp', 'jpeg', 'png')),
  width    int NOT NULL CHECK (width > 0),
  height   int NOT NULL CHECK (height > 0),
  key      text NOT NULL UNIQUE,
  bytes    bigint NOT NULL CHECK (bytes > 0),
  PRIMARY KEY (asset_id, format, width)
);
