"""The relay: rows of the outbox → the queue, and whoever wants to hear of events.

The rule: a row is marked as sent in the transaction that claimed it, after it was sent. So none is
lost, and one that is sent twice is the same to whoever gets it.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from asyncpg import Connection

from render_service.adapters.job_queue import JobQueue, Ticket
from render_service.adapters.outbox import JOB, Sent, claim, mark_sent
from render_service.adapters.postgres import Database

AT_ONCE: Final = 200
"""Rows of one transaction: some 30 ms of it, so nothing waits for them for long."""

SILENT_S: Final = 300.0
"""After which a live job is told of again, in case the queue lost it: a queue that knows it leaves
it where it is, and one that was emptied has it back within this time."""

TICKETS: Final = """
SELECT ticket::text, kind, priority FROM shop.job
WHERE id = ANY ($1::text[]::uuid[]) AND status IN ('queued', 'running')
"""

OFFER_AGAIN: Final = """
UPDATE shop.outbox SET sent_at = NULL WHERE id IN (
    SELECT told.id FROM shop.job JOIN shop.outbox told ON told.id = job.ticket
    WHERE job.status IN ('queued', 'running') AND told.sent_at < now() - $1 * interval '1 s'
    ORDER BY told.sent_at LIMIT 1000 FOR UPDATE OF told SKIP LOCKED
)
"""

Spread = Callable[[Connection, Sequence[Sent]], Awaitable[None]]
"""Tells of events in the transaction that claimed them, by ordering jobs: it calls nobody."""


class Relay:
    """Sends what is in the outbox."""

    def __init__(self, database: Database, queue: JobQueue, spread: Spread) -> None:
        self._database, self._queue, self._spread = database, queue, spread

    async def send(self) -> int:
        """Send the oldest rows; return how many there were: `AT_ONCE` if there may be more.

        Raises:
            DatabaseUnavailable: Nothing is marked as sent.
            QueueUnavailable: Likewise.
        """
        sent, _ = await self._database.write(self._send)
        return sent

    async def offer_again(self, silent_s: float = SILENT_S) -> None:
        """Have live jobs told of again that were told of `silent_s` ago.

        Raises:
            DatabaseUnavailable: They cannot be looked up.
        """
        await self._database.write(lambda connection: connection.execute(OFFER_AGAIN, silent_s))

    async def _send(self, connection: Connection) -> int:
        rows = await claim(connection, AT_ONCE)
        jobs = [row.subject for row in rows if row.topic == JOB]
        events = [row for row in rows if row.topic != JOB]
        if jobs:
            await self._queue.add(
                [
                    Ticket(id=row["ticket"], kind=row["kind"], priority=row["priority"])
                    for row in await connection.fetch(TICKETS, jobs)
                ]
            )
        if events:
            await self._spread(connection, events)
        if rows:
            await mark_sent(connection, [row.id for row in rows])
        return len(rows)
