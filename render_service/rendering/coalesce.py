"""One flight per key: however many ask at once, the work is done once.

A flight belongs to nobody: it runs as its own task, so its leader may leave without failing the
others. It is dropped only when all have left and its work has not begun; what has begun is kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from opentelemetry.trace import SpanContext

from render_service.planning.key import RenderKey
from render_service.telemetry import instruments, spans

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Flight(Generic[T]):
    """Work under way for one key.

    Attributes:
        waiting: How many wait for it.
        begun: Whether the costly part has started; its work says so with `begin`.
        traced: The span of its work, once that has started.
        urgent: Whether anyone who waits, or waited, is a request.
    """

    def __init__(self) -> None:
        self.traced: SpanContext | None = None
        self.waiting = 0
        self.begun = False
        self.urgent = False
        self.task: asyncio.Task[T] | None = None

    def begin(self) -> None:
        """Say that the costly part starts now: from here on it is finished and kept."""
        self.begun = True


class Flights(Generic[T]):
    """The flights of one process, by key."""

    def __init__(self) -> None:
        self._flights: dict[RenderKey, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def run(
        self,
        key: RenderKey,
        work: Callable[[Flight[T]], Awaitable[T]],
        *,
        urgent: bool = True,
    ) -> tuple[T, bool]:
        """Return what the flight for `key` brings, and whether it was already under way.

        Args:
            key: What is asked for.
            work: Started when no flight for `key` is under way; given its flight.
            urgent: A request waits for it.

        Raises:
            Exception: Whatever `work` raises reaches everyone who waits. It is not remembered.
        """
        flight = self._flights.get(key)
        joined = flight is not None
        if flight is None:
            flight = self._flights[key] = Flight()
            flight.task = asyncio.ensure_future(work(flight))
            flight.task.add_done_callback(lambda task: self._landed(key, flight, task))
        flight.waiting += 1
        flight.urgent = flight.urgent or urgent
        try:
            if joined:
                return await _follow(flight), True
            # Shielded: cancelling one who waits must not cancel the work of the others.
            return await asyncio.shield(_task_of(flight)), False
        finally:
            flight.waiting -= 1
            if flight.waiting == 0 and not flight.begun and not _task_of(flight).done():
                self._forget(key, flight)
                _task_of(flight).cancel()

    async def settle(self) -> None:
        """Wait until every flight has landed, whatever it brings."""
        while self._flights:
            await asyncio.wait([_task_of(flight) for flight in self._flights.values()])

    def _landed(self, key: RenderKey, flight: Flight[T], task: asyncio.Task[T]) -> None:
        self._forget(key, flight)
        # Looked at here, so that an error nobody waited for is logged once and not by asyncio.
        if not task.cancelled() and (error := task.exception()) and flight.waiting == 0:
            _log.warning("a render that nobody waited for failed: %s", error)

    def _forget(self, key: RenderKey, flight: Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _follow(flight: Flight[T]) -> T:
    """Wait for a flight of another. Its span is linked, as it is a part of the other's trace."""
    instruments.coalesced.add(1, "process")
    with spans.stage("follow") as span:
        try:
            return await asyncio.shield(_task_of(flight))
        finally:
            if flight.traced is not None:
                span.add_link(flight.traced)


def _task_of(flight: Flight[T]) -> asyncio.Task[T]:
    if flight.task is None:
        raise RuntimeError("a flight was joined before its work was started")
    return flight.task
