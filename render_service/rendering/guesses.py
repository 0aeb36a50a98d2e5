"""Pictures that may be asked for next: whose turn it is to be drawn ahead, and who is too late.

The rule: the likeliest of each shopper comes before the second of any, and among equals those of
who was here last. A shopper who was here too long ago, or before too many others, has gone
elsewhere: what was left to guess for them is forgotten, unplanned.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from render_service.planning.key import RenderKey
from render_service.planning.plan import RenderPlan

SHOPPERS_MAX: Final = 32
"""Shoppers guessed for at once: two pictures for each of them take a core six seconds at 0.1 s, the
time between two clicks; who stands behind more than that gets nothing in time."""

GONE_S: Final = 60.0
"""Most visits to a page end within a minute (Nielsen, How Long Do Users Stay on Web Pages?)."""


class Planned(Protocol):
    """A picture that can be drawn."""

    @property
    def plan(self) -> RenderPlan:
        """All that its pixels depend on."""
        ...

    @property
    def key(self) -> RenderKey:
        """Its name in stores."""
        ...


class _Shopper:
    """What is guessed for whoever looks at one picture."""

    def __init__(self, pictures: Iterator[Planned], seen_s: float, number: int) -> None:
        self.pictures, self.seen_s, self.number = pictures, seen_s, number
        self.taken = 0


class Guesses:
    """Guesses of one process, by the picture they were made at."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        """Start with none; `now` gives seconds that never go backwards."""
        self._now = now
        self._shoppers: OrderedDict[RenderKey, _Shopper] = OrderedDict()
        self._number = 0

    def __len__(self) -> int:
        return len(self._shoppers)

    def add(self, at: RenderKey, pictures: Iterator[Planned]) -> None:
        """Guess that of `pictures`, the likeliest first, one is asked for after the picture `at`.

        They are planned as their turn comes. Guesses made at the same picture before are replaced.
        """
        self._number += 1
        self._shoppers.pop(at, None)
        self._shoppers[at] = _Shopper(pictures, self._now(), self._number)
        if len(self._shoppers) > SHOPPERS_MAX:
            self._shoppers.popitem(last=False)

    def take(self) -> Planned | None:
        """Return the picture that is to be drawn next, planned now, or None."""
        self._forget_the_gone()
        while self._shoppers:
            at, shopper = min(self._shoppers.items(), key=_turn)
            shopper.taken += 1
            planned = next(shopper.pictures, None)
            if planned is not None:
                return planned
            del self._shoppers[at]
        return None

    def clear(self) -> None:
        """Forget all of them."""
        self._shoppers.clear()

    def _forget_the_gone(self) -> None:
        while self._shoppers:
            at, oldest = next(iter(self._shoppers.items()))
            if self._now() - oldest.seen_s <= GONE_S:
                return
            del self._shoppers[at]


def _turn(of: tuple[RenderKey, _Shopper]) -> tuple[int, int]:
    return (of[1].taken, -of[1].number)
