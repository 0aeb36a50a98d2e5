"""Drafts in PostgreSQL; implements `DraftStore`.

The rule: a change reads, compares and writes one row in one transaction, which also notes who made
it; so of two who change one revision one wins, and the other is told by whom.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from asyncpg import Connection, Record

from render_service.adapters.activity_table import list_activity, list_open, record
from render_service.adapters.outbox import announce
from render_service.adapters.postgres import Database
from render_service.composition.model import QualityTable
from render_service.drafts.activity import Act, Action, Entry, Sought
from render_service.drafts.model import (
    Begun,
    Documents,
    Draft,
    Listed,
    Mark,
    Page,
    Place,
    Preview,
)
from render_service.drafts.ports import Edit, Shown
from render_service.errors import DraftMoved, UnknownDraft
from render_service.jobs.model import Event

CREATE_DRAFT: Final = """
INSERT INTO shop.draft (id, composition, base, definition, materials, qualities, assets,
    preview, preview_until, created_by, updated_by)
VALUES ($1, $2, $3, $4::json, $5::json, $6::json, $7::json, $8, $9, $10, $10)
RETURNING *
"""

GET_DRAFT: Final = """
SELECT * FROM shop.draft WHERE id = $1
"""

LOCK_DRAFT: Final = """
SELECT * FROM shop.draft WHERE id = $1 FOR UPDATE
"""

CHANGE_DRAFT: Final = """
UPDATE shop.draft SET definition = $2::json, materials = $3::json, qualities = $4::json,
    assets = $5::json, preview = $6, preview_until = $7, revision = revision + 1,
    updated_at = now(), updated_by = $8
WHERE id = $1 RETURNING *
"""

SET_BASE: Final = """
UPDATE shop.draft SET base = $2 WHERE id = $1
"""

SET_PREVIEW: Final = """
UPDATE shop.draft SET preview = $2, preview_until = $3 WHERE id = $1 RETURNING *
"""

FIND_PREVIEW: Final = """
SELECT id, revision FROM shop.draft WHERE preview = $1 AND preview_until > now()
"""

DELETE_DRAFT: Final = """
DELETE FROM shop.draft WHERE id = $1
"""

LIST_DRAFTS: Final = """
SELECT id, composition, base, revision, created_at, created_by, updated_at, updated_by
FROM shop.draft WHERE (updated_at, id) < ($1, $2) ORDER BY updated_at DESC, id DESC LIMIT $3
"""

# asyncpg's spelling of `infinity`: behind every instant.
_BEFORE_ALL: Final = datetime.max.replace(tzinfo=UTC)


class DraftTable:
    """Implements `DraftStore`. What is read is never stale: an ETag of it is written by."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, begun: Begun, who: str, preview: Preview) -> Draft:
        async def work(connection: Connection) -> Draft:
            row = await connection.fetchrow(
                CREATE_DRAFT,
                begun.id,
                begun.composition,
                begun.base,
                *_spelled(begun.documents),
                preview.id,
                preview.until,
                who,
            )
            facts = {"composition": begun.composition, "base": begun.base}
            await _note(connection, Action.DRAFT_CREATED, begun.id, who, facts)
            return _draft(row)

        return (await self._database.write(work))[0]

    async def get(self, draft: str) -> Draft:
        row = await self._database.read(lambda connection: connection.fetchrow(GET_DRAFT, draft))
        if row is None:
            raise UnknownDraft(draft)
        return _draft(row)

    async def list_all(self, limit: int, after: Place | None) -> Page:
        place = (_BEFORE_ALL, "") if after is None else (after.at, after.id)
        rows = await self._database.read(
            lambda connection: connection.fetch(LIST_DRAFTS, *place, limit + 1)
        )
        items = tuple(_listed(row) for row in rows[:limit])
        more = Place(at=items[-1].updated.at, id=items[-1].id) if len(rows) > limit else None
        return Page(items=items, next=more)

    async def change(
        self, draft: str, revision: int | None, edit: Edit, who: str, preview: Preview
    ) -> Draft:
        async def work(connection: Connection) -> Draft:
            held = await _lock(connection, draft, revision)
            documents = edit(held.documents)
            if _spelled(documents) == _spelled(held.documents):
                return held
            row = await connection.fetchrow(
                CHANGE_DRAFT, draft, *_spelled(documents), preview.id, preview.until, who
            )
            facts = {"composition": held.composition, "revision": held.revision + 1}
            await _note(connection, Action.DRAFT_UPDATED, draft, who, facts)
            return _draft(row)

        return (await self._database.write(work))[0]

    async def note_base(self, draft: str, base: str) -> None:
        await self._database.write(lambda connection: connection.execute(SET_BASE, draft, base))

    async def set_preview(self, draft: str, preview: Preview | None, who: str) -> Draft:
        async def work(connection: Connection) -> Draft:
            held = await _lock(connection, draft, None)
            renewed = (None, None) if preview is None else (preview.id, preview.until)
            row = await connection.fetchrow(SET_PREVIEW, draft, *renewed)
            action = Action.PREVIEW_REVOKED if preview is None else Action.PREVIEW_RENEWED
            await _note(connection, action, draft, who, {"revision": held.revision})
            return _draft(row)

        return (await self._database.write(work))[0]

    async def find_preview(self, preview: bytes) -> Shown | None:
        row = await self._database.read(
            lambda connection: connection.fetchrow(FIND_PREVIEW, preview)
        )
        return None if row is None else Shown(row["id"], row["revision"])

    async def delete(self, draft: str, revision: int | None, who: str) -> None:
        async def work(connection: Connection) -> None:
            held = await _lock(connection, draft, revision)
            await connection.execute(DELETE_DRAFT, draft)
            facts = {"composition": held.composition, "revision": held.revision}
            await _note(connection, Action.DRAFT_DELETED, draft, who, facts)

        await self._database.write(work)

    async def begin_publication(self, act: Act) -> Entry:
        async def work(connection: Connection) -> Entry:
            number = await record(connection, act)
            (entry,) = await list_activity(connection, Sought(limit=1, before=(number or 0) + 1))
            return entry

        return (await self._database.write(work))[0]

    async def end_publication(self, act: Act) -> None:
        async def work(connection: Connection) -> None:
            if await record(connection, act) is None or act.action is Action.NOTHING_PUBLISHED:
                return
            details = act.details
            topics = {act.action.value: act.subject}
            if "draft" in details:
                await connection.execute(SET_BASE, details["draft"], details["release"])
                topics["draft.published"] = f"draft:{details['draft']}"
            for topic, subject in topics.items():
                event = Event(topic=topic, subject=subject, payload=dict(details), by=act.who)
                await announce(connection, event)

        await self._database.write(work)

    async def list_open(self) -> Sequence[Entry]:
        return await self._database.read(list_open)

    async def list_activity(self, sought: Sought) -> Sequence[Entry]:
        return await self._database.read(lambda connection: list_activity(connection, sought))


