-- Uploads, and the files that passed their check
-- depends: 0003-jobs

-- migrate: apply

CREATE TABLE shop.upload (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  announced jsonb NOT NULL,
  uploaded_by text NOT NULL,
  status text NOT NULL DEFAULT 'waiting',
  reason text,
  explanation text,
  job uuid,
  is_cleared boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  expires_at timestamptz NOT NULL,
  ended_at timestamptz,
  CONSTRAINT upload_status_is_known
    CHECK (status IN ('waiting', 'checking', 'accepted', 'refused')),
  CONSTRAINT upload_is_refused_for_a_reason
    CHECK ((status = 'refused') = (reason IS NOT NULL AND explanation IS NOT NULL)),
  CONSTRAINT upload_has_an_end_when_it_is_judged
    CHECK ((status IN ('accepted', 'refused')) = (ended_at IS NOT NULL))
);
COMMENT ON COLUMN shop.upload.announced IS 'What its uploader said of the file; nothing of it is believed.';
COMMENT ON COLUMN shop.upload.is_cleared IS 'Whether its file is gone from quarantine.';

-- How many a caller has open.
CREATE INDEX upload_open ON shop.upload (uploaded_by) WHERE status IN ('waiting', 'checking');
-- What may still lie in quarantine and need not.
CREATE INDEX upload_to_clear ON shop.upload (expires_at) WHERE NOT is_cleared;
-- What was judged long ago is forgotten.
CREATE INDEX upload_by_end ON shop.upload (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE shop.asset (
  sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  bytes bigint NOT NULL CHECK (bytes > 0),
  facts jsonb NOT NULL,
  kinds text[] NOT NULL,
  name text NOT NULL,
  uploaded_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT asset_kinds_are_known CHECK (kinds <@ ARRAY['layer', 'photo'] AND kinds <> '{}')
);
COMMENT ON TABLE shop.asset IS 'Files that passed their check; the file itself is in the store of releases, under its digest.';

-- migrate: rollback

DROP TABLE shop.asset;
DROP TABLE shop.upload;
