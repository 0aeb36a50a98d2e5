"""A bounded number of renders at once, a bounded number waiting, and nothing beyond.

Rendering never runs on the event loop. When every place is taken the answer is Overloaded at once,
before anything was read or drawn, so what was accepted keeps its latency.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from render_service.errors import Overloaded

T = TypeVar("T")

_WEIGHT: Final = 1 / 16
"""Weight of the newest render in the moving mean of render times: the last 16 or so count."""

_FIRST_GUESS_S: Final = 0.2
"""Seconds a render is taken to last before one was seen: the six-layer 1024 px AVIF of the
published yardstick took 0.20 s."""


class RenderExecutor:
    """Render threads and the queue in front of them. Owned by one event loop.

    Attributes:
        threads: Renders at once.
        queue_length: Renders that may wait for a thread.
    """

    def __init__(self, *, threads: int, queue_length: int) -> None:
        self.threads, self.queue_length = threads, queue_length
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="render")
        self._free = asyncio.Semaphore(threads)
        self._taken = 0
        self._mean_s = _FIRST_GUESS_S

    @property
    def taken(self) -> int:
        """Places taken: renders under way and renders waiting."""
        return self._taken

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold one of the threads' places, waiting for it in the queue if need be.

        Leaving the queue (cancellation) gives the place up at once.

        Raises:
            Overloaded: Every thread and every place in the queue is taken.
        """
        if self._taken >= self.threads + self.queue_length:
            raise Overloaded(self._retry_after_s())
        self._taken += 1
        try:
            async with self._free:
                begun_s = time.perf_counter()
                yield
                self._mean_s += _WEIGHT * (time.perf_counter() - begun_s - self._mean_s)
        finally:
            self._taken -= 1

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` on a render thread; call it while holding a place."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        """Wait for the renders under way and let the threads go."""
        await asyncio.get_running_loop().run_in_executor(None, self._pool.shutdown)

    def _retry_after_s(self) -> int:
        """Seconds until what is taken now should have been rendered, at least 1."""
        return max(1, math.ceil(self._mean_s * self._taken / self.threads))
