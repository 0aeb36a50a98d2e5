"""Old versions: who drew a version of a view, found when somebody asks for it.

Nothing is loaded before it is asked for and a bounded number is kept; what the store says of a
version never changes, so what is held is never wrong. That a version was never published is true
for a moment only.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, Generic, TypeVar

from render_service.planning.planner import Planner
from render_service.releases.making import plan_releases
from render_service.releases.model import version_name
from render_service.releases.ports import ReleaseStore
from render_service.releases.reading import read_entry, read_release

_RELEASES_HELD: Final = 64
"""Releases kept ready: that of a ring of 72 files takes some 100 kB."""

_ENTRIES_HELD: Final = 8192
"""Versions whose release is known: some 2 MB. As many that were never published."""

_ABSENT_FOR_S: Final = 2.0
"""A version that is not there is not looked for again for as long: it may be published next."""

_LOOKS_AT_ONCE: Final = 8
"""Looks into the store at once: who makes versions up waits for others who do."""

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")


class Archive:
    """The planners of releases that are, or were, published. Owned by one event loop."""

    def __init__(self, store: ReleaseStore) -> None:
        self._store = store
        self._looks = asyncio.Semaphore(_LOOKS_AT_ONCE)
        self._entries: _Held[str, str] = _Held(_ENTRIES_HELD)
        self._planners: _Held[tuple[str, str], Planner] = _Held(_RELEASES_HELD)
        self._absent: OrderedDict[str, float] = OrderedDict()

    async def find(self, composition: str, view: str, version: str) -> Planner | None:
        """Return the planner of the release that drew `version`; None if it was never published.

        Raises:
            ReleaseUnreadable: It was published, and cannot be read by this program.
            ReleasesUnavailable: The store could not be asked.
        """
        name = version_name(composition, view, version)
        if time.monotonic() < self._absent.get(name, 0.0):
            return None
        release = await self._entries.get(name, lambda: self._look(name))
        if release is None:
            self._note_absent(name)
            return None
        return await self._planners.get(
            (composition, release), lambda: self._load(composition, release)
        )

    async def _look(self, name: str) -> str | None:
        async with self._looks:
            return await read_entry(self._store, name)

    async def _load(self, composition: str, release: str) -> Planner | None:
        async with self._looks:
            return plan_releases(
                {composition: await read_release(self._store, composition, release)}
            )

    def _note_absent(self, name: str) -> None:
        self._absent[name] = time.monotonic() + _ABSENT_FOR_S
        self._absent.move_to_end(name)
        if len(self._absent) > _ENTRIES_HELD:
            self._absent.popitem(last=False)


class _Held(Generic[_Key, _Value]):
    """Values by key, the least recently used out first; found once for all who ask meanwhile."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: OrderedDict[_Key, _Value] = OrderedDict()
        self._finding: dict[_Key, asyncio.Task[_Value | None]] = {}

    async def get(self, key: _Key, find: Callable[[], Awaitable[_Value | None]]) -> _Value | None:
        """Return the value of `key`; None, and any error, of `find` is not kept."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        finding = self._finding.get(key)
        if finding is None:
            finding = asyncio.ensure_future(self._find(key, find))
            # Told to whoever still waits; asyncio would log it where none does.
            finding.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._finding[key] = finding
        # Who leaves does not take the others' answer along.
        return await asyncio.shield(finding)

    async def _find(self, key: _Key, find: Callable[[], Awaitable[_Value | None]]) -> _Value | None:
        try:
            value = await find()
        finally:
            del self._finding[key]
        if value is not None:
            self._held[key] = value
            if len(self._held) > self._most:
                self._held.popitem(last=False)
        return value
