"""Attempts at jobs, in this process: begun, watched over, and ended whatever happens.

The rule: an attempt ends its job only while it owns it. One that lost it to another, or whose job
was cancelled, is ended here within a second, whatever it is doing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from render_service.adapters.job_attempts import Attempt, begin, find_lost
from render_service.adapters.job_queue import GivenBack
from render_service.adapters.postgres import Database
from render_service.errors import (
    DatabaseUnavailable,
    JobCancelled,
    OutcomeUnknown,
    RenderServiceError,
    Superseded,
)
from render_service.jobs.doing import Doing
from render_service.jobs.model import JSON, Kind, Status
from render_service.telemetry import instruments

_log = logging.getLogger(__name__)

ATTEMPTS_MAX: Final = 10
"""Begun, with those whose worker died: a roll-out that kills workers costs a job two or three."""

_LOOK_S: Final = 1.0
"""Between looks for attempts that are to end: as long as somebody who cancels waits gladly."""


class Attempts:
    """The attempts of this process. Owned by one event loop."""

    def __init__(self, database: Database, doings: Mapping[Kind, Doing]) -> None:
        """Begin with none.

        Args:
            database: Where jobs are kept.
            doings: How jobs are done.
        """
        self._database, self._doings = database, doings
        self._running: dict[str, tuple[Attempt, asyncio.Task[JSON]]] = {}
        self._is_stopping = False

    async def process(self, ticket: str, kind: Kind) -> float | None:
        """Do the job of `ticket`, if it is still to be done.

        Returns:
            The seconds after which it is to be done again; None where it is over.

        Raises:
            GivenBack: It was not done: this process ends.
            DatabaseUnavailable: Nothing is known of it; to be done again.
            OutcomeUnknown: Likewise.
        """
        if self._is_stopping:
            raise GivenBack
        attempt = await begin(self._database, ticket, ATTEMPTS_MAX)
        if attempt is None:
            return None
        doing = self._doings[kind]
        task = asyncio.ensure_future(_within(doing, attempt))
        self._running[ticket] = attempt, task
        try:
            with contextlib.suppress(Superseded):
                return await self._ended(attempt, task, doing)
            _count(attempt, "lost")
            _log.warning("the job %s went on elsewhere", attempt.job.id)
        finally:
            del self._running[ticket]
        return None

    async def watch(self) -> None:
        """End attempts whose jobs were cancelled, or are another's; runs until it is cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if not self._running:
                continue
            # The database being away is no reason to end anything.
            with contextlib.suppress(DatabaseUnavailable):
                attempts = [attempt for attempt, _ in self._running.values()]
                self.end(await find_lost(self._database, attempts))

    def end(self, tickets: Iterable[str]) -> None:
        """End attempts at the jobs of `tickets`: they are over, or another's."""
        for ticket in tickets:
            if ticket in self._running:
                self._running[ticket][1].cancel()

    def stop(self) -> None:
        """Give every job back: another worker begins it anew."""
        self._is_stopping = True
        self.end(tuple(self._running))

    async def _ended(
        self, attempt: Attempt, task: asyncio.Task[JSON], doing: Doing
    ) -> float | None:
        """Wait for the end of `task`, and note it.

        Raises:
            Superseded: Another attempt has the job.
        """
        try:
            await asyncio.wait([task])
        finally:
            # The queue's own task was cancelled, not ours: nobody would wait for it any more.
            task.cancel()
        if task.cancelled():
            await self._cut(attempt)
            return None
        error = task.exception()
        if error is None:
            await attempt.end(task.result())
            _count(attempt, "done")
            return None
        if isinstance(error, Superseded):
            raise error
        if isinstance(error, JobCancelled):
            await attempt.stop()
            _count(attempt, "cancelled")
            return None
        if isinstance(error, DatabaseUnavailable | OutcomeUnknown):
            # No fault of the job's: it is no failure, and the queue has it done again.
            await attempt.set_aside(str(error))
            _count(attempt, "again")
            raise error
        return await _failed(attempt, error, doing)

    async def _cut(self, attempt: Attempt) -> None:
        """Note that an attempt was ended from outside."""
        try:
            await attempt.stop()
        except Superseded:
            if not self._is_stopping:
                raise
            await attempt.give_back()
            _count(attempt, "given back")
            raise GivenBack from None
        _count(attempt, "cancelled")


async def _within(doing: Doing, attempt: Attempt) -> JSON:
    try:
        async with asyncio.timeout(doing.limit_s) as limit:
            result = await doing.handle(attempt)
            # What cannot be kept is the handler's fault, told as one.
            msgspec.json.encode(result)
            return result
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise TookTooLong(doing.limit_s) from error


class TookTooLong(Exception):
    """An attempt took longer than its kind may."""

    def __init__(self, limit_s: float) -> None:
        super().__init__(f"It took longer than {limit_s:g} s.")


async def _failed(attempt: Attempt, error: BaseException, doing: Doing) -> float | None:
    job = attempt.job
    said = _told(error)
    status = await attempt.fail(said, doing.failures_max)
    if status is Status.QUEUED:
        _count(attempt, "again")
        _log.warning("the job %s (%s) is to be done again: %s", job.id, job.kind, said)
        return doing.pause_s(job.failures + 1)
    if status is Status.CANCELLED:
        _count(attempt, "cancelled")
        return None
    _count(attempt, "parked")
    # One line that an alert can look for: nobody does this job any more.
    _log.error("the job %s (%s) is parked: %s", job.id, job.kind, said, exc_info=error)
    return None


def _count(attempt: Attempt, result: str) -> None:
    instruments.jobs.add(1, attempt.job.kind, result)


def _told(error: BaseException) -> str:
    """What people who ordered the job are told of an error."""
    ours = isinstance(error, RenderServiceError | TookTooLong)
    return str(error) if ours else f"{type(error).__name__}: {error}"
