"""Answers under an Idempotency-Key, in PostgreSQL.

The rule: the answer is kept in the transaction of the effect, so either both are there or neither
is. Only what had an effect is kept: a request that was refused may be mended and sent again under
its key. Whoever creates something calls `answer_once` in a transaction of its own.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from asyncpg import Connection
from msgspec import Struct

from render_service.errors import KeyReused, StillRunning

# For the rest of the transaction, which PgBouncer does not cut in two.
TAKE: Final = "SELECT pg_try_advisory_xact_lock($1)"

FIND: Final = """
SELECT fingerprint, status, headers, body FROM shop.idempotency
WHERE caller = $1 AND key = $2 AND kept_at > now() - interval '24 hours'
"""

KEEP: Final = """
INSERT INTO shop.idempotency (caller, key, fingerprint, status, headers, body)
VALUES ($1, $2, $3, $4, $5::jsonb, $6)
ON CONFLICT (caller, key) DO UPDATE
SET fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
    body = excluded.body, kept_at = now()
"""

# A hundred at a time: each write sweeps more than it adds, and none waits for a large sweep.
FORGET: Final = """
DELETE FROM shop.idempotency WHERE (caller, key) IN (
    SELECT caller, key FROM shop.idempotency WHERE kept_at < now() - interval '24 hours'
    ORDER BY kept_at LIMIT 100 FOR UPDATE SKIP LOCKED
)
"""


class Once(Struct, frozen=True, kw_only=True):
    """What a request is known by.

    Attributes:
        caller: Whose key it is: two callers may use the same.
        key: As the caller gave it.
        fingerprint: SHA-256 of the request: under its key there is no other.
    """

    caller: str
    key: str
    fingerprint: bytes


class Answer(Struct, frozen=True, kw_only=True):
    """What is answered to a request, and again to the same request.

    Attributes:
        status: HTTP status, 2xx.
        headers: Those of its own, by lower-case name.
        body: JSON.
        replayed: Whether it had been given before.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    replayed: bool = False


async def answer_once(
    connection: Connection, once: Once | None, work: Callable[[], Awaitable[Answer]]
) -> Answer:
    """Return what `work` answers, or what it answered when it was asked the same before.

    Args:
        connection: In a transaction; `work` writes in the same one.
        once: What the request is known by; None where it has no key, and is done each time.
        work: Has the effect. What it raises ends the transaction, and nothing is kept.

    Raises:
        StillRunning: The same is being done at this moment.
        KeyReused: The key stands for another request.
    """
    if once is None:
        return await work()
    if not await connection.fetchval(TAKE, _lock_of(once)):
        raise StillRunning(once.key)
    row = await connection.fetchrow(FIND, once.caller, once.key)
    if row is not None:
        if row["fingerprint"] != once.fingerprint:
            raise KeyReused(once.key)
        headers = msgspec.json.decode(row["headers"], type=dict[str, str])
        return Answer(status=row["status"], headers=headers, body=row["body"], replayed=True)
    answer = await work()
    headers_ = msgspec.json.encode(answer.headers).decode()
    words = (once.caller, once.key, once.fingerprint, answer.status, headers_, answer.body)
    await connection.execute(KEEP, *words)
    await connection.execute(FORGET)
    return answer


def _lock_of(once: Once) -> int:
    """Return a number of 64 bits: two keys that share one wait for nothing but each other."""
    name = f"{once.caller}\0{once.key}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
