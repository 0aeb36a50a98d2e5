"""The progress of a job as server-sent events, from whichever process does it.

The rule: the job's row is read over and over, so what is told is what is kept; nothing is told
twice, and the stream ends when the job does, when its reader leaves, or when this process stops.
A reader who is cut off asks again, and is told how it stands.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from render_service.errors import DatabaseUnavailable, Overloaded
from render_service.http.job_schemas import describe_job
from render_service.http.stopping import stopping
from render_service.jobs.model import Job
from render_service.jobs.ports import JobStore

MEDIA_TYPE: Final = "text/event-stream"

_LOOK_S: Final = 0.5
"""Between looks at the row: a bar that moves twice a second moves."""

_BEAT_S: Final = 15.0
"""Between signs of life: proxies cut what is silent for a minute, some for thirty seconds."""

_STREAMS_MAX: Final = 200
"""Of one process: 400 reads by primary key a second, a tenth of what a database has to spare."""

_RETRY_S: Final = 5

_open_streams: Final[set[object]] = set()
"""Of this process."""


def open_stream(jobs: JobStore, job: Job, public_url: str) -> AsyncIterator[bytes]:
    """Return the events of a job, from how it stands now.

    Raises:
        Overloaded: Too many are watching already.
    """
    if len(_open_streams) >= _STREAMS_MAX:
        raise Overloaded(_RETRY_S)
    return _events(jobs, job, public_url)


async def _events(jobs: JobStore, job: Job, public_url: str) -> AsyncIterator[bytes]:
    mark = object()
    _open_streams.add(mark)
    try:
        yield f"retry: {_RETRY_S * 1000}\n\n".encode()
        yield _event(job, public_url)
        silent_s = 0.0
        while not (job.is_over or stopping.is_set()):
            await asyncio.sleep(_LOOK_S)
            before, job = job, await _look(jobs, job)
            silent_s = 0.0 if job != before else silent_s + _LOOK_S
            if job != before:
                yield _event(job, public_url)
            elif silent_s >= _BEAT_S:
                silent_s = 0.0
                yield b": \n\n"
    finally:
        _open_streams.discard(mark)


async def _look(jobs: JobStore, job: Job) -> Job:
    """Return the job as it stands; as it stood while the database is away."""
    with contextlib.suppress(DatabaseUnavailable):
        return await jobs.get(job.id)
    return job


def _event(job: Job, public_url: str) -> bytes:
    name = b"end" if job.is_over else b"progress"
    return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(describe_job(job, public_url)))
