"""A store of releases far away, and copies of what was read from it on this machine's disk.

What never changes is fetched once for all who ask meanwhile, checked, and read from the disk from
then on: so old and new pictures are drawn while the store is away, and a service that was drawing
before can start again. Copies of layer files are bounded in bytes, the least recently used out
first; the live document is always asked for anew.
"""

import asyncio
import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from render_service.adapters.release_folder import ReleaseFolder
from render_service.errors import ReleasesUnavailable, ReleaseUnreadable
from render_service.releases.ports import Pointer, ReleaseStore

_log = logging.getLogger(__name__)

_SWEEP_TO: Final = 0.9
"""A sweep leaves this share of the budget, so that it is not needed for each file."""

_TOUCH_AFTER_S: Final = 60.0
"""The order of use is kept to a minute, as by the tier of finished pictures."""

_RECALLED: Final = ""
"""The tag of a copy of the live document: unlike any that a store gives."""


class _Copy(NamedTuple):
    used_ns: int
    size_bytes: int
    path: Path


class KeptReleases:
    """A store behind copies of what it holds. Owned by one event loop.

    Attributes:
        folder: Where the copies are; several processes may share it.
        budget_bytes: The most that copies of layer files may take together.
        pause_s: How long a store that failed is not asked for what never changes.
    """

    def __init__(
        self, store: ReleaseStore, folder: Path, *, budget_bytes: int, pause_s: float
    ) -> None:
        """Keep copies of `store`, which is closed with this."""
        self.folder, self.budget_bytes, self.pause_s = folder, budget_bytes, pause_s
        self._store, self._copies = store, ReleaseFolder(folder)
        self._fetching: dict[str, asyncio.Task[bytes | None]] = {}
        self._away: tuple[float, ReleasesUnavailable] | None = None

    @property
    def place(self) -> str:
        return self._store.place

    async def get(self, name: str, *, bytes_max: int) -> bytes | None:
        held = await self._copy(name, bytes_max)
        if held is not None:
            return held
        fetching = self._fetching.get(name)
        if fetching is None:
            fetching = asyncio.ensure_future(self._fetch(name, bytes_max))
            self._fetching[name] = fetching
            fetching.add_done_callback(lambda done: self._fetched(name, done))
        # Who leaves does not take the others' file along.
        return await asyncio.shield(fetching)

    async def has(self, name: str) -> bool:
        return await self._store.has(name)

    async def put(self, name: str, data: bytes, *, replace: bool = False) -> bool:
        return await self._store.put(name, data, replace=replace)

    async def read_live(self, known: Pointer | None = None) -> Pointer | None:
        found = await self._store.read_live(known)
        if found is not None and found is not known:
            with contextlib.suppress(ReleasesUnavailable, ReleaseUnreadable):
                kept = await self._copies.read_live()
                if kept is None or kept.data != found.data:
                    await self._copies.move_live(found.data, kept)
        return found

    async def move_live(self, data: bytes, expected: Pointer | None) -> bool:
        return await self._store.move_live(data, expected)

    async def recall_live(self) -> Pointer | None:
        try:
            kept = await self._copies.read_live()
        except (ReleasesUnavailable, ReleaseUnreadable) as error:
            _log.warning("the copy of the live state cannot be used: %s", error)
            return None
        return None if kept is None else Pointer(_RECALLED, kept.data)

    async def close(self) -> None:
        for fetching in tuple(self._fetching.values()):
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)
        await self._store.close()

    async def _copy(self, name: str, bytes_max: int) -> bytes | None:
        """The copy of a document, or None where there is none that can be used."""
        try:
            data = await self._copies.get(name, bytes_max=bytes_max)
        except (ReleasesUnavailable, ReleaseUnreadable) as error:
            _log.warning("a copy of %s is fetched anew: %s", name, error)
            return None
        if data is not None:
            await asyncio.to_thread(_touch, self.folder / name)
        return data

    async def _fetch(self, name: str, bytes_max: int) -> bytes | None:
        if self._away is not None and time.monotonic() < self._away[0]:
            raise self._away[1]
        try:
            data = await self._store.get(name, bytes_max=bytes_max)
        except ReleasesUnavailable as error:
            self._away = (time.monotonic() + self.pause_s, error)
            raise
        self._away = None
        if data is not None and len(data) <= self.budget_bytes:
            await self._keep(name, data)
        return data

    def _fetched(self, name: str, done: "asyncio.Task[bytes | None]") -> None:
        del self._fetching[name]
        if not done.cancelled():
            done.exception()  # told to whoever still waits; asyncio would log it where none does

    async def _keep(self, name: str, data: bytes) -> None:
        """Keep a copy; a disk that is full or broken costs the copy and nothing else."""
        try:
            await asyncio.to_thread(self._sweep, len(data))
            # Also over a damaged copy, which is why it was fetched.
            await self._copies.put(name, data, replace=True)
        except (ReleasesUnavailable, OSError) as error:
            _log.warning("no copy of %s is kept: %s", name, error)

    def _sweep(self, wanted_bytes: int) -> None:
        copies = sorted(self._list())
        used_bytes = sum(copy.size_bytes for copy in copies)
        if used_bytes + wanted_bytes <= self.budget_bytes:
            return
        target_bytes = min(int(self.budget_bytes * _SWEEP_TO), self.budget_bytes - wanted_bytes)
        for copy in copies:
            if used_bytes <= target_bytes:
                break
            copy.path.unlink(missing_ok=True)
            used_bytes -= copy.size_bytes

    def _list(self) -> list[_Copy]:
        """The copies of layer files; the other documents are small, and a start needs them."""
        found = []
        for path in self.folder.glob("assets/*/*"):
            with contextlib.suppress(OSError):  # swept away meanwhile
                facts = path.stat()
                found.append(_Copy(facts.st_mtime_ns, facts.st_size, path))
        return found


def _touch(path: Path) -> None:
    with contextlib.suppress(OSError):  # swept away meanwhile, or a read-only disk
        if time.time() - path.stat().st_mtime > _TOUCH_AFTER_S:
            os.utime(path)
