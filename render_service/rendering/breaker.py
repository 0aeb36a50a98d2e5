"""A breaker in front of every shared tier: a store that fails is left alone, and tried again.

Closed, calls pass. After a few failures in a row it opens, and calls fail at once instead of each
waiting for a timeout. After a pause it is half open: one call, and only one, goes through as a
probe while all others still fail at once; its outcome closes the breaker or opens it again.

Reads and writes have a breaker each: a store that is full can still be read. The lease is guarded
like a tier. Owned by one event loop; the clock is monotonic, so that a jump of the wall clock opens
and closes nothing.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey
from render_service.rendering.ports import Claim, RenderLease, RenditionTier
from render_service.rendering.rendition import Rendition
from render_service.telemetry import instruments

FAILURES: Final = 3
"""Failures in a row that open a breaker: one connection that a restarted server dropped, or one
slow answer, is no outage, and at 50 ms each three cost a first request 0.15 s."""

AT_ONCE: Final = 32
"""Reads in a tier at once. The rest wait here, outside the tier's own time, and go on at once when
the breaker opens; so a thousand at once wait for a silent store only once."""

PUTS_AT_ONCE: Final = 8
"""Nobody waits for a put, and every connection that was ever needed at once stays open: 8 puts of
0.1 s are 80 pictures a second, more than a process draws."""


class State(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    HALF_OPEN = "half-open"
    OPEN = "open"


class Breaker:
    """Counts failures in a row and decides which calls pass.

    Attributes:
        failures: Failures in a row that open it.
        pause_s: How long it stays open before a probe.
    """

    def __init__(
        self, *, pause_s: float, failures: int = FAILURES, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Start closed; `now` gives seconds that never go backwards."""
        self.failures, self.pause_s = failures, pause_s
        self._now = now
        self._failed = 0
        self._opened_s: float | None = None
        self._probing = False

    @property
    def state(self) -> State:
        """What it does with the next call."""
        if self._opened_s is None:
            return State.CLOSED
        waited = self._now() - self._opened_s >= self.pause_s
        return State.HALF_OPEN if waited and not self._probing else State.OPEN

    @contextmanager
    def call(self) -> Iterator[None]:
        """Let one call pass, and learn from its outcome.

        Only TierUnavailable counts as a failure. A call that is cancelled proves nothing.

        Raises:
            TierUnavailable: The breaker is open; nothing was called.
        """
        state = self.state
        if state is State.OPEN:
            raise TierUnavailable("Left alone for a while: it failed several times in a row.")
        probe = state is State.HALF_OPEN
        self._probing = self._probing or probe
        try:
            yield
        except TierUnavailable:
            self._note_failure(probe)
            raise
        else:
            self._failed, self._opened_s = 0, None
        finally:
            if probe:
                self._probing = False

    def note(self, store: str, call: str) -> None:
        """Note its state as that of `call` to `store`, to be seen."""
        for state in State:
            instruments.breakers.set(self.state is state, store, call, state)

    def _note_failure(self, probe: bool) -> None:
        self._failed += 1
        # Calls that passed before it opened may fail after it did: they do not prolong the pause.
        if probe or (self._opened_s is None and self._failed >= self.failures):
            self._opened_s = self._now()


class GuardedTier:
    """A tier behind breakers, one for reads and one for writes, and a bound on calls at once.

    Attributes:
        name: That of the tier.
        reads: The breaker of `get`.
        writes: The breaker of `put`.
    """

    def __init__(self, tier: RenditionTier, *, pause_s: float, at_once: int = AT_ONCE) -> None:
        self.name = tier.name
        self.reads, self.writes = Breaker(pause_s=pause_s), Breaker(pause_s=pause_s)
        self._tier = tier
        self._getting = asyncio.Semaphore(at_once)
        self._putting = asyncio.Semaphore(min(at_once, PUTS_AT_ONCE))

    async def get(self, key: RenderKey) -> Rendition | None:
        async with self._getting:
            with self.reads.call():
                return await self._tier.get(key)

    async def put(self, key: RenderKey, rendition: Rendition) -> None:
        async with self._putting:
            with self.writes.call():
                await self._tier.put(key, rendition)

    async def close(self) -> None:
        await self._tier.close()

    def note(self) -> None:
        """Note the states of its breakers, to be seen."""
        self.reads.note(self.name, "read")
        self.writes.note(self.name, "write")


class GuardedLease:
    """A lease behind a breaker and a bound on calls at once, like a tier."""

    def __init__(self, lease: RenderLease, *, pause_s: float, at_once: int = AT_ONCE) -> None:
        self.breaker = Breaker(pause_s=pause_s)
        self._lease = lease
        self._asking = asyncio.Semaphore(at_once)

    async def take(self, key: RenderKey) -> Claim | None:
        async with self._asking:
            with self.breaker.call():
                return await self._lease.take(key)

    async def is_held(self, key: RenderKey) -> bool:
        async with self._asking:
            with self.breaker.call():
                return await self._lease.is_held(key)

    async def close(self) -> None:
        await self._lease.close()

    def note(self) -> None:
        """Note the state of its breaker, to be seen."""
        self.breaker.note("lease", "claim")
