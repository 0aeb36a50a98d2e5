"""What jobs need of the outside world, and what a handler is given.

The rule of handlers: what is done outside of the database is safe to do twice (put only if absent,
by content); what is done in the database is done in a transaction that holds the job, and finished
or kept in that same transaction. Then a worker may die at any instant, or sleep and wake up late,
and every effect is there exactly once.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from msgspec import Struct

from render_service.errors import DatabaseUnavailable, UnknownJob
from render_service.jobs.model import JSON, Job, Kind, Order, Status

Connection = Any
"""What the database's unit of work gives its work: whoever handles jobs passes it through."""


class Task(Protocol):
    """One attempt at a job, as its handler sees it."""

    @property
    def job(self) -> Job:
        """The job as it stood when this attempt began: its payload, and what another one kept."""
        ...

    async def report(self, done: int, total: int = 0, note: str = "") -> None:
        """Say how far the work is. Cheap: written once in a while, the last report always.

        Raises:
            JobCancelled: Somebody asked for the end of it; let it through.
            Superseded: Another attempt has the job; let it through.
        """
        ...

    async def hold(self, connection: Connection) -> None:
        """Hold the job until the transaction of `connection` ends, as its first statement.

        While it is held no other attempt can begin, and nobody can cancel it. It says nothing of
        what was done before: an attempt that follows a worker's death after this transaction does
        it again, unless it is `kept` or `finished` in it.

        Raises:
            JobCancelled: Somebody asked for the end of it.
            Superseded: Another attempt has the job.
        """
        ...

    async def keep(self, connection: Connection, state: JSON) -> None:
        """Hold the job, and keep `state` in that transaction: `job.state` of the next attempt.

        For work of many steps: each transaction keeps how far it came.

        Raises:
            JobCancelled: As `hold`.
            Superseded: As `hold`.
        """
        ...

    async def finish(self, connection: Connection, result: JSON) -> None:
        """Hold the job, and end it in that transaction; what the handler returns counts no more.

        For work of one step: what it does is there exactly if the job is done.

        Raises:
            JobCancelled: As `hold`.
            Superseded: As `hold`.
        """
        ...


Handler = Callable[[Task], Awaitable[JSON]]
"""Does a job, and returns what came of it, as JSON."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which jobs are listed, newest first.

    Attributes:
        limit: The most that are listed.
        after: When the last one of the page before was ordered, and its id.
        status: Only these.
        kind: Only these.
    """

    limit: int
    after: tuple[datetime, str] | None = None
    status: Status | None = None
    kind: Kind | None = None


class Page(Struct, frozen=True, kw_only=True):
    """Some of a list of jobs.

    Attributes:
        jobs: Newest first.
        has_more: Whether there are older ones.
    """

    jobs: list[Job]
    has_more: bool


# Litestar checks what it hands to handlers.
@runtime_checkable
class JobStore(Protocol):
    """Where jobs are kept, for who looks at them."""

    async def get(self, job_id: str) -> Job:
        """Return the job as it stands.

        Raises:
            UnknownJob: There is none of that id.
            DatabaseUnavailable: It cannot be looked up.
        """
        ...

    async def list_jobs(self, wanted: Wanted) -> Page:
        """Return a page of jobs.

        Raises:
            DatabaseUnavailable: They cannot be looked up.
        """
        ...

    async def order(self, order: Order) -> Job:
        """Keep a job that follows from nothing else; return it, or the live one of its key.

        Raises:
            DatabaseUnavailable: Nothing was kept.
        """
        ...

    async def cancel(self, job_id: str) -> Job:
        """End a job that waits; ask one that runs to end. Return it as it then stands.

        Raises:
            UnknownJob: There is none of that id.
            JobOver: It is done, or failed.
            DatabaseUnavailable: Nothing was changed.
        """
        ...

    async def retry(self, job_id: str) -> Job:
        """Have a job that failed or was cancelled done after all; return it as it then stands.

        Raises:
            UnknownJob: There is none of that id.
            JobNotParked: It is none of those, or another of its key is live.
            DatabaseUnavailable: Nothing was changed.
        """
        ...


class NoJobs:
    """Implements `JobStore` where there is no database: there are none."""

    async def get(self, job_id: str) -> Job:
        raise UnknownJob(job_id)

    async def list_jobs(self, wanted: Wanted) -> Page:
        del wanted
        return Page(jobs=[], has_more=False)

    async def order(self, order: Order) -> Job:
        raise DatabaseUnavailable(f"there is none, and {order.kind} needs one")

    async def cancel(self, job_id: str) -> Job:
        raise UnknownJob(job_id)

    async def retry(self, job_id: str) -> Job:
        raise UnknownJob(job_id)
