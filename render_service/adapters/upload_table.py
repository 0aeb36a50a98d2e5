"""Uploads and assets in PostgreSQL.

The rule: an upload moves one way (waiting, checking, judged), each step one statement that says
from where, in the transaction of the job that it orders or ends.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record

from render_service.adapters.job_table import order
from render_service.adapters.postgres import Database
from render_service.assets.model import (
    Announced,
    Asset,
    AssetKind,
    Facts,
    Upload,
    UploadStatus,
)
from render_service.assets.ports import Finish
from render_service.errors import (
    FileRefused,
    RefusedFor,
    TooManyUploads,
    UnknownAsset,
    UnknownUpload,
)
from render_service.jobs.model import Kind, Order

COLUMNS: Final = """id::text, announced, uploaded_by, reason, explanation, job::text, created_at,
    expires_at,
    CASE WHEN status = 'waiting' AND expires_at <= now() THEN 'expired' ELSE status END AS status"""

# Beginnings of one caller wait for one another, until the end of their transactions.
LOCK_CALLER: Final = "SELECT pg_advisory_xact_lock(hashtextextended('shop.upload ' || $1, 0))"

COUNT_OPEN: Final = """
SELECT count(*) AS open, coalesce(extract(epoch FROM min(expires_at) - now()), 0)::float8 AS next_s
FROM shop.upload WHERE uploaded_by = $1 AND status IN ('waiting', 'checking')
    AND (status = 'checking' OR expires_at > now())
