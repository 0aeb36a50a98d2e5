"""Drawing drafts for whoever works on them: checks and comparisons, one at a time, behind requests.

The rule: one thread, which stands back for those that serve, and a short line before it; so however
many designers ask, shoppers wait for none of them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from render_service.drafts.checking import Checked, check_pictures
from render_service.drafts.drafting import Ready
from render_service.errors import Overloaded
from render_service.pixels.limits import Limits
from render_service.rendering.executor import stand_back
from render_service.rendering.ports import AssetSource

WAITING_MAX: Final = 4
"""Whoever comes behind more waits for half a minute: they may as well come again."""

_RETRY_AFTER_S: Final = 10

_KEPT: Final = 64
"""Checks remembered, by revision: a publication asks for what its designer has just asked for."""

T = TypeVar("T")


class DraftStudio:
    """Checks drafts, and compares them with what is live. Owned by one event loop."""

    def __init__(self, assets: AssetSource, limits: Limits, *, nice: int) -> None:
        """Read layer files from `assets`, within `limits`, on a thread of that niceness."""
        self._assets, self._limits = assets, limits
        self._thread = ThreadPoolExecutor(1, "draft", initializer=stand_back, initargs=(nice,))
        self._waiting = 0
        self._checked: OrderedDict[tuple[str, int], Checked] = OrderedDict()

    async def check(self, ready: Ready) -> Checked:
        """Return what drawing a sample of a sound draft comes to.

        Raises:
            InvalidDraft: It is not sound.
            Overloaded: Others are being checked.
        """
        planner, key = ready.sound(), (ready.draft.id, ready.draft.revision)
        if key not in self._checked:
            read = self._reader()
            self._checked[key] = await self.run(lambda: check_pictures(planner, read, self._limits))
            if len(self._checked) > _KEPT:
                self._checked.popitem(last=False)
        return self._checked[key]

    async def run(self, work: Callable[[], T]) -> T:
        """Return what `work` returns, done on the thread.

        Raises:
            Overloaded: Too much waits for it.
        """
        if self._waiting >= WAITING_MAX:
            raise Overloaded(_RETRY_AFTER_S)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Wait for what is under way."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _reader(self) -> Callable[[str], bytes]:
        loop = asyncio.get_running_loop()

        def read(asset: str) -> bytes:
            return asyncio.run_coroutine_threadsafe(self._read(asset), loop).result()

        return read

    async def _read(self, asset: str) -> bytes:
        return await self._assets.read(asset)
