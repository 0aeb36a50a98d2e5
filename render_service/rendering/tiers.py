"""The shared tiers, nearest first, read as one.

A tier makes the service faster and never makes it fail: a tier that cannot be asked is a miss, and
storing happens behind the answer, within a budget of bytes, dropped rather than queued without end.
What a tier did not take is offered again a few times, within a budget of its own, so that a store
that is away keeps nothing from those that are there.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from typing import Final

from opentelemetry.trace import SpanContext

from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey
from render_service.rendering.ports import RenditionTier
from render_service.rendering.rendition import Rendition
from render_service.telemetry import instruments, spans

_log = logging.getLogger(__name__)

RETRY_AFTER_S: Final = (2.0, 8.0, 32.0)
"""A store that restarts is back within seconds, one that fails over within a minute: after that the
next render of the picture stores it. The first wait is a breaker's pause."""

RETRY_SHARE: Final = 2
"""What waits to be offered again may take 1/2 of what may wait to be stored."""

CLOSE_WITHIN_S: Final = 5.0
"""Of storing at the end: what is left between the 25 s in which a service stops and the 30 s after
which Kubernetes kills it."""


class Tiers:
    """Several tiers as one.

    Attributes:
        pending_budget_bytes: The most that renditions waiting to be stored may take; what comes
            on top is not stored. A rendition too large for it is stored when nothing else waits.
        dropped: Renditions not stored because too much was waiting.
        given_up: Renditions that a tier did not take, nor when they were offered again.
    """

    def __init__(
        self,
        tiers: Sequence[RenditionTier],
        *,
        pending_budget_bytes: int,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        """Read `tiers` as one; what one does not take is offered again after `retry_after_s`."""
        self.pending_budget_bytes = pending_budget_bytes
        self.dropped = self.given_up = 0
        self._tiers = tuple(tiers)
        self._retry_after_s = tuple(retry_after_s)
        self._retrying: set[asyncio.Task[None]] = set()
        self._retrying_bytes = 0
        self._pending: set[asyncio.Task[None]] = set()
        self._pending_bytes = 0
        self._silent: set[tuple[str, str]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers' names, nearest first."""
        return tuple(tier.name for tier in self._tiers)

    @property
    def pending_bytes(self) -> int:
        """Bytes of the renditions waiting to be stored, or to be offered again."""
        return self._pending_bytes + self._retrying_bytes

    @property
    def unavailable(self) -> frozenset[str]:
        """Names of the tiers that could not be read or written the last time."""
        return frozenset(name for name, _ in self._silent)

    async def find(
        self, key: RenderKey, *, nearest_only: bool = False
    ) -> tuple[Rendition, str] | None:
        """Return the rendition and the name of the nearest tier that holds it, or None.

        The tiers nearer than that one are filled behind the answer. With `nearest_only` no tier
        but the first is asked: for who asks again and again.
        """
        for index, tier in enumerate(self._tiers[:1] if nearest_only else self._tiers):
            if (found := await self._ask(tier, key)) is not None:
                self._store_behind(key, found, self._tiers[:index])
                return found, tier.name
        return None

    async def holders(self, key: RenderKey) -> tuple[str, ...]:
        """Return the names of all tiers that hold `key`; nothing is filled."""
        return tuple([tier.name for tier in self._tiers if await self._ask(tier, key) is not None])

    def store(self, key: RenderKey, rendition: Rendition) -> asyncio.Task[None] | None:
        """Store in every tier, behind the answer; return what does it, or None if not accepted."""
        return self._store_behind(key, rendition, self._tiers)

    @property
    def waiting(self) -> int:
        """Renditions that wait to be stored or to be offered again."""
        return len(self._pending) + len(self._retrying)

    async def settle(self) -> None:
        """Wait until nothing is waiting to be stored for the first time."""
        while self._pending:
            await asyncio.wait(self._pending)

    async def finish(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Store what is waiting, but no longer than `within_s`; offer nothing again."""
        try:
            await asyncio.wait_for(self.settle(), within_s)
        except TimeoutError:
            _log.warning("%d renditions were not stored in time", len(self._pending))
            await _cancel(self._pending)
        await _cancel(self._retrying)

    async def close(self) -> None:
        """Store what is waiting, as `finish` does, then let go of every tier."""
        await self.finish()
        for tier in self._tiers:
            await tier.close()

    async def _ask(self, tier: RenditionTier, key: RenderKey) -> Rendition | None:
        with spans.stage("look up", tier=tier.name) as span:
            try:
                found = await tier.get(key)
            except TierUnavailable as error:
                instruments.lookups.add(1, tier.name, "unavailable")
                spans.fail(span, "unavailable")
                self._note(tier, "read", error)
                return None
            outcome = "miss" if found is None else "hit"
            instruments.lookups.add(1, tier.name, outcome)
            spans.annotate(outcome=outcome)
        self._note(tier, "read", None)
        return found

    def _store_behind(
        self, key: RenderKey, rendition: Rendition, tiers: Sequence[RenditionTier]
    ) -> asyncio.Task[None] | None:
        if not tiers:
            return None
        size_bytes = len(rendition.body)
        if self._pending and self._pending_bytes + size_bytes > self.pending_budget_bytes:
            self.dropped += 1
            for tier in tiers:
                instruments.stores.add(1, tier.name, "dropped")
            return None
        self._pending_bytes += size_bytes
        task = asyncio.create_task(self._put(key, rendition, tiers, spans.current()))
        # The set keeps the task alive (the loop holds tasks weakly) until it has settled.
        self._pending.add(task)
        task.add_done_callback(lambda done: self._settled(done, size_bytes))
        return task

    def _settled(self, task: asyncio.Task[None], size_bytes: int) -> None:
        self._pending.discard(task)
        self._pending_bytes -= size_bytes
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("storing a rendition failed", exc_info=error)

    async def _put(
        self,
        key: RenderKey,
        rendition: Rendition,
        tiers: Sequence[RenditionTier],
        behind: SpanContext,
    ) -> None:
        with spans.apart("store", behind):
            puts: list[Coroutine[None, None, None]] = [
                self._put_one(tier, key, rendition) for tier in tiers
            ]
            await asyncio.gather(*puts)

    async def _put_one(self, tier: RenditionTier, key: RenderKey, rendition: Rendition) -> None:
        if not await self._offer(tier, key, rendition):
            self._offer_again(tier, key, rendition)

    async def _offer(self, tier: RenditionTier, key: RenderKey, rendition: Rendition) -> bool:
        """Put it into one tier; return whether that was possible."""
        with spans.stage("put", tier=tier.name) as span:
            try:
                await tier.put(key, rendition)
            except TierUnavailable as error:
                instruments.stores.add(1, tier.name, "unavailable")
                spans.fail(span, "unavailable")
                self._note(tier, "written", error)
                return False
        instruments.stores.add(1, tier.name, "stored")
        instruments.stored.add(len(rendition.body), tier.name)
        self._note(tier, "written", None)
        return True

    def _offer_again(self, tier: RenditionTier, key: RenderKey, rendition: Rendition) -> None:
        size_bytes = len(rendition.body)
        budget_bytes = self.pending_budget_bytes // RETRY_SHARE
        full = bool(self._retrying) and self._retrying_bytes + size_bytes > budget_bytes
        if full or not self._retry_after_s:
            self._give_up(tier)
            return
        self._retrying_bytes += size_bytes
        task = asyncio.create_task(self._retry(tier, key, rendition))
        self._retrying.add(task)
        task.add_done_callback(lambda done: self._retried(done, size_bytes))

    async def _retry(self, tier: RenditionTier, key: RenderKey, rendition: Rendition) -> None:
        for wait_s in self._retry_after_s:
            await asyncio.sleep(wait_s)
            if await self._offer(tier, key, rendition):
                return
        self._give_up(tier)

    def _give_up(self, tier: RenditionTier) -> None:
        self.given_up += 1
        instruments.stores.add(1, tier.name, "given up")

    def _retried(self, task: asyncio.Task[None], size_bytes: int) -> None:
        self._retrying.discard(task)
        self._retrying_bytes -= size_bytes
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("storing a rendition failed", exc_info=error)

    def _note(self, tier: RenditionTier, what: str, error: TierUnavailable | None) -> None:
        """Log when a tier goes silent and when it is back, not once per request between."""
        silent = (tier.name, what)
        if error is not None and silent not in self._silent:
            self._silent.add(silent)
            _log.warning("tier %s cannot be %s: %s", tier.name, what, error)
        elif error is None and silent in self._silent:
            self._silent.discard(silent)
            _log.info("tier %s can be %s again", tier.name, what)
            if what == "read":
                # One that was away as a whole is back: whether it can be written the next put
                # says, which where everything is stored already may come tomorrow.
                self._silent.discard((tier.name, "written"))


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
