"""`render-service jobs`: what is done in the background, seen and steered from a terminal."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec
from tqdm import tqdm

from render_service.adapters.job_table import JobTable
from render_service.embedded import run_embedded_database
from render_service.errors import InvalidRequest, InvalidSetting
from render_service.jobs.mails import Mail, order_mail
from render_service.jobs.model import Job, Kind, Status
from render_service.jobs.ports import JobStore, Wanted
from render_service.settings import Settings
from render_service.wiring import build_database

_LOOK_S: Final = 0.5
"""Between looks at a job that is waited for."""


def list_jobs(settings: Settings, *, limit: int, status: str | None, kind: str | None) -> int:
    """Print the newest jobs, one a line; return the exit status.

    Raises:
        InvalidSetting: There is no database.
        DatabaseUnavailable: It cannot be asked.
    """
    wanted = Wanted(
        limit=limit,
        status=Status(status) if status else None,
        kind=Kind(kind) if kind else None,
    )
    page = _ask(settings, lambda jobs: jobs.list_jobs(wanted))
    for job in page.jobs:
        print(_line(job))
    if not page.jobs:
        print("There are no such jobs.")
    return 0


def show_job(settings: Settings, job_id: str) -> int:
    """Print all of a job, as JSON; return the exit status.

    Raises:
        UnknownJob: There is none of that id.
        InvalidSetting: There is no database.
        DatabaseUnavailable: It cannot be asked.
    """
    job = _ask(settings, lambda jobs: jobs.get(job_id))
    print(msgspec.json.format(msgspec.json.encode(job)).decode())
    return 0


def cancel_job(settings: Settings, job_id: str) -> int:
    """End a job, or have it end; return the exit status.

    Raises:
        UnknownJob: There is none of that id.
        JobOver: It is over.
        InvalidSetting: There is no database.
        DatabaseUnavailable: Nothing was changed.
    """
    print(_line(_ask(settings, lambda jobs: jobs.cancel(job_id))))
    return 0


def retry_job(settings: Settings, job_id: str) -> int:
    """Have a job done after all; return the exit status.

    Raises:
        UnknownJob: There is none of that id.
        JobNotParked: It is under way, or done.
        InvalidSetting: There is no database.
        DatabaseUnavailable: Nothing was changed.
    """
    print(_line(_ask(settings, lambda jobs: jobs.retry(job_id))))
    return 0


def wait_for_job(settings: Settings, job_id: str) -> int:
    """Show how far a job is until it is over; return 0 if it is done.

    Raises:
        UnknownJob: There is none of that id.
        InvalidSetting: There is no database.
        DatabaseUnavailable: It cannot be asked.
    """
    job = _ask(settings, lambda jobs: follow_job(jobs, job_id))
    print(_line(job))
    if job.error and job.status is not Status.DONE:
        print(job.error)
    return 0 if job.status is Status.DONE else 1


def mail_test(settings: Settings, address: str) -> int:
    """Send a message to `address` by a job, to see that mail arrives; return the exit status.

    Raises:
        InvalidRequest: It is no address.
        InvalidSetting: There is no database.
        DatabaseUnavailable: Nothing was ordered.
    """
    words = "Mail of render-service arrives."
    mail = Mail(to=address, subject=words, text=f"{words}\n", html=f"<p>{words}</p>\n")
    try:
        asked = order_mail(mail, "the command line")
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"{address[:200]!r} is no mail address: name@host, ASCII.") from error
    job = _ask(settings, lambda jobs: jobs.order(asked))
    return wait_for_job(settings, job.id)


async def follow_job(jobs: JobStore, job_id: str) -> Job:
    """Return a job once it is over; meanwhile a bar shows how far it is, on a terminal.

    Raises:
        UnknownJob: There is none of that id.
        DatabaseUnavailable: It cannot be asked.
    """
    job = await jobs.get(job_id)
    with tqdm(desc=job.kind, unit="", disable=None, leave=False) as bar:
        while True:
            bar.total = job.progress.total or None
            bar.n = job.progress.done
            bar.set_postfix_str(job.progress.note or job.status)
            if job.is_over:
                return job
            await asyncio.sleep(_LOOK_S)
            job = await jobs.get(job_id)


def _ask(settings: Settings, question: Callable[[JobStore], Awaitable[Any]]) -> Any:  # noqa: ANN401
    if not settings.database_url:
        raise InvalidSetting("RENDER_DATABASE_URL names no database, and jobs are kept in it.")

    async def ask(reachable: Settings) -> Any:  # noqa: ANN401
        database = build_database(reachable)
        try:
            return await question(JobTable(database))
        finally:
            await database.close()

    with run_embedded_database(settings) as reachable:
        return asyncio.run(ask(reachable))


def _line(job: Job) -> str:
    status = "cancelling" if job.cancel_asked and not job.is_over else job.status
    said = job.error if job.status is Status.FAILED else job.progress.note
    far = f"{job.progress.done}/{job.progress.total}" if job.progress.total else "-"
    at = job.created.strftime("%Y-%m-%d %H:%M:%S")
    line = f"{job.id}  {at}  {job.kind:8}  {status:10}  {far:>9}  {job.by}  {said or ''}"
    return line.splitlines()[0].rstrip()
