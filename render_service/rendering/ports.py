"""What rendering needs of the outside world; adapters implement these.

A port is as small as its callers: a tier keeps finished renditions, a source reads layer files, a
lease says who makes what.
"""

from typing import Protocol

from render_service.pixels.raster import Raster
from render_service.planning.key import RenderKey
from render_service.rendering.rendition import Rendition


class AssetSource(Protocol):
    """Where layer files are read from."""

    async def read(self, asset: str) -> bytes:
        """Return the bytes of the layer file whose SHA-256 is `asset` (lower-case hex).

        Raises:
            AssetMissing: There is no such file, or it no longer has that digest.
            AssetTooLarge: The file is over the limit on bytes; it was not read.
        """
        ...


class RenditionTier(Protocol):
    """A place finished renditions are kept."""

    @property
    def name(self) -> str:
        """Short name for Cache-Status and metrics, e.g. `file`."""
        ...

    async def get(self, key: RenderKey) -> Rendition | None:
        """Return the rendition stored under `key`, or None on a miss.

        A stored rendition that is damaged (wrong length or digest) is a miss.

        Raises:
            TierUnavailable: The tier could not be asked. Callers treat this as a miss.
        """
        ...

    async def put(self, key: RenderKey, rendition: Rendition) -> None:
        """Store `rendition` under `key`, whole or not at all.

        Raises:
            TierUnavailable: It could not be stored. Callers go on.
        """
        ...

    async def close(self) -> None:
        """Let go of what the tier holds open."""
        ...


class Claim(Protocol):
    """The right to make one rendition; kept alive until it is released or its process dies."""

    @property
    def token(self) -> int:
        """How often this rendition was claimed, lately and by anyone; each claim has its own."""
        ...

    async def release(self) -> None:
        """Give it up. A claim that has passed to another process stays with that one."""
        ...


class RenderLease(Protocol):
    """Who makes a rendition, among all processes that share a store."""

    async def take(self, key: RenderKey) -> Claim | None:
        """Return the claim to make the rendition of `key`, or None while another has it.

        Raises:
            TierUnavailable: It could not be asked. Callers go on without a claim.
        """
        ...

    async def is_held(self, key: RenderKey) -> bool:
        """Return whether anyone holds the claim to `key`.

        Raises:
            TierUnavailable: It could not be asked.
        """
        ...

    async def close(self) -> None:
        """Let go of what the lease holds open."""
        ...


class RasterStore(Protocol):
    """Where rasters are kept beyond a process; whatever fails is a miss. Every call blocks."""

    def has(self, name: str) -> bool:
        """Return whether a raster may be there under `name`. Takes microseconds."""
        ...

    def get(self, name: str) -> Raster | None:
        """Return the raster under `name`, every byte checked, or None."""
        ...

    def put(self, name: str, raster: Raster) -> bool:
        """Keep `raster` under `name` (hex digits), whole or not at all; return whether it is."""
        ...
