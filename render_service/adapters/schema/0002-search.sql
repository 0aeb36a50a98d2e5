-- Search: full text by language, and words that are misspelt
-- depends: 0001-products

-- migrate: apply

CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- `Pavé` and `pave` are one word. Combining marks are what NFKD takes off letters.
CREATE FUNCTION shop.fold(words text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN regexp_replace(lower(normalize(words, NFKD)), '[' || chr(768) || '-' || chr(879) || ']', '', 'g');

-- The stemmer of a language by its BCP 47 tag; without one of its own, words are taken as they are.
CREATE FUNCTION shop.stemmer(tag text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE split_part(lower(tag), '-', 1)
  WHEN 'da' THEN 'pg_catalog.danish'::regconfig
  WHEN 'de' THEN 'pg_catalog.german'::regconfig
  WHEN 'en' THEN 'pg_catalog.english'::regconfig
  WHEN 'es' THEN 'pg_catalog.spanish'::regconfig
  WHEN 'fi' THEN 'pg_catalog.finnish'::regconfig
  WHEN 'fr' THEN 'pg_catalog.french'::regconfig
  WHEN 'it' THEN 'pg_catalog.italian'::regconfig
  WHEN 'nl' THEN 'pg_catalog.dutch'::regconfig
  WHEN 'no' THEN 'pg_catalog.norwegian'::regconfig
  WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
  WHEN 'sv' THEN 'pg_catalog.swedish'::regconfig
  ELSE 'pg_catalog.simple'::regconfig
END;

-- Titles weigh most (A), then what a product is found by (B), then its text (C); every language by its
-- own stemmer, and as it is, for who asks in another language or says none.
CREATE FUNCTION shop.searched(document jsonb) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
  found tsvector := ''::tsvector;
  said record;
BEGIN
  FOR said IN
    SELECT document ->> 'language' AS tag, document ->> 'title' AS title, document ->> 'text' AS text
    UNION ALL
    SELECT key, value ->> 'title', value ->> 'text'
    FROM jsonb_each(coalesce(document -> 'translations', '{}'))
  LOOP
    found := found
      || setweight(to_tsvector(shop.stemmer(said.tag), shop.fold(coalesce(said.title, ''))), 'A')
      || setweight(to_tsvector('pg_catalog.simple', shop.fold(coalesce(said.title, ''))), 'A')
      || setweight(to_tsvector(shop.stemmer(said.tag), shop.fold(coalesce(said.text, ''))), 'C')
      || setweight(to_tsvector('pg_catalog.simple', shop.fold(coalesce(said.text, ''))), 'C');
  END LOOP;
  FOR said IN
    SELECT listed.words FROM jsonb_each(coalesce(document -> 'attributes', '{}')) named,
      jsonb_array_elements_text(named.value) listed (words)
  LOOP
    found := found
      || setweight(to_tsvector(shop.stemmer(document ->> 'language'), shop.fold(said.words)), 'B')
      || setweight(to_tsvector('pg_catalog.simple', shop.fold(said.words)), 'B');
  END LOOP;
  RETURN found;
END
$$;

-- What a misspelt word is held against: titles in all languages, attributes, and the id.
CREATE FUNCTION shop.spelt(document jsonb) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN shop.fold(concat_ws(' ',
  document ->> 'title',
  document ->> 'id',
  (SELECT string_agg(value ->> 'title', ' ' ORDER BY key)
   FROM jsonb_each(coalesce(document -> 'translations', '{}'))),
  (SELECT string_agg(listed.words, ' ' ORDER BY named.key, listed.at)
   FROM jsonb_each(coalesce(document -> 'attributes', '{}')) named,
     jsonb_array_elements_text(named.value) WITH ORDINALITY listed (words, at))
));

-- What somebody types, as web searches take it: in the endings of a language, or as it is.
CREATE FUNCTION shop.query(typed text, tag text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN websearch_to_tsquery(shop.stemmer(tag), shop.fold(typed))
  || websearch_to_tsquery('pg_catalog.simple', shop.fold(typed));

ALTER TABLE shop.product
  ADD COLUMN search tsvector NOT NULL GENERATED ALWAYS AS (shop.searched(document)) STORED,
  ADD COLUMN words text NOT NULL GENERATED ALWAYS AS (shop.spelt(document)) STORED;

CREATE INDEX product_by_search ON shop.product USING gin (search);
CREATE INDEX product_by_words ON shop.product USING gin (words gin_trgm_ops);

-- migrate: rollback

ALTER TABLE shop.product DROP COLUMN words, DROP COLUMN search;
DROP FUNCTION shop.query;
DROP FUNCTION shop.spelt;
DROP FUNCTION shop.searched;
DROP FUNCTION shop.stemmer;
DROP FUNCTION shop.fold;
