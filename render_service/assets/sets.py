"""Sets of photographs by their digests, as addresses name them.

The rule: a set that was found once is what it is for ever, so it is kept in memory; one that is not
there may come at any moment, so that is not.
"""

from typing import Final

from render_service.assets.ports import AssetStore
from render_service.errors import ReleaseUnreadable, UnknownPhoto
from render_service.planning.media import SET_BYTES_MAX, PhotoSet, decode_set

SETS_KEPT: Final = 4096
"""Sets in memory: some 2 MB."""


class PhotoSets:
    """Finds sets in the store of assets.

    Args:
        store: Keeps their documents.
    """

    def __init__(self, store: AssetStore) -> None:
        self._store = store
        self._found: dict[str, PhotoSet] = {}

    async def find(self, set_id: str) -> PhotoSet:
        """Return the set whose document has the digest `set_id`.

        Raises:
            UnknownPhoto: There is none.
            ReleasesUnavailable: The store cannot be asked.
        """
        if (known := self._found.get(set_id)) is not None:
            return known
        try:
            data = await self._store.get(set_id, bytes_max=SET_BYTES_MAX)
        except ReleaseUnreadable as error:
            # Larger than any set, or damaged: to who asks it is not there.
            raise UnknownPhoto(set_id) from error
        photos = None if data is None else decode_set(data)
        if photos is None:
            raise UnknownPhoto(set_id)
        if len(self._found) >= SETS_KEPT:
            del self._found[next(iter(self._found))]
        self._found[set_id] = photos
        return photos
