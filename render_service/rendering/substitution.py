"""A picture that is ready sooner, instead of one that must wait: WebP first, AVIF when ready.

The rule: nobody is given another format than the best unless this process is busy, the best one is
nowhere to be had, and the other really is there sooner; and then the best one is made behind the
requests, so that the next to ask gets it.
"""

from render_service.rendering.guesses import Planned
from render_service.rendering.service import RenderService


class Substitution:
    """Decides which of two pictures is answered with.

    Args:
        service: What would make them.
        after_s: The best one may be expected to take so long; 0: it is never substituted.
    """

    def __init__(self, service: RenderService, *, after_s: float) -> None:
        self._service, self._after_s = service, after_s

    @property
    def is_likely(self) -> bool:
        """Whether it is worth asking `is_better` at all: nearly free."""
        return self._after_s > 0 and self._service.is_busy

    async def is_better(self, other: Planned, *, than: Planned) -> bool:
        """Return whether `other` is answered with; if so, `than` is made when there is room.

        Asks the tiers, for at most as long as they may take, and only while this process is busy.
        """
        service = self._service
        if not self.is_likely or service.expect(than.plan).ready_s <= self._after_s:
            return False
        if await service.find(than.key) is not None:
            return False
        # Expected only now: asking the tiers took a while.
        best_s = service.expect(than.plan).ready_s
        sooner = await service.find(other.key) is not None
        if not sooner and service.expect(other.plan).ready_s >= best_s:
            return False
        service.wish(than.key, than.plan)
        return True
