"""Files from where they are found first: the catalogue in a folder, then the store of releases.

The rule: a file is found by its digest and believed by it, so it does not matter who has it.
"""

from render_service.errors import AssetMissing
from render_service.rendering.ports import AssetSource


class EitherAssets:
    """Implements `AssetSource` by two others; what neither has is missing as the first says."""

    def __init__(self, first: AssetSource, second: AssetSource) -> None:
        self._first, self._second = first, second

    async def read(self, asset: str) -> bytes:
        try:
            return await self._first.read(asset)
        except AssetMissing as missing:
            try:
                return await self._second.read(asset)
            except AssetMissing:
                raise missing from None
