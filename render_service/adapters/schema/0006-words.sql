-- Search whose cost does not grow with what it finds
-- depends: 0005-facets

-- migrate: apply

-- Every word that a title or an attribute was ever written with: a misspelt one is held against these,
-- and not against every product. One that nobody has any more finds nothing, and does no harm.
CREATE TABLE shop.word (word text PRIMARY KEY);
CREATE INDEX word_by_letters ON shop.word USING gin (word gin_trgm_ops);

CREATE FUNCTION shop.learn_words() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  -- In one order, so that two who bring the same new words wait for each other and do not lock up.
  INSERT INTO shop.word
  SELECT DISTINCT lexeme FROM unnest(to_tsvector('pg_catalog.simple', NEW.words))
  WHERE lexeme ~ '^[[:alpha:]]{3,40}$' ORDER BY lexeme
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

INSERT INTO shop.word
SELECT DISTINCT found.lexeme FROM shop.product,
  unnest(to_tsvector('pg_catalog.simple', words)) found
WHERE found.lexeme ~ '^[[:alpha:]]{3,40}$';

CREATE TRIGGER product_teaches_words AFTER INSERT OR UPDATE OF document ON shop.product
FOR EACH ROW EXECUTE FUNCTION shop.learn_words();

DROP INDEX shop.product_by_words;

-- Words in titles alone: few products have a word there that many have in their texts.
CREATE INDEX product_by_title_words ON shop.product USING gin (ts_filter(search, '{a}'));

-- Any of several spellings of what somebody types.
CREATE FUNCTION shop.query(typed text[], tag text) RETURNS tsquery
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
AS $$
DECLARE
  found tsquery := ''::tsquery;
  one text;
BEGIN
  FOREACH one IN ARRAY typed LOOP
    found := found || shop.query(one, tag);
  END LOOP;
  RETURN found;
END
$$;

-- The newest products that a query finds by the index of words, of the first 20,000 there: without the
-- plan that reads every product where the planner takes two words for likelier together than they are.
CREATE FUNCTION shop.found_by_words(asked tsquery, of_status text, drawn_by text, marked tsquery, most int)
RETURNS SETOF text
LANGUAGE sql STABLE ROWS 500 SET enable_seqscan = off SET enable_indexscan = off
AS $$
  SELECT id FROM (
    SELECT id, updated_at FROM shop.product
    WHERE search @@ asked AND status = of_status
      AND (drawn_by IS NULL OR composition = drawn_by) AND (marked IS NULL OR traits @@ marked)
    LIMIT 20000
  ) found ORDER BY updated_at DESC, id DESC LIMIT most
$$;

-- Likewise by words of titles.
CREATE FUNCTION shop.found_by_title(asked tsquery, of_status text, drawn_by text, marked tsquery, most int)
RETURNS SETOF text
LANGUAGE sql STABLE ROWS 500 SET enable_seqscan = off SET enable_indexscan = off
AS $$
  SELECT id FROM (
    SELECT id, updated_at FROM shop.product
    WHERE ts_filter(search, '{a}') @@ asked AND status = of_status
      AND (drawn_by IS NULL OR composition = drawn_by) AND (marked IS NULL OR traits @@ marked)
    LIMIT 2000
  ) found ORDER BY updated_at DESC, id DESC LIMIT most
$$;

-- What a search is about, at most: of those with its words in their titles, and of all, the newest. A
-- word that many have is found among the newest products at once; one that few have, by the index.
CREATE FUNCTION shop.found(asked tsquery, of_status text, drawn_by text, marked tsquery)
RETURNS SETOF text
LANGUAGE plpgsql STABLE ROWS 1000
AS $$
DECLARE
  newest text[];
  -- What says only what is not wanted names nothing that an index could find.
  is_named boolean := querytree(asked) NOT IN ('', 'T');
BEGIN
  IF is_named THEN
    RETURN QUERY SELECT shop.found_by_title(asked, of_status, drawn_by, marked, 250);
  END IF;
  newest := ARRAY(
    SELECT id FROM (
      SELECT id, search, composition, traits FROM shop.product
      WHERE status = of_status ORDER BY updated_at DESC, id DESC LIMIT 3000
    ) recent
    WHERE search @@ asked AND (drawn_by IS NULL OR composition = drawn_by)
      AND (marked IS NULL OR traits @@ marked)
    LIMIT 500
  );
  IF cardinality(newest) = 500 OR NOT is_named THEN
    RETURN QUERY SELECT unnest(newest);
  ELSE
    RETURN QUERY SELECT shop.found_by_words(asked, of_status, drawn_by, marked, 500);
  END IF;
END
$$;

-- migrate: rollback

DROP FUNCTION shop.found;
DROP FUNCTION shop.found_by_title;
DROP FUNCTION shop.found_by_words;
DROP FUNCTION shop.query(text[], text);
DROP INDEX shop.product_by_title_words;
CREATE INDEX product_by_words ON shop.product USING gin (words gin_trgm_ops);
DROP TRIGGER product_teaches_words ON shop.product;
DROP FUNCTION shop.learn_words;
DROP TABLE shop.word;
