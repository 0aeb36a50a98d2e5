"""Photographs made ready, in PostgreSQL.

The rule: a row is written with the end of the job that made it; what is shown of it is read by
whoever shows a product, and may be seconds old.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from asyncpg import Connection, Record

from render_service.adapters.postgres import Database
from render_service.adapters.upload_table import UploadRows
from render_service.assets.model import Asset, Focus
from render_service.assets.photos import Photo
from render_service.assets.ports import Finish
from render_service.planning.media import PhotoSet

# What was given is not lost to what is found when the same photograph comes again.
KEEP_PHOTO: Final = """
INSERT INTO shop.photo AS held
    (sha256, photo_set, document, placeholder, colour, focus_x, focus_y, focus_is_given)
VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7, $8)
ON CONFLICT (sha256) DO UPDATE SET photo_set = excluded.photo_set, document = excluded.document,
    placeholder = excluded.placeholder, colour = excluded.colour, made_at = now(),
    focus_x = CASE WHEN excluded.focus_is_given OR NOT held.focus_is_given
        THEN excluded.focus_x ELSE held.focus_x END,
    focus_y = CASE WHEN excluded.focus_is_given OR NOT held.focus_is_given
        THEN excluded.focus_y ELSE held.focus_y END,
    focus_is_given = excluded.focus_is_given OR held.focus_is_given
"""

LIST_PHOTOS: Final = """
SELECT sha256, photo_set, document, placeholder, colour, focus_x, focus_y, focus_is_given
FROM shop.photo WHERE sha256 = ANY ($1)
"""


class PhotoRows:
    """Implements `PhotoTable`, and finds photographs of products."""

    def __init__(self, database: Database) -> None:
        self._database, self._uploads = database, UploadRows(database)

    async def get_asset(self, sha256: str) -> Asset:
        return await self._uploads.get_asset(sha256)

    async def keep_photo(self, photo: Photo, finish: Finish) -> None:
        document = msgspec.json.encode(photo.photos).decode()
        focus = photo.focus.x, photo.focus.y, photo.focus_is_given

        async def work(connection: Connection) -> None:
            await finish(connection, {"photo": photo.sha256, "set": photo.set_id})
            await connection.execute(
                KEEP_PHOTO,
                photo.sha256,
                photo.set_id,
                document,
                photo.placeholder,
                photo.colour,
                *focus,
            )

        await self._database.write(work)

    async def find_photos(self, ids: Sequence[str]) -> Mapping[str, Photo]:
        """Return photographs by their ids; those that are not ready are left out.

        Raises:
            DatabaseUnavailable: It cannot be asked.
        """
        if not ids:
            return {}
        rows = await self._database.read(
            lambda connection: connection.fetch(LIST_PHOTOS, ids), stale=True
        )
        return {row["sha256"]: _photo(row) for row in rows}


def _photo(row: Record) -> Photo:
    return Photo(
        sha256=row["sha256"],
        set_id=row["photo_set"],
        photos=msgspec.json.decode(row["document"], type=PhotoSet),
        placeholder=row["placeholder"],
        colour=row["colour"],
        focus=Focus(x=row["focus_x"], y=row["focus_y"]),
        focus_is_given=row["focus_is_given"],
    )
