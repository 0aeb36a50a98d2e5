"""Attempts at jobs: who has a job, and what it may still do.

The rule: an attempt owns its job by a token, and everything it writes is one statement that asks
for that token. Whoever begins the job anew replaces it, so a worker that slept and wakes up
changes nothing any more.
"""

import uuid
from collections.abc import Sequence
from typing import Final

import msgspec
from asyncpg import Connection

from render_service.adapters.job_table import COLUMNS, job_of
from render_service.adapters.postgres import Database
from render_service.errors import JobCancelled, Superseded
from render_service.jobs.model import JSON, Job, Status

# By its ticket: one that was put in the queue before a retry begins nothing.
BEGIN: Final = f"""
UPDATE shop.job SET status = 'running', token = $2::text::uuid, attempts = attempts + 1,
    done = 0, total = 0, note = '', started_at = now(), updated_at = now()
WHERE ticket = $1::text::uuid AND status IN ('queued', 'running') AND NOT cancel_asked
    AND attempts < $3 RETURNING {COLUMNS}
"""  # noqa: S608

# What cannot be begun because nobody wants it, or because it takes its workers with it.
CLOSE: Final = """
UPDATE shop.job SET status = CASE WHEN cancel_asked THEN 'cancelled' ELSE 'failed' END,
    error = CASE WHEN cancel_asked THEN error ELSE coalesce(error, $3) END,
    token = NULL, ended_at = now(), updated_at = now()
WHERE ticket = $1::text::uuid AND status IN ('queued', 'running')
    AND (cancel_asked OR attempts >= $2)
"""

HOLD: Final = """
SELECT cancel_asked FROM shop.job WHERE id = $1::text::uuid AND token = $2::text::uuid FOR UPDATE
"""

REPORT: Final = """
UPDATE shop.job SET done = $3, total = $4, note = $5, updated_at = now()
WHERE id = $1::text::uuid AND token = $2::text::uuid RETURNING cancel_asked
"""

KEEP: Final = """
UPDATE shop.job SET state = $3::jsonb, updated_at = now()
WHERE id = $1::text::uuid AND token = $2::text::uuid
"""

FINISH: Final = """
UPDATE shop.job SET status = 'done', token = NULL, result = $3::jsonb, error = NULL,
    ended_at = now(), updated_at = now()
WHERE id = $1::text::uuid AND token = $2::text::uuid
"""

FAIL: Final = """
UPDATE shop.job SET failures = failures + 1, error = $3, token = NULL, updated_at = now(),
    status = CASE WHEN cancel_asked THEN 'cancelled'
        WHEN failures + 1 >= $4 THEN 'failed' ELSE 'queued' END,
    ended_at = CASE WHEN cancel_asked OR failures + 1 >= $4 THEN now() END
WHERE id = $1::text::uuid AND token = $2::text::uuid RETURNING status
"""

STOP: Final = """
UPDATE shop.job SET status = 'cancelled', token = NULL, ended_at = now(), updated_at = now()
WHERE id = $1::text::uuid AND token = $2::text::uuid AND cancel_asked
"""

GIVE_BACK: Final = """
UPDATE shop.job SET status = 'queued', token = NULL, attempts = attempts - 1, updated_at = now()
WHERE id = $1::text::uuid AND token = $2::text::uuid
"""

FIND_OWNED: Final = """
SELECT token::text FROM shop.job
WHERE id = ANY ($1::text[]::uuid[]) AND token = ANY ($2::text[]::uuid[]) AND NOT cancel_asked
"""

SET_ASIDE: Final = """
UPDATE shop.job SET status = 'queued', token = NULL, error = $3, updated_at = now()
WHERE id = $1::text::uuid AND token = $2::text::uuid
"""

ERROR_LENGTH_MAX: Final = 2000
"""Characters of an error that are kept: what a person reads of it."""


