"""Admission in virtual time: renders last what they cost, and nobody waits for it."""

import heapq
import itertools
import random

from msgspec import Struct

from render_service.errors import Overloaded, Refusal
from render_service.rendering.admission import Admission
from render_service.rendering.cost import Work

SMALL_MS, LARGE_MS = 20.0, 600.0


class Visit(Struct, kw_only=True):
    """One request, and what became of it."""

    cost_ms: float
    asked_s: float
    attempt: int = 0
    begun_s: float | None = None
    answered_s: float | None = None
    refused: Refusal | None = None
    retry_after_s: int | None = None

    @property
    def waited_s(self):
        return self.begun_s - self.asked_s


class Simulation:
    """A process that renders; `slowness` is what it takes over what is expected, on average."""

    def __init__(self, *, threads=2, queue_s=3.0, deadline_s=10.0, slowness=1.0, attempts=1):
        self.admission = Admission(threads=threads, queue_s=queue_s, deadline_s=deadline_s)
        self.visits = []
        self.now_s = 0.0
        self._slowness, self._attempts = slowness, attempts
        self._events, self._numbers = [], itertools.count()
        self._random = random.Random(1)  # noqa: S311  # the same in every run

    def run(self, arrivals):
        """Let each (second, cost in ms) arrive; return every visit once all is done."""
        for at_s, cost_ms in arrivals:
            self._at(at_s, lambda cost_ms=cost_ms: self._arrive(cost_ms, 0))
        while self._events:
            self.now_s, _, happen = heapq.heappop(self._events)
            happen()
        return self.visits

    def _at(self, at_s, happen):
        heapq.heappush(self._events, (at_s, next(self._numbers), happen))

    def _arrive(self, cost_ms, attempt):
        visit = Visit(cost_ms=cost_ms, asked_s=self.now_s, attempt=attempt)
        self.visits.append(visit)
        held = []

        def decide(refused):
            if refused is not None:
                return self._send_away(visit, refused)
            visit.begun_s = self.now_s
            # A third more or less than the mean, as real pictures are.
            lasts_s = cost_ms / 1000 * self._slowness * self._random.uniform(0.67, 1.33)
            self._at(self.now_s + lasts_s, lambda: self._answer(visit, held[0]))

        try:
            held.append(self.admission.enter(Work(own_ms=cost_ms), self.now_s, decide))
        except Overloaded as refused:
            self._send_away(visit, refused)

    def _answer(self, visit, entry):
        visit.answered_s = self.now_s
        self.admission.finish(entry, self.now_s)

    def _send_away(self, visit, refused):
        visit.refused, visit.retry_after_s = refused.reason, refused.retry_after_s
        if visit.attempt + 1 < self._attempts:
            back_s = self.now_s + refused.retry_after_s
            self._at(back_s, lambda: self._arrive(visit.cost_ms, visit.attempt + 1))


def arrivals(load, *, until_s=300, threads=2, large_share=0.1, seed=7):
    """(second, cost in ms) at random instants, at `load` of capacity; a share of them is large."""
    numbers = random.Random(seed)  # noqa: S311  # the same in every run
    mean_ms = large_share * LARGE_MS + (1 - large_share) * SMALL_MS
    at_s = 0.0
    while (at_s := at_s + numbers.expovariate(load * threads * 1000 / mean_ms)) < until_s:
        yield at_s, LARGE_MS if numbers.random() < large_share else SMALL_MS


def quantile(values, share):
    """The value below which `share` of them lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
