"""Which render is begun next, and which is refused: decided by expected time, never by count.

The rule: what is admitted is answered within its deadline if expectations hold, so a request that
would be late, or would make another late, is refused before anything was read or drawn for it.

Short work goes first, and waiting counts: a render is overtaken only by what was asked at most
`AGEING` times its own length after it. So thumbnails pass large pictures, and nothing waits for
ever. Pure bookkeeping: callers say what time it is, so it can be tried without waiting.
"""

import math
from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from operator import attrgetter
from typing import Final

from render_service.errors import Overloaded, Refusal
from render_service.rendering.cost import Pace, Work
from render_service.rendering.entry import Entry, Expectation, judge

AGEING: Final = 8.0
"""Seconds of waiting that weigh as much as one second of work. By simulation: more gains small
pictures little and costs large ones their deadline (docs/decisions/0041-short-first-and-ageing.md).
"""

OVERDUE: Final = 0.1
"""A render that takes longer than expected is taken to last 1/10 of its length more."""

LATE: Final = 0.5
"""What waits is given up when not even half of its expected time is left: below that the answer
would come late, above that an expectation that errs by a half still keeps the promise."""

RETURN_AFTER: Final = 2.0
"""Those who are refused are sent back one after the other, at half of what the threads can do: the
other half is for who comes for the first time."""

RETRY_S_MAX: Final = 120
"""Nobody is told to stay away for more than two minutes, as most will not come back at all."""

_ORDER: Final = attrgetter("order_s")


