"""One render per key across processes: who makes it, and how the others come by it.

Those who do not make it wait for the rendition and not for their turn: the moment it is stored all
of them find it. Only when it is not there after all (its maker failed, was refused or died) does
one of them take over. Without a lease, or when it cannot be asked, everyone makes its own: a fleet
that has lost its store draws more, and answers the same.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Final

from render_service.errors import TierUnavailable
from render_service.planning.key import RenderKey
from render_service.rendering.ports import Claim, RenderLease
from render_service.rendering.rendition import Rendition
from render_service.rendering.tiers import Tiers

LOOK_FIRST_S: Final = 0.01
LOOK_AT_MOST_S: Final = 0.04
"""A waiting process looks for the rendition after 10 ms, then 20, then every 40: a render takes
100 ms and more, and two small commands each time are 50 in a second."""

LOOKS_IN_VAIN: Final = 3
"""Looks in a row that may fail before a process goes on for itself: as many as a breaker bears."""


class Turn:
    """What came of asking to make a rendition.

    Attributes:
        found: The rendition another made meanwhile, and the tier it was found in.
        claim: The right to make it; None where there is nobody to agree with.
        storing: Set by who made it: done when others can find it.
    """

    def __init__(self) -> None:
        self.found: tuple[Rendition, str] | None = None
        self.claim: Claim | None = None
        self.storing: asyncio.Future[None] | None = None


class Turns:
    """The turns of one process. Owned by one event loop.

    Args:
        tiers: Where renditions of others are found.
        lease: What processes agree by; None: this one is alone.
    """

    def __init__(self, tiers: Tiers, lease: RenderLease | None) -> None:
        self._tiers, self._lease = tiers, lease
        self._releasing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self, key: RenderKey) -> AsyncIterator[Turn]:
        """Find the rendition of `key` made by another, or get to make it.

        A claim is released behind the answer: at once if nothing came of it, otherwise when what
        was made has been stored.
        """
        turn = Turn()
        try:
            if self._lease is not None:
                await self._ask(self._lease, key, turn)
            yield turn
        finally:
            if turn.claim is not None:
                self._behind(_release(turn.claim, turn.storing))

    async def close(self) -> None:
        """Release what is held, then let go of the lease."""
        while self._releasing:
            await asyncio.wait(self._releasing)
        if self._lease is not None:
            await self._lease.close()

    async def _ask(self, lease: RenderLease, key: RenderKey, turn: Turn) -> None:
        try:
            while turn.claim is None and turn.found is None:
                turn.claim = await lease.take(key)
                if turn.claim is None:
                    turn.found = await self._wait(lease, key)
                elif turn.claim.token > 1:
                    # Claimed before: made, perhaps, since we looked.
                    turn.found = await self._tiers.find(key)
        except TierUnavailable:
            return

    async def _wait(self, lease: RenderLease, key: RenderKey) -> tuple[Rendition, str] | None:
        """Wait until the rendition is there, or nobody makes it any more.

        Raises:
            TierUnavailable: The lease could not be asked several times in a row.
        """
        wait_s, in_vain = LOOK_FIRST_S, 0
        while True:
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LOOK_AT_MOST_S)
            if (found := await self._tiers.find(key, nearest_only=True)) is not None:
                return found
            try:
                if not await lease.is_held(key):
                    return await self._tiers.find(key)
                in_vain = 0
            except TierUnavailable:
                in_vain += 1
                if in_vain == LOOKS_IN_VAIN:
                    raise

    def _behind(self, releasing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(releasing)
        # The set keeps the task alive (the loop holds tasks weakly) until it is done.
        self._releasing.add(task)
        task.add_done_callback(self._releasing.discard)


async def _release(claim: Claim, storing: asyncio.Future[None] | None) -> None:
    if storing is not None:
        await asyncio.wait([storing])
    await claim.release()
