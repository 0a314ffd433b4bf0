-- +goose Up
CREATE TABLE showroom (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  code            text NOT NULL UNIQUE,
  slug            text NOT NULL UNIQUE,
  name_vi         text NOT NULL,
  name_en         text NOT NULL,
  -- Kinds of place as listed by QĐ 950/QĐ-BCT (18/04/2023).
  kind            text NOT NULL CHECK (kind IN ('transport_hub', 'rest_stop', 'trade_centre', 'tourist_area', 'craft_village', 'local_centre', 'exhibition_centre', 'post_office')),
  operator        text NOT NULL,
  province_code   text NOT NULL REFERENCES geo_province (code),
  commune_code    text NOT NULL REFERENCES geo_commune (code),
  street          text NOT NULL,
  -- Opening hours, Monday first: [["07:30","18:00"], …, null] with null for a day it is closed.
  hours           jsonb NOT NULL,
  phone           text,
  supported_since date,
  offers_pickup   boolean NOT NULL DEFAULT true,
  state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  is_demo         boolean NOT NULL DEFAULT false
);
CREATE INDEX showroom_province ON showroom (province_code) WHERE state = 'open';
