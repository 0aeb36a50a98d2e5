"""The JSON API of background work: what was ordered, how far it is, and its end.

Nothing here does a job. Whoever ordered one may look at it, end it and have it done again; to see
those of others needs `jobs:read`, and to touch them `admin`.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.response import Stream

from render_service.auth.scopes import NOBODY, Caller, Scope
from render_service.errors import NotSignedIn, UnknownJob
from render_service.http.access import check, requires
from render_service.http.asked import refuse_query, wrong
from render_service.http.compositions import Asked
from render_service.http.drafted import read_cursor, read_limit, read_query, spell_cursor
from render_service.http.job_events import MEDIA_TYPE, open_stream
from render_service.http.job_schemas import JobList, JobOut, describe_job
from render_service.jobs.model import Job, Kind, Status
from render_service.jobs.ports import JobStore, Wanted

LIST_KEYS: Final = ("status", "kind", "limit", "cursor")
NOT_KEPT: Final = {"cache-control": "no-store"}

_Word = TypeVar("_Word", bound=StrEnum)


class Jobs(Controller):
    """Routes under `/v1/jobs`."""

    path = "/v1/jobs"
    tags = ("Jobs",)

    @get(summary="List the jobs", guards=[requires(Scope.JOBS_READ)])
    async def list_all(self, request: Asked, jobs: JobStore, public_url: str) -> Response[JobList]:
        """Newest first, of one `status` or one `kind` if you like."""
        asked = read_query(request, LIST_KEYS)
        place: tuple[datetime, UUID] | None = read_cursor(asked, tuple[datetime, UUID])
        page = await jobs.list_jobs(
            Wanted(
                limit=read_limit(asked),
                after=None if place is None else (place[0], str(place[1])),
                status=_read_word(asked, "status", Status),
                kind=_read_word(asked, "kind", Kind),
            )
        )
        following = None
        if page.has_more:
            last = page.jobs[-1]
            query = urlencode({**asked, "cursor": spell_cursor((last.created, last.id))})
            following = f"{public_url}/v1/jobs?{query}"
        listed = [describe_job(job, public_url) for job in page.jobs]
        return Response(content=JobList(jobs=listed, next=following), headers=NOT_KEPT)

    @get("/{job:str}", summary="A job")
    async def show(
        self, request: Asked, job: str, caller: Caller, jobs: JobStore, public_url: str
    ) -> Response[JobOut]:
        """Where it stands, how far it is, and what came of it."""
        refuse_query(request.scope["query_string"])
        return _answer(await _seen(jobs, job, caller), public_url)

    @get("/{job:str}/events", summary="The progress of a job, as it happens")
    async def follow(
        self, request: Asked, job: str, caller: Caller, jobs: JobStore, public_url: str
    ) -> Stream:
        """Server-sent events: `progress` whenever anything changed, and `end` once it is over."""
        refuse_query(request.scope["query_string"])
        begun = await _seen(jobs, job, caller)
        return Stream(open_stream(jobs, begun, public_url), media_type=MEDIA_TYPE, headers=NOT_KEPT)

    @post("/{job:str}/cancel", status_code=200, summary="Cancel a job")
    async def cancel(
        self, request: Asked, job: str, caller: Caller, jobs: JobStore, public_url: str
    ) -> Response[JobOut]:
        """One that waits ends at once; one that runs ends within seconds."""
        refuse_query(request.scope["query_string"])
        await _touched(jobs, job, caller)
        return _answer(await jobs.cancel(job), public_url)

    @post("/{job:str}/retry", status_code=200, summary="Have a job done after all")
    async def retry(
        self, request: Asked, job: str, caller: Caller, jobs: JobStore, public_url: str
    ) -> Response[JobOut]:
        """One that failed or was cancelled, from where it came to."""
        refuse_query(request.scope["query_string"])
        await _touched(jobs, job, caller)
        return _answer(await jobs.retry(job), public_url)


def _answer(job: Job, public_url: str) -> Response[JobOut]:
    return Response(content=describe_job(job, public_url), headers=NOT_KEPT)


async def _seen(jobs: JobStore, job_id: str, caller: Caller) -> Job:
    """Return a job that the caller may see.

    To who may not it is as unknown as one that is not there.
    """
    if caller is NOBODY:
        raise NotSignedIn(given=False)
    job = await jobs.get(job_id)
    if job.by != caller.name and not caller.may(Scope.JOBS_READ):
        raise UnknownJob(job_id)
    return job


async def _touched(jobs: JobStore, job_id: str, caller: Caller) -> None:
    """Refuse who may not end or retry a job."""
    if (await _seen(jobs, job_id, caller)).by != caller.name:
        check(caller, Scope.ADMIN)


def _read_word(asked: Mapping[str, str], field: str, words: type[_Word]) -> _Word | None:
    given = asked.get(field)
    if given is None:
        return None
    if given not in set(words):
        raise wrong(field, f"{given[:100]!r}; expected one of {', '.join(words)}")
    return words(given)
