"""A photograph that was accepted → its set: a master, a document, what is shown before it loads.

The rule: whatever is made here is made again to the byte, and put under its digest; so a job that
is done twice makes one set, and a set never changes under its address.
"""

import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, Protocol

from msgspec import Struct

from render_service.assets.model import Asset, Focus
from render_service.assets.ports import AssetStore, Attempt, Finish
from render_service.errors import AssetMissing, FileRefused, RefusedFor
from render_service.planning.media import PhotoSet, encode_set

_STEPS: Final = 3


class Made(Struct, frozen=True, kw_only=True):
    """What was made of a photograph.

    Attributes:
        data: Its master, a PNG.
        width_px: Of the master.
        height_px: Likewise.
        alpha: Whether it is transparent anywhere.
        placeholder: ThumbHash, base64.
        colour: Its dominant colour, as `#rrggbb`.
        focus: What libvips finds most worth looking at.
    """

    data: bytes
    width_px: int
    height_px: int
    alpha: bool
    placeholder: str
    colour: str
    focus: Focus


class Photo(Struct, frozen=True, kw_only=True):
    """A photograph as it is shown.

    Attributes:
        sha256: Of the upload: its id among a product's media.
        set_id: Digest of the set's document.
        photos: The set.
        placeholder: ThumbHash, base64.
        colour: Its dominant colour, as `#rrggbb`.
        focus: The point that matters most.
        focus_is_given: Whether who uploaded it said so; found, otherwise.
    """

    sha256: str
    set_id: str
    photos: PhotoSet
    placeholder: str
    colour: str
    focus: Focus
    focus_is_given: bool


class PhotoTable(Protocol):
    """Keeps what was made of photographs; DatabaseUnavailable where it cannot be asked."""

    async def get_asset(self, sha256: str) -> Asset:
        """Return an asset; UnknownAsset where there is none."""
        ...

    async def keep_photo(self, photo: Photo, finish: Finish) -> None:
        """Keep what was made of a photograph, and end its job."""
        ...


class Maker(Protocol):
    """Makes masters, in a process of their own."""

    async def make(self, asset: Asset, data: bytes) -> Made:
        """Return what a photograph comes to; FileRefused where it comes to nothing."""
        ...


Warm = Callable[[PhotoSet], AsyncIterator[str]]
"""Has the pictures of a set made, and yields the name of each when it is there."""


class Photos:
    """Makes sets of photographs.

    Args:
        table: Keeps them.
        store: Keeps photographs, masters and documents.
        maker: Makes masters.
        warm: Has pictures made before anybody asks.
        bytes_max: Of a file.
    """

    def __init__(
        self, *, table: PhotoTable, store: AssetStore, maker: Maker, warm: Warm, bytes_max: int
    ) -> None:
        self._table, self._store = table, store
        self._maker, self._warm, self._bytes_max = maker, warm, bytes_max

    async def handle(self, attempt: Attempt) -> Any:  # noqa: ANN401  # a job's result is JSON
        """Make the set of the photograph that the job's payload names, and its pictures.

        Raises:
            ReleasesUnavailable, DatabaseUnavailable: Try again later.
            FileRefused: No set can be made of it.
        """
        sha256, given = attempt.job.payload["photo"], attempt.job.payload.get("focus")
        asset = await self._table.get_asset(sha256)
        await attempt.report(0, _STEPS, "reading")
        data = await self._store.get(sha256, bytes_max=self._bytes_max)
        if data is None:
            raise AssetMissing(asset.name, f"is not in the store (sha256 {sha256})")
        await attempt.report(1, _STEPS, "making it ready")
        made = await self._maker.make(asset, data)
        set_id, photos = await self._put(sha256, made)
        total = 2 + len(photos.widths) * len(photos.formats)
        done = 2
        async for name in self._warm(photos):
            done += 1
            await attempt.report(done, total, name)
        photo = Photo(
            sha256=sha256,
            set_id=set_id,
            photos=photos,
            placeholder=made.placeholder,
            colour=made.colour,
            focus=made.focus if given is None else Focus(x=given["x"], y=given["y"]),
            focus_is_given=given is not None,
        )
        await self._table.keep_photo(photo, attempt.finish)
        return {"photo": sha256, "set": set_id}

    async def _put(self, sha256: str, made: Made) -> tuple[str, PhotoSet]:
        """Put master and document into the store; return the set."""
        if len(made.data) > self._bytes_max:
            raise FileRefused(
                RefusedFor.PIXELS,
                f"Made ready it has {len(made.data)} bytes, and at most {self._bytes_max} are "
                "read; scale it down.",
            )
        master = hashlib.sha256(made.data).hexdigest()
        photos = PhotoSet(
            photo=sha256,
            master=master,
            width_px=made.width_px,
            height_px=made.height_px,
            alpha=made.alpha,
        )
        set_id, document = encode_set(photos)
        await self._store.put(master, made.data)
        # Last: who finds the document finds the master.
        await self._store.put(set_id, document)
        return set_id, photos
