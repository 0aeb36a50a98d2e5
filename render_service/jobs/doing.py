"""How jobs of a kind are done: by what, how many at once, for how long, and how often again.

The rule: an attempt that fails is followed by another after a pause, and after the last pause the
job is parked; pauses are spread by chance, so what failed together does not come back together.
"""

import random
from typing import Final

from msgspec import Struct

from render_service.jobs.ports import Handler

PAUSES_S: Final = (2.0, 15.0)
"""Three attempts: what a restart of a server next door takes, and then of a failover."""

SPREAD: Final = 0.25
"""Pauses are up to a quarter shorter or longer."""


class Doing(Struct, frozen=True, kw_only=True):
    """How jobs of one kind are done.

    Attributes:
        handle: Does one.
        limit_s: What takes longer has failed.
        at_once: The most that one process does at a time.
        pauses_s: Before the second attempt, the third, and so on: one attempt more than pauses.
    """

    handle: Handler
    limit_s: float
    at_once: int = 1
    pauses_s: tuple[float, ...] = PAUSES_S

    @property
    def failures_max(self) -> int:
        """Attempts that may fail; the last of them parks the job."""
        return len(self.pauses_s) + 1

    def pause_s(self, failures: int) -> float:
        """Return how long to wait after that many failures, 1 or more."""
        pause_s = self.pauses_s[min(failures, len(self.pauses_s)) - 1]
        # Not a secret: it only spreads attempts over time.
        return pause_s * (1 + SPREAD * (2 * random.random() - 1))  # noqa: S311
