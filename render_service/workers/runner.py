"""`render-service work`: everything that one worker process does, from start to stop.

The rule: whatever it needs may be away, when it starts or later; it waits, says so once, and goes
on. Asked to stop it takes nothing new, and what it cannot finish in time it gives back.
"""

import asyncio
import contextlib
import logging
import logging.config
import signal
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

from render_service.adapters.job_queue import CLOCK, JobQueue, QueueWorker
from render_service.adapters.job_table import order
from render_service.adapters.postgres import Database
from render_service.adapters.relay import AT_ONCE, Relay
from render_service.adapters.webhook_table import spread
from render_service.embedded import run_embedded
from render_service.errors import (
    DatabaseUnavailable,
    InvalidSetting,
    OutcomeUnknown,
    QueueUnavailable,
    SchemaBehind,
)
from render_service.jobs.doing import Doing
from render_service.jobs.model import Kind, Order
from render_service.observing import observed
from render_service.settings import Settings
from render_service.telemetry.logs import log_config
from render_service.wiring import TIMES, build_database, queue_url
from render_service.workers.attempts import Attempts
from render_service.workers.doings import all_doings

_log = logging.getLogger(__name__)

_RELAY_S: Final = 0.25
"""Between looks into an empty outbox, one indexed read each: how much later a job may begin."""

_AWAY_S: Final = 1.0
"""Between tries while something is away."""

_LOOK_BACK_S: Final = 60.0
"""Between looks for jobs that the queue lost, and for the clock."""

_PASSING: Final = (DatabaseUnavailable, OutcomeUnknown, QueueUnavailable, SchemaBehind)
"""What is otherwise a while later."""


def work(settings: Settings) -> int:
    """Do jobs until the process is asked to stop (SIGTERM, SIGINT). Blocks.

    Returns:
        The exit status.

    Raises:
        InvalidSetting: There is no database, or no queue that keeps what it is given.
        ServerNotStarted: A server that is to be brought along did not start.
    """
    if not settings.database_url:
        raise InvalidSetting("RENDER_DATABASE_URL names no database, and jobs are kept in it.")
    queue_url(settings)
    logging.config.dictConfig(log_config(settings.log_format, settings.log_level))
    with run_embedded(settings) as reachable:
        asyncio.run(run_worker(reachable, all_doings))
    return 0


async def run_worker(
    settings: Settings, doings_of: Callable[[Settings, Database], Mapping[Kind, Doing]]
) -> None:
    """Do jobs until this process is asked to stop.

    Args:
        settings: Say where everything is.
        doings_of: Say how each kind of job is done.

    Raises:
        InvalidSetting: The queue does not keep what it is given.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    database, queue = build_database(settings), JobQueue(queue_url(settings))
    try:
        if await _unless(stopping, _until_it_answers("queue", queue.check)):
            async with observed(settings):
                process = _Process(settings, database, queue, doings_of(settings, database))
                await process.run(stopping)
    finally:
        await queue.close()
        await database.close()


class _Process:
    """What runs side by side while jobs are done."""

    def __init__(
        self, settings: Settings, database: Database, queue: JobQueue, doings: Mapping[Kind, Doing]
    ) -> None:
        self._settings, self._database, self._queue = settings, database, queue
        self._attempts = Attempts(database, doings)
        self._relay = Relay(database, queue, spread)
        self._workers = [
            self._worker(kind, self._attempts.process, doing.at_once)
            for kind, doing in doings.items()
        ]
        for worker in self._workers:
            worker.on_lost(self._attempts.end)
        self._workers.append(self._worker(CLOCK, self._order_by_clock, 1))

    async def run(self, stopping: asyncio.Event) -> None:
        """Run until `stopping` is set, and then until everything is done or given back."""
        _log.info("doing jobs")
        behind = [
            asyncio.ensure_future(one)
            for one in (
                _over_and_over("jobs", _RELAY_S, self._send),
                _over_and_over("jobs that were lost", _LOOK_BACK_S, self._look_back),
                self._attempts.watch(),
            )
        ]
        taking = [asyncio.ensure_future(worker.run()) for worker in self._workers]
        stop = asyncio.ensure_future(stopping.wait())
        # BullMQ's loop returns where it meets what it does not expect: this process is of no use
        # then, and whoever started it starts another.
        await asyncio.wait([stop, *behind, *taking], return_when=asyncio.FIRST_COMPLETED)
        try:
            await self._stop()
        finally:
            for task in (stop, *behind, *taking):
                task.cancel()
            ended = await asyncio.gather(*behind, *taking, return_exceptions=True)
        if not stopping.is_set():
            failed = [one for one in ended if isinstance(one, Exception)]
            raise RuntimeError("a part of the worker came to an end") from next(iter(failed), None)

    async def _stop(self) -> None:
        _log.info("stopping: what is under way has %g s", self._settings.graceful_stop_s)
        closing = asyncio.gather(*(worker.close() for worker in self._workers))
        done, _ = await asyncio.wait([closing], timeout=self._settings.graceful_stop_s)
        if not done:
            _log.warning("giving back what is still under way")
            self._attempts.stop()
        await closing

    async def _send(self) -> bool:
        return await self._relay.send() == AT_ONCE

    async def _look_back(self) -> bool:
        await self._queue.keep_time(TIMES)
        await self._relay.offer_again()
        return False

    async def _order_by_clock(self, _: str, kind: Kind) -> None:
        asked = Order(kind=kind, payload={}, by="the clock", key="by the clock")
        await self._database.write(lambda connection: order(connection, asked))

    def _worker(
        self, name: str, process: Callable[[str, Kind], Awaitable[float | None]], at_once: int
    ) -> QueueWorker:
        return QueueWorker(
            queue_url(self._settings),
            name,
            process,
            at_once=at_once,
            lock_s=self._settings.job_lock_s,
        )


async def _over_and_over(what: str, pause_s: float, step: Callable[[], Awaitable[bool]]) -> None:
    """Take `step` until it is cancelled: at once again where it says that there is more."""
    while True:
        if not await _until_it_answers(what, step):
            await asyncio.sleep(pause_s)


async def _until_it_answers(what: str, step: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
    """Take `step` until it is not in the way of something that is away; return what it does."""
    is_away = False
    while True:
        try:
            value = await step()
        except _PASSING as error:
            if not is_away:
                reason = getattr(error, "reason", "")
                _log.warning("%s: waiting. %s %s", what, error, reason)
            is_away = True
            await asyncio.sleep(_AWAY_S)
        else:
            if is_away:
                _log.warning("%s: going on", what)
            return value


async def _unless(stopping: asyncio.Event, wait: Coroutine[Any, Any, Any]) -> bool:
    """Wait for `wait`; return whether it came to an end before `stopping` was set.

    Raises:
        Exception: Whatever `wait` raises.
    """
    waiting, stop = asyncio.ensure_future(wait), asyncio.ensure_future(stopping.wait())
    await asyncio.wait([waiting, stop], return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if waiting.done():
        waiting.result()
        return True
    waiting.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await waiting
    return False
