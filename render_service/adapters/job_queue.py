"""The queue of jobs in Redis or Valkey, by BullMQ: it says when to look at which job.

The rule: what is lost here is told of again from the outbox, and what is told twice is done once;
nothing but tickets is kept here. What BullMQ's Python port does otherwise than one expects, and
what is done about it, is in docs/decisions/0113-bullmq.md.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from bullmq import Job as Entry
from bullmq import Queue, Worker
from bullmq.custom_errors import DelayedError
from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from render_service.errors import InvalidSetting, QueueUnavailable
from render_service.jobs.model import Kind

_log = logging.getLogger(__name__)

PREFIX: Final = "render-jobs"
"""Before every key, so that a queue may live beside pictures."""

_WAIT_S: Final = 10
"""BullMQ lets a worker wait for so long in one call; a server that is silent for longer is away."""

_ANSWER_S: Final = _WAIT_S + 5.0

_FOR_EVER: Final = 2**31 - 1
"""Of attempts and of stalls: how often a job is done is for its row to count."""

_AGAIN_MS: Final = 1000
"""Between looks for a server that is away."""

CLOCK: Final = "clock"
"""The queue of what is to be ordered by the clock."""

_LATE_S: Final = 60.0
"""A time that was missed by more is set again."""

Process = Callable[[str, Kind], Awaitable[float | None]]
"""Does the job of a ticket and a kind; returns after how many seconds it is to be done again, if it
is. Raises `GivenBack` where another worker is to have it at once."""


class GivenBack(Exception):
    """The job was not done: another worker is to have it."""


class _Again(Exception):
    """The job failed, and is to be done again after a pause."""

    def __init__(self, pause_s: float) -> None:
        super().__init__("to be done again")
        self.pause_s = pause_s


class Ticket(Struct, frozen=True, kw_only=True):
    """What the queue knows of a job.

    Attributes:
        id: Added again, it is the same.
        kind: Names the queue; a `Kind`, or one that a newer release knows.
        priority: 0 first, to 9 last.
    """

    id: str
    kind: str
    priority: int


class JobQueue:
    """The queues of all kinds, for who fills them. Owned by one event loop."""

    def __init__(self, url: str) -> None:
        """Name the server; nothing is asked yet.

        Raises:
            InvalidSetting: The URL cannot be read.
        """
        self._client = _connect(url)
        self._queues: dict[str, Queue] = {}
        self._clock = Queue(CLOCK, _words(self._client))

    async def add(self, tickets: Sequence[Ticket]) -> None:
        """Tell of jobs; those that the queue knows already stay where they are.

        Raises:
            QueueUnavailable: Some of them may have been added: all are to be added again.
        """
        by_kind: dict[str, list[dict[str, Any]]] = {}
        for ticket in tickets:
            words = {
                "jobId": ticket.id,
                "priority": ticket.priority,
                "attempts": _FOR_EVER,
                "backoff": {"type": "ours", "delay": 0},
                "removeOnComplete": True,
                "removeOnFail": True,
                "stackTraceLimit": 0,
            }
            by_kind.setdefault(ticket.kind, []).append(
                {"name": str(ticket.kind), "data": {}, "opts": words}
            )
        try:
            for kind, entries in by_kind.items():
                await self._queue(kind).addBulk(entries)
        except (RedisError, OSError) as error:
            raise QueueUnavailable(str(error) or type(error).__name__) from error

    def _queue(self, kind: str) -> Queue:
        if kind not in self._queues:
            self._queues[kind] = Queue(str(kind), _words(self._client))
        return self._queues[kind]

    async def check(self) -> None:
        """See that the server keeps what it is given.

        Raises:
            QueueUnavailable: It does not answer.
            InvalidSetting: It removes what it likes when it is full.
        """
        try:
            memory = await self._client.info("memory")
        except (RedisError, OSError) as error:
            raise QueueUnavailable(str(error) or type(error).__name__) from error
        policy = str(memory.get("maxmemory_policy", "noeviction"))
        if int(memory.get("maxmemory", 0)) and policy.startswith("allkeys"):
            raise InvalidSetting(
                f"The server of RENDER_QUEUE_URL removes any key when it is full "
                f"(maxmemory-policy {policy}), jobs among them: set it to noeviction, or to "
                "volatile-lru where pictures are kept there, too."
            )

    async def keep_time(self, times: Mapping[Kind, str]) -> None:
        """Have the clock tell of each kind at its times, as cron writes them, in UTC.

        A time that is set stays: it is set again where the server forgot it, or where the worker
        died that was to set the next one.

        Raises:
            QueueUnavailable: The server does not answer.
        """
        try:
            # Of one that is not there the port's `getJobScheduler` says ValueError.
            set_ = {one["key"]: one for one in await self._clock.getJobSchedulers()}
            for kind, pattern in times.items():
                held = set_.get(kind)
                late_ms = (time.time() - _LATE_S) * 1000
                if held and held["pattern"] == pattern and (held["next"] or 0) > late_ms:
                    continue
                words = {"removeOnComplete": True, "removeOnFail": True, "stackTraceLimit": 0}
                await self._clock.upsertJobScheduler(
                    kind, {"pattern": pattern}, kind.value, {}, words
                )
        except (RedisError, OSError) as error:
            raise QueueUnavailable(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


class QueueWorker:
    """Takes jobs of one queue while it runs. Owned by one event loop."""

    def __init__(
        self, url: str, name: str, process: Process, *, at_once: int, lock_s: float
    ) -> None:
        """Name the server; nothing is asked yet.

        Args:
            url: Of the server.
            name: Of the queue: a kind, or `CLOCK`.
            process: Does the job of a ticket.
            at_once: The most at a time.
            lock_s: A worker that is silent for so long has lost its jobs to others.

        Raises:
            InvalidSetting: The URL cannot be read.
        """
        self._process = process
        self._client = _connect(url)
        words = {
            **_words(self._client),
            "autorun": False,
            "concurrency": at_once,
            "lockDuration": round(lock_s * 1000),
            "stalledInterval": round(lock_s * 1000),
            "maxStalledCount": _FOR_EVER,
            "runRetryDelay": _AGAIN_MS,
            "drainDelay": _WAIT_S,
            "settings": {"backoffStrategy": _pause_ms},
        }
        self._worker = Worker(name, self._do, words)
        self._worker.on("error", _note)

    def on_lost(self, tell: Callable[[Sequence[str]], None]) -> None:
        """Have `tell` told of tickets whose jobs are lost to others."""
        self._worker.on("lockRenewalFailed", tell)

    async def run(self) -> None:
        """Take jobs until `close` is called."""
        await self._worker.run()

    async def close(self) -> None:
        """Take no more jobs, and wait for those that are under way."""
        await self._worker.close()
        await self._client.aclose()

    async def _do(self, entry: Entry, token: str) -> None:
        try:
            pause_s = await self._process(str(entry.id), Kind(entry.name))
        except GivenBack as given:
            await entry.moveToDelayed(0, token)
            raise DelayedError from given
        if pause_s is not None:
            raise _Again(pause_s)


def _words(client: Redis) -> dict[str, Any]:
    return {"connection": client, "prefix": PREFIX}


def _pause_ms(_: int, __: str, error: Exception, ___: Entry) -> int:
    """BullMQ's own strategies know no chance."""
    return round(error.pause_s * 1000) if isinstance(error, _Again) else 5 * _AGAIN_MS


def _note(error: Exception, *_: object) -> None:
    _log.info("the queue: %s", error)


def _connect(url: str) -> Redis:
    """BullMQ's own client would wait for a silent server for ever.

    Raises:
        InvalidSetting: `url` is none. Its parts are not repeated: one may be a password.
    """
    try:
        return Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_ANSWER_S,
            socket_connect_timeout=_ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError:
        raise InvalidSetting(
            "RENDER_QUEUE_URL is no URL of a Redis; one is redis://:password@host:6379/0."
        ) from None
