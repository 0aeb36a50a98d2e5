"""Pictures that nobody waits for yet: made while a thread is spare, one after the other.

The rule: a wish delays no request. It is made through the same door as any picture (memory, tiers,
one flight per key, a turn), but begins only beside a thread that stays free, and holds nothing
while it waits: no place, no flight, no claim that another process would wait for.

What was asked for and is still to be made (a wish) comes before what may be asked for next (a
guess), which comes only when there are no wishes.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from typing import Final

from render_service.errors import Overloaded, RenderServiceError
from render_service.planning.key import RenderKey
from render_service.planning.plan import RenderPlan
from render_service.rendering.guesses import Guesses, Planned
from render_service.rendering.served import Served
from render_service.telemetry import instruments

WISHES_MAX: Final = 256
"""Wishes kept: a minute of rendering at 0.2 s each; the oldest goes, as who wished it has left."""

AHEAD_KEPT: Final = 8192
"""Pictures drawn ahead that are remembered until they are asked for: as many as paths are."""

CROWDED_S: Final = 0.05
"""Between looks whether others have left room: a small picture takes that long to draw."""

_log = logging.getLogger(__name__)


class Behind:
    """The wishes and guesses of one process. Owned by one event loop.

    Args:
        spare: Returns when a wish may begin.
        make: Finds or makes a picture without delaying a request; raises Overloaded where it would.
        is_held: Whether a picture is in the memory of this process.
        is_crowded: Whether other processes leave no room for guesses.
    """

    def __init__(
        self,
        *,
        spare: Callable[[], Awaitable[None]],
        make: Callable[[RenderPlan], Awaitable[Served]],
        is_held: Callable[[RenderKey], bool],
        is_crowded: Callable[[], bool],
    ) -> None:
        self._spare, self._make, self._is_held = spare, make, is_held
        self._is_crowded = is_crowded
        self._wishes: OrderedDict[RenderKey, RenderPlan] = OrderedDict()
        self._guesses = Guesses()
        self._ahead: OrderedDict[RenderKey, None] = OrderedDict()
        self._making: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._wishes) + len(self._guesses)

    def wish(self, key: RenderKey, plan: RenderPlan) -> None:
        """Have `plan` made when there is room; one that is wished already keeps its place."""
        self._wishes.setdefault(key, plan)
        if len(self._wishes) > WISHES_MAX:
            self._wishes.popitem(last=False)
        self._begin()

    def guess(self, at: RenderKey, pictures: Iterator[Planned]) -> None:
        """Have `pictures` made when there is room and no wish: see `Guesses.add`."""
        self._guesses.add(at, pictures)
        self._begin()

    def note_asked(self, key: RenderKey) -> None:
        """Count a request for a picture, if it was drawn ahead and not asked for before."""
        if key in self._ahead:
            del self._ahead[key]
            instruments.ahead.add(1, "asked for")

    async def close(self) -> None:
        """Forget what has not begun."""
        self._wishes.clear()
        self._guesses.clear()
        if self._making is not None:
            self._making.cancel()
            await asyncio.gather(self._making, return_exceptions=True)

    def _begin(self) -> None:
        if self._making is None or self._making.done():
            self._making = asyncio.create_task(self._make_all())

    async def _make_all(self) -> None:
        guessed: Planned | None = None
        while self._wishes or guessed or len(self._guesses):
            await self._spare()
            if self._wishes:
                await self._make_wish(*next(iter(self._wishes.items())))
                continue
            if self._is_crowded():
                await asyncio.sleep(CROWDED_S)
                continue
            # One that a request came before keeps its turn.
            guessed = guessed or self._guesses.take()
            if guessed is not None and await self._make_guess(guessed):
                guessed = None

    async def _make_wish(self, key: RenderKey, plan: RenderPlan) -> None:
        try:
            await self._make(plan)
        except Overloaded:
            # A request came first: it waits for the next spare thread.
            return
        except RenderServiceError as error:
            _log.warning("%s, which was wished for, could not be made: %s", key, error)
        self._wishes.pop(key, None)

    async def _make_guess(self, guessed: Planned) -> bool:
        """Find or make a picture that may be asked for; return False if a request came first."""
        if self._is_held(guessed.key):
            # Planning took a while, and the next may be held as well: requests go first.
            await asyncio.sleep(0)
            return True
        try:
            served = await self._make(guessed.plan)
        except Overloaded:
            return False
        except RenderServiceError as error:
            instruments.ahead.add(1, "failed")
            _log.debug("%s, which was guessed, could not be made: %s", guessed.key, error)
            return True
        if served.source != "render":
            instruments.ahead.add(1, "found")
        elif not served.collapsed:
            instruments.ahead.add(1, "made")
            self._remember(guessed.key)
        return True

    def _remember(self, key: RenderKey) -> None:
        self._ahead[key] = None
        if len(self._ahead) > AHEAD_KEPT:
            self._ahead.popitem(last=False)
