-- Products, and the rates they are priced by
-- depends:

-- migrate: apply

CREATE SCHEMA IF NOT EXISTS shop;
COMMENT ON SCHEMA shop IS 'Products and prices of render-service; docs/database.md.';

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- What is searched and sorted by is generated from the document, so it is never out of step with it.
CREATE TABLE shop.product (
  id text PRIMARY KEY,
  revision bigint NOT NULL DEFAULT 1,
  document jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  status text NOT NULL GENERATED ALWAYS AS (document ->> 'status') STORED,
  title text NOT NULL GENERATED ALWAYS AS (document ->> 'title') STORED,
  composition text NOT NULL GENERATED ALWAYS AS (document ->> 'composition') STORED,
  CONSTRAINT product_id_is_that_of_its_document CHECK (document ->> 'id' = id),
  CONSTRAINT product_status_is_known CHECK (document ->> 'status' IN ('draft', 'active', 'archived'))
);
COMMENT ON COLUMN shop.product.revision IS 'Counts the changes of the document: its ETag.';
COMMENT ON COLUMN shop.product.document IS 'The product, as GET /v1/products/{id} shows it.';

-- Lists: newest first within a status, and by title; each ends with the id, which makes it total.
CREATE INDEX product_by_change ON shop.product (status, updated_at DESC, id DESC);
CREATE INDEX product_by_title ON shop.product (status, title COLLATE "C", id);

-- Lists of what one composition draws: few of many.
CREATE INDEX product_by_composition ON shop.product (composition, status, updated_at DESC, id DESC);

CREATE TABLE shop.rate (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('metal', 'stone', 'tax')),
  key text NOT NULL,
  currency text CHECK (currency ~ '^[A-Z]{3}$'),
  amount bigint NOT NULL CHECK (amount >= 0),
  valid_from timestamptz NOT NULL CHECK (isfinite(valid_from)),
  valid_to timestamptz CHECK (isfinite(valid_to) AND valid_to > valid_from),
  revision bigint NOT NULL DEFAULT 1,
  CONSTRAINT rate_has_a_currency_unless_it_is_a_tax CHECK ((kind = 'tax') = (currency IS NULL)),
  -- At every instant one rate at most: two would be two prices for one ring.
  CONSTRAINT rate_is_one_at_a_time EXCLUDE USING gist (
    kind WITH =, key WITH =, (coalesce(currency, '')) WITH =,
    tstzrange(valid_from, valid_to) WITH &&
  )
);
-- What counts now or will, among all that ever did.
CREATE INDEX rate_by_end ON shop.rate (coalesce(valid_to, 'infinity'));
CREATE UNIQUE INDEX rate_by_start ON shop.rate (kind, key, coalesce(currency, ''), valid_from);
COMMENT ON COLUMN shop.rate.revision IS 'Counts the changes of the rate: a quote names it.';
COMMENT ON COLUMN shop.rate.amount IS
  'Metal: minor units per kilogram; stone: minor units per carat; tax: basis points.';

-- migrate: rollback

DROP TABLE shop.rate;
DROP TABLE shop.product;
