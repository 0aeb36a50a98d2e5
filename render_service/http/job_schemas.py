"""What the routes of jobs give: the shapes that OpenAPI shows.

Shapes only. What a job was ordered with is not shown: it is its orderer's.
"""

from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from render_service.jobs.model import Job, Progress, Status

PAGE: Final = 20
PAGE_MAX: Final = 100
"""Jobs of a page; each takes some 600 bytes."""


class JobOut(Struct, frozen=True, kw_only=True):
    """A job as it stands.

    Attributes:
        id: Names it.
        href: Where it is shown.
        events: Where its progress is told as it happens.
        kind: What is done.
        status: Where it stands; `failed` is not tried again unless somebody asks for it.
        cancel_asked: Somebody wants it to end.
        progress: How far it is; `total` is 0 while that is not known.
        result: What came of it, once it is `done`.
        error: What the last attempt that failed said.
        by: Who ordered it.
        attempts: Begun so far.
        created: When it was ordered.
        updated: When anything of it changed.
        started: When its last attempt began.
        ended: When it was over.
    """

    id: str
    href: str
    events: str
    kind: str
    status: Status
    cancel_asked: bool
    progress: Progress
    result: Any
    error: str | None
    by: str
    attempts: int
    created: datetime
    updated: datetime
    started: datetime | None
    ended: datetime | None


class JobList(Struct, frozen=True, kw_only=True):
    """A page of jobs.

    Attributes:
        jobs: Newest first.
        next: The page behind it; None at the end.
    """

    jobs: list[JobOut]
    next: str | None


def describe_job(job: Job, public_url: str) -> JobOut:
    """Return `job` as it is shown."""
    href = f"{public_url}/v1/jobs/{job.id}"
    return JobOut(
        id=job.id,
        href=href,
        events=f"{href}/events",
        kind=job.kind,
        status=job.status,
        cancel_asked=job.cancel_asked,
        progress=job.progress,
        result=job.result,
        error=job.error,
        by=job.by,
        attempts=job.attempts,
        created=job.created,
        updated=job.updated,
        started=job.started,
        ended=job.ended,
    )
