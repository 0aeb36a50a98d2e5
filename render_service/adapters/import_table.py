"""Files of products that were sent, in pieces, and what came of their rows, in PostgreSQL.

The rule: a file is kept where its job is, so whichever worker takes it finds it; its order is kept
with the last of it, and the outcome of a row with the row.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final
from uuid import uuid4

import msgspec
from asyncpg import Connection
from msgspec import Struct

from render_service.adapters.idempotency_table import Answer, Once, answer_once
from render_service.adapters.job_table import order
from render_service.adapters.postgres import Database
from render_service.errors import UnknownJob
from render_service.jobs.model import Kind, Order
from render_service.products.rows import RowFormat

BEGIN: Final = """
INSERT INTO shop.import (id, format, reject_all, dry_run, ordered_by)
VALUES ($1::text::uuid, $2, $3, $4, $5)
"""

SWEEP: Final = """
DELETE FROM shop.import WHERE id IN (
    SELECT id FROM shop.import
    WHERE created_at < now() - interval '1 day'
        AND (job IS NULL OR created_at < now() - interval '30 days')
    ORDER BY created_at LIMIT 10 FOR UPDATE SKIP LOCKED
)
"""

ADD_PIECE: Final = """
INSERT INTO shop.import_piece (import, number, data) VALUES ($1::text::uuid, $2, $3)
"""

SET_JOB: Final = """
UPDATE shop.import SET job = $2::text::uuid WHERE id = $1::text::uuid
"""

GET: Final = """
SELECT id::text, format, reject_all, dry_run, ordered_by FROM shop.import WHERE id = $1::text::uuid
"""

FIND: Final = """
SELECT id::text FROM shop.import WHERE job = $1::text::uuid
"""

PIECE: Final = """
SELECT data FROM shop.import_piece WHERE import = $1::text::uuid AND number = $2
"""

ADD_ROW: Final = """
INSERT INTO shop.import_row (import, line, product, outcome, faults)
VALUES ($1::text::uuid, $2, $3, $4, $5::jsonb) ON CONFLICT (import, line) DO UPDATE
SET product = excluded.product, outcome = excluded.outcome, faults = excluded.faults
"""

ROWS: Final = """
SELECT line, product, outcome, faults FROM shop.import_row
WHERE import = $1::text::uuid AND line > $2 ORDER BY line LIMIT 1000
"""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

PIECE_BYTES: Final = 1 << 20
"""Of a piece: what one statement writes in some 10 ms."""


class Import(Struct, frozen=True, kw_only=True):
    """A file that was sent.

    Attributes:
        id: A UUID.
        format: How its rows are spelt.
        reject_all: Nothing is written if a row is refused.
        dry_run: Nothing is written at all.
        ordered_by: Who sent it.
    """

    id: str
    format: RowFormat
    reject_all: bool
    dry_run: bool
    ordered_by: str


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a row.

    Attributes:
        line: Of the file, from 1.
        product: Its id, where it could be read.
        outcome: added, changed, same, refused, or sound where nothing was to be written.
        faults: Of a row that was refused.
    """

    line: int
    product: str | None
    outcome: str
    faults: list[dict[str, Any]] = []


class ImportTable:
    """Keeps files until their jobs are done, and the outcome of their rows for a month."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def receive(
        self,
        words: Import,
        pieces: AsyncIterator[bytes],
        once_of: Callable[[bytes], Once | None],
        answer: Callable[[str], Answer],
    ) -> tuple[Answer, str]:
        """Keep a file as it arrives, and order its import when it is whole.

        Args:
            words: What it is; its id is a new one.
            pieces: The file, in pieces of any length.
            once_of: What the request is known by, from the SHA-256 of the file.
            answer: What is answered, from the id of the job.

        Returns:
            The answer, and the position after it.

        Raises:
            DatabaseUnavailable, OutcomeUnknown: As `Database.write`; nothing was ordered.
        """
        await self._write(SWEEP)
        begun = (words.id, words.format, words.reject_all, words.dry_run, words.ordered_by)
        await self._write(BEGIN, *begun)
        digest, number = hashlib.sha256(), 0
        async for piece in _evened(pieces):
            digest.update(piece)
            await self._write(ADD_PIECE, words.id, number, piece)
            number += 1

        async def work(connection: Connection) -> Answer:
            async def effect() -> Answer:
                payload = {"import": words.id}
                asked = Order(kind=Kind.IMPORT, payload=payload, by=words.ordered_by)
                job = await order(connection, asked)
                await connection.execute(SET_JOB, words.id, job)
                return answer(job)

            return await answer_once(connection, once_of(digest.digest()), effect)

        return await self._database.write(work)

    async def get(self, import_id: str) -> Import:
        """Return what is known of a file.

        Raises:
            UnknownJob: It was swept.
        """
        row = await self._database.read(lambda connection: connection.fetchrow(GET, import_id))
        if row is None:
            raise UnknownJob(import_id)
        return msgspec.convert(dict(row), Import)

    async def lines(self, import_id: str) -> AsyncIterator[bytes]:
        """Yield the lines of a file, with their ends."""
        rest, number = b"", 0
        while (piece := await self._piece(import_id, number)) is not None:
            *whole, rest = (rest + piece).split(b"\n")
            for line in whole:
                yield line + b"\n"
            number += 1
        if rest:
            yield rest

    async def find(self, job_id: str) -> str:
        """Return the id of the file of a job.

        Raises:
            UnknownJob: It is no import, or was swept.
        """
        found = None
        if _UUID.fullmatch(job_id):
            found = await self._database.read(lambda connection: connection.fetchval(FIND, job_id))
        if found is None:
            raise UnknownJob(job_id)
        return str(found)

    async def outcomes(self, import_id: str) -> AsyncIterator[Outcome]:
        """Yield the outcomes of the rows of a file that were looked at so far, in its order."""
        after = 0
        while rows := await self._rows(import_id, after):
            for row in rows:
                yield Outcome(
                    line=row["line"],
                    product=row["product"],
                    outcome=row["outcome"],
                    faults=msgspec.json.decode(row["faults"]),
                )
            after = rows[-1]["line"]

    async def _piece(self, import_id: str, number: int) -> bytes | None:
        found: bytes | None = await self._database.read(
            lambda connection: connection.fetchval(PIECE, import_id, number)
        )
        return found

    async def _rows(self, import_id: str, after: int) -> Sequence[Any]:
        found: Sequence[Any] = await self._database.read(
            lambda connection: connection.fetch(ROWS, import_id, after)
        )
        return found

    async def _write(self, statement: str, *values: object) -> None:
        await self._database.write(lambda connection: connection.execute(statement, *values))


async def keep_outcomes(
    connection: Connection, import_id: str, outcomes: Sequence[Outcome]
) -> None:
    """Keep what came of rows, in the transaction of `connection`."""
    rows = [
        (import_id, one.line, one.product, one.outcome, msgspec.json.encode(one.faults).decode())
        for one in outcomes
    ]
    await connection.executemany(ADD_ROW, rows)


def new_import_id() -> str:
    """Return the id of a file that is about to arrive."""
    return str(uuid4())


async def _evened(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the same bytes in pieces of one length."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
            await asyncio.sleep(0)
    if held:
        yield bytes(held)
