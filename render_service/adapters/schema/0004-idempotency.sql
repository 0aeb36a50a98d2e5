-- Answers of creating requests, kept for a day under the key that their caller gave
-- depends: 0002-search

-- migrate: apply

CREATE TABLE shop.idempotency (
  caller text NOT NULL,
  key text NOT NULL,
  fingerprint bytea NOT NULL,
  status smallint NOT NULL,
  headers jsonb NOT NULL,
  body bytea NOT NULL,
  kept_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (caller, key)
);
COMMENT ON TABLE shop.idempotency IS
  'Written in the transaction of the effect: what is here has happened, and what is not has not.';

-- What is over a day old is swept by who writes next.
CREATE INDEX idempotency_by_age ON shop.idempotency (kept_at);

-- migrate: rollback

DROP TABLE shop.idempotency;
