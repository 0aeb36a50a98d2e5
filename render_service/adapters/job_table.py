"""Jobs in PostgreSQL: ordered in the transaction of the write they follow from, looked at, ended.

The rule: every change of a job is one statement that says from which state it may be made, so two
who change one at once never both have their way.
"""

import re
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record
from asyncpg.exceptions import UniqueViolationError

from render_service.adapters.outbox import JOB
from render_service.adapters.postgres import Database
from render_service.errors import JobNotParked, JobOver, UnknownJob
from render_service.jobs.model import Job, Order, Progress, Status
from render_service.jobs.ports import Page, Wanted

COLUMNS: Final = """id::text, kind, payload, key, priority, status, cancel_asked, done, total, note,
    state, result, error, ordered_by, attempts, failures, created_at, updated_at, started_at,
    ended_at, ticket::text"""

# Waits for nobody but one who orders the same at this very moment.
ORDER: Final = """
INSERT INTO shop.job (kind, payload, key, priority, ordered_by) VALUES ($1, $2::jsonb, $3, $4, $5)
ON CONFLICT (kind, key) WHERE status IN ('queued', 'running') AND NOT cancel_asked DO NOTHING
RETURNING id::text
"""

FIND_LIVE: Final = """
SELECT id::text FROM shop.job
WHERE kind = $1 AND key = $2 AND status IN ('queued', 'running') AND NOT cancel_asked
"""

# A row of the outbox by the job's own ticket: told of again, it is the same to the queue.
TELL_OF: Final = f"""
INSERT INTO shop.outbox (id, topic, subject, payload, caused_by)
SELECT ticket, '{JOB}', id::text, '{{}}', ordered_by FROM shop.job WHERE id = $1::text::uuid
ON CONFLICT (id) DO UPDATE SET sent_at = NULL
"""  # noqa: S608  # a word of our own

GET: Final = f"""
SELECT {COLUMNS} FROM shop.job WHERE id = $1::text::uuid
"""  # noqa: S608

# By the id as it is indexed, not as it is shown.
LIST: Final = f"""
SELECT {COLUMNS} FROM shop.job AS held
WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR kind = $2)
    AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::text::uuid))
ORDER BY created_at DESC, held.id DESC LIMIT $5
"""  # noqa: S608

CANCEL: Final = f"""
UPDATE shop.job SET cancel_asked = true, updated_at = now(),
    status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END,
    ended_at = CASE status WHEN 'queued' THEN now() END
WHERE id = $1::text::uuid AND status IN ('queued', 'running') RETURNING {COLUMNS}
"""  # noqa: S608

RETRY: Final = f"""
UPDATE shop.job SET status = 'queued', cancel_asked = false, ticket = gen_random_uuid(),
    attempts = 0, failures = 0, ended_at = NULL, updated_at = now()
WHERE id = $1::text::uuid AND status IN ('failed', 'cancelled') RETURNING {COLUMNS}
"""  # noqa: S608

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def order(connection: Connection, asked: Order) -> str:
    """Keep a job in the transaction of `connection`, and that the queue is to be told of it.

    Returns:
        Its id, or that of the live job of its kind and key.
    """
    payload = msgspec.json.encode(asked.payload).decode()
    words = (asked.kind, payload, asked.key, asked.priority, asked.by)
    while (made := await connection.fetchval(ORDER, *words)) is None:
        if live := await connection.fetchval(FIND_LIVE, asked.kind, asked.key):
            return str(live)
        # It ended in between these two statements: now there is none.
    await connection.execute(TELL_OF, made)
    return str(made)


class JobTable:
    """Implements `JobStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, job_id: str) -> Job:
        found = None
        if is_uuid(job_id):
            found = await self._database.read(
                lambda connection: connection.fetchrow(GET, job_id), stale=False
            )
        if found is None:
            raise UnknownJob(job_id)
        return job_of(found)

    async def list_jobs(self, wanted: Wanted) -> Page:
        at, after = wanted.after or (None, None)
        words: tuple[Any, ...] = (wanted.status, wanted.kind, at, after, wanted.limit + 1)
        rows = await self._database.read(lambda connection: connection.fetch(LIST, *words))
        return Page(
            jobs=[job_of(row) for row in rows[: wanted.limit]], has_more=len(rows) > wanted.limit
        )

    async def order(self, asked: Order) -> Job:
        made, _ = await self._database.write(lambda connection: order(connection, asked))
        return await self.get(made)

    async def cancel(self, job_id: str) -> Job:
        async def work(connection: Connection) -> Record | None:
            return await connection.fetchrow(CANCEL, job_id)

        await self.get(job_id)
        row, _ = await self._database.write(work)
        if row is None:
            raise JobOver(job_id, (await self.get(job_id)).status)
        return job_of(row)

    async def retry(self, job_id: str) -> Job:
        async def work(connection: Connection) -> Record | None:
            row = await connection.fetchrow(RETRY, job_id)
            if row is not None:
                await connection.execute(TELL_OF, job_id)
            return row

        before = await self.get(job_id)
        try:
            row, _ = await self._database.write(work)
        except UniqueViolationError as error:
            live = await self._database.read(
                lambda connection: connection.fetchval(FIND_LIVE, before.kind, before.key)
            )
            raise JobNotParked(job_id, before.status, live or "that was") from error
        if row is None:
            raise JobNotParked(job_id, (await self.get(job_id)).status)
        return job_of(row)


def is_uuid(given: str) -> bool:
    """Return whether `given` can be an id, as it is spelled here."""
    return _UUID.fullmatch(given) is not None


def job_of(row: Record) -> Job:
    """Return the job that a row of `COLUMNS` is."""
    return Job(
        id=row["id"],
        kind=row["kind"],
        payload=msgspec.json.decode(row["payload"]),
        key=row["key"],
        priority=row["priority"],
        status=Status(row["status"]),
        cancel_asked=row["cancel_asked"],
        progress=Progress(done=row["done"], total=row["total"], note=row["note"]),
        state=_json(row["state"]),
        result=_json(row["result"]),
        error=row["error"],
        by=row["ordered_by"],
        attempts=row["attempts"],
        failures=row["failures"],
        created=row["created_at"],
        updated=row["updated_at"],
        started=row["started_at"],
        ended=row["ended_at"],
    )


def _json(text: str | None) -> Any:  # noqa: ANN401  # whatever was kept
    return None if text is None else msgspec.json.decode(text)
