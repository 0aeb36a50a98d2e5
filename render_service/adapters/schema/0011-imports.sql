-- Imports: a file that was sent, in pieces, and what came of each of its rows
-- depends: 0003-jobs

-- migrate: apply

CREATE TABLE shop.import (
  id uuid PRIMARY KEY,
  format text NOT NULL,
  reject_all boolean NOT NULL,
  dry_run boolean NOT NULL,
  ordered_by text NOT NULL,
  job uuid UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN shop.import.job IS 'Null while the file is on its way, and for good where its sender left.';

-- What nobody asks for any more is swept by who imports next.
CREATE INDEX import_by_age ON shop.import (created_at);

CREATE TABLE shop.import_piece (
  import uuid NOT NULL REFERENCES shop.import ON DELETE CASCADE,
  number integer NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (import, number)
);

-- Written in the transaction of what it tells of, so no row of a file is written twice.
CREATE TABLE shop.import_row (
  import uuid NOT NULL REFERENCES shop.import ON DELETE CASCADE,
  line bigint NOT NULL,
  product text,
  outcome text NOT NULL,
  faults jsonb NOT NULL,
  PRIMARY KEY (import, line)
);

-- migrate: rollback

DROP TABLE shop.import_row;
DROP TABLE shop.import_piece;
DROP TABLE shop.import;
