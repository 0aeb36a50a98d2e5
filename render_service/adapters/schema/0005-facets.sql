-- Attributes as traits, to filter and count by
-- depends: 0002-search

-- migrate: apply

-- One string for each value of an attribute, `collection=Aurora`: what is asked for is a query of such
-- strings, in any of, and all of, as words are searched for.
CREATE FUNCTION shop.traits_of(document jsonb) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
  SELECT array_to_tsvector(coalesce(array_agg(named.key || '=' || listed.value), '{}'))
  FROM jsonb_each(coalesce(document -> 'attributes', '{}')) named,
    jsonb_array_elements_text(named.value) listed (value)
);

ALTER TABLE shop.product
  ADD COLUMN traits tsvector NOT NULL GENERATED ALWAYS AS (shop.traits_of(document)) STORED;

CREATE INDEX product_by_traits ON shop.product USING gin (traits);

-- migrate: rollback

ALTER TABLE shop.product DROP COLUMN traits;
DROP FUNCTION shop.traits_of;
