-- Background work: jobs, and the outbox that sends what follows from a write
-- depends: 0001-products

-- migrate: apply

-- The row is the truth; the queue only says when to look at it.
CREATE TABLE shop.job (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind text NOT NULL,
  payload jsonb NOT NULL,
  key text,
  priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9),
  status text NOT NULL DEFAULT 'queued',
  cancel_asked boolean NOT NULL DEFAULT false,
  ticket uuid NOT NULL DEFAULT gen_random_uuid(),
  token uuid,
  attempts integer NOT NULL DEFAULT 0,
  failures integer NOT NULL DEFAULT 0,
  done bigint NOT NULL DEFAULT 0,
  total bigint NOT NULL DEFAULT 0,
  note text NOT NULL DEFAULT '',
  state jsonb,
  result jsonb,
  error text,
  ordered_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  started_at timestamptz,
  ended_at timestamptz,
  CONSTRAINT job_status_is_known
    CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
  CONSTRAINT job_is_owned_while_it_runs CHECK ((status = 'running') = (token IS NOT NULL)),
  CONSTRAINT job_has_an_end_when_it_is_over
    CHECK ((status IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL))
);
COMMENT ON COLUMN shop.job.ticket IS 'What the queue knows it by: the id of its row in the outbox. A retry has a new one.';
COMMENT ON COLUMN shop.job.token IS 'Of the attempt that owns the job: whatever another one writes is refused.';
COMMENT ON COLUMN shop.job.attempts IS 'Begun, those that died with their worker included.';
COMMENT ON COLUMN shop.job.failures IS 'Attempts that ended with an error.';
COMMENT ON COLUMN shop.job.state IS 'What an attempt kept for the next one, in the transaction of what it did.';

-- Of live jobs of a kind one with a key: who orders it again gets that one. One that is being
-- cancelled counts no more.
CREATE UNIQUE INDEX job_is_one_of_its_key ON shop.job (kind, key)
  WHERE status IN ('queued', 'running') AND NOT cancel_asked;
-- Lists, newest first: all, and by status or kind.
CREATE INDEX job_by_time ON shop.job (created_at DESC, id DESC);
CREATE INDEX job_by_status ON shop.job (status, created_at DESC, id DESC);
CREATE INDEX job_by_kind ON shop.job (kind, created_at DESC, id DESC);
-- Live jobs, few of many: whether the queue still knows them.
CREATE INDEX job_live ON shop.job (ticket) WHERE status IN ('queued', 'running');
-- What has been over for long is removed.
CREATE INDEX job_by_end ON shop.job (ended_at) WHERE ended_at IS NOT NULL;

-- Written in the transaction of what it tells of; claimed by relays, in any order.
CREATE TABLE shop.outbox (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  number bigint GENERATED ALWAYS AS IDENTITY,
  topic text NOT NULL CHECK (topic ~ '^[a-z]+([._-][a-z]+)*$'),
  subject text NOT NULL,
  payload jsonb NOT NULL,
  caused_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz
);
COMMENT ON COLUMN shop.outbox.topic IS '`job`: the queue is to be told of the job `subject`; else what happened.';
CREATE INDEX outbox_to_be_sent ON shop.outbox (number) WHERE sent_at IS NULL;
CREATE INDEX outbox_by_sending ON shop.outbox (sent_at) WHERE sent_at IS NOT NULL;

-- migrate: rollback

DROP TABLE shop.outbox;
DROP TABLE shop.job;
