"""One render in the line, and what is expected of one that is not in it yet.

The rule: who waits is told exactly once, that its work begins or that it never will.
"""

import math
from collections.abc import Callable, Mapping

from msgspec import Struct

from render_service.errors import Overloaded, Refusal
from render_service.rendering.cost import Work


class Expectation(Struct, frozen=True, kw_only=True):
    """What would become of a request that came now.

    Attributes:
        wait_s: Seconds before its work is begun.
        work_s: Seconds that its work takes.
        refused: Why it would be refused, or None.
        over_s: Seconds by which it is over the bound that refuses it.
    """

    wait_s: float
    work_s: float
    refused: Refusal | None = None
    over_s: float = 0.0

    @property
    def ready_s(self) -> float:
        """Seconds until its answer; infinite where it would be refused."""
        return math.inf if self.refused is not None else self.wait_s + self.work_s


class Entry:
    """One render that waits or runs. Made by `Admission.enter`.

    Attributes:
        work: What it is expected to take.
        cost_ms: Its share of that: layers that another makes are the other's.
        order_s: Place in the line.
        due_s: When its answer must be there; not looked at for work behind the requests.
        begun_s: When it was begun; None while it waits.
        alone: Whether nobody else makes one of its layers, so that its time is its own.
    """

    def __init__(
        self, work: Work, cost_ms: float, due_s: float, decide: Callable[[Overloaded | None], None]
    ) -> None:
        self.work, self.cost_ms, self.due_s = work, cost_ms, due_s
        self.order_s = 0.0
        self.begun_s: float | None = None
        self.alone = True
        self._decide = decide

    def decide(self, refused: Overloaded | None) -> None:
        """Tell who waits that its work begins now, or why it never will."""
        self._decide(refused)


def judge(wait_s: float, work_s: float, over_s: Mapping[Refusal, float]) -> Expectation:
    """Return the expectation; the bound that is passed by most refuses."""
    reason = max(over_s, key=lambda bound: over_s[bound])
    if over_s[reason] <= 0:
        return Expectation(wait_s=wait_s, work_s=work_s)
    return Expectation(wait_s=wait_s, work_s=work_s, refused=reason, over_s=over_s[reason])
