"""The outbox: what follows from a write, kept in the transaction of that write.

The rule: a row here says that something happened, so it is there exactly if that is kept. Who sends
rows claims them (SKIP LOCKED), in any order, and may send one twice: whoever receives them knows
them by their id.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from asyncpg import Connection
from msgspec import Struct

from render_service.jobs.model import JSON, Event

JOB: Final = "job"
"""The topic of rows that tell the queue of a job; `subject` is its id. All others are events."""

TELL: Final = """
INSERT INTO shop.outbox (topic, subject, payload, caused_by) VALUES ($1, $2, $3::jsonb, $4)
RETURNING id::text
"""

CLAIM: Final = """
SELECT id::text, topic, subject, payload, caused_by, created_at FROM shop.outbox
WHERE sent_at IS NULL ORDER BY number LIMIT $1 FOR UPDATE SKIP LOCKED
"""

MARK_SENT: Final = """
UPDATE shop.outbox SET sent_at = now() WHERE id = ANY ($1::text[]::uuid[])
"""


class Sent(Struct, frozen=True, kw_only=True):
    """A row of the outbox, as it is sent.

    Attributes:
        id: A UUID; the same whenever the row is sent again.
        topic: `JOB`, or that of an event.
        subject: What it is about.
        payload: The event's.
        by: Who caused it.
        at: When.
    """

    id: str
    topic: str
    subject: str
    payload: JSON
    by: str
    at: datetime


async def announce(connection: Connection, event: Event) -> str:
    """Keep `event` in the transaction of `connection`; return its id.

    It is told to webhooks after that transaction is kept, and never if it is not.
    """
    words = (event.topic, event.subject, msgspec.json.encode(event.payload).decode(), event.by)
    return str(await connection.fetchval(TELL, *words))


async def claim(connection: Connection, limit: int) -> list[Sent]:
    """Return rows that were not sent, oldest first.

    Nobody else gets them until the transaction of `connection` ends.
    """
    return [
        Sent(
            id=row["id"],
            topic=row["topic"],
            subject=row["subject"],
            payload=msgspec.json.decode(row["payload"]),
            by=row["caused_by"],
            at=row["created_at"],
        )
        for row in await connection.fetch(CLAIM, limit)
    ]


async def mark_sent(connection: Connection, ids: Sequence[str]) -> None:
    """Send those rows no more."""
    await connection.execute(MARK_SENT, list(ids))
