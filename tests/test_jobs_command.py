"""`render-service jobs` and `work`, as people type them."""

import asyncio
import json
import os
from typing import NamedTuple

import pytest

from render_service.adapters.job_attempts import begin
from render_service.adapters.job_table import JobTable
from render_service.adapters.migrations import migrate
from render_service.adapters.outbox import claim
from render_service.adapters.postgres import Database
from render_service.cli import main
from render_service.jobs.model import Kind, Order
from tests.postgres import make_database


@pytest.fixture(scope="module")
def url(postgres_18_server):
    address = make_database(postgres_18_server)
    asyncio.run(migrate(address))
    return address


@pytest.fixture
def run(monkeypatch, capsys):
    """A command in this process: a new one takes a second and a half to start."""

    def run(*words, **settings):
        for key in [key for key in os.environ if "RENDER_" in key or key == "DATABASE_URL"]:
            monkeypatch.delenv(key)
        for key, value in settings.items():
            monkeypatch.setenv(f"RENDER_{key.upper()}", value)
        status = main(words)
        return Answer(status, *capsys.readouterr())

    return run


class Answer(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def make_job(url, *, result=None, error=None):
    """A job that is done, failed or waits."""

    async def work():
        database = Database(url)
        jobs = JobTable(database)
        job = await jobs.order(Order(kind=Kind.IMPORT, payload={}, by="anna"))
        if result is not None or error is not None:
            rows, _ = await database.write(lambda connection: claim(connection, 1000))
            (ticket,) = (row.id for row in rows if row.subject == job.id)
            attempt = await begin(database, ticket, 10)
            await attempt.report(3, 7, "row 3")
            await (attempt.fail(error, 1) if error else attempt.end(result))
        await database.close()
        return job.id

    return asyncio.run(work())


def test_jobs_are_listed_shown_cancelled_and_retried(run, url):
    waiting, failed = make_job(url), make_job(url, error="the file is no CSV\nat all")

    listed = run("jobs", "list", "--kind", "import", "--limit", "2", database_url=url)
    first, second = listed.stdout.splitlines()
    assert first.split()[0] == failed
    assert first.endswith("import    failed            3/7  anna  the file is no CSV")
    assert second.split()[0] == waiting

    shown = json.loads(run("jobs", "show", failed, database_url=url).stdout)
    assert (shown["status"], shown["error"]) == ("failed", "the file is no CSV\nat all")

    assert "cancelled" in run("jobs", "cancel", waiting, database_url=url).stdout
    assert "queued" in run("jobs", "retry", failed, database_url=url).stdout


def test_whoever_waits_for_a_job_is_told_what_came_of_it(run, url):
    done = run("jobs", "wait", make_job(url, result={"rows": 7}), database_url=url)
    failed = run("jobs", "wait", make_job(url, error="no CSV"), database_url=url)
    assert (done.returncode, failed.returncode) == (0, 1)
    assert failed.stdout.splitlines()[-1] == "no CSV"


def test_what_cannot_be_done_is_said_in_a_line(run, url):
    done = make_job(url, result={})
    for words, said in [
        (("cancel", done), f"The job {done} is done: only one that is queued or running"),
        (("retry", done), f"The job {done} is done: only one that failed or was cancelled"),
        (("show", "x"), "There is no job 'x'"),
    ]:
        answer = run("jobs", *words, database_url=url)
        assert answer.returncode == 1
        assert answer.stderr.startswith(f"render-service jobs: {said}")
        assert len(answer.stderr.splitlines()) == 1


def test_without_a_database_or_a_queue_there_is_no_work(run, url):
    assert "names no database" in run("jobs", "list", database_url="").stderr
    assert "names no database" in run("work", database_url="").stderr
    assert "Background work needs a queue" in run("work", database_url=url).stderr
