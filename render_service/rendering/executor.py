"""Render threads, and the line in front of them.

Rendering never runs on the event loop, and never takes a core from it: render threads ask the
system for less of the processor than the thread that answers. Who is begun next, and who is refused
before anything was read or drawn, is decided in `admission.py`; here are its clock and its threads.
"""

import asyncio
import logging
import math
import os
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from render_service.errors import Overloaded
from render_service.rendering.admission import Admission
from render_service.rendering.cost import Work
from render_service.rendering.entry import Entry, Expectation
from render_service.telemetry.board import BOARD, RENDERING

T = TypeVar("T")

NICE_MAX: Final = 19
"""The kernel's largest."""

BEHIND_NICE: Final = 4
"""More than a render thread's: a weight of 45 beside 110 (sched(7), the fair scheduler's table). At
the largest, 15, a thread that waits for a core while it holds the interpreter holds up hits: by
`benchmarks.ahead` on a busy machine their p99 was 174 ms beside 30."""

_log = logging.getLogger(__name__)


class Place:
    """A thread's place, held by who renders.

    Attributes:
        is_behind: Nobody waited for it when it was taken.
    """

    def __init__(self, admission: Admission, entry: Entry, *, is_behind: bool) -> None:
        self.is_behind = is_behind
        self._admission, self._entry = admission, entry

    def revise(self, work: Work) -> None:
        """Say what there really is to do, now that the layers at hand are known."""
        self._admission.revise(self._entry, work)


class RenderExecutor:
    """Render threads and the line in front of them. Owned by one event loop.

    Attributes:
        admission: Decides who is begun and who is refused.
    """

    def __init__(
        self,
        *,
        threads: int,
        queue_s: float,
        deadline_s: float,
        nice: int = 0,
        beside: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """Start with nobody waiting.

        Args:
            threads: Renders at once.
            queue_s: The longest that a request may be expected to wait.
            deadline_s: The longest from asking to the answer.
            nice: Added to the niceness of the render threads, which each has for itself.
            beside: The renders of that process of this service, other than this one, that has
                fewest; infinity where there is none.
        """
        self.admission = Admission(threads=threads, queue_s=queue_s, deadline_s=deadline_s)
        self._pool = ThreadPoolExecutor(
            threads, thread_name_prefix="render", initializer=stand_back, initargs=(nice,)
        )
        # For work behind the requests.
        self._last = ThreadPoolExecutor(
            1,
            thread_name_prefix="behind",
            initializer=stand_back,
            initargs=(nice and nice + BEHIND_NICE,),
        )
        self._idle: set[asyncio.Future[None]] = set()
        self._beside = beside

    @property
    def taken(self) -> int:
        """Renders that requests wait for: under way and in the line."""
        return self.admission.running + self.admission.waiting

    @property
    def is_busy(self) -> bool:
        """Whether every thread is taken."""
        return self.admission.running >= self.admission.threads

    @property
    def is_sooner_beside(self) -> bool:
        """Whether who holds a place would, next time, find all taken here and a thread free beside.

        Looks at other processes (some 30 microseconds each) only where all are taken.
        """
        threads = self.admission.threads
        return self.taken > threads and self._beside() < threads

    def expect(self, work: Work) -> Expectation:
        """Return what would become of a request for `work` that came now."""
        return self.admission.expect(work, time.monotonic())

    @asynccontextmanager
    async def place(
        self, work: Work, *, asked_s: float | None = None, behind: bool = False
    ) -> AsyncIterator[Place]:
        """Hold one of the threads' places, waiting for it in the line if need be.

        Leaving the line (cancellation) gives the place up at once, with all of its expected time.

        Args:
            work: What it is expected to take.
            asked_s: When it was asked for on the monotonic clock; None is now.
            behind: It must delay no request: it is begun at once or refused.

        Raises:
            Overloaded: It cannot be answered in time, or not without making others late.
        """
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[Overloaded | None] = loop.create_future()

        def decide(refused: Overloaded | None) -> None:
            if not turn.done():
                turn.set_result(refused)

        now_s = time.monotonic()
        entry = self.admission.enter(work, now_s, decide, asked_s=asked_s, behind=behind)
        timer = None if turn.done() else loop.call_later(entry.due_s - now_s, self._expire, entry)
        try:
            if (refused := await turn) is not None:
                raise refused
            self._show_under_way()
            yield Place(self.admission, entry, is_behind=behind)
        except BaseException:
            self.admission.leave(entry, time.monotonic())
            raise
        else:
            self.admission.finish(entry, time.monotonic())
        finally:
            if timer is not None:
                timer.cancel()
            self._show_under_way()
            self._tell_idle()

    async def run(self, work: Callable[[], T], *, behind: bool = False) -> T:
        """Run `work` on a render thread, or on that behind; call it while holding a place."""
        pool = self._last if behind else self._pool
        return await asyncio.get_running_loop().run_in_executor(pool, work)

    async def spare(self) -> None:
        """Wait until work may begin that must delay no request."""
        while not self.admission.is_spare:
            idle = asyncio.get_running_loop().create_future()
            self._idle.add(idle)
            try:
                await idle
            finally:
                self._idle.discard(idle)

    async def close(self) -> None:
        """Wait for the renders under way and let the threads go."""
        for pool in (self._pool, self._last):
            await asyncio.get_running_loop().run_in_executor(None, pool.shutdown)

    def _expire(self, entry: Entry) -> None:
        self.admission.expire(entry, time.monotonic())

    def _show_under_way(self) -> None:
        """Let other processes see what is rendered here."""
        BOARD.cells[RENDERING] = self.admission.under_way

    def _tell_idle(self) -> None:
        if self.admission.is_spare:
            for idle in self._idle:
                if not idle.done():
                    idle.set_result(None)


def stand_back(nice: int) -> None:
    """Let this thread, and those that libvips starts from it, have what the others leave.

    On Linux, which the service is for, each thread has a niceness of its own.
    """
    if nice == 0:
        return
    thread = threading.get_native_id()
    try:
        own = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, min(own + nice, NICE_MAX))
    except OSError as error:
        _log.warning("render threads keep the priority of the event loop: %s", error)