async def _lock(connection: Connection, draft: str, revision: int | None) -> Draft:
    """Return the draft as it is until the transaction ends."""
    row = await connection.fetchrow(LOCK_DRAFT, draft)
    if row is None:
        raise UnknownDraft(draft)
    held = _draft(row)
    if revision is not None and held.revision != revision:
        raise DraftMoved(draft, revision, held.revision, held.updated.who, held.updated.at)
    return held


async def _note(
    connection: Connection, action: Action, draft: str, who: str, facts: dict[str, Any]
) -> None:
    await record(connection, Act(who=who, action=action, subject=f"draft:{draft}", details=facts))


def _spelled(documents: Documents) -> tuple[str, str, str, str]:
    """The columns of `documents`, as JSON."""
    parts = (documents.definition, documents.materials, documents.qualities, documents.assets)
    definition, materials, qualities, assets = (
        msgspec.json.encode(part).decode() for part in parts
    )
    return definition, materials, qualities, assets


def _draft(row: Record) -> Draft:
    documents = Documents(
        definition=msgspec.json.decode(row["definition"]),
        materials=msgspec.json.decode(row["materials"]),
        qualities=msgspec.json.decode(row["qualities"], type=tuple[QualityTable, ...]),
        assets=msgspec.json.decode(row["assets"]),
    )
    preview = None
    if row["preview"] is not None:
        preview = Preview(id=row["preview"], until=row["preview_until"])
    return Draft(
        id=row["id"],
        composition=row["composition"],
        base=row["base"],
        revision=row["revision"],
        documents=documents,
        preview=preview,
        created=Mark(who=row["created_by"], at=row["created_at"]),
        updated=Mark(who=row["updated_by"], at=row["updated_at"]),
    )


def _listed(row: Record) -> Listed:
    return Listed(
        id=row["id"],
        composition=row["composition"],
        base=row["base"],
        revision=row["revision"],
        created=Mark(who=row["created_by"], at=row["created_at"]),
        updated=Mark(who=row["updated_by"], at=row["updated_at"]),
    )