class Admission:
    """The line in front of the render threads of one process.

    Attributes:
        threads: Renders at once.
        queue_s: The longest that a request may be expected to wait when it is admitted; one whose
            own work is long may wait that much longer, at most twice as long in all.
        deadline_s: The longest from asking to the answer.
        pace: How long work takes here.
        refused: How many were refused, by reason.
    """

    def __init__(self, *, threads: int, queue_s: float, deadline_s: float) -> None:
        self.threads, self.queue_s, self.deadline_s = threads, queue_s, deadline_s
        self.pace = Pace()
        self.refused: Counter[Refusal] = Counter()
        self._running: list[Entry] = []
        self._waiting: list[Entry] = []
        self._behind: Entry | None = None
        self._making: Counter[Hashable] = Counter()
        self._returning_s = -math.inf

    @property
    def running(self) -> int:
        """Renders under way that a request waits for."""
        return len(self._running)

    @property
    def under_way(self) -> int:
        """Renders under way, whoever they are for."""
        return len(self._running) + (self._behind is not None)

    @property
    def waiting(self) -> int:
        """Renders that wait for a thread."""
        return len(self._waiting)

    @property
    def waiting_s(self) -> float:
        """Expected seconds of one thread that wait."""
        return sum(self._cost_s(entry) for entry in self._waiting)

    @property
    def is_spare(self) -> bool:
        """Whether work may begin that must delay no request.

        It has a thread of its own, so requests never wait for it; but the cores are theirs too, so
        it begins only while a request's thread would be idle beside it, and one at a time.
        """
        return self._behind is None and self.running <= max(0, self.threads - 2)

    def expect(self, work: Work, now_s: float) -> Expectation:
        """Return what would become of a request for `work` that came now."""
        return self._expect(self._entry(work, now_s, lambda _: None), now_s)

    def enter(
        self,
        work: Work,
        now_s: float,
        decide: Callable[[Overloaded | None], None],
        *,
        asked_s: float | None = None,
        behind: bool = False,
    ) -> Entry:
        """Admit a render; `decide` is called when it begins, perhaps at once.

        Args:
            work: What it is expected to take.
            now_s: The time, on a monotonic clock.
            decide: Given None when its thread is free, or the reason it will never be.
            asked_s: When it was asked for, if that was before now.
            behind: It must delay no request: it begins at once or is refused, and has no deadline.

        Raises:
            Overloaded: It is refused; nothing is kept of it.
        """
        entry = self._entry(work, now_s if asked_s is None else asked_s, decide)
        if behind and not self.is_spare:
            raise Overloaded(1, Refusal.NOT_SPARE)
        expected = self._expect(entry, now_s)
        if not behind and expected.refused is not None:
            raise self._refuse(expected.refused, expected.over_s, entry, now_s)
        self._making.update(work.layers_ms.keys())
        if behind:
            self._behind = entry
            self._begin(entry, now_s)
        else:
            insort(self._waiting, entry, key=_ORDER)
            self._begin_next(now_s)
        return entry

    def leave(self, entry: Entry, now_s: float) -> None:
        """Let go of an entry that no longer wants to be rendered, begun or not."""
        if entry is self._behind:
            self._behind = None
        elif entry in self._running:
            self._running.remove(entry)
        elif entry in self._waiting:
            self._waiting.remove(entry)
        else:
            return
        self._release(entry)
        self._begin_next(now_s)

    def finish(self, entry: Entry, now_s: float) -> None:
        """Let go of an entry that was rendered, and learn how long it took."""
        if entry.alone and entry.begun_s is not None:
            taken_ms = 1000 * (now_s - entry.begun_s)
            self.pace.learn(expected_ms=entry.cost_ms, taken_ms=taken_ms)
        self.leave(entry, now_s)

    def expire(self, entry: Entry, now_s: float) -> None:
        """Refuse an entry that still waits and will not be answered in time."""
        if entry in self._waiting:
            self._give_up(entry, now_s)

    def revise(self, entry: Entry, work: Work) -> None:
        """Say what an entry that was begun really has to do, now that its layers are looked up."""
        self._release(entry)
        under_way = [*self._running, *([self._behind] if self._behind else [])]
        others = [other.work.layers_ms for other in under_way if other is not entry]
        entry.alone = not any(key in made for key in work.layers_ms for made in others)
        entry.cost_ms = work.own_ms + sum(
            ms for key, ms in work.layers_ms.items() if not any(key in made for made in others)
        )
        entry.work = work
        self._making.update(work.layers_ms.keys())

    def _entry(
        self, work: Work, asked_s: float, decide: Callable[[Overloaded | None], None]
    ) -> Entry:
        unmade = (ms for key, ms in work.layers_ms.items() if key not in self._making)
        entry = Entry(work, work.own_ms + sum(unmade), asked_s + self.deadline_s, decide)
        cost_s = self._cost_s(entry)
        # The second is when it must begin at the latest: what is close to it comes first.
        entry.order_s = min(asked_s + AGEING * cost_s, entry.due_s - cost_s)
        return entry

    def _cost_s(self, entry: Entry) -> float:
        return entry.cost_ms * self.pace.ratio / 1000

    def _running_s(self, now_s: float) -> float:
        """Seconds of one thread that what runs will still take."""
        total_s = 0.0
        for entry in self._running:
            cost_s = self._cost_s(entry)
            begun_s = now_s if entry.begun_s is None else entry.begun_s
            total_s += max(cost_s - (now_s - begun_s), OVERDUE * cost_s)
        return total_s

    def _expect(self, entry: Entry, now_s: float) -> Expectation:
        """Return what would become of `entry`, were it to enter now."""
        cost_s = self._cost_s(entry)
        if self.running < self.threads:
            # One that is idle always tries: otherwise a pace learnt in bad times would last.
            late_s = now_s + cost_s - entry.due_s if self._running else 0.0
            return judge(0.0, cost_s, {Refusal.DEADLINE: late_s})
        place = bisect_right(self._waiting, entry.order_s, key=_ORDER)
        ahead_s = sum(map(self._cost_s, self._waiting[:place]), self._running_s(now_s))
        wait_s = ahead_s / self.threads
        over_s = {
            # And as long again as its own work takes: short ones keep the line as long as the
            # bound, so that a long one would never be let in.
            Refusal.QUEUE: wait_s - self.queue_s - min(cost_s, self.queue_s),
            Refusal.DEADLINE: now_s + wait_s + cost_s - entry.due_s,
            Refusal.OTHERS: self._pushed_s(self._waiting[place:], ahead_s, cost_s, now_s),
        }
        return judge(wait_s, cost_s, over_s)

    def _pushed_s(
        self, behind: Sequence[Entry], ahead_s: float, cost_s: float, now_s: float
    ) -> float:
        """Return by how much `cost_s` more in front would make one of `behind` late.

        Who is late already is not made late by it.
        """
        pushed_s, line_s = 0.0, ahead_s
        for other in behind:
            other_s = self._cost_s(other)
            spare_s = other.due_s - (now_s + line_s / self.threads + other_s)
            if spare_s >= 0:
                pushed_s = max(pushed_s, cost_s / self.threads - spare_s)
            line_s += other_s
        return pushed_s

    def _begin_next(self, now_s: float) -> None:
        while self._waiting and self.running < self.threads:
            entry = self._waiting[0]
            if self._running and now_s + LATE * self._cost_s(entry) > entry.due_s:
                self._give_up(entry, now_s)
                continue
            del self._waiting[0]
            self._running.append(entry)
            self._begin(entry, now_s)

    def _begin(self, entry: Entry, now_s: float) -> None:
        entry.begun_s = now_s
        entry.decide(None)

    def _give_up(self, entry: Entry, now_s: float) -> None:
        self._waiting.remove(entry)
        self._release(entry)
        # It was let in too hopefully; it comes back like one that was not let in.
        entry.decide(self._refuse(Refusal.LATE, self.queue_s, entry, now_s))

    def _release(self, entry: Entry) -> None:
        self._making.subtract(entry.work.layers_ms.keys())
        # Adding drops what nobody makes any more.
        self._making += Counter()

    def _refuse(self, reason: Refusal, over_s: float, entry: Entry, now_s: float) -> Overloaded:
        """Count a refusal; return the error, with a time at which there should be room."""
        self.refused[reason] += 1
        room_s = max(now_s + over_s, self._returning_s)
        self._returning_s = room_s + RETURN_AFTER * self._cost_s(entry) / self.threads
        return Overloaded(min(max(1, math.ceil(room_s - now_s)), RETRY_S_MAX), reason)
