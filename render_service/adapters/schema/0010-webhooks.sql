-- Webhooks: who is told of what happened, and what came of telling them
-- depends: 0003-jobs

-- migrate: apply

CREATE TABLE shop.webhook (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  revision bigint NOT NULL DEFAULT 1,
  url text NOT NULL,
  topics text[] NOT NULL,
  note text NOT NULL,
  status text NOT NULL DEFAULT 'active',
  secrets text[] NOT NULL,
  made_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_status_is_known CHECK (status IN ('active', 'paused', 'gone')),
  CONSTRAINT webhook_has_one_secret_or_two CHECK (cardinality(secrets) BETWEEN 1 AND 2)
);
COMMENT ON COLUMN shop.webhook.topics IS 'Told of these; of everything where it is empty.';
COMMENT ON COLUMN shop.webhook.status IS '`gone`: it answered 410, and is told of nothing more.';
COMMENT ON COLUMN shop.webhook.secrets IS 'Newest first. Each signs, so a receiver may change over.';

CREATE TABLE shop.delivery (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  webhook uuid NOT NULL REFERENCES shop.webhook ON DELETE CASCADE,
  event uuid NOT NULL,
  topic text NOT NULL,
  body text NOT NULL,
  status text NOT NULL DEFAULT 'waiting',
  tries jsonb NOT NULL DEFAULT '[]',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT delivery_status_is_known CHECK (status IN ('waiting', 'delivered', 'failed')),
  CONSTRAINT delivery_is_one_of_its_event UNIQUE (webhook, event)
);
COMMENT ON COLUMN shop.delivery.body IS 'As it is sent: what is signed is these very bytes.';
CREATE INDEX delivery_by_time ON shop.delivery (webhook, created_at DESC, id DESC);
-- What was told long ago is removed.
CREATE INDEX delivery_by_change ON shop.delivery (updated_at) WHERE status <> 'waiting';

-- migrate: rollback

DROP TABLE shop.delivery;
DROP TABLE shop.webhook;