"""

BEGIN: Final = f"""
INSERT INTO shop.upload (announced, uploaded_by, expires_at)
VALUES ($1::jsonb, $2, date_trunc('second', now()) + $3 * interval '1 second') RETURNING {COLUMNS}
"""  # noqa: S608  # words of our own

GET_UPLOAD: Final = f"""
SELECT {COLUMNS} FROM shop.upload WHERE id = $1::text::uuid
"""  # noqa: S608

LOCK_WAITING: Final = """
SELECT id FROM shop.upload WHERE id = $1::text::uuid AND status = 'waiting' FOR UPDATE
"""

START_CHECK: Final = """
UPDATE shop.upload SET status = 'checking', job = $2::text::uuid
WHERE id = $1::text::uuid AND status = 'waiting'
"""

JUDGE: Final = """
UPDATE shop.upload SET status = $2, reason = $3, explanation = $4, ended_at = now()
WHERE id = $1::text::uuid AND status = 'checking'
"""

KEEP_ASSET: Final = """
INSERT INTO shop.asset AS held (sha256, bytes, facts, kinds, name, uploaded_by)
VALUES ($1, $2, $3::jsonb, ARRAY[$4::text], $5, $6)
ON CONFLICT (sha256) DO UPDATE SET kinds = held.kinds || excluded.kinds
WHERE NOT held.kinds @> excluded.kinds
"""

GET_ASSET: Final = """
SELECT sha256, bytes, facts, kinds, name, uploaded_by, created_at FROM shop.asset
WHERE sha256 = $1
"""

LIST_TO_CLEAR: Final = """
SELECT id::text FROM shop.upload
WHERE NOT is_cleared AND expires_at < now() - $1 * interval '1 second' AND status <> 'checking'
ORDER BY expires_at LIMIT $2
"""

FORGET_NEVER_SENT: Final = """
DELETE FROM shop.upload WHERE id = ANY ($1::text[]::uuid[]) AND status = 'waiting'
"""

NOTE_CLEARED: Final = """
UPDATE shop.upload SET is_cleared = true WHERE id = ANY ($1::text[]::uuid[])
"""

FORGET: Final = """
DELETE FROM shop.upload WHERE ended_at < now() - $1 * interval '1 second' AND is_cleared
"""

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class UploadRows:
    """Implements `UploadTable`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, announced: Announced, by: str, *, form_s: int, most: int) -> Upload:
        async def work(connection: Connection) -> Record:
            await connection.execute(LOCK_CALLER, by)
            counted = await connection.fetchrow(COUNT_OPEN, by)
            if counted["open"] >= most:
                raise TooManyUploads(most, max(1, round(counted["next_s"])))
            return await connection.fetchrow(BEGIN, _json(announced), by, form_s)

        row, _ = await self._database.write(work)
        return _upload(row)

    async def get(self, upload: str) -> Upload:
        row = None
        if _UUID.fullmatch(upload):
            row = await self._database.read(
                lambda connection: connection.fetchrow(GET_UPLOAD, upload)
            )
        if row is None:
            raise UnknownUpload(upload)
        return _upload(row)

    async def complete(self, upload: str, by: str) -> Upload:
        async def work(connection: Connection) -> None:
            # Who completes it at the same time waits here, and then finds it under way.
            if await connection.fetchval(LOCK_WAITING, upload) is not None:
                payload = {"upload": upload}
                asked = Order(kind=Kind.INGEST, payload=payload, by=by, key=upload)
                await connection.execute(START_CHECK, upload, await order(connection, asked))

        await self.get(upload)
        await self._database.write(work)
        return await self.get(upload)

    async def accept(self, upload: Upload, facts: Facts, finish: Finish) -> None:
        announced = upload.announced
        asset = (announced.sha256, announced.bytes, _json(facts), announced.kind.value)

        async def work(connection: Connection) -> None:
            await finish(connection, _result(upload, UploadStatus.ACCEPTED, None))
            await connection.execute(JUDGE, upload.id, UploadStatus.ACCEPTED, None, None)
            await connection.execute(KEEP_ASSET, *asset, announced.name, upload.by)
            if announced.kind is AssetKind.PHOTO:
                await order(connection, _make_ready(announced, upload.by))

        await self._database.write(work)

    async def refuse(self, upload: Upload, refused: FileRefused, finish: Finish) -> None:
        why = refused.reason.value, refused.explanation

        async def work(connection: Connection) -> None:
            await finish(connection, _result(upload, UploadStatus.REFUSED, refused.reason))
            await connection.execute(JUDGE, upload.id, UploadStatus.REFUSED, *why)

        await self._database.write(work)

    async def list_to_clear(self, *, grace_s: int, limit: int) -> Sequence[str]:
        rows = await self._database.read(
            lambda connection: connection.fetch(LIST_TO_CLEAR, grace_s, limit)
        )
        return [row["id"] for row in rows]

    async def note_cleared(self, uploads: Sequence[str]) -> None:
        async def work(connection: Connection) -> None:
            await connection.execute(FORGET_NEVER_SENT, uploads)
            await connection.execute(NOTE_CLEARED, uploads)

        await self._database.write(work)

    async def forget(self, *, after_s: int) -> int:
        done, _ = await self._database.write(lambda connection: connection.execute(FORGET, after_s))
        # As PostgreSQL words it: `DELETE 12`.
        return int(done.split()[-1])

    async def get_asset(self, sha256: str) -> Asset:
        row = None
        if _SHA256.fullmatch(sha256):
            row = await self._database.read(
                lambda connection: connection.fetchrow(GET_ASSET, sha256)
            )
        if row is None:
            raise UnknownAsset(sha256)
        return Asset(
            sha256=row["sha256"],
            bytes=row["bytes"],
            facts=msgspec.json.decode(row["facts"], type=Facts),
            kinds=tuple(AssetKind(kind) for kind in row["kinds"]),
            name=row["name"],
            by=row["uploaded_by"],
            created=row["created_at"],
        )


def _make_ready(announced: Announced, by: str) -> Order:
    focus = None if announced.focus is None else msgspec.to_builtins(announced.focus)
    payload = {"photo": announced.sha256, "focus": focus}
    return Order(kind=Kind.MEDIA, payload=payload, by=by, key=announced.sha256)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _result(upload: Upload, status: UploadStatus, reason: RefusedFor | None) -> Any:  # noqa: ANN401
    return {"upload": upload.id, "status": status, "reason": reason}


def _upload(row: Record) -> Upload:
    return Upload(
        id=row["id"],
        announced=msgspec.json.decode(row["announced"], type=Announced),
        by=row["uploaded_by"],
        status=UploadStatus(row["status"]),
        reason=None if row["reason"] is None else RefusedFor(row["reason"]),
        explanation=row["explanation"],
        job=row["job"],
        created=row["created_at"],
        expires=row["expires_at"],
    )
