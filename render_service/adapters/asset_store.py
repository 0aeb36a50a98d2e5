"""Accepted files in the store of releases, under the names that its layers have.

The rule: a draft that names a file by its digest finds it where a release would, so publishing
copies nothing.
"""

from render_service.errors import ReleaseUnreadable
from render_service.releases.model import asset_name
from render_service.releases.ports import ReleaseStore


class ReleaseAssetStore:
    """Implements `AssetStore` on a store of releases."""

    def __init__(self, store: ReleaseStore) -> None:
        self._store = store

    async def put(self, sha256: str, data: bytes) -> None:
        name = asset_name(sha256)
        if await self._store.put(name, data):
            return
        try:
            await self._store.get(name, bytes_max=len(data))
        except ReleaseUnreadable:
            # What is there has other bytes than its name says: it was damaged there.
            await self._store.put(name, data, replace=True)

    async def get(self, sha256: str, *, bytes_max: int) -> bytes | None:
        return await self._store.get(asset_name(sha256), bytes_max=bytes_max)
