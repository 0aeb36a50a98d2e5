"""Pictures that nobody waits for yet: made while a thread is spare, one after the other.

The rule: a wish delays no request. It is made through the same door as any picture (memory, tiers,
one flight per key, a turn), but begins only beside a thread that stays free, and holds nothing
while it waits: no place, no flight, no claim that another process would wait for.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from render_service.errors import Overloaded, RenderServiceError
from render_service.planning.key import RenderKey
from render_service.planning.plan import RenderPlan

WISHES_MAX: Final = 256
"""Wishes kept: a minute of rendering at 0.2 s each; the oldest goes, as who wished it has left."""

_log = logging.getLogger(__name__)


class Behind:
    """The wishes of one process. Owned by one event loop.

    Args:
        spare: Returns when a wish may begin.
        make: Finds or makes a picture without delaying a request; raises Overloaded where it would.
    """

    def __init__(
        self,
        *,
        spare: Callable[[], Awaitable[None]],
        make: Callable[[RenderPlan], Awaitable[object]],
    ) -> None:
        self._spare, self._make = spare, make
        self._wishes: OrderedDict[RenderKey, RenderPlan] = OrderedDict()
        self._making: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._wishes)

    def wish(self, key: RenderKey, plan: RenderPlan) -> None:
        """Have `plan` made when there is room; one that is wished already keeps its place."""
        self._wishes.setdefault(key, plan)
        if len(self._wishes) > WISHES_MAX:
            self._wishes.popitem(last=False)
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make_all())

    async def close(self) -> None:
        """Forget what has not begun."""
        self._wishes.clear()
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    async def _make_all(self) -> None:
        while self._wishes:
            await self._spare()
            if not self._wishes:
                return
            key, plan = next(iter(self._wishes.items()))
            try:
                await self._make(plan)
            except Overloaded:
                # A request came first: it waits for the next spare thread.
                continue
            except RenderServiceError as error:
                _log.warning("%s, which was wished for, could not be made: %s", key, error)
            self._wishes.pop(key, None)