class Attempt:
    """One attempt at a job: implements `Task`.

    Attributes:
        job: As it stood when this attempt began.
        ticket: What the queue knows the job by.
        token: What owns it.
        is_finished: Whether the handler finished it itself, in a transaction that may yet fail.
    """

    def __init__(self, database: Database, job: Job, ticket: str, token: str) -> None:
        self.job, self.ticket, self.token = job, ticket, token
        self.is_finished = False
        self._database = database

    async def report(self, done: int, total: int = 0, note: str = "") -> None:
        words = (self.job.id, self.token, done, total, note)

        async def work(connection: Connection) -> bool | None:
            asked: bool | None = await connection.fetchval(REPORT, *words)
            return asked

        self._check((await self._database.write(work))[0])

    async def hold(self, connection: Connection) -> None:
        self._check(await connection.fetchval(HOLD, self.job.id, self.token))

    async def keep(self, connection: Connection, state: JSON) -> None:
        await self.hold(connection)
        await connection.execute(KEEP, self.job.id, self.token, _json(state))

    async def finish(self, connection: Connection, result: JSON) -> None:
        await self.hold(connection)
        await connection.execute(FINISH, self.job.id, self.token, _json(result))
        self.is_finished = True

    async def end(self, result: JSON) -> None:
        """End it as done, if it is not: also where somebody asked for its end too late.

        Raises:
            Superseded: Another attempt has the job.
        """
        try:
            await self._write(FINISH, _json(result))
        except Superseded:
            if not self.is_finished:
                raise

    async def fail(self, error: str, failures_max: int) -> Status:
        """Note that it failed; return where the job stands: queued again, parked or cancelled.

        Raises:
            Superseded: Another attempt has the job.
        """

        async def work(connection: Connection) -> str | None:
            # PostgreSQL keeps no NUL, and a message may quote what somebody sent.
            said = error.replace("\0", "")[:ERROR_LENGTH_MAX]
            words = (self.job.id, self.token, said, failures_max)
            status: str | None = await connection.fetchval(FAIL, *words)
            return status

        status, _ = await self._database.write(work)
        if status is None:
            raise Superseded(self.job.id)
        return Status(status)

    async def stop(self) -> None:
        """End it as cancelled, as somebody asked.

        Raises:
            Superseded: Another attempt has the job.
        """
        await self._write(STOP)

    async def give_back(self) -> None:
        """Let another worker have it; this attempt never was.

        Raises:
            Superseded: Another one has it already.
        """
        await self._write(GIVE_BACK)

    async def set_aside(self, error: str) -> None:
        """Let another attempt have it: this one failed by no fault of the job's.

        It counts as begun, so what fails that way for ever is parked, too.

        Raises:
            Superseded: Another one has it already.
        """
        await self._write(SET_ASIDE, error.replace("\0", "")[:ERROR_LENGTH_MAX])

    async def _write(self, statement: str, *words: str) -> None:
        async def work(connection: Connection) -> str:
            said: str = await connection.execute(statement, self.job.id, self.token, *words)
            return said

        said, _ = await self._database.write(work)
        if said == "UPDATE 0":
            raise Superseded(self.job.id)

    def _check(self, cancel_asked: bool | None) -> None:
        if cancel_asked is None:
            raise Superseded(self.job.id)
        if cancel_asked:
            raise JobCancelled(self.job.id)


async def begin(database: Database, ticket: str, attempts_max: int) -> Attempt | None:
    """Begin an attempt at the job that has `ticket`; whoever had it has it no more.

    Args:
        database: Where it is kept.
        ticket: What the queue knows it by.
        attempts_max: One that was begun as often is parked: it takes its workers with it.

    Returns:
        The attempt; None where there is nothing to do: the job is over, or has another ticket.
    """
    token = str(uuid.uuid4())

    async def work(connection: Connection) -> Job | None:
        if row := await connection.fetchrow(BEGIN, ticket, token, attempts_max):
            return job_of(row)
        ended = f"It was begun {attempts_max} times, and its worker died each time."
        await connection.execute(CLOSE, ticket, attempts_max, ended)
        return None

    job, _ = await database.write(work)
    return None if job is None else Attempt(database, job, ticket, token)


async def find_lost(database: Database, attempts: Sequence[Attempt]) -> list[str]:
    """Return the tickets of those of `attempts` that are to end: cancelled, or another's.

    Raises:
        DatabaseUnavailable: Nobody knows.
    """
    ids = [attempt.job.id for attempt in attempts]
    tokens = [attempt.token for attempt in attempts]
    rows = await database.read(lambda connection: connection.fetch(FIND_OWNED, ids, tokens))
    owned = {row["token"] for row in rows}
    return [
        attempt.ticket
        for attempt in attempts
        if attempt.token not in owned and not attempt.is_finished
    ]


def _json(value: JSON) -> str:
    return msgspec.json.encode(value).decode()
