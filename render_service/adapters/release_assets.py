"""Layer files of releases, read from the store they were published to.

A file is found by its digest and believed by it, so whichever release asks gets the pixels that it
was published with; one that is missing or damaged is named as its composition names it.
"""

from collections.abc import Callable

from render_service.errors import (
    AssetMissing,
    AssetTooLarge,
    ReleasesUnavailable,
    ReleaseUnreadable,
)
from render_service.releases.model import asset_name
from render_service.releases.ports import ReleaseStore


class ReleaseAssets:
    """The layer files in a store of releases, as an AssetSource."""

    def __init__(self, store: ReleaseStore, bytes_max: int, name_of: Callable[[str], str]) -> None:
        """Read from `store`, refusing files over `bytes_max`; `name_of` is for errors."""
        self._store, self._bytes_max, self._name_of = store, bytes_max, name_of

    async def read(self, asset: str) -> bytes:
        try:
            data = await self._store.get(asset_name(asset), bytes_max=self._bytes_max)
        except ReleaseUnreadable as error:
            kind = AssetTooLarge if error.too_large else AssetMissing
            raise kind(self._name_of(asset), f"{error.reason}, in the store") from error
        except ReleasesUnavailable as error:
            problem = f"cannot be read now ({error.reason.rstrip('.')})"
            raise AssetMissing(self._name_of(asset), problem) from error
        if data is None:
            raise AssetMissing(self._name_of(asset), f"is not in the store (sha256 {asset})")
        return data
