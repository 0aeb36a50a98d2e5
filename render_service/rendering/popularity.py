"""What shoppers changed to lately: counts that rank the next click, and decide nothing else.

The rule: nobody waits for them. What is noted is written behind the answers and what is read is as
old as the last look; while they cannot be had, the order of the definition is used. They hold no
user, no address and no configuration of anybody: an option, a value, a number.
"""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Final, Protocol

from render_service.errors import TierUnavailable
from render_service.rendering.breaker import Breaker

Change = tuple[str, str]
"""An option, and the value it was changed to."""

WRITE_EACH_S: Final = 2.0
"""Between two writes: a product in a hundred shops has some hundred clicks in that time."""

READ_EACH_S: Final = 60.0
"""Between two looks: what is in fashion does not change from minute to minute, and the page that a
CDN keeps for a minute does not change more often either."""

COMPOSITIONS_MAX: Final = 1024
"""Compositions whose counts are held; a thousand of thirty values each take some 5 MB."""

NOTES_MAX: Final = 4096
"""Different changes that wait to be written: what comes on top while the store is away is lost."""

_log = logging.getLogger(__name__)
_NONE: Final[Mapping[Change, float]] = {}


class ChangeCounts(Protocol):
    """Where counts of changes are kept, for every process that shares it."""

    async def add(self, composition: str, changes: Mapping[Change, int]) -> None:
        """Count `changes` of `composition` now.

        Raises:
            TierUnavailable: They could not be counted.
        """
        ...

    async def read(self, composition: str) -> dict[Change, float]:
        """Return what shoppers changed to, each weighed by how lately.

        Raises:
            TierUnavailable: It could not be asked.
        """
        ...

    async def close(self) -> None:
        """Let go of what is held open."""
        ...


class Popularity:
    """The counts as one process knows them. Owned by one event loop.

    Args:
        store: Where they are kept; None: nothing is counted, and all is equally popular.
        pause_s: How long a store that fails is left alone.
    """

    def __init__(self, store: ChangeCounts | None = None, *, pause_s: float = 0.0) -> None:
        self._store = store
        self._breaker = Breaker(pause_s=pause_s)
        self._known: OrderedDict[str, Mapping[Change, float]] = OrderedDict()
        self._noted: Counter[tuple[str, Change]] = Counter()
        self._awaited: set[str] = set()
        self._asked = asyncio.Event()
        self._silent = False

    def of(self, composition: str) -> Mapping[Change, float]:
        """Return how often shoppers changed to each value, as far as is known. Never waits."""
        if self._store is None:
            return _NONE
        if composition in self._known:
            self._known.move_to_end(composition)
            return self._known[composition]
        if len(self._awaited) < COMPOSITIONS_MAX:
            self._awaited.add(composition)
            self._asked.set()
        return _NONE

    def note(self, composition: str, option: str, value: str) -> None:
        """Count a change of a shopper; it is written soon. Never waits."""
        noted = (composition, (option, value))
        if self._store is not None and (noted in self._noted or len(self._noted) < NOTES_MAX):
            self._noted[noted] += 1

    def note_breaker(self) -> None:
        """Note the state of the breaker in front of the store, to be seen."""
        if self._store is not None:
            self._breaker.note("changes", "count")

    async def run(self) -> None:
        """Write and read behind the answers, until cancelled."""
        if self._store is None:
            return
        loop = asyncio.get_running_loop()
        read_s = loop.time()
        while True:
            # What is asked for the first time is read at once.
            await self._wait(WRITE_EACH_S)
            await self._write(self._store)
            if loop.time() - read_s >= READ_EACH_S:
                self._awaited.update(self._known)
                read_s = loop.time()
            await self._read(self._store)

    async def refresh(self, composition: str) -> Mapping[Change, float]:
        """Return the counts as they are in the store now; those of the definition if it is away."""
        if self._store is not None:
            self._awaited.add(composition)
            await self._read(self._store)
        return self.of(composition)

    async def close(self) -> None:
        """Write what was noted, then let go of the store."""
        if self._store is not None:
            await self._write(self._store)
            await self._store.close()

    async def _wait(self, at_most_s: float) -> None:
        try:
            async with asyncio.timeout(at_most_s):
                await self._asked.wait()
        except TimeoutError:
            return
        self._asked.clear()

    async def _write(self, store: ChangeCounts) -> None:
        by_composition: dict[str, dict[Change, int]] = {}
        for (composition, change), count in self._noted.items():
            by_composition.setdefault(composition, {})[change] = count
        for composition, changes in by_composition.items():
            try:
                with self._breaker.call():
                    await store.add(composition, changes)
            except TierUnavailable as error:
                return self._note(error)
            self._noted.subtract({(composition, change): n for change, n in changes.items()})
            if (known := self._known.get(composition)) is not None:
                # What was counted here counts here at once.
                self._known[composition] = Counter(known) + Counter(changes)
            # Adding drops what is written and leaves what was noted meanwhile.
            self._noted += Counter()
            self._note(None)

    async def _read(self, store: ChangeCounts) -> None:
        for composition in list(self._awaited):
            try:
                with self._breaker.call():
                    self._known[composition] = await store.read(composition)
            except TierUnavailable as error:
                return self._note(error)
            self._awaited.discard(composition)
            self._note(None)
        while len(self._known) > COMPOSITIONS_MAX:
            self._known.popitem(last=False)

    def _note(self, error: TierUnavailable | None) -> None:
        """Log when the store goes silent and when it is back."""
        if (error is not None) == self._silent:
            return
        self._silent = error is not None
        if error is not None:
            _log.warning("what shoppers change to is not counted: %s", error)
        else:
            _log.info("what shoppers change to is counted again")
