"""Who did what, in PostgreSQL.

The rule: an entry is added in the transaction that does what it tells, and never changed; a trigger
of the table refuses it to everybody.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from asyncpg import Connection, Record

from render_service.drafts.activity import Act, Entry, Sought

RECORD: Final = """
INSERT INTO shop.activity (who, action, subject, details, outcome_of)
VALUES ($1, $2, $3, $4::jsonb, $5)
ON CONFLICT (outcome_of) DO NOTHING
RETURNING id
"""

LIST_ACTIVITY: Final = """
SELECT id, at, who, action, subject, details, outcome_of FROM shop.activity
WHERE id < $1 AND ($3::text IS NULL OR who = $3) AND ($4::text IS NULL OR subject = $4)
ORDER BY id DESC LIMIT $2
"""

LIST_OPEN: Final = """
SELECT id, at, who, action, subject, details, outcome_of FROM shop.activity begun
WHERE action IN ('publish.begun', 'restore.begun')
    AND NOT EXISTS (SELECT FROM shop.activity WHERE outcome_of = begun.id)
ORDER BY id LIMIT $1
"""

OPEN_MAX: Final = 100
"""Looked after at a time; each takes a look into the store of releases."""

_ID_MAX: Final = 2**63 - 1


async def record(connection: Connection, act: Act) -> int | None:
    """Note `act` in the caller's transaction; return the id of the entry.

    None where what it is the end of has its end already: nothing was noted.
    """
    details = msgspec.json.encode(act.details).decode()
    found = await connection.fetchval(
        RECORD, act.who, act.action.value, act.subject, details, act.outcome_of
    )
    return None if found is None else int(found)


async def list_activity(connection: Connection, sought: Sought) -> Sequence[Entry]:
    """Return what was done, newest first."""
    before = _ID_MAX if sought.before is None else sought.before
    rows = await connection.fetch(LIST_ACTIVITY, before, sought.limit, sought.who, sought.subject)
    return [_entry(row) for row in rows]


async def list_open(connection: Connection) -> Sequence[Entry]:
    """Return what was about to be done elsewhere and has no end yet, oldest first."""
    return [_entry(row) for row in await connection.fetch(LIST_OPEN, OPEN_MAX)]


def _entry(row: Record) -> Entry:
    return msgspec.convert({**row, "details": msgspec.json.decode(row["details"])}, Entry)
