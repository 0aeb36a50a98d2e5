-- Drafts of compositions, and who did what
-- depends: 0002-search

-- migrate: apply

-- Documents are kept as they were written: the order of options is that of URLs, which jsonb forgets.
CREATE TABLE shop.draft (
  id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
  composition text NOT NULL,
  base text,
  revision bigint NOT NULL DEFAULT 1,
  definition json NOT NULL,
  materials json NOT NULL,
  qualities json NOT NULL,
  assets json NOT NULL,
  preview bytea CHECK (octet_length(preview) = 16),
  preview_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text NOT NULL,
  CONSTRAINT draft_preview_ends CHECK ((preview IS NULL) = (preview_until IS NULL))
);
COMMENT ON COLUMN shop.draft.base IS 'Release of the composition that it began with.';
COMMENT ON COLUMN shop.draft.preview IS 'What the addresses of its pictures are made from.';
CREATE INDEX draft_by_change ON shop.draft (updated_at DESC, id DESC);
CREATE UNIQUE INDEX draft_by_preview ON shop.draft (preview);

CREATE TABLE shop.activity (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  who text NOT NULL,
  action text NOT NULL,
  subject text NOT NULL,
  details jsonb NOT NULL DEFAULT '{}',
  outcome_of bigint REFERENCES shop.activity (id)
);
COMMENT ON COLUMN shop.activity.outcome_of IS 'What was about to be done, and came to this.';
-- One end each; also how those without one are found.
CREATE UNIQUE INDEX activity_by_outcome ON shop.activity (outcome_of);
CREATE INDEX activity_by_subject ON shop.activity (subject, id DESC);
CREATE INDEX activity_by_who ON shop.activity (who, id DESC);
CREATE INDEX activity_begun ON shop.activity (id)
  WHERE action IN ('publish.begun', 'restore.begun');

CREATE FUNCTION shop.keep_activity() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
  RAISE EXCEPTION 'shop.activity is only added to';
END
$$;
CREATE TRIGGER activity_is_only_added_to
BEFORE UPDATE OR DELETE OR TRUNCATE ON shop.activity
FOR EACH STATEMENT EXECUTE FUNCTION shop.keep_activity();

-- migrate: rollback

DROP TABLE shop.activity;
DROP FUNCTION shop.keep_activity;
DROP TABLE shop.draft;
